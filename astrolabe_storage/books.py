"""What does an auditor need to see of a workspace, all at one moment?"""

from typing import Protocol

from attrs import frozen

from astrolabe_core.accounts import Workspace
from astrolabe_core.budgets import Counter
from astrolabe_core.ledger import Hold, Posting, Wallet
from astrolabe_core.ports import Store
from astrolabe_core.units import WorkspaceId


@frozen(kw_only=True)
class Books:
    """One workspace's money as one transaction sees it.

    `counters` are the spend counters of the workspace, of its keys, and of its holds.
    """

    wallet: Wallet
    postings: tuple[Posting, ...]
    holds: tuple[Hold, ...]
    counters: tuple[Counter, ...]


class Audited(Protocol):
    """A store that can be audited while it is written to."""

    async def workspaces(self) -> tuple[Workspace, ...]:
        """List all workspaces, oldest first."""
        ...

    async def books(self, workspace: WorkspaceId) -> Books | None:
        """Give a workspace's books as of one moment, or `None` for no such workspace."""
        ...


class AuditedStore(Store, Audited, Protocol):
    """What every backend of this package is."""
