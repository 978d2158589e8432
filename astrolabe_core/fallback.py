"""What is to be tried next, and when to stop?

A plan is the list of options still to be tried, the first of them now. It is made once, from
models that passed the boundaries, and only ever shrinks. How a stack's rules read for one kind
of request goes into the `Demand`, so that a decision's fingerprint covers its plan.
"""

from typing import TypeAlias

from attrs import frozen

from astrolabe_core.boundaries import place_of
from astrolabe_core.decide import Decision, Option
from astrolabe_core.money import NanoUsd
from astrolabe_core.prepare import Demand
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


def plan(decision: Decision, demand: Demand) -> Plan:
    """Line up the first choice and what may follow it under the stack's fallback rules."""
    first, *others = decision.ranked
    following = _following(first, others, demand)
    return Plan((first, *following[: demand.attempts_max - 1]))


def attempts_max(rules: Fallback) -> int:
    """Give how many models may be tried for one request, the first included."""
    return rules.max_attempts if rules.enabled else 1


def mode_in_force(rules: Fallback, category: str) -> FallbackMode:
    """Give the mode for a category of work: some are never escalated."""
    if not rules.enabled:
        return FallbackMode.NEXT_BEST
    if rules.mode is FallbackMode.ESCALATE_QUALITY and category in rules.never_escalate_categories:
        return FallbackMode.NEXT_BEST
    return rules.mode


def advance(current: Plan, trigger: Trigger | None, rules: Fallback) -> Next:
    """Drop the option that failed, if what happened is something the stack falls back on."""
    if trigger is None or trigger not in rules.triggers or len(current.options) == 1:
        return EXHAUSTED
    return Plan(current.options[1:])


def _following(first: Option, others: list[Option], demand: Demand) -> list[Option]:
    match demand.fallback_mode:
        case FallbackMode.NEXT_BEST:
            return others
        case FallbackMode.SAME_PROVIDER:
            return [other for other in others if other.model.provider == first.model.provider]
        case FallbackMode.ESCALATE_QUALITY:
            return [other for other in others if _quality(other) > _quality(first)] or others
        case FallbackMode.FIXED_ORDER:
            return sorted(others, key=lambda other: place_of(other.model.id, demand.fixed_order))


def _quality(option: Option) -> int:
    return option.contender.quality.value
