"""What must a host provide, and what may it rely on in return?

Each protocol is one promise. A store that keeps them passes the public conformance suite in
`astrolabe_storage.conformance`. Reads never wait for the writer. A store that cannot be
reached raises `StorageUnavailable`, never answers "not found".
"""

from collections.abc import Awaitable
from typing import Protocol

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.conversations import Conversation, KeptResponse, TooLong
from astrolabe_core.ledger import Command, Hold, Outcome, Posting, Wallet
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import StackVersion
from astrolabe_core.units import Instant, KeyId, NodeId, RequestId, ResponseId, WorkspaceId
from astrolabe_core.usage import UsageGrouping, UsageQuery, UsageRecord, UsageTotals


class StorageUnavailable(Exception):  # noqa: N818 - named by what is so, as a caller reads it
    """The store cannot be reached, or is too busy to take another command."""


class Clock(Protocol):
    """Tells the time. The core never looks at another clock."""

    def now(self) -> Instant:
        """Give the current instant."""
        ...


class Callers(Protocol):
    """Knows who holds a key."""

    async def caller(self, key_hash: str, at: Instant, stack: StackRef | None) -> Caller | None:
        """Give the caller with this key hash as it stands now, or `None` for no such key.

        Revoked keys and inactive workspaces are given as they are: policy refuses them.
        `stack` is the one that the request names, to be found among the workspace's own.
        """
        ...


class Ledger(Protocol):
    """Carries out ledger commands, each at most once, durably, in the order submitted."""

    def submit(self, command: Command) -> Awaitable[Outcome]:
        """Queue a command now; the awaitable gives its outcome once that is durable.

        A plain call, so that a `finally` can always end a hold: the command is carried out
        whether or not the outcome is awaited. Raises `StorageUnavailable`, here or when
        awaited, when the command was not accepted.
        """
        ...


class Accounts(Protocol):
    """Keeps workspaces, keys and stacks. Changes take effect on the next `caller`."""

    async def create_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace and open its wallet."""
        ...

    async def save_workspace(self, workspace: Workspace) -> bool:
        """Replace a workspace by id; false when there is none."""
        ...

    async def workspace(self, workspace: WorkspaceId) -> Workspace | None:
        """Find a workspace."""
        ...

    async def workspaces(self) -> tuple[Workspace, ...]:
        """List all workspaces, oldest first."""
        ...

    async def create_key(self, key: Key) -> None:
        """Keep a new key."""
        ...

    async def save_key(self, key: Key) -> bool:
        """Replace a key by id; false when there is none."""
        ...

    async def key(self, key: KeyId) -> Key | None:
        """Find a key."""
        ...

    async def keys(self, workspace: WorkspaceId) -> tuple[Key, ...]:
        """List the keys of a workspace, oldest first."""
        ...

    async def publish_stack(self, workspace: WorkspaceId, version: StackVersion) -> bool:
        """Keep a version of a workspace's own stack; false when that number is taken."""
        ...


class Journal(Protocol):
    """Shows the money as rows."""

    async def wallet(self, workspace: WorkspaceId) -> Wallet | None:
        """Give the balances of a workspace."""
        ...

    async def postings(
        self, workspace: WorkspaceId, *, after: int = 0, limit: int = 1_000
    ) -> tuple[Posting, ...]:
        """Give postings in sequence, from the one after `after`."""
        ...

    async def holds(self, workspace: WorkspaceId) -> tuple[Hold, ...]:
        """Give every hold of a workspace, oldest first."""
        ...

    async def orphans(self, *, node: NodeId | None = None) -> tuple[Hold, ...]:
        """Give open holds of every node but `node`: what a crash may have left."""
        ...


class Records(Protocol):
    """Keeps how requests ended."""

    async def usage(self, query: UsageQuery) -> tuple[UsageRecord, ...]:
        """Give the matching rows, newest first, at most `query.limit`."""
        ...

    async def usage_totals(
        self, query: UsageQuery, grouping: UsageGrouping
    ) -> tuple[UsageTotals, ...]:
        """Sum the matching rows by group, largest debit first; paging is ignored."""
        ...

    async def trace(self, workspace: WorkspaceId, request: RequestId) -> str | None:
        """Give a stored trace as JSON text; `None` for another workspace's, too."""
        ...


class Conversations(Protocol):
    """Keeps answered requests to be gone on from. Another workspace's are simply not there."""

    async def keep_response(self, response: KeptResponse) -> None:
        """Keep a response, durably; its id is new."""
        ...

    async def kept_response(
        self, workspace: WorkspaceId, response: ResponseId
    ) -> KeptResponse | None:
        """Find a kept response."""
        ...

    async def conversation(
        self, workspace: WorkspaceId, response: ResponseId, *, bytes_max: int
    ) -> Conversation | TooLong:
        """Give a response and all that it goes on from; nothing where any of them is missing.

        `TooLong` where they are more than `RESPONSES_MAX`, or their items more than
        `bytes_max`; never more than that is read.
        """
        ...

    async def forget_response(self, workspace: WorkspaceId, response: ResponseId) -> bool:
        """Forget a response for good; false when there is none. What went on from it is cut off."""
        ...


class Store(Callers, Ledger, Accounts, Journal, Records, Conversations, Protocol):
    """All of the above behind one URL, opened and closed together."""

    async def ready(self) -> bool:
        """Say whether the store can be read and written now."""
        ...

    async def close(self) -> None:
        """Carry out what is queued, then let go of every resource. Safe to repeat."""
        ...
