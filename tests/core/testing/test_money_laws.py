"""The laws of money look at every corner of what may be used, and at every turn of a price."""

from __future__ import annotations

import pytest
from attrs import evolve

from astrolabe_core.catalog import PriceOverride
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.testing.cases import Case
from astrolabe_core.testing.money_laws import MONEY_LAWS, hold_is_no_more_than_needed
from astrolabe_core.units import StackSlug, Tokens
from tests.core.market import model, price_list, prices, request, snapshot

MOVING = price_list(
    PriceOverride(prices=prices(900, 1), input_tokens_min=Tokens(3)),
    PriceOverride(prices=prices(1, 900), utc_minute_from=10, utc_minute_until=20),
)


@pytest.mark.parametrize("price", [price_list(image=7, request=3, reasoning=999), MOVING])
@pytest.mark.parametrize("reference", ["acme/one", "gone/away"])
def test_they_hold_of_prices_that_move_and_of_prices_that_do_not(
    price: object, reference: str
) -> None:
    market = snapshot(model(price=price), reference=reference)  # type: ignore[arg-type]
    for law in MONEY_LAWS:
        law(Case(request=request(), snapshot=market))


def test_a_refused_request_has_no_money_in_it() -> None:
    lost = Overrides(stack=StackRef(slug=StackSlug("lost")))
    refused = Case(request=evolve(request(), overrides=lost), snapshot=snapshot(model()))
    hold_is_no_more_than_needed(refused)
