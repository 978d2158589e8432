"""A refused hold says what is short, why, and whether waiting or paying would help."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_core.codes import Code
from astrolabe_core.ledger.rows import Wallet
from astrolabe_core.ledger.solvency import RETRY_IN_FLIGHT_S, balance_refusal
from astrolabe_core.money import NanoUsd, usd
from astrolabe_core.units import WorkspaceId


def wallet(available: int, held: int = 0, debt: int = 0) -> Wallet:
    return Wallet(
        workspace=WorkspaceId("ws_1"),
        available=NanoUsd(available),
        held=NanoUsd(held),
        debt=NanoUsd(debt),
    )


@given(
    available=st.integers(0, 20),
    held=st.integers(0, 20),
    debt=st.integers(0, 2),
    amount=st.integers(0, 20),
    floor=st.integers(0, 5),
)
def test_the_reason_is_the_one_that_the_three_balances_give(
    available: int, held: int, debt: int, amount: int, floor: int
) -> None:
    refusal = balance_refusal(wallet(available, held, debt), NanoUsd(amount), NanoUsd(floor))
    if debt:
        expected = "debt_outstanding"
    elif available - amount >= floor:
        expected = None
    elif available + held - amount >= floor:
        expected = "in_flight_holds"
    else:
        expected = "insufficient_balance"
    event(str(expected))
    assert (None if refusal is None else refusal.details["reason"]) == expected


@pytest.mark.parametrize(
    ("stands", "reason", "advice", "retry_after_s"),
    [
        (wallet(1, held=1), "insufficient_balance", "add at least 0.000000009 USD", None),
        (wallet(1, held=9), "in_flight_holds", "try again when they have", RETRY_IN_FLIGHT_S),
        (wallet(0, held=99, debt=7), "debt_outstanding", "0.000000007 USD of credit", None),
    ],
)
def test_a_refusal_says_what_would_help(
    stands: Wallet, reason: str, advice: str, retry_after_s: int | None
) -> None:
    refusal = balance_refusal(stands, NanoUsd(8), NanoUsd(2))
    assert refusal is not None
    assert refusal.code is Code.PAYMENT_REQUIRED
    assert refusal.details["reason"] == reason
    assert refusal.retry_after_s == retry_after_s
    assert advice in refusal.message


def test_the_details_are_exact_dollars_and_the_floor_is_required_too() -> None:
    stands = wallet(usd("0.25"), held=usd("0.5"))
    refusal = balance_refusal(stands, usd("1"), usd("0.1"))
    assert refusal is not None
    assert refusal.details == {
        "available": "0.25",
        "required": "1.1",
        "held": "0.5",
        "reason": "insufficient_balance",
    }
