"""Whatever a provider sends: a typed fault, no charge, nobody connected, never a whole answer.

Real sockets on both sides of the real transport; a gateway in this process, so that its loop can
be watched and its books be read.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

import httpx
import orjson
import pytest
from attrs import frozen

from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis
from tests.http.gateways import (
    CHAT,
    DONE,
    RESPONSES,
    USAGE,
    WHOLE_STREAM,
    chat_body,
    chat_chunk,
    make_bench,
    sse,
    stream_reply,
)
from tests.http.hostile import (
    PROVIDER_KEY,
    Part,
    RawProvider,
    Stalls,
    gateway_before,
    listening,
    repeated,
    reset,
)

pytestmark = pytest.mark.anyio

MEBIBYTE = 1024 * 1024
STALL_S_MAX = 0.25
SILENCE = Millis(200)
LIMIT = Millis(1_000)
CANARY = "canary-of-the-provider"
OK = b"HTTP/1.1 200 OK\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
RESPONSES_USAGE = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14, "cost": 0.000007}
RESPONSE: dict[str, Any] = {
    "id": "resp_upstream",
    "object": "response",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello there.", "annotations": []}],
        }
    ],
    "usage": RESPONSES_USAGE,
}


def delta(text: str, **more: Any) -> dict[str, Any]:
    at = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0}
    return {**at, "delta": text, **more}


def repeating(text: str) -> dict[str, Any]:
    """Go on with a tool call whose name comes again with every piece, as some have it."""
    call = {"index": 0, "function": {"name": "f", "arguments": text}}
    return {**chat_chunk(), "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


RESPONSES_STREAM: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}},
    delta("Hello"),
    delta(" there."),
    {"type": "response.completed", "response": RESPONSE},
)
GOOD = {"chat": json.dumps(chat_body()).encode(), "responses": json.dumps(RESPONSE).encode()}
BEGINNING = {"chat": sse(*WHOLE_STREAM[:3]), "responses": sse(*RESPONSES_STREAM[:3])}
REST = {"chat": sse(*WHOLE_STREAM[3:]) + DONE, "responses": sse(*RESPONSES_STREAM[3:]) + DONE}


@frozen(kw_only=True)
class Met:
    """What came of one request."""

    answer: httpx.Response
    held: int
    spent: int
    stall_s: float
    alone: bool
    calls: int


async def meet(
    parts: tuple[Part, ...],
    speaks: str = "chat",
    *,
    said: str | None = None,
    stream: bool = False,
    **settings: Any,
) -> Met:
    """Ask a gateway whose provider answers with these parts, in the format that it has."""
    limits = {"upstream_silence_ms": SILENCE, "request_timeout_ms": LIMIT} | settings
    limits["upstream_apis"] = frozenset({Surface(said or speaks)})
    body = {**(CHAT if speaks == "chat" else RESPONSES), "stream": stream}
    async with (
        listening(RawProvider(parts)) as provider,
        gateway_before(provider.url, **limits) as bench,
    ):
        before, stalls = await bench.available(), Stalls()
        watch = asyncio.create_task(stalls.watch())
        async with bench.client() as client:
            answer = await client.post(PATHS[speaks], json=body, timeout=30)
        await asyncio.sleep(0.01)  # who watches must come to see what was last
        watch.cancel()
        wallet = await bench.store.wallet(bench.workspace.id)
        assert wallet is not None
        return Met(
            answer=answer,
            held=wallet.held,
            spent=before - wallet.available,
            stall_s=stalls.worst_s,
            alone=await provider.is_alone(),
            calls=len(provider.requests),
        )


async def meet_calmly(parts: tuple[Part, ...], speaks: str, *, stream: bool, **more: Any) -> Met:
    """Ask up to three times until the loop was not held: the machine may be busy elsewhere.

    So busy that a request's second is over before the provider is asked: no answer was met then.
    """
    met = await meet(parts, speaks, stream=stream, **more)
    for _ in range(2):
        if met.stall_s < STALL_S_MAX and met.calls:
            break
        met = await meet(parts, speaks, stream=stream, **more)
    assert met.stall_s < STALL_S_MAX
    return met


def assert_fault(met: Met, *codes: str) -> None:
    """An error in the form of every other, nothing charged, nothing held, nobody connected."""
    error = met.answer.json()["error"]
    assert error["code"] in (codes or ("provider_error",))
    assert met.answer.status_code == (504 if error["code"] == "provider_timeout" else 502)
    assert error["requestId"] == met.answer.headers["x-request-id"]
    assert_nothing_is_left(met)


def assert_broken(met: Met, speaks: str) -> None:
    """A stream that had begun ends in an explicit error, and in nothing that looks whole."""
    text = met.answer.text
    assert met.answer.status_code == 200
    assert "Hello" in text
    assert "response.completed" not in text
    assert '"finish_reason":"' not in text
    if speaks == "chat":
        assert text.endswith("\n\ndata: [DONE]\n\n")
        assert set(json.loads(text.split("data: ")[-2])) == {"error"}
    else:
        assert "event: error\n" in text
        assert "event: response.failed\n" in text
    assert_nothing_is_left(met)


def assert_nothing_is_left(met: Met) -> None:
    assert (met.held, met.spent) == (0, 0)
    assert met.alone, "the connection is still open"
    assert met.calls <= 1
    told = met.answer.text + str(met.answer.headers)
    assert CANARY not in told
    assert PROVIDER_KEY not in told


def assert_whole(met: Met) -> None:
    assert met.answer.status_code == 200, met.answer.text
    assert "there." in met.answer.text
    assert (met.held, met.spent) == (0, 7_000)


def sized(body: bytes, head: bytes = OK) -> bytes:
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def chunked(*parts: bytes) -> bytes:
    head = OK + b"transfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


CHAT_GOOD = GOOD["chat"]


def among(body: bytes, more: bytes, before: bytes = b'"role": "assistant",') -> bytes:
    """Put more into the message of a good body."""
    assert before in body
    return body.replace(before, before + more, 1)


# --- what is no HTTP ------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((b"SSH-2.0-OpenSSH_9\r\n",), id="another protocol"),
        pytest.param((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), id="HTTP/2"),
        pytest.param((CHAT_GOOD,), id="HTTP/0.9"),
        pytest.param((b"HTTP/1.1 99999 What\r\n\r\n",), id="a status of five digits"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 999 What\r\n"),), id="status 999"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 600 What\r\n"),), id="status 600"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 000 What\r\n"),), id="status 0"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 099 What\r\n"),), id="status 99"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 206 Partial\r\n"),), id="a part"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 204 No\r\n"),), id="204 with a body"),
        pytest.param((sized(CHAT_GOOD, b"HTTP/1.1 304 Not\r\n"),), id="304"),
        pytest.param(
            (b"HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", CHAT_GOOD),
            id="another protocol from here on",
        ),
        pytest.param((OK + b"no colon\r\n\r\n",), id="a header without a colon"),
        pytest.param((sized(CHAT_GOOD, OK + b"x: a\0b\r\n"),), id="NUL in a header"),
        pytest.param((repeated(b"HTTP/1.1 102 Wait\r\n\r\n" * 1_000),), id="1xx without end"),
        pytest.param((OK, repeated(b"x-a: b\r\n" * 1_000)), id="headers without end"),
        pytest.param((OK + b"x: ", repeated(b"y" * 10_000)), id="a header without end"),
        pytest.param(
            (sized(CHAT_GOOD, OK + b"content-length: 3\r\n"),), id="two lengths that differ"
        ),
        pytest.param((OK + b"content-length: -5\r\n\r\n" + CHAT_GOOD,), id="a negative length"),
        pytest.param(
            (OK + b"content-length: %d\r\n\r\n" % 10**30 + CHAT_GOOD,), id="a length of 31 digits"
        ),
        pytest.param((OK + b"content-length: 10\r\n\r\n" + CHAT_GOOD,), id="longer than it says"),
        pytest.param(
            (OK + b"content-length: 99999\r\n\r\n" + CHAT_GOOD,), id="shorter than it says"
        ),
        pytest.param(
            (chunked(CHAT_GOOD).replace(OK, OK + b"content-length: 5\r\n"),),
            id="a length and chunks",
        ),
        pytest.param((chunked() + b"zz\r\n" + CHAT_GOOD,), id="a chunk of no size"),
        pytest.param((chunked() + b"-5\r\n" + CHAT_GOOD,), id="a chunk of negative size"),
        pytest.param((chunked() + b"f" * 16 + b"\r\n" + CHAT_GOOD,), id="a chunk of any size"),
        pytest.param((chunked(CHAT_GOOD[:50]),), id="chunks that break off"),
        pytest.param(
            (chunked(CHAT_GOOD) + b"0\r\n", repeated(b"x-t: 1\r\n" * 1_000)),
            id="trailers without end",
        ),
    ],
)
async def test_what_is_no_http_is_a_fault(parts: tuple[Part, ...], stream: bool) -> None:
    # Where a provider hangs up at once, that may be met before its words are.
    assert_fault(await meet(parts, stream=stream), "provider_error", "origin_unreachable")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((OK + b"x: ", repeated(b"y", 0.02)), id="a head that trickles"),
        pytest.param((OK + b"\r\n", repeated(b" ", 0.02)), id="a body that trickles"),
        pytest.param((STREAM, repeated(b": wait\n\n", 0.02)), id="comments that trickle"),
        pytest.param((chunked() + b"5;", repeated(b"x" * 9_999)), id="a chunk's extension"),
        pytest.param((60.0,), id="silence from the first byte"),
        pytest.param((OK[:9], 60.0), id="silence in the head"),
        pytest.param((sized(CHAT_GOOD)[:-9], 60.0), id="silence in the body"),
    ],
)
async def test_what_does_not_end_is_ended(parts: tuple[Part, ...], stream: bool) -> None:
    met = await meet_calmly(parts, "chat", stream=stream)
    assert_fault(met, "provider_timeout")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("cut", "code"),
    [
        (0, "origin_unreachable"),
        (5, "origin_unreachable"),
        (len(OK) + 5, "origin_unreachable"),
        (-len(CHAT_GOOD), "provider_error"),
        (-5, "provider_error"),
    ],
)
@pytest.mark.parametrize("how", ["reset", "closed"])
async def test_a_connection_closed_at_any_point_is_a_fault(
    cut: int, code: str, how: str, stream: bool
) -> None:
    sent = sized(CHAT_GOOD)[:cut] if cut else b""
    met = await meet((sent, 0.02, *([reset] if how == "reset" else [])), stream=stream)
    assert met.answer.json()["error"]["code"] in {code, "provider_error"}
    assert_nothing_is_left(met)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + sized(CHAT_GOOD),), id="a 1xx"),
        pytest.param((b"HTTP/1.1 100 Go\r\n\r\n" * 9 + sized(CHAT_GOOD),), id="several of them"),
        pytest.param((chunked(CHAT_GOOD[:9], CHAT_GOOD[9:]) + b"0\r\n\r\n",), id="chunks"),
        pytest.param((OK + b"\r\n" + CHAT_GOOD,), id="no length"),
        pytest.param((sized(CHAT_GOOD, OK + b"content-type: text/html\r\n"),), id="a false type"),
        pytest.param((sized(CHAT_GOOD, OK + b"content-encoding: identity\r\n"),), id="identity"),
        pytest.param(
            (sized(CHAT_GOOD.replace(b'"id": ', b'"id": "other", "id": ')),),
            id="a key said twice: the last holds",
        ),
    ],
)
async def test_what_is_only_odd_is_read(parts: tuple[Part, ...]) -> None:
    assert_whole(await meet(parts))


# --- what is no answer ----------------------------------------------------------------------

PACKED = {
    "gzip": gzip.compress(CHAT_GOOD),
    "deflate": zlib.compress(CHAT_GOOD),
    "x-gzip": gzip.compress(b"\0" * 10 * MEBIBYTE),
    "br": CHAT_GOOD,
    "zstd": CHAT_GOOD,
    "gzip, identity": CHAT_GOOD,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("coding", PACKED)
async def test_what_is_compressed_is_not_looked_into(coding: str, stream: bool) -> None:
    head = OK + f"content-encoding: {coding}\r\n".encode()
    met = await meet((sized(PACKED[coding], head),), stream=stream)
    assert_fault(met)
    assert "compressed" in met.answer.json()["error"]["message"]


async def test_a_compressed_error_is_told_by_its_status() -> None:
    head = b"HTTP/1.1 402 Pay\r\ncontent-encoding: gzip\r\n"
    assert_fault(await meet((sized(gzip.compress(b"{}"), head),)), "provider_auth_error")


@pytest.mark.parametrize("speaks", ["chat", "responses"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>canary-of-the-provider</body></html>",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"{}",
        b'{"choices": null, "output": null}',
        b'{"choices": 5, "output": 5}',
        b'{"choices": {"0": {}}, "output": {"0": {}}}',
        b'{"error": "canary-of-the-provider"}',
        b'{"error": {"message": "canary-of-the-provider", "code": []}}',
        sse(*WHOLE_STREAM)[:-1].replace(b"data", b"date"),
        b"\xef\xbb\xbf{}",
        b'{"choices": [\xff]}',
        nested(1_000_000),
    ],
)
async def test_what_is_no_answer_is_a_fault(body: bytes, speaks: str, stream: bool) -> None:
    assert_fault(await meet((sized(body),), speaks, stream=stream))


async def test_a_stream_where_json_was_asked_for_and_the_other_way_round() -> None:
    assert_fault(await meet((STREAM + sse(*WHOLE_STREAM) + DONE,)))
    head = OK + b"content-type: application/json\r\n"
    assert_fault(await meet((sized(CHAT_GOOD, head),), stream=True))


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param((b"7e-06", b"NaN"), id="NaN"),
        pytest.param((b"7e-06", b"-Infinity"), id="infinity"),
        pytest.param((b"7e-06", b"1e999"), id="a number beyond all"),
        pytest.param((b"Hello", b"\xff\xfe"), id="broken UTF-8"),
        pytest.param((b"Hello", b"\\ud800"), id="half a character"),
        pytest.param((b"Hello", b"\\udc00\\ud800"), id="two halves in the wrong order"),
        pytest.param((b"Hello", b"a\nb"), id="a bare line end"),
    ],
)
@pytest.mark.parametrize("speaks", ["chat", "responses"])
async def test_json_that_is_almost_right_is_a_fault(
    spoilt: tuple[bytes, bytes], speaks: str
) -> None:
    assert spoilt[0] in GOOD[speaks]
    assert_fault(await meet((sized(GOOD[speaks].replace(*spoilt)),), speaks))


# --- what is too much -----------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_a_body_without_end_is_given_up(stream: bool) -> None:
    met = await meet_calmly(
        (OK + b"\r\n", repeated(b"x" * 65_536)),
        "chat",
        stream=stream,
        answer_bytes_max=MEBIBYTE,
        request_timeout_ms=Millis(10_000),
    )
    assert_fault(met)
    assert "larger" in met.answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(sized(b"x" * MEBIBYTE, b"HTTP/1.1 429 Wait\r\n"), id="large"),
        pytest.param(b"HTTP/1.1 429 Wait\r\n\r\n", id="none"),
        pytest.param(sized(nested(1_000), b"HTTP/1.1 429 Wait\r\n"), id="deep"),
        pytest.param(
            sized(b'{"error":{"message":%b}}' % nested(200), b"HTTP/1.1 429 Wait\r\n"),
            id="a deep message",
        ),
    ],
)
async def test_an_error_is_told_by_its_status_whatever_its_body_is(body: bytes) -> None:
    met = await meet((body,))
    assert_fault(met)
    assert "limits its rate" in met.answer.json()["error"]["message"]


async def test_an_error_whose_body_never_comes_is_told_by_its_status() -> None:
    met = await meet((b"HTTP/1.1 401 No\r\ncontent-length: 9\r\n\r\n{", 60.0))
    assert_fault(met, "provider_auth_error")


@pytest.mark.parametrize(
    "wait",
    [
        b"Mon, 01 Jan 99999999999 00:00:00 GMT",
        b"Mon, 01 Jan 2024 00:00:00 +99999999999",
        b"9" * 7_000,
        b"-1",
        b"nan",
    ],
)
async def test_a_wait_that_nobody_can_wait_is_none(wait: bytes) -> None:
    head = b"HTTP/1.1 503 No\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\nretry-after: " + wait
    met = await meet((sized(b"{}", head + b"\r\n"),))
    assert_fault(met)


CALL = b'{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},'
PART = b'{"type":"output_text","text":"x"},'
BOMBS: dict[str, tuple[str, bytes]] = {
    "depth, in reasoning": ("chat", among(CHAT_GOOD, b'"reasoning_details":[%b],' % nested(240))),
    "depth, in log probabilities": (
        "chat",
        among(CHAT_GOOD, b'"logprobs":{"a":%b},' % nested(400), b'"index": 0,'),
    ),
    "depth, in a citation": (
        "responses",
        GOOD["responses"].replace(b'"annotations": []', b'"annotations": [%b]' % nested(400)),
    ),
    "values, where nobody looks": (
        "chat",
        among(CHAT_GOOD, b'"x":[%b1],' % (b"[]," * 5 * MEBIBYTE)),
    ),
    "values, within arguments": (
        "chat",
        among(
            CHAT_GOOD,
            b'"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\\"a\\":[%b1]}"}}],'
            % (b"[]," * 5 * MEBIBYTE),
        ),
    ),
    "values within arguments, as many as are read elsewhere": (
        "chat",
        among(
            CHAT_GOOD,
            b'"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\\"a\\":[%b1]}"}}],'
            % (b"[]," * 220_000),
        ),
    ),
    "choices": ("chat", b'{"choices":[%b{}]}' % (b'{"message":{"content":"x"}},' * 100_000)),
    "calls": ("chat", among(CHAT_GOOD, b'"tool_calls":[%b{}],' % (CALL * 100_000))),
    "items": ("responses", b'{"status":"completed","output":[%b{}]}' % (b"{}," * 300_000)),
    "parts": (
        "responses",
        GOOD["responses"].replace(b'"content": [', b'"content": [' + PART * 9**5),
    ),
}


@pytest.mark.parametrize("speaks", ["chat", "responses"])
@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_of_depth_or_of_values_neither_stops_the_loop_nor_is_charged(
    name: str, speaks: str
) -> None:
    said, body = BOMBS[name]
    met = await meet_calmly(
        (sized(body),), speaks, said=said, stream=False, request_timeout_ms=Millis(9_000)
    )
    assert_fault(met)


async def test_large_words_are_words() -> None:
    body = json.dumps(chat_body(text="there. " * 2 * MEBIBYTE)).encode()
    assert_whole(
        await meet_calmly((sized(body),), "chat", stream=False, request_timeout_ms=Millis(9_000))
    )


async def test_many_log_probabilities_are_no_bomb() -> None:
    top = [{"token": "x", "logprob": -0.5, "bytes": [1, 2, 3]}] * 20
    entry = {"token": "x", "logprob": -0.5, "bytes": [1], "top_logprobs": top}
    body = chat_body()
    body["choices"][0]["logprobs"] = {"content": [entry] * 1_000}
    met = await meet_calmly(
        (sized(orjson.dumps(body)),), "chat", stream=False, request_timeout_ms=Millis(9_000)
    )
    assert_whole(met)


@pytest.mark.parametrize(
    "count", [b"-4", b"9223372036854775807", b"18446744073709551615", b"4.5", b'"4"', b"true"]
)
@pytest.mark.parametrize("speaks", ["chat", "responses"])
async def test_usage_that_cannot_be_true_is_not_charged(count: bytes, speaks: str) -> None:
    name = b"completion_tokens" if speaks == "chat" else b"output_tokens"
    body = GOOD[speaks].replace(b'"%b": 4' % name, b'"%b": %b' % (name, count))
    met = await meet((sized(body),), speaks)
    assert met.answer.status_code == 200
    assert (met.held, met.spent) == (0, 0)
    assert met.answer.json()["usage"] is None


# --- streams --------------------------------------------------------------------------------


def deep_event(speaks: str) -> dict[str, Any]:
    deep: Any = "x"
    for _ in range(240):
        deep = [deep]
    if speaks == "chat":
        return {**chat_chunk(), "choices": [{"index": 0, "delta": {"reasoning_details": [deep]}}]}
    return delta("x", logprobs=[{"token": deep}])


@pytest.mark.parametrize("speaks", ["chat", "responses"])
@pytest.mark.parametrize("said", ["chat", "responses"])
@pytest.mark.parametrize(
    "then",
    [
        pytest.param((), id="it ends"),
        pytest.param((reset,), id="it is reset"),
        pytest.param((DONE,), id="it says that it is done"),
        pytest.param((60.0,), id="it falls silent"),
        pytest.param((b"data: ", repeated(b"x" * 65_536)), id="a line without end"),
        pytest.param((repeated(b"data: x\n" * 5_000),), id="an event without end"),
        pytest.param((b"data: {\n\n",), id="no JSON"),
        pytest.param((b"data: []\n\n",), id="no object"),
        pytest.param((b'data: {"a": NaN}\n\n',), id="NaN"),
        pytest.param((b'data: {"a": "\\ud800"}\n\n',), id="half a character"),
        pytest.param((b'data: {"error": {"message": "%b"}}\n\n' % CANARY.encode(),), id="an error"),
        pytest.param(("deep",), id="an event that cannot be written"),
        pytest.param((repeated(b"data: {}\n\n" * 5_000),), id="empty events without end"),
        pytest.param((repeated(b": x\n\n" * 5_000),), id="comments without end"),
        pytest.param(("much",), id="words without end"),
        pytest.param(("many",), id="choices or items without end"),
        pytest.param(("calls",), id="calls without end"),
    ],
)
async def test_a_stream_that_goes_wrong_ends_in_an_error(
    then: tuple[Any, ...], said: str, speaks: str
) -> None:
    """Also where what is said is translated into what the caller speaks."""
    chat = said == "chat"
    words = {
        "deep": sse(deep_event(said)) + REST[said],
        "much": repeated(sse(chat_chunk("a") if chat else delta("a")) * 500),
        "many": b"".join(
            sse({**chat_chunk(), "choices": [{"index": place, "delta": {"content": "a"}}]})
            if chat
            else sse(delta("a", output_index=place))
            for place in range(5_000)
        ),
        "calls": b"".join(
            sse(
                {
                    **chat_chunk(),
                    "choices": [
                        {"index": 0, "delta": {"tool_calls": [{"index": place, "id": "a"}]}}
                    ],
                }
            )
            if chat
            else sse(delta("a", content_index=place))
            for place in range(5_000)
        ),
    }
    parts = [words[part] if isinstance(part, str) else part for part in then]
    met = await meet_calmly((STREAM, BEGINNING[said], *parts), speaks, said=said, stream=True)
    assert_broken(met, speaks)


async def test_arguments_are_not_read_again_with_every_piece() -> None:
    """Whether they are whole tells two calls without ids apart; each look costs their length."""
    pieces = (repeating("{" + "a" * MEBIBYTE), repeated(sse(repeating("}")) * 1_000))
    met = await meet_calmly(
        (STREAM, BEGINNING["chat"], sse(pieces[0]), pieces[1]), "chat", stream=True
    )
    assert_broken(met, "chat")


@pytest.mark.parametrize("speaks", ["chat", "responses"])
async def test_broken_utf8_in_a_stream_is_a_replacement_character(speaks: str) -> None:
    """As the standard for event streams has it; the rest of the words is whole."""
    spoilt = BEGINNING[speaks].replace(b"Hello", b"Hello\xff")
    met = await meet((STREAM, spoilt, REST[speaks]), speaks, stream=True)
    assert_whole(met)
    assert "Hello\ufffd" in met.answer.text


async def test_what_was_said_whole_again_and_again_is_not_read_each_time() -> None:
    """Each time costs the length of all that was said: 60 bytes for megabytes of work."""
    words = "a" * MEBIBYTE
    done = {"type": "response.output_text.done", "output_index": 0, "text": "b"}
    parts = (STREAM, BEGINNING["responses"], sse(delta(words)), repeated(sse(done) * 1_000))
    met = await meet_calmly(parts, "responses", stream=True)
    assert_broken(met, "responses")


# --- what of a provider's head gets anywhere --------------------------------------------------

HEADERS = {
    "set-cookie": f"session={CANARY}; path=/",
    "server": CANARY,
    "x-powered-by": CANARY,
    "connection": "keep-alive, x-hop",
    "keep-alive": "timeout=5",
    "proxy-authenticate": CANARY,
    "trailer": "x-late",
    "upgrade": "h2c",
    "x-hop": CANARY,
    "via": CANARY,
    "alt-svc": f'h3="{CANARY}:443"',
    "location": f"http://{CANARY}/",
    "link": f"<http://{CANARY}/>; rel=preload",
    "refresh": f"0; url=http://{CANARY}",
    "x-request-id": CANARY,
    "x-generation-id": "gen-1",
    "x-ratelimit-limit": CANARY,
    "x-ratelimit-remaining": CANARY,
    "retry-after": "5",
    "retry-after-ms": "5",
    "x-should-retry": "true",
    "x-astrolabe-model": CANARY,
    "x-astrolabe-cloud-workspace": CANARY,
    "access-control-allow-origin": "*",
    "content-security-policy": CANARY,
    "strict-transport-security": CANARY,
    "www-authenticate": CANARY,
    "cf-ray": CANARY,
    "content-language": CANARY,
    "etag": CANARY,
    "cache-control": CANARY,
}
HEAD = b"".join(f"{name}: {value}\r\n".encode() for name, value in HEADERS.items())
OURS = {"x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-astrolabe-model"}
OURS |= {"x-astrolabe-cloud-workspace", "cache-control", "x-should-retry"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [b"200", b"400", b"429", b"500"])
async def test_nothing_of_a_providers_head_reaches_the_caller(status: bytes, stream: bool) -> None:
    head = b"HTTP/1.1 " + status + b" " + CANARY.encode() + b"\r\n" + HEAD
    body = sse(*WHOLE_STREAM) + DONE if stream and status == b"200" else CHAT_GOOD
    met = await meet((sized(body, head),), stream=stream)
    assert CANARY not in str(met.answer.headers.raw)
    assert CANARY not in met.answer.text
    assert not (set(met.answer.headers) & set(HEADERS)) - OURS - {"retry-after"}
    assert met.answer.headers.get("cache-control", "no-cache") == "no-cache"
    if "retry-after" in met.answer.headers:
        # Ours, made of the provider's where it asks for a wait.
        assert status in {b"429", b"500"}
    assert met.alone


async def test_what_a_provider_sends_after_its_answer_is_not_the_next_answer() -> None:
    """Of two callers who share a connection, the second would read what the first one's said."""
    smuggled = json.dumps(chat_body(text=CANARY)).encode()
    provider = RawProvider((sized(CHAT_GOOD) + sized(smuggled),), stays=True)
    async with listening(provider), gateway_before(provider.url) as bench, bench.client() as client:
        answers = [(await client.post(PATHS["chat"], json=CHAT)).text for _ in range(4)]
    assert not any(CANARY in answer for answer in answers)


async def test_usage_is_charged_once_however_often_it_is_told() -> None:
    events = (*WHOLE_STREAM, {**chat_chunk(), "choices": [], "usage": USAGE})
    met = await meet((STREAM, sse(*events), DONE), stream=True)
    assert_whole(met)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bug_that_a_providers_words_find_ends_the_hold_all_the_same(
    stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await make_bench()
    before = await bench.available()

    async def burst() -> None:
        raise RuntimeError(CANARY)

    first = [sse(*WHOLE_STREAM[:3])] if stream else []
    bench.transport.script = [stream_reply(*first, burst)]
    async with bench.client() as client:
        answer = await client.post(PATHS["chat"], json={**CHAT, "stream": stream})
    assert answer.status_code == (200 if stream else 502)
    assert '"code":"provider_error"' in answer.text
    assert CANARY not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert await bench.available() == before
