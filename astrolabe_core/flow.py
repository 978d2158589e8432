"""One request as a state machine: (state, event) -> (state, at most one command).

Read top to bottom: the handlers stand in the order in which a healthy request meets them.
`TRANSITIONS` is the whole truth about which event is legal where; what is absent is a bug.

Two promises can be read off the table. From `Streaming` no way leads back to `Calling`: once
content reached the caller, nothing falls back. And every way out of `Reserving`, `Calling` and
`Streaming` leads through `Settling`: a hold that may exist is always ended.
"""

from collections.abc import Callable, Mapping
from typing import Final, Never, TypeAlias, assert_never, cast

from attrs import evolve

from astrolabe_core import ledger
from astrolabe_core.access import UNKNOWN_KEY, admit
from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt
from astrolabe_core.codes import Code, Refusal, Unbillable
from astrolabe_core.endings import (
    capture,
    end,
    limits,
    price_receipt,
    record,
    unacceptable,
    unanswered,
    void,
)
from astrolabe_core.fallback import Exhausted, advance
from astrolabe_core.messages import (
    Abandoned,
    Answered,
    Arrival,
    CallModel,
    Event,
    Faulted,
    Hold,
    Ledgered,
    Left,
    Load,
    Loaded,
    NoCaller,
    Opened,
    Purpose,
    Refused,
    Relay,
    Reply,
    Served,
    StorageFailed,
)
from astrolabe_core.quotas import rate_limit, rate_refusal, status_after
from astrolabe_core.requests import Malformed, Reading, Request
from astrolabe_core.routing import Routed, Unrouted, route
from astrolabe_core.stacks import Trigger, VerificationMode
from astrolabe_core.states import (
    Calling,
    IllegalEventError,
    Loading,
    Recording,
    Reserving,
    Route,
    Settling,
    State,
    Step,
    Streaming,
)
from astrolabe_core.trace import Attempt, Flag, Trace
from astrolabe_core.units import Instant, Millis
from astrolabe_core.verification import Verdict, serious, verify


# --- the path -----------------------------------------------------------------------------
def begin(arrival: Arrival) -> Step:
    """Start a request."""
    request = arrival.request
    stack = request.overrides.stack if isinstance(request, Request) else None
    return Step(
        Loading(arrival), Load(key_hash=arrival.key_hash, at=request.received_at, stack=stack)
    )


def step(state: State, event: Event) -> Step:
    """Take one event. Raises `IllegalEventError` where the table has no entry."""
    handler = TRANSITIONS.get((type(state), type(event)))
    if handler is None:
        message = f"{type(event).__name__} cannot happen in {type(state).__name__}"
        raise IllegalEventError(message)
    return cast("Callable[[State, Event], Step]", handler)(state, event)


def _loaded(state: Loading, event: Loaded) -> Step:
    """Judge everything that needs no money, in the order that callers are promised."""
    arrival, snapshot = state.arrival, event.snapshot
    caller = snapshot.caller
    rate = rate_limit(caller.key.id, caller.key.rate_limit, snapshot.at)
    used = caller.requests_used
    trace = Trace(arrival=arrival.request, caller=caller, rate=status_after(rate, used + 1))
    refusal = admit(caller.key, caller.workspace, snapshot.at)
    if refusal is not None and refusal.code is Code.UNAUTHORIZED:
        return end(Refused(Trace(arrival=arrival.request, refusal=refusal)))
    if refusal is not None:
        return record(evolve(trace, refusal=refusal), snapshot)
    if used >= rate.limit:
        full = evolve(trace, rate=status_after(rate, used))
        return end(Refused(evolve(full, refusal=rate_refusal(rate, snapshot.at))))
    request = arrival.request
    if isinstance(request, Malformed):
        return record(evolve(trace, refusal=request.refusal), snapshot)
    if isinstance(request, Reading):
        return record(trace, snapshot)
    routing = route(request, snapshot)
    trace = evolve(trace, routing=routing)
    match routing:
        case Unrouted(blocked=blocked, refusal=refused):
            if arrival.purpose is Purpose.PREVIEW and blocked is not None:
                return record(trace, snapshot)
            return record(evolve(trace, refusal=refused), snapshot)
        case Routed():
            pass
        case _:
            assert_never(routing)
    if arrival.purpose is Purpose.PREVIEW:
        return record(trace, snapshot)
    return _reserve(
        Route(
            arrival=arrival,
            request=request,
            routed=routing,
            snapshot=snapshot,
            plan=routing.plan,
            trace=trace,
        )
    )


