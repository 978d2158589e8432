"""Batches survive lost answers, busy files and poison, exactly."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_core.ledger import Closed, Counted, Reserved
from astrolabe_core.ports import StorageUnavailable
from astrolabe_storage import ConstraintViolated, audit_store
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.world import (
    OURS,
    balances,
    capture,
    check_journal,
    count,
    ending,
    grant,
    key,
    reserve,
    settle_in,
    workspace,
)
from astrolabe_storage.sqlite import SqliteStore
from astrolabe_storage.sqlite.connections import connect, prepare_file
from astrolabe_storage.sqlite.transactions import Transactions
from astrolabe_storage.writer import Writer


class Flaky(Transactions):
    """Fails to commit, or loses the answer of a commit, as often as it is told to."""

    fails = 0
    loses = 0

    def commit(self) -> None:
        if self.fails:
            self.fails -= 1
            raise sqlite3.OperationalError("disk I/O error")
        super().commit()
        if self.loses:
            self.loses -= 1
            raise sqlite3.OperationalError("disk I/O error")


def with_flaky(path: Path, check: Callable[[AuditedStore, Flaky], Awaitable[None]]) -> None:
    async def run() -> None:
        prepare_file(path / "store.db")
        flaky = Flaky(connect(path / "store.db"), "flaky", patience_s=0.2)
        store = SqliteStore(path / "store.db", flaky, Writer(flaky.carry_out))
        await settle_in(store)
        await check(store, flaky)
        await store.close()

    asyncio.run(run())


def test_a_batch_whose_answer_was_lost_is_not_carried_out_twice(tmp_path: Path) -> None:
    async def check(store: AuditedStore, flaky: Flaky) -> None:
        flaky.loses = 1
        pending = [store.submit(command) for command in (count(), reserve("h1", 10), count())]
        assert [type(await one) for one in pending] == [Counted, Reserved, Counted]
        outcome = await store.submit(count())
        assert isinstance(outcome, Counted)
        assert outcome.rate.remaining == 1_000_000 - 4
        await check_journal(store, 2)

    with_flaky(tmp_path, check)


def test_a_batch_that_was_not_committed_is_tried_again(tmp_path: Path) -> None:
    async def check(store: AuditedStore, flaky: Flaky) -> None:
        flaky.fails = 2
        assert isinstance(await store.submit(reserve("h1", 10)), Reserved)
        assert isinstance(await store.submit(capture("h1", 4)), Closed)
        await check_journal(store, 3)
        assert await balances(store) == (996, 0, 0)

    with_flaky(tmp_path, check)


def test_a_file_that_stays_unwritable_is_said_to_be_unavailable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(store: AuditedStore, flaky: Flaky) -> None:
        flaky.fails = 1_000_000
        with pytest.raises(StorageUnavailable, match="disk I/O error"):
            await store.submit(reserve("h1", 10))
        assert not await store.ready()
        flaky.fails = 0
        assert await store.ready()
        assert await balances(store) == (1_000, 0, 0)
        assert isinstance(await store.submit(reserve("h1", 10)), Reserved)

    with_flaky(tmp_path, check)


def test_a_poisonous_command_is_told_what_it_broke(tmp_path: Path) -> None:
    async def check(store: AuditedStore, flaky: Flaky) -> None:
        await store.submit(count(ending=ending("req_1")))
        with pytest.raises(ConstraintViolated, match="usage"):
            await store.submit(count(ending=ending("req_1")))

    with_flaky(tmp_path, check)


def test_commands_and_other_writes_keep_their_order(tmp_path: Path) -> None:
    async def check(store: AuditedStore, flaky: Flaky) -> None:
        first = store.submit(reserve("h1", 10))
        made = [
            asyncio.ensure_future(store.create_workspace(workspace("ws_new"))),
            asyncio.ensure_future(store.create_key(key("key_new", "ws_new"))),
        ]
        await asyncio.sleep(0)
        granted = store.submit(grant(50, "order-9", of=workspace("ws_new").id))
        held = store.submit(reserve("h2", 50, workspace="ws_new", key="key_new"))
        ended = store.submit(capture("h1", 10))
        assert isinstance(await ended, Closed)
        assert [type(await one) for one in (first, held)] == [Reserved, Reserved]
        await asyncio.gather(granted, *made)
        assert await audit_store(store) == ()

    with_flaky(tmp_path, check)


def test_another_process_of_the_same_file_is_seen(tmp_path: Path) -> None:
    async def run() -> None:
        one, other = (SqliteStore.open(tmp_path / "store.db") for _ in range(2))
        await settle_in(one)
        for number in range(20):
            pending = [
                store.submit(reserve(f"h{number}{name}", 10))
                for name, store in (("a", one), ("b", other))
            ]
            assert [type(await each) for each in pending] == [Reserved, Reserved]
        await other.submit(capture("h0a", 4))
        assert await balances(one) == (606, 390, 0)
        assert await balances(other) == (606, 390, 0)
        assert await audit_store(one) == ()
        await one.close()
        await other.close()

    asyncio.run(run())


def test_reads_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    async def run() -> None:
        store = SqliteStore.open(tmp_path / "store.db")
        await settle_in(store)
        with closing(connect(tmp_path / "store.db")) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            waiting = store.submit(reserve("h1", 10))
            assert await balances(store) == (1_000, 0, 0)
            assert len(await store.postings(OURS)) == 1
            assert await store.caller(key().hash, 0, None) is not None  # type: ignore[arg-type]
            blocker.execute("ROLLBACK")
        assert isinstance(await waiting, Reserved)
        await store.close()

    asyncio.run(run())
