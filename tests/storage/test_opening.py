"""A URL names a store, or says why it does not."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_storage import OpeningError, open_store
from astrolabe_storage.memory import MemoryStore
from astrolabe_storage.sqlite import SqliteStore


def opened(url: str) -> type:
    async def run() -> type:
        store = await open_store(url)
        await store.close()
        return type(store)

    return asyncio.run(run())


def test_memory_is_in_this_process() -> None:
    assert opened("memory://") is MemoryStore


def test_three_slashes_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert opened("sqlite:///here.db") is SqliteStore
    assert (tmp_path / "here.db").is_file()


def test_four_slashes_are_absolute(tmp_path: Path) -> None:
    assert opened(f"sqlite:///{tmp_path}/a%20b.db") is SqliteStore
    assert (tmp_path / "a b.db").is_file()


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    async def run() -> None:
        store = await open_store(f"sqlite:///{tmp_path}/store.db")
        assert modes(tmp_path) == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no database URL"),
        ("store.db", "no database URL"),
        ("sqlite:store.db", "no database URL"),
        ("sqlite://store.db", "third slash"),
        ("sqlite:///", "third slash"),
        ("sqlite:///x.db?mode=ro", "no options"),
        ("memory://x", "nothing after it"),
        ("postgresql://user:hunter2@host/db", "not in this version"),
        ("postgres://user:hunter2@host/db", "not in this version"),
        ("mysql://user:hunter2@host/db", "no storage for mysql://"),
    ],
)
def test_another_url_is_refused_with_the_forms(url: str, says: str) -> None:
    with pytest.raises(OpeningError, match=says) as refused:
        opened(url)
    assert "hunter2" not in str(refused.value)


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpeningError, match="No such file or directory"):
        opened(f"sqlite:///{tmp_path}/missing/store.db")


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(OpeningError, match="Is a directory"):
        opened(f"sqlite:///{tmp_path}")


def test_a_file_of_another_kind_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database at all, " * 100)
    with pytest.raises(OpeningError, match="not a database"):
        opened(f"sqlite:///{tmp_path}/store.db")


def tampered(path: Path, sql: str) -> str:
    url = f"sqlite:///{path}/store.db"
    opened(url)
    with closing(sqlite3.connect(path / "store.db")) as connection:
        connection.execute(sql)
        connection.commit()
    return url


def test_an_altered_schema_step_is_not_opened(tmp_path: Path) -> None:
    url = tampered(tmp_path, "UPDATE schema_migrations SET checksum = 'ab' WHERE number = 1")
    with pytest.raises(OpeningError, match=r"0001_foundation .* is not the one of this version"):
        opened(url)


def test_a_newer_schema_step_is_not_opened(tmp_path: Path) -> None:
    url = tampered(tmp_path, "INSERT INTO schema_migrations VALUES (9, 'later', 'ab')")
    with pytest.raises(OpeningError, match="0009_later, which this version does not know"):
        opened(url)


def test_a_database_is_opened_again_as_it_was(tmp_path: Path) -> None:
    url = tampered(tmp_path, "INSERT INTO workspaces VALUES ('w', 'n', 'active', 0, 0, 0, 1)")
    assert opened(url) is SqliteStore
