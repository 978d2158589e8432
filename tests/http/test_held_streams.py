"""A held stream: comments keep it alive, and no call gets out before the flow has ruled."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from astrolabe_core import fallback
from astrolabe_core.codes import Unbillable
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis
from astrolabe_http.connection import COMMENT
from astrolabe_http.settings import OnDisconnect
from tests.http.callers import Caller, assert_settled, last_row, last_trace
from tests.http.gateways import (
    CHAT,
    DONE,
    GOOD,
    RESPONSES,
    USAGE,
    WHOLE_STREAM,
    Bench,
    ScriptedReply,
    chat_chunk,
    chat_reply,
    json_reply,
    make_bench,
    sse,
    stream_reply,
)
from tests.http.test_leaving import SPOKEN
from tests.http.wire.relaying import check

pytestmark = pytest.mark.anyio

SAID = COMMENT.decode()
SOON = Millis(5)
NEVER = Millis(60_000)
BUSY = {"error": {"code": 503, "message": "busy"}}
SURFACES = list(Surface)


def strict(surface: Surface, **fields: Any) -> dict[str, Any]:
    base = CHAT if surface is Surface.CHAT else RESPONSES
    asked = {"astrolabe": {"verification": "strict"}}
    return {**base, "stream": True, "metadata": asked, **fields}


def frames_of(surface: Surface) -> list[bytes]:
    if surface is Surface.CHAT:
        return [sse(event) for event in WHOLE_STREAM] + [DONE]
    return [sse(event) for event in SPOKEN]


def hearing(caller: Caller, comments: int) -> Callable[[], Awaitable[None]]:
    """Give something to await: so many comments, all in all."""

    async def wait() -> None:
        await caller.heard(SAID * comments)

    return wait


async def run(caller: Caller) -> None:
    with anyio.fail_after(10):
        await caller.run()


def bytes_of(caller: Caller) -> bytes:
    return caller.text.encode()


# --- comments --------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
async def test_comments_come_until_the_answer_is_verified(surface: Surface) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, strict(surface), surface)

    async def judging() -> ScriptedReply:
        await caller.heard(SAID * 4)
        return chat_reply(GOOD)

    spoken = frames_of(surface)
    bench.transport.script = [stream_reply(hearing(caller, 2), *spoken), judging]
    await run(caller)
    assert caller.status == 200
    assert caller.headers["content-type"].startswith("text/event-stream")
    assert caller.headers["x-request-id"]
    assert caller.headers["x-astrolabe-stack-name"] == "default-optimizer"
    assert caller.headers["x-astrolabe-selected-model"] == "openai/gpt-5.4-nano"
    said, _, frames = caller.text.partition(SAID * 4)
    assert said == ""
    assert caller.whole
    # The comments are all at the beginning, and the rest is a sound stream.
    frames = frames.removeprefix(SAID)
    assert SAID not in frames
    check(surface, frames.encode(), usage_wanted=False)
    assert "Hello" in frames
    await assert_settled(bench)
    assert (await last_row(bench)).debit == 7_000


@pytest.mark.parametrize("surface", SURFACES)
async def test_before_the_first_comment_an_error_has_its_status(surface: Surface) -> None:
    bench = await make_bench(stream_keepalive_ms=NEVER)
    caller = Caller(bench, strict(surface), surface)
    bench.transport.script = [json_reply(BUSY, 503)]
    await run(caller)
    assert caller.status == 502
    assert json.loads(caller.text)["error"]["code"] == "provider_error"
    await assert_settled(bench)


@pytest.mark.parametrize("surface", SURFACES)
async def test_after_it_an_error_is_told_within_the_stream(surface: Surface) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, strict(surface), surface)

    async def failing() -> ScriptedReply:
        await caller.heard(SAID)
        return json_reply(BUSY, 503)

    bench.transport.script = [failing]
    await run(caller)
    assert caller.status == 200
    assert caller.whole
    frames = caller.text.replace(SAID, "")
    check(surface, frames.encode(), usage_wanted=False)
    assert '"provider_error"' in frames
    if surface is Surface.CHAT:
        assert frames.endswith("data: [DONE]\n\n")
        assert len(frames.split("\n\n")) == 3
    else:
        assert "event: response.failed\n" in frames
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.PROVIDER_ERROR


async def test_comments_go_on_through_a_pause_and_a_second_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fallback, "BACKOFF_MS", Millis(60))
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, strict(Surface.CHAT, model="astrolabe/auto"))
    heard: list[int] = []

    async def failing() -> ScriptedReply:
        heard.append(caller.text.count(SAID))
        return json_reply(BUSY, 503)

    async def answering() -> ScriptedReply:
        heard.append(caller.text.count(SAID))
        await caller.heard(SAID * (heard[-1] + 2))
        return stream_reply(*frames_of(Surface.CHAT))

    bench.transport.script = [failing, answering, chat_reply(GOOD)]
    await run(caller)
    assert heard[0] == 0
    assert heard[1] >= 1, "nothing was said during the pause"
    assert caller.whole
    trace = await last_trace(bench)
    assert [each["outcome"] for each in trace["attempts"]] == ["provider_error", "answered"]


async def test_a_quick_answer_has_no_comment() -> None:
    bench = await make_bench(stream_keepalive_ms=NEVER)
    caller = Caller(bench, strict(Surface.CHAT))
    bench.transport.script = [stream_reply(*frames_of(Surface.CHAT)), chat_reply(GOOD)]
    await run(caller)
    assert SAID not in caller.text
    assert caller.whole


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_not_held_back_has_no_comments(stream: bool) -> None:
    """Whoever relays at once may still fall back, with a status of its own, until content comes."""
    bench = await make_bench(stream_keepalive_ms=Millis(1))
    caller = Caller(bench, {**CHAT, "stream": stream})

    async def silence() -> None:
        await anyio.sleep(0.02)
        assert caller.sent == []

    bench.transport.script = [
        stream_reply(silence, *frames_of(Surface.CHAT)) if stream else chat_reply()
    ]
    await run(caller)
    assert caller.status == 200
    assert SAID not in caller.text


async def test_a_caller_who_leaves_among_comments_is_noticed() -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, strict(Surface.CHAT))
    silent = ScriptedReply([anyio.sleep_forever])
    bench.transport.script = [silent]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        with anyio.fail_after(5):
            await caller.heard(SAID)
            caller.leave.set()
            await silent.closed.wait()
    known = caller.text
    await anyio.sleep(0.02)
    assert caller.text == known
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.CLIENT_DISCONNECTED


@pytest.mark.parametrize("policy", list(OnDisconnect))
async def test_a_caller_who_leaves_while_its_answer_is_judged_pays_for_the_answer(
    policy: OnDisconnect,
) -> None:
    """And nobody reads a verifier to its end for a caller who is gone."""
    bench = await make_bench(on_client_disconnect=policy)
    before = await bench.available()
    caller = Caller(bench, strict(Surface.CHAT))
    judging = ScriptedReply([anyio.sleep_forever])

    async def judge() -> ScriptedReply:
        caller.leave.set()
        return judging

    bench.transport.script = [stream_reply(*frames_of(Surface.CHAT)), judge]
    await run(caller)
    assert caller.sent == []
    assert judging.closed.is_set()
    await assert_settled(bench)
    assert before - await bench.available() == 7_000
    assert len(bench.transport.sent) == 2


async def test_no_comment_comes_after_a_request_that_was_cancelled() -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, strict(Surface.CHAT))
    bench.transport.script = [ScriptedReply([anyio.sleep_forever])]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run)
        with anyio.fail_after(5):
            await caller.heard(SAID)
        tasks.cancel_scope.cancel()
    known = caller.text
    await anyio.sleep(0.02)
    assert caller.text == known
    await assert_settled(bench)


# --- tool calls ------------------------------------------------------------------------------

SEND = {"type": "object", "properties": {"to": {"type": "string"}}}
CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": SEND}}
    for name in ("send_email", "read_file")
]
RESPONSES_TOOLS = [
    {"type": "function", "name": name, "parameters": SEND} for name in ("send_email", "read_file")
]


def tooled(surface: Surface, **asked: Any) -> dict[str, Any]:
    base = CHAT if surface is Surface.CHAT else RESPONSES
    tools = CHAT_TOOLS if surface is Surface.CHAT else RESPONSES_TOOLS
    metadata = {"astrolabe": {"tool_profile": "read_only", **asked}}
    return {**base, "stream": True, "tools": tools, "metadata": metadata}


def chat_call(**delta: Any) -> dict[str, Any]:
    chunk = chat_chunk()
    chunk["choices"][0]["delta"] = {"role": "assistant", **delta}
    return chunk


def chat_events(name: str, words: str) -> list[dict[str, Any]]:
    function = {"name": name, "arguments": ""}
    opening = {"index": 0, "id": "call_1", "type": "function", "function": function}
    more = [{"index": 0, "function": {"arguments": part}} for part in ('{"to":', ' "canary"}')]
    spoken = [chat_chunk(word) for word in words.split(" ") if word]
    return [
        chat_chunk(""),
        *spoken,
        chat_call(tool_calls=[opening]),
        *[chat_call(tool_calls=[each]) for each in more],
        chat_chunk(finish="tool_calls"),
        {**chat_chunk(), "choices": [], "usage": USAGE},
    ]


def response_events(name: str, words: str) -> list[dict[str, Any]]:
    place = 1 if words else 0
    call = {"type": "function_call", "name": name, "call_id": "call_1", "id": "fc_9"}
    spoken = [
        {"type": "response.output_text.delta", "output_index": 0, "delta": word}
        for word in words.split(" ")
        if word
    ]
    text = {"type": "output_text", "text": "".join(words.split(" ")), "annotations": []}
    message = {"type": "message", "role": "assistant", "content": [text]}
    whole = {**call, "arguments": '{"to": "canary"}'}
    arguing = {"type": "response.function_call_arguments.delta", "output_index": place}
    return [
        {"type": "response.created", "response": {"id": "resp-1", "status": "in_progress"}},
        *spoken,
        {
            "type": "response.output_item.added",
            "output_index": place,
            "item": {**call, "arguments": ""},
        },
        {**arguing, "delta": '{"to":'},
        {**arguing, "delta": ' "canary"}'},
        {"type": "response.output_item.done", "output_index": place, "item": whole},
        {
            "type": "response.completed",
            "response": {
                "id": "resp-1",
                "status": "completed",
                "output": [message, whole] if words else [whole],
                "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
            },
        },
    ]


def calling(surface: Surface, name: str, words: str = "") -> list[bytes]:
    if surface is Surface.CHAT:
        return [*map(sse, chat_events(name, words)), DONE]
    return [*map(sse, response_events(name, words))]


async def ask_for_call(
    surface: Surface, chunks: list[Any], **settings: Any
) -> tuple[Bench, Caller]:
    bench = await make_bench(**settings)
    caller = Caller(bench, tooled(surface), surface)
    bench.transport.script = [stream_reply(*chunks)]
    await run(caller)
    await assert_settled(bench)
    return bench, caller


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("together", [False, True])
async def test_a_blocked_call_that_comes_first_is_a_409(surface: Surface, together: bool) -> None:
    chunks = calling(surface, "send_email")
    bench, caller = await ask_for_call(surface, [b"".join(chunks)] if together else chunks)
    assert caller.status == 409
    assert json.loads(caller.text)["error"]["code"] == "tool_call_blocked"
    assert (await last_row(bench)).unbillable is Unbillable.TOOL_CALL_BLOCKED
    assert (await last_row(bench)).debit == 0


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("together", [False, True])
async def test_a_blocked_call_behind_words_is_never_given_out(
    surface: Surface, together: bool
) -> None:
    chunks = calling(surface, "send_email", "Let me")
    bench, caller = await ask_for_call(surface, [b"".join(chunks)] if together else chunks)
    assert caller.status == 200
    check(surface, bytes_of(caller), usage_wanted=False)
    frames = caller.text.split("\n\n")
    shown = [frame for frame in frames if "tool_call_blocked" not in frame]
    assert any('"Let"' in frame for frame in shown)
    for frame in shown:
        assert "canary" not in frame
        assert "send_email" not in frame or "response.created" in frame or "in_progress" in frame
    assert len(shown) < len(frames)
    row = await last_row(bench)
    assert (row.debit, row.unbillable) == (0, Unbillable.TOOL_CALL_BLOCKED)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("words", ["", "Let me"])
async def test_a_call_that_may_pass_comes_when_all_of_it_was_seen(
    surface: Surface, together: bool, words: str
) -> None:
    chunks: list[Any] = calling(surface, "read_file", words)
    bench, caller = await ask_for_call(surface, [b"".join(chunks)] if together else chunks)
    assert caller.status == 200
    check(surface, bytes_of(caller), usage_wanted=False)
    assert "read_file" in caller.text
    assert "canary" in caller.text
    assert ('"Let"' in caller.text) is bool(words)
    row = await last_row(bench)
    assert (row.debit, row.unbillable) == (7_000, None)


@pytest.mark.parametrize("surface", SURFACES)
async def test_nothing_from_a_call_on_is_given_out_before_the_end(surface: Surface) -> None:
    bench = await make_bench()
    caller = Caller(bench, tooled(surface), surface)
    seen: list[str] = []

    async def look() -> None:
        seen.append(caller.text)

    chunks = [part for each in calling(surface, "read_file", "Let me") for part in (each, look)]
    bench.transport.script = [stream_reply(*chunks)]
    await run(caller)
    assert '"Let"' in seen[-1]
    assert not any("canary" in each or "call_1" in each for each in seen)
    # The words themselves came at once.
    assert [each for each in seen if '"Let"' in each and '"me"' not in each]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("words", ["", "Let me"])
async def test_comments_come_while_a_call_is_held_back(surface: Surface, words: str) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, tooled(surface), surface)
    chunks: list[Any] = calling(surface, "read_file", words)

    async def hear() -> None:
        await caller.heard(SAID)

    bench.transport.script = [stream_reply(*chunks[:-2], hear, *chunks[-2:])]
    await run(caller)
    assert caller.status == 200
    assert caller.whole
    check(surface, bytes_of(caller), usage_wanted=False)
    assert "canary" in caller.text.rpartition(SAID)[2]


@pytest.mark.parametrize("surface", SURFACES)
async def test_comments_come_for_a_call_that_came_together_with_the_first_words(
    surface: Surface,
) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, tooled(surface), surface)
    chunks = calling(surface, "read_file", "Let me")

    async def hear() -> None:
        await caller.heard(SAID)

    bench.transport.script = [stream_reply(b"".join(chunks[:4]), hear, *chunks[4:])]
    await run(caller)
    assert '"Let"' in caller.text.partition(SAID)[0]
    assert "canary" in caller.text.rpartition(SAID)[2]


@pytest.mark.parametrize("name", ["read_file", "send_email"])
async def test_the_end_of_a_stream_waits_for_the_comment_that_is_on_its_way(name: str) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, tooled(Surface.CHAT), slow=True)
    chunks: list[Any] = calling(Surface.CHAT, name, "Let me")
    bench.transport.script = [stream_reply(*chunks[:-2], caller.met.wait, *chunks[-2:])]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, caller)
        with anyio.fail_after(5):
            await caller.met.wait()
        await anyio.sleep(0.02)
        assert not caller.whole
        caller.go_on.set()
    assert caller.whole
    assert caller.text.rpartition(SAID)[2].endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_call_that_is_blocked_after_a_comment_is_told_within_the_stream(
    surface: Surface,
) -> None:
    bench = await make_bench(stream_keepalive_ms=SOON)
    caller = Caller(bench, tooled(surface), surface)
    chunks: list[Any] = calling(surface, "send_email")

    async def hear() -> None:
        await caller.heard(SAID)

    bench.transport.script = [stream_reply(*chunks[:-2], hear, *chunks[-2:])]
    await run(caller)
    assert caller.status == 200
    check(surface, bytes_of(caller), usage_wanted=False)
    assert "tool_call_blocked" in caller.text
    await assert_settled(bench)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", range(4, 7))
async def test_a_stream_that_breaks_behind_a_held_call_gives_nothing_of_it(
    surface: Surface, place: int
) -> None:
    """litellm #40404, with a call that nobody may see before it is whole."""
    chunks = calling(surface, "read_file", "Let me")[:place]
    bench, caller = await ask_for_call(surface, list(chunks))
    assert caller.status == 200
    check(surface, bytes_of(caller), usage_wanted=False)
    assert "canary" not in caller.text
    assert "call_1" not in caller.text
    row = await last_row(bench)
    assert (row.debit, row.unbillable) == (0, Unbillable.STREAMING_PROVIDER_ERROR)


@pytest.mark.parametrize("surface", SURFACES)
async def test_what_is_held_back_is_bounded(surface: Surface) -> None:
    """A stream that is relayed may be long; what is kept of one is kept in objects."""
    chunks = calling(surface, "read_file", "Let me")
    arguments = next(n for n, each in enumerate(chunks) if b'{\\"to' in each)
    endless = [*chunks[: arguments + 1], *[chunks[arguments]] * 40, *chunks[arguments + 1 :]]
    size = sum(map(len, endless))
    _, caller = await ask_for_call(surface, list(endless), answer_bytes_max=size // 4)
    assert "larger than is read" in caller.text
    assert "canary" not in caller.text
    # Without a call that could be held back the same bytes are let through.
    text = [chunk for chunk in chunks if b"me" in chunk][:1]
    if surface is Surface.CHAT:
        spoken = [chunks[0], *text * 40, *frames_of(surface)[-3:]]
        _, caller = await ask_for_call(surface, spoken, answer_bytes_max=size // 8)
        assert caller.whole
        assert "larger than is read" not in caller.text
