"""Many callers leave at once: the provider hears of it in time, and its bill and ours are the same.

one-switch #3, sub2api #4408, new-api #5235: a client that leaves got it free, or paid in full.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import define

from astrolabe_core import shipped
from astrolabe_core.money import usd, usd_text
from astrolabe_core.units import WorkspaceId
from astrolabe_http.simulator import RunningSimulator
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.simulator.journal import CallRecord
from astrolabe_http.simulator.plan import Rule, read_rule
from astrolabe_http.simulator.settings import SimulatorSettings
from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
)
from tests.http.server.test_process import PATHS, body_for

CALLERS = 200
AT_ONCE = 50
CREDIT = "50"
SAID = "The ledger holds what was reserved until somebody says how it ended"
LATE_MS = 300
"""How long the provider takes to write a call down."""


@define
class Stack:
    """A gateway process before a provider of this one, and an account."""

    simulator: RunningSimulator
    gateway: Process
    database: Path
    workspace: WorkspaceId
    key: str

    def spent(self) -> int:
        """Give what the account has paid, once nothing is held any more."""
        until = time.monotonic() + 25
        while (wallet := balance(self.database, self.workspace)).held:
            assert time.monotonic() < until, f"{wallet.held} nanos are still held"
            time.sleep(0.05)
        assert wallet.debt == 0
        credit = usd(CREDIT)
        return credit - wallet.available

    def bill(self) -> int:
        """Give what the provider charges, in nanos."""
        return int(self.simulator.provider.journal.spent * 10**9)

    def calls(self) -> list[CallRecord]:
        return [call for call in self.simulator.provider.journal.calls if call.method == "POST"]

    def rule(self, fault: str) -> None:
        made = read_rule({"fault": fault, "text": SAID, "times": None})
        assert isinstance(made, Rule)
        self.simulator.provider.plan.rules.append(made)

    def usage(self) -> list[dict[str, Any]]:
        headers, found = {"x-api-key": self.key}, []
        with httpx.Client(base_url=self.gateway.url, headers=headers, timeout=20) as client:
            page = client.get("/v1/usage?limit=100").json()
            found += page["data"]
            while page.get("next_cursor"):
                cursor = page["next_cursor"]
                page = client.get(f"/v1/usage?limit=100&before={cursor}").json()
                found += page["data"]
        return found


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningSimulator]:
    late = SimulatorSettings(generation_delay_ms=LATE_MS)
    with RunningSimulator(from_catalog(shipped.catalog()), late) as made:
        yield made


@pytest.fixture(params=["cancel", "drain"])
def stack(
    request: pytest.FixtureRequest, provider: RunningSimulator, tmp_path: Path
) -> Iterator[Stack]:
    provider.provider.reset()
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    workspace, key = make_account(database, CREDIT)
    policy = {"ASTROLABE_ON_CLIENT_DISCONNECT": request.param}
    gateway = start_gateway(database, provider.url, log, **policy)
    try:
        yield Stack(provider, gateway, database, workspace, key)
        assert gateway.stop() == 0
        assert differences(database) == ()
    finally:
        gateway.stop()


async def hear_all_and_leave(client: httpx.AsyncClient, path: str) -> float:
    """Read a stream until everything was said, and leave; say when that was."""
    said = ""
    async with client.stream("POST", path, json=body_for(path, stream=True)) as answer:
        assert answer.status_code == 200
        async for chunk in answer.aiter_text():
            said += chunk
            if f" {SAID.rpartition(' ')[2]}" in said:
                break
    return time.monotonic()


def all_leave(stack: Stack, callers: int) -> float:
    """Have so many callers hear all and leave, some at once; give when the last one did."""
    left: list[float] = []

    async def run() -> None:
        bounds = httpx.Limits(max_connections=AT_ONCE)
        headers = {"authorization": f"Bearer {stack.key}"}
        limiter = anyio.CapacityLimiter(AT_ONCE)
        async with httpx.AsyncClient(
            base_url=stack.gateway.url, headers=headers, timeout=30, limits=bounds
        ) as client:

            async def leave(number: int) -> None:
                async with limiter:
                    left.append(await hear_all_and_leave(client, PATHS[number % 2]))

            async with anyio.create_task_group() as tasks:
                for number in range(callers):
                    tasks.start_soon(leave, number)

    anyio.run(run)
    assert len(left) == callers
    return max(left)


@pytest.mark.parametrize("stack", ["cancel"], indirect=True)
@pytest.mark.parametrize("fault", ["hold-99", "hold-99+bills-on"])
def test_two_hundred_who_leave_before_the_usage_pay_what_the_provider_charges(
    stack: Stack, fault: str
) -> None:
    stack.rule(fault)
    last = all_leave(stack, CALLERS)
    while any(call.outcome == "pending" for call in stack.calls()):
        assert time.monotonic() - last < 1, "the provider still writes"
        time.sleep(0.01)
    outcomes = Counter(call.outcome for call in stack.calls())
    assert outcomes == {"disconnected": CALLERS}
    spent, bill = stack.spent(), stack.bill()
    assert bill > 0
    assert abs(spent - bill) <= bill / 100
    rows = stack.usage()
    assert len(rows) == CALLERS
    assert {row["unbillable_reason"] for row in rows} == {None}
    assert sum(Decimal(row["debit_usd"]) for row in rows) == Decimal(usd_text(spent))  # type: ignore[arg-type]


@pytest.mark.parametrize("stack", ["drain"], indirect=True)
def test_where_the_provider_is_drained_they_pay_for_the_whole_answer(stack: Stack) -> None:
    stack.rule("hold-99")
    all_leave(stack, AT_ONCE)
    assert {call.outcome for call in stack.calls()} == {"pending"}
    stack.simulator.provider.holds.release()
    spent, bill = stack.spent(), stack.bill()
    assert {call.outcome for call in stack.calls()} == {"completed"}
    assert bill > 0
    assert spent == bill
    # Nobody had to be asked: the usage came with the end.
    methods = Counter(call.method for call in stack.simulator.provider.journal.calls)
    assert methods == {"POST": AT_ONCE}


@pytest.mark.parametrize("stack", ["cancel"], indirect=True)
def test_whole_answers_without_usage_are_billed_by_the_record(stack: Stack) -> None:
    stack.rule("no-usage")
    headers = {"authorization": f"Bearer {stack.key}"}
    with httpx.Client(base_url=stack.gateway.url, headers=headers, timeout=20) as client:
        for path in PATHS:
            for stream in (False, True):
                body = body_for(path, stream=stream)
                assert client.post(path, json=body).status_code == 200
    spent, bill = stack.spent(), stack.bill()
    assert bill > 0
    assert spent == bill
    assert {row["unbillable_reason"] for row in stack.usage()} == {None}
