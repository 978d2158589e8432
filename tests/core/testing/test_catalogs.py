"""Drawn catalogs have what makes trouble: gaps, ties, prices that move, names that begin alike."""

from __future__ import annotations

from hypothesis import Phase, find, settings

from astrolabe_core.catalog import Status
from astrolabe_core.testing.catalogs import VENDORS, catalogs, models, prices, seldom

HASTE = settings(max_examples=500, database=None, derandomize=True, phases=[Phase.generate])


def test_one_vendor_begins_as_another_does() -> None:
    assert any(one != other and other.startswith(one) for one in VENDORS for other in VENDORS)


def test_a_price_may_be_missing() -> None:
    assert find(prices(), lambda drawn: drawn.input is None, settings=HASTE).input is None


def test_a_price_may_move() -> None:
    moving = find(models("acme/one"), lambda one: bool(one.retail_price.overrides), settings=HASTE)
    assert moving.retail_price.overrides


def test_a_model_may_be_gone() -> None:
    gone = find(models("acme/one"), lambda one: one.status is Status.DEPRECATED, settings=HASTE)
    assert gone.id == "acme/one"


def test_two_models_may_tie() -> None:
    catalog = find(
        catalogs(),
        lambda drawn: drawn.models[0].retail_price == drawn.models[1].retail_price,
        settings=HASTE,
    )
    assert len(catalog.models) >= 3


def test_seldom_is_none_at_first() -> None:
    assert find(seldom(1), lambda _: True, settings=HASTE) is None
