"""A case with one thing changed is the same case in everything else."""

from __future__ import annotations

from attrs import evolve

from astrolabe_core.money import NanoUsd
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.stacks import (
    Boundaries,
    Objective,
    StackVersion,
    Verification,
    VerificationMode,
)
from astrolabe_core.testing.cases import (
    Case,
    admitted,
    own_stack,
    publish,
    survey_of,
    told,
    verified,
    verifier_cost,
    with_envelope,
    with_lane,
    with_model,
    with_stack,
    without_candidate,
)
from astrolabe_core.units import StackSlug, Tokens
from tests.core.market import SLUG, model, request, snapshot, stack

ONE, TWO = model("acme/one"), model("bolt/two")
CASE = Case(request=request(), snapshot=snapshot(ONE, TWO))
LOST = Overrides(stack=StackRef(slug=StackSlug("lost")))
REFUSED = evolve(CASE, request=evolve(CASE.request, overrides=LOST))
NOBODY = Boundaries(allowed_models=frozenset())


def test_a_case_that_is_refused_poses_no_question_and_admits_nobody() -> None:
    assert (REFUSED.question(), REFUSED.resolved()) == (None, None)
    assert admitted(REFUSED) == frozenset()
    assert own_stack(REFUSED) is None


def test_who_is_admitted_is_who_is_accepted() -> None:
    asked = CASE.question()
    assert asked is not None
    assert {score.model.id for score in survey_of(asked).accepted} == admitted(CASE)
    assert admitted(CASE) == {"acme/one", "bolt/two"}


def test_a_managed_stack_is_not_the_workspaces_own() -> None:
    managed = Overrides(stack=StackRef(slug=StackSlug("fast")))
    assert own_stack(CASE) == stack()
    assert own_stack(evolve(CASE, request=evolve(CASE.request, overrides=managed))) is None


def test_a_stack_takes_the_place_of_its_last_state() -> None:
    changed = with_stack(CASE, stack(boundaries=NOBODY))
    (version,) = changed.snapshot.caller.stacks
    assert isinstance(version, StackVersion)
    assert version == publish(stack(boundaries=NOBODY))
    assert version.stack.slug == SLUG
    assert admitted(changed) == frozenset()


def test_an_envelope_is_the_keys_or_the_workspaces() -> None:
    for on_key in (True, False):
        closed = with_envelope(CASE, NOBODY, on_key=on_key)
        assert admitted(closed) == frozenset()
        assert with_envelope(closed, None, on_key=on_key) == CASE


def test_a_model_and_a_lane_are_changed_in_place() -> None:
    narrow = with_model(CASE, evolve(ONE, context_window=Tokens(1)))
    assert admitted(narrow) == {"bolt/two"}
    alone = with_lane(CASE, lambda lane: evolve(lane, candidates=(ONE.id,)))
    assert admitted(alone) == {"acme/one"}
    assert admitted(without_candidate(CASE, TWO.id)) == {"acme/one"}
    pinned = evolve(CASE, request=request(wanted="acme/one"))
    assert with_lane(pinned, lambda lane: evolve(lane, candidates=())) == pinned


def test_a_case_may_be_verified_at_the_cost_of_another() -> None:
    strict = Verification(mode=VerificationMode.STRICT)
    assert verifier_cost(verified(CASE, VerificationMode.STRICT)) > 0
    asked = with_stack(CASE, stack(verification=strict)).question()
    assert asked is not None
    due = survey_of(asked).accepted[0].expected_cost
    ceiling = Objective(cost_expected_max=NanoUsd(due - 1))
    graded = with_stack(CASE, stack(verification=strict, objective=ceiling))
    assert verifier_cost(graded) == asked.circumstances.verifier_cost > 0
    assert (verifier_cost(CASE), verifier_cost(REFUSED)) == (0, 0)
    assert admitted(graded) == frozenset()
    assert admitted(graded, verified_as=CASE) == {"acme/one", "bolt/two"}


def test_what_is_told_of_a_decision_and_of_a_refusal() -> None:
    said, refused = told(CASE.route()), told(REFUSED.route())
    assert isinstance(said, dict)
    assert isinstance(refused, dict)
    assert said["kind"] == "selected"
    assert refused["code"] == "routing_stack_not_found"
