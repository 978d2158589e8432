"""A budget is refused above its stop line, warned of once, and spent in the window of admission."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from astrolabe_core.budgets import (
    Counter,
    CounterId,
    Measure,
    Over,
    Scope,
    SpendLimit,
    Within,
    admit_spend,
    budget_refusal,
    settle_spend,
    spend_limits,
)
from astrolabe_core.codes import Code
from astrolabe_core.money import NanoUsd, usd
from astrolabe_core.stacks import Budget
from astrolabe_core.units import Instant, Window

NEW_YEARS_EVE = Instant(int(datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()) * 1_000)
DAY_START = Instant(int(datetime(2026, 12, 31, tzinfo=UTC).timestamp()) * 1_000)
MONTH_START = Instant(int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()) * 1_000)
NEW_YEAR_S = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
DAY = CounterId(Scope.KEY, "key_1", Measure.SPEND, Window.DAY, DAY_START)


def limit(cap: int, *, warn: int = 80, stop: int = 100) -> SpendLimit:
    return SpendLimit(counter=DAY, cap=NanoUsd(cap), warn_percent=warn, stop_percent=stop)


def test_a_budget_becomes_one_limit_for_each_window_that_it_caps() -> None:
    budget = Budget(
        daily_usd=usd("1"), monthly_usd=usd("20"), warn_percent=70, hard_stop_percent=90
    )
    daily, monthly = spend_limits(Scope.KEY, "key_1", budget, NEW_YEARS_EVE)
    assert daily == SpendLimit(counter=DAY, cap=usd("1"), warn_percent=70, stop_percent=90)
    assert monthly.counter == CounterId(
        Scope.KEY, "key_1", Measure.SPEND, Window.MONTH, MONTH_START
    )
    assert monthly.cap == usd("20")


@pytest.mark.parametrize(
    ("budget", "windows"),
    [
        (Budget(), []),
        (Budget(per_request_max_usd=usd("1")), []),
        (Budget(daily_usd=usd("0")), [Window.DAY]),
        (Budget(monthly_usd=usd("1")), [Window.MONTH]),
    ],
)
def test_a_window_without_a_cap_has_no_limit(budget: Budget, windows: list[Window]) -> None:
    limits = spend_limits(Scope.WORKSPACE, "ws_1", budget, NEW_YEARS_EVE)
    assert [each.counter.window for each in limits] == windows


def test_scopes_are_judged_from_the_narrowest_to_the_widest() -> None:
    assert list(Scope) == [Scope.STACK, Scope.KEY, Scope.WORKSPACE]


@pytest.mark.parametrize(("amount", "fits"), [(49, True), (50, True), (51, False)])
def test_a_budget_may_be_spent_to_the_last_nano_and_no_further(amount: int, fits: bool) -> None:
    counter = Counter(DAY, used=30, held=20)
    allowance = admit_spend(limit(100), counter, NanoUsd(amount))
    if fits:
        assert isinstance(allowance, Within)
        assert allowance.counter == Counter(DAY, used=30, held=20 + amount, warned=True)
    else:
        assert isinstance(allowance, Over)
        assert allowance.spent == 50
        assert allowance.resets_at == NEW_YEAR_S * 1_000


@given(
    cap=st.integers(0, 10_000),
    stop=st.integers(1, 200),
    warn=st.integers(1, 200),
    used=st.integers(0, 10_000),
    held=st.integers(0, 10_000),
    off=st.integers(-2, 2),
    line=st.sampled_from(["warn", "stop"]),
    warned=st.booleans(),
)
def test_the_lines_lie_where_exact_arithmetic_puts_them(
    cap: int, stop: int, warn: int, used: int, held: int, off: int, line: str, warned: bool
) -> None:
    percent = warn if line == "warn" else stop
    amount = cap * percent // 100 + off - used - held
    assume(amount >= 0)
    after = Decimal(used + held + amount)
    allowance = admit_spend(
        limit(cap, warn=warn, stop=stop), Counter(DAY, used, held, warned), NanoUsd(amount)
    )
    share = Decimal(cap) / 100
    event("over" if isinstance(allowance, Over) else f"within, warns={allowance.warns}")
    if after > share * stop:
        assert isinstance(allowance, Over)
    else:
        crosses = after >= share * warn
        assert allowance == Within(
            Counter(DAY, used, held + amount, warned or crosses), crosses and not warned
        )


def test_a_line_is_warned_of_once() -> None:
    first = admit_spend(limit(100), Counter(DAY), NanoUsd(80))
    assert isinstance(first, Within)
    assert first.warns
    again = admit_spend(limit(100), first.counter, NanoUsd(20))
    assert isinstance(again, Within)
    assert not again.warns


@pytest.mark.parametrize("charged", [0, 19, 20, 35])
def test_a_settlement_takes_the_hold_off_and_puts_the_charge_on(charged: int) -> None:
    counter = Counter(DAY, used=5, held=30, warned=True)
    settled = settle_spend(counter, NanoUsd(20), NanoUsd(charged))
    assert settled == Counter(DAY, used=5 + charged, held=10, warned=True)


def test_a_refusal_tells_scope_window_limit_spending_and_reset() -> None:
    over = admit_spend(limit(10**9, stop=90), Counter(DAY, used=8 * 10**8), NanoUsd(2 * 10**8))
    assert isinstance(over, Over)
    refusal = budget_refusal(over, NanoUsd(2 * 10**8))
    assert refusal.code is Code.BUDGET_EXCEEDED
    assert refusal.details == {
        "scope": "key",
        "window": "day",
        "limit": "0.9",
        "spent": "0.8",
        "resets_at": NEW_YEAR_S,
    }
    assert "key budget of this day stops at 0.9 USD" in refusal.message
    assert "may cost 0.2 USD" in refusal.message
    assert refusal.retry_after_s is None
