"""One function decides: what is named, who governs, what it needs, who serves, what follows."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.catalog import Modality
from astrolabe_core.classify import classify
from astrolabe_core.codes import Code, Kind, Refusal
from astrolabe_core.decide import Decision, decide
from astrolabe_core.money import NanoUsd
from astrolabe_core.requests import Continuation, Role, StackRef, Turn
from astrolabe_core.routing import demand_of, find_pool, near, pose
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    CostMode,
    Fallback,
    FallbackMode,
    Memory,
    Objective,
    Primary,
    QualityTarget,
    Rule,
    RuleVerb,
    Verification,
    VerificationMode,
)
from astrolabe_core.units import Instant, ModelId, ProviderId, ResponseId, StackSlug, Tokens
from tests.core.market import (
    NOW,
    chosen,
    model,
    plan,
    price_list,
    profile,
    request,
    routed,
    snapshot,
    stack,
    unrouted,
)

PLAIN = "Translate this letter into French, please."
STAKES = "Wire 40,000 dollars to this supplier now"
ONE = model("acme/one")
TWO = model("bolt/two", price=price_list(output_nanos=900))
THREE = model("zen/three", price=price_list(output_nanos=1_900))


def world(**governing: Any) -> Any:
    return snapshot(ONE, TWO, THREE, governing=stack(**governing))


@pytest.mark.parametrize("name", ["auto", "astrolabe/auto"])
def test_a_virtual_model_stands_for_its_candidates(name: str) -> None:
    found = routed(request(wanted=name), world())
    assert found.decision.kind is Kind.SELECTED
    assert plan(request(wanted=name), world()) == ["acme/one", "bolt/two", "zen/three"]
    assert found.survey().rejected == ()


def test_a_serving_model_stands_for_itself() -> None:
    found = routed(request(wanted="zen/three"), world())
    assert (found.decision.kind, len(found.plan.options)) == (Kind.PINNED, 1)
    assert found.decision.selected.model == THREE


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("three", ("zen/three",)),
        ("other/thre", ("zen/three",)),
        ("zen/three-turbo", ("zen/three",)),
        ("nobody/knows", ()),
        ("zen/", ()),
    ],
)
def test_an_unknown_model_is_refused_with_what_is_near(name: str, known: tuple[str, ...]) -> None:
    refusal = unrouted(request(wanted=name), world()).refusal
    assert (refusal.code, refusal.param) == (Code.UNKNOWN_MODEL, "model")
    assert refusal.details["near"] == known


def test_at_most_three_names_are_near() -> None:
    found = near("e", world().catalog, world().virtual_models)
    assert found == ("acme/one", "zen/three")
    many = snapshot(*(model(f"acme/m{number}") for number in range(5)))
    assert len(near("m", many.catalog, many.virtual_models)) == 3


def test_an_unknown_model_comes_before_an_unknown_stack() -> None:
    lost = StackRef(slug=StackSlug("lost"))
    assert unrouted(request(wanted="x/y", stack=lost), world()).refusal.code is Code.UNKNOWN_MODEL
    found = unrouted(request(stack=lost), world())
    assert found.refusal.code is Code.ROUTING_STACK_NOT_FOUND
    assert (found.profile, found.resolved, found.blocked) == (None, None, None)


def test_what_is_posed_is_what_is_decided() -> None:
    asked = pose(request(), world())
    assert not isinstance(asked, Refusal)
    found = routed(request(), world())
    assert (asked.shortlist, asked.profile) == (found.shortlist, found.profile)
    assert asked.circumstances == found.circumstances


def test_the_stacks_caps_are_among_the_circumstances() -> None:
    governing = world(
        objective=Objective(cost_expected_max=NanoUsd(10**9)),
        budget=Budget(per_request_max_usd=NanoUsd(10**10)),
    )
    now = routed(request(), governing).circumstances
    assert (now.cost_expected_max, now.cost_request_max) == (10**9, 10**10)


# What follows a named model


def test_a_named_model_is_followed_by_the_stacks_list_where_the_stack_says_so() -> None:
    listed = Objective(priority=("zen/*", "acme/one", "gone/away"))
    fixed = Fallback(mode=FallbackMode.FIXED_ORDER)
    asked = request(wanted="bolt/two")
    assert plan(asked, world(objective=listed, fallback=fixed)) == [
        "bolt/two",
        "zen/three",
        "acme/one",
    ]
    assert plan(asked, world(objective=listed)) == ["bolt/two"]
    assert plan(asked, world(objective=listed, fallback=evolve(fixed, enabled=False))) == [
        "bolt/two"
    ]


def test_a_named_model_that_is_blocked_is_not_replaced() -> None:
    governing = world(
        boundaries=Boundaries(blocked_models=frozenset({"bolt/two"})),
        objective=Objective(priority=("zen/three",)),
        fallback=Fallback(mode=FallbackMode.FIXED_ORDER),
    )
    refusal = unrouted(request(wanted="bolt/two"), governing).refusal
    assert refusal.code is Code.ROUTING_POLICY_BLOCKED
    assert "admits none of 1 candidates" in refusal.message


def test_the_baseline_of_a_named_model_is_its_lanes_reference() -> None:
    lanes = snapshot(ONE, TWO, reference="bolt/two").virtual_models
    name = classify(request(wanted="acme/one")).classification.lane
    mine = evolve(lanes[0], id=ModelId(f"astrolabe/{name}"), lane=name)
    known = evolve(world(), virtual_models=(mine,))
    assert routed(request(wanted="acme/one"), known).shortlist.roster.pool.reference == "bolt/two"
    alone = evolve(world(), virtual_models=())
    assert routed(request(wanted="acme/one"), alone).shortlist.roster.pool.reference == "acme/one"


def test_reserves_serve_only_where_no_candidate_can() -> None:
    market = snapshot(TWO, ONE, reserves=("acme/one",))
    assert chosen(request(), market) == "bolt/two"
    closed = evolve(market, circuits_open={TWO.id: NOW})
    assert chosen(request(), closed) == "acme/one"


# What a stack makes of a class of requests


def test_a_demand_is_the_objective_read_for_this_kind_of_work() -> None:
    objective = Objective(
        primary=Primary.FIXED_PRIORITY,
        quality_target=QualityTarget.HIGH,
        priority=("zen/*",),
        rules=(Rule(verb=RuleVerb.USE, models=("acme/*",)),),
    )
    found = demand_of(profile(untrusted=True), stack(objective=objective))
    assert (found.category, found.untrusted) == ("coding", True)
    assert (found.terms.cost_mode, found.terms.quality_floor) == (CostMode.FIXED, 7_700)
    assert (found.priority, found.ruling) == (("zen/*",), None)
    ruled = demand_of(profile(), stack(objective=evolve(objective, primary=Primary.CUSTOM_RULES)))
    assert ruled.priority == ()
    assert ruled.ruling is not None
    assert ruled.ruling.position == 0


def test_an_escalation_is_priced_where_it_may_happen() -> None:
    rules = Fallback(mode=FallbackMode.ESCALATE_QUALITY)
    assert demand_of(profile(), stack(fallback=rules)).terms.escalates
    never = evolve(rules, never_escalate_categories=frozenset({"coding"}))
    assert not demand_of(profile(), stack(fallback=never)).terms.escalates
    assert demand_of(profile(), stack(fallback=evolve(rules, enabled=False))).attempts_max == 1


# What a refusal says


def test_a_block_names_everybody_and_the_smallest_change() -> None:
    refusal = unrouted(
        request(), world(boundaries=Boundaries(allowed_providers=frozenset({"nobody"})))
    ).refusal
    assert refusal.code is Code.ROUTING_POLICY_BLOCKED
    assert refusal.message == (
        "stack house-rules admits none of 3 candidates; to admit acme/one: "
        "stack: boundaries.allowedProviders: add acme"
    )
    assert set(refusal.details) == {"stack", "fingerprint", "rejected", "unblock"}


def test_a_block_that_no_rule_can_lift_says_so() -> None:
    shown = Turn(role=Role.USER, text="What is this?", images=1)
    blind = model("acme/blind", input_modalities=frozenset({Modality.TEXT}))
    found = unrouted(evolve(request(), turns=(shown,)), snapshot(blind))
    assert found.refusal.message.endswith(
        "no change of a rule would admit one: change the request or its model"
    )
    assert found.blocked is not None
    assert found.resolved is not None
    assert found.profile is not None


def test_where_a_circuit_alone_keeps_a_model_away_the_caller_is_asked_to_wait() -> None:
    governing = stack(boundaries=Boundaries(blocked_providers=frozenset({"bolt"})))
    shut = {ONE.id: Instant(NOW + 9_001), TWO.id: NOW, THREE.id: Instant(NOW + 2_500)}
    closed = evolve(snapshot(ONE, TWO, THREE, governing=governing), circuits_open=shut)
    found = unrouted(request(), closed)
    assert found.refusal.code is Code.OVERLOADED
    assert found.refusal.retry_after_s == 3
    assert found.refusal.message == (
        "stack house-rules admits acme/one, zen/three, but too many calls failed of late and none "
        "is made for now; try again in 3 s"
    )
    assert set(found.refusal.details) == {"stack", "fingerprint", "rejected"}
    assert found.blocked is not None
    assert found.circumstances is not None
    assert found.circumstances.circuits_open == shut


def test_a_circuit_beside_another_reason_is_no_matter_of_waiting() -> None:
    governing = stack(boundaries=Boundaries(blocked_providers=frozenset({"acme"})))
    closed = evolve(snapshot(ONE, governing=governing), circuits_open={ONE.id: NOW})
    assert unrouted(request(), closed).refusal.code is Code.ROUTING_POLICY_BLOCKED


def test_a_named_model_with_an_open_circuit_gives_way_to_nobody() -> None:
    rules = Fallback(mode=FallbackMode.FIXED_ORDER)
    governing = stack(objective=Objective(priority=("bolt/two",)), fallback=rules)
    closed = evolve(snapshot(ONE, TWO, governing=governing), circuits_open={ONE.id: NOW})
    found = unrouted(request(wanted="acme/one"), closed)
    assert (found.refusal.code, found.refusal.retry_after_s) == (Code.OVERLOADED, 1)


def test_circuits_outside_the_pool_are_no_part_of_a_decision() -> None:
    market = snapshot(ONE, TWO)
    stranger = evolve(market, circuits_open={THREE.id: NOW})
    assert routed(request(), stranger).decision == routed(request(), market).decision


def small(name: str, window: int = 10) -> Any:
    return model(name, context_window=Tokens(window))


def test_too_long_for_every_candidate_is_no_matter_of_policy() -> None:
    governing = stack(boundaries=Boundaries(blocked_models=frozenset({"acme/one"})))
    market = snapshot(small("acme/one", 12), small("bolt/two"), governing=governing)
    refusal = unrouted(request(), market).refusal
    assert refusal.code is Code.CONTEXT_LENGTH_EXCEEDED
    assert refusal.details["context_window"] == 12


def test_too_long_for_some_and_blocked_for_others_is_a_block() -> None:
    governing = stack(boundaries=Boundaries(blocked_models=frozenset({"acme/one"})))
    market = snapshot(ONE, small("bolt/two"), governing=governing)
    assert unrouted(request(), market).refusal.code is Code.ROUTING_POLICY_BLOCKED


def test_a_lane_of_models_that_are_gone_is_blocked() -> None:
    lanes = tuple(
        evolve(lane, candidates=(ModelId("gone/away"),)) for lane in world().virtual_models
    )
    found = unrouted(request(), evolve(world(), virtual_models=lanes))
    assert found.refusal.code is Code.ROUTING_POLICY_BLOCKED
    assert found.refusal.details["rejected"] == ()


# What goes on from before

KEEPS = Memory(raw_prompt_storage=True, raw_output_storage=True)
BEFORE = Continuation(id=ResponseId("resp_1"), found=True)
FROM_TWO = evolve(request(), pinned_provider=ProviderId("bolt"))


@pytest.mark.parametrize(
    ("memory", "found", "code"),
    [
        (Memory(), True, Code.UNSUPPORTED_PARAMETER),
        (Memory(), False, Code.UNSUPPORTED_PARAMETER),
        (KEEPS, False, Code.NOT_FOUND),
    ],
)
def test_a_continuation_needs_a_stack_that_keeps_and_a_conversation_that_is_there(
    memory: Memory, code: Code, *, found: bool
) -> None:
    asked = evolve(request(), continues=evolve(BEFORE, found=found))
    refused = unrouted(asked, world(memory=memory))
    assert (refused.refusal.code, refused.refusal.param) == (code, "previous_response_id")
    assert (refused.profile, refused.blocked) == (None, None)


def test_a_continuation_is_decided_like_the_conversation_sent_whole() -> None:
    governing = world(memory=KEEPS)
    gone_on = routed(evolve(request(), continues=BEFORE), governing)
    assert gone_on.decision == routed(request(), governing).decision


def test_an_unknown_stack_comes_before_a_conversation_that_is_not_there() -> None:
    lost = StackRef(slug=StackSlug("lost"))
    asked = evolve(request(stack=lost), continues=evolve(BEFORE, found=False))
    assert unrouted(asked, world()).refusal.code is Code.ROUTING_STACK_NOT_FOUND


def test_encrypted_reasoning_stays_with_its_provider_in_every_attempt() -> None:
    # litellm #29733, CLIProxyAPI #3189
    assert plan(request(), world()) == ["acme/one", "bolt/two", "zen/three"]
    assert plan(FROM_TWO, world()) == ["bolt/two"]
    table = routed(FROM_TWO, world()).survey()
    assert [(each.model, each.rejections[0].imposed_by) for each in table.rejected] == [
        ("acme/one", "continuation"),
        ("zen/three", "continuation"),
    ]
    listed = Objective(priority=("zen/*", "acme/one"))
    fixed = Fallback(mode=FallbackMode.FIXED_ORDER)
    named = evolve(request(wanted="bolt/two"), pinned_provider=ProviderId("bolt"))
    assert plan(named, world(objective=listed, fallback=fixed)) == ["bolt/two"]


def test_encrypted_reasoning_opens_nothing_that_is_closed() -> None:
    closed = Boundaries(blocked_providers=frozenset({"bolt"}))
    refused = unrouted(FROM_TWO, world(boundaries=closed)).refusal
    assert refused.code is Code.ROUTING_POLICY_BLOCKED
    assert refused.message == (
        "stack house-rules admits none of 3 candidates; to admit bolt/two: "
        "stack: boundaries.blockedProviders: remove bolt; "
        "the conversation holds encrypted reasoning, which stays with its provider"
    )
    rejected = {each["model"]: each["reasons"] for each in refused.details["rejected"]}  # type: ignore[union-attr,call-overload,index]
    assert rejected["acme/one"] == (
        {
            "code": "provider_not_allowed",
            "rule": "continuation.allowedProviders",
            "limit": "bolt",
            "actual": "acme",
            "imposed_by": "continuation",
            "remedy": None,
        },
    )


def test_a_provider_that_is_not_there_leaves_nobody() -> None:
    asked = evolve(request(), pinned_provider=ProviderId("forged"))
    refused = unrouted(asked, world()).refusal
    assert refused.code is Code.ROUTING_POLICY_BLOCKED
    assert "no change of a rule would admit one" in refused.message
    assert refused.message.endswith("which stays with its provider")


def test_whose_reasoning_it_is_moves_the_fingerprint() -> None:
    marks = {
        routed(evolve(request(), pinned_provider=provider), world()).decision.fingerprint
        for provider in (None, ProviderId("bolt"), ProviderId("zen"))
    }
    assert len(marks) == 3


# What is shipped


def test_the_shipped_world_decides_for_every_lane() -> None:
    shipped_world = shipped.snapshot()
    for lane in shipped_world.virtual_models:
        found = routed(request("Say hello.", wanted=lane.id), shipped_world)
        assert found.decision.selected.model.id in {*lane.candidates, *lane.fallback_candidates}
        assert find_pool(request(wanted=lane.id), shipped_world) == find_pool(
            request(wanted=lane.lane), shipped_world
        )


def test_verification_is_the_mode_in_force() -> None:
    found = routed(request(verification=VerificationMode.STRONG), world())
    assert found.verification is VerificationMode.STRONG


# What a verifier costs


@pytest.mark.parametrize(
    ("verification", "text", "stream", "counted"),
    [
        (Verification(mode=VerificationMode.AUTO), PLAIN, False, False),
        (Verification(mode=VerificationMode.AUTO), STAKES, False, True),
        (Verification(mode=VerificationMode.AUTO), STAKES, True, False),
        (Verification(mode=VerificationMode.LIGHT), STAKES, False, False),
        (Verification(mode=VerificationMode.STRICT), PLAIN, True, True),
        (Verification(mode=VerificationMode.STRONG), PLAIN, False, True),
        (
            Verification(mode=VerificationMode.STRICT, high_stakes_mode=VerificationMode.OFF),
            STAKES,
            False,
            False,
        ),
    ],
)
def test_a_verifier_is_counted_where_it_is_certain(
    verification: Verification, text: str, stream: bool, counted: bool
) -> None:
    asked = evolve(request(text), stream=stream)
    found = routed(asked, world(verification=verification))
    free = routed(asked, world(verification=Verification(mode=VerificationMode.OFF)))
    assert (found.circumstances.verifier_cost > 0) is counted
    assert found.plan == free.plan
    added = found.decision.estimate.expected_cost - free.decision.estimate.expected_cost
    assert added == found.circumstances.verifier_cost


def test_a_ceiling_between_the_call_and_its_verdict_admits_nobody() -> None:
    strict = Verification(mode=VerificationMode.STRICT)
    cost = routed(request(PLAIN), world(verification=strict)).decision.estimate.expected_cost
    for most, admitted in ((cost - 1, False), (cost, True)):
        ceiling = Objective(cost_expected_max=NanoUsd(most))
        asked = pose(request(PLAIN), world(verification=strict, objective=ceiling))
        assert not isinstance(asked, Refusal)
        judged = decide(asked.shortlist, asked.profile, asked.circumstances)
        assert isinstance(judged, Decision) is admitted


def test_a_verifier_is_priced_among_those_whom_the_boundaries_admit() -> None:
    strict = Verification(mode=VerificationMode.STRICT)
    free = routed(request(PLAIN), world(verification=strict))
    only = Boundaries(allowed_providers=frozenset({"zen"}))
    bound = routed(request(PLAIN), world(verification=strict, boundaries=only))
    assert bound.circumstances.verifier_cost > free.circumstances.verifier_cost


def test_a_verifier_is_priced_whatever_circuits_are_open() -> None:
    """A trace stores the circuits of its pool alone, and is decided again from those."""
    strict = Verification(mode=VerificationMode.STRICT)
    judge = model("judge/cheap", price=price_list(output_nanos=1))
    market = world(verification=strict)
    market = evolve(market, catalog=snapshot(ONE, TWO, THREE, judge).catalog)
    shut = evolve(market, circuits_open={judge.id: NOW})
    calm, stormy = routed(request(PLAIN), market), routed(request(PLAIN), shut)
    assert calm.circumstances == stormy.circumstances
    assert calm.decision.fingerprint == stormy.decision.fingerprint
