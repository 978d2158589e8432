"""New rows hold nothing, and their words are those that storage writes."""

from __future__ import annotations

from astrolabe_core.ledger.rows import Hold, HoldState, House, Posting, PostingKind, Wallet
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, WorkspaceId

ACME = WorkspaceId("ws_acme")


def test_a_new_wallet_is_empty_and_its_journal_has_not_begun() -> None:
    wallet = Wallet(workspace=ACME)
    assert (wallet.available, wallet.held, wallet.debt, wallet.sequence) == (0, 0, 0, 0)


def test_a_new_hold_is_open_and_charges_nothing() -> None:
    hold = Hold(
        id=HoldId("h"),
        workspace=ACME,
        key=KeyId("k"),
        request=RequestId("r"),
        amount=NanoUsd(1),
        opened_at=Instant(0),
        node=NodeId("n"),
    )
    assert (hold.state, hold.charged, hold.reason, hold.closed_at) == (
        HoldState.OPEN,
        0,
        None,
        None,
    )


def test_a_new_posting_moves_nothing() -> None:
    posting = Posting(
        workspace=ACME, sequence=1, kind=PostingKind.GRANT, reference="g", at=Instant(0)
    )
    assert (posting.available, posting.held, posting.debt, posting.house) == (0, 0, 0, 0)
    assert posting.house_account is House.NONE


def test_the_words_of_the_rows_are_the_ones_in_the_tables() -> None:
    assert [state.value for state in HoldState] == ["open", "captured", "voided", "expired"]
    assert [kind.value for kind in PostingKind] == ["grant", "reserve", "capture", "void", "expire"]
    assert [house.value for house in House] == ["funding", "revenue", "none"]
