"""How much does group commit give?

Reserve and capture, each acknowledged when durable (`synchronous=FULL`), by 64 clients at once
and by one, against the same store, tables and ledger with one transaction an operation.
"""

import asyncio
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
from tests.bench.report import Measured, median_ratio

BAR = 8.0
CLIENTS = 64
ROUNDS = 5
PAIRS_GROUPED = 12_800
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
        identities = [f"hold_{number:012}" for number in range(pairs)]
        commands = iter(
            [(reserve(one, 1_000, limits=LIMITS), capture(one, 900)) for one in identities]
        )

        async def client() -> None:
            for holding, ending in commands:
                assert isinstance(await store.submit(holding), Reserved)
                assert isinstance(await store.submit(ending), Closed)

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


def run() -> list[Measured]:
    """Measure both in turn, and the neighbours that are worth knowing."""
    grouped, single = [], []
    for _ in range(ROUNDS):
        single.append(asyncio.run(pairs_per_s(1, CLIENTS, PAIRS_SINGLE)))
        grouped.append(asyncio.run(pairs_per_s(BATCH_MAX, CLIENTS, PAIRS_GROUPED)))
    alone = asyncio.run(pairs_per_s(BATCH_MAX, 1, PAIRS_SINGLE))
    return [
        Measured(
            name="ledger",
            claim=f"reserve + capture with {CLIENTS} clients on SQLite at full durability is at "
            f"least {BAR:g} x the same ledger with one transaction an operation",
            ratio=median_ratio(grouped, single),
            bar=BAR,
            at_most=False,
            figures=(
                (f"group commit, {CLIENTS} clients", f"{median(grouped):,.0f} pairs/s"),
                (f"one transaction each, {CLIENTS} clients", f"{median(single):,.0f} pairs/s"),
                ("group commit, 1 client", f"{alone:,.0f} pairs/s"),
                ("looking up a caller", f"{asyncio.run(caller_us()):.1f} us"),
            ),
        )
    ]
