"""How is the text of a setting read?

Each reader gives the value, or raises `ValueError` that says what it must be. Those that end in a
bound or a vocabulary make a reader.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from urllib.parse import urlsplit

from astrolabe_core.money import MoneyFormatError, NanoUsd, usd
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis


def read_text(text: str) -> str:
    """Read any text but an empty one."""
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def read_url(text: str) -> str:
    """Read a URL that holds neither credentials nor a query."""
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://openrouter.ai/api/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold neither credentials nor a query")
    return text.strip().rstrip("/")


def read_whole(least: int, most: int) -> Callable[[str], int]:
    """Read a whole number between two bounds."""

    def read(text: str) -> int:
        if not text.strip().isascii() or not text.strip().isdigit():
            raise ValueError("must be a whole number")
        number = int(text)
        if not least <= number <= most:
            raise ValueError(f"must be between {least} and {most}")
        return number

    return read


def read_seconds(text: str) -> Millis:
    """Read seconds, with a fraction if need be, as milliseconds."""
    try:
        millis = Decimal(text.strip()) * 1_000
        if not 1 <= millis <= 86_400_000:
            raise ValueError("must be above 0 and at most 86400 seconds")
        return Millis(int(millis))
    except InvalidOperation:
        raise ValueError("must be a number of seconds") from None


def read_money(text: str) -> NanoUsd:
    """Read dollars, exactly."""
    try:
        amount = usd(text.strip())
    except MoneyFormatError as error:
        raise ValueError(str(error)) from None
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def read_word(vocabulary: type[StrEnum]) -> Callable[[str], StrEnum]:
    """Read a word of a vocabulary."""

    def read(text: str) -> StrEnum:
        try:
            return vocabulary(text.strip().lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(vocabulary)}") from None

    return read


def read_apis(text: str) -> frozenset[Surface]:
    """Read the names of wire formats, with commas."""
    words = [word.strip().lower() for word in text.split(",")]
    try:
        return frozenset(Surface(word) for word in words)
    except ValueError:
        raise ValueError(f"must be one or more of {', '.join(Surface)}, with commas") from None


def read_switch(text: str) -> bool:
    """Read a yes or a no."""
    known = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if text.strip().lower() not in known:
        raise ValueError("must be true or false")
    return known[text.strip().lower()]
