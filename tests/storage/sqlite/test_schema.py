"""The tables refuse what the ledger never makes, and no query reads a whole one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_core.units import Instant, KeyId, ModelId, RequestId
from astrolabe_core.usage import UsageGrouping, UsageQuery
from astrolabe_storage.conformance.world import OURS, capture, ending, reserve, settle_in
from astrolabe_storage.sqlite import SqliteStore, store
from astrolabe_storage.sqlite.connections import connect
from astrolabe_storage.sqlite.queries import CALLER, usage_page, usage_sums
from astrolabe_storage.sqlite.tables import _HOLDS_CLOSED, _HOLDS_NAMED


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    async def fill() -> None:
        opened = SqliteStore.open(tmp_path / "store.db")
        await settle_in(opened)
        await opened.submit(reserve("h1", 100))
        await opened.submit(capture("h1", 70, ending("req_1", "{}")))
        await opened.submit(reserve("h2", 100))
        await opened.close()

    asyncio.run(fill())
    with closing(connect(tmp_path / "store.db")) as opened:
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallets SET available = -1",
        "UPDATE wallets SET held = -1",
        "UPDATE wallets SET debt = -1",
        "UPDATE wallets SET available = 'many'",
        "UPDATE holds SET amount = 1000000000000000001",
        "UPDATE holds SET amount = -1",
        "UPDATE holds SET state = 'lost'",
        "UPDATE holds SET state = 'captured' WHERE id = 'h2'",
        "UPDATE holds SET charged = 5 WHERE id = 'h2'",
        "UPDATE holds SET key = 'key_none'",
        "UPDATE counters SET held = -1",
        "UPDATE journal SET available = 0",
        "DELETE FROM journal",
        "INSERT INTO journal VALUES ('ws_ours', 9, 'grant', 'x', 0, 5, 0, 0, -4, 'funding', '')",
        "INSERT INTO journal VALUES ('ws_ours', 1, 'grant', 'x', 0, 5, 0, 0, -5, 'funding', '')",
        "INSERT INTO journal VALUES ('ws_none', 1, 'grant', 'x', 0, 5, 0, 0, -5, 'funding', '')",
        "INSERT INTO journal VALUES ('ws_ours', 9, 'gift', 'x', 0, 5, 0, 0, -5, 'funding', '')",
        "INSERT INTO grants VALUES ('order-1', 'ws_ours', 5)",
        "INSERT INTO grants VALUES ('order-2', 'ws_ours', 0)",
        "INSERT INTO traces VALUES ('ws_ours', 'req_none', '{}')",
        "UPDATE usage SET debit = -1",
        "DELETE FROM workspaces",
        "INSERT INTO responses VALUES ('r', 'ws_none', NULL, 4, 'q', 'm', 'p', 0, '', '', '')",
        "INSERT INTO responses VALUES ('r', 'ws_ours', NULL, -1, 'q', 'm', 'p', 0, '', '', '')",
        "INSERT INTO responses VALUES ('r', 'ws_ours', NULL, 4, 'q', 'm', 'p', 0, '', '', NULL)",
    ],
)
def test_the_tables_refuse(connection: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(sql)


QUERY = UsageQuery(
    workspace=OURS,
    since=Instant(1),
    until=Instant(2),
    before=RequestId("r"),
)


@pytest.mark.parametrize(
    "sql",
    [
        CALLER,
        store._WALLET,
        store._POSTINGS,
        store._HOLDS,
        store._ORPHANS,
        _HOLDS_NAMED[8],
        _HOLDS_CLOSED[8],
        usage_page(QUERY)[0],
        usage_page(UsageQuery(workspace=OURS))[0],
        usage_page(UsageQuery(workspace=OURS, key=KeyId("k")))[0],
        usage_page(UsageQuery(workspace=OURS, model=ModelId("m")))[0],
        usage_page(UsageQuery(workspace=OURS, stack="s"))[0],
        usage_sums(QUERY, UsageGrouping.DAY)[0],
        usage_sums(UsageQuery(workspace=OURS, key=KeyId("k")), UsageGrouping.MODEL)[0],
        "SELECT trace_json FROM traces WHERE workspace = ? AND request = ?",
        store._RESPONSE,
    ],
)
def test_no_query_reads_a_whole_table(connection: sqlite3.Connection, sql: str) -> None:
    count = sql.count("?")
    values = {"hash": "", "minute": 0, "slug": "", "version": 1} if ":hash" in sql else (1,) * count
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [
        step
        for step in plan
        if step.startswith("SCAN") and "ended" not in step and "CONSTANT" not in step
    ]
    # The open holds are few: their partial index holds nothing else.
    assert [step for step in scans if "holds_open" not in step] == [], plan


@pytest.mark.parametrize(
    "query",
    [
        UsageQuery(workspace=OURS),
        UsageQuery(workspace=OURS, key=KeyId("k")),
        UsageQuery(workspace=OURS, model=ModelId("m")),
        UsageQuery(workspace=OURS, stack="s"),
    ],
)
def test_a_page_of_usage_is_not_sorted(connection: sqlite3.Connection, query: UsageQuery) -> None:
    sql, values = usage_page(query)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert not any("TEMP B-TREE" in step for step in plan), plan
