"""How does one SQLite file keep the promises of the ports?

Commands and other writes go to the writer's queue and come back when durable. Point queries
run where they are asked, on a connection of their own: at some 15 µs a thread would cost more
than it saves. Whatever may read many rows runs in a thread, on a connection opened for it.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Self, TypeVar, cast

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.conversations import RESPONSES_MAX, Conversation, KeptResponse, TooLong
from astrolabe_core.ledger import Command, Hold, Outcome, Posting, Wallet
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.quotas import rate_limit
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import StackVersion
from astrolabe_core.units import Instant, KeyId, NodeId, RequestId, ResponseId, WorkspaceId
from astrolabe_core.usage import UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_storage.books import Books
from astrolabe_storage.rows import (
    COUNTER_COLUMNS,
    HOLD_COLUMNS,
    KEY_COLUMNS,
    POSTING_COLUMNS,
    RESPONSE_COLUMNS,
    STACK_COLUMNS,
    WALLET_COLUMNS,
    WORKSPACE_COLUMNS,
    Row,
    key_row,
    read_counter,
    read_hold,
    read_key,
    read_posting,
    read_response,
    read_stack_document,
    read_wallet,
    read_workspace,
    response_row,
    stack_row,
    workspace_row,
)
from astrolabe_storage.sqlite.claims import Claim
from astrolabe_storage.sqlite.connections import connect, connect_reading, prepare_file
from astrolabe_storage.sqlite.queries import CALLER, CHAIN, usage_page, usage_sums
from astrolabe_storage.sqlite.transactions import Item, Transactions, Write
from astrolabe_storage.usage_rows import read_totals, read_usage
from astrolabe_storage.writer import Writer

T = TypeVar("T")

KEY_WIDTH: Final = KEY_COLUMNS.count(",") + 1
READY_WITHIN_S: Final = 2.0


class SqliteStore:
    """One file, one writer thread. Open it with `SqliteStore.open`."""

    def __init__(
        self,
        path: Path,
        transactions: Transactions,
        writer: Writer[Item, Any],
        claim: Claim | None = None,
    ) -> None:
        self._path = path
        self._claim = claim
        self._transactions = transactions
        self._writer = writer
        self._reading = connect_reading(path)
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, serving: bool = False) -> Self:
        """Open the file, made and migrated where need be; `serving` as its only gateway.

        Raises `OpeningError`.
        """
        prepare_file(path)
        claim = Claim(path) if serving else None
        try:
            transactions = Transactions(connect(path), secrets.token_hex(8))
            return cls(path, transactions, Writer(transactions.carry_out), claim)
        except BaseException:
            if claim is not None:
                claim.release()
            raise

    # ------------------------------------------------------------------ callers

    async def caller(self, key_hash: str, at: Instant, stack: StackRef | None) -> Caller | None:
        """Give the caller with this key hash as it stands now."""
        asked = {
            "hash": key_hash,
            "minute": rate_limit(KeyId(""), 0, at).counter.start,
            "slug": None if stack is None else stack.slug,
            "version": None if stack is None else stack.version,
        }
        rows = self._ask(CALLER, asked)
        if not rows:
            return None
        *first, available, used, _ = rows[0]
        return Caller(
            key=read_key(tuple(first[:KEY_WIDTH])),
            workspace=read_workspace(tuple(first[KEY_WIDTH:])),
            stacks=tuple(read_stack_document(row[-1]) for row in rows if row[-1] is not None),
            requests_used=used,
            available=available,
        )

    # ------------------------------------------------------------------ ledger

    def submit(self, command: Command) -> Awaitable[Outcome]:
        """Queue a command; the awaitable gives its outcome once that is durable."""
        return cast("Awaitable[Outcome]", self._writer.submit(command))

    # ------------------------------------------------------------------ accounts

    async def create_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace and open its wallet."""
        row = workspace_row(workspace)

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(_insert("workspaces", WORKSPACE_COLUMNS), row)
            connection.execute(_insert("wallets", WALLET_COLUMNS), (workspace.id, 0, 0, 0, 0))

        await self._writer.submit(Write(run))

    async def save_workspace(self, workspace: Workspace) -> bool:
        """Replace a workspace by id; false when there is none."""
        sql = _replace("workspaces", WORKSPACE_COLUMNS)
        return await self._changes(sql, (*workspace_row(workspace), workspace.id))

    async def workspace(self, workspace: WorkspaceId) -> Workspace | None:
        """Find a workspace."""
        sql = f"SELECT {WORKSPACE_COLUMNS} FROM workspaces WHERE id = ?"  # noqa: S608
        return _first(self._ask(sql, (workspace,)), read_workspace)

    async def workspaces(self) -> tuple[Workspace, ...]:
        """List all workspaces, oldest first."""
        sql = f"SELECT {WORKSPACE_COLUMNS} FROM workspaces ORDER BY created_at, id"  # noqa: S608
        return await self._list(sql, (), read_workspace)

    async def create_key(self, key: Key) -> None:
        """Keep a new key."""
        await self._changes(_insert("keys", KEY_COLUMNS), key_row(key))

    async def save_key(self, key: Key) -> bool:
        """Replace a key by id; false when there is none."""
        return await self._changes(_replace("keys", KEY_COLUMNS), (*key_row(key), key.id))

    async def key(self, key: KeyId) -> Key | None:
        """Find a key."""
        sql = f"SELECT {KEY_COLUMNS} FROM keys WHERE id = ?"  # noqa: S608
        return _first(self._ask(sql, (key,)), read_key)

    async def keys(self, workspace: WorkspaceId) -> tuple[Key, ...]:
        """List the keys of a workspace, oldest first."""
        sql = f"SELECT {KEY_COLUMNS} FROM keys WHERE workspace = ? ORDER BY created_at, id"  # noqa: S608
        return await self._list(sql, (workspace,), read_key)

    async def publish_stack(self, workspace: WorkspaceId, version: StackVersion) -> bool:
        """Keep a version of a workspace's own stack; false when that number is taken."""
        sql = f"{_insert('stacks', STACK_COLUMNS)} ON CONFLICT DO NOTHING"
        return await self._changes(sql, stack_row(workspace, version))

    async def _changes(self, sql: str, row: Row) -> bool:
        """Write one row in the writer's order; false when there was nothing to write."""
        write = Write(lambda connection: connection.execute(sql, row).rowcount > 0)
        return cast("bool", await self._writer.submit(write))

    # ------------------------------------------------------------------ journal

    async def wallet(self, workspace: WorkspaceId) -> Wallet | None:
        """Give the balances of a workspace."""
        return _first(self._ask(_WALLET, (workspace,)), read_wallet)

    async def postings(
        self, workspace: WorkspaceId, *, after: int = 0, limit: int = 1_000
    ) -> tuple[Posting, ...]:
        """Give postings in sequence, from the one after `after`."""
        return await self._list(_POSTINGS, (workspace, after, limit), read_posting)

    async def holds(self, workspace: WorkspaceId) -> tuple[Hold, ...]:
        """Give every hold of a workspace, oldest first."""
        return await self._list(_HOLDS, (workspace,), read_hold)

    async def orphans(self, *, node: NodeId | None = None) -> tuple[Hold, ...]:
        """Give open holds of every node but `node`."""
        return await self._list(_ORPHANS, (node,), read_hold)

    async def books(self, workspace: WorkspaceId) -> Books | None:
        """Give a workspace's books as of one moment."""

        def read(connection: sqlite3.Connection) -> Books | None:
            connection.execute("BEGIN")
            wallet = _first(connection.execute(_WALLET, (workspace,)).fetchall(), read_wallet)
            if wallet is None:
                return None
            return Books(
                wallet=wallet,
                postings=tuple(
                    map(read_posting, connection.execute(_POSTINGS, (workspace, 0, -1)))
                ),
                holds=tuple(map(read_hold, connection.execute(_HOLDS, (workspace,)))),
                counters=tuple(
                    map(read_counter, connection.execute(_SPENT, {"workspace": workspace}))
                ),
            )

        return await self._aside(read)

    # ------------------------------------------------------------------ records

    async def usage(self, query: UsageQuery) -> tuple[UsageRecord, ...]:
        """Give the matching rows, newest first, at most `query.limit`."""
        return await self._list(*usage_page(query), read_usage)

    async def usage_totals(
        self, query: UsageQuery, grouping: UsageGrouping
    ) -> tuple[UsageTotals, ...]:
        """Sum the matching rows by group, largest debit first."""
        return await self._list(*usage_sums(query, grouping), read_totals)

    async def trace(self, workspace: WorkspaceId, request: RequestId) -> str | None:
        """Give a stored trace as JSON text."""
        sql = "SELECT trace_json FROM traces WHERE workspace = ? AND request = ?"
        return _first(self._ask(sql, (workspace, request)), lambda row: cast("str", row[0]))

    # ------------------------------------------------------------------ conversations

    async def keep_response(self, response: KeptResponse) -> None:
        """Keep a response."""
        sql, row = _insert("responses", RESPONSE_COLUMNS), response_row(response)
        await self._writer.submit(
            Write(lambda connection: connection.execute(sql, row), apart=True)
        )

    async def kept_response(
        self, workspace: WorkspaceId, response: ResponseId
    ) -> KeptResponse | None:
        """Find a kept response."""
        found = await self._list(_RESPONSE, (response, workspace), read_response)
        return found[0] if found else None

    async def conversation(
        self, workspace: WorkspaceId, response: ResponseId, *, bytes_max: int
    ) -> Conversation | TooLong:
        """Give a response and all that it goes on from, oldest first."""
        asked = {
            "workspace": workspace,
            "response": response,
            "length_max": RESPONSES_MAX,
            "bytes_max": bytes_max,
        }

        def read(connection: sqlite3.Connection) -> Conversation | TooLong:
            connection.execute("BEGIN")
            chain = connection.execute(CHAIN, asked).fetchall()
            if not chain:
                return ()
            _, previous, length, size = chain[-1]
            if length > RESPONSES_MAX or size > bytes_max:
                return TooLong()
            if previous is not None:
                return ()
            found = (connection.execute(_RESPONSE, (each[0], workspace)) for each in chain[::-1])
            return tuple(read_response(rows.fetchone()) for rows in found)

        return await self._aside(read)

    async def forget_response(self, workspace: WorkspaceId, response: ResponseId) -> bool:
        """Forget a response for good; false when there is none."""

        def run(connection: sqlite3.Connection) -> bool:
            # Overwritten and not just let go of: what was deleted is in the file no longer.
            connection.execute("PRAGMA secure_delete = ON")
            sql = "DELETE FROM responses WHERE id = ? AND workspace = ?"
            try:
                return connection.execute(sql, (response, workspace)).rowcount > 0
            finally:
                connection.execute("PRAGMA secure_delete = OFF")

        return cast("bool", await self._writer.submit(Write(run, apart=True)))

    # ------------------------------------------------------------------ the store

    async def ready(self) -> bool:
        """Say whether the store can be read and written now."""
        try:
            self._ask("SELECT 1 FROM schema_migrations", ())
            # The writer's own row is written with it, so a full disk is noticed.
            await asyncio.wait_for(self._writer.submit(Write(lambda _: None)), READY_WITHIN_S)
        except (StorageUnavailable, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Carry out what is queued, then let go of the file. Safe to repeat."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._writer.close)
            self._reading.close()
            # Last, since the last connection to close folds the -wal file into the main one.
            await asyncio.to_thread(self._transactions.close)
            if self._claim is not None:
                self._claim.release()

    # ------------------------------------------------------------------ reading

    def _ask(self, sql: str, values: Row | Mapping[str, Any]) -> list[Row]:
        """Run a point query here and now."""
        try:
            return self._reading.execute(sql, values).fetchall()
        except sqlite3.Error as fault:
            raise StorageUnavailable(f"the database cannot be read: {fault}") from fault

    async def _list(self, sql: str, values: Row, read: Callable[[Row], T]) -> tuple[T, ...]:
        """Run a query that may give many rows, aside."""
        return await self._aside(
            lambda connection: tuple(map(read, connection.execute(sql, values)))
        )

    async def _aside(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Read in a thread, on a connection opened for it."""
        if self._closed:
            raise StorageUnavailable("the store is closed")

        def run() -> T:
            try:
                with closing(connect_reading(self._path)) as connection:
                    return read(connection)
            except sqlite3.Error as fault:
                raise StorageUnavailable(f"the database cannot be read: {fault}") from fault

        return await asyncio.to_thread(run)


_RESPONSE: Final = f"SELECT {RESPONSE_COLUMNS} FROM responses WHERE id = ? AND workspace = ?"  # noqa: S608
_WALLET: Final = f"SELECT {WALLET_COLUMNS} FROM wallets WHERE workspace = ?"  # noqa: S608
_POSTINGS: Final = (
    f"SELECT {POSTING_COLUMNS} FROM journal WHERE workspace = ? AND sequence > ?"  # noqa: S608
    " ORDER BY sequence LIMIT ?"
)
_HOLDS: Final = f"SELECT {HOLD_COLUMNS} FROM holds WHERE workspace = ? ORDER BY opened_at, id"  # noqa: S608
_ORPHANS: Final = (
    f"SELECT {HOLD_COLUMNS} FROM holds WHERE state = 'open' AND node IS NOT ?"  # noqa: S608
    " ORDER BY opened_at, id"
)
_SPENT: Final = f"""
    SELECT {COUNTER_COLUMNS} FROM counters
    WHERE measure = 'spend' AND (
        owner = :workspace
        OR owner IN (SELECT id FROM keys WHERE workspace = :workspace)
        OR owner IN (
            SELECT DISTINCT json_extract(counter.value, '$[0]')
            FROM holds, json_each(holds.counters_json) AS counter
            WHERE holds.workspace = :workspace))
"""  # noqa: S608


def _insert(table: str, columns: str) -> str:
    places = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608


def _replace(table: str, columns: str) -> str:
    return f"UPDATE {table} SET {columns.replace(',', ' = ?,')} = ? WHERE id = ?"  # noqa: S608


def _first(rows: list[Row], read: Callable[[Row], T]) -> T | None:
    return read(rows[0]) if rows else None
