"""A minute takes exactly as many requests as the limit says, and its end is told in seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.budgets import Counter, CounterId, Measure, Scope
from astrolabe_core.codes import Code
from astrolabe_core.quotas import (
    RateStatus,
    count_request,
    rate_limit,
    rate_refusal,
    status_after,
)
from astrolabe_core.units import Instant, KeyId, Window

NOON_S = int(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp())
NOON = Instant(NOON_S * 1_000)
KEY = KeyId("key_1")


def test_the_limit_of_a_minute_counts_the_requests_of_one_key() -> None:
    rate = rate_limit(KEY, 3, Instant(NOON + 59_999))
    assert rate.counter == CounterId(Scope.KEY, KEY, Measure.REQUESTS, Window.MINUTE, NOON)
    assert rate_limit(KEY, 3, Instant(NOON + 60_000)).counter != rate.counter


@given(st.integers(0, 40), st.integers(0, 60))
def test_a_minute_takes_exactly_as_many_requests_as_the_limit_says(limit: int, asked: int) -> None:
    rate = rate_limit(KEY, limit, NOON)
    counter, admitted = Counter(rate.counter), 0
    for _ in range(asked):
        counted = count_request(rate, counter)
        if counted is not None:
            counter, admitted = counted, admitted + 1
    assert admitted == counter.used == min(limit, asked)


def test_counting_leaves_the_rest_of_the_counter_alone() -> None:
    rate = rate_limit(KEY, 9, NOON)
    assert count_request(rate, Counter(rate.counter, 1, 2, warned=True)) == Counter(
        rate.counter, 2, 2, warned=True
    )


@pytest.mark.parametrize(("used", "remaining"), [(0, 3), (1, 2), (3, 0), (4, 0)])
def test_what_remains_is_never_below_zero(used: int, remaining: int) -> None:
    status = status_after(rate_limit(KEY, 3, Instant(NOON + 30_000)), used)
    assert status == RateStatus(limit=3, remaining=remaining, resets_at=Instant(NOON + 60_000))
    assert status.reset_s == NOON_S + 60


@pytest.mark.parametrize(
    ("into_the_minute_ms", "wait_s"),
    [
        (0, 60),
        (1, 60),
        (1_000, 59),
        (58_999, 2),
        (59_000, 1),
        (59_999, 1),
        (60_000, 1),
        (90_000, 1),
    ],
)
def test_the_wait_is_in_whole_seconds_and_at_least_one(
    into_the_minute_ms: int, wait_s: int
) -> None:
    status = status_after(rate_limit(KEY, 3, NOON), 3)
    assert status.retry_after_s(Instant(NOON + into_the_minute_ms)) == wait_s


def test_a_refusal_tells_the_limit_and_when_to_try_again() -> None:
    refusal = rate_refusal(rate_limit(KEY, 3, NOON), Instant(NOON + 15_500))
    assert refusal.code is Code.RATE_LIMITED
    assert refusal.retry_after_s == 45
    assert refusal.details == {"limit": 3, "resets_at": NOON_S + 60}
    assert "3 requests a minute" in refusal.message
