"""Callers who leave, and time that runs out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from astrolabe_core.codes import Unbillable
from astrolabe_core.units import Millis
from tests.http.callers import Caller, assert_settled, last_row
from tests.http.gateways import (
    CHAT,
    WHOLE_STREAM,
    ScriptedReply,
    chat_chunk,
    chat_reply,
    make_bench,
    sse,
    stream_reply,
)

pytestmark = pytest.mark.anyio


async def test_a_caller_who_leaves_while_a_model_is_asked_cancels_the_call() -> None:
    bench = await make_bench()
    caller = Caller(bench, CHAT)
    asked = anyio.Event()
    reply = ScriptedReply([asked_then_silence(asked)])
    bench.transport.script = [reply]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        await asked.wait()
        with anyio.fail_after(1):
            caller.leave.set()
            await reply.closed.wait()
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED
    assert caller.sent == []


def asked_then_silence(asked: anyio.Event) -> Any:
    async def wait() -> None:
        asked.set()
        await anyio.sleep_forever()

    return wait


@pytest.mark.parametrize(
    ("usage", "billed"),
    [(WHOLE_STREAM[-1]["usage"], 7_000), (None, 0)],
    ids=["usage seen", "no usage seen"],
)
async def test_a_caller_who_leaves_a_stream_pays_for_the_usage_seen(
    usage: Any, billed: int
) -> None:
    """one-switch #3: a client that leaves got it free, or paid in full."""
    bench = await make_bench()
    before = await bench.available()
    caller = Caller(bench, {**CHAT, "stream": True})
    streaming = anyio.Event()
    first = chat_chunk("Hello") | ({} if usage is None else {"usage": usage})
    reply = stream_reply(sse(first), asked_then_silence(streaming))
    bench.transport.script = [reply]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        await streaming.wait()
        caller.leave.set()
    assert "Hello" in caller.text
    assert reply.closed.is_set()
    await assert_settled(bench)
    assert before - await bench.available() == billed
    unbillable = (await last_row(bench)).unbillable
    assert unbillable is (None if billed else Unbillable.CLIENT_DISCONNECTED)


async def test_a_caller_who_leaves_while_an_answer_is_held_against_its_schema_pays_for_it() -> None:
    """The answer is whole and its usage known; its schema is nobody's to wait for."""
    bench = await make_bench()
    form = {"name": "n", "schema": {"type": "object"}}
    asked = {**CHAT, "response_format": {"type": "json_schema", "json_schema": form}}
    caller, begun = Caller(bench, asked), anyio.Event()
    bench.transport.script = [chat_reply("{}")]
    setattr(bench.gateway.inspector, "hold", lambda *_: asked_then_silence(begun)())  # noqa: B010
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        with anyio.fail_after(5):
            await begun.wait()
            caller.leave.set()
    await assert_settled(bench)
    row = await last_row(bench)
    assert row.debit > 0
    assert row.unbillable is None
    assert caller.sent == []


async def test_a_caller_who_left_before_the_call_asks_nobody_for_long() -> None:
    bench = await make_bench()
    caller = Caller(bench, CHAT)
    caller.leave.set()
    bench.transport.script = [ScriptedReply([anyio.sleep_forever])]
    with anyio.fail_after(1):
        await caller.run()
    await assert_settled(bench)


async def test_a_caller_who_leaves_within_the_body_is_no_request() -> None:
    bench = await make_bench()
    caller = Caller(bench, CHAT)
    caller._asked = True
    caller.leave.set()
    await caller.run()
    assert caller.sent == []
    assert await bench.used() == 0
    assert [json.loads(line)["status"] for line in bench.lines] == [0]


@pytest.mark.parametrize("place", range(1, 9))
async def test_a_cancelled_request_ends_its_hold_wherever_that_happens(place: int) -> None:
    """litellm #27639: a client that leaves raises CancelledError, and the release is skipped."""
    bench = await make_bench()
    turns = 0
    scope = anyio.CancelScope()

    async def pause() -> None:
        nonlocal turns
        turns += 1
        if turns == place:
            scope.cancel()
        await anyio.lowlevel.checkpoint()

    bench.store._pause = pause
    chunks = [part for event in WHOLE_STREAM for part in (pause, sse(event))]
    bench.transport.script = [stream_reply(*chunks)]
    caller = Caller(bench, {**CHAT, "stream": True})
    with scope:
        await caller.run()
    assert turns >= place, "the request ended before"
    await assert_settled(bench)


async def test_the_total_time_bounds_a_call() -> None:
    bench = await make_bench(request_timeout_ms=Millis(50))
    caller = Caller(bench, CHAT)
    reply = ScriptedReply([anyio.sleep_forever])
    bench.transport.script = [reply]
    with anyio.fail_after(2):
        await caller.run()
    assert caller.sent[0]["status"] == 504
    assert "provider_timeout" in caller.text
    assert reply.closed.is_set()
    await assert_settled(bench)


async def test_the_total_time_bounds_a_stream_that_drips_for_ever() -> None:
    """httpx's timeout is for each read and not for the whole."""
    bench = await make_bench(request_timeout_ms=Millis(100))
    caller = Caller(bench, {**CHAT, "stream": True})

    async def drip() -> None:
        await anyio.sleep(0.005)

    chunks = [part for _ in range(1_000) for part in (drip, sse(chat_chunk("x")))]
    bench.transport.script = [stream_reply(*chunks)]
    with anyio.fail_after(2):
        await caller.run()
    assert "provider_timeout" in caller.text
    assert caller.text.endswith("data: [DONE]\n\n")
    await assert_settled(bench)


async def test_chunks_go_out_as_they_come_in() -> None:
    bench = await make_bench()
    caller = Caller(bench, {**CHAT, "stream": True})
    seen: list[int] = []

    async def look() -> None:
        seen.append(len(caller.sent))

    chunks = [part for event in WHOLE_STREAM for part in (sse(event), look)]
    bench.transport.script = [stream_reply(*chunks)]
    await caller.run()
    # Nothing before the first content; head and first frames with it; then one by one.
    assert seen[:3] == [0, 2, 3]


async def test_a_watch_that_is_over_leaves_no_task_behind() -> None:
    bench = await make_bench()
    bench.transport.script = [chat_reply()]
    before = asyncio.all_tasks()
    await Caller(bench, CHAT).run()
    await anyio.lowlevel.checkpoint()
    assert asyncio.all_tasks() == before
