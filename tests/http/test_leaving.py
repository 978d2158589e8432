"""A caller leaves, at every chunk: the provider's work ends, and what it did is billed once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from astrolabe_core import settlement
from astrolabe_core.codes import Unbillable
from astrolabe_core.conformity import Claim, Conformity
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis
from astrolabe_http import host
from astrolabe_http.conformity import Inspector
from astrolabe_http.connection import COMMENT
from astrolabe_http.settings import OnDisconnect, UpstreamKind
from tests.http.callers import Caller, assert_settled, last_row, last_trace
from tests.http.gateways import (
    CHAT,
    DONE,
    RESPONSES,
    USAGE,
    WHOLE_STREAM,
    Bench,
    ScriptedReply,
    chat_body,
    chat_chunk,
    json_reply,
    make_bench,
    sse,
    stream_reply,
)

pytestmark = pytest.mark.anyio

RECORD = {
    "id": "gen-header",
    "provider_name": "OpenAI",
    "total_cost": 0.0000045,
    "native_tokens_prompt": 10,
    "native_tokens_completion": 2,
}
BY_USAGE, BY_RECORD = 7_000, 4_500
"""What ten tokens in and four, or two, out cost in nanos."""
FROM_RECORD = "usage_from_provider_record"

TEXT = {"type": "output_text", "text": "Hello there.", "annotations": []}
RESPONSE: dict[str, Any] = {
    "id": "resp-1",
    "object": "response",
    "status": "completed",
    "model": "openai/gpt-5.4-nano",
    "output": [{"type": "message", "role": "assistant", "content": [TEXT]}],
    "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
}
SPOKEN: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "response": {"id": "resp-1", "status": "in_progress"}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"},
    {"type": "response.output_text.delta", "output_index": 0, "delta": " there."},
    {"type": "response.completed", "response": RESPONSE},
)


def chunks_of(surface: Surface, *, stream: bool) -> list[bytes]:
    """Give what a provider says, in the pieces between which a caller may leave."""
    if stream:
        events = WHOLE_STREAM if surface is Surface.CHAT else SPOKEN
        return [sse(event) for event in events] + ([DONE] if surface is Surface.CHAT else [])
    body = json.dumps(chat_body() if surface is Surface.CHAT else RESPONSE).encode()
    return [body[:20], body[20:]]


def usage_place(surface: Surface, *, stream: bool) -> int:
    """Say with which chunk the usage is there."""
    if not stream:
        return 2
    return len(WHOLE_STREAM if surface is Surface.CHAT else SPOKEN)


def body_for(surface: Surface, *, stream: bool, verification: str = "light") -> dict[str, Any]:
    base = CHAT if surface is Surface.CHAT else RESPONSES
    asked = {"astrolabe": {"verification": verification}}
    return {**base, "stream": stream, "metadata": asked}


def leaving_at(caller: Caller, chunks: list[bytes], place: int) -> ScriptedReply:
    """A reply before whose chunk of a number the caller leaves, and which goes on all the same."""

    async def leave() -> None:
        caller.leave.set()
        # Long enough for whoever watches; the rest is there for those who still read.
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    parts = [*chunks[:place], leave, *chunks[place:]]
    return stream_reply(*parts, x_generation_id="gen-header")


async def run(caller: Caller) -> None:
    with anyio.fail_after(5):
        await caller.run()


CASES = [
    pytest.param(surface, stream, mode, place, id=f"{surface}-{stream}-{mode}-{place}")
    for surface in Surface
    for stream, modes in ((False, ("light",)), (True, ("light", "strict")))
    for mode in modes
    for place in range(len(chunks_of(surface, stream=stream)) + 1)
]


@pytest.mark.parametrize(("surface", "stream", "mode", "place"), CASES)
async def test_a_caller_who_leaves_before_any_chunk_pays_for_what_was_done(
    surface: Surface, stream: bool, mode: str, place: int
) -> None:
    """one-switch #3, sub2api #4408: a client that leaves got it free, or paid in full."""
    bench = await make_bench()
    bench.transport.records = [json_reply({"data": RECORD})]
    before = await bench.available()
    caller = Caller(bench, body_for(surface, stream=stream, verification=mode), surface)
    chunks = chunks_of(surface, stream=stream)
    reply = leaving_at(caller, chunks, place)
    bench.transport.script = [reply]
    await run(caller)
    assert reply.closed.is_set()
    assert not caller.whole or not caller.sent
    await assert_settled(bench)
    paid = before - await bench.available()
    seen = stream and place >= usage_place(surface, stream=stream)
    assert paid == (BY_USAGE if seen else BY_RECORD)
    trace = await last_trace(bench)
    assert (FROM_RECORD in trace["ledger"]["flags"]) is not seen
    assert trace["ledger"]["unbillable_reason"] is None
    assert len(bench.transport.looked_up) == (0 if seen else 1)


