"""What is to be tried next, after how long, and when to stop?

A plan is the list of options still to be tried, the first of them now. It is made once, from
models that passed the boundaries, and only ever shrinks. How a stack's rules read for one kind
of request goes into the `Demand`, so that a decision's fingerprint covers its plan.

A wait grows with every failure, and half of it is drawn: the host gives one random number with the
request, so that the same request waits as long when it is played again. What a provider asks for is
waited out where the next model is of the same provider; others need not wait for it.
"""

from enum import StrEnum
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.boundaries import place_of
from astrolabe_core.decide import Decision, Option
from astrolabe_core.money import NanoUsd
from astrolabe_core.prepare import Demand
from astrolabe_core.stacks import Fallback, FallbackMode, Trigger, VerificationMode
from astrolabe_core.units import Millis


class Cause(StrEnum):
    """Why a model was asked."""

    FIRST = "first"
    FALLBACK = "fallback"
    CORRECTION = "correction"
    RECOVERY = "recovery"
    ESCALATION = "escalation"


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


def applies(trigger: Trigger | None, rules: Fallback, mode: VerificationMode) -> bool:
    """Whether a request moves on for this; the strict modes do for doubt, whatever the stack."""
    if not rules.enabled or trigger is None:
        return False
    doubted = trigger is Trigger.VERIFIER_LOW_CONFIDENCE
    return trigger in rules.triggers or (doubted and mode in _STRICT)


def advance(current: Plan, fault: Fault | None, draw: "Draw") -> "tuple[Plan, Millis] | Exhausted":
    """Give the rest of the plan from the next option on that need not be waited for too long.

    With it goes the time to wait before. Without a fault nothing is overloaded: nothing waits.
    """
    for place, option in enumerate(current.options[1:], 1):
        wait = Millis(0) if fault is None else _wait(current.head, option, fault, draw)
        if wait <= min(WAIT_MAX_MS, draw.time_left_ms):
            return Plan(current.options[place:]), wait
    return EXHAUSTED


def rest(current: Plan) -> Next:
    """Give the plan without its head."""
    later = current.options[1:]
    return Plan(later) if later else EXHAUSTED


def escalate(current: Plan) -> Next:
    """Give the plan from the first better model on; where none is better, from the next."""
    later = current.options[1:]
    if not later:
        return EXHAUSTED
    better = [n for n, option in enumerate(later) if _quality(option) > _quality(current.head)]
    return Plan(later[better[0] if better else 0 :])


def lengthen(current: Plan) -> Next:
    """Give the plan from the first model on that may say more than the one that was cut short."""
    for place, option in enumerate(current.options):
        if option.output_tokens_max > current.head.output_tokens_max:
            return Plan(current.options[place:])
    return EXHAUSTED


@frozen(kw_only=True)
class Draw:
    """What a wait depends on beside the fault.

    `failures` counts those so far, this one included; `jitter` is the request's own random number
    below 2**32; `time_left_ms` is what is left of the total deadline.
    """

    failures: int
    jitter: int
    time_left_ms: Millis


BACKOFF_MS: Final = Millis(100)
BACKOFF_MAX_MS: Final = Millis(2_000)
WAIT_MAX_MS: Final = Millis(10_000)
"""No caller is kept waiting for longer between two attempts; another provider is asked instead."""
JITTER_RANGE: Final = 2**32
_SPREAD: Final = 2_654_435_761
"""Knuth's multiplier: one number gives each failure another share."""

_STRICT: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})
_OVERLOADS: Final = frozenset(
    {
        FaultKind.UNREACHABLE,
        FaultKind.TIMEOUT,
        FaultKind.RATE_LIMITED,
        FaultKind.PROVIDER_ERROR,
    }
)


def _wait(failed: Option, following: Option, fault: Fault, draw: Draw) -> Millis:
    if fault.kind not in _OVERLOADS:
        return Millis(0)
    step = min(BACKOFF_MAX_MS, BACKOFF_MS << min(draw.failures - 1, 10))
    share = (draw.jitter + draw.failures) * _SPREAD % JITTER_RANGE
    wait = step // 2 + step // 2 * share // JITTER_RANGE
    if fault.retry_after_s is not None and failed.model.provider == following.model.provider:
        wait = max(wait, fault.retry_after_s * 1_000)
    return Millis(wait)


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
