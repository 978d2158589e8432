"""Who pays for what, once a request has its answer or has lost its caller?

Only the answer that is delivered is paid for, by the usage that its provider reported. Where
nobody saw a usage, the provider is asked for its own record of the call before the hold is let go:
an answer is neither free nor paid in full by guess.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Fault, Receipt
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
from astrolabe_core.verification import Verdict, VerifierCall

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
    verdict: Verdict | None = None,
    receipt: Receipt = NO_RECEIPT,
    unbillable: Unbillable | None = None,
) -> Route:
    """Record a call of the plan's head; none is delivered until `serve` says so."""
    attempt = Attempt(
        option=route.plan.head,
        started_at=since,
        ended_at=until,
        cause=route.cause,
        waited_ms=route.waited_ms,
        fault=fault,
        verdict=verdict,
        receipt=receipt,
        unbillable=unbillable,
    )
    trace = evolve(route.trace, attempts=(*route.trace.attempts, attempt))
    return evolve(route, trace=trace)


def add_draft(route: Route, draft: Draft, unbillable: Unbillable | None) -> Route:
    """Record a call that gave an answer, and what was made of it."""
    route = add_attempt(
        route,
        since=draft.since,
        until=draft.until,
        verdict=draft.verdict,
        receipt=draft.answer.receipt,
        unbillable=unbillable,
    )
    return evolve(route, trace=evolve(route.trace, tools=draft.tools))


# --- settling -----------------------------------------------------------------------------
def serve(route: Route, kept: Kept, at: Instant) -> Step:
    """Deliver an answer, and settle it."""
    attempt = evolve(route.trace.attempts[kept.attempt], delivered=True, unbillable=None)
    route = _replaced(route, kept.attempt, attempt)
    trace = evolve(route.trace, verdict=kept.verdict, tools=kept.tools)
    consulting = Consulting(
        route=evolve(route, trace=trace),
        attempt=kept.attempt,
        answer=kept.answer,
        otherwise=Unbillable.MISSING_PROVIDER_USAGE,
    )
    return _settle(consulting, at, may_ask=True)


def _settle(state: Consulting, at: Instant, *, may_ask: bool) -> Step:
    attempt = state.route.trace.attempts[state.attempt]
    due, flags = price_receipt(state.route, attempt.option.model, attempt.receipt)
    generation = attempt.receipt.generation
    if due is None and may_ask and generation is not None:
        patience = PATIENCE_LEFT_MS if state.answer is None else PATIENCE_SERVED_MS
        return Step(state, LookUp(generation=generation, patience_ms=patience))
    route, answer = state.route, state.answer
    route = _flagged(route, flags)

    def reply(trace: Trace) -> Reply:
        return Abandoned(trace) if answer is None else Served(answer, trace)

    if due is None:
        unpaid = evolve(attempt, unbillable=state.otherwise)
        return void(_replaced(route, state.attempt, unpaid), state.otherwise, at, reply)
    return capture(route, due, at, reply)


def looked_up(state: Consulting, event: LookedUp) -> Step:
    """Settle by the provider's record, or without one."""
    if event.receipt is None:
        return _settle(state, event.at, may_ask=False)
    attempt = state.route.trace.attempts[state.attempt]
    known = attempt.receipt
    found = evolve(
        known,
        usage=event.receipt.usage,
        cost=event.receipt.cost if known.cost is None else known.cost,
        host=event.receipt.host if known.host is None else known.host,
    )
    route = _replaced(state.route, state.attempt, evolve(attempt, receipt=found))
    route = _flagged(route, (Flag.USAGE_FROM_PROVIDER_RECORD,))
    return _settle(evolve(state, route=route), event.at, may_ask=False)


def left_consulting(state: Consulting, event: Left) -> Step:
    """Settle without the record: nobody can wait for it any more."""
    return _settle(state, event.at, may_ask=False)


# --- the caller is gone -------------------------------------------------------------------
def left_early(state: Reserving | Pausing, event: Left) -> Step:
    """Let the hold go: no provider is at work."""
    return void(state.route, Unbillable.CLIENT_DISCONNECTED, event.at, Abandoned)


def left_provider(state: Calling | Streaming, event: Left) -> Step:
    """Settle what the provider has done by now."""
    route = add_attempt(state.route, since=state.since, until=event.at, receipt=event.receipt)
    return _abandon(route, event.at)


def left_answer(state: Inspecting | Reviewing, event: Left) -> Step:
    """Settle an answer that is whole and was still being looked at."""
    receipt = state.examined.answer.receipt
    route = add_attempt(state.route, since=state.since, until=state.until, receipt=receipt)
    return _abandon(route, event.at)


def left_verifier(state: Verifying, event: Left) -> Step:
    """Settle an answer that was being verified; the verifier's work is not the caller's."""
    called = VerifierCall(
        model=state.model, started_at=state.since, ended_at=event.at, receipt=event.receipt
    )
    verdict = state.draft.verdict
    verdict = evolve(verdict, verifiers=(*verdict.verifiers, called))
    return _abandon(add_draft(state.route, evolve(state.draft, verdict=verdict), None), event.at)


def _abandon(route: Route, at: Instant) -> Step:
    """Count the last attempt as the one that was delivered, as far as it came."""
    last = len(route.trace.attempts) - 1
    attempt = evolve(route.trace.attempts[last], delivered=True)
    consulting = Consulting(
        route=_replaced(route, last, attempt),
        attempt=last,
        answer=None,
        otherwise=Unbillable.CLIENT_DISCONNECTED,
    )
    return _settle(consulting, at, may_ask=True)


def _replaced(route: Route, place: int, attempt: Attempt) -> Route:
    attempts = list(route.trace.attempts)
    attempts[place] = attempt
    return evolve(route, trace=evolve(route.trace, attempts=tuple(attempts)))


def _flagged(route: Route, flags: tuple[Flag, ...]) -> Route:
    if not flags:
        return route
    return evolve(route, trace=evolve(route.trace, flags=(*route.trace.flags, *flags)))
