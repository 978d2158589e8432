"""What a connection must keep to, byte by byte: a transport that remembers, and a clock to move."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import uvicorn
from attrs import define, field
from uvicorn.server import ServerState

from astrolabe_http.protocol import (
    AHEAD_MAX,
    FRAMING_BYTES_MAX,
    LINGER_S,
    StrictProtocol,
    protocol_of,
)
from astrolabe_http.settings import Settings
from tests.http.gateways import Bench, make_bench

pytestmark = pytest.mark.anyio

GET = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nhost: a\r\n"
HEAD_S = 3.0
KEEP_ALIVE_S = 75


class Wire(asyncio.Transport):
    """The server's side of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.ended = self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        assert not self.ended, "written after the end"
        self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@define
class Timer:
    wait_s: float
    call: Callable[..., None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """The loop, but that its timers wait until they are told to go off."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def call_later(self, wait_s: float, call: Callable[..., None]) -> Timer:
        self.timers.append(Timer(wait_s, call))
        return self.timers[-1]

    def create_task(self, work: Any) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    @property
    def waits(self) -> list[float]:
        return sorted(timer.wait_s for timer in self.timers if not timer.cancelled)

    def go_off(self, wait_s: float) -> None:
        (timer,) = [each for each in self.timers if each.wait_s == wait_s and not each.cancelled]
        timer.cancel()
        timer.call()


@define
class App:
    """Reads a body and says what it saw. One that is held answers when it is let go."""

    seen: list[tuple[str, str, bytes]] = field(factory=list)
    headers: list[list[tuple[bytes, bytes]]] = field(factory=list)
    held: anyio.Event | None = None
    unread: bool = False
    begun: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", not self.unread
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.headers.append(list(scope["headers"]))
        self.seen.append((scope["method"], scope["path"], body))
        start = {"type": "http.response.start", "status": 200, "headers": []}
        if self.begun:
            await send(start)
        if self.held is not None:
            await self.held.wait()
        if not self.begun:
            await send(start)
        await send({"type": "http.response.body", "body": b"done"})


@define
class Line:
    """One connection."""

    bench: Bench
    app: App
    wire: Wire
    clock: Clock
    protocol: StrictProtocol

    async def send(self, *parts: bytes) -> bytes:
        """Give it bytes; give back what was written since."""
        before = len(self.wire.written)
        for part in parts:
            self.protocol.data_received(part)
            await settle()
        return self.wire.written[before:]

    @property
    def logged(self) -> list[Any]:
        return [json.loads(line) for line in self.bench.lines]


async def settle() -> None:
    for _ in range(6):
        await anyio.lowlevel.checkpoint()


async def connect(app: App | None = None, **settings: Any) -> Line:
    limits: dict[str, Any] = {"head_timeout_ms": int(HEAD_S * 1_000), "header_bytes_max": 1_024}
    bench = await make_bench(**(limits | settings))
    app, wire, clock = app or App(), Wire(), Clock()
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_keep_alive=KEEP_ALIVE_S)
    config.load()
    kind: Any = protocol_of(bench.gateway)
    protocol = kind(config=config, server_state=ServerState(), app_state={}, _loop=clock)
    protocol.connection_made(wire)
    return Line(bench, app, wire, clock, protocol)


def error_of(answer: bytes) -> Any:
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert f"x-request-id: {error['requestId']}".encode() in head
    assert b"connection: close" in head
    return error


# --- what is no request -----------------------------------------------------------------------
NO_HTTP = {
    "both-framings": POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "framings-turned": POST + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "two-lengths": POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    "list-of-lengths": POST + b"content-length: 5, 5\r\n\r\nhello",
    "negative-length": POST + b"content-length: -5\r\n\r\nhello",
    "signed-length": POST + b"content-length: +5\r\n\r\nhello",
    "endless-length": POST + b"content-length: 99999999999999999999999\r\n\r\n",
    "unknown-coding": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked-not-last": POST + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "vertical-tab": POST + b"transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "space-before-colon": POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunk-size-no-number": POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "chunk-size-negative": POST + b"transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "chunk-size-prefixed": POST + b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "chunk-size-overflow": POST + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "chunk-without-cr": POST + b"transfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
    "bare-line-feeds": b"GET /health HTTP/1.1\nhost: a\n\n",
    "bare-returns": b"GET /health HTTP/1.1\rhost: a\r\r",
    "one-bare-line-feed": b"GET /health HTTP/1.1\r\nhost: a\nx: y\r\n\r\n",
    "folded-line": b"GET /health HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n",
    "nul-in-value": b"GET /health HTTP/1.1\r\nhost: a\r\nx: y\0z\r\n\r\n",
    "nul-in-name": b"GET /health HTTP/1.1\r\nhost: a\r\nx\0: y\r\n\r\n",
    "space-in-name": b"GET /health HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n",
    "no-name": b"GET /health HTTP/1.1\r\nhost: a\r\n: y\r\n\r\n",
    "no-colon": b"GET /health HTTP/1.1\r\nhost: a\r\nxy\r\n\r\n",
    "space-first": b"GET /health HTTP/1.1\r\n host: a\r\n\r\n",
    "tab-in-target": b"GET /he\talth HTTP/1.1\r\nhost: a\r\n\r\n",
    "bytes-in-target": b"GET /\xc3\xa9 HTTP/1.1\r\nhost: a\r\n\r\n",
    "no-slash": b"GET health HTTP/1.1\r\nhost: a\r\n\r\n",
    "a-file": b"GET file:///etc/passwd HTTP/1.1\r\nhost: a\r\n\r\n",
    "authority-for-get": b"GET a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "connect": b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "unknown-method": b"FOO /health HTTP/1.1\r\nhost: a\r\n\r\n",
    "small-method": b"get /health HTTP/1.1\r\nhost: a\r\n\r\n",
    "version-0.9": b"GET /health\r\n\r\n",
    "version-1.2": b"GET /health HTTP/1.2\r\nhost: a\r\n\r\n",
    "version-2.0": b"GET /health HTTP/2.0\r\nhost: a\r\n\r\n",
    "preface-of-2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP)
@pytest.mark.parametrize("piecewise", [False, True])
async def test_what_is_no_http_is_400_named_logged_and_heard_no_more(
    sent: bytes, piecewise: bool
) -> None:
    line = await connect()
    parts = [sent[at : at + 1] for at in range(len(sent))] if piecewise else [sent]
    answer = await line.send(*parts)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert error_of(answer)["code"] == "invalid_request"
    assert line.app.seen == []
    assert line.wire.ended or line.wire.closed
    assert await line.send(GET) == b""
    (said,) = [each for each in line.logged if each["status"] == 400]
    assert said["request_id"] == error_of(answer)["requestId"]


async def test_an_ordinary_request_is_served_and_another_after_it() -> None:
    line = await connect()
    assert b"200 OK" in await line.send(GET)
    body = POST + b"content-length: 5\r\n\r\nhel"
    assert await line.send(body) == b""
    assert b"200 OK" in await line.send(b"lo")
    assert line.app.seen == [("GET", "/health", b""), ("POST", "/echo", b"hello")]
    assert not line.wire.closed
    assert line.logged == []


async def test_a_chunked_body_is_read_with_extensions_and_without_its_trailers() -> None:
    line = await connect()
    answer = await line.send(
        POST + b"transfer-encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\n"
        b"x-api-key: smuggled\r\n\r\n"
    )
    assert b"200 OK" in answer
    assert line.app.seen == [("POST", "/echo", b"hello")]
    # A proxy in front of us looks at headers only.
    assert [name for name, _ in line.app.headers[0]] == [b"host", b"transfer-encoding"]


# --- upgrades ---------------------------------------------------------------------------------
UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQA\r\n"


@pytest.mark.parametrize("split", [0, 1, 5])
async def test_an_offered_upgrade_is_declined_by_serving_the_request(split: int) -> None:
    """Java's HttpClient offers one with every first request; its body must not get lost."""
    line = await connect()
    head = POST + UPGRADE + b"content-length: 5\r\n\r\n"
    answer = await line.send(head + b"hello"[:split], b"hello"[split:])
    assert answer.count(b"200 OK") == 1
    assert line.app.seen == [("POST", "/echo", b"hello")]
    assert (b"upgrade", b"h2c") not in line.app.headers[0]


async def test_the_body_of_a_request_with_an_upgrade_is_never_the_next_request() -> None:
    line = await connect()
    head = POST + UPGRADE + b"content-length: %d\r\n\r\n" % len(GET)
    answer = await line.send(head, GET)
    assert answer.count(b"200 OK") == 1
    assert line.app.seen == [("POST", "/echo", GET)]
    assert b"200 OK" in await line.send(GET)


async def test_upgrades_may_follow_each_other() -> None:
    line = await connect()
    one = POST + UPGRADE + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert (await line.send(one * 3)).count(b"200 OK") == 3
    assert [body for _, _, body in line.app.seen] == [b"hello"] * 3


# --- sizes ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "begin",
    [b"GET /health HTTP/1.1\r\nhost: a\r\nx: ", b"GET /", b"GET /health HTTP/1.1\r\nx", b"\r\n"],
    ids=["value", "target", "name", "blank-lines"],
)
async def test_a_head_without_end_is_cut_at_its_limit(begin: bytes) -> None:
    line = await connect()
    answer = await line.send(begin, *[b"\r\n" if begin == b"\r\n" else b"ab"] * 600)
    assert error_of(answer)["code"] == "request_headers_too_large"
    assert line.app.seen == []
    assert line.logged[0]["status"] == 431


