"""The same world is governed in every way that there is."""

from __future__ import annotations

from attrs import evolve

from astrolabe_core.codes import Code
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.routing import Routed, Unrouted
from astrolabe_core.stacks import CostMode, FallbackMode
from astrolabe_core.testing.cases import Case
from astrolabe_core.testing.turns import turns
from astrolabe_core.units import StackSlug
from tests.core.market import model, request, snapshot

CASE = Case(request=request(), snapshot=snapshot(model("acme/one"), model("bolt/two")))


def test_every_mode_governs_once() -> None:
    routings = [turned.route() for turned in turns(CASE)]
    demands = [found.shortlist.demand for found in routings if isinstance(found, Routed)]
    codes = {found.refusal.code for found in routings if isinstance(found, Unrouted)}
    assert {demand.fallback_mode for demand in demands} == set(FallbackMode)
    assert {demand.terms.cost_mode for demand in demands} == set(CostMode)
    assert codes == {Code.ROUTING_STACK_NOT_FOUND, Code.INVALID_ROUTING_OVERRIDE}


def test_of_a_managed_stack_only_what_a_request_may_say_is_turned() -> None:
    managed = Overrides(stack=StackRef(slug=StackSlug("fast")))
    (lost,) = turns(evolve(CASE, request=evolve(CASE.request, overrides=managed)))
    assert isinstance(lost.route(), Unrouted)
