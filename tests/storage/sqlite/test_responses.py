"""Kept responses are in the file while they are kept, and in no byte of it afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_storage.conformance.conversations import CHAIN, FIRST, THIRD, keep_chain, response
from astrolabe_storage.conformance.world import AT, OURS, balances, grant, key, reserve, workspace
from astrolabe_storage.sqlite import SqliteStore
from astrolabe_storage.sqlite.connections import connect, migrate
from astrolabe_storage.sqlite.queries import CHAIN as CHAIN_SQL

CANARY = "canary-7f3a"


def use(path: Path, *works: Callable[[SqliteStore], Awaitable[None]]) -> None:
    """Open the store for each piece of work, and close it again."""
    for work in works:

        async def run(work: Callable[[SqliteStore], Awaitable[None]] = work) -> None:
            store = SqliteStore.open(path)
            try:
                await work(store)
            finally:
                await store.close()

        asyncio.run(run())


def written(path: Path) -> bytes:
    """Give every byte of the database."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def test_a_conversation_outlives_the_process(tmp_path: Path) -> None:
    async def look(store: SqliteStore) -> None:
        assert await store.conversation(OURS, THIRD, bytes_max=60) == CHAIN

    use(tmp_path / "store.db", keep_chain, look)


@pytest.mark.parametrize("repeats", [1, 2_000])
def test_what_was_deleted_is_in_the_file_no_longer(tmp_path: Path, repeats: int) -> None:
    path, said = tmp_path / "store.db", f'["{CANARY * repeats}"]'

    async def keep(store: SqliteStore) -> None:
        await keep_chain(store)
        kept = response("resp_canary", FIRST, input_json=said, output_json=said, body_json=said)
        await store.keep_response(kept)

    async def forget(store: SqliteStore) -> None:
        last = response("resp_canary").id
        assert await store.forget_response(OURS, last)
        assert await store.conversation(OURS, THIRD, bytes_max=60) == CHAIN

    use(path, keep)
    assert CANARY.encode() in written(path)
    use(path, forget)
    assert CANARY.encode() not in written(path)


def test_keeping_leaves_the_rows_of_the_ledger_known(tmp_path: Path) -> None:
    asked: list[str] = []

    async def work(store: SqliteStore) -> None:
        await keep_chain(store)
        await store.submit(grant(100, "order-2"))
        store._transactions._connection.set_trace_callback(asked.append)
        await store.keep_response(response("resp_4", THIRD))
        assert await store.forget_response(OURS, FIRST)
        await store.submit(reserve("h1", 10))
        assert (await balances(store))[1] == 10

    use(tmp_path / "store.db", work)
    assert any("INSERT INTO responses" in sql for sql in asked)
    assert not any("FROM wallets" in sql for sql in asked)


def test_a_chain_is_measured_without_a_scan(tmp_path: Path) -> None:
    use(tmp_path / "store.db", keep_chain)
    given = {"workspace": OURS, "response": THIRD, "length_max": 9, "bytes_max": 9}
    with closing(connect(tmp_path / "store.db")) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {CHAIN_SQL}", given).fetchall()
    steps = [row[3] for row in rows]
    assert any(step.startswith("SEARCH responses") for step in steps)
    assert not any(step.startswith("SCAN responses") for step in steps), steps


def test_a_database_from_before_takes_the_step_and_keeps_what_it_has(tmp_path: Path) -> None:
    from importlib.resources import files

    from astrolabe_storage.migrations import read_migrations

    steps = read_migrations(files("astrolabe_storage.sqlite") / "schema")
    with closing(connect(tmp_path / "store.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, steps[:1])
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("SELECT * FROM responses")
        connection.execute(
            "INSERT INTO workspaces VALUES (?, 'ours', 'active', NULL, NULL, NULL, ?)", (OURS, AT)
        )
        connection.execute("INSERT INTO wallets VALUES (?, 7, 0, 0, 0)", (OURS,))

    async def look(store: SqliteStore) -> None:
        assert await balances(store) == (7, 0, 0)
        await store.create_key(key())
        await store.create_workspace(workspace("ws_theirs"))
        await store.keep_response(response())
        assert await store.conversation(OURS, FIRST, bytes_max=60) == CHAIN[:1]

    use(tmp_path / "store.db", look)
