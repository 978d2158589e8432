"""Do all journals, balances, holds and budget counters of a store agree?"""

from collections.abc import Iterator

from astrolabe_core.budgets import Counter, CounterId
from astrolabe_core.ledger import Difference, HoldState, audit
from astrolabe_core.units import WorkspaceId
from astrolabe_storage.books import Audited, Books


async def audit_store(store: Audited) -> tuple[Difference, ...]:
    """Recompute every workspace from its journal and its holds; empty when all is exact.

    Each workspace is read as of one moment, so that traffic makes no difference.
    """
    found: list[Difference] = []
    for workspace in await store.workspaces():
        books = await store.books(workspace.id)
        if books is None:
            found.append(_no_wallet(workspace.id))
        else:
            found += audit(books.wallet, books.postings, books.holds)
            found += _counter_differences(books)
    return tuple(found)


def _counter_differences(books: Books) -> Iterator[Difference]:
    """Compare each budget counter with the sum of the holds that spend from it."""
    expected: dict[CounterId, tuple[int, int]] = {}
    for hold in books.holds:
        held = hold.amount if hold.state is HoldState.OPEN else 0
        for counter in hold.counters:
            used_before, held_before = expected.get(counter, (0, 0))
            expected[counter] = (used_before + hold.charged, held_before + held)
    actual = {counter.id: counter for counter in books.counters}
    for counter in {**expected, **actual}:
        used, held = expected.get(counter, (0, 0))
        row = actual.get(counter, Counter(counter))
        if (row.used, row.held) != (used, held):
            yield _difference(books.wallet.workspace, counter, (used, held), (row.used, row.held))


def _difference(
    workspace: WorkspaceId, counter: CounterId, expected: tuple[int, int], actual: tuple[int, int]
) -> Difference:
    subject = f"counter[{counter.scope} {counter.owner} {counter.window} {counter.start}]"
    return Difference(
        workspace=workspace,
        subject=subject,
        expected=f"used {expected[0]}, held {expected[1]}",
        actual=f"used {actual[0]}, held {actual[1]}",
    )


def _no_wallet(workspace: WorkspaceId) -> Difference:
    return Difference(workspace=workspace, subject="wallet", expected="a wallet", actual="none")
