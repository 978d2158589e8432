"""What a trace tells, and that it tells nothing it should not."""

import json

import pytest
from attrs import evolve

from astrolabe_core.answers import Fault, FaultKind, Receipt
from astrolabe_core.codes import Kind, PolicyStatus, Unbillable
from astrolabe_core.fallback import Cause
from astrolabe_core.flow import step
from astrolabe_core.messages import Answered, CallModel, Faulted, Ledgered, Paused, Settle
from astrolabe_core.money import NanoUsd
from astrolabe_core.rendering import render, render_text
from astrolabe_core.requests import Continuation, Overrides, Reading, ask
from astrolabe_core.states import Done, Reserving, Step
from astrolabe_core.trace import Trace, usage_record
from astrolabe_core.units import Instant, Millis, ProviderId, RequestId, ResponseId
from tests.core.test_flow import calling, carry, load
from tests.flow.world import NOW, USAGE, answer, arrival, books, request, snapshot


def served() -> tuple[Trace, Step]:
    """A request that fell back once and was then served."""
    rows = books()
    now = calling(rows=rows)
    failed = Fault(
        kind=FaultKind.RATE_LIMITED,
        message="the provider is busy",
        status=429,
        receipt=Receipt(cost=NanoUsd(0)),
    )
    now = step(now.state, Faulted(failed, Instant(NOW + 100)))
    now = step(now.state, Paused(Instant(NOW + 200)))
    paid = evolve(
        answer(),
        receipt=Receipt(usage=USAGE, cost=NanoUsd(77), generation="gen-1", host="a-host"),
    )
    now = carry(step(now.state, Answered(paid, Instant(NOW + 900))), rows)
    assert isinstance(now.state, Done)
    return now.state.reply.trace, now


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.FIRST, Kind.SELECTED),
        (Cause.FALLBACK, Kind.FALLBACK),
        (Cause.CORRECTION, Kind.RECOVERED),
        (Cause.RECOVERY, Kind.RECOVERED),
        (Cause.ESCALATION, Kind.ESCALATED),
    ],
)
def test_a_stream_is_told_what_kind_its_decision_is_before_it_is_delivered(
    cause: Cause, kind: Kind
) -> None:
    trace, _ = served()
    under_way = evolve(trace, attempts=(), cause=cause)
    assert under_way.kind_under_way is kind
    assert under_way.kind is Kind.SELECTED
    assert Trace(arrival=request(), cause=cause).kind_under_way is None


def test_a_new_trace_knows_nothing_yet() -> None:
    """`None` is not yet."""
    shown = render(Trace(arrival=request()))
    assert shown["request_id"] == "req_local"
    assert shown["stack"] is shown["classification"] is shown["decision"] is None
    assert shown["policy_status"] == "not_evaluated"
    assert shown["timing"] == {"received_at": NOW, "first_token_ms": None, "total_ms": None}


def test_a_trace_tells_the_story_of_a_request() -> None:
    """The contract's fields, all of them."""
    trace, _ = served()
    shown = json.loads(render_text(trace))
    assert shown["stack"]["slug"] == "default-optimizer"
    assert shown["stack"]["resolved_by"] == "default"
    assert set(shown["classification"]) >= {
        "category",
        "action_class",
        "complexity",
        "modifiers",
        "lane",
        "confidence",
    }
    assert shown["decision"]["kind"] == "fallback"
    assert shown["decision"]["fingerprint"]
    named = [c["model"] for c in shown["decision"]["accepted"]]
    named += [c["model"] for c in shown["decision"]["rejected"]]
    assert sorted(named) == [model.id for model in snapshot().catalog.models]
    assert [a["outcome"] for a in shown["attempts"]] == ["rate_limited", "answered"]
    assert shown["attempts"][1]["generation"] == "gen-1"
    assert shown["attempts"][1]["provider_cost_usd"] == "0.000000077"
    assert shown["ledger"]["debit_usd"] != "0"
    assert shown["ledger"]["unbillable_reason"] is None
    assert shown["ledger"]["usage"]["input_tokens"] == 120
    assert shown["timing"]["total_ms"] == 900
    assert shown["verification"]["status"] == "passed"


def test_the_stored_text_is_the_shown_trace() -> None:
    """The table is written by a shorter way, and says the same."""
    trace, _ = served()
    stored = json.loads(render_text(trace))
    assert stored == json.loads(json.dumps(render(trace)))
    missing = evolve(trace, attempts=())
    assert json.loads(render_text(missing)) == json.loads(json.dumps(render(missing)))