async def test_heads_one_after_the_other_are_measured_each_for_itself() -> None:
    line = await connect()
    for _ in range(100):
        assert b"200 OK" in await line.send(*(GET[at : at + 7] for at in range(0, len(GET), 7)))


async def test_a_target_that_is_too_long_for_the_parser_is_431_too() -> None:
    line = await connect()
    answer = await line.send(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n")
    assert error_of(answer)["code"] == "request_headers_too_large"


@pytest.mark.parametrize(
    "unit", [b";extension", b"0\r\nx: trailer"], ids=["extensions", "trailers"]
)
async def test_framing_without_end_is_cut(unit: bytes) -> None:
    line = await connect()
    begin = b"5" if unit.startswith(b";") else unit
    await line.send(POST + b"transfer-encoding: chunked\r\n\r\n", begin)
    answer = await line.send(*[unit[-8:] * 1_000] * (FRAMING_BYTES_MAX // 8_000 + 2))
    assert error_of(answer)["code"] == "invalid_request"
    assert line.app.seen == []


async def test_small_chunks_are_framing_within_reason() -> None:
    line = await connect()
    await line.send(POST + b"transfer-encoding: chunked\r\n\r\n")
    await line.send(*[b"c\r\nhello world!\r\n" * 1_000] * 300)
    assert b"200 OK" in await line.send(b"0\r\n\r\n")
    assert len(line.app.seen[0][2]) == 12 * 300_000


async def test_requests_sent_ahead_are_few() -> None:
    app = App(held=anyio.Event())
    line = await connect(app)
    assert await line.send(GET * (AHEAD_MAX + 1)) == b""
    assert app.held is not None
    app.held.set()
    await settle()
    for _ in range(AHEAD_MAX):
        await settle()
    assert line.wire.written.count(b"200 OK") == AHEAD_MAX + 1
    line = await connect(App(held=anyio.Event()))
    await line.send(GET * (AHEAD_MAX + 2))
    assert len(line.protocol.pipeline) == AHEAD_MAX


# --- whose answer it is -----------------------------------------------------------------------
async def test_garbage_after_a_request_never_gets_into_its_answer() -> None:
    app = App(held=anyio.Event(), begun=True)
    line = await connect(app)
    await line.send(POST + b"content-length: 5\r\n\r\nhello\x00\x01\r\n\r\n")
    assert app.held is not None
    app.held.set()
    await settle()
    assert line.wire.written.startswith(b"HTTP/1.1 200 OK")
    assert b"400" not in line.wire.written
    assert line.wire.written.endswith(b"0\r\n\r\n")
    assert line.wire.ended


async def test_a_body_that_breaks_within_an_answer_cuts_it() -> None:
    app = App(held=anyio.Event(), begun=True, unread=True)
    line = await connect(app)
    await line.send(POST + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await line.send(b"zz\r\n")
    assert b"400" not in line.wire.written
    assert line.wire.ended


async def test_a_body_that_breaks_before_its_answer_is_400_and_the_app_sees_nobody() -> None:
    line = await connect()
    answer = await line.send(POST + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", b"zz\r\n")
    assert error_of(answer)["code"] == "invalid_request"
    assert line.app.seen == []


async def test_a_body_that_breaks_after_its_answer_is_no_answer_more() -> None:
    line = await connect(App(unread=True))
    answer = await line.send(POST + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", b"zz\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert line.wire.ended


# --- deadlines --------------------------------------------------------------------------------
async def test_somebody_who_says_nothing_is_let_go_in_silence() -> None:
    line = await connect()
    assert line.clock.waits == [HEAD_S]
    line.clock.go_off(HEAD_S)
    assert line.wire.closed
    assert line.wire.written == b""
    assert line.logged == []


@pytest.mark.parametrize("answered", [0, 2])
async def test_a_head_that_does_not_end_in_time_is_408(answered: int) -> None:
    line = await connect()
    for _ in range(answered):
        await line.send(GET)
    # Drop by drop: nothing that comes puts the deadline off.
    await line.send(GET[:1])
    timers = len(line.clock.timers)
    await line.send(*(GET[at : at + 1] for at in range(1, len(GET) - 1)))
    assert line.clock.waits == [HEAD_S]
    assert len(line.clock.timers) == timers
    before = len(line.wire.written)
    line.clock.go_off(HEAD_S)
    error = error_of(line.wire.written[before:])
    assert error["code"] == "request_timeout"
    assert line.logged[-1]["status"] == 408
    assert line.wire.ended


async def test_nothing_runs_while_an_answer_is_awaited_or_a_body_read() -> None:
    """The app has deadlines of its own for both."""
    app = App(held=anyio.Event())
    line = await connect(app)
    await line.send(POST + b"content-length: 5\r\n\r\n")
    assert line.clock.waits == []
    await line.send(b"hello")
    assert line.clock.waits == []
    # The beginning of the next request waits for its turn.
    await line.send(b"\r\nGET")
    assert line.clock.waits == []
    assert app.held is not None
    app.held.set()
    await settle()
    assert HEAD_S in line.clock.waits


async def test_an_idle_connection_is_closed_and_blank_lines_do_not_keep_it() -> None:
    line = await connect()
    await line.send(GET)
    assert line.clock.waits == [KEEP_ALIVE_S]
    await line.send(b"\r\n")
    assert line.clock.waits == [KEEP_ALIVE_S]
    line.clock.go_off(KEEP_ALIVE_S)
    assert line.wire.closed


async def test_a_body_that_goes_on_after_its_answer_has_little_time() -> None:
    """uvicorn forgets its own deadline with the first byte that comes."""
    line = await connect(App(unread=True))
    await line.send(POST + b"content-length: 9\r\n\r\nhel")
    await line.send(b"lo")
    assert LINGER_S in line.clock.waits
    line.clock.go_off(LINGER_S)
    assert line.wire.closed


async def test_a_body_that_ends_after_its_answer_leaves_the_connection_as_it_was() -> None:
    line = await connect(App(unread=True))
    await line.send(POST + b"content-length: 9\r\n\r\nhel", b"lo you")
    assert line.clock.waits == [KEEP_ALIVE_S]
    assert b"200 OK" in await line.send(GET)


# --- leaving ----------------------------------------------------------------------------------
async def test_whoever_is_still_sending_hears_the_answer_before_the_line_is_cut() -> None:
    line = await connect(App(unread=True))
    await line.send(POST + b"connection: close\r\ncontent-length: 99\r\n\r\nhel")
    assert line.wire.written.endswith(b"0\r\n\r\n")
    assert line.wire.ended
    assert not line.wire.closed
    assert not line.wire.paused
    assert await line.send(b"x" * 10_000) == b""
    line.clock.go_off(LINGER_S)
    assert line.wire.closed


async def test_whoever_has_sent_all_is_left_at_once() -> None:
    line = await connect()
    await line.send(POST + b"connection: close\r\ncontent-length: 5\r\n\r\nhello")
    assert line.wire.closed
    assert not line.wire.ended


async def test_a_connection_that_is_lost_leaves_no_timer_behind() -> None:
    for sent in (b"", b"GET", GET, POST + b"content-length: 9\r\n\r\nhel"):
        line = await connect(App(unread=True))
        await line.send(*([sent] if sent else []))
        line.wire.close()
        line.protocol.connection_lost(None)
        assert line.clock.waits == []


async def test_the_head_s_deadline_is_that_of_the_settings() -> None:
    line = await connect(head_timeout_ms=Settings().head_timeout_ms)
    assert line.clock.waits == [10]
