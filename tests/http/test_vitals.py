"""A model that keeps failing is left alone for a while, and one request finds out whether to."""

from __future__ import annotations

import json
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.units import Instant, ModelId
from astrolabe_http.settings import LogFormat
from astrolabe_http.transport import Unanswered
from tests.http.gateways import (
    CHAT,
    DONE,
    WHOLE_STREAM,
    Bench,
    Script,
    ScriptedReply,
    chat_reply,
    json_reply,
    make_bench,
    sse,
    stream_reply,
    whole_stream,
)

pytestmark = pytest.mark.anyio

NANO = "openai/gpt-5.4-nano"
FAILURES, OPEN_MS = 3, 5_000
AUTO = {**CHAT, "model": "astrolabe/auto"}


def error(status: int = 502, **headers: str) -> ScriptedReply:
    return json_reply({"error": {"code": status, "message": "no"}}, status, **headers)


async def bench_with_circuits(**settings: Any) -> Bench:
    return await make_bench(**({"circuits": True, "circuit_failures": FAILURES} | settings))


async def post(bench: Bench, body: dict[str, Any] = CHAT, path: str = "chat/completions") -> Any:
    async with bench.client() as client:
        return await client.post(f"/v1/{path}", json=body)


async def fail(bench: Bench, times: int = FAILURES, *, answer: Script | None = None) -> None:
    for _ in range(times):
        bench.transport.script = [answer or error()]
        assert (await post(bench)).status_code in {502, 504}


def wait(bench: Bench, ms: int = OPEN_MS) -> None:
    bench.clock.at = Instant(bench.clock.at + ms)


def asked(bench: Bench) -> list[str]:
    return [body["model"] for _, body in bench.transport.sent]


def circuits(bench: Bench) -> list[Any]:
    """What the log says of circuits."""
    told = [json.loads(line) for line in bench.lines]
    return [(line["circuit"], line["state"]) for line in told if "circuit" in line]


async def test_a_named_model_that_keeps_failing_is_503_until_it_may_be_tried() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    calls, money = len(asked(bench)), await bench.available()
    refused = await post(bench)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert "x-should-retry" not in refused.headers
    assert refused.headers["x-astrolabe-policy-status"] == "blocked"
    told = refused.json()["error"]
    assert told["code"] == "overloaded"
    assert told["details"]["rejected"][0]["reasons"][0]["actual"] == "open for 5 s"
    assert (len(asked(bench)), await bench.available()) == (calls, money)
    wait(bench)
    answered = await post(bench)
    assert answered.status_code == 200
    assert circuits(bench) == [(NANO, "open"), (NANO, "closed")]
    assert bench.gateway.vitals.health.impaired == set()


async def test_what_may_be_chosen_otherwise_is_and_the_trace_says_why() -> None:
    bench = await bench_with_circuits()
    first = (await post(bench, AUTO)).headers["x-astrolabe-selected-model"]
    body = {**CHAT, "model": first}
    for _ in range(FAILURES):
        bench.transport.script = [error()]
        await post(bench, body)
    served = await post(bench, AUTO)
    assert served.status_code == 200
    other = served.headers["x-astrolabe-selected-model"]
    assert asked(bench)[-1] == other != first
    async with bench.client() as client:
        trace = (await client.get(f"/v1/traces/{served.headers['x-request-id']}")).json()
    decision = trace["decision"]
    rejected = {each["model"]: each["reasons"] for each in decision["rejected"]}
    assert [reason["code"] for reason in rejected[first]] == ["circuit_open"]
    assert decision["circuits_open"] == {first: bench.clock.at + OPEN_MS}
    assert first not in decision["plan"]


async def test_a_preview_says_what_a_request_would_get_and_takes_no_probe() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    shown = await post(bench, path="route")
    assert (shown.status_code, shown.headers["x-astrolabe-policy-status"]) == (200, "blocked")
    assert shown.json()["decision"]["circuits_open"] == {NANO: bench.clock.at + OPEN_MS}
    wait(bench)
    assert (await post(bench, path="route")).json()["decision"]["kind"] == "pinned"
    assert (await post(bench)).status_code == 200


async def test_a_probe_that_fails_opens_for_longer() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    wait(bench)
    await fail(bench, 1)
    assert (await post(bench)).headers["retry-after"] == "10"
    assert circuits(bench) == [(NANO, "open")] * 2


async def test_a_rate_limit_is_kept_out_of_for_as_long_as_it_asks() -> None:
    bench = await bench_with_circuits()
    await fail(bench, answer=error(429, retry_after="40"))
    assert (await post(bench)).headers["retry-after"] == "40"


async def test_of_fifty_requests_at_once_one_finds_out() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    wait(bench)
    calls, release = len(asked(bench)), anyio.Event()

    async def held() -> ScriptedReply:
        await release.wait()
        return chat_reply()

    bench.transport.script = [held]
    statuses: list[int] = []

    async def ask(client: httpx.AsyncClient) -> None:
        statuses.append((await client.post("/v1/chat/completions", json=CHAT)).status_code)
        if len(statuses) == 49:
            release.set()

    async with bench.client() as client, anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask, client)
    assert len(asked(bench)) - calls == 1
    assert sorted(statuses) == [200] + [503] * 49


