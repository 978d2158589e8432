"""How much does group commit give?

Reserve and capture, each acknowledged when durable (`synchronous=FULL`), by 64 clients at once
and by one, against the same store, tables and ledger with one transaction an operation. The
two take turns, and the figure is the median of the ratios of neighbours: what else the machine
does meanwhile slows both.

    python -m tests.bench.ledger
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from astrolabe_core.budgets import Scope, spend_limits
from astrolabe_core.ledger import Closed, Reserved
from astrolabe_core.money import NanoUsd
from astrolabe_core.stacks import Budget
from astrolabe_storage import audit_store
from astrolabe_storage.conformance.world import AT, KEY, capture, grant, key, reserve, settle_in
from astrolabe_storage.sqlite import SqliteStore
from astrolabe_storage.sqlite.connections import connect, prepare_file
from astrolabe_storage.sqlite.transactions import Transactions
from astrolabe_storage.writer import BATCH_MAX, Writer

CLIENTS = 64
ROUNDS = 5
PAIRS_BATCHED = 12_800
PAIRS_SINGLE = 1_280
LIMITS = spend_limits(
    Scope.KEY, KEY, Budget(daily_usd=NanoUsd(10**17), monthly_usd=NanoUsd(10**17)), AT
)


async def pairs_per_s(batch_max: int, clients: int, pairs: int) -> float:
    """Let clients reserve and capture on one wallet, with a daily and a monthly budget."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        prepare_file(path)
        transactions = Transactions(connect(path), "bench")
        writer = Writer(transactions.carry_out, batch_max=batch_max)
        store = SqliteStore(path, transactions, writer)
        await settle_in(store, usd_nanos=0)
        await store.submit(grant(10**15))
        numbers = iter(range(pairs))

        async def client() -> None:
            for number in numbers:
                identity = f"hold_{number:012}"
                held = await store.submit(reserve(identity, 1_000, limits=LIMITS))
                assert isinstance(held, Reserved)
                assert isinstance(await store.submit(capture(identity, 900)), Closed)

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        taken = time.perf_counter() - started
        assert await audit_store(store) == ()
        await store.close()
        return pairs / taken


async def caller_us() -> float:
    """Look up a caller, again and again."""
    with TemporaryDirectory() as directory:
        store = SqliteStore.open(Path(directory) / "store.db")
        await settle_in(store)
        started = time.perf_counter()
        for _ in range(5_000):
            await store.caller(key().hash, AT, None)
        taken = time.perf_counter() - started
        await store.close()
        return taken / 5_000 * 1e6


def run() -> dict[str, float]:
    """Give the figures of one run: pairs a second, and how many times as many as one by one."""
    grouped, single, ratios = [], [], []
    for _ in range(ROUNDS):
        single.append(asyncio.run(pairs_per_s(1, CLIENTS, PAIRS_SINGLE)))
        grouped.append(asyncio.run(pairs_per_s(BATCH_MAX, CLIENTS, PAIRS_BATCHED)))
        ratios.append(grouped[-1] / single[-1])
    alone = asyncio.run(pairs_per_s(BATCH_MAX, 1, PAIRS_SINGLE))
    return {
        "pairs_per_s_grouped_64_clients": round(median(grouped)),
        "pairs_per_s_single_64_clients": round(median(single)),
        "pairs_per_s_grouped_1_client": round(alone),
        "grouped_over_single": round(median(ratios), 1),
        "caller_us": round(asyncio.run(caller_us()), 1),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