def _no_caller(state: Loading, _: NoCaller) -> Step:
    return end(Refused(Trace(arrival=state.arrival.request, refusal=UNKNOWN_KEY)))


def _not_loaded(state: Loading, _: StorageFailed) -> Step:
    return end(Refused(Trace(arrival=state.arrival.request, refusal=STORAGE_UNAVAILABLE)))


def _left_loading(state: Loading, _: Left) -> Step:
    return end(Abandoned(Trace(arrival=state.arrival.request)))


def _recorded(state: Recording, event: Ledgered | StorageFailed | Left) -> Step:
    reply = state.reply
    if isinstance(event, Ledgered) and isinstance(event.outcome, ledger.Counted):
        reply = evolve(reply, trace=evolve(reply.trace, rate=event.outcome.rate))
    return end(reply)


def _reserve(route: Route) -> Step:
    caller, at = route.snapshot.caller, route.snapshot.at
    command = ledger.Reserve(
        hold=route.hold,
        workspace=caller.workspace.id,
        key=caller.key.id,
        request=route.request.id,
        amount=route.plan.hold,
        at=at,
        node=route.snapshot.node,
        rate=rate_limit(caller.key.id, caller.key.rate_limit, at),
        limits=tuple(limits(route)),
        floor=route.snapshot.balance_floor,
    )
    return Step(Reserving(route), Hold(command))


def _reserved(state: Reserving, event: Ledgered) -> Step:
    route, outcome = state.route, event.outcome
    match outcome:
        case ledger.Reserved(hold=hold) if hold.state is ledger.HoldState.OPEN:
            trace = evolve(route.trace, rate=outcome.rate, hold=hold.amount)
            return _call(evolve(route, trace=trace), event.at)
        case ledger.Declined(refusal=refusal):
            trace = evolve(route.trace, refusal=refusal)
            if refusal.code is Code.RATE_LIMITED:
                return end(Refused(trace))
            return record(trace, route.snapshot, event.at)
        case _:
            # The identity of a hold is ours: a clash means that this request ran before.
            return record(evolve(route.trace, refusal=_REPEATED), route.snapshot, event.at)


def _not_reserved(state: Reserving, event: StorageFailed) -> Step:
    """End the hold all the same: it may have been placed before the store went away."""
    trace = evolve(state.route.trace, refusal=STORAGE_UNAVAILABLE)
    route = evolve(state.route, trace=trace)
    return void(route, Unbillable.GATEWAY_CRASH, event.at, Refused)


def _call(route: Route, at: Instant) -> Step:
    option = route.plan.head
    spent = at - route.request.received_at
    command = CallModel(
        request=route.request,
        model=option.model,
        output_tokens_max=option.output_tokens_max,
        layers=route.routed.resolved.layers,
        relayed=route.request.stream and route.routed.verification not in _HOLDS_BACK,
        time_left_ms=Millis(max(0, route.arrival.time_limit_ms - spent)),
    )
    return Step(Calling(route=route, since=at), command)


def _opened(state: Calling, event: Opened) -> Step:
    trace = evolve(state.route.trace, first_token_at=event.at)
    streaming = Streaming(route=evolve(state.route, trace=trace), since=state.since)
    return Step(streaming, Relay(stream=event.stream, trace=trace))


def _answered(state: Calling, event: Answered) -> Step:
    """Accept an answer, or move on where it may not be delivered."""
    route = state.route
    verdict = verify(event.answer, route.request, route.routed.verification)
    finding = serious(verdict)
    if finding is None:
        return _serve(state, event.answer, verdict, event.at)
    failed = _attempted(state, event.at, verdict=verdict, receipt=event.answer.receipt)
    return _go_on(failed, finding.trigger, event.at, unacceptable(finding))


def _streamed(state: Streaming, event: Answered) -> Step:
    """Report on an answer that the caller already has; nothing can be taken back."""
    verdict = verify(event.answer, state.route.request, state.route.routed.verification)
    return _serve(state, event.answer, verdict, event.at)


def _faulted(state: Calling, event: Faulted) -> Step:
    failed = _attempted(state, event.at, fault=event.fault, receipt=event.fault.receipt)
    return _go_on(failed, event.fault.kind.trigger, event.at, unanswered(event.fault))


def _broken(state: Streaming, event: Faulted) -> Step:
    route = _attempted(state, event.at, fault=event.fault, receipt=event.fault.receipt)
    refusal, _ = unanswered(event.fault)
    broken = evolve(route, trace=evolve(route.trace, refusal=refusal))
    return void(broken, Unbillable.STREAMING_PROVIDER_ERROR, event.at, Refused)