def test_the_stored_text_names_what_candidates_miss() -> None:
    """Misses are written as words."""
    hurried = request(overrides=Overrides(latency_slo_ms=Millis(1)))
    now = load(arrival(hurried))
    assert isinstance(now.state, Reserving)
    trace = now.state.route.trace
    stored = json.loads(render_text(trace))
    assert stored == json.loads(json.dumps(render(trace)))
    assert stored["decision"]["accepted"][0]["misses"] == ["over_latency_slo"]


def test_a_trace_without_explanation_leaves_the_table_out() -> None:
    """Inline metadata is short unless asked."""
    trace, _ = served()
    decision = render(trace, explain=False)["decision"]
    assert isinstance(decision, dict)
    assert "accepted" not in decision
    assert "selected" in decision


def test_no_prompt_and_no_answer_is_in_a_trace() -> None:
    """litellm #18731: keys and prompts echoed."""
    trace, _ = served()
    text = render_text(trace) + repr(trace)
    assert "tides" not in text
    assert "By the moon" not in text


def test_provider_cost_is_summed_over_attempts_that_said_one() -> None:
    """And is unknown where none did."""
    trace, _ = served()
    assert trace.provider_cost == 77
    assert Trace(arrival=request()).provider_cost is None


def test_a_usage_row_prices_the_baseline_on_the_same_usage() -> None:
    """Savings compare like with like, and may be negative."""
    trace, _ = served()
    row = usage_record(trace, request(), snapshot().caller, Instant(NOW + 900))
    assert row.kind is Kind.FALLBACK
    assert row.baseline is not None
    reference = snapshot().catalog.model("openai/gpt-5.4")
    assert reference is not None
    prices = reference.retail_price.base
    assert prices.input is not None
    assert prices.output is not None
    assert row.baseline == (120 * prices.input + 40 * prices.output) // 10**9
    assert row.savings == row.baseline - row.debit


def test_a_usage_row_without_usage_keeps_the_estimate() -> None:
    """Nothing was reported: the expectation is all there is."""
    now = load(arrival())
    trace = now.state.route.trace  # type: ignore[union-attr]
    row = usage_record(trace, request(), snapshot().caller, NOW)
    assert trace.routed is not None
    assert trace.routed.decision.baseline is not None
    assert row.baseline == trace.routed.decision.baseline.cost
    assert row.served is None


def test_a_blocked_trace_shows_every_candidate_and_the_way_out() -> None:
    """The decision of a 409."""
    from astrolabe_core.flow import begin
    from astrolabe_core.messages import Loaded
    from astrolabe_core.stacks import Boundaries

    world = snapshot()
    sealed = Boundaries(allowed_providers=frozenset({"openai"}))
    key = evolve(world.caller.key, envelope=sealed)
    world = evolve(world, caller=evolve(world.caller, key=key))
    asked = evolve(ask("hello", model="z-ai/glm-5.1"), received_at=NOW)
    now = step(begin(arrival(asked)).state, Loaded(world))
    trace = now.state.reply.trace  # type: ignore[union-attr]
    shown = render(trace)
    assert trace.policy_status is PolicyStatus.BLOCKED
    decision = shown["decision"]
    assert isinstance(decision, dict)
    assert decision["kind"] == "blocked"
    assert decision["unblock"] == (
        {
            "model": "z-ai/glm-5.1",
            "changes": ("key: envelope.allowedProviders: add z-ai",),
        },
    )
    assert shown["refusal"] is not None


def test_a_trace_says_what_was_gone_on_from_and_who_alone_can_read_it() -> None:
    """What a replay needs beside the turns."""
    plain = request()
    before = Continuation(id=ResponseId("resp_1"), found=True)
    pinned = evolve(plain, pinned_provider=ProviderId("openai"))
    for asked, shown in (
        (plain, None),
        (evolve(plain, continues=before), ("resp_1", None)),
        (pinned, (None, "openai")),
        (evolve(pinned, continues=before), ("resp_1", "openai")),
    ):
        told = render(Trace(arrival=asked))["continuation"]
        expected = shown and {"previous_response_id": shown[0], "provider": shown[1]}
        assert told == expected
    unread = Reading(id=RequestId("req_1"), received_at=NOW)
    assert render(Trace(arrival=unread))["continuation"] is None


def test_an_unbillable_end_names_its_reason() -> None:
    """Recorded, never debited."""
    rows = books()
    now = calling(rows=rows)
    assert isinstance(now.command, CallModel)
    now = step(now.state, Answered(answer(None), NOW))
    assert isinstance(now.command, Settle)
    now = step(now.state, Ledgered(rows.carry_out(now.command.command), NOW))
    assert isinstance(now.state, Done)
    trace = now.state.reply.trace
    assert trace.unbillable is Unbillable.MISSING_PROVIDER_USAGE
    assert rows.endings[0].billable is False
