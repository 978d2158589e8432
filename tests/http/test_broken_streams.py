"""A stream that is cut, falls silent or turns to rubbish ends in an explicit error, wherever it is.

litellm #40404 and portkey #1797: an upstream cut in the middle was closed cleanly and looked whole.
Every stream of the corpus is broken before each of its frames, and within, through a whole gateway;
that what goes out keeps the grammar is seen to by the gateway's own proofreader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import httpx2
import openai
import orjson
import pytest

from astrolabe_core.answers import Answer, Fault, FaultKind
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis
from astrolabe_http import sse
from astrolabe_http.app import create_app
from astrolabe_http.transport import Unanswered
from tests.http.gateways import Bench, ScriptedReply, make_bench
from tests.http.wire.corpus import SPOKEN, Spoken
from tests.http.wire.relaying import relay

pytestmark = pytest.mark.anyio

PATHS = {Surface.CHAT: "/v1/chat/completions", Surface.RESPONSES: "/v1/responses"}
MODEL = "openai/gpt-5.4-nano"
BROKEN = Unanswered(Fault(kind=FaultKind.PROVIDER_ERROR, message="the provider broke off"))
SILENT = Unanswered(Fault(kind=FaultKind.TIMEOUT, message="the provider fell silent"))
ERRORS = {
    Surface.CHAT: b'data: {"error": {"code": 500, "message": "x"}}\n\n',
    Surface.RESPONSES: b'data: {"type": "error", "code": "server_error", "message": "x"}\n\n',
}

Break = Callable[[Spoken, int], list[bytes | Unanswered]]
"""What a provider sends that stops being right before the frame of a number."""


def before(spoken: Spoken, place: int) -> list[bytes | Unanswered]:
    return [*spoken.frames[:place]]


def half(spoken: Spoken, place: int) -> bytes:
    frame = spoken.frames[place]
    return frame[: len(frame) // 2]


BREAKS: dict[str, Break] = {
    "ends": before,
    "ends within a frame": lambda it, at: [*before(it, at), half(it, at)],
    "is cut": lambda it, at: [*before(it, at), BROKEN],
    "is cut within a frame": lambda it, at: [*before(it, at), half(it, at), BROKEN],
    "falls silent": lambda it, at: [*before(it, at), SILENT],
    "is no JSON": lambda it, at: [*before(it, at), b"data: {\n\n", *it.frames[at:]],
    "is no object": lambda it, at: [*before(it, at), b"data: []\n\n", *it.frames[at:]],
    "is an error": lambda it, at: [*before(it, at), ERRORS[it.surface], *it.frames[at:]],
}
ENDS = ("ends", "ends within a frame")
"""Those after which a provider may have said all that it had to say."""


async def told(bench: Bench, spoken: Spoken, chunks: list[Any]) -> httpx.Response:
    bench.transport.script = [ScriptedReply(chunks)]
    async with bench.client() as client:
        body = {**spoken.body, "model": MODEL}
        return await client.post(PATHS[spoken.surface], json=body)


def ending(surface: Surface, sent: bytes) -> str:
    """Say how a stream ends: in an error that every client understands, or as if it were whole."""
    found = sse.Decoder().feed(sent)
    datas = [event.data for event in found if isinstance(event, sse.Event)]
    if surface is Surface.CHAT:
        assert datas.pop() == "[DONE]"
        return "error" if set(orjson.loads(datas[-1])) == {"error"} else "whole"
    last = orjson.loads(datas[-1])
    if last["type"] != "response.failed":
        return "whole"
    assert orjson.loads(datas[-2])["type"] == "error"
    return "error"


async def judge(bench: Bench, spoken: Spoken, way: str, place: int) -> str:
    """Break a stream in one way at one place; fail unless the caller is told so."""
    prefix = [*spoken.events[:place]]
    known = relay(spoken.surface, prefix)
    credit = await bench.available()
    answer = await told(bench, spoken, BREAKS[way](spoken, place))
    if isinstance(known.result, Answer) and known.content and way in ENDS:
        assert answer.status_code == 200
        assert ending(spoken.surface, answer.content) == "whole"
        return "whole"
    assert await bench.available() == credit
    if not known.content:
        assert answer.status_code in {502, 504}
        assert answer.json()["error"]["type"] == "server_error"
        return "refused"
    assert answer.status_code == 200
    assert ending(spoken.surface, answer.content) == "error"
    return "error"


@pytest.mark.parametrize("spoken", SPOKEN, ids=lambda it: f"{it.surface.value}, {it.name}")
async def test_wherever_a_stream_breaks_the_caller_is_told(spoken: Spoken) -> None:
    bench = await make_bench()
    found: Counter[str] = Counter()
    for way in BREAKS:
        for place in range(len(spoken.events)):
            found[await judge(bench, spoken, way, place)] += 1
    assert found["refused"] >= len(BREAKS)
    assert found["error"] or len(spoken.events) <= 2


async def test_the_streams_of_the_corpus_break_in_every_way() -> None:
    frames = sum(len(spoken.events) for spoken in SPOKEN)
    assert frames * len(BREAKS) > 1_000


@pytest.mark.parametrize("surface", PATHS)
async def test_wherever_the_bytes_end_the_caller_is_told(surface: Surface) -> None:
    """Byte by byte: nothing hangs on where frames end."""
    spoken = next(each for each in SPOKEN if each.surface is surface)
    raw = b"".join(spoken.frames)
    bench = await make_bench()
    found: Counter[str] = Counter()
    for size in range(1, len(raw)):
        answer = await told(bench, spoken, [raw[:size], BROKEN])
        if answer.status_code != 200:
            found["refused"] += 1
            continue
        found[ending(surface, answer.content)] += 1
    assert found["refused"] > 50
    assert found["error"] > 50


async def test_what_breaks_after_a_terminal_event_takes_nothing_away() -> None:
    spoken = next(each for each in SPOKEN if each.surface is Surface.RESPONSES)
    for rest in (BROKEN, SILENT, b"data: {", b"data: [DONE]\n\n"):
        bench = await make_bench()
        answer = await told(bench, spoken, [*spoken.frames, rest])
        assert ending(Surface.RESPONSES, answer.content) == "whole"
        assert orjson.loads(answer.content.rpartition(b"data: ")[2])["response"]["usage"]


@pytest.mark.parametrize("surface", PATHS)
async def test_a_stream_that_stalls_past_the_time_for_all_of_it_ends_in_an_error(
    surface: Surface,
) -> None:
    spoken = next(each for each in SPOKEN if each.surface is surface)
    bench = await make_bench(request_timeout_ms=Millis(60))
    answer = await told(bench, spoken, [*spoken.frames[:3], anyio.sleep_forever])
    assert ending(surface, answer.content) == "error"
    assert b"provider_timeout" in answer.content


# --- whom it is for --------------------------------------------------------------------------


def places(spoken: Spoken) -> Iterator[int]:
    """Every place in a stream after its first content."""
    for place in range(len(spoken.events)):
        if relay(spoken.surface, spoken.events[:place]).content:
            yield place


@pytest.mark.parametrize("spoken", SPOKEN, ids=lambda it: f"{it.surface.value}, {it.name}")
async def test_openai_s_client_raises(spoken: Spoken) -> None:
    bench = await make_bench()
    transport = httpx2.ASGITransport(create_app(bench.gateway))
    client = openai.AsyncOpenAI(
        base_url="http://gateway/v1",
        api_key=bench.secret,
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
        _strict_response_validation=True,
    )
    asked: Any = {**spoken.body, "model": MODEL}
    for place in places(spoken):
        bench.transport.script = [ScriptedReply([*spoken.frames[:place], BROKEN])]
        create: Any = (
            client.chat.completions.create
            if spoken.surface is Surface.CHAT
            else client.responses.create
        )
        stream = await create(**asked)
        with pytest.raises(openai.APIError) as raised:
            async for _ in stream:
                pass
        assert raised.value.code == "provider_error"
    await client.close()
