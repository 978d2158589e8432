"""Who pays for what, once a request has its answer or has lost its caller?

Only the answer that is delivered is paid for, by the usage that its provider reported. A caller who
leaves pays for the answer that was ready for it, else for what the provider had done by then. Where
nobody saw a usage, the provider is asked for its own record of the call before the hold is let go:
an answer is neither free nor paid in full by guess.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt
from astrolabe_core.codes import Unbillable
from astrolabe_core.endings import capture, price_receipt, void
from astrolabe_core.messages import Abandoned, Left, LookedUp, LookUp, Reply, Served
from astrolabe_core.states import (
    Calling,
    Consulting,
    Draft,
    Inspecting,
    Kept,
    Pausing,
    Reserving,
    Reviewing,
    Route,
    Step,
    Streaming,
    Verifying,
)
from astrolabe_core.trace import Attempt, Flag, Trace
from astrolabe_core.units import Instant, Millis
from astrolabe_core.verification import VerifierCall

PATIENCE_SERVED_MS: Final = Millis(3_000)
"""How long a caller waits for the end of an answer while its usage is asked for."""
PATIENCE_LEFT_MS: Final = Millis(20_000)
"""How long a provider's record is waited for where nobody waits."""


# --- recording ----------------------------------------------------------------------------
def add_attempt(
    route: Route,
    *,
    since: Instant,
    until: Instant,
    fault: Fault | None = None,
    receipt: Receipt = NO_RECEIPT,
    unbillable: Unbillable | None = None,
) -> Route:
    """Record a call of the plan's head that gave no answer, or none that was looked at."""
    attempt = Attempt(
        option=route.plan.head,
        started_at=since,
        ended_at=until,
        cause=route.trace.cause,
        waited_ms=route.waited_ms,
        fault=fault,
        receipt=receipt,
        unbillable=unbillable,
    )
    trace = evolve(route.trace, attempts=(*route.trace.attempts, attempt))
    return evolve(route, trace=trace)


def add_draft(route: Route, draft: Draft, unbillable: Unbillable | None) -> Route:
    """Record a call that gave an answer, and what was made of it."""
    attempts = (*route.trace.attempts, _attempt(route, draft, unbillable))
    trace = evolve(route.trace, attempts=attempts, verdict=draft.verdict, tools=draft.tools)
    return evolve(route, trace=trace)


def _attempt(
    route: Route, draft: Draft, unbillable: Unbillable | None, *, delivered: bool = False
) -> Attempt:
    return Attempt(
        option=route.plan.head,
        started_at=draft.since,
        ended_at=draft.until,
        cause=route.trace.cause,
        waited_ms=route.waited_ms,
        verdict=draft.verdict,
        receipt=draft.answer.receipt,
        delivered=delivered,
        unbillable=unbillable,
    )


# --- settling -----------------------------------------------------------------------------
def deliver(route: Route, draft: Draft, at: Instant) -> Step:
    """Record an answer and deliver it."""
    attempts = (*route.trace.attempts, _attempt(route, draft, None, delivered=True))
    trace = evolve(route.trace, attempts=attempts, verdict=draft.verdict, tools=draft.tools)
    return _consult(evolve(route, trace=trace), len(attempts) - 1, draft.answer, at)


def serve(route: Route, kept: Kept, at: Instant) -> Step:
    """Deliver the answer that was kept."""
    return _consult(_delivered(route, kept), kept.attempt, kept.answer, at)


def _delivered(route: Route, kept: Kept) -> Route:
    attempt = evolve(route.trace.attempts[kept.attempt], delivered=True, unbillable=None)
    attempts = _replaced(route.trace.attempts, kept.attempt, attempt)
    trace = evolve(route.trace, attempts=attempts, verdict=kept.verdict, tools=kept.tools)
    return evolve(route, trace=trace)


def _consult(route: Route, place: int, answer: Answer | None, at: Instant) -> Step:
    """Settle an attempt by what its provider said, or ask for it first."""
    missing, left = Unbillable.MISSING_PROVIDER_USAGE, Unbillable.CLIENT_DISCONNECTED
    otherwise = left if answer is None else missing
    consulting = Consulting(route=route, attempt=place, answer=answer, otherwise=otherwise)
    return _settle(consulting, at, may_ask=True)


