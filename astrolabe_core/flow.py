"""One request as a state machine: (state, event) -> (state, at most one command).

Read top to bottom: the handlers stand in the order in which a healthy request meets them.
`TRANSITIONS` is the whole truth about which event is legal where; what is absent is a bug.

What follows from an attempt stands in `attempts`, who pays for what in `settlement`.

Two promises can be read off the table. From `Streaming` no way leads back to `Calling`: once
content reached the caller, nothing falls back. And every way out of `Reserving` and of all that
comes after it leads through `Settling`: a hold that may exist is always ended.
"""

from collections.abc import Callable, Mapping
from typing import Final, Never, TypeAlias, assert_never, cast

from attrs import evolve

from astrolabe_core import ledger
from astrolabe_core.access import UNKNOWN_KEY, admit
from astrolabe_core.attempts import (
    answered,
    broken,
    call,
    faulted,
    inspected,
    opened,
    paused,
    reviewed,
    streamed,
    verified,
)
from astrolabe_core.codes import Code, Refusal, Unbillable
from astrolabe_core.endings import end, limits, record, void
from astrolabe_core.messages import (
    Abandoned,
    Answered,
    Arrival,
    Event,
    Faulted,
    Hold,
    Inspected,
    Ledgered,
    Left,
    Load,
    Loaded,
    LookedUp,
    NoCaller,
    Opened,
    Paused,
    Purpose,
    Refused,
    StorageFailed,
)
from astrolabe_core.quotas import rate_limit, rate_refusal, status_after
from astrolabe_core.requests import Malformed, Reading, Request
from astrolabe_core.routing import Routed, Unrouted, route
from astrolabe_core.settlement import (
    left_answer,
    left_consulting,
    left_early,
    left_provider,
    left_verifier,
    looked_up,
)
from astrolabe_core.states import (
    Calling,
    Consulting,
    IllegalEventError,
    Inspecting,
    Loading,
    Pausing,
    Recording,
    Reserving,
    Reviewing,
    Route,
    Settling,
    State,
    Step,
    Streaming,
    Verifying,
)
from astrolabe_core.trace import Flag, Trace


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
            return call(evolve(route, trace=trace), event.at)
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


def _settled(state: Settling, event: Ledgered | StorageFailed) -> Step:
    reply = state.reply
    if isinstance(event, StorageFailed) or isinstance(event.outcome, ledger.Rejected):
        flags = (*reply.trace.flags, Flag.SETTLEMENT_UNCONFIRMED)
        reply = evolve(reply, trace=evolve(reply.trace, flags=flags))
    return end(reply)


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
    (Reserving, Left): left_early,
    (Calling, Opened): opened,
    (Calling, Answered): answered,
    (Calling, Faulted): faulted,
    (Calling, Left): left_provider,
    (Inspecting, Inspected): inspected,
    (Inspecting, Left): left_answer,
    (Verifying, Answered): verified,
    (Verifying, Faulted): verified,
    (Verifying, Left): left_verifier,
    (Pausing, Paused): paused,
    (Pausing, Left): left_early,
    (Streaming, Answered): streamed,
    (Streaming, Faulted): broken,
    (Streaming, Left): left_provider,
    (Reviewing, Inspected): reviewed,
    (Reviewing, Left): left_answer,
    (Consulting, LookedUp): looked_up,
    (Consulting, Left): left_consulting,
    (Settling, Ledgered): _settled,
    (Settling, StorageFailed): _settled,
}
