from __future__ import annotations

from decimal import Decimal

from astrolabe_core.catalog import (
    Capability,
    Catalog,
    DataPolicy,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    Retention,
    Tier,
)
from astrolabe_core.money import price
from astrolabe_core.units import ModelId, Tokens
from astrolabe_http.simulator.catalog import from_catalog

BASE = Prices(input=price("0.000001"), output=price("0.0000035"), cached_input=price("0.0000001"))


def model(name: str, base: Prices, *overrides: PriceOverride) -> Model:
    return Model(
        id=ModelId(name),
        name=name,
        tier=Tier.ECONOMY,
        context_window=Tokens(1000),
        retail_price=PriceList(base=Prices(input=price("1"), output=price("1"))),
        provider_price=PriceList(base=base, overrides=overrides),
        capabilities=frozenset({Capability.TOOLS}),
        data_policy=DataPolicy.NO_TRAINING,
        retention=Retention.ZERO,
    )


def test_models_are_sold_at_the_provider_s_exact_price() -> None:
    night = PriceOverride(
        prices=Prices(output=price("0.000002")),
        input_tokens_min=Tokens(200),
        utc_minute_from=630,
        utc_minute_until=60,
    )
    (made,) = from_catalog(
        Catalog(version="1", models=(model("acme/small", BASE, night),), priors={})
    )
    assert (made.input_price, made.output_price) == (Decimal("0.000001"), Decimal("0.0000035"))
    assert made.cached_input_price == Decimal("0.0000001")
    assert made.cache_write_price is None
    (override,) = made.overrides
    assert (override.prompt_tokens_min, override.utc_start, override.utc_end) == (200, 1030, 100)
    assert override.output_price == Decimal("0.000002")
    assert made.supports_tools
    assert not made.supports_structured_outputs
    assert made.zero_retention
    assert not made.collects_data
    assert made.max_output == 1000


def test_a_model_without_a_price_is_not_sold() -> None:
    catalog = Catalog(version="1", models=(model("acme/free", Prices()),), priors={})
    assert from_catalog(catalog) == ()
