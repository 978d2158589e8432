"""A model left out of the front could not have been among the first, whatever the size."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings

from astrolabe_core.catalog import PriceOverride
from astrolabe_core.fronts import always_ahead, can_lead
from astrolabe_core.money import AttoUsd
from astrolabe_core.scoring import Contender, Size, Terms, rank
from astrolabe_core.stacks import CostMode
from astrolabe_core.testing import Case, cases
from astrolabe_core.units import Instant, Millis, Tokens
from tests.core.market import good, price_list, prices
from tests.core.test_scoring import entrant, terms

SIZES = [
    Size(input_tokens=Tokens(read), output_tokens=Tokens(written), images=images, at=Instant(0))
    for read, written, images in ((0, 1, 0), (10, 5_000, 0), (900_000, 1, 3))
]
# Dearer than any call: who escalates more often is dearer, too.
ESCALATION = AttoUsd(10**20)


def who_is_always_ahead_ranks_ahead(case: Case) -> None:
    """Hold the rules of the front against the ranking, for every cost mode."""
    asked = case.question()
    if asked is None:
        return
    wanted = asked.shortlist.demand.terms
    for mode, escalates in product(CostMode, (True, False)):
        terms = evolve(wanted, cost_mode=mode, escalates=escalates)
        for first, second in permutations(asked.shortlist.contenders, 2):
            if always_ahead(first, second, terms):
                for size in SIZES:
                    ahead = rank(first, size, terms, ESCALATION)
                    assert ahead < rank(second, size, terms, ESCALATION)


@settings(max_examples=60)
@given(cases())
def test_who_is_always_ahead_ranks_ahead_at_every_size(case: Case) -> None:
    who_is_always_ahead_ranks_ahead(case)


PLAIN = terms()
ONE = entrant("acme/one")


def ahead(second: Contender, wanted: Terms = PLAIN) -> bool:
    return always_ahead(ONE, second, wanted)


DEARER = entrant("acme/two", price=price_list(output_nanos=401))


def test_a_model_dearer_at_every_size_is_beaten() -> None:
    assert ahead(DEARER)
    assert not always_ahead(DEARER, ONE, PLAIN)


def test_equal_prices_leave_it_to_the_size_and_so_nobody_is_beaten() -> None:
    assert not ahead(entrant("acme/two"))
    assert not ahead(entrant("acme/two", price=price_list(input_nanos=99, output_nanos=900)))


def test_a_price_that_moves_beats_nobody_and_is_not_beaten() -> None:
    moving = entrant("acme/two", price=price_list(PriceOverride(prices=prices(900, 900))))
    assert not ahead(moving)
    assert not always_ahead(moving, DEARER, PLAIN)


def test_who_escalates_more_often_is_not_cheaper_for_a_lower_price() -> None:
    better = evolve(DEARER, quality=evolve(DEARER.quality, value=8_001))
    assert ahead(better)
    assert not ahead(better, terms(escalates=True))


def test_reserves_are_beaten_by_every_candidate() -> None:
    assert ahead(evolve(ONE, reserve=True))
    assert not always_ahead(evolve(ONE, reserve=True), DEARER, PLAIN)


def test_misses_beat_and_preference_decides_before_any_figure() -> None:
    low = entrant("acme/two", quality=good(7_000), price=price_list(output_nanos=1))
    assert ahead(low, terms(floor=8_000))
    assert not always_ahead(low, ONE, terms(floor=8_000))
    assert ahead(entrant("acme/two", preference=1, price=price_list(output_nanos=1)))


def test_where_time_is_wanted_only_who_is_never_later_can_beat() -> None:
    slower = evolve(DEARER, first_token_ms=501)
    wanted = terms(latency_slo_ms=Millis(1_000))
    assert ahead(slower, wanted)
    assert not always_ahead(
        slower, entrant("acme/three", price=price_list(output_nanos=900)), wanted
    )


@pytest.mark.parametrize(
    ("mode", "beaten"),
    [
        (CostMode.FASTEST_PASSABLE, {"first_token_ms": Millis(501)}),
        (CostMode.PREMIUM, {"quality": good(7_999)}),
        (CostMode.PREMIUM, {"price": price_list(output_nanos=401)}),
        (CostMode.BALANCED, {"price": price_list(output_nanos=401)}),
        (CostMode.FIXED, {"price": price_list(output_nanos=401)}),
    ],
)
def test_each_cost_mode_has_its_own_way_to_win(mode: CostMode, beaten: dict[str, Any]) -> None:
    second = entrant("acme/two", **beaten)
    assert ahead(second, terms(mode))
    assert not always_ahead(second, ONE, terms(mode))


def test_who_is_beaten_by_as_many_as_there_are_places_is_left_out() -> None:
    dearest = entrant("acme/three", price=price_list(output_nanos=900))
    all_three = (ONE, DEARER, dearest)
    leads = [can_lead(each, all_three, PLAIN, places=1) for each in all_three]
    assert leads == [
        True,
        False,
        False,
    ]
    leads = [can_lead(each, all_three, PLAIN, places=2) for each in all_three]
    assert leads == [True, True, False]
