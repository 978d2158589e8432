"""What only real processes show: races on money, kill -9, stopping in order, secrets in logs."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from astrolabe_core.money import usd, usd_text
from tests.http.server.conftest import Stack
from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
)

BODY: dict[str, Any] = {
    "model": "openai/gpt-5.4-nano",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Hello"}],
}
PATHS = ("/v1/chat/completions", "/v1/responses")


def body_for(path: str, *, stream: bool = False) -> dict[str, Any]:
    if path == PATHS[0]:
        return {**BODY, "stream": stream}
    return {
        "model": BODY["model"],
        "max_output_tokens": 200,
        "input": "Hello",
        "stream": stream,
    }


def calls(stack: Stack) -> list[Any]:
    found: list[Any] = httpx.get(f"{stack.control}/journal").json()["calls"]
    return [call for call in found if call["method"] == "POST"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_money_for_ten_serves_ten_of_fifty_at_once(stack: Stack, path: str, stream: bool) -> None:
    """litellm #34732: balance read, then spent; funds for 10 granted 29."""
    body = body_for(path, stream=stream)
    with stack.client() as client:
        preview = client.post("/v1/route", json=body).json()
    hold = usd(preview["decision"]["selected"]["hold_usd"])
    workspace, key = make_account(stack.database, usd_text(10 * hold))  # type: ignore[arg-type]
    rule = {"fault": "hold", "times": None}
    httpx.post(f"{stack.control}/faults", json=rule).raise_for_status()
    answers: list[httpx.Response] = []

    async def ask(client: httpx.AsyncClient) -> None:
        answers.append(await client.post(path, json=body))

    async def asked(control: httpx.AsyncClient) -> int:
        return len((await control.get(f"{stack.control}/journal")).json()["calls"])

    async def run() -> None:
        headers = {"authorization": f"Bearer {key}"}
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(
                base_url=stack.gateway.url, headers=headers, timeout=30, limits=limits
            ) as client,
            httpx.AsyncClient() as control,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(50):
                tasks.start_soon(ask, client)
            with anyio.fail_after(20):
                # Ten hold their money and wait at the provider; the others are told at once.
                while len(answers) < 40 or await asked(control) < 10:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            await anyio.sleep(0.1)
            assert len(answers) == 40
            await control.post(f"{stack.control}/release")

    anyio.run(run)
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: 10, 402: 40}
    assert len(calls(stack)) == 10
    for answer in answers:
        if answer.status_code == 402:
            error = answer.json()["error"]
            assert error["code"] == "payment_required"
            assert error["details"]["reason"] == "in_flight_holds"
            assert answer.headers["retry-after"]
            assert "x-should-retry" not in answer.headers
    wallet = balance(stack.database, workspace)
    assert wallet.held == 0
    assert wallet.debt == 0
    assert 0 < wallet.available < 10 * hold
    assert differences(stack.database) == ()


def test_a_caller_who_hangs_up_cancels_the_provider_within_a_second(stack: Stack) -> None:
    for path in PATHS:
        for stream in (False, True):
            httpx.post(f"{stack.control}/reset").raise_for_status()
            fault = {"fault": "drip-30" if stream else "stall"}
            httpx.post(f"{stack.control}/faults", json=fault).raise_for_status()
            hang_up(stack, path, stream=stream)
            left = time.monotonic()
            while calls(stack)[-1]["outcome"] != "disconnected":
                assert time.monotonic() - left < 1, "the provider still writes"


def hang_up(stack: Stack, path: str, *, stream: bool) -> None:
    """Ask, and leave: a stream at its first bytes, another call soon."""
    body = body_for(path, stream=stream)
    with stack.client() as client:
        try:
            with client.stream("POST", path, json=body, timeout=0.3) as answer:
                next(answer.iter_bytes())
        except httpx.ReadTimeout:
            assert not stream


