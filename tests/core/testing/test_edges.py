"""An edge is just where one unit more decides otherwise."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings

from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.routing import Routed, Unrouted
from astrolabe_core.stacks import Boundaries
from astrolabe_core.testing import Case, cases
from astrolabe_core.testing.cases import admitted, survey_of
from astrolabe_core.testing.edges import EDGES, OFFSETS, Edge, around
from astrolabe_core.units import StackSlug
from tests.core.market import model, request, snapshot, stack

ONE = model("acme/one")
CASE = Case(request=request(), snapshot=snapshot(ONE, model("bolt/two"), reference="bolt/two"))
DECIDES = {
    "_window",
    "_expected_cost",
    "_escalated_cost",
    "_request_budget",
    "_rule_size",
    "_vendor",
}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.__name__)
def test_at_a_hard_edge_one_unit_admits_and_one_rejects(edge: Edge) -> None:
    asked = CASE.question()
    assert asked is not None
    first = survey_of(asked).accepted[0]
    found = [first.model.id in admitted(edge(CASE, asked, first, off)) for off in OFFSETS]
    assert (len(set(found)) == 2) is (edge.__name__ in DECIDES)


def test_nothing_lies_around_a_case_that_admits_nobody() -> None:
    nobody = stack(boundaries=Boundaries(allowed_models=frozenset()))
    blocked = Case(request=request(), snapshot=snapshot(ONE, governing=nobody))
    lost = Overrides(stack=StackRef(slug=StackSlug("lost")))
    refused = evolve(CASE, request=evolve(CASE.request, overrides=lost))
    assert list(around(blocked)) == list(around(refused)) == []


def test_of_a_managed_stack_only_the_models_are_moved() -> None:
    managed = Overrides(stack=StackRef(slug=StackSlug("fast")))
    case = evolve(CASE, request=evolve(CASE.request, overrides=managed))
    stacks = {moved.snapshot.caller.stacks for moved in around(case)}
    assert stacks == {case.snapshot.caller.stacks}


@settings(max_examples=30)
@given(cases())
def test_a_case_can_be_decided(case: Case) -> None:
    assert isinstance(case.route(), Routed | Unrouted)
