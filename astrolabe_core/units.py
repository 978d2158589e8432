"""What do the plain integers and strings of the core count, and in which unit?

Every quantity is an `int` with its unit in its type; every identity is a `str` with its owner
in its type. Nothing here computes: a `NewType` costs nothing at run time and stops a
millisecond from being passed where a token was meant.
"""

from enum import StrEnum
from typing import Final, NewType

Tokens = NewType("Tokens", int)
"""Model tokens, 0 and up."""

Millis = NewType("Millis", int)
"""A duration in milliseconds."""

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z. Read from a clock by the host, never by the core."""

Bps = NewType("Bps", int)
"""Basis points: a share from 0 (none) to 10 000 (all)."""

FULL_BPS: Final = Bps(10_000)

RequestId = NewType("RequestId", str)
ResponseId = NewType("ResponseId", str)
"""`resp_` and what identifies the request that was answered."""
WorkspaceId = NewType("WorkspaceId", str)
KeyId = NewType("KeyId", str)
HoldId = NewType("HoldId", str)
NodeId = NewType("NodeId", str)
ModelId = NewType("ModelId", str)
"""`vendor/name`, for example `openai/gpt-5.4`; a virtual model is `astrolabe/name`."""
ProviderId = NewType("ProviderId", str)
"""The vendor prefix of a model id."""
StackSlug = NewType("StackSlug", str)
Digest = NewType("Digest", str)
"""Lower-case hexadecimal SHA-256 of a record's canonical form."""

MINUTE_MS: Final = Millis(60_000)
DAY_MS: Final = Millis(86_400_000)


class Window(StrEnum):
    """A span of time in UTC over which something is counted."""

    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"


def seconds_until(then: Instant, at: Instant) -> int:
    """Give the whole seconds to wait, at least one: what `retry-after` says."""
    return max(1, -(-(then - at) // 1_000))


def window_start(window: Window, at: Instant) -> Instant:
    """Give the first instant of the UTC window that holds `at`."""
    match window:
        case Window.MINUTE:
            return Instant(at - at % MINUTE_MS)
        case Window.DAY:
            return Instant(at - at % DAY_MS)
        case Window.MONTH:
            year, month = _year_month(at // DAY_MS)
            return Instant(_days_before(year, month) * DAY_MS)


def window_end(window: Window, at: Instant) -> Instant:
    """Give the first instant after the UTC window that holds `at`."""
    match window:
        case Window.MINUTE:
            return Instant(window_start(window, at) + MINUTE_MS)
        case Window.DAY:
            return Instant(window_start(window, at) + DAY_MS)
        case Window.MONTH:
            year, month = _year_month(at // DAY_MS)
            following = (year + 1, 1) if month == 12 else (year, month + 1)
            return Instant(_days_before(*following) * DAY_MS)


# The two halves of the proleptic Gregorian calendar, after Howard Hinnant's `civil_from_days`:
# years are counted from March so that the leap day is the last day of a year.
_DAYS_TO_EPOCH: Final = 719_468
_DAYS_PER_ERA: Final = 146_097


def _year_month(days: int) -> tuple[int, int]:
    shifted = days + _DAYS_TO_EPOCH
    era, day_of_era = divmod(shifted, _DAYS_PER_ERA)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = march_month + 3 if march_month < 10 else march_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month


def _days_before(year: int, month: int) -> int:
    march_year = year - 1 if month <= 2 else year
    era, year_of_era = divmod(march_year, 400)
    march_month = month - 3 if month > 2 else month + 9
    day_of_year = (153 * march_month + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _DAYS_TO_EPOCH
