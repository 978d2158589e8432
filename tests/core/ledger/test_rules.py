"""Each command changes exactly the rows it should, once, and a refused one changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import Counter, CounterId, Measure, Scope, SpendLimit
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.ledger import (
    Capture,
    Change,
    Closed,
    Command,
    Conflict,
    Count,
    Counted,
    Declined,
    Expire,
    Grant,
    Granted,
    GrantRow,
    Hold,
    HoldState,
    House,
    Posting,
    PostingKind,
    Rejected,
    Reserve,
    Reserved,
    Rows,
    Touched,
    Void,
    Wallet,
    apply,
    touches,
)
from astrolabe_core.money import AMOUNT_MAX, NanoUsd
from astrolabe_core.quotas import RateStatus, rate_limit
from astrolabe_core.units import (
    HoldId,
    Instant,
    KeyId,
    NodeId,
    RequestId,
    Window,
    WorkspaceId,
    window_start,
)

NOW = Instant(1_795_000_000_000)
LATER = Instant(NOW + 86_400_000)
ACME, ZENITH = WorkspaceId("ws_acme"), WorkspaceId("ws_zenith")
KEY = KeyId("key_1")
RATE = rate_limit(KEY, 3, NOW)
DAY = CounterId(Scope.KEY, KEY, Measure.SPEND, Window.DAY, window_start(Window.DAY, NOW))
MONTH = CounterId(Scope.WORKSPACE, ACME, Measure.SPEND, Window.MONTH, Instant(0))
CAP_OF_DAY = SpendLimit(counter=DAY, cap=NanoUsd(100), warn_percent=80, stop_percent=100)
CAP_OF_MONTH = SpendLimit(counter=MONTH, cap=NanoUsd(1_000), warn_percent=80, stop_percent=100)

WALLET = Wallet(
    workspace=ACME, available=NanoUsd(60), held=NanoUsd(40), debt=NanoUsd(0), sequence=7
)
HOLD = Hold(
    id=HoldId("hold_1"),
    workspace=ACME,
    key=KEY,
    request=RequestId("req_1"),
    amount=NanoUsd(40),
    opened_at=NOW,
    node=NodeId("node_1"),
    counters=(DAY, MONTH),
)
RESERVE = Reserve(
    hold=HOLD.id,
    workspace=ACME,
    key=KEY,
    request=HOLD.request,
    amount=NanoUsd(40),
    at=NOW,
    node=HOLD.node,
    rate=RATE,
    limits=(CAP_OF_DAY, CAP_OF_MONTH),
)
CAPTURE = Capture(hold=HOLD.id, workspace=ACME, charge=NanoUsd(25), at=LATER)
VOID = Void(hold=HOLD.id, workspace=ACME, reason=Unbillable.PROVIDER_TIMEOUT, at=LATER)
EXPIRE = Expire(hold=HOLD.id, workspace=ACME, at=LATER)
GRANT = Grant(id="grant_1", workspace=ACME, amount=NanoUsd(500), at=NOW, note="play credit")
COUNT = Count(workspace=ACME, rate=RATE, at=NOW)

ENDS = [CAPTURE, VOID, EXPIRE]
EVERY = [RESERVE, CAPTURE, VOID, EXPIRE, GRANT, COUNT]

BEFORE = Rows(
    wallet=evolve(WALLET, available=NanoUsd(100), held=NanoUsd(0)),
    workspace_status=WorkspaceStatus.ACTIVE,
    key_status=KeyStatus.ACTIVE,
)
HELD = Rows(
    wallet=WALLET,
    hold=HOLD,
    counters={DAY: Counter(DAY, held=40), MONTH: Counter(MONTH, used=5, held=40)},
)


def written(change: Change) -> dict[str, object]:
    """Give what storage would write, the outcome aside."""
    rows = {
        "wallet": change.wallet,
        "hold": change.hold,
        "grant": change.grant,
        "counters": change.counters or None,
        "posting": change.posting,
    }
    return {name: row for name, row in rows.items() if row is not None}


def after(rows: Rows, change: Change) -> Rows:
    """Put what a change writes in place of what stood."""
    return Rows(
        wallet=change.wallet or rows.wallet,
        workspace_status=rows.workspace_status,
        key_status=rows.key_status,
        hold=change.hold or rows.hold,
        grant=change.grant or rows.grant,
        counters={**rows.counters, **{counter.id: counter for counter in change.counters}},
    )


def wallet(**balances: int) -> Wallet:
    changes: dict[str, Any] = balances
    return evolve(WALLET, **changes)


def code(change: Change) -> Code | None:
    return change.outcome.refusal.code if isinstance(change.outcome, Declined) else None


def assert_refused(change: Change, outcome: Rejected | None = None) -> None:
    assert written(change) == {}
    assert not change.fresh
    if outcome is not None:
        assert change.outcome == outcome


# What a command reads


def test_a_command_names_every_row_that_it_reads() -> None:
    assert touches(RESERVE) == Touched(
        workspace=ACME, key=KEY, hold=HOLD.id, counters=(RATE.counter, DAY, MONTH)
    )
    assert touches(GRANT) == Touched(workspace=ACME, grant="grant_1")
    assert touches(COUNT) == Touched(workspace=ACME, counters=(RATE.counter,))


@pytest.mark.parametrize("command", ENDS)
def test_the_end_of_a_hold_reads_the_counters_that_it_was_admitted_to(command: Command) -> None:
    assert touches(command) == Touched(workspace=ACME, hold=HOLD.id)
    assert touches(command, HOLD) == Touched(workspace=ACME, hold=HOLD.id, counters=(DAY, MONTH))


@pytest.mark.parametrize("command", EVERY)
def test_a_workspace_without_wallet_is_unknown(command: Command) -> None:
    assert_refused(
        apply(evolve(BEFORE, wallet=None), command), Rejected(Conflict.UNKNOWN_WORKSPACE)
    )


# Reserve


def test_a_reservation_moves_money_from_available_to_held_in_one_change() -> None:
    change = apply(BEFORE, RESERVE)
    assert change.fresh
    assert change.outcome == Reserved(
        hold=HOLD,
        rate=RateStatus(limit=3, remaining=2, resets_at=Instant(RATE.counter.start + 60_000)),
        available=NanoUsd(60),
    )
    assert written(change) == {
        "wallet": wallet(sequence=8),
        "hold": HOLD,
        "counters": (
            Counter(RATE.counter, used=1),
            Counter(DAY, held=40),
            Counter(MONTH, held=40),
        ),
        "posting": Posting(
            workspace=ACME,
            sequence=8,
            kind=PostingKind.RESERVE,
            reference="hold_1",
            at=NOW,
            available=-40,
            held=40,
        ),
    }


def test_a_reservation_without_budgets_counts_the_request_only() -> None:
    change = apply(BEFORE, evolve(RESERVE, limits=()))
    assert change.counters == (Counter(RATE.counter, used=1),)
    assert change.hold == evolve(HOLD, counters=())


def test_a_warning_names_each_counter_that_crosses_its_line() -> None:
    near = {DAY: Counter(DAY, used=50), MONTH: Counter(MONTH, used=50)}
    change = apply(evolve(BEFORE, counters=near), RESERVE)
    assert isinstance(change.outcome, Reserved)
    assert change.outcome.warnings == (DAY,)
    assert Counter(DAY, used=50, held=40, warned=True) in change.counters


@pytest.mark.parametrize(("available", "floor", "passes"), [
    (40, 0, True), (39, 0, False), (50, 10, True), (49, 10, False), (0, 0, False),
])  # fmt: skip
def test_the_balance_must_cover_hold_and_floor_to_the_nano(
    available: int, floor: int, passes: bool
) -> None:
    rows = evolve(BEFORE, wallet=wallet(available=available, held=0))
    change = apply(rows, evolve(RESERVE, floor=NanoUsd(floor)))
    assert isinstance(change.outcome, Reserved) is passes
    assert code(change) is (None if passes else Code.PAYMENT_REQUIRED)


def test_a_debt_of_one_nano_blocks_a_reservation_of_nothing() -> None:
    rows = evolve(BEFORE, wallet=wallet(available=0, held=0, debt=1))
    assert code(apply(rows, evolve(RESERVE, amount=NanoUsd(0)))) is Code.PAYMENT_REQUIRED


def test_a_full_minute_declines() -> None:
    full = evolve(BEFORE, counters={RATE.counter: Counter(RATE.counter, used=3)})
    change = apply(full, RESERVE)
    assert_refused(change)
    assert code(change) is Code.RATE_LIMITED


def test_a_budget_that_is_used_up_declines_and_leaves_the_others_alone() -> None:
    full = evolve(BEFORE, counters={MONTH: Counter(MONTH, used=961)})
    change = apply(full, RESERVE)
    assert_refused(change)
    assert code(change) is Code.BUDGET_EXCEEDED


ALL_AGAINST_IT = Rows(
    wallet=wallet(available=0, debt=5),
    workspace_status=WorkspaceStatus.PENDING,
    key_status=KeyStatus.REVOKED,
    counters={
        RATE.counter: Counter(RATE.counter, used=3),
        DAY: Counter(DAY, used=100),
    },
)
MENDED_ONE_BY_ONE: list[tuple[dict[str, Any], Code | None]] = [
    ({}, Code.UNAUTHORIZED),
    ({"key_status": KeyStatus.ACTIVE}, Code.WORKSPACE_PENDING),
    ({"workspace_status": WorkspaceStatus.ACTIVE}, Code.RATE_LIMITED),
    ({"counters": {DAY: Counter(DAY, used=100)}}, Code.BUDGET_EXCEEDED),
    ({"counters": {}}, Code.PAYMENT_REQUIRED),
    ({"wallet": wallet(available=40, debt=0)}, None),
]


def test_refusals_come_in_the_order_of_the_checks() -> None:
    rows = ALL_AGAINST_IT
    for mended, expected in MENDED_ONE_BY_ONE:
        rows = evolve(rows, **mended)
        assert code(apply(rows, RESERVE)) is expected


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1])
def test_an_amount_out_of_range_is_no_reservation(amount: int) -> None:
    command = evolve(RESERVE, amount=NanoUsd(amount))
    assert_refused(apply(BEFORE, command), Rejected(Conflict.AMOUNT_OUT_OF_RANGE))


def test_a_negative_floor_is_no_credit() -> None:
    command = evolve(RESERVE, amount=NanoUsd(150), floor=NanoUsd(-50), limits=())
    assert_refused(apply(BEFORE, command), Rejected(Conflict.AMOUNT_OUT_OF_RANGE))


# Capture, void, expire


@pytest.mark.parametrize(
    ("charge", "available", "debt", "debt_added"),
    [(0, 100, 0, 0), (25, 75, 0, 0), (39, 61, 0, 0), (40, 60, 0, 0), (41, 59, 0, 0),
     (100, 0, 0, 0), (101, 0, 1, 1), (250, 0, 150, 150)],
)  # fmt: skip
def test_a_capture_debits_the_charge_from_hold_then_balance_then_debt(
    charge: int, available: int, debt: int, debt_added: int
) -> None:
    change = apply(HELD, evolve(CAPTURE, charge=NanoUsd(charge)))
    assert change.wallet == wallet(available=available, held=0, debt=debt, sequence=8)
    ended = evolve(HOLD, state=HoldState.CAPTURED, charged=NanoUsd(charge), closed_at=LATER)
    assert change.hold == ended
    assert change.outcome == Closed(
        hold=ended, available=NanoUsd(available), debt_added=NanoUsd(debt_added)
    )
    assert change.counters == (Counter(DAY, used=charge), Counter(MONTH, used=5 + charge))
    assert change.posting == Posting(
        workspace=ACME,
        sequence=8,
        kind=PostingKind.CAPTURE,
        reference="hold_1",
        at=LATER,
        available=available - 60,
        held=-40,
        debt=debt_added,
        house=charge,
        house_account=House.REVENUE if charge else House.NONE,
    )


@pytest.mark.parametrize(
    ("command", "state", "kind", "reason"),
    [
        (VOID, HoldState.VOIDED, PostingKind.VOID, Unbillable.PROVIDER_TIMEOUT),
        (EXPIRE, HoldState.EXPIRED, PostingKind.EXPIRE, Unbillable.GATEWAY_CRASH),
    ],
)
def test_a_void_and_an_expiry_give_everything_back(
    command: Void | Expire, state: HoldState, kind: PostingKind, reason: Unbillable
) -> None:
    change = apply(HELD, command)
    assert change.wallet == wallet(available=100, held=0, sequence=8)
    assert change.hold == evolve(HOLD, state=state, reason=reason, closed_at=LATER)
    assert change.counters == (Counter(DAY), Counter(MONTH, used=5))
    assert change.posting == Posting(
        workspace=ACME,
        sequence=8,
        kind=kind,
        reference="hold_1",
        at=LATER,
        available=40,
        held=-40,
    )


@pytest.mark.parametrize(
    ("debt", "command", "available_after", "debt_after"),
    [
        (30, VOID, 10, 0),
        (40, EXPIRE, 0, 0),
        (70, VOID, 0, 30),
        (10, CAPTURE, 5, 0),
        (15, CAPTURE, 0, 0),
        (20, CAPTURE, 0, 5),
    ],
)
def test_money_that_a_hold_gives_back_settles_a_debt_first(
    debt: int, command: Command, available_after: int, debt_after: int
) -> None:
    change = apply(evolve(HELD, wallet=wallet(available=0, debt=debt)), command)
    assert change.wallet == wallet(available=available_after, held=0, debt=debt_after, sequence=8)
    assert change.posting is not None
    posting = change.posting
    assert posting.available + posting.held - posting.debt + posting.house == 0
    assert isinstance(change.outcome, Closed)
    assert change.outcome.debt_added == 0


def test_a_hold_may_end_though_key_and_workspace_have_ended() -> None:
    ended = evolve(HELD, key_status=KeyStatus.REVOKED, workspace_status=WorkspaceStatus.SUSPENDED)
    assert isinstance(apply(ended, CAPTURE).outcome, Closed)


@pytest.mark.parametrize("charge", [-1, AMOUNT_MAX + 1])
def test_a_charge_out_of_range_leaves_the_hold_open(charge: int) -> None:
    command = evolve(CAPTURE, charge=NanoUsd(charge))
    assert_refused(apply(HELD, command), Rejected(Conflict.AMOUNT_OUT_OF_RANGE))


@pytest.mark.parametrize("command", ENDS)
def test_a_hold_that_is_not_there_or_not_ours_cannot_be_ended(command: Command) -> None:
    unknown = Rejected(Conflict.UNKNOWN_HOLD)
    assert_refused(apply(evolve(HELD, hold=None), command), unknown)
    theirs = evolve(HELD, hold=evolve(HOLD, workspace=ZENITH))
    assert_refused(apply(theirs, command), unknown)


@pytest.mark.parametrize("command", ENDS)
def test_a_counter_that_was_not_loaded_is_a_bug_and_never_an_empty_one(command: Command) -> None:
    with pytest.raises(KeyError):
        apply(evolve(HELD, counters={DAY: Counter(DAY, held=40)}), command)


# Grant


@pytest.mark.parametrize(
    ("debt", "available_after", "debt_after"), [(0, 560, 0), (200, 360, 0), (500, 60, 0)]
)
def test_a_grant_settles_a_debt_first(debt: int, available_after: int, debt_after: int) -> None:
    change = apply(evolve(BEFORE, wallet=wallet(debt=debt)), GRANT)
    granted = wallet(available=available_after, debt=debt_after, sequence=8)
    assert change.outcome == Granted(wallet=granted)
    assert written(change) == {
        "wallet": granted,
        "grant": GrantRow(id="grant_1", workspace=ACME, amount=NanoUsd(500)),
        "posting": Posting(
            workspace=ACME,
            sequence=8,
            kind=PostingKind.GRANT,
            reference="grant_1",
            at=NOW,
            available=500 - debt,
            debt=-debt,
            house=-500,
            house_account=House.FUNDING,
            note="play credit",
        ),
    }


def test_a_grant_below_the_debt_leaves_the_rest_owed() -> None:
    change = apply(evolve(BEFORE, wallet=wallet(available=0, debt=501)), GRANT)
    assert change.wallet == wallet(available=0, debt=1, sequence=8)


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1])
def test_a_grant_is_above_zero_and_within_bounds(amount: int) -> None:
    command = evolve(GRANT, amount=NanoUsd(amount))
    assert_refused(apply(BEFORE, command), Rejected(Conflict.AMOUNT_OUT_OF_RANGE))


@pytest.mark.parametrize(("amount", "fits"), [(AMOUNT_MAX - 100, True), (AMOUNT_MAX - 99, False)])
def test_held_money_counts_against_the_largest_balance(amount: int, fits: bool) -> None:
    change = apply(evolve(BEFORE, wallet=WALLET), evolve(GRANT, amount=NanoUsd(amount)))
    assert isinstance(change.outcome, Granted) is fits


# Count


def test_a_request_without_hold_is_counted() -> None:
    change = apply(BEFORE, COUNT)
    assert change.fresh
    assert change.outcome == Counted(
        rate=RateStatus(limit=3, remaining=2, resets_at=Instant(RATE.counter.start + 60_000))
    )
    assert written(change) == {"counters": (Counter(RATE.counter, used=1),)}


def test_in_a_full_minute_the_ending_is_kept_and_nothing_counted() -> None:
    full = evolve(BEFORE, counters={RATE.counter: Counter(RATE.counter, used=3)})
    change = apply(full, COUNT)
    assert change.fresh
    assert written(change) == {}
    assert isinstance(change.outcome, Counted)
    assert change.outcome.rate.remaining == 0


# The same command again


@pytest.mark.parametrize("command", [RESERVE, GRANT])
def test_a_repeated_opening_replays_and_changes_nothing(command: Command) -> None:
    first = apply(BEFORE, command)
    again = apply(after(BEFORE, first), command)
    assert_refused(again)
    assert again.outcome == first.outcome


@pytest.mark.parametrize("command", ENDS)
def test_a_repeated_ending_replays_and_changes_nothing(command: Command) -> None:
    first = apply(HELD, command)
    again = apply(after(HELD, first), command)
    assert_refused(again)
    assert again.outcome == first.outcome


def test_a_replayed_reservation_is_not_judged_again() -> None:
    held = after(BEFORE, apply(BEFORE, RESERVE))
    against = evolve(
        held,
        key_status=KeyStatus.REVOKED,
        wallet=wallet(available=0, debt=9),
        counters={RATE.counter: Counter(RATE.counter, used=3)},
    )
    change = apply(against, RESERVE)
    assert_refused(change)
    assert isinstance(change.outcome, Reserved)
    assert change.outcome.hold == HOLD


def test_a_replayed_reservation_shows_how_its_hold_has_ended() -> None:
    voided = after(HELD, apply(HELD, VOID))
    change = apply(voided, RESERVE)
    assert_refused(change)
    assert isinstance(change.outcome, Reserved)
    assert change.outcome.hold.state is HoldState.VOIDED


@pytest.mark.parametrize(
    "other",
    [
        evolve(RESERVE, amount=NanoUsd(41)),
        evolve(RESERVE, key=KeyId("key_2")),
        evolve(RESERVE, request=RequestId("req_2")),
        evolve(RESERVE, workspace=ZENITH),
    ],
)
def test_the_identity_of_a_hold_serves_one_reservation_only(other: Reserve) -> None:
    held = after(BEFORE, apply(BEFORE, RESERVE))
    assert_refused(apply(held, other), Rejected(Conflict.IDENTITY_REUSED))


@pytest.mark.parametrize(
    "other", [evolve(GRANT, amount=NanoUsd(501)), evolve(GRANT, workspace=ZENITH)]
)
def test_the_identity_of_a_grant_serves_one_grant_only(other: Grant) -> None:
    granted = after(BEFORE, apply(BEFORE, GRANT))
    assert_refused(apply(granted, other), Rejected(Conflict.IDENTITY_REUSED))


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_a_hold_ends_in_one_way_only(first: Command, second: Command) -> None:
    ended = after(HELD, apply(HELD, first))
    change = apply(ended, second)
    assert_refused(change)
    if first is not second:
        assert change.outcome == Rejected(Conflict.HOLD_CLOSED)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CAPTURE, evolve(CAPTURE, charge=NanoUsd(26))),
        (CAPTURE, evolve(CAPTURE, charge=NanoUsd(-1))),
        (VOID, evolve(VOID, reason=Unbillable.CLIENT_DISCONNECTED)),
    ],
)
def test_an_ending_with_other_contents_is_a_conflict(first: Command, second: Command) -> None:
    ended = after(HELD, apply(HELD, first))
    assert_refused(apply(ended, second), Rejected(Conflict.IDENTITY_REUSED))


# Together


@given(
    available=st.integers(0, 300),
    debt=st.integers(0, 300),
    amount=st.integers(0, 300),
    charge=st.integers(0, 600),
    how=st.sampled_from(["capture", "void", "expire"]),
)
def test_no_end_makes_a_balance_negative_or_money_from_nothing(
    available: int, debt: int, amount: int, charge: int, how: str
) -> None:
    available = 0 if debt else available  # money at hand has settled a debt already
    hold = evolve(HOLD, amount=NanoUsd(amount), counters=())
    rows = Rows(wallet=wallet(available=available, held=amount, debt=debt), hold=hold)
    ends: dict[str, Command] = {
        "capture": evolve(CAPTURE, charge=NanoUsd(charge)),
        "void": VOID,
        "expire": EXPIRE,
    }
    after_it = apply(rows, ends[how]).wallet
    assert after_it is not None
    charged = charge if how == "capture" else 0
    event(f"{how}: {'debt' if after_it.debt else 'no debt'} after")
    assert min(after_it.available, after_it.held, after_it.debt) >= 0
    assert 0 in {after_it.available, after_it.debt}
    assert after_it.available - after_it.debt == available + amount - debt - charged
