from __future__ import annotations

import json

import pytest

from astrolabe_core.health import Change
from astrolabe_core.units import Instant, ModelId
from astrolabe_http.settings import LogFormat
from astrolabe_http.telemetry import write_circuit
from tests.http.gateways import CHAT, chat_reply, json_reply, make_bench

pytestmark = pytest.mark.anyio

ALLOWED = {
    "at",
    "request_id",
    "method",
    "route",
    "status",
    "duration_ms",
    "workspace",
    "key",
    "stack",
    "decision",
    "model",
    "attempts",
    "debit_usd",
    "unbillable",
    "refusal",
    "flags",
    "error",
}


async def test_each_keyed_request_is_one_line_of_the_allow_list() -> None:
    bench = await make_bench()
    bench.transport.script = [chat_reply(), json_reply({}, 500)]
    async with bench.client() as client:
        for _ in range(2):
            await client.post("/v1/chat/completions", json=CHAT)
        await client.get("/v1/models/canary-model?canary=1")
        await client.get("/health")
    lines = [json.loads(line) for line in bench.lines]
    assert [line["status"] for line in lines] == [200, 502, 404]
    assert lines[0]["debit_usd"] == "0.000007"
    assert lines[0]["model"] == "openai/gpt-5.4-nano"
    assert lines[1]["refusal"] == "provider_error"
    assert lines[2]["route"] == "/v1/models/{id:path}"
    assert all(set(line) <= ALLOWED for line in lines)


@pytest.mark.parametrize("format_", [LogFormat.JSON, LogFormat.TEXT])
async def test_no_prompt_no_answer_and_no_key_is_logged(format_: LogFormat) -> None:
    bench = await make_bench(log_format=format_)
    bench.transport.script = [chat_reply("canary answer")]
    body = {
        **CHAT,
        "messages": [{"role": "user", "content": "canary prompt"}],
        "metadata": {"canary": "canary"},
        "user": "canary-user",
    }
    async with bench.client() as client:
        await client.post("/v1/chat/completions", json=body)
        await client.post("/v1/chat/completions", json={**body, "model": "canary/model"})
    for secret in ("canary", "Bearer canary", "x"):
        async with bench.client(authorization=secret) as client:
            await client.post("/v1/chat/completions", json=body)
    logged = b"".join(bench.lines).decode()
    assert len(bench.lines) == 5
    assert "canary" not in logged
    assert bench.secret not in logged
    assert bench.key.hash not in logged


async def test_a_log_may_be_off() -> None:
    bench = await make_bench(log_format=LogFormat.OFF)
    async with bench.client() as client:
        await client.post("/v1/chat/completions", json=CHAT)
    assert bench.lines == []


@pytest.mark.parametrize(
    ("log_format", "opened", "closed"),
    [
        (
            LogFormat.JSON,
            b'{"at":1000,"circuit":"acme/one","state":"open","until":6000}\n',
            b'{"at":1000,"circuit":"acme/one","state":"closed"}\n',
        ),
        (
            LogFormat.TEXT,
            b"circuit acme/one open for 5 s\n",
            b"circuit acme/one closed\n",
        ),
        (LogFormat.OFF, b"", b""),
    ],
)
def test_a_circuit_is_told_in_the_format_of_the_log(
    log_format: LogFormat, opened: bytes, closed: bytes
) -> None:
    one, at = ModelId("acme/one"), Instant(1_000)
    assert write_circuit(log_format, Change(one, Instant(6_000)), at) == opened
    assert write_circuit(log_format, Change(one, None), at) == closed
