"""Do the journal and the rows of a workspace agree?

The journal is the witness: balances are summed from it, and each hold must be borne out by one
posting that opened it and, where it has ended, one that closed it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.ledger.rows import Hold, HoldState, House, Posting, PostingKind, Wallet
from astrolabe_core.units import WorkspaceId


@frozen(kw_only=True)
class Difference:
    """Something that a journal and the rows disagree about."""

    workspace: WorkspaceId
    subject: str
    expected: str
    actual: str


_Compared: TypeAlias = tuple[str, object, object]
"""Subject, what is expected, what is there."""


def audit(
    wallet: Wallet, postings: tuple[Posting, ...], holds: tuple[Hold, ...]
) -> tuple[Difference, ...]:
    """Recompute one workspace from its journal and name every difference; empty when exact."""
    compared = (
        *_postings(wallet, postings),
        *_balances(wallet, postings),
        *_holds(wallet, postings, holds),
    )
    return tuple(
        Difference(
            workspace=wallet.workspace,
            subject=subject,
            expected=str(expected),
            actual=str(actual),
        )
        for subject, expected, actual in compared
        if expected != actual
    )


def _postings(wallet: Wallet, postings: tuple[Posting, ...]) -> Iterator[_Compared]:
    for number, posting in enumerate(postings, start=1):
        yield f"journal[{number}].sequence", number, posting.sequence
        yield f"journal[{number}].workspace", wallet.workspace, posting.workspace
        total = posting.available + posting.held - posting.debt + posting.house
        yield f"journal[{number}].sum", 0, total
        if posting.house_account is House.NONE:
            yield f"journal[{number}].house", 0, posting.house


def _balances(wallet: Wallet, postings: tuple[Posting, ...]) -> Iterator[_Compared]:
    yield "wallet.sequence", len(postings), wallet.sequence
    for name, changes, stands in (
        ("available", [posting.available for posting in postings], wallet.available),
        ("held", [posting.held for posting in postings], wallet.held),
        ("debt", [posting.debt for posting in postings], wallet.debt),
    ):
        for number, balance in enumerate(accumulate(changes), start=1):
            yield f"journal[{number}].{name}", max(0, balance), balance
        yield f"wallet.{name}", sum(changes), stands


def _holds(
    wallet: Wallet, postings: tuple[Posting, ...], holds: tuple[Hold, ...]
) -> Iterator[_Compared]:
    still_open = sum(hold.amount for hold in holds if hold.state is HoldState.OPEN)
    yield "holds.open", still_open, wallet.held
    charged = sum(hold.charged for hold in holds)
    revenue = sum(p.house for p in postings if p.house_account is House.REVENUE)
    yield "holds.charged", revenue, charged
    told: defaultdict[str, list[str]] = defaultdict(list)
    for posting in postings:
        if posting.kind is not PostingKind.GRANT:
            told[posting.reference].append(_line(posting.kind, posting.held, posting.house))
    for hold in holds:
        yield f"holds[{hold.id}]", _history(hold), ", ".join(told.pop(hold.id, ()))
    for reference, lines in told.items():
        yield f"holds[{reference}]", "", ", ".join(lines)


_ENDS: Final[Mapping[HoldState, PostingKind]] = {
    HoldState.CAPTURED: PostingKind.CAPTURE,
    HoldState.VOIDED: PostingKind.VOID,
    HoldState.EXPIRED: PostingKind.EXPIRE,
}


def _history(hold: Hold) -> str:
    opened = _line(PostingKind.RESERVE, hold.amount, 0)
    if hold.state is HoldState.OPEN:
        return opened
    return f"{opened}, {_line(_ENDS[hold.state], -hold.amount, hold.charged)}"


def _line(kind: PostingKind, held: int, charged: int) -> str:
    return f"{kind} held={held} charged={charged}"
