"""An exact workspace has no differences, and each tampered row is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.codes import Unbillable
from astrolabe_core.ledger import (
    Capture,
    Command,
    Expire,
    Grant,
    Hold,
    HoldState,
    House,
    Posting,
    PostingKind,
    Reserve,
    Rows,
    Void,
    Wallet,
    apply,
    audit,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, WorkspaceId

NOW = Instant(1_795_000_000_000)
ACME = WorkspaceId("ws_acme")
KEY = KeyId("key_1")


def grant(amount: int, name: str = "grant_1") -> Grant:
    return Grant(id=name, workspace=ACME, amount=NanoUsd(amount), at=NOW)


def reserve(hold: str, amount: int) -> Reserve:
    return Reserve(
        hold=HoldId(hold),
        workspace=ACME,
        key=KEY,
        request=RequestId(f"req_{hold}"),
        amount=NanoUsd(amount),
        at=NOW,
        node=NodeId("node_1"),
        rate=rate_limit(KEY, 100, NOW),
    )


def capture(hold: str, charge: int) -> Capture:
    return Capture(hold=HoldId(hold), workspace=ACME, charge=NanoUsd(charge), at=NOW)


LIFE: list[Command] = [
    grant(100),
    reserve("a", 40),
    reserve("b", 30),
    reserve("c", 20),
    reserve("d", 5),
    reserve("e", 5),
    capture("a", 35),
    capture("b", 50),
    Void(hold=HoldId("c"), workspace=ACME, reason=Unbillable.PROVIDER_ERROR, at=NOW),
    Expire(hold=HoldId("d"), workspace=ACME, at=NOW),
    grant(7, "grant_2"),
]

Books = tuple[Wallet, tuple[Posting, ...], tuple[Hold, ...]]


def kept(commands: Sequence[Command]) -> Books:
    """Carry the commands out and keep what is written."""
    wallet, postings, holds = Wallet(workspace=ACME), list[Posting](), dict[str, Hold]()
    for command in commands:
        rows = Rows(
            wallet=wallet,
            workspace_status=WorkspaceStatus.ACTIVE,
            key_status=KeyStatus.ACTIVE,
            hold=holds.get(getattr(command, "hold", "")),
        )
        change = apply(rows, command)
        assert change.fresh, (command, change.outcome)
        wallet = change.wallet or wallet
        if change.posting is not None:
            postings.append(change.posting)
        if change.hold is not None:
            holds[change.hold.id] = change.hold
    return wallet, tuple(postings), tuple(holds.values())


WALLET, POSTINGS, HOLDS = kept(LIFE)
NUMBERS = {posting.reference + posting.kind: n for n, posting in enumerate(POSTINGS)}


def subjects(
    wallet: Wallet = WALLET,
    postings: tuple[Posting, ...] = POSTINGS,
    holds: tuple[Hold, ...] = HOLDS,
) -> list[str]:
    return [difference.subject for difference in audit(wallet, postings, holds)]


def reposted(number: int, **changes: Any) -> tuple[Posting, ...]:
    changed = evolve(POSTINGS[number], **changes)
    return (*POSTINGS[:number], changed, *POSTINGS[number + 1 :])


def once(sequence: int, **changes: Any) -> Posting:
    kind = PostingKind.GRANT
    return Posting(workspace=ACME, sequence=sequence, kind=kind, reference="g", at=NOW, **changes)


def reheld(name: str, **changes: Any) -> tuple[Hold, ...]:
    return tuple(evolve(hold, **changes) if hold.id == name else hold for hold in HOLDS)


def test_what_the_ledger_wrote_is_exact() -> None:
    assert subjects() == []
    assert (WALLET.available, WALLET.held, WALLET.debt) == (17, 5, 0)


def test_a_workspace_to_which_nothing_happened_is_exact() -> None:
    assert subjects(Wallet(workspace=ACME), (), ()) == []


@pytest.mark.parametrize("balance", ["available", "held", "debt"])
def test_a_wrong_balance_is_named_with_what_the_journal_says(balance: str) -> None:
    changes: dict[str, Any] = {balance: getattr(WALLET, balance) + 1}
    found = audit(evolve(WALLET, **changes), POSTINGS, HOLDS)
    difference = found[0]
    assert difference.workspace == ACME
    assert difference.subject == f"wallet.{balance}"
    assert difference.expected == str(getattr(WALLET, balance))
    assert difference.actual == str(getattr(WALLET, balance) + 1)


def test_a_wrong_sequence_of_the_wallet_is_named() -> None:
    assert subjects(evolve(WALLET, sequence=99)) == ["wallet.sequence"]


def test_a_posting_that_is_gone_leaves_a_gap() -> None:
    found = subjects(postings=POSTINGS[:3] + POSTINGS[4:])
    assert "journal[4].sequence" in found
    assert "wallet.sequence" in found
    assert "wallet.available" in found
    assert "holds[c]" in found


def test_a_posting_that_does_not_sum_to_zero_is_named() -> None:
    assert "journal[7].sum" in subjects(postings=reposted(6, house=34))


def test_a_posting_to_no_house_account_moves_no_money_of_the_house() -> None:
    postings = reposted(NUMBERS["acapture"], house_account=House.NONE)
    assert subjects(postings=postings) == ["journal[7].house", "holds.charged"]


def test_a_posting_of_another_workspace_is_named() -> None:
    assert subjects(postings=reposted(2, workspace=WorkspaceId("ws_zenith"))) == [
        "journal[3].workspace"
    ]


@pytest.mark.parametrize("balance", ["available", "held", "debt"])
def test_a_balance_that_was_once_negative_is_named_though_it_is_mended(balance: str) -> None:
    there = once(1, **{balance: -1})
    back = once(2, **{balance: 1})
    found = subjects(Wallet(workspace=ACME, sequence=2), (there, back), ())
    assert f"journal[1].{balance}" in found


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("e", {"amount": NanoUsd(6)}),
        ("e", {"state": HoldState.EXPIRED}),
        ("a", {"state": HoldState.OPEN}),
        ("a", {"state": HoldState.VOIDED}),
        ("a", {"charged": NanoUsd(36)}),
        ("c", {"state": HoldState.EXPIRED}),
    ],
)
def test_a_hold_that_the_journal_does_not_bear_out_is_named(
    name: str, changes: dict[str, Any]
) -> None:
    assert f"holds[{name}]" in subjects(holds=reheld(name, **changes))


def test_a_hold_that_is_gone_is_named() -> None:
    assert "holds[c]" in subjects(holds=tuple(hold for hold in HOLDS if hold.id != "c"))


def test_two_faults_that_cancel_out_are_named_both() -> None:
    # c is voided twice and d never ends: every sum is right but that of no hold.
    twice = reposted(
        NUMBERS["dexpire"], kind=PostingKind.VOID, reference="c", available=20, held=-20
    )
    wallet = evolve(WALLET, available=NanoUsd(WALLET.available + 15), held=NanoUsd(-10))
    found = subjects(wallet, twice)
    assert "holds[c]" in found
    assert "holds[d]" in found


def test_the_history_of_a_hold_is_told_in_words() -> None:
    holds = reheld("a", charged=NanoUsd(36))
    found = {each.subject: each for each in audit(WALLET, POSTINGS, holds)}
    assert found["holds[a]"].expected == "reserve held=40 charged=0, capture held=-40 charged=36"
    assert found["holds[a]"].actual == "reserve held=40 charged=0, capture held=-40 charged=35"
