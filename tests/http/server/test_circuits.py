"""Real processes: a model that fails is left alone, and one request finds that it is back.

A clock cannot be moved in another process, so that circuits are open for 0.2 s here, and what is
waited for is asked for again until it is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.gateways import CHAT
from tests.http.server.processes import Process, make_account, start_gateway

NANO = CHAT["model"]
CIRCUITS = {
    "ASTROLABE_CIRCUITS": "on",
    "ASTROLABE_CIRCUIT_FAILURES": "3",
    "ASTROLABE_CIRCUIT_OPEN": "0.2",
    "ASTROLABE_CIRCUIT_OPEN_MAX": "0.2",
}


@pytest.fixture
def control(simulator: Process) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.url}/_control", timeout=20) as made:
        made.post("/reset").raise_for_status()
        yield made
        made.post("/reset").raise_for_status()


def order(control: httpx.Client, fault: str, **rule: Any) -> None:
    control.post("/faults", json={"model": NANO, "fault": fault, **rule}).raise_for_status()


def calls(control: httpx.Client) -> int:
    return len(control.get("/journal", params={"model": NANO}).json()["calls"])


def until_served(ask: Callable[[], int]) -> int:
    """Ask for as long as nobody may call the model."""
    return next(status for _ in range(5_000) if (status := ask()) != 503)


def test_a_failing_model_is_left_alone_and_one_of_fifty_finds_it_well(
    simulator: Process, control: httpx.Client, tmp_path: Path
) -> None:
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    _, key = make_account(database, "5")
    gateway = start_gateway(database, f"{simulator.url}/api/v1", log, **CIRCUITS)
    headers = {"authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=60)
    try:
        with httpx.Client(
            base_url=gateway.url, headers=headers, timeout=20, limits=limits
        ) as client:

            def ask(_: int = 0) -> int:
                return client.post("/v1/chat/completions", json=CHAT).status_code

            order(control, "502", times=3)
            assert [ask() for _ in range(3)] == [502] * 3
            refused = client.post("/v1/chat/completions", json=CHAT)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["error"]["code"] == "overloaded"
            assert calls(control) == 3
            order(control, "hold", times=1)
            with ThreadPoolExecutor(50) as pool:
                probe = pool.submit(until_served, ask)
                assert any(calls(control) == 4 for _ in range(2_000))
                assert list(pool.map(ask, range(49))) == [503] * 49
                assert calls(control) == 4
                control.post("/release").raise_for_status()
                assert probe.result(20) == 200
            assert [ask() for _ in range(3)] == [200] * 3
        assert gateway.stop() == 0
        told = [line for line in log.read_text().splitlines() if '"circuit":' in line]
        assert [('"open"' in line, NANO in line) for line in told] == [(True, True), (False, True)]
    finally:
        gateway.stop()


def test_an_upstream_that_cannot_be_reached_opens_no_circuit(tmp_path: Path) -> None:
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    _, key = make_account(database, "5")
    gateway = start_gateway(database, "http://127.0.0.1:1/api/v1", log, **CIRCUITS)
    try:
        with httpx.Client(base_url=gateway.url, headers={"x-api-key": key}, timeout=20) as client:
            told = [client.post("/v1/chat/completions", json=CHAT) for _ in range(12)]
        assert {answer.json()["error"]["code"] for answer in told} == {"origin_unreachable"}
        assert '"circuit":' not in log.read_text()
    finally:
        gateway.stop()