@pytest.mark.parametrize(("surface", "stream", "mode", "place"), CASES)
async def test_a_provider_that_is_drained_is_read_to_its_end_and_billed_by_it(
    surface: Surface, stream: bool, mode: str, place: int
) -> None:
    bench = await make_bench(on_client_disconnect=OnDisconnect.DRAIN)
    before = await bench.available()
    caller = Caller(bench, body_for(surface, stream=stream, verification=mode), surface)
    chunks = chunks_of(surface, stream=stream)
    read: list[int] = []

    def reading(number: int) -> Callable[[], Awaitable[None]]:
        async def note() -> None:
            read.append(number)

        return note

    reply = leaving_at(caller, chunks, place)
    reply.chunks_ = [
        each for number, part in enumerate(reply.chunks_) for each in (part, reading(number))
    ]
    bench.transport.script = [reply]
    await run(caller)
    assert reply.closed.is_set()
    await assert_settled(bench)
    assert before - await bench.available() == BY_USAGE
    assert bench.transport.looked_up == []
    assert len(read) >= usage_place(surface, stream=stream)
    assert len(bench.transport.sent) == 1


async def test_before_the_head_of_an_answer_there_is_nothing_to_look_up() -> None:
    bench = await make_bench()
    caller = Caller(bench, CHAT)

    async def wait() -> ScriptedReply:
        caller.leave.set()
        await anyio.sleep_forever()
        raise AssertionError

    bench.transport.script = [wait]
    before = await bench.available()
    await run(caller)
    await assert_settled(bench)
    assert await bench.available() == before
    assert bench.transport.looked_up == []
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


@pytest.mark.parametrize(
    "record",
    [
        json_reply({}, 403),
        json_reply({}, 404),
        json_reply({"data": {**RECORD, "native_tokens_prompt": "10"}}),
        json_reply({"data": {**RECORD, "native_tokens_prompt": -10}}),
        json_reply({"data": {**RECORD, "native_tokens_completion": 0, "total_cost": 0}}),
        json_reply({"data": {**RECORD, "native_tokens_cached": 11}}),
    ],
    ids=["no use", "not there", "no number", "negative", "nothing done", "more cached"],
)
async def test_without_a_record_that_can_be_believed_nothing_is_due(
    record: ScriptedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "PATIENCE_LEFT_MS", Millis(30))
    bench = await make_bench()
    bench.transport.records = [record]
    before = await bench.available()
    caller = Caller(bench, body_for(Surface.CHAT, stream=True))
    bench.transport.script = [leaving_at(caller, [sse(chat_chunk("Hello"))], 1)]
    await run(caller)
    await assert_settled(bench)
    assert await bench.available() == before
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


@pytest.mark.parametrize("there", [True, False])
async def test_an_answer_without_usage_is_billed_by_the_record_or_not_at_all(there: bool) -> None:
    """litellm #35569: cost unknown, released at $0 and nobody knew."""
    bench = await make_bench()
    bench.transport.records = [json_reply({"data": RECORD}, 200 if there else 403)]
    before = await bench.available()
    caller = Caller(bench, CHAT)
    body = {name: value for name, value in chat_body().items() if name != "usage"}
    bench.transport.script = [json_reply(body, x_generation_id="gen-header")]
    await run(caller)
    assert caller.status == 200
    await assert_settled(bench)
    assert before - await bench.available() == (BY_RECORD if there else 0)
    missing = None if there else Unbillable.MISSING_PROVIDER_USAGE
    assert (await last_row(bench)).unbillable is missing


async def test_a_plain_server_is_asked_for_no_record() -> None:
    bench = await make_bench(upstream_kind=UpstreamKind.OPENAI)
    bench.transport.records = [json_reply({"data": RECORD})]
    caller = Caller(bench, body_for(Surface.CHAT, stream=True))
    bench.transport.script = [leaving_at(caller, [sse(chat_chunk("Hello"))], 1)]
    await run(caller)
    assert bench.transport.looked_up == []
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


@pytest.mark.parametrize("policy", list(OnDisconnect))
async def test_a_caller_who_leaves_between_two_attempts_has_no_second_one(
    policy: OnDisconnect,
) -> None:
    bench = await make_bench(on_client_disconnect=policy)
    before = await bench.available()
    caller = Caller(bench, {**CHAT, "model": "astrolabe/auto"})
    failed = json_reply({"error": {"code": 503, "message": "busy"}}, 503)
    bench.transport.script = [failed]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        with anyio.fail_after(5):
            await failed.closed.wait()
        caller.leave.set()
    assert len(bench.transport.sent) == 1
    assert caller.sent == []
    await assert_settled(bench)
    assert await bench.available() == before
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


