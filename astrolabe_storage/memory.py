"""What do the ports mean?  The shortest store that keeps their promises, in dictionaries.

For tests and for use in-process; nothing outlives it. A command is carried out within
`submit`, so that the order of commands is the order of calls. `pause`, where given, is
awaited before each answer: tests use it to let others in at every point where a real store
would wait.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import TypeAlias, TypeVar

from attrs import frozen

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.budgets import Counter, CounterId, Measure
from astrolabe_core.conversations import RESPONSES_MAX, Conversation, KeptResponse, TooLong
from astrolabe_core.ledger import (
    Capture,
    Change,
    Command,
    Count,
    Ending,
    GrantRow,
    Hold,
    HoldState,
    Outcome,
    Posting,
    Rows,
    Void,
    Wallet,
    apply,
    touches,
)
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.quotas import rate_limit
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import StackVersion, VersionStatus
from astrolabe_core.units import (
    Instant,
    KeyId,
    NodeId,
    RequestId,
    ResponseId,
    StackSlug,
    WorkspaceId,
)
from astrolabe_core.usage import PAGE_MAX, UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_storage.books import Books
from astrolabe_storage.errors import ConstraintViolated
from astrolabe_storage.totals import matches, sum_up

Identity = TypeVar("Identity", bound=str)
T = TypeVar("T")

Pause: TypeAlias = Callable[[], Awaitable[None]]


async def _at_once() -> None:
    """Answer without letting anybody in."""


@frozen
class _Answer:
    """An outcome that is known already, given after the pause, as often as it is awaited."""

    outcome: Outcome | Exception
    pause: Pause

    def __await__(self) -> Generator[object, None, Outcome]:
        yield from self.pause().__await__()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class MemoryStore:
    """Every row in a dictionary by its identity."""

    def __init__(self, pause: Pause = _at_once) -> None:
        self._pause = pause
        self._closed = False
        self._workspaces: dict[WorkspaceId, Workspace] = {}
        self._keys: dict[KeyId, Key] = {}
        self._stacks: dict[tuple[WorkspaceId, StackSlug, int], StackVersion] = {}
        self._wallets: dict[WorkspaceId, Wallet] = {}
        self._holds: dict[str, Hold] = {}
        self._grants: dict[str, GrantRow] = {}
        self._counters: dict[CounterId, Counter] = {}
        self._journal: dict[WorkspaceId, list[Posting]] = {}
        self._usage: dict[tuple[WorkspaceId, RequestId], UsageRecord] = {}
        self._traces: dict[tuple[WorkspaceId, RequestId], str] = {}
        self._responses: dict[ResponseId, KeptResponse] = {}

    # ------------------------------------------------------------------ callers

    async def caller(self, key_hash: str, at: Instant, stack: StackRef | None) -> Caller | None:
        """Give the caller with this key hash as it stands now."""
        await self._turn()
        key = next((key for key in self._keys.values() if key.hash == key_hash), None)
        if key is None:
            return None
        workspace = self._workspaces[key.workspace]
        refs = [stack, *(StackRef(slug=slug) for slug in (key.stack, workspace.stack) if slug)]
        found = {self._version(workspace.id, ref) for ref in refs if ref is not None}
        minute = rate_limit(key.id, key.rate_limit, at).counter
        return Caller(
            key=key,
            workspace=workspace,
            stacks=tuple(version for version in self._stacks.values() if version in found),
            requests_used=self._counters.get(minute, Counter(minute)).used,
            available=self._wallets[workspace.id].available,
        )

    def _version(self, workspace: WorkspaceId, ref: StackRef) -> StackVersion | None:
        """Find a pinned version, or else the newest active one, or else the newest."""
        if ref.version is not None:
            return self._stacks.get((workspace, ref.slug, ref.version))
        own = [
            version
            for (of, slug, _), version in self._stacks.items()
            if of == workspace and slug == ref.slug
        ]
        return max(own, key=_precedence, default=None)

    # ------------------------------------------------------------------ ledger

    def submit(self, command: Command) -> Awaitable[Outcome]:
        """Carry out a command now; the awaitable gives its outcome."""
        if self._closed:
            raise StorageUnavailable("the store is closed")
        try:
            return _Answer(self._carry_out(command), self._pause)
        except Exception as poison:  # noqa: BLE001 - whoever awaits it is told
            return _Answer(poison, self._pause)

    def _carry_out(self, command: Command) -> Outcome:
        change = apply(self._rows(command), command)
        ending = command.ending if isinstance(command, Capture | Void | Count) else None
        if change.fresh and ending is not None:
            self._end(ending)
        self._write(change)
        return change.outcome

    def _rows(self, command: Command) -> Rows:
        named = touches(command)
        hold = self._holds.get(named.hold) if named.hold is not None else None
        workspace = self._workspaces.get(named.workspace)
        key = self._keys.get(named.key) if named.key is not None else None
        return Rows(
            wallet=self._wallets.get(named.workspace),
            workspace_status=workspace.status if workspace else None,
            key_status=key.status if key and key.workspace == named.workspace else None,
            hold=hold,
            grant=self._grants.get(named.grant) if named.grant is not None else None,
            counters={
                counter: self._counters[counter]
                for counter in touches(command, hold).counters
                if counter in self._counters
            },
        )

    def _end(self, ending: Ending) -> None:
        identity = (ending.usage.workspace, ending.usage.request)
        if identity in self._usage:
            raise ConstraintViolated(f"request {ending.usage.request} has ended before")
        self._usage[identity] = ending.usage
        if ending.trace is not None:
            self._traces[identity] = ending.trace

    def _write(self, change: Change) -> None:
        if change.wallet is not None:
            self._wallets[change.wallet.workspace] = change.wallet
        if change.hold is not None:
            self._holds[change.hold.id] = change.hold
        if change.grant is not None:
            self._grants[change.grant.id] = change.grant
        if change.posting is not None:
            self._journal[change.posting.workspace].append(change.posting)
        self._counters.update((counter.id, counter) for counter in change.counters)

    # ------------------------------------------------------------------ accounts

    async def create_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace and open its wallet."""
        await self._turn()
        _refuse_second(self._workspaces, workspace.id)
        self._workspaces[workspace.id] = workspace
        self._wallets[workspace.id] = Wallet(workspace=workspace.id)
        self._journal[workspace.id] = []

    async def save_workspace(self, workspace: Workspace) -> bool:
        """Replace a workspace by id; false when there is none."""
        await self._turn()
        return _replace(self._workspaces, workspace.id, workspace)

    async def workspace(self, workspace: WorkspaceId) -> Workspace | None:
        """Find a workspace."""
        await self._turn()
        return self._workspaces.get(workspace)

    async def workspaces(self) -> tuple[Workspace, ...]:
        """List all workspaces, oldest first."""
        await self._turn()
        return tuple(sorted(self._workspaces.values(), key=lambda row: (row.created_at, row.id)))

    async def create_key(self, key: Key) -> None:
        """Keep a new key."""
        await self._turn()
        _refuse_second(self._keys, key.id)
        _refuse_second({other.hash: other for other in self._keys.values()}, key.hash)
        if key.workspace not in self._workspaces:
            raise ConstraintViolated(f"there is no workspace {key.workspace}")
        self._keys[key.id] = key

    async def save_key(self, key: Key) -> bool:
        """Replace a key by id; false when there is none."""
        await self._turn()
        return _replace(self._keys, key.id, key)

    async def key(self, key: KeyId) -> Key | None:
        """Find a key."""
        await self._turn()
        return self._keys.get(key)

    async def keys(self, workspace: WorkspaceId) -> tuple[Key, ...]:
        """List the keys of a workspace, oldest first."""
        await self._turn()
        own = [key for key in self._keys.values() if key.workspace == workspace]
        return tuple(sorted(own, key=lambda row: (row.created_at, row.id)))

    async def publish_stack(self, workspace: WorkspaceId, version: StackVersion) -> bool:
        """Keep a version of a workspace's own stack; false when that number is taken."""
        await self._turn()
        if workspace not in self._workspaces:
            raise ConstraintViolated(f"there is no workspace {workspace}")
        identity = (workspace, version.stack.slug, version.version)
        return self._stacks.setdefault(identity, version) is version

    # ------------------------------------------------------------------ journal

    async def wallet(self, workspace: WorkspaceId) -> Wallet | None:
        """Give the balances of a workspace."""
        await self._turn()
        return self._wallets.get(workspace)

    async def postings(
        self, workspace: WorkspaceId, *, after: int = 0, limit: int = 1_000
    ) -> tuple[Posting, ...]:
        """Give postings in sequence, from the one after `after`."""
        await self._turn()
        return tuple(self._journal.get(workspace, ())[after : after + limit])

    async def holds(self, workspace: WorkspaceId) -> tuple[Hold, ...]:
        """Give every hold of a workspace, oldest first."""
        await self._turn()
        return _oldest_first(hold for hold in self._holds.values() if hold.workspace == workspace)

    async def orphans(self, *, node: NodeId | None = None) -> tuple[Hold, ...]:
        """Give open holds of every node but `node`."""
        await self._turn()
        return _oldest_first(
            hold
            for hold in self._holds.values()
            if hold.state is HoldState.OPEN and hold.node != node
        )

    async def books(self, workspace: WorkspaceId) -> Books | None:
        """Give a workspace's books as of one moment."""
        await self._turn()
        wallet = self._wallets.get(workspace)
        if wallet is None:
            return None
        holds = _oldest_first(hold for hold in self._holds.values() if hold.workspace == workspace)
        owners = {workspace, *(key.id for key in self._keys.values() if key.workspace == workspace)}
        spent_from = {counter for hold in holds for counter in hold.counters}
        return Books(
            wallet=wallet,
            postings=tuple(self._journal[workspace]),
            holds=holds,
            counters=tuple(
                row
                for counter, row in self._counters.items()
                if counter.measure is Measure.SPEND
                and (counter.owner in owners or counter in spent_from)
            ),
        )

    # ------------------------------------------------------------------ records

    async def usage(self, query: UsageQuery) -> tuple[UsageRecord, ...]:
        """Give the matching rows, newest first, at most `query.limit`."""
        await self._turn()
        rows = [
            row
            for row in self._usage.values()
            if matches(row, query) and (query.before is None or row.request < query.before)
        ]
        rows.sort(key=lambda row: row.request, reverse=True)
        return tuple(rows[: min(query.limit, PAGE_MAX)])

    async def usage_totals(
        self, query: UsageQuery, grouping: UsageGrouping
    ) -> tuple[UsageTotals, ...]:
        """Sum the matching rows by group, largest debit first."""
        await self._turn()
        return sum_up((row for row in self._usage.values() if matches(row, query)), grouping)

    async def trace(self, workspace: WorkspaceId, request: RequestId) -> str | None:
        """Give a stored trace as JSON text."""
        await self._turn()
        return self._traces.get((workspace, request))

    # ------------------------------------------------------------------ conversations

    async def keep_response(self, response: KeptResponse) -> None:
        """Keep a response."""
        await self._turn()
        _refuse_second(self._responses, response.id)
        if response.workspace not in self._workspaces:
            raise ConstraintViolated(f"there is no workspace {response.workspace}")
        self._responses[response.id] = response

    async def kept_response(
        self, workspace: WorkspaceId, response: ResponseId
    ) -> KeptResponse | None:
        """Find a kept response."""
        await self._turn()
        return self._response(workspace, response)

    async def conversation(
        self, workspace: WorkspaceId, response: ResponseId, *, bytes_max: int
    ) -> Conversation | TooLong:
        """Give a response and all that it goes on from, oldest first."""
        await self._turn()
        found: list[KeptResponse] = []
        wanted: ResponseId | None = response
        while wanted is not None:
            kept = self._response(workspace, wanted)
            if kept is None:
                return ()
            found.append(kept)
            bytes_max -= kept.item_bytes
            if bytes_max < 0 or len(found) > RESPONSES_MAX:
                return TooLong()
            wanted = kept.previous
        return tuple(reversed(found))

    async def forget_response(self, workspace: WorkspaceId, response: ResponseId) -> bool:
        """Forget a response for good; false when there is none."""
        await self._turn()
        if self._response(workspace, response) is None:
            return False
        del self._responses[response]
        return True

    def _response(self, workspace: WorkspaceId, response: ResponseId) -> KeptResponse | None:
        kept = self._responses.get(response)
        return kept if kept is not None and kept.workspace == workspace else None

    # ------------------------------------------------------------------ the store

    async def ready(self) -> bool:
        """Say whether the store can be read and written now."""
        return not self._closed

    async def close(self) -> None:
        """Take no more commands."""
        self._closed = True

    async def _turn(self) -> None:
        if self._closed:
            raise StorageUnavailable("the store is closed")
        await self._pause()


def _precedence(version: StackVersion) -> tuple[bool, int]:
    return version.status is VersionStatus.ACTIVE, version.version


def _refuse_second(rows: dict[Identity, T], identity: Identity) -> None:
    if identity in rows:
        raise ConstraintViolated("a row with this identity is there already")


def _replace(rows: dict[Identity, T], identity: Identity, row: T) -> bool:
    if identity not in rows:
        return False
    rows[identity] = row
    return True


def _oldest_first(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    return tuple(sorted(holds, key=lambda hold: (hold.opened_at, hold.id)))
