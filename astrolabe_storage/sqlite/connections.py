"""How is a SQLite file opened, so that what is committed stays committed?

`journal_mode=WAL`: readers see the last commit and wait for nobody. `synchronous=FULL`: a
commit returns when the disk has it. The file is made readable by its owner alone, before
SQLite writes to it; the -wal and -shm files take its mode.
"""

import os
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

from astrolabe_storage.errors import OpeningError
from astrolabe_storage.migrations import Applied, Migration, pending, read_migrations

SQLITE_MIN: Final = (3, 38, 0)
"""STRICT tables came with 3.37, `unixepoch()` and what we measured with 3.38."""
BUSY_TIMEOUT_S: Final = 5
STATEMENTS_CACHED: Final = 256
WAL_PAGES: Final = 4_000
"""Fold the -wal file back at 16 MB. At SQLite's 4 MB, folding cost more than all commits."""


def prepare_file(path: Path) -> None:
    """Make the file and its tables as this version needs them, or say why not."""
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        wanted = ".".join(map(str, SQLITE_MIN))
        raise OpeningError(f"SQLite {sqlite3.sqlite_version} is too old; {wanted} is needed")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, read_migrations(files("astrolabe_storage.sqlite") / "schema"))
    except OSError as fault:
        raise OpeningError(f"{path} cannot be opened for writing: {fault.strerror}") from fault
    except sqlite3.Error as fault:
        raise OpeningError(f"{path} cannot be used as a database: {fault}") from fault


def migrate(connection: sqlite3.Connection, known: tuple[Migration, ...]) -> None:
    """Take the steps that the database has not taken, each in a transaction."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations"
        " (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT"
    )
    for step in pending(known, _applied(connection)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been here between the look and the lock.
            if step in pending(known, _applied(connection)):
                _take(connection, step)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _applied(connection: sqlite3.Connection) -> tuple[Applied, ...]:
    rows = connection.execute("SELECT number, name, checksum FROM schema_migrations")
    return tuple(Applied(*row) for row in rows)


def _take(connection: sqlite3.Connection, step: Migration) -> None:
    # Not executescript, which commits first.
    statement = ""
    for line in step.sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute(
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (?, ?, ?)",
        (step.number, step.name, step.checksum),
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that may write, with no transaction but those that are begun."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_CACHED,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        # What is no database is found out by the first statement, not by opening it.
        connection.close()
        raise
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    connection = connect(path)
    # Not mode=ro: that one cannot make the -shm file where it is missing.
    connection.execute("PRAGMA query_only = ON")
    return connection
