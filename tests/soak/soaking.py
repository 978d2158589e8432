"""A soak: the real server in front of the simulator, with faults, for as long as it is told.

Afterwards the books are compared with what every caller saw, and nothing may be left over.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import define, field, frozen

from astrolabe_core.units import WorkspaceId
from astrolabe_http.service import KeyTerms, NewKey, Service
from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
    start_simulator,
    with_service,
)
from tests.judges.conftest import complaints
from tests.soak.traffic import Caller, Tally, orders
from tests.soak.watching import Watch, sample

CREDITS: Final = ("500", "500", "0.005")
"""What each workspace has: the last one runs out of it."""
CALLERS: Final = 12
WARM_S: Final = 60.0
"""Below this nothing is said of growth: caches fill."""
GROWTH_MB: Final = 8.0
GROWTH_SHARE: Final = 1.06
_DRAIN_S: Final = 30.0
_SETTLED_S: Final = 0.3
_SAMPLES_MIN: Final = 40


@frozen
class Account:
    """A workspace with credit and keys."""

    workspace: WorkspaceId
    credit: str
    keys: tuple[str, ...] = field(repr=False)


@define
class Report:
    """What a soak found. It is well where `faults` is empty."""

    seconds: float
    tally: Tally
    watch: Watch
    usage_rows: int = 0
    debited: Decimal = Decimal(0)
    failed_calls: int = 0
    kinds: int = 0
    faults: list[str] = field(factory=list)

    def lines(self) -> list[str]:
        """Tell it."""
        tally, watch = self.tally, self.watch
        slow = sorted(tally.latencies_ms) or [0.0]
        told = [
            f"{tally.sent} requests in {self.seconds:.0f} s; {tally.left} callers left",
            f"{self.failed_calls} calls of the provider had a fault, of {self.kinds} kinds",
            f"latency: p50 {slow[len(slow) // 2]:.0f} ms, p99 {slow[len(slow) * 99 // 100]:.0f} ms",
            "outcomes: " + ", ".join(f"{name} {n}" for name, n in tally.outcomes.most_common()),
            f"books: {self.usage_rows} usage rows, {self.debited} USD debited",
        ]
        for name in ("rss_mb", "children_mb", "descriptors", "sockets", "processes"):
            quarters = ", ".join(f"{value:.0f}" for value in watch.quarters(name))
            told.append(f"{name} by quarters: {quarters}")
        told += [f"FAULT: {fault}" for fault in self.faults[:40]]
        return [*told, "the soak is well" if not self.faults else "THE SOAK IS NOT WELL"]


def soak(seconds: float, seed: int, say: Callable[[str], None]) -> Report:
    """Run one."""
    with tempfile.TemporaryDirectory() as folder:
        database, log = Path(folder, "gateway.db"), Path(folder, "log")
        accounts = [_account(database, credit) for credit in CREDITS]
        simulator = start_simulator()
        try:
            gateway = start_gateway(
                database,
                f"{simulator.url}/api/v1",
                log,
                ASTROLABE_ATTEMPT_TIMEOUT="2",
                ASTROLABE_REQUEST_TIMEOUT="15",
                ASTROLABE_CIRCUITS="on",
            )
            try:
                say(f"seed {seed}, gateway {gateway.url}, simulator {simulator.url}")
                report = asyncio.run(_run(gateway, simulator, accounts, seconds, seed, say))
                if gateway.stop() != 0:
                    report.faults.append("the gateway did not stop as it should")
            finally:
                gateway.stop()
        finally:
            simulator.stop()
        _audit(report, database, accounts)
        report.faults += [f"log: {line[:300]}" for line in complaints(log.read_bytes())]
    return report


def _account(database: Path, credit: str) -> Account:
    workspace, first = make_account(database, credit, KeyTerms(rate_limit=10_000_000))

    async def work(service: Service) -> str:
        made = await service.create_key(workspace, KeyTerms(rate_limit=10_000_000))
        assert isinstance(made, NewKey)
        return made.secret

    return Account(workspace, credit, (first, with_service(database, work)))


async def _run(
    gateway: Process,
    simulator: Process,
    accounts: list[Account],
    seconds: float,
    seed: int,
    say: Callable[[str], None],
) -> Report:
    tally, watch = Tally(), Watch()
    begun = time.monotonic()
    async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as client:
        ordered = await client.post(f"{simulator.url}/_control/faults", json=orders(seed))
        ordered.raise_for_status()
        rich, poor = accounts[:-1], accounts[-1]
        keys = [key for account in rich for key in account.keys * 3] + list(poor.keys)
        callers = [Caller(client, keys, seed * 100 + place) for place in range(CALLERS)]
        end = begun + seconds
        watching = asyncio.create_task(_watch(gateway, watch, tally, begun, seconds, say))
        try:
            await asyncio.gather(*(caller.ask_until(end, tally) for caller in callers))
        finally:
            watching.cancel()
        report = Report(time.monotonic() - begun, tally, watch, faults=list(tally.violations))
        await _compare(client, accounts, report)
        rules = (await client.get(f"{simulator.url}/_control/faults")).json()["rules"]
        report.failed_calls = sum(rule["taken"] for rule in rules)
        report.kinds = sum(rule["taken"] > 0 for rule in rules)
    if seconds >= WARM_S:
        report.faults += _growth(watch)
    return report


async def _watch(
    gateway: Process,
    watch: Watch,
    tally: Tally,
    begun: float,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    pause = max(0.1, min(1.0, seconds / _SAMPLES_MIN))
    told = begun
    while True:
        watch.samples.append(sample(gateway.process.pid))
        now = time.monotonic()
        if now - told >= 10:
            told, last = now, watch.samples[-1]
            rate = tally.sent / (now - begun)
            say(
                f"{now - begun:4.0f} s: {tally.sent} requests ({rate:.0f}/s), {tally.left} left, "
                f"{len(tally.violations)} violations; {last.rss_mb:.0f} MB, "
                f"{last.descriptors} descriptors"
            )
        await asyncio.sleep(pause)


async def _compare(client: httpx.AsyncClient, accounts: list[Account], report: Report) -> None:
    """Hold the usage rows against what callers were told, once the last one is settled."""
    seen: set[str] = set()
    for account in accounts:
        rows = await _usage(client, account.keys[0])
        debits = sum((Decimal(row["debit_usd"]) for row in rows), Decimal(0))
        report.usage_rows += len(rows)
        report.debited += debits
        ids = [row["request_id"] for row in rows]
        if len(set(ids)) != len(ids):
            report.faults.append(f"{account.workspace}: a request has two usage rows")
        seen.update(ids)
        for row in rows:
            unpaid = row["unbillable_reason"] or row["refusal"]
            if (unpaid is None) != (Decimal(row["debit_usd"]) > 0):
                report.faults.append(f"{row['request_id']}: {unpaid}, {row['debit_usd']} USD")
    missing = report.tally.answered - seen
    if missing:
        report.faults.append(f"{len(missing)} answered requests have no usage row")


async def _usage(client: httpx.AsyncClient, key: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {key}"}
    await _drained(client, headers)
    rows: list[dict[str, Any]] = []
    page: dict[str, Any] = {"has_more": True, "next_cursor": None}
    while page["has_more"]:
        before = {} if page["next_cursor"] is None else {"before": page["next_cursor"]}
        answer = await client.get("/v1/usage", params={"limit": 1_000, **before}, headers=headers)
        answer.raise_for_status()
        page = answer.json()
        rows += page["data"]
    return rows


async def _drained(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Wait until no more rows come: who left is settled after they are gone."""
    end, last = time.monotonic() + _DRAIN_S, -1
    while time.monotonic() < end:
        answer = await client.get("/v1/usage", params={"group_by": "key"}, headers=headers)
        count = sum(group["requests"] for group in answer.json()["data"])
        if count == last:
            return
        last = count
        await asyncio.sleep(_SETTLED_S)


def _audit(report: Report, database: Path, accounts: list[Account]) -> None:
    """Hold the wallets against the rows, once the gateway has stopped."""
    spent = Decimal(0)
    for account in accounts:
        wallet = balance(database, account.workspace)
        spent += Decimal(account.credit) - Decimal(wallet.available - wallet.debt) / 10**9
        if wallet.held:
            report.faults.append(f"{account.workspace}: {wallet.held} nano-USD are held still")
    if spent != report.debited:
        report.faults.append(f"wallets say {spent} USD were spent, usage rows {report.debited}")
    report.faults += [f"ledger verify: {each}" for each in differences(database)]


def _growth(watch: Watch) -> list[str]:
    """Say what grew. The first quarter is left out: caches fill."""
    found = []
    _, second, _, last = watch.quarters("rss_mb")
    if last > second * GROWTH_SHARE + GROWTH_MB:
        found.append(f"memory grew from {second:.0f} MB to {last:.0f} MB")
    for name in ("descriptors", "sockets"):
        _, second, _, last = watch.quarters(name)
        if last > second * 1.25 + 8:
            found.append(f"{name} grew from {second:.0f} to {last:.0f}")
    return found
