"""Do the journal and the rows of a workspace agree?"""

from attrs import frozen

from astrolabe_core.ledger.rows import Hold, HoldState, House, Posting, Wallet
from astrolabe_core.units import WorkspaceId


@frozen(kw_only=True)
class Difference:
    """Something that a journal and the rows disagree about."""

    workspace: WorkspaceId
    subject: str
    expected: str
    actual: str


def audit(
    wallet: Wallet, postings: tuple[Posting, ...], holds: tuple[Hold, ...]
) -> tuple[Difference, ...]:
    """Recompute one workspace from its journal and name every difference; empty when exact."""
    found: list[Difference] = []

    def compare(subject: str, expected: object, actual: object) -> None:
        if expected != actual:
            found.append(
                Difference(
                    workspace=wallet.workspace,
                    subject=subject,
                    expected=str(expected),
                    actual=str(actual),
                )
            )

    for number, posting in enumerate(postings, start=1):
        compare(f"journal[{number}].sequence", number, posting.sequence)
        total = posting.available + posting.held - posting.debt + posting.house
        compare(f"journal[{posting.sequence}].sum", 0, total)
    compare("wallet.sequence", len(postings), wallet.sequence)
    compare("wallet.available", sum(p.available for p in postings), wallet.available)
    compare("wallet.held", sum(p.held for p in postings), wallet.held)
    compare("wallet.debt", sum(p.debt for p in postings), wallet.debt)
    still_open = sum(hold.amount for hold in holds if hold.state is HoldState.OPEN)
    compare("holds.open", still_open, wallet.held)
    charged = sum(hold.charged for hold in holds)
    revenue = sum(p.house for p in postings if p.house_account is House.REVENUE)
    compare("holds.charged", revenue, charged)
    return tuple(found)
