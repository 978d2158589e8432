"""The calendar of windows agrees with `datetime`, and the units are what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astrolabe_core.units import DAY_MS, MINUTE_MS, Instant, Window, window_end, window_start

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_9998_MS = 253_339_228_800_000

instants = st.integers(min_value=-62_135_596_800_000, max_value=YEAR_9998_MS).map(Instant)


def instant(moment: datetime) -> Instant:
    return Instant((moment - EPOCH) // timedelta(milliseconds=1))


def moment(at: Instant) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def following(window: Window, start: datetime) -> datetime:
    match window:
        case Window.MINUTE:
            return start + timedelta(minutes=1)
        case Window.DAY:
            return start + timedelta(days=1)
        case Window.MONTH:
            return (start + timedelta(days=31)).replace(day=1)


def first(window: Window, inside: datetime) -> datetime:
    match window:
        case Window.MINUTE:
            return inside.replace(second=0, microsecond=0)
        case Window.DAY:
            return inside.replace(hour=0, minute=0, second=0, microsecond=0)
        case Window.MONTH:
            return inside.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@given(window=st.sampled_from(Window), at=instants)
@example(window=Window.MONTH, at=instant(datetime(2028, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC)))
@example(window=Window.MONTH, at=instant(datetime(2100, 2, 28, 23, 59, tzinfo=UTC)))
@example(window=Window.MONTH, at=instant(datetime(2000, 3, 1, tzinfo=UTC)))
@example(window=Window.MONTH, at=instant(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)))
def test_a_window_begins_and_ends_where_the_calendar_says(window: Window, at: Instant) -> None:
    start = first(window, moment(at))
    assert window_start(window, at) == instant(start)
    assert window_end(window, at) == instant(following(window, start))


@pytest.mark.parametrize("window", Window)
def test_every_month_from_1970_to_2100_is_its_own_window(window: Window) -> None:
    start = EPOCH
    while start.year <= 2100:
        for at in (start, following(Window.MONTH, start) - timedelta(milliseconds=1)):
            assert window_start(window, instant(at)) == instant(first(window, at))
        start = following(Window.MONTH, start)


@given(window=st.sampled_from(Window), at=instants)
def test_windows_meet_without_gap_or_overlap(window: Window, at: Instant) -> None:
    start, end = window_start(window, at), window_end(window, at)
    assert start <= at < end
    assert window_start(window, Instant(end - 1)) == start
    assert window_start(window, end) == end
    assert window_end(window, start) == end


def test_a_day_has_1440_minutes() -> None:
    assert DAY_MS == 1_440 * MINUTE_MS
