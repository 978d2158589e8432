from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from astrolabe_http.simulator.models import PriceOverride, SimulatedModel, Tokens, bill, utc_clock

MODEL = SimulatedModel(
    id="acme/small",
    context_length=1000,
    max_output=100,
    input_price=Decimal("0.000001"),
    output_price=Decimal("0.000002"),
)
TOKENS = Tokens(prompt=100, completion=50, cached=40, cache_write=10, reasoning=20, images=2)


def test_kinds_without_a_price_cost_what_their_parent_costs() -> None:
    assert bill(MODEL, TOKENS).prompt == Decimal("0.0001")
    assert bill(MODEL, TOKENS).completion == Decimal("0.0001")


def test_each_token_is_priced_once_at_its_own_price() -> None:
    model = replace(
        MODEL,
        cached_input_price=Decimal("0.0000001"),
        cache_write_price=Decimal("0.000003"),
        reasoning_price=Decimal("0.00001"),
        image_price=Decimal("0.005"),
        request_price=Decimal("0.01"),
    )
    cost = bill(model, TOKENS)
    assert cost.prompt == Decimal("0.00005") + Decimal("0.000004") + Decimal("0.00003") + Decimal(
        "0.02"
    )
    assert cost.completion == Decimal("0.00006") + Decimal("0.0002")
    assert cost.total == cost.prompt + cost.completion


@pytest.mark.parametrize(
    ("prompt", "hhmm", "price"),
    [
        (99, 1200, "0.000001"),
        (100, 1200, "0.000004"),
        (99, 2300, "0.000002"),
        (99, 159, "0.000002"),
        (99, 200, "0.000001"),
        (100, 2300, "0.000002"),
    ],
)
def test_the_last_override_that_applies_wins(prompt: int, hhmm: int, price: str) -> None:
    model = replace(
        MODEL,
        overrides=(
            PriceOverride(prompt_tokens_min=100, input_price=Decimal("0.000004")),
            PriceOverride(utc_start=2200, utc_end=200, input_price=Decimal("0.000002")),
        ),
    )
    assert bill(model, Tokens(prompt, 0), hhmm).prompt == prompt * Decimal(price)


def test_the_clock_is_written_as_hours_and_minutes() -> None:
    assert utc_clock(86_400 * 20_000 + 10 * 3600 + 30 * 60 + 59) == 1030
