"""The path of one request: what is legal where, and which refusal comes first."""

import pytest
from attrs import evolve

from astrolabe_core import ledger
from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.answers import Answer, FaultKind, Finish, Receipt
from astrolabe_core.codes import Code, Kind, PolicyStatus, Refusal, Unbillable
from astrolabe_core.flow import TRANSITIONS, begin, step
from astrolabe_core.messages import (
    Answered,
    Arrival,
    CallModel,
    Faulted,
    Hold,
    Ledgered,
    Loaded,
    Opened,
    Pause,
    Paused,
    Previewed,
    Purpose,
    Record,
    Refused,
    Relay,
    Served,
    Settle,
)
from astrolabe_core.money import ZERO, NanoUsd, usd
from astrolabe_core.requests import Malformed, OutputFormat, Overrides, StackRef
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Boundaries, Budget, DataRule, VerificationMode
from astrolabe_core.states import (
    Calling,
    Done,
    IllegalEventError,
    Recording,
    Reserving,
    Settling,
    Step,
    Streaming,
)
from astrolabe_core.trace import Flag
from astrolabe_core.units import Instant, RequestId, StackSlug, Tokens
from astrolabe_core.usage import Usage
from tests.flow.world import (
    NOW,
    USAGE,
    Books,
    answer,
    arrival,
    books,
    fault,
    request,
    seen,
    snapshot,
)


def load(begun: Arrival, world: Snapshot | None = None) -> Step:
    """Begin a request and give it its snapshot."""
    return step(begin(begun).state, Loaded(world or snapshot()))


def carry(now: Step, rows: Books, at: Instant = NOW) -> Step:
    """Carry out the ledger command that a step waits for."""
    assert isinstance(now.command, Hold | Settle | Record)
    return step(now.state, Ledgered(rows.carry_out(now.command.command), at))


def calling(begun: Arrival | None = None, rows: Books | None = None) -> Step:
    """Bring a request to its first provider call."""
    now = carry(load(begun or arrival()), rows or books())
    assert isinstance(now.state, Calling)
    return now


def refusal(now: Step) -> Refusal:
    """Give the refusal that a step is about to end with, or ended with."""
    assert isinstance(now.state, Done | Recording | Settling)
    found = now.state.reply.trace.refusal
    assert found is not None
    return found


def test_an_event_that_the_table_does_not_list_is_an_error() -> None:
    """The table is the whole truth."""
    with pytest.raises(IllegalEventError, match="Opened cannot happen in Loading"):
        step(begin(arrival()).state, Opened(object(), NOW))


def test_streaming_has_no_way_back_to_calling() -> None:
    """Once content reached the caller nothing falls back."""
    now = calling(arrival(request(stream=True)))
    streaming = step(now.state, Opened("stream", NOW))
    assert isinstance(streaming.state, Streaming)
    broken = step(streaming.state, Faulted(fault(), NOW))
    assert isinstance(broken.state, Settling)
    assert isinstance(broken.command, Settle)
    assert isinstance(broken.command.command, ledger.Void)
    assert broken.command.command.reason is Unbillable.STREAMING_PROVIDER_ERROR


def test_every_transition_out_of_a_state_that_may_hold_money_settles_or_goes_on() -> None:
    """`Done` is reached only from states in which no hold can be open."""
    holding = {"Reserving", "Calling", "Inspecting", "Verifying", "Pausing"}
    holding |= {"Streaming", "Reviewing", "Consulting"}
    assert {state.__name__ for state, _ in TRANSITIONS} - holding == {
        "Loading",
        "Recording",
        "Settling",
    }


def test_a_revoked_key_is_told_the_same_as_an_unknown_one_and_is_not_counted() -> None:
    """401 before anything else, without a trace of whose key it was."""
    key = snapshot().caller.key
    now = load(arrival(), seen(key=evolve(key, status=KeyStatus.REVOKED)))
    assert isinstance(now.state, Done)
    assert now.command is None
    assert refusal(now).code is Code.UNAUTHORIZED
    assert now.state.reply.trace.caller is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (WorkspaceStatus.PENDING, Code.WORKSPACE_PENDING),
        (WorkspaceStatus.SUSPENDED, Code.WORKSPACE_SUSPENDED),
    ],
)
def test_a_workspace_that_is_not_active_is_refused_before_the_rate_limit(
    status: WorkspaceStatus, code: Code
) -> None:
    """403 → 429."""
    caller = snapshot().caller
    world = seen(
        workspace=evolve(caller.workspace, status=status), requests_used=caller.key.rate_limit
    )
    assert refusal(load(arrival(), world)).code is code