class Waiting(Inspector):
    """Tells nobody whether an answer has its schema."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile
        self.asked = 0

    async def hold(self, claims: Sequence[Claim], time_left_ms: Millis) -> tuple[Conformity, ...]:
        self.asked += 1
        await self._meanwhile()
        await anyio.sleep_forever()
        raise AssertionError


SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
PROMISED = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
}
WORDS = '{"a": "b"}'


@pytest.mark.parametrize("policy", list(OnDisconnect))
@pytest.mark.parametrize(("stream", "mode"), [(False, "light"), (True, "light"), (True, "strict")])
async def test_a_caller_who_leaves_while_its_answer_is_inspected_pays_for_the_answer(
    stream: bool, mode: str, policy: OnDisconnect
) -> None:
    """In `strict` it is kept waiting with comments; relayed, it has all but the end."""
    bench = await make_bench(on_client_disconnect=policy, stream_keepalive_ms=Millis(5))
    before = await bench.available()
    body = body_for(Surface.CHAT, stream=stream, verification=mode)
    caller = Caller(bench, {**body, "response_format": PROMISED})

    async def leave() -> None:
        if mode == "strict":
            await caller.heard(COMMENT.decode())
        caller.leave.set()

    waiting = Waiting(leave)
    object.__setattr__(bench.gateway, "inspector", waiting)
    whole = json_reply(chat_body(WORDS))
    streamed = stream_reply(sse(chat_chunk(WORDS), *WHOLE_STREAM[3:]), DONE)
    bench.transport.script = [streamed if stream else whole]
    await run(caller)
    assert waiting.asked == 1
    assert len(bench.transport.sent) == 1
    assert not caller.whole
    await assert_settled(bench)
    assert before - await bench.available() == BY_USAGE


async def test_what_is_drained_ends_with_the_time_for_the_request() -> None:
    bench = await make_bench(
        on_client_disconnect=OnDisconnect.DRAIN, request_timeout_ms=Millis(100)
    )
    caller = Caller(bench, body_for(Surface.CHAT, stream=True))
    reply = leaving_at(caller, [sse(chat_chunk("Hello"))], 1)
    reply.chunks_.append(anyio.sleep_forever)
    bench.transport.script = [reply]
    with anyio.fail_after(2):
        await caller.run()
    assert reply.closed.is_set()
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


# --- the request itself is cancelled ---------------------------------------------------------


async def cancelled(bench: Bench, first: dict[str, Any]) -> ScriptedReply:
    """Cancel a request, as a server does that stops, when its stream has begun."""
    caller = Caller(bench, body_for(Surface.CHAT, stream=True))
    reply = stream_reply(sse(first), anyio.sleep_forever, x_generation_id="gen-header")
    bench.transport.script = [reply]
    task = asyncio.create_task(caller.run())
    with anyio.fail_after(5):
        await caller.heard("Hello")
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    return reply


async def test_a_request_that_is_cancelled_pays_for_the_usage_seen() -> None:
    bench = await make_bench()
    before = await bench.available()
    reply = await cancelled(bench, {**chat_chunk("Hello"), "usage": USAGE})
    assert reply.closed.is_set()
    await assert_settled(bench)
    assert before - await bench.available() == BY_USAGE


async def test_a_request_that_is_cancelled_looks_its_usage_up() -> None:
    bench = await make_bench()
    bench.transport.records = [json_reply({"data": RECORD})]
    before = await bench.available()
    await cancelled(bench, chat_chunk("Hello"))
    await assert_settled(bench)
    assert before - await bench.available() == BY_RECORD


async def test_a_server_that_stops_waits_no_longer_for_a_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "PATIENCE_CUT_OFF_MS", Millis(20))
    bench = await make_bench()
    bench.transport.records = [json_reply({}, 404)]
    before = await bench.available()
    await cancelled(bench, chat_chunk("Hello"))
    await assert_settled(bench)
    assert await bench.available() == before
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


async def test_a_look_up_that_is_cancelled_ends_the_hold_at_once() -> None:
    bench = await make_bench()
    bench.transport.records = [ScriptedReply([anyio.sleep_forever])]
    caller = Caller(bench, body_for(Surface.CHAT, stream=True))
    bench.transport.script = [leaving_at(caller, [sse(chat_chunk("Hello"))], 1)]
    task = asyncio.create_task(caller.run())
    with anyio.fail_after(5):
        while not bench.transport.looked_up:
            await anyio.lowlevel.checkpoint()
        task.cancel()
        await asyncio.wait({task})
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED
