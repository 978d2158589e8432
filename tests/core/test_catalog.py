"""Unknown figures fall back on named priors, and no doubtful catalog or price comes to serve."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.catalog import (
    PRICE_CEILING,
    Basis,
    Catalog,
    DataPolicy,
    Estimate,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    Retention,
    Tier,
    TierPrior,
    changes_to_confirm,
    estimate_first_token,
    estimate_quality,
    estimate_reliability,
    estimate_throughput,
    flaws,
)
from astrolabe_core.money import AttoUsd, price
from astrolabe_core.units import FULL_BPS, Bps, Millis, ModelId, Tokens

PRIOR = TierPrior(
    quality=Bps(6_000),
    first_token_ms=Millis(900),
    tokens_per_second=40,
    reliability=Bps(9_900),
    source="assumed",
)
PRICES = PriceList(base=Prices(input=AttoUsd(1_000), output=AttoUsd(4_000)))


def model(model_id: str = "vendor/one", **changes: Any) -> Model:
    plain = Model(
        id=ModelId(model_id),
        name="One",
        tier=Tier.STANDARD,
        context_window=Tokens(100_000),
        retail_price=PRICES,
        provider_price=PRICES,
    )
    return evolve(plain, **changes)


def catalog(*models: Model) -> Catalog:
    return Catalog(version="1", models=models, priors={Tier.STANDARD: PRIOR})


def paths(*models: Model) -> list[str]:
    return [flaw.path for flaw in flaws(catalog(*models))]


# What is known, and what is assumed


@given(st.permutations(["b/1", "a/2", "a/10", "c/0"]))
def test_the_order_of_models_is_that_of_their_ids(ids: list[str]) -> None:
    assert [each.id for each in catalog(*map(model, ids)).models] == sorted(ids)


def test_a_model_is_found_by_its_exact_id() -> None:
    one, two = model("a/one"), model("a/two")
    both = catalog(one, two)
    assert both.model("a/two") == two
    assert both.model("a/TWO") is None
    assert both.model("two") is None


def test_the_provider_is_the_vendor_of_the_id() -> None:
    assert model("openai/gpt-5.4").provider == "openai"


def test_the_longest_answer_is_the_published_one_or_else_the_whole_window() -> None:
    assert model().output_tokens_max == 100_000
    assert model(max_output_tokens=Tokens(8_000)).output_tokens_max == 8_000


def test_policies_are_unknown_until_they_are_told() -> None:
    assert model().data_policy is DataPolicy.UNKNOWN
    assert model().retention is Retention.UNKNOWN


def test_a_figure_of_the_catalog_is_told_as_such() -> None:
    known = model(
        quality={"coding": Bps(8_100)},
        first_token_ms=Millis(310),
        tokens_per_second=95,
        reliability=Bps(9_990),
    )
    of = catalog(known)
    assert estimate_quality(of, known, "coding") == Estimate(8_100, Basis.CATALOG)
    assert estimate_first_token(of, known) == Estimate(310, Basis.CATALOG)
    assert estimate_throughput(of, known) == Estimate(95, Basis.CATALOG)
    assert estimate_reliability(of, known) == Estimate(9_990, Basis.CATALOG)


def test_where_a_figure_is_unknown_the_prior_of_the_tier_stands_in_and_says_so() -> None:
    unknown = model(quality={"coding": Bps(8_100)})
    of = catalog(unknown)
    assert estimate_quality(of, unknown, "research") == Estimate(6_000, Basis.PRIOR)
    assert estimate_first_token(of, unknown) == Estimate(900, Basis.PRIOR)
    assert estimate_throughput(of, unknown) == Estimate(40, Basis.PRIOR)
    assert estimate_reliability(of, unknown) == Estimate(9_900, Basis.PRIOR)


def test_a_known_zero_is_not_unknown() -> None:
    hopeless = model(quality={"coding": Bps(0)}, first_token_ms=Millis(0), reliability=Bps(0))
    of = catalog(hopeless)
    assert estimate_quality(of, hopeless, "coding") == Estimate(0, Basis.CATALOG)
    assert estimate_first_token(of, hopeless) == Estimate(0, Basis.CATALOG)
    assert estimate_reliability(of, hopeless) == Estimate(0, Basis.CATALOG)


# What forbids serving


def test_a_sound_catalog_has_no_flaws() -> None:
    full = model(
        max_output_tokens=Tokens(100_000),
        quality={"coding": Bps(0), "research": FULL_BPS},
        tokens_per_second=1,
        retail_price=PriceList(
            base=Prices(
                input=PRICE_CEILING,
                output=AttoUsd(0),
                image=price("1"),
                request=price("2.5"),
            )
        ),
    )
    assert paths(full, model("vendor/two")) == []


def test_an_empty_catalog_is_flawed() -> None:
    assert paths() == ["models"]


def test_an_id_that_stands_twice_is_named() -> None:
    assert paths(model("a/b"), model("a/b")) == ["models.a/b"]


@pytest.mark.parametrize("model_id", ["", "bare", "/name", "vendor/", "astrolabe/auto"])
def test_an_id_is_vendor_and_name_and_never_our_own(model_id: str) -> None:
    assert paths(model(model_id)) == [f"models.{model_id}.id"]


def test_a_tier_without_prior_is_named() -> None:
    assert paths(model(tier=Tier.FRONTIER)) == ["tierPriors.frontier"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_output_tokens": Tokens(0)}, "maxOutputTokens"),
        ({"max_output_tokens": Tokens(100_001)}, "maxOutputTokens"),
        ({"quality": {"coding": Bps(-1)}}, "qualityBps.coding"),
        ({"quality": {"coding": Bps(10_001)}}, "qualityBps.coding"),
        ({"tokens_per_second": 0}, "tokensPerSecond"),
    ],
)
def test_an_impossible_figure_is_named(changes: dict[str, Any], field: str) -> None:
    assert paths(model(**changes)) == [f"models.vendor/one.{field}"]


def test_a_model_without_window_is_named() -> None:
    where = "models.vendor/one"
    assert paths(model(context_window=Tokens(0))) == [
        f"{where}.contextWindow",
        f"{where}.maxOutputTokens",
    ]


@pytest.mark.parametrize("missing", ["input", "output"])
@pytest.mark.parametrize(
    ("field", "label"), [("retail_price", "retailPrice"), ("provider_price", "providerPrice")]
)
def test_a_missing_price_is_named_and_not_free(missing: str, field: str, label: str) -> None:
    listed = based(**{missing: None})
    changes: dict[str, Any] = {field: listed}
    assert paths(model(**changes)) == [f"models.vendor/one.{label}.{missing}"]


@pytest.mark.parametrize("name", ["input", "output", "cached_input", "image", "request"])
def test_a_negative_price_is_named(name: str) -> None:
    listed = PriceList(base=evolve(PRICES.base, **{name: AttoUsd(-1)}))
    assert paths(model(retail_price=listed)) == [f"models.vendor/one.retailPrice.{name}"]


def test_a_price_for_a_million_tokens_is_not_taken_for_one_of_a_token() -> None:
    listed = PriceList(base=evolve(PRICES.base, output=price("0.435")))
    (flaw,) = flaws(catalog(model(retail_price=listed)))
    assert "0.435 USD for one token" in flaw.message
    assert "a price for a million?" in flaw.message


def test_the_prices_of_an_override_are_judged_too() -> None:
    override = PriceOverride(prices=Prices(cache_write=AttoUsd(-1)))
    listed = PriceList(base=PRICES.base, overrides=(override,))
    assert paths(model(retail_price=listed)) == ["models.vendor/one.retailPrice.cache_write"]


# What must be confirmed


def moved(before: PriceList, after: PriceList, *, factor: int = 3) -> dict[str, tuple[int, int]]:
    changes = changes_to_confirm(
        catalog(model(retail_price=before)), catalog(model(retail_price=after)), factor=factor
    )
    prefix = "models.vendor/one.retailPrice."
    return {change.path.removeprefix(prefix): (change.before, change.after) for change in changes}


def based(**prices: Any) -> PriceList:
    return PriceList(base=evolve(PRICES.base, **prices))


@pytest.mark.parametrize(
    ("after", "to_confirm"),
    [(999, False), (1_000, False), (3_000, False), (3_001, True), (334, False), (333, True)],
)
def test_a_jump_by_more_than_the_factor_is_to_be_confirmed(after: int, to_confirm: bool) -> None:
    found = moved(based(input=1_000), based(input=after))
    assert found == ({"input": (1_000, after)} if to_confirm else {})


def test_the_factor_can_be_set() -> None:
    assert moved(based(output=4_000), based(output=8_001), factor=2)
    assert not moved(based(output=4_000), based(output=8_000), factor=2)


def test_what_was_free_and_is_not_must_be_confirmed() -> None:
    assert moved(based(request=0), based(request=1)) == {"request": (0, 1)}


@pytest.mark.parametrize("name", ["image", "request"])
def test_a_charge_beside_tokens_that_was_not_there_must_be_confirmed(name: str) -> None:
    assert moved(based(), based(**{name: 5})) == {name: (0, 5)}
    assert moved(based(**{name: 5}), based()) == {name: (5, 0)}


def test_a_part_that_gets_its_own_price_is_compared_with_what_it_cost_as_part() -> None:
    assert moved(based(), based(reasoning=4_000, cached_input=1_000)) == {}
    assert moved(based(), based(reasoning=12_001)) == {"reasoning": (4_000, 12_001)}
    assert moved(based(cached_input=100), based()) == {"cached_input": (100, 1_000)}


def test_an_override_that_jumps_must_be_confirmed() -> None:
    def long_prompts(prices: Prices) -> PriceList:
        override = PriceOverride(prices=prices, input_tokens_min=Tokens(200_000))
        return PriceList(base=PRICES.base, overrides=(override,))

    before = long_prompts(Prices(input=AttoUsd(2_000)))
    dearer = long_prompts(Prices(input=AttoUsd(6_001), cached_input=AttoUsd(2_000)))
    assert moved(before, long_prompts(Prices(input=AttoUsd(6_000)))) == {}
    assert moved(before, dearer) == {"overrides[0].input": (2_000, 6_001)}


def test_an_override_that_comes_or_goes_is_compared_with_the_base() -> None:
    at_night = PriceOverride(prices=Prices(output=AttoUsd(1)), utc_minute_from=1_320)
    with_override = PriceList(base=PRICES.base, overrides=(at_night,))
    assert moved(PRICES, with_override) == {"overrides[0].output": (4_000, 1)}
    assert moved(with_override, PRICES) == {"overrides[0].output": (1, 4_000)}


def test_a_model_that_is_new_has_nothing_to_be_compared_with() -> None:
    assert changes_to_confirm(catalog(model("a/old")), catalog(model("a/new"))) == ()


def test_a_price_that_was_unknown_has_nothing_to_be_compared_with() -> None:
    unknown = PriceList(base=Prices(output=AttoUsd(4_000)))
    assert moved(unknown, PRICES) == {}
    assert moved(PRICES, unknown) == {}


def test_what_the_provider_charges_is_compared_too() -> None:
    before, after = model(), model(provider_price=based(output=40_000))
    assert [change.path for change in changes_to_confirm(catalog(before), catalog(after))] == [
        "models.vendor/one.providerPrice.output"
    ]
