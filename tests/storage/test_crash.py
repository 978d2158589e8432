"""Killed at any instant, a store has everything that it acknowledged, once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from astrolabe_core.ledger import HoldState
from astrolabe_core.units import Instant, RequestId
from astrolabe_storage import audit_store, expire_orphans, open_store
from astrolabe_storage.conformance.world import OURS, balances, check_journal

ROOT = Path(__file__).parents[2]


def acknowledged_until_killed(url: str, enough: int) -> set[str]:
    """Let the crashing program go on until it has acknowledged enough, then kill it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.crashing", url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(20, process.kill)
        watchdog.start()
        seen = [line for line, _ in zip(process.stdout, range(enough), strict=False)]
        process.kill()
        # What was printed before the kill arrived, too; a last line may be cut short.
        seen += [line for line in process.stdout if line.endswith("\n")]
        watchdog.cancel()
    return {line.strip() for line in seen}


@pytest.mark.parametrize("enough", [1, 150, 700])
def test_nothing_acknowledged_is_lost(tmp_path: Path, enough: int) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    acknowledged = acknowledged_until_killed(url, enough)
    assert len(acknowledged) >= enough

    async def look() -> None:
        store = await open_store(url)
        holds = {str(hold.id): hold for hold in await store.holds(OURS)}
        assert all(holds[one].state is HoldState.CAPTURED for one in acknowledged)
        captured = [hold for hold in holds.values() if hold.state is HoldState.CAPTURED]
        for hold in captured:
            assert await store.trace(OURS, RequestId(f"req_{hold.id}")) == "{}"
        assert await audit_store(store) == ()

        left_open = len(holds) - len(captured)
        assert left_open <= 16
        assert await expire_orphans(store, None, Instant(1)) == left_open
        assert await store.orphans() == ()
        assert await balances(store) == (10**12 - 7 * len(captured), 0, 0)
        assert await audit_store(store) == ()
        await store.close()

    asyncio.run(look())


def test_a_killed_writer_leaves_a_journal_without_gaps(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    acknowledged_until_killed(url, 20)

    async def look() -> None:
        store = await open_store(url)
        await check_journal(store)
        await store.close()

    asyncio.run(look())
