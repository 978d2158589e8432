"""Which ledger rows does a batch touch, and how are they written?

Each touched row is read once and kept in a dictionary; a command sees what the ones before it
have done there; each changed row is written once, at the end of the batch. The rows stay known
from batch to batch for as long as nobody else writes to the file.

Rows are written by statements of 64, 32 … 1 rows at a time and not by `executemany`: every
step of a statement gives up the interpreter's lock and has to win it back from the event
loop. With a loop that never rests and `synchronous=OFF`, one row a statement gave 2 300 pairs a
second and this 3 200 (64 clients, medians of four runs that scattered by half).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, TypeVar

from attrs import Factory, define

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import Counter, CounterId
from astrolabe_core.ledger import (
    Capture,
    Change,
    Command,
    Count,
    Grant,
    GrantRow,
    Hold,
    HoldState,
    Outcome,
    Rows,
    Void,
    Wallet,
    apply,
    touches,
)
from astrolabe_core.units import KeyId, WorkspaceId
from astrolabe_storage.rows import (
    COUNTER_COLUMNS,
    GRANT_COLUMNS,
    HOLD_COLUMNS,
    POSTING_COLUMNS,
    WALLET_COLUMNS,
    Row,
    counter_key,
    counter_row,
    grant_row,
    hold_row,
    posting_row,
    read_counter,
    read_grant,
    read_hold,
    read_wallet,
    wallet_row,
)
from astrolabe_storage.usage_rows import USAGE_COLUMNS, usage_row

T = TypeVar("T")

ROWS_KNOWN_MAX: Final = 50_000
"""Rows of one kind that are kept from batch to batch; beyond that all are read again."""


@define
class _Known:
    """The rows as this batch sees them; `None` where there is none."""

    wallets: dict[WorkspaceId, Wallet | None] = Factory(dict)
    workspaces: dict[WorkspaceId, WorkspaceStatus | None] = Factory(dict)
    keys: dict[KeyId, tuple[WorkspaceId, KeyStatus] | None] = Factory(dict)
    holds: dict[str, Hold | None] = Factory(dict)
    grants: dict[str, GrantRow | None] = Factory(dict)
    counters: dict[CounterId, Counter] = Factory(dict)

    def trim(self) -> None:
        """Forget what is unlikely to be asked for again, and everything when it is too much."""
        self.grants.clear()
        for rows in (self.wallets, self.workspaces, self.keys, self.holds, self.counters):
            if len(rows) > ROWS_KNOWN_MAX:
                rows.clear()


@define
class _Changed:
    """The rows to be written, by identity: the last state of each."""

    wallets: dict[WorkspaceId, Wallet] = Factory(dict)
    counters: dict[CounterId, Counter] = Factory(dict)
    opened: dict[str, Hold] = Factory(dict)
    closed: dict[str, Hold] = Factory(dict)
    postings: list[Row] = Factory(list)
    grants: list[Row] = Factory(list)
    usage: list[Row] = Factory(list)
    traces: list[Row] = Factory(list)


class Tables:
    """The ledger's rows behind the writer's connection, within one transaction at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known = _Known()
        self._changed = _Changed()

    def forget(self) -> None:
        """Drop everything: it was rolled back, or somebody else has written."""
        self._known = _Known()
        self._changed = _Changed()

    def carry_out(self, command: Command) -> Outcome:
        """Run the ledger over the rows that a command touches, and keep what changes."""
        change = apply(self._rows(command), command)
        if change.fresh:
            self._note(change)
            match command:
                case Capture(ending=ending) | Void(ending=ending) | Count(ending=ending):
                    if ending is not None:
                        usage = ending.usage
                        self._changed.usage.append(usage_row(usage))
                        if ending.trace is not None:
                            trace = (usage.workspace, usage.request, ending.trace)
                            self._changed.traces.append(trace)
                case _:
                    pass
        return change.outcome

    # ------------------------------------------------------------------ reading

    def foresee(self, commands: Iterable[Command]) -> None:
        """Read the holds of a batch at once: each command has another, new ones included."""
        known = self._known.holds
        named = dict.fromkeys(
            command.hold
            for command in commands
            if not isinstance(command, Grant | Count) and command.hold not in known
        )
        known.update(dict.fromkeys(named))
        for sql, holds in _in_chunks(_HOLDS_NAMED, list(named)):
            for row in self._connection.execute(sql, holds):
                known[row[0]] = read_hold(row)

    def _rows(self, command: Command) -> Rows:
        named = touches(command)
        workspace = named.workspace
        if named.hold is not None and named.hold not in self._known.holds:
            self.foresee([command])
        hold = None if named.hold is None else self._known.holds[named.hold]
        counters = named.counters
        if hold is not None and not counters:
            counters = touches(command, hold).counters
        for counter in counters:
            if counter not in self._known.counters:
                self._known.counters[counter] = self._load_counter(counter)
        return Rows(
            wallet=self._wallet(workspace),
            workspace_status=None if named.key is None else self._workspace_status(workspace),
            key_status=None if named.key is None else self._key_status(named.key, workspace),
            hold=hold,
            grant=None if named.grant is None else self._grant(named.grant),
            counters=self._known.counters,
        )

    def _wallet(self, workspace: WorkspaceId) -> Wallet | None:
        known = self._known.wallets
        if workspace not in known:
            sql = f"SELECT {WALLET_COLUMNS} FROM wallets WHERE workspace = ?"  # noqa: S608
            known[workspace] = self._load(sql, (workspace,), read_wallet)
        return known[workspace]

    def _workspace_status(self, workspace: WorkspaceId) -> WorkspaceStatus | None:
        known = self._known.workspaces
        if workspace not in known:
            sql = "SELECT status FROM workspaces WHERE id = ?"
            known[workspace] = self._load(sql, (workspace,), lambda row: WorkspaceStatus(row[0]))
        return known[workspace]

    def _key_status(self, key: KeyId, workspace: WorkspaceId) -> KeyStatus | None:
        known = self._known.keys
        if key not in known:
            sql = "SELECT workspace, status FROM keys WHERE id = ?"
            known[key] = self._load(sql, (key,), lambda row: (row[0], KeyStatus(row[1])))
        found = known[key]
        # Another workspace's key is no key here.
        return None if found is None or found[0] != workspace else found[1]

    def _grant(self, grant: str) -> GrantRow | None:
        known = self._known.grants
        if grant not in known:
            sql = f"SELECT {GRANT_COLUMNS} FROM grants WHERE id = ?"  # noqa: S608
            known[grant] = self._load(sql, (grant,), read_grant)
        return known[grant]

    def _load_counter(self, counter: CounterId) -> Counter:
        sql = (
            f"SELECT {COUNTER_COLUMNS} FROM counters WHERE owner = ?"  # noqa: S608
            " AND scope = ? AND measure = ? AND span = ? AND start = ?"
        )
        return self._load(sql, counter_key(counter), read_counter) or Counter(counter)

    def _load(self, sql: str, key: Row, read: Callable[[Row], T]) -> T | None:
        row = self._connection.execute(sql, key).fetchone()
        return None if row is None else read(row)

    # ------------------------------------------------------------------ writing

    def _note(self, change: Change) -> None:
        known, changed = self._known, self._changed
        if change.wallet is not None:
            known.wallets[change.wallet.workspace] = change.wallet
            changed.wallets[change.wallet.workspace] = change.wallet
        if change.hold is not None:
            known.holds[change.hold.id] = change.hold
            # A hold that opens and closes in one batch is written once, closed.
            if change.hold.state is HoldState.OPEN or change.hold.id in changed.opened:
                changed.opened[change.hold.id] = change.hold
            else:
                changed.closed[change.hold.id] = change.hold
        if change.posting is not None:
            changed.postings.append(posting_row(change.posting))
        if change.grant is not None:
            known.grants[change.grant.id] = change.grant
            changed.grants.append(grant_row(change.grant))
        for counter in change.counters:
            known.counters[counter.id] = counter
            changed.counters[counter.id] = counter

    def write(self) -> None:
        """Write every changed row. Raises `sqlite3.IntegrityError` for one that cannot be."""
        changed, self._changed = self._changed, _Changed()
        self._insert(_HOLDS, map(hold_row, changed.opened.values()))
        self._insert(_HOLDS_CLOSED, map(_closing_row, changed.closed.values()))
        self._insert(_JOURNAL, changed.postings)
        self._insert(_GRANTS, changed.grants)
        self._insert(_COUNTERS, map(counter_row, changed.counters.values()))
        self._insert(_WALLETS, map(wallet_row, changed.wallets.values()))
        self._insert(_USAGE, changed.usage)
        self._insert(_TRACES, changed.traces)
        for hold in chain(changed.opened.values(), changed.closed.values()):
            if hold.state is not HoldState.OPEN:
                self._known.holds.pop(hold.id, None)
        self._known.trim()

    def _insert(self, statements: Mapping[int, str], rows: Iterable[Row]) -> None:
        for sql, chunk in _in_chunks(statements, list(rows)):
            self._connection.execute(sql, tuple(chain.from_iterable(chunk)))


