"""Steps are taken once, in order, and never another text under the same number."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_storage.errors import OpeningError
from astrolabe_storage.migrations import Applied, Migration, pending, read_migrations
from astrolabe_storage.sqlite.connections import connect, migrate

FIRST = Migration(1, "first", "CREATE TABLE a (x INTEGER);\n")
SECOND = Migration(2, "second", "CREATE TABLE b (x INTEGER);\nCREATE TABLE c (x INTEGER);\n")


def applied(migration: Migration) -> Applied:
    return Applied(migration.number, migration.name, migration.checksum)


def test_only_steps_not_taken_are_pending() -> None:
    assert pending([FIRST, SECOND], []) == (FIRST, SECOND)
    assert pending([FIRST, SECOND], [applied(FIRST)]) == (SECOND,)
    assert pending([FIRST, SECOND], [applied(FIRST), applied(SECOND)]) == ()


def test_a_step_that_is_not_known_is_refused() -> None:
    with pytest.raises(OpeningError, match="0002_second"):
        pending([FIRST], [applied(FIRST), applied(SECOND)])


def test_a_step_of_another_text_is_refused() -> None:
    altered = Migration(1, "first", FIRST.sql + " ")
    with pytest.raises(OpeningError, match="0001_first"):
        pending([altered], [applied(FIRST)])


def test_files_are_read_by_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_text(SECOND.sql)
    (tmp_path / "0001_first.sql").write_text(FIRST.sql)
    (tmp_path / "notes.txt").touch()
    assert read_migrations(tmp_path) == (FIRST, SECOND)
    (tmp_path / "0001_first.sql").unlink()
    with pytest.raises(ValueError, match="numbered"):
        read_migrations(tmp_path)


def test_a_step_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    broken = Migration(2, "broken", "CREATE TABLE b (x INTEGER);\nCREATE TABLE a (x INTEGER);\n")
    with closing(connect(tmp_path / "x.db")) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, (FIRST, broken))
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        assert tables == {"schema_migrations", "a"}
        migrate(connection, (FIRST, SECOND))
        assert connection.execute("SELECT count(*) FROM schema_migrations").fetchone() == (2,)
        migrate(connection, (FIRST, SECOND))
