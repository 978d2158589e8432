"""What is turned away before any route is looked for, wherever the app runs."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from astrolabe_core.codes import Code, Refusal
from astrolabe_http.app import create_app
from astrolabe_http.guard import Guard, refuse_head
from astrolabe_http.settings import Settings
from tests.http.gateways import CHAT, Bench, ScriptedReply, chat_reply, make_bench

HOST = (b"host", b"gateway")
BODY = json.dumps(CHAT).encode()
SMALL = Settings(headers_max=5, header_bytes_max=200)


def scope_with(*headers: tuple[bytes, bytes], **changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "raw_path": b"/v1/chat/completions",
        "root_path": "",
        "query_string": b"",
        "headers": list(headers),
        **changes,
    }


class Exchange:
    """One exchange with an app: what was taken of its body, and what was answered."""

    def __init__(self, app: Any, scope: dict[str, Any], *parts: bytes) -> None:
        self.app = app
        self.scope = scope
        self.parts = list(parts)
        self.taken = 0
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        if self.taken >= len(self.parts):
            await anyio.sleep_forever()
        self.taken += 1
        more = self.taken < len(self.parts)
        return {"type": "http.request", "body": self.parts[self.taken - 1], "more_body": more}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self) -> Exchange:
        with anyio.fail_after(10):
            await self.app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def error(self) -> Any:
        return json.loads(b"".join(message.get("body", b"") for message in self.sent))["error"]


def keyed(bench: Bench) -> tuple[bytes, bytes]:
    return b"x-api-key", bench.secret.encode()


def refused(*headers: tuple[bytes, bytes], **changes: Any) -> Code | None:
    found = refuse_head(scope_with(*headers, **changes), SMALL)
    return None if found is None else found.code


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ([HOST], {}),
        ([(b"host", b"127.0.0.1:8080")], {}),
        ([(b"host", b"[::1]:8080")], {}),
        ([(b"host", b"under_score.example.")], {}),
        ([(b"host", b"xn--bcher-kva.example")], {}),
        ([HOST, (b"content-length", b"5")], {}),
        ([HOST, (b"transfer-encoding", b"Chunked")], {}),
        ([HOST, (b"accept", b"a"), (b"accept", b"b")], {}),
        ([], {"http_version": "1.0"}),
        ([], {"http_version": "2"}),
        ([HOST, *[(b"x", b"y")] * 4], {}),
        ([HOST, (b"x", b"y" * 160)], {"raw_path": b"/", "path": "/"}),
    ],
)
def test_an_ordinary_head_is_let_in(headers: Any, changes: dict[str, Any]) -> None:
    assert refused(*headers, **changes) is None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"")],
        [(b"host", b"a b")],
        [(b"host", b"a/b")],
        [(b"host", b"user@a")],
        [(b"host", b"a:port")],
        [(b"host", b"a:123456")],
        [(b"host", b"::1")],
        [(b"host", b"[::1")],
        [(b"host", b"a\xff")],
        [HOST, HOST],
        [HOST, (b"host", b"other")],
        [],
    ],
)
def test_a_host_that_is_missing_repeated_or_none_is_400(headers: Any) -> None:
    found = refuse_head(scope_with(*headers), SMALL)
    assert isinstance(found, Refusal)
    assert (found.code, found.param) == (Code.INVALID_REQUEST, "host")


@pytest.mark.parametrize("version", ["1.0", "1.1", "2"])
def test_a_host_is_never_to_be_doubted_in_any_version(version: str) -> None:
    assert refused((b"host", b"a b"), http_version=version) is Code.INVALID_REQUEST


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "x-api-key", "content-type", "content-length"),
        *("transfer-encoding", "idempotency-key", "x-astrolabe-stack"),
    ],
)
def test_what_may_be_said_once_is_400_where_it_is_said_twice(name: str) -> None:
    found = refuse_head(scope_with(HOST, *[(name.encode(), b"1")] * 2), SMALL)
    assert isinstance(found, Refusal)
    assert (found.code, found.param) == (Code.INVALID_REQUEST, name)
    assert "twice" in found.message


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ([(b"content-length", b"5"), (b"transfer-encoding", b"chunked")], "1.1"),
        ([(b"content-length", b"5, 5")], "1.1"),
        ([(b"content-length", b"+5")], "1.1"),
        ([(b"content-length", b"-5")], "1.1"),
        ([(b"content-length", b"")], "1.1"),
        ([(b"transfer-encoding", b"gzip, chunked")], "1.1"),
        ([(b"transfer-encoding", b"identity")], "1.1"),
        ([(b"transfer-encoding", b"chunked")], "1.0"),
    ],
)
def test_a_body_that_two_servers_could_measure_in_two_ways_is_400(
    headers: Any, version: str
) -> None:
    assert refused(HOST, *headers, http_version=version) is Code.INVALID_REQUEST


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ([HOST, *[(b"x", b"y")] * 5], {}),
        ([HOST, (b"x", b"y" * 200)], {}),
        ([HOST, (b"y" * 200, b"x")], {}),
        ([HOST], {"raw_path": b"/" * 200}),
        ([HOST], {"raw_path": None, "path": "/" * 200}),
        ([HOST], {"query_string": b"x" * 200}),
    ],
)
def test_a_head_that_is_too_large_is_431(headers: Any, changes: dict[str, Any]) -> None:
    assert refused(*headers, **changes) is Code.REQUEST_HEADERS_TOO_LARGE


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/health", "/nowhere"])
async def test_a_refused_head_is_answered_named_logged_and_closes(path: str) -> None:
    bench = await make_bench(headers_max=3)
    headers = [HOST, keyed(bench), (b"content-length", b"999"), (b"x", b"canary")]
    scope = scope_with(*headers, path=path, method="POST")
    told = await Exchange(create_app(bench.gateway), scope, BODY).run()
    assert (told.status, told.error["code"]) == (431, "request_headers_too_large")
    assert told.error["details"] == {"headers_max": 3, "header_bytes_max": 32 * 1024}
    assert told.error["requestId"] == told.headers["x-request-id"]
    assert told.headers["x-astrolabe-cloud-request-id"] == told.headers["x-request-id"]
    assert told.headers["x-should-retry"] == "false"
    assert told.headers["connection"] == "close"
    assert told.taken == 0
    (line,) = [json.loads(each) for each in bench.lines]
    assert line["request_id"] == told.headers["x-request-id"]
    assert (line["status"], line["route"]) == (431, "-")
    assert line["refusal"] == "request_headers_too_large"
    assert bench.store.asked == 0
    assert not bench.transport.sent


@pytest.mark.anyio
async def test_a_method_that_nobody_knows_is_not_written_down() -> None:
    bench = await make_bench()
    scope = scope_with(HOST, method='CANARY"\n')
    told = await Exchange(create_app(bench.gateway), scope).run()
    assert told.status == 405
    assert json.loads(bench.lines[0])["method"] == "OTHER"
    assert b"CANARY" not in bench.lines[0]


@pytest.mark.anyio
@pytest.mark.parametrize("outer", ["alone", "mounted"])
async def test_beyond_what_may_run_at_once_is_503_before_anything_is_read(outer: str) -> None:
    bench = await make_bench(concurrency_max=2)
    app: Any = create_app(bench.gateway)
    prefix = ""
    if outer == "mounted":
        app, prefix = Starlette(routes=[Mount("/ai", app)]), "/ai"
    asked, release = anyio.Semaphore(0), anyio.Event()

    async def wait() -> ScriptedReply:
        asked.release()
        await release.wait()
        return chat_reply()

    bench.transport.script = [wait, wait]
    path = f"{prefix}/v1/chat/completions"
    headers = [HOST, keyed(bench), (b"content-length", b"%d" % len(BODY))]

    def exchange(path: str = path, method: str = "POST") -> Exchange:
        return Exchange(app, scope_with(*headers, path=path, method=method), BODY)

    running = [exchange(), exchange()]
    async with anyio.create_task_group() as tasks:
        for each in running:
            tasks.start_soon(each.run)
        with anyio.fail_after(5):
            await asked.acquire()
            await asked.acquire()
        before = bench.store.asked
        told = await exchange().run()
        assert (told.status, told.error["code"]) == (503, "overloaded")
        assert told.headers["retry-after"] == "1"
        assert "x-should-retry" not in told.headers
        assert told.headers["connection"] == "close"
        assert told.taken == 0
        assert bench.store.asked == before
        for always in ("/health", "/ready"):
            assert (await exchange(f"{prefix}{always}", "GET").run()).status == 200
        release.set()
    assert [each.status for each in running] == [200, 200]
    assert (await exchange().run()).status == 200
    assert len(bench.transport.sent) == 3


@pytest.mark.anyio
async def test_an_exchange_that_fails_or_is_cancelled_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = await make_bench(concurrency_max=1)
    app = create_app(bench.gateway)
    headers = [HOST, keyed(bench), (b"content-length", b"9")]
    for _ in range(3):
        with anyio.move_on_after(0.02) as scope:
            await Exchange(app, scope_with(*headers)).run()
        assert scope.cancelled_caught
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "submit", _burst)
        assert (await Exchange(app, scope_with(*headers), BODY).run()).status == 500
    assert (await Exchange(app, scope_with(*headers), BODY).run()).status == 200


async def _burst(_: object) -> None:
    raise RuntimeError("a bug")


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize(
    "framing", [(b"content-length", b"99"), (b"transfer-encoding", b"chunked")]
)
async def test_what_goes_out_before_the_body_was_read_closes_the_connection(
    version: str, framing: tuple[bytes, bytes]
) -> None:
    bench = await make_bench()
    app = create_app(bench.gateway)
    for path, method, parts in (
        ("/v1/chat/completions", "POST", [b"{", b"}"]),  # nobody is known: 401
        ("/nowhere", "POST", [b"{}"]),
        ("/v1/models", "POST", [b"{}"]),
        ("/health", "GET", [b"{}"]),
    ):
        headers = [HOST, (b"x-api-key", b"junk"), framing]
        scope = scope_with(*headers, path=path, method=method, http_version=version)
        told = await Exchange(app, scope, *parts).run()
        # Streams of HTTP/2 end each for itself, and know no such header.
        assert told.headers.get("connection") == ("close" if version == "1.1" else None), path


@pytest.mark.anyio
async def test_a_connection_goes_on_after_a_body_that_was_read_or_never_was() -> None:
    bench = await make_bench()
    app = create_app(bench.gateway)
    headers = [HOST, keyed(bench)]
    length = (b"content-length", b"%d" % len(BODY))
    for scope, parts in (
        (scope_with(*headers, length), [BODY[:9], BODY[9:]]),
        (scope_with(*headers, path="/v1/lanes", method="GET"), []),
        (scope_with(*headers, (b"content-length", b"0"), path="/v1/lanes", method="GET"), []),
    ):
        told = await Exchange(app, scope, *parts).run()
        assert told.status == 200
        assert "connection" not in told.headers


@pytest.mark.anyio
async def test_whatever_is_no_http_goes_by() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    guard = Guard(app, (await make_bench()).gateway)
    await guard({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