SIZES: Final = (64, 32, 16, 8, 4, 2, 1)


def _in_chunks(statements: Mapping[int, str], rows: list[T]) -> Iterator[tuple[str, list[T]]]:
    """Divide rows among the fewest statements, each with its number of rows."""
    start = 0
    for size, sql in statements.items():
        while len(rows) - start >= size:
            yield sql, rows[start : start + size]
            start += size


def _statements(head: str, columns: str, tail: str = "") -> Mapping[int, str]:
    row = f"({', '.join('?' * (columns.count(',') + 1))})"
    return {size: f"{head} {', '.join([row] * size)} {tail}" for size in SIZES}


def _inserts(table: str, columns: str, tail: str = "") -> Mapping[int, str]:
    return _statements(f"INSERT INTO {table} ({columns}) VALUES", columns, tail)


_HOLDS: Final = _inserts("holds", HOLD_COLUMNS)
_HOLDS_NAMED: Final = {
    size: f"SELECT {HOLD_COLUMNS} FROM holds WHERE id IN ({', '.join('?' * size)})"  # noqa: S608
    for size in SIZES
}
_HOLDS_CLOSED: Final = _statements(
    "UPDATE holds SET state = ended.column2, charged = ended.column3, reason = ended.column4,"
    " closed_at = ended.column5 FROM (VALUES",
    "id, state, charged, reason, closed_at",
    ") AS ended WHERE holds.id = ended.column1",
)
_JOURNAL: Final = _inserts("journal", POSTING_COLUMNS)
_GRANTS: Final = _inserts("grants", GRANT_COLUMNS)
_COUNTERS: Final = _inserts(
    "counters",
    COUNTER_COLUMNS,
    "ON CONFLICT DO UPDATE SET"
    " used = excluded.used, held = excluded.held, warned = excluded.warned",
)
_WALLETS: Final = _inserts(
    "wallets",
    WALLET_COLUMNS,
    "ON CONFLICT DO UPDATE SET available = excluded.available, held = excluded.held,"
    " debt = excluded.debt, sequence = excluded.sequence",
)
_USAGE: Final = _inserts("usage", USAGE_COLUMNS)
_TRACES: Final = _inserts("traces", "workspace, request, trace_json")


def _closing_row(hold: Hold) -> Row:
    reason = None if hold.reason is None else hold.reason.value
    return (hold.id, hold.state.value, hold.charged, reason, hold.closed_at)
