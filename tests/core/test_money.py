"""Amounts and prices are exact; rounding happens once, up for holds and half to even for charges.

The oracle is `decimal` and `fractions`: nothing of `astrolabe_core.money` is in it.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astrolabe_core.money import (
    AMOUNT_MAX,
    ATTO_PER_NANO,
    ZERO,
    AttoUsd,
    MoneyFormatError,
    NanoUsd,
    price,
    price_text,
    price_text_per_million,
    round_half_even,
    round_up,
    usd,
    usd_text,
)

EXACT = Context(prec=80)
NANOS_PER_ATTO = Decimal("1e-9")

amounts = st.integers(-AMOUNT_MAX, AMOUNT_MAX).map(NanoUsd)
attos = st.integers(0, 10**30).map(AttoUsd)
near_ties = st.builds(
    lambda nanos, off: AttoUsd(nanos * ATTO_PER_NANO + ATTO_PER_NANO // 2 + off),
    st.integers(-1_000, 1_000),
    st.integers(-1, 1),
)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("5", 5_000_000_000),
        ("0.25", 250_000_000),
        ("1.000000001", 1_000_000_001),
        ("-0.000000001", -1),
        ("007.50", 7_500_000_000),
        ("0.1000000000000000000000", 100_000_000),
        ("1000000000", AMOUNT_MAX),
        ("-1000000000", -AMOUNT_MAX),
    ],
)
def test_a_plain_decimal_is_read_exactly(text: str, nanos: int) -> None:
    assert usd(text) == nanos


MALFORMED = [
    "", " ", "1 ", " 1", "+1", "--1", "1.", ".5", "1e3", "1E-9", "nan", "NaN", "inf", "Infinity",
    "-inf", "1,5", "1_000", "0x10", "1.2.3", "\u0661", "\u00bd", "1\n", "$1", "true", "None",
    "0." + "1" * 31, "1" * 13,
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_plain_decimal_is_no_amount_and_no_price(text: str) -> None:
    with pytest.raises(MoneyFormatError):
        usd(text)
    with pytest.raises(MoneyFormatError):
        price(text)


def test_an_amount_has_at_most_nine_digits_after_the_point() -> None:
    with pytest.raises(MoneyFormatError, match="more than 9 digits"):
        usd("0.0000000001")


def test_a_price_has_at_most_eighteen_digits_after_the_point() -> None:
    assert price("0.000000000000000001") == 1
    with pytest.raises(MoneyFormatError, match="more than 18 digits"):
        price("0.0000000000000000001")


@pytest.mark.parametrize("text", ["1000000000.000000001", "-1000000000.000000001", "999999999999"])
def test_nothing_is_above_one_billion_dollars(text: str) -> None:
    with pytest.raises(MoneyFormatError, match="above the largest amount, 1000000000 USD"):
        usd(text)


def test_a_price_is_never_negative() -> None:
    with pytest.raises(MoneyFormatError, match="never negative"):
        price("-0.000000000000000001")
    assert price("-0") == 0


def test_a_long_text_is_cut_short_in_the_message() -> None:
    with pytest.raises(MoneyFormatError) as caught:
        usd("x" * 10_000)
    assert len(str(caught.value)) < 200


@given(amounts)
@example(ZERO)
@example(NanoUsd(-1))
@example(NanoUsd(10))
def test_an_amount_is_written_as_the_decimal_that_it_is(amount: NanoUsd) -> None:
    text = usd_text(amount)
    assert usd(text) == amount
    assert Fraction(text) == Fraction(amount, 10**9)
    assert text == _shortest(Fraction(text))


@given(attos)
def test_a_price_is_written_as_the_decimal_that_it_is(per_unit: AttoUsd) -> None:
    assert Fraction(price_text(per_unit)) == Fraction(per_unit, 10**18)
    assert Fraction(price_text_per_million(per_unit)) == Fraction(per_unit, 10**12)
    if per_unit < 10**30:
        assert price(price_text(per_unit)) == per_unit


def test_a_price_for_a_token_is_shown_for_a_million() -> None:
    assert price_text_per_million(price("0.000000435")) == "0.435"
    assert price_text_per_million(price("0.00003")) == "30"


@given(attos | near_ties)
def test_what_is_held_is_rounded_up(exact: AttoUsd) -> None:
    assert round_up(exact) == _rounded(exact, ROUND_CEILING)


@given(attos | near_ties)
def test_what_is_charged_is_rounded_half_to_even(exact: AttoUsd) -> None:
    assert round_half_even(exact) == _rounded(exact, ROUND_HALF_EVEN)
    assert round_half_even(exact) == round(Fraction(exact, ATTO_PER_NANO))


@given(attos | near_ties)
def test_a_charge_is_never_above_the_hold_for_the_same_sum(exact: AttoUsd) -> None:
    assert 0 <= round_up(exact) - round_half_even(exact) <= 1


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**16)), max_size=7))
def test_units_times_prices_are_rounded_once_and_lose_less_than_a_nano(
    parts: list[tuple[int, int]],
) -> None:
    exact = AttoUsd(sum(units * per_unit for units, per_unit in parts))
    true = sum((Fraction(units * per_unit, 10**9) for units, per_unit in parts), Fraction(0))
    assert abs(round_half_even(exact) - true) <= Fraction(1, 2)
    assert 0 <= round_up(exact) - true < 1


def _rounded(exact: int, rounding: str) -> int:
    with localcontext(EXACT):
        return int((Decimal(exact) * NANOS_PER_ATTO).to_integral_value(rounding))


def _shortest(value: Fraction) -> str:
    with localcontext(EXACT):
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
        text = f"{decimal:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text not in {"-0", ""} else "0"
