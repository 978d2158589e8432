"""Each token is charged once at the rate of its time and length, and a hold bounds them all."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.catalog import PriceList, PriceOverride, Prices
from astrolabe_core.money import AttoUsd
from astrolabe_core.pricing import charge, dearest_rates, hold_bound, rates
from astrolabe_core.units import Instant, Tokens
from astrolabe_core.usage import Usage
from tests.core.market import NANO, NOW, price_list, prices

MINUTE = 60_000
PLAIN = price_list()


def usage(read: int, written: int, **parts: int) -> Usage:
    counted: dict[str, Any] = parts
    return Usage(input_tokens=Tokens(read), output_tokens=Tokens(written), **counted)


def test_each_token_is_charged_once() -> None:
    listed = price_list(
        input_nanos=100, output_nanos=400, cached_input=10, cache_write=125, reasoning=500,
        image=7_000, request=1_000,
    )  # fmt: skip
    counted = usage(
        1_000, 300, cached_input_tokens=600, cache_write_tokens=100, reasoning_tokens=200, images=2
    )
    due = 300 * 100 + 600 * 10 + 100 * 125 + 100 * 400 + 200 * 500 + 2 * 7_000 + 1_000
    assert charge(counted, listed, NOW) == due


def test_a_part_without_a_price_costs_what_its_whole_costs_and_the_rest_is_free() -> None:
    counted = usage(
        1_000, 300, cached_input_tokens=600, cache_write_tokens=100, reasoning_tokens=200, images=2
    )
    assert charge(counted, PLAIN, NOW) == 1_000 * 100 + 300 * 400


@pytest.mark.parametrize("known", [Prices(), prices(None, 1), prices(1, None)])
def test_without_a_price_nothing_is_charged_and_nothing_held(known: Prices) -> None:
    listed = PriceList(base=known)
    assert charge(usage(1, 1), listed, NOW) is None
    assert rates(listed, Tokens(1), NOW) is None
    assert dearest_rates(listed) is None


@pytest.mark.parametrize(("read", "each"), [(999, 100), (1_000, 200), (1_001, 200)])
def test_a_long_prompt_is_charged_at_its_own_price_throughout(read: int, each: int) -> None:
    listed = price_list(PriceOverride(prices=prices(200, None), input_tokens_min=Tokens(1_000)))
    assert charge(usage(read, 1), listed, NOW) == read * each + 400


@pytest.mark.parametrize(
    ("begin", "end", "applies"),
    [
        (480, 481, True),
        (479, 480, False),
        (481, 500, False),
        (0, 1_440, True),
        (1_380, 60, False),
        (470, 60, True),
        (1_380, 481, True),
        (1_380, 480, False),
    ],
)
def test_a_price_of_the_day_begins_at_its_minute_and_ends_before_its_end(
    begin: int, end: int, applies: bool
) -> None:
    nightly = PriceOverride(prices=prices(1, None), utc_minute_from=begin, utc_minute_until=end)
    found = rates(price_list(nightly), Tokens(1), NOW)
    assert found is not None
    assert found.input == (1 if applies else 100) * NANO
    assert rates(price_list(nightly), Tokens(1), Instant(NOW + MINUTE - 1)) == found


def test_of_overrides_that_apply_the_last_wins_part_by_part() -> None:
    listed = price_list(
        PriceOverride(prices=prices(200, 800)), PriceOverride(prices=prices(None, 900))
    )
    found = rates(listed, Tokens(1), NOW)
    assert found is not None
    assert (found.input, found.output) == (200 * NANO, 900 * NANO)


def test_an_override_cannot_price_what_the_base_leaves_open() -> None:
    listed = PriceList(base=prices(None, 1), overrides=(PriceOverride(prices=prices(5, 5)),))
    assert rates(listed, Tokens(1), NOW) is not None
    assert dearest_rates(listed) is None


def test_the_dearest_rate_is_taken_part_by_part() -> None:
    listed = price_list(
        PriceOverride(prices=prices(50, 900)), PriceOverride(prices=prices(300, None, request=9))
    )
    dearest = dearest_rates(listed)
    assert dearest is not None
    assert (dearest.input, dearest.output, dearest.request) == (300 * NANO, 900 * NANO, 9 * NANO)
    assert dearest.cached_input == 300 * NANO


def test_a_hold_takes_the_dearest_of_each_part_and_rounds_up() -> None:
    known = Prices(
        input=AttoUsd(100), output=AttoUsd(400), cache_write=AttoUsd(125), reasoning=AttoUsd(500),
        image=AttoUsd(7), request=AttoUsd(1),
    )  # fmt: skip
    dearest = dearest_rates(PriceList(base=known))
    assert dearest is not None
    assert 10 * 125 + 3 * 500 + 2 * 7 + 1 == 2_765
    bound = hold_bound(dearest, input_tokens_max=10, output_tokens_max=3, images=2)
    assert bound == 1  # 2 765 attos of a dollar are less than a nano


def test_a_charge_rounds_half_to_even() -> None:
    half = PriceList(base=Prices(input=AttoUsd(NANO // 2), output=AttoUsd(0)))
    assert [charge(usage(read, 0), half, NOW) for read in (1, 3, 5)] == [0, 2, 2]