async def load(
    url: str, key: str, answered: list[str], stop: anyio.Event, *, at_once: int = 24
) -> None:
    """Ask and ask until told to stop; remember the ids of what was answered whole."""

    async def ask(client: httpx.AsyncClient, place: int) -> None:
        path = PATHS[place % 2]
        body = body_for(path, stream=place % 3 == 0)
        while not stop.is_set():
            try:
                answer = await client.post(path, json=body)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                answered.append(answer.headers["x-request-id"])

    limits = httpx.Limits(max_connections=None)
    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=10, limits=limits) as client,
        anyio.create_task_group() as tasks,
    ):
        for place in range(at_once):
            tasks.start_soon(ask, client, place)


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(
    simulator: Process, tmp_path: Path
) -> None:
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    upstream = f"{simulator.url}/api/v1"
    workspace, key = make_account(database, "50")
    httpx.post(f"{simulator.url}/_control/reset").raise_for_status()
    slow = {"fault": "drip-10", "times": None}
    httpx.post(f"{simulator.url}/_control/faults", json=slow).raise_for_status()
    answered: list[str] = []
    for _ in range(2):
        gateway = start_gateway(database, upstream, log)

        async def run(running: Process = gateway) -> None:
            stop = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(load, running.url, key, answered, stop)
                await anyio.sleep(1.5)
                running.process.kill()
                stop.set()

        anyio.run(run)
        gateway.stop()
    held = balance(database, workspace).held
    assert answered
    assert held > 0, "nothing was under way when the process was killed"
    gateway = start_gateway(database, upstream, log)
    try:
        assert balance(database, workspace).held == 0
        with httpx.Client(base_url=gateway.url, headers={"x-api-key": key}) as client:
            for request in answered[:: max(1, len(answered) // 50)]:
                assert client.get(f"/v1/traces/{request}").status_code == 200
            totals = client.get("/v1/usage?group_by=model").json()["data"]
    finally:
        assert gateway.stop() == 0
    assert differences(database) == ()
    wallet = balance(database, workspace)
    spent = sum(usd(each["debit_usd"]) for each in totals)
    assert wallet.available + spent == usd("50")
    assert wallet.debt == 0


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_end(
    simulator: Process, tmp_path: Path, with_signal: signal.Signals
) -> None:
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    workspace, key = make_account(database, "5")
    gateway = start_gateway(database, f"{simulator.url}/api/v1", log)
    httpx.post(f"{simulator.url}/_control/reset").raise_for_status()
    delay = {"fault": "delay-600"}
    httpx.post(f"{simulator.url}/_control/faults", json=delay).raise_for_status()
    answers: list[httpx.Response] = []

    async def run() -> None:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=10) as client:

            async def ask() -> None:
                headers = {"x-api-key": key}
                answers.append(await client.post(PATHS[0], json=BODY, headers=headers))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                await anyio.sleep(0.3)
                gateway.process.send_signal(with_signal)

    anyio.run(run)
    # One signal is enough; one more could meet an interpreter that is already on its way out.
    assert gateway.process.wait(20) == 0
    gateway.stop()
    assert answers[0].status_code == 200
    assert balance(database, workspace).held == 0
    assert differences(database) == ()


def test_no_secret_is_in_the_log_the_database_or_an_answer(stack: Stack) -> None:
    told = []
    with stack.client() as client:
        for body in (BODY, {**BODY, "model": "no/such"}, {"canary-prompt": 1}):
            content = {"messages": [{"role": "user", "content": "canary-prompt"}]}
            told.append(client.post(PATHS[0], json={**body, **content}).text)
        told.append(client.get(f"/v1/traces/{'x' * 20}").text)
    told.append(stack.log.read_text())
    files = [path.read_bytes() for path in stack.database.parent.glob("gateway.db*")]
    stored = b"".join(files).decode("latin-1")
    for secret in ("canary-provider-key", stack.key, "a server secret"):
        assert secret not in "".join(told)
        assert secret not in stored
    assert "canary-prompt" not in stack.log.read_text()
    assert "canary-prompt" not in stored


def test_an_unreachable_provider_is_said_so_and_costs_nothing(tmp_path: Path) -> None:
    database, log = tmp_path / "gateway.db", tmp_path / "log"
    workspace, key = make_account(database, "5")
    gateway = start_gateway(database, "http://127.0.0.1:1/api/v1", log, OPENROUTER_API_KEY="")
    try:
        with httpx.Client(base_url=gateway.url, headers={"x-api-key": key}) as client:
            ready = client.get("/ready")
            answer = client.post(PATHS[0], json=BODY)
    finally:
        gateway.stop()
    assert ready.status_code == 503
    assert ready.json()["issues"] == ["missing_provider_key"]
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "origin_unreachable")
    assert balance(database, workspace).available == usd("5")
