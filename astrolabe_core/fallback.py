"""What is to be tried next, and when to stop?

A plan is the list of options still to be tried, the first of them now. It is made once, from
models that passed the boundaries, and only ever shrinks.
"""

from typing import TypeAlias

from attrs import frozen

from astrolabe_core.decide import Decision, Option
from astrolabe_core.money import NanoUsd
from astrolabe_core.stacks import Fallback, FallbackMode, Trigger


@frozen
class Plan:
    """Options to be tried in order; never empty."""

    options: tuple[Option, ...]

    @property
    def head(self) -> Option:
        """The option to try now."""
        return self.options[0]

    @property
    def hold(self) -> NanoUsd:
        """The hold of the dearest option: what any one answer of the plan can cost."""
        return max(option.hold for option in self.options)


class Exhausted:
    """Nothing is left to try, or nothing may be."""


Next: TypeAlias = Plan | Exhausted
EXHAUSTED = Exhausted()


def plan(decision: Decision, rules: Fallback, category: str) -> Plan:
    """Line up the first choice and what may follow it under the stack's fallback rules."""
    first, *others = decision.ranked
    if not rules.enabled:
        return Plan((first,))
    mode = rules.mode
    if mode is FallbackMode.ESCALATE_QUALITY and category in rules.never_escalate_categories:
        mode = FallbackMode.NEXT_BEST
    following = _following(first, others, mode)
    return Plan((first, *following[: rules.max_attempts - 1]))


def escalates(rules: Fallback, category: str) -> bool:
    """Whether a failed attempt of this category moves up in quality."""
    return (
        rules.enabled
        and rules.mode is FallbackMode.ESCALATE_QUALITY
        and category not in rules.never_escalate_categories
    )


def advance(current: Plan, trigger: Trigger | None, rules: Fallback) -> Next:
    """Drop the option that failed, if what happened is something the stack falls back on."""
    if trigger is None or trigger not in rules.triggers or len(current.options) == 1:
        return EXHAUSTED
    return Plan(current.options[1:])


def _following(first: Option, others: list[Option], mode: FallbackMode) -> list[Option]:
    match mode:
        case FallbackMode.NEXT_BEST:
            return others
        case FallbackMode.SAME_PROVIDER:
            return [other for other in others if other.model.provider == first.model.provider]
        case FallbackMode.ESCALATE_QUALITY:
            return [other for other in others if _quality(other) > _quality(first)] or others
        case FallbackMode.FIXED_ORDER:
            return sorted(others, key=lambda other: other.contender.preference)


def _quality(option: Option) -> int:
    return option.contender.quality.value
