"""What is an amount of money, what is a price, and where does rounding happen?

An amount is a `NanoUsd`: a whole number of 10⁻⁹ US dollars. A price is an `AttoUsd` for each
unit (token, image, request): a whole number of 10⁻¹⁸ dollars, read from an exact decimal
string. Units times prices are summed in attos without loss and rounded to nanos once: up for
what is held, half to even for what is charged. A `float` never takes part.
"""

import re
from typing import Final, NewType

NanoUsd = NewType("NanoUsd", int)
"""10⁻⁹ US dollars; an amount. May be negative only where it is a difference."""

AttoUsd = NewType("AttoUsd", int)
"""10⁻¹⁸ US dollars; a price for one unit, or an exact sum not yet rounded."""

ZERO: Final = NanoUsd(0)
AMOUNT_MAX: Final = NanoUsd(10**18)
"""One billion dollars: no amount in any record or row is larger, so that sums fit 64 bits."""

NANO_DIGITS: Final = 9
ATTO_DIGITS: Final = 18
ATTO_PER_NANO: Final = 10 ** (ATTO_DIGITS - NANO_DIGITS)

_DECIMAL: Final = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,12})(?:\.(?P<fraction>[0-9]{1,30}))?")


class MoneyFormatError(ValueError):
    """The text is not an exact decimal amount within bounds."""


def usd(text: str) -> NanoUsd:
    """Read a dollar amount such as `"5"`, `"0.25"` or `"1.000000001"` exactly.

    Raises `MoneyFormatError` for anything but a plain decimal of at most nine fractional
    digits and at most one billion dollars: no exponent, no sign but `-`, no spaces, no NaN.
    """
    amount = _scaled(text, NANO_DIGITS)
    if abs(amount) > AMOUNT_MAX:
        message = f"{text!r} is above the largest amount, {usd_text(AMOUNT_MAX)} USD"
        raise MoneyFormatError(message)
    return NanoUsd(amount)


def price(text: str) -> AttoUsd:
    """Read a price for one unit such as `"0.000000435"` exactly, to 18 fractional digits.

    Raises `MoneyFormatError` as `usd` does, and for a negative price.
    """
    scaled = _scaled(text, ATTO_DIGITS)
    if scaled < 0:
        message = f"a price is never negative: {text!r}"
        raise MoneyFormatError(message)
    return AttoUsd(scaled)


def usd_text(amount: NanoUsd) -> str:
    """Write an amount as the shortest exact decimal string: `"0.0004"`, `"-1"`, `"12.5"`."""
    return _decimal_text(amount, NANO_DIGITS)


def price_text(per_unit: AttoUsd) -> str:
    """Write a price for one unit as the shortest exact decimal string."""
    return _decimal_text(per_unit, ATTO_DIGITS)


def price_text_per_million(per_unit: AttoUsd) -> str:
    """Write a price for one unit as exact dollars for a million units."""
    return _decimal_text(per_unit, ATTO_DIGITS - 6)


def round_up(exact: AttoUsd) -> NanoUsd:
    """Round a sum to hold: never less than what it may come to."""
    return NanoUsd(-(-exact // ATTO_PER_NANO))


def round_half_even(exact: AttoUsd) -> NanoUsd:
    """Round a sum to charge: to the nearest nano, ties to the even one."""
    nanos, rest = divmod(exact, ATTO_PER_NANO)
    twice = 2 * rest
    if twice > ATTO_PER_NANO or (twice == ATTO_PER_NANO and nanos % 2 == 1):
        nanos += 1
    return NanoUsd(nanos)


def _scaled(text: str, digits: int) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        message = f"not an exact decimal amount: {text[:40]!r}; write it like 12.50"
        raise MoneyFormatError(message)
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > digits:
        message = f"more than {digits} digits after the point: {text[:60]!r}"
        raise MoneyFormatError(message)
    scaled = int(match["whole"] + fraction.ljust(digits, "0"))
    return -scaled if match["sign"] else scaled


def _decimal_text(scaled: int, digits: int) -> str:
    if scaled < 0:
        return f"-{_decimal_text(-scaled, digits)}"
    text = str(scaled).rjust(digits + 1, "0")
    whole, tail = text[:-digits], text[-digits:].rstrip("0")
    return f"{whole}.{tail}" if tail else whole