def _left(state: Reserving, event: Left) -> Step:
    return void(state.route, Unbillable.CLIENT_DISCONNECTED, event.at, Abandoned)


def _left_provider(state: Calling | Streaming, event: Left) -> Step:
    """Settle from the usage seen so far; without any, the caller owes nothing that we know."""
    route = _attempted(state, event.at, receipt=event.receipt, delivered=True)
    due, flags = price_receipt(route, event.receipt)
    route = _flagged(route, flags)
    if due is None:
        return void(route, Unbillable.CLIENT_DISCONNECTED, event.at, Abandoned)
    return capture(route, due, event.at, Abandoned)


def _settled(state: Settling, event: Ledgered | StorageFailed) -> Step:
    reply = state.reply
    if isinstance(event, StorageFailed) or isinstance(event.outcome, ledger.Rejected):
        flags = (*reply.trace.flags, Flag.SETTLEMENT_UNCONFIRMED)
        reply = evolve(reply, trace=evolve(reply.trace, flags=flags))
    return end(reply)


# --- the turns that several handlers take -------------------------------------------------
def _go_on(
    route: Route, trigger: Trigger | None, at: Instant, end: tuple[Refusal, Unbillable]
) -> Step:
    following = advance(route.plan, trigger, route.routed.resolved.stack.fallback)
    spent = at - route.request.received_at
    if isinstance(following, Exhausted) or spent >= route.arrival.time_limit_ms:
        refusal, unbillable = end
        ended = evolve(route, trace=evolve(route.trace, refusal=refusal))
        return void(ended, unbillable, at, Refused)
    return _call(evolve(route, plan=following), at)


def _serve(state: Calling | Streaming, answer: Answer, verdict: Verdict, at: Instant) -> Step:
    route = _attempted(state, at, verdict=verdict, receipt=answer.receipt, delivered=True)
    due, flags = price_receipt(route, answer.receipt)
    route = _flagged(route, flags)

    def served(trace: Trace) -> Reply:
        return Served(answer, trace)

    if due is None:
        return void(route, Unbillable.MISSING_PROVIDER_USAGE, at, served)
    return capture(route, due, at, served)


def _flagged(route: Route, flags: tuple[Flag, ...]) -> Route:
    if not flags:
        return route
    return evolve(route, trace=evolve(route.trace, flags=(*route.trace.flags, *flags)))


def _attempted(
    state: Calling | Streaming,
    at: Instant,
    *,
    fault: Fault | None = None,
    verdict: Verdict | None = None,
    receipt: Receipt = NO_RECEIPT,
    delivered: bool = False,
) -> Route:
    route = state.route
    attempt = Attempt(
        option=route.plan.head,
        started_at=state.since,
        ended_at=at,
        fault=fault,
        verdict=verdict,
        receipt=receipt,
        delivered=delivered,
    )
    # A request's verdict is that of the answer which was delivered.
    trace = evolve(
        route.trace,
        attempts=(*route.trace.attempts, attempt),
        verdict=verdict if delivered else None,
    )
    return evolve(route, trace=trace)


STORAGE_RETRY_S: Final = 5
STORAGE_UNAVAILABLE: Final = Refusal(
    code=Code.STORAGE_UNAVAILABLE,
    message="the gateway cannot reach its storage; no provider was called; try again shortly",
    retry_after_s=STORAGE_RETRY_S,
)
_REPEATED: Final = Refusal(
    code=Code.IDEMPOTENCY_CONFLICT,
    message="this request id was used before; send the request again without it",
)
_HOLDS_BACK: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})
"""Modes that verify a whole answer before its first content may reach the caller."""

Handler: TypeAlias = Callable[[Never, Never], Step]

TRANSITIONS: Final[Mapping[tuple[type[State], type[Event]], Handler]] = {
    (Loading, Loaded): _loaded,
    (Loading, NoCaller): _no_caller,
    (Loading, StorageFailed): _not_loaded,
    (Loading, Left): _left_loading,
    (Recording, Ledgered): _recorded,
    (Recording, StorageFailed): _recorded,
    (Recording, Left): _recorded,
    (Reserving, Ledgered): _reserved,
    (Reserving, StorageFailed): _not_reserved,
    (Reserving, Left): _left,
    (Calling, Opened): _opened,
    (Calling, Answered): _answered,
    (Calling, Faulted): _faulted,
    (Calling, Left): _left_provider,
    (Streaming, Answered): _streamed,
    (Streaming, Faulted): _broken,
    (Streaming, Left): _left_provider,
    (Settling, Ledgered): _settled,
    (Settling, StorageFailed): _settled,
}
