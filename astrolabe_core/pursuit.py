"""Who is asked next, and may anybody be?

Three reasons to ask once more, each with its own answer: a missed schema is shown to its own model,
a doubted answer looks for a better one, and no answer at all looks for any. Each gives the route to
the next call, or `None`: nobody may be asked, nobody is left, or it is too late. Nobody is asked
outside the plan, more often than the stack allows, or once the total deadline is over.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.answers import Fault
from astrolabe_core.fallback import (
    Cause,
    Draw,
    Exhausted,
    Next,
    Plan,
    advance,
    applies,
    attempts_max,
    escalate,
    lengthen,
    mode_in_force,
    rest,
)
from astrolabe_core.messages import Correction
from astrolabe_core.stacks import FallbackMode, Trigger
from astrolabe_core.states import Draft, Route
from astrolabe_core.units import Instant, Millis


def correct(route: Route, draft: Draft, flaws: tuple[str, ...], at: Instant) -> Route | None:
    """Show a model that the caller named what is wrong with its answer, once."""
    pinned = route.routed.shortlist.roster.pool.pinned
    if not pinned or route.trace.cause is not Cause.FIRST or _is_over(route, at):
        return None
    said = draft.answer.text or "\n".join(made.arguments for made in draft.answer.tool_calls)
    moved = _moved(route, route.plan, Cause.CORRECTION)
    return evolve(moved, correction=Correction(text=said, flaws=flaws))


def better(route: Route, trigger: Trigger, at: Instant) -> Route | None:
    """Turn to a model that may do better than one that did well enough.

    A doubt moves on once in all; what was cut short, to whoever may say more.
    """
    rules = route.routed.resolved.stack.fallback
    if not applies(trigger, rules, route.routed.verification) or _is_over(route, at):
        return None
    cause, escalated = Cause.FALLBACK, route.escalated
    plan: Next = rest(route.plan)
    if trigger is Trigger.CONTEXT_LENGTH:
        plan = lengthen(route.plan)
    elif trigger is Trigger.VERIFIER_LOW_CONFIDENCE:
        if escalated:
            return None
        escalated = True
        category = route.routed.profile.classification.category.value
        if mode_in_force(rules, category) is FallbackMode.ESCALATE_QUALITY:
            cause, plan = Cause.ESCALATION, escalate(route.plan)
    if isinstance(plan, Exhausted):
        return None
    return evolve(_moved(route, plan, cause), escalated=escalated)


def following(
    route: Route, trigger: Trigger | None, at: Instant, fault: Fault | None = None
) -> Route | None:
    """Turn to the next model where there is no answer, after the wait that `waited_ms` says.

    A recovery goes on whatever goes wrong on its way.
    """
    recovering = route.recovering is not None
    rules = route.routed.resolved.stack.fallback
    if not (recovering or applies(trigger, rules, route.routed.verification)):
        return None
    if _is_over(route, at):
        return None
    draw = Draw(
        failures=len(route.trace.attempts),
        jitter=route.arrival.jitter,
        time_left_ms=route.time_left_ms(at),
    )
    found = advance(route.plan, fault, draw)
    if isinstance(found, Exhausted):
        return None
    plan, wait = found
    return _moved(route, plan, Cause.RECOVERY if recovering else Cause.FALLBACK, wait)


_NOT_AT_ALL: Final = Millis(0)


def _is_over(route: Route, at: Instant) -> bool:
    """Whether all attempts are spent, or all time is."""
    allowed = attempts_max(route.routed.resolved.stack.fallback)
    return len(route.trace.attempts) >= allowed or not route.time_left_ms(at)


def _moved(route: Route, plan: Plan, cause: Cause, wait: Millis = _NOT_AT_ALL) -> Route:
    # What was found out about the last answer is no word on the next one.
    trace = evolve(route.trace, cause=cause, verdict=None, tools=())
    return evolve(route, plan=plan, trace=trace, correction=None, waited_ms=wait)