def test_a_full_minute_is_refused_before_a_body_that_cannot_be_read() -> None:
    """429 → 400, and a full minute writes nothing."""
    bad = Malformed(
        id=RequestId("req_1"),
        received_at=NOW,
        refusal=Refusal(code=Code.INVALID_REQUEST, message="no"),
    )
    full = seen(requests_used=snapshot().caller.key.rate_limit)
    now = load(arrival(bad), full)
    assert refusal(now).code is Code.RATE_LIMITED
    assert now.command is None
    assert isinstance(now.state, Done)
    assert now.state.reply.trace.rate is not None
    assert now.state.reply.trace.rate.remaining == 0


def test_a_body_that_cannot_be_read_is_counted_and_refused() -> None:
    """400 → a count, without usage row: nothing was asked for."""
    bad = Malformed(
        id=RequestId("req_1"),
        received_at=NOW,
        refusal=Refusal(code=Code.INVALID_REQUEST, message="no"),
    )
    now = load(arrival(bad))
    assert isinstance(now.command, Record)
    assert now.command.command.ending is None
    assert refusal(now).code is Code.INVALID_REQUEST


def test_an_unknown_model_comes_before_an_unknown_stack() -> None:
    """404 model → 404 stack."""
    lost = Overrides(stack=StackRef(slug=StackSlug("nowhere")))
    both = evolve(request(overrides=lost), model="nobody/nothing")
    assert refusal(load(arrival(both))).code is Code.UNKNOWN_MODEL
    one = request(overrides=lost)
    assert refusal(load(arrival(one))).code is Code.ROUTING_STACK_NOT_FOUND


def test_policy_blocks_before_money_is_asked_for() -> None:
    """409 → 402: an empty wallet learns of the policy first."""
    world = snapshot()
    sealed = Boundaries(allowed_models=frozenset())
    caller = evolve(world.caller, key=evolve(world.caller.key, envelope=sealed))
    now = load(arrival(), evolve(world, caller=caller))
    assert refusal(now).code is Code.ROUTING_POLICY_BLOCKED
    assert isinstance(now.state, Recording)
    assert now.state.reply.trace.policy_status is PolicyStatus.BLOCKED
    assert now.state.reply.trace.kind is Kind.BLOCKED


def test_an_empty_wallet_is_refused_without_a_provider_call() -> None:
    """402, counted and traced."""
    rows = books(ZERO)
    now = carry(load(arrival()), rows)
    assert refusal(now).code is Code.PAYMENT_REQUIRED
    carry(now, rows)
    assert [ending.refusal for ending in rows.endings] == [Code.PAYMENT_REQUIRED]


def test_a_minute_that_filled_since_the_snapshot_is_refused_without_a_row() -> None:
    """The reservation judges the rate again, exactly."""
    rows = books()
    begun = load(arrival(), seen(key=evolve(snapshot().caller.key, rate_limit=1)))
    assert isinstance(begun.command, Hold)
    rows.carry_out(
        ledger.Count(workspace=rows.wallet.workspace, rate=begun.command.command.rate, at=NOW)
    )
    now = carry(begun, rows)
    assert isinstance(now.state, Done)
    assert refusal(now).code is Code.RATE_LIMITED


def test_a_request_id_that_was_used_before_is_a_conflict() -> None:
    """The identity of the hold is the request's: nothing is called twice."""
    rows = books()
    calling(rows=rows)
    twice = evolve(request(), output_tokens_max=Tokens(65))
    now = carry(load(arrival(twice)), rows)
    assert refusal(now).code is Code.IDEMPOTENCY_CONFLICT


def test_a_reservation_replayed_after_its_hold_ended_calls_nobody() -> None:
    """A command that was delivered twice, late: the request is over."""
    rows = books()
    now = calling(rows=rows)
    carry(step(now.state, Answered(answer(), NOW)), rows)
    again = carry(load(arrival()), rows)
    assert isinstance(again.state, Recording)
    assert refusal(again).code is Code.IDEMPOTENCY_CONFLICT


def test_budgets_of_stack_key_and_workspace_all_limit_one_reservation() -> None:
    """One atomic step judges them all."""
    world = snapshot()
    budget = Budget(daily_usd=usd("1"), monthly_usd=usd("10"))
    caller = evolve(
        world.caller,
        key=evolve(world.caller.key, budget=budget),
        workspace=evolve(world.caller.workspace, budget=budget),
    )
    now = load(arrival(), evolve(world, caller=caller))
    assert isinstance(now.command, Hold)
    limits = now.command.command.limits
    assert [(limit.counter.scope.value, limit.counter.window.value) for limit in limits] == [
        ("key", "day"),
        ("key", "month"),
        ("workspace", "day"),
        ("workspace", "month"),
    ]


