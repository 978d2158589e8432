"""Whatever is changed behind the ledger's back is named."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from astrolabe_core.budgets import Scope, spend_limits
from astrolabe_core.ledger import Difference
from astrolabe_core.money import NanoUsd
from astrolabe_core.stacks import Budget
from astrolabe_storage import audit_store, open_store
from astrolabe_storage.conformance.world import AT, KEY, capture, reserve, settle_in


def audited(path: Path, *tampering: str) -> tuple[Difference, ...]:
    async def run() -> tuple[Difference, ...]:
        store = await open_store(f"sqlite:///{path}/store.db")
        await settle_in(store)
        limits = spend_limits(Scope.KEY, KEY, Budget(daily_usd=NanoUsd(500)), AT)
        await store.submit(reserve("h1", 100, limits=limits))
        await store.submit(reserve("h2", 100, limits=limits))
        await store.submit(capture("h1", 70))
        with closing(sqlite3.connect(path / "store.db", isolation_level=None)) as connection:
            for sql in tampering:
                connection.execute(sql)
        differences = await audit_store(store)
        await store.close()
        return differences

    return asyncio.run(run())


def test_books_that_nobody_touched_are_exact(tmp_path: Path) -> None:
    assert audited(tmp_path) == ()


@pytest.mark.parametrize(
    ("sql", "subjects"),
    [
        ("UPDATE wallets SET available = 9 WHERE workspace = 'ws_ours'", {"wallet.available"}),
        ("UPDATE wallets SET held = 9 WHERE workspace = 'ws_ours'", {"wallet.held", "holds.open"}),
        ("UPDATE wallets SET sequence = 9 WHERE workspace = 'ws_ours'", {"wallet.sequence"}),
        (
            "UPDATE holds SET charged = 71 WHERE id = 'h1'",
            {"holds.charged", "holds[h1]", "counter"},
        ),
        ("UPDATE holds SET amount = 99 WHERE id = 'h2'", {"holds.open", "holds[h2]", "counter"}),
        ("UPDATE counters SET used = used + 1 WHERE measure = 'spend'", {"counter"}),
        ("DELETE FROM counters WHERE measure = 'spend'", {"counter"}),
        ("DELETE FROM holds WHERE id = 'h2'", {"holds.open", "holds[h2]", "counter"}),
    ],
)
def test_what_was_altered_is_named(tmp_path: Path, sql: str, subjects: set[str]) -> None:
    found = audited(tmp_path, sql)
    assert {re.sub(r"counter\[.*", "counter", one.subject) for one in found} == subjects
    assert {one.workspace for one in found} == {"ws_ours"}


def test_a_posting_that_was_removed_is_named(tmp_path: Path) -> None:
    found = audited(
        tmp_path,
        "DROP TRIGGER journal_is_not_shortened",
        "DELETE FROM journal WHERE sequence = 2",
    )
    assert "journal[2].sequence" in {one.subject for one in found}


def test_a_wallet_that_is_gone_is_named(tmp_path: Path) -> None:
    (found,) = audited(tmp_path, "DELETE FROM wallets WHERE workspace = 'ws_theirs'")
    assert (found.workspace, found.subject) == ("ws_theirs", "wallet")
