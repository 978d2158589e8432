"""How does a batch of commands become one durable transaction?

Begin, load what is touched, run the ledger over it, write, commit. What then goes wrong:

- A command is poison (it raises, or breaks a constraint): the batch is rolled back and each
  half tried alone, until the poison is by itself and fails by itself.
- The commit's answer is lost: the number of the writer's last batch, written with each batch,
  says whether it happened. If it did, the results stand; if not, the batch is tried again.
- The file is busy, full or failing: tried again for some seconds, then `StorageUnavailable`.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.ledger import Command
from astrolabe_core.ports import StorageUnavailable
from astrolabe_storage.errors import ConstraintViolated
from astrolabe_storage.sqlite.tables import Tables
from astrolabe_storage.writer import Failed

PATIENCE_S: Final = 5.0
"""How long a batch is tried again while the file cannot be written."""
PAUSE_S: Final = 0.05

UNAVAILABLE: Final = (sqlite3.OperationalError, sqlite3.InternalError, MemoryError)
"""The store's fault and nobody's command's."""

log = logging.getLogger(__name__)


@frozen
class Write:
    """A write that is no ledger command, in the same order and the same transactions.

    `apart` says that it neither reads nor writes what the ledger knows of.
    """

    run: Callable[[sqlite3.Connection], object]
    apart: bool = False


Item: TypeAlias = Command | Write


class Transactions:
    """The one who writes to the file. Used by one thread at a time."""

    def __init__(
        self, connection: sqlite3.Connection, writer: str, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._patience_s = patience_s
        self._tables = Tables(connection)
        self._committed = 0
        self._version: int | None = None

    def carry_out(self, batch: Sequence[Item]) -> Sequence[object | Failed]:
        """Carry out commands in order and durably; `Failed` where one could not be."""
        try:
            return self._tried(batch)
        except UNAVAILABLE as fault:
            log.exception("%d commands were not carried out", len(batch))
            return [Failed(_unavailable(fault))] * len(batch)
        except Exception as poison:
            if len(batch) > 1:
                middle = len(batch) // 2
                return [*self.carry_out(batch[:middle]), *self.carry_out(batch[middle:])]
            log.exception("a command was refused by the tables")
            return [Failed(_violated(poison))]

    def _tried(self, batch: Sequence[Item]) -> Sequence[object]:
        """Carry out a batch, again and again while the file cannot be written."""
        give_up = time.monotonic() + self._patience_s
        while True:
            results: list[object] = []
            try:
                self._transact(batch, results)
                return results
            except UNAVAILABLE:
                if self._happened():
                    return results
                if time.monotonic() >= give_up:
                    raise
            time.sleep(PAUSE_S)

    def _transact(self, batch: Sequence[Item], results: list[object]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._look_for_others()
            self._tables.foresee(item for item in batch if not isinstance(item, Write))
            results += map(self._carry_out_one, batch)
            self._tables.write()
            self._connection.execute(
                "INSERT INTO writers (writer, batch) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET batch = excluded.batch",
                (self._writer, self._committed + 1),
            )
            self.commit()
        except BaseException:
            self._tables.forget()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._committed += 1

    def _look_for_others(self) -> None:
        """Forget the rows where another connection has written since the last batch."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._tables.forget()
            self._version = version

    def _carry_out_one(self, item: Item) -> object:
        if not isinstance(item, Write):
            return self._tables.carry_out(item)
        if item.apart:
            return item.run(self._connection)
        # It goes past the known rows: write them first, and read them again after.
        self._tables.write()
        result = item.run(self._connection)
        self._tables.forget()
        return result

    def commit(self) -> None:
        """Commit. A method of its own so that a test can lose the answer."""
        self._connection.execute("COMMIT")

    def _happened(self) -> bool:
        """Say whether a commit that raised has happened all the same."""
        try:
            row = self._connection.execute(
                "SELECT batch FROM writers WHERE writer = ?", (self._writer,)
            ).fetchone()
        except sqlite3.Error:
            return False
        if row is None or row[0] <= self._committed:
            return False
        self._committed = row[0]
        return True

    def close(self) -> None:
        """Take the writer's row away, and let go of the file."""
        try:
            self._connection.execute("DELETE FROM writers WHERE writer = ?", (self._writer,))
        except sqlite3.Error:
            log.debug("the writer's row stays")
        self._connection.close()


def _unavailable(fault: BaseException) -> StorageUnavailable:
    unavailable = StorageUnavailable(f"the database cannot be written: {fault}")
    unavailable.__cause__ = fault
    return unavailable


def _violated(poison: Exception) -> Exception:
    if not isinstance(poison, sqlite3.Error):
        return poison
    violated = ConstraintViolated(str(poison))
    violated.__cause__ = poison
    return violated
