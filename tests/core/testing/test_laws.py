"""A law is silent about what it does not concern, and says what is wrong where it is broken."""

from __future__ import annotations

import pytest
from attrs import evolve

from astrolabe_core.catalog import DataPolicy, Retention, Status
from astrolabe_core.codes import Miss
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.routing import Unrouted
from astrolabe_core.stacks import Boundaries, DataRule, Objective, RetentionRule
from astrolabe_core.testing import LAWS, Case, Law
from astrolabe_core.testing.laws import (
    satisfies,
    unblocking_changes_admit,
    who_meets_every_target_leads,
)
from astrolabe_core.units import Bps, Millis, StackSlug
from tests.core.market import model, request, snapshot, stack

ONE = model("acme/one")
LOST = Overrides(stack=StackRef(slug=StackSlug("lost")))
REFUSED = Case(request=evolve(request(), overrides=LOST), snapshot=snapshot(ONE))


def test_every_law_has_a_name_of_its_own_and_says_what_it_is() -> None:
    names = [law.__name__ for law in LAWS]
    assert len(set(names)) == len(names)
    assert all(law.__doc__ for law in LAWS)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_silent_about_a_case_that_is_refused_before_it_is_judged(law: Law) -> None:
    law(REFUSED)


@pytest.mark.parametrize(
    "rules",
    [
        Boundaries(allowed_providers=frozenset({"bolt"})),
        Boundaries(blocked_providers=frozenset({"acme"})),
        Boundaries(allowed_models=frozenset({"acm/*"})),
        Boundaries(blocked_models=frozenset({"acme/*"})),
        Boundaries(data_policy=DataRule.NO_TRAINING),
        Boundaries(retention_policy=RetentionRule.LIMITED),
        Boundaries(allow_preview=False),
    ],
)
def test_the_laws_have_their_own_word_on_boundaries(rules: Boundaries) -> None:
    doubtful = evolve(
        ONE,
        data_policy=DataPolicy.UNKNOWN,
        retention=Retention.UNKNOWN,
        status=Status.PREVIEW,
    )
    assert not satisfies(doubtful, rules)
    assert satisfies(doubtful, Boundaries())


def test_a_change_of_a_managed_stack_is_proposed_and_nobody_can_make_it() -> None:
    doubtful = evolve(ONE, data_policy=DataPolicy.UNKNOWN, retention=Retention.UNKNOWN)
    managed = request(stack=StackRef(slug=StackSlug("customer-data")))
    case = Case(request=managed, snapshot=snapshot(doubtful))
    routing = case.route()
    assert isinstance(routing, Unrouted)
    assert routing.blocked is not None
    assert routing.blocked.unblock
    unblocking_changes_admit(case)


def test_every_miss_is_recognised() -> None:
    wanting = stack(objective=Objective(latency_slo_ms=Millis(1), reliability_target=Bps(10_000)))
    weak = evolve(ONE, quality={"communication": Bps(1), "core_loop": Bps(1)})
    case = Case(request=request(), snapshot=snapshot(weak, governing=wanting))
    asked = case.question()
    assert asked is not None
    who_meets_every_target_leads(case)
    (score,) = case.route().survey().accepted  # type: ignore[union-attr]
    assert {Miss.OVER_LATENCY_SLO, Miss.BELOW_RELIABILITY_TARGET} <= set(score.misses)