def test_the_cap_that_was_priced_is_the_cap_that_is_sent() -> None:
    """And the time that is left is the whole request's."""
    now = carry(load(arrival()), books(), Instant(NOW + 1_000))
    assert isinstance(now.command, CallModel)
    assert now.command.output_tokens_max == 64
    assert now.command.time_left_ms == 59_000
    assert not now.command.relayed


@pytest.mark.parametrize(
    ("mode", "relayed"),
    [
        (VerificationMode.OFF, True),
        (VerificationMode.LIGHT, True),
        (VerificationMode.AUTO, True),
        (VerificationMode.STRICT, False),
        (VerificationMode.STRONG, False),
    ],
)
def test_strict_modes_hold_a_stream_back_until_it_is_verified(
    mode: VerificationMode, *, relayed: bool
) -> None:
    """off, light and auto relay at once."""
    asked = request(stream=True, overrides=Overrides(verification=mode))
    now = calling(arrival(asked))
    assert isinstance(now.command, CallModel)
    assert now.command.relayed is relayed


def test_a_fault_moves_on_to_the_next_of_the_plan_and_the_trace_tells_both() -> None:
    """One attempt failed, one answered; only the answer is billed."""
    rows = books()
    first = calling(rows=rows)
    assert isinstance(first.command, CallModel)
    waiting = step(first.state, Faulted(fault(), NOW))
    assert isinstance(waiting.command, Pause)
    second = step(waiting.state, Paused(NOW))
    assert isinstance(second.command, CallModel)
    assert second.command.model.id != first.command.model.id
    settled = carry(step(second.state, Answered(answer(), NOW)), rows)
    assert isinstance(settled.state, Done)
    reply = settled.state.reply
    assert isinstance(reply, Served)
    assert [attempt.delivered for attempt in reply.trace.attempts] == [False, True]
    assert reply.trace.kind is Kind.FALLBACK
    assert rows.endings[0].attempts == 2
    assert rows.endings[0].served == second.command.model.id
    assert rows.endings[0].selected == first.command.model.id


def test_our_own_fault_at_the_provider_is_not_tried_elsewhere() -> None:
    """Upstream 401 and 402 never become the customer's fault."""
    now = step(calling().state, Faulted(fault(FaultKind.AUTH), NOW))
    assert isinstance(now.state, Settling)
    assert refusal(now).code is Code.PROVIDER_AUTH_ERROR


def test_a_request_whose_time_is_up_tries_nothing_further() -> None:
    """One total deadline over all attempts."""
    now = step(calling().state, Faulted(fault(FaultKind.TIMEOUT), Instant(NOW + 60_000)))
    assert isinstance(now.state, Settling)
    assert refusal(now).code is Code.PROVIDER_TIMEOUT


def test_json_that_does_not_parse_ends_in_502_when_nobody_does_better() -> None:
    """Every candidate is tried; then the hold is voided with the reason."""
    asked = evolve(request(), output_format=OutputFormat.JSON_OBJECT)
    now = calling(arrival(asked))
    while isinstance(now.state, Calling):
        now = step(now.state, Answered(answer(text="not json"), NOW))
    assert refusal(now).code is Code.STRUCTURED_OUTPUT_INVALID
    assert isinstance(now.command, Settle)
    assert isinstance(now.command.command, ledger.Void)
    assert now.command.command.reason is Unbillable.STRUCTURED_OUTPUT_INVALID


def test_an_unfinished_answer_ends_as_a_provider_error() -> None:
    """Cut short is never made to look whole."""
    now = calling()
    while isinstance(now.state, Calling):
        cut = Answer(finish=Finish.UNKNOWN, texts=("half",), receipt=Receipt(usage=USAGE))
        now = step(now.state, Answered(cut, NOW))
    assert refusal(now).code is Code.PROVIDER_ERROR


def test_a_stream_that_went_out_is_billed_whatever_its_verdict() -> None:
    """Nothing can be taken back: the verdict is reported."""
    rows = books()
    now = calling(arrival(request(stream=True)), rows)
    now = step(now.state, Opened("stream", NOW))
    assert isinstance(now.command, Relay)
    assert now.command.trace.first_token_at == NOW
    done = carry(step(now.state, Answered(answer(text=" "), NOW)), rows)
    assert isinstance(done.state, Done)
    assert isinstance(done.state.reply, Served)
    assert done.state.reply.trace.verdict is not None
    assert done.state.reply.trace.verdict.findings
    assert rows.debited > 0


def test_a_provider_that_reports_no_cost_for_a_priced_model_is_flagged_and_charged() -> None:
    """litellm #37923: 830 EUR invoiced, 1.47 recorded."""
    rows = books()
    free = evolve(answer(), receipt=Receipt(usage=USAGE, cost=ZERO))
    now = carry(step(calling(rows=rows).state, Answered(free, NOW)), rows)
    assert isinstance(now.state, Done)
    assert now.state.reply.trace.flags == (Flag.PROVIDER_REPORTED_ZERO_COST,)
    assert rows.debited > 0