async def test_the_first_content_of_a_stream_lets_the_others_in() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    wait(bench)
    release = anyio.Event()
    begun = stream_reply(sse(*WHOLE_STREAM[:2]), release.wait, sse(*WHOLE_STREAM[2:]), DONE)
    bench.transport.script = [begun]
    async with bench.client() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: client.post("/v1/chat/completions", json={**CHAT, "stream": True}))
        with anyio.fail_after(5):
            while bench.gateway.vitals.health.impaired:
                await anyio.lowlevel.checkpoint()
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        release.set()
    track = bench.gateway.vitals.health.tracks[ModelId(NANO)]
    assert (track.calls, track.failures) == (FAILURES + 2, FAILURES)


async def test_a_stream_that_breaks_off_is_a_failure() -> None:
    bench = await bench_with_circuits(circuit_failures=1)
    broken = Unanswered(Fault(kind=FaultKind.PROVIDER_ERROR, message="broke off"))
    bench.transport.script = [stream_reply(sse(*WHOLE_STREAM[:2]), broken)]
    assert "error" in (await post(bench, {**CHAT, "stream": True})).text
    assert (await post(bench)).status_code == 503
    bench = await bench_with_circuits(circuit_failures=1)
    bench.transport.script = [whole_stream()]
    await post(bench, {**CHAT, "stream": True})
    track = bench.gateway.vitals.health.tracks[ModelId(NANO)]
    assert (track.calls, track.failures, track.first_token_ms) == (1, 0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        Unanswered(Fault(kind=FaultKind.UNREACHABLE, message="no connection")),
        error(401),
        error(402),
        error(400),
    ],
    ids=["unreachable", "our key", "our credit", "the request"],
)
async def test_what_is_the_upstreams_or_ours_or_the_requests_opens_nothing(answer: Script) -> None:
    """One blip of the common upstream must not open all circuits."""
    bench = await bench_with_circuits(circuit_failures=1)
    for _ in range(30):
        bench.transport.script = [answer]
        await post(bench)
    assert bench.gateway.vitals.health.impaired == set()
    assert (await post(bench)).status_code == 200


@pytest.mark.parametrize(("request_ms", "status"), [(60_000, 503), (59_999, 200)])
async def test_who_had_little_time_left_is_not_blamed_for_it(request_ms: int, status: int) -> None:
    """`attempt_timeout` is how long a silent provider is borne: 60 s."""
    bench = await bench_with_circuits(circuit_failures=1, request_timeout_ms=request_ms)
    bench.transport.script = [Unanswered(Fault(kind=FaultKind.TIMEOUT, message="silent"))]
    assert (await post(bench)).status_code == 504
    assert (await post(bench)).status_code == status


async def test_a_caller_who_is_cut_off_gives_the_probe_back() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    wait(bench)
    began = anyio.Event()

    async def silent() -> ScriptedReply:
        began.set()
        await anyio.sleep_forever()
        raise AssertionError

    bench.transport.script = [silent]
    async with bench.client() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: client.post("/v1/chat/completions", json=CHAT))
        await began.wait()
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 503
        tasks.cancel_scope.cancel()
    assert (await post(bench)).status_code == 200


async def test_a_request_that_calls_nobody_gives_the_probe_back() -> None:
    bench = await bench_with_circuits()
    await fail(bench)
    wait(bench)
    lost = {**CHAT, "metadata": {"astrolabe": {"stack": "nobody"}}}
    assert (await post(bench, lost)).status_code == 404
    assert (await post(bench)).status_code == 200


async def test_two_gateways_have_a_health_of_their_own() -> None:
    one, two = await bench_with_circuits(), await bench_with_circuits()
    await fail(one)
    assert (await post(one)).status_code == 503
    assert (await post(two)).status_code == 200


async def test_circuits_can_be_switched_off() -> None:
    bench = await bench_with_circuits(circuits=False, log_format=LogFormat.OFF)
    await fail(bench, 30)
    assert (await post(bench)).status_code == 200
    assert bench.gateway.vitals.health.tracks == {}


async def test_where_logs_are_off_circuits_are_not_told() -> None:
    bench = await bench_with_circuits(log_format=LogFormat.OFF)
    await fail(bench)
    assert bench.lines == []


async def test_a_call_that_was_decided_before_the_circuit_opened_does_not_begin() -> None:
    bench = await bench_with_circuits(circuit_failures=1)
    one, two = anyio.Event(), anyio.Event()
    reserve = bench.store.submit
    first = True

    def submit(command: Any) -> Any:
        nonlocal first
        outcome = reserve(command)
        if not first:
            return outcome
        first = False

        async def late() -> Any:
            one.set()
            await two.wait()
            return await outcome

        return late()

    bench.store.submit = submit  # type: ignore[method-assign]
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await post(bench))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await one.wait()
        await fail(bench, 1)
        two.set()
    assert len(asked(bench)) == 1
    assert (answers[0].status_code, answers[0].headers["retry-after"]) == (502, "5")
    assert "none is made for now" in answers[0].json()["error"]["message"]
