"""A model is ranked by its own figures alone: what it misses first, then the mode, last its id."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.catalog import Basis, Model, PriceList, PriceOverride, Prices
from astrolabe_core.codes import Miss
from astrolabe_core.money import AttoUsd
from astrolabe_core.requests import Complexity
from astrolabe_core.scoring import (
    Contender,
    Size,
    Terms,
    call_cost,
    cheapest_first,
    cheapest_rows,
    contender,
    quality_floor,
    rank,
    score,
    size_of,
)
from astrolabe_core.stacks import CostMode, QualityTarget
from astrolabe_core.units import Bps, Millis, Tokens
from tests.core.market import NANO, NOW, catalog, good, model, price_list, prices, profile

SIZE = Size(input_tokens=Tokens(1_000), output_tokens=Tokens(500), images=2, at=NOW)
FREE = AttoUsd(0)


def entrant(model_id: str = "acme/one", **changes: Any) -> Contender:
    places = {name: changes.pop(name) for name in ("preference", "reserve") if name in changes}
    who = model(model_id, **changes)
    found = contender(catalog(who), who, "coding", **places)
    assert found is not None
    return found


def terms(mode: CostMode = CostMode.LOWEST_PASSABLE, floor: int = 0, **targets: Any) -> Terms:
    return Terms(cost_mode=mode, quality_floor=Bps(floor), **targets)


def order(wanted: Terms, *entrants: Contender, escalation: AttoUsd = FREE) -> list[str]:
    ranked = sorted(entrants, key=lambda each: rank(each, SIZE, wanted, escalation))
    return [each.model.id for each in ranked]


@pytest.mark.parametrize(
    ("target", "complexity", "floor"),
    [
        (QualityTarget.DRAFT, Complexity.SIMPLE, 5_000),
        (QualityTarget.STANDARD, Complexity.STANDARD, 7_000),
        (QualityTarget.HIGH, Complexity.COMPLEX, 8_300),
        (QualityTarget.CRITICAL, Complexity.CRITICAL, 9_000),
    ],
)
def test_harder_work_asks_for_more_up_to_a_limit(
    target: QualityTarget, complexity: Complexity, floor: int
) -> None:
    assert quality_floor(target, complexity) == floor


def test_a_size_counts_every_answer_and_at_least_one_token() -> None:
    assert size_of(profile(choices=3, images=2), NOW) == Size(
        input_tokens=Tokens(1_000), output_tokens=Tokens(1_500), images=2, at=NOW
    )
    assert size_of(profile(output_tokens=Tokens(0)), NOW).output_tokens == 1


def test_unknown_figures_are_the_tiers_and_say_so() -> None:
    assumed = entrant()
    assert (assumed.quality.value, assumed.quality.basis) == (8_000, Basis.PRIOR)
    assert (assumed.latency_basis, assumed.reliability.basis) == (Basis.PRIOR, Basis.PRIOR)
    known = entrant(quality=good(9_000), first_token_ms=Millis(1), tokens_per_second=7)
    assert (known.quality.value, known.quality.basis) == (9_000, Basis.CATALOG)
    assert (known.first_token_ms, known.tokens_per_second) == (1, 7)


def test_without_a_price_nobody_competes() -> None:
    who = model(price=PriceList(base=Prices()))
    assert contender(catalog(who), who, "coding") is None
    unpriced = evolve(entrant(), model=who, fixed_rates=None)
    with pytest.raises(ValueError, match="acme/one has no price"):
        call_cost(unpriced, SIZE)


def test_a_call_costs_what_it_reads_writes_shows_and_is() -> None:
    priced = entrant(price=price_list(image=7_000, request=1_000))
    assert call_cost(priced, SIZE) == (100_000 + 200_000 + 14_000 + 1_000) * NANO
    override = PriceOverride(prices=prices(200, None))
    assert call_cost(entrant(price=price_list(override)), SIZE) == 400_000 * NANO


def test_a_score_holds_cost_latency_and_misses() -> None:
    wanted = terms(floor=8_001, latency_slo_ms=Millis(5_499), reliability_target=Bps(9_901))
    found = score(entrant(), SIZE, wanted, FREE)
    assert (found.expected_cost, found.latency_ms) == (300_000, 5_500)
    assert found.misses == tuple(Miss)
    met = terms(floor=8_000, latency_slo_ms=Millis(5_500), reliability_target=Bps(9_900))
    assert score(entrant(), SIZE, met, FREE).misses == ()


def test_an_escalation_is_added_by_how_likely_it_is() -> None:
    found = score(entrant(), SIZE, terms(escalates=True), AttoUsd(1_000_000 * NANO))
    assert found.expected_cost == 300_000 + 200_000  # a quality of 0.8 fails one time in five
    assert score(entrant(), SIZE, terms(), AttoUsd(10**20)).expected_cost == 300_000


CHEAP = entrant("acme/cheap", price=price_list(input_nanos=1), quality=good(7_000))
QUICK = entrant("acme/quick", first_token_ms=Millis(1), tokens_per_second=1_000)
BEST = entrant("acme/best", quality=good(9_500), price=price_list(output_nanos=500))


@pytest.mark.parametrize(
    ("mode", "ids"),
    [
        (CostMode.LOWEST_PASSABLE, ["acme/cheap", "acme/quick", "acme/best"]),
        (CostMode.FIXED, ["acme/cheap", "acme/quick", "acme/best"]),
        (CostMode.FASTEST_PASSABLE, ["acme/quick", "acme/cheap", "acme/best"]),
        (CostMode.PREMIUM, ["acme/best", "acme/quick", "acme/cheap"]),
        (CostMode.BALANCED, ["acme/best", "acme/quick", "acme/cheap"]),
    ],
)
def test_each_cost_mode_ranks_by_its_own_figure(mode: CostMode, ids: list[str]) -> None:
    assert order(terms(mode), CHEAP, QUICK, BEST) == ids


def test_balance_buys_a_point_of_quality_for_half_a_thousandth_of_a_dollar() -> None:
    dear = price_list(request=500_000)
    better = entrant("acme/better", quality=good(8_100), price=dear)
    assert order(terms(CostMode.BALANCED), entrant("acme/plain"), better)[0] == "acme/better"
    worse = entrant("acme/better", quality=good(8_099), price=dear)
    assert order(terms(CostMode.BALANCED), entrant("acme/plain"), worse)[0] == "acme/plain"


def test_who_misses_less_comes_first_however_dear() -> None:
    wanted = terms(floor=9_000, reliability_target=Bps(9_900))
    low = entrant("acme/low", quality=good(8_999), price=price_list(output_nanos=1))
    lower = entrant("acme/lower", quality=good(8_998), price=price_list(output_nanos=0))
    weak = entrant("acme/weak", quality=good(8_000), reliability=Bps(1))
    assert order(wanted, lower, weak, low, BEST) == [
        "acme/best",
        "acme/low",
        "acme/lower",
        "acme/weak",
    ]


def test_preference_comes_after_the_targets_and_before_the_figures() -> None:
    first, second = entrant("acme/z", preference=0), evolve(CHEAP, preference=1)
    assert order(terms(), second, first) == ["acme/z", "acme/cheap"]
    assert order(terms(floor=8_001), evolve(BEST, preference=9), first)[0] == "acme/best"


def test_reserves_come_last_whatever_they_are() -> None:
    assert order(terms(floor=9_000), evolve(BEST, reserve=True), CHEAP) == [
        "acme/cheap",
        "acme/best",
    ]


def test_a_tie_goes_to_the_better_the_sooner_and_then_the_first_id() -> None:
    same = [entrant("acme/b"), entrant("acme/a"), entrant("acme/c", tokens_per_second=101)]
    better = entrant("acme/z", quality=good(8_001))
    sooner = entrant("acme/y", first_token_ms=Millis(499))
    assert order(terms(), *same, better, sooner) == [
        "acme/z",
        "acme/y",
        "acme/c",
        "acme/a",
        "acme/b",
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        terms(CostMode.PREMIUM),
        terms(escalates=True),
        terms(latency_slo_ms=Millis(1)),
    ],
)
def test_rows_are_for_where_cost_alone_ranks(wanted: Terms) -> None:
    assert cheapest_rows((CHEAP, QUICK), wanted) is None


def test_rows_are_for_prices_that_always_hold() -> None:
    moving = entrant("acme/two", price=price_list(PriceOverride(prices=prices(1, 1))))
    assert cheapest_rows((CHEAP, moving), terms()) is None


def test_rows_rank_as_the_keys_do() -> None:
    wanted = terms(floor=7_500, reliability_target=Bps(9_901))
    entrants = (CHEAP, QUICK, BEST, evolve(BEST, reserve=True), entrant("acme/a", preference=1))
    rows = cheapest_rows(entrants, wanted)
    assert rows is not None
    ranked = [each.model.id for each in cheapest_first(rows, SIZE, None)]
    assert ranked == order(wanted, *entrants)
    assert [each.model.id for each in cheapest_first(rows, SIZE, 2)] == ranked[:2]


def test_the_model_of_a_score_is_that_of_its_contender() -> None:
    found: Model = score(CHEAP, SIZE, terms(), FREE).model
    assert found is CHEAP.model