def test_an_answer_with_a_usage_of_nothing_is_delivered_and_told_as_missing_usage() -> None:
    """litellm #35525: a count of zero is no count; the hold is voided for a reason, and flagged."""
    rows = books()
    nothing = Usage(input_tokens=Tokens(0), output_tokens=Tokens(0))
    now = carry(step(calling(rows=rows).state, Answered(answer(nothing), NOW)), rows)
    assert isinstance(now.state, Done)
    assert isinstance(now.state.reply, Served)
    assert now.state.reply.trace.unbillable is Unbillable.MISSING_PROVIDER_USAGE
    assert now.state.reply.trace.flags == (Flag.PROVIDER_REPORTED_ZERO_USAGE,)
    assert rows.debited == 0


def test_a_charge_above_the_hold_is_flagged_and_charged_whole() -> None:
    """routstr #682: work done is always recorded."""
    rows = books()
    huge = Usage(input_tokens=Tokens(120), output_tokens=Tokens(1_000_000))
    now = carry(step(calling(rows=rows).state, Answered(answer(huge), NOW)), rows)
    assert isinstance(now.state, Done)
    assert Flag.CHARGE_ABOVE_HOLD in now.state.reply.trace.flags
    assert rows.debited == now.state.reply.trace.debit > now.state.reply.trace.hold


def test_a_settlement_that_could_not_be_carried_out_is_flagged() -> None:
    """The answer is delivered all the same."""
    rows = books()
    now = step(calling(rows=rows).state, Answered(answer(), NOW))
    gone = ledger.Rejected(ledger.Conflict.UNKNOWN_HOLD)
    done = step(now.state, Ledgered(gone, NOW))
    assert isinstance(done.state, Done)
    assert isinstance(done.state.reply, Served)
    assert done.state.reply.trace.flags == (Flag.SETTLEMENT_UNCONFIRMED,)


def test_a_preview_decides_and_asks_for_nothing_more() -> None:
    """The same function as the live path, without hold or call."""
    live = load(arrival())
    assert isinstance(live.state, Reserving)
    dry = load(arrival(purpose=Purpose.PREVIEW))
    assert isinstance(dry.state, Recording)
    assert isinstance(dry.state.reply, Previewed)
    shown = dry.state.reply.trace.routed
    assert shown is not None
    assert shown.decision.fingerprint == live.state.route.routed.decision.fingerprint


def test_a_preview_of_a_blocked_request_shows_the_blocked_decision() -> None:
    """Accepted and rejected name every candidate in a dry run too."""
    world = snapshot()
    sealed = Boundaries(data_policy=DataRule.NO_TRAINING, allowed_providers=frozenset({"x"}))
    caller = evolve(world.caller, workspace=evolve(world.caller.workspace, envelope=sealed))
    now = load(arrival(purpose=Purpose.PREVIEW), evolve(world, caller=caller))
    assert isinstance(now.state, Recording)
    assert isinstance(now.state.reply, Previewed)
    assert now.state.reply.trace.kind is Kind.BLOCKED


def test_a_stack_that_keeps_no_traces_keeps_none() -> None:
    """observability.traceStorage."""
    rows = books()
    now = calling(rows=rows)
    assert isinstance(now.state, Calling)
    route = now.state.route
    stack = route.routed.resolved.stack
    quiet = evolve(stack, observability=evolve(stack.observability, trace_storage=False))
    resolved = evolve(route.routed.resolved, stack=quiet)
    routed = evolve(route.routed, resolved=resolved)
    hushed = evolve(
        now.state, route=evolve(route, routed=routed, trace=evolve(route.trace, routing=routed))
    )
    carry(step(hushed, Answered(answer(), NOW)), rows)
    assert rows.traces == []
    assert len(rows.endings) == 1


def test_the_debit_is_the_exact_price_of_the_reported_usage() -> None:
    """Tokens times prices, rounded once."""
    rows = books()
    now = calling(rows=rows)
    assert isinstance(now.command, CallModel)
    prices = now.command.model.retail_price.base
    assert prices.input is not None
    assert prices.output is not None
    exact = 120 * prices.input + 40 * prices.output
    carry(step(now.state, Answered(answer(), NOW)), rows)
    assert rows.debited == NanoUsd(exact // 10**9)
    assert exact % 10**9 == 0


def test_refused_previews_are_refused_like_live_requests() -> None:
    """An unknown model is a 404 in a dry run too."""
    now = load(arrival(evolve(request(), model="nobody/x"), Purpose.PREVIEW))
    assert isinstance(now.state, Recording)
    assert isinstance(now.state.reply, Refused)