def _settle(state: Consulting, at: Instant, *, may_ask: bool) -> Step:
    route, answer = state.route, state.answer
    attempt = route.trace.attempts[state.attempt]
    due, flags = price_receipt(route, attempt.option.model, attempt.receipt)
    if flags:
        route = _flagged(route, flags)
    generation = attempt.receipt.generation
    if due is None and may_ask and generation is not None:
        patience = PATIENCE_LEFT_MS if answer is None else PATIENCE_SERVED_MS
        asking = evolve(state, route=route)
        return Step(asking, LookUp(generation=generation, patience_ms=patience))

    def reply(trace: Trace) -> Reply:
        return Abandoned(trace) if answer is None else Served(answer, trace)

    if due is None:
        unpaid = evolve(attempt, unbillable=state.otherwise)
        attempts = _replaced(route.trace.attempts, state.attempt, unpaid)
        unpaid_route = evolve(route, trace=evolve(route.trace, attempts=attempts))
        return void(unpaid_route, state.otherwise, at, reply)
    return capture(route, due, at, reply)


def looked_up(state: Consulting, event: LookedUp) -> Step:
    """Settle by the provider's record, or without one."""
    found = event.receipt
    if found is None or found.usage is None:
        return _settle(state, event.at, may_ask=False)
    attempt = state.route.trace.attempts[state.attempt]
    known = attempt.receipt
    receipt = evolve(
        known,
        usage=found.usage,
        cost=found.cost if known.cost is None else known.cost,
        host=found.host if known.host is None else known.host,
    )
    trace = state.route.trace
    attempts = _replaced(trace.attempts, state.attempt, evolve(attempt, receipt=receipt))
    route = evolve(state.route, trace=evolve(trace, attempts=attempts))
    route = _flagged(route, (Flag.USAGE_FROM_PROVIDER_RECORD,))
    return _settle(evolve(state, route=route), event.at, may_ask=False)


def left_consulting(state: Consulting, event: Left) -> Step:
    """Settle without the record: nobody can wait for it any more."""
    return _settle(state, event.at, may_ask=False)


# --- the caller is gone -------------------------------------------------------------------
def left_early(state: Reserving | Pausing, event: Left) -> Step:
    """Let the hold go: no provider is at work, and no answer is ready."""
    return void(state.route, Unbillable.CLIENT_DISCONNECTED, event.at, Abandoned)


def left_provider(state: Calling | Streaming, event: Left) -> Step:
    """Settle what the provider has done by now."""
    route = add_attempt(
        state.route,
        since=state.since,
        until=event.at,
        receipt=event.receipt,
        unbillable=Unbillable.CLIENT_DISCONNECTED,
    )
    return _abandon(route, event.at)


def left_answer(state: Inspecting | Reviewing, event: Left) -> Step:
    """Settle an answer that is whole and was still being looked at."""
    route = add_attempt(
        state.route,
        since=state.since,
        until=state.until,
        receipt=state.examined.answer.receipt,
        unbillable=Unbillable.CLIENT_DISCONNECTED,
    )
    return _abandon(route, event.at)


def left_verifier(state: Verifying, event: Left) -> Step:
    """Settle an answer that was being verified; the verifier's work is not the caller's."""
    called = VerifierCall(
        model=state.model,
        started_at=state.since,
        ended_at=event.at,
        cut_off=True,
        receipt=event.receipt,
    )
    verdict = state.draft.verdict
    draft = evolve(state.draft, verdict=evolve(verdict, verifiers=(*verdict.verifiers, called)))
    return _abandon(add_draft(state.route, draft, Unbillable.CLIENT_DISCONNECTED), event.at)


def _abandon(route: Route, at: Instant) -> Step:
    """Count what was ready for the caller as delivered, else the last attempt as far as it came."""
    if route.kept is not None:
        return _consult(_delivered(route, route.kept), route.kept.attempt, None, at)
    last = len(route.trace.attempts) - 1
    attempt = evolve(route.trace.attempts[last], delivered=True, unbillable=None)
    trace = evolve(route.trace, attempts=_replaced(route.trace.attempts, last, attempt))
    return _consult(evolve(route, trace=trace), last, None, at)


def _replaced(attempts: tuple[Attempt, ...], place: int, attempt: Attempt) -> tuple[Attempt, ...]:
    return (*attempts[:place], attempt, *attempts[place + 1 :])


def _flagged(route: Route, flags: tuple[Flag, ...]) -> Route:
    """Add what is odd, once: what a provider said first is odd whatever its record says."""
    known = route.trace.flags
    fresh = tuple(flag for flag in flags if flag not in known)
    return evolve(route, trace=evolve(route.trace, flags=(*known, *fresh)))
