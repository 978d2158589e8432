"""A ban keeps its model out, by one rule, whoever sets it."""

from __future__ import annotations

from attrs import evolve

from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.testing.bans import BANS, bans
from astrolabe_core.testing.cases import Case, admitted
from astrolabe_core.units import StackSlug
from tests.core.market import model, request, snapshot

ONE = model("acme/one")
CASE = Case(request=request(), snapshot=snapshot(ONE, model("bolt/two")))


def test_who_is_banned_is_not_admitted_by_whomever_it_is_banned() -> None:
    banned = list(bans(CASE, ONE))
    assert len(banned) == 3 * len(BANS)
    assert ONE.id in admitted(CASE)
    assert all(ONE.id not in admitted(case) for case in banned)


def test_a_managed_stack_bans_nobody_else() -> None:
    managed = Overrides(stack=StackRef(slug=StackSlug("fast")))
    case = evolve(CASE, request=evolve(CASE.request, overrides=managed))
    assert len(list(bans(case, ONE))) == 2 * len(BANS)
