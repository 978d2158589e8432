"""The real transport against the real simulator, over sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import httpx
import orjson
import pytest
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Fault, FaultKind
from astrolabe_core.units import Millis
from astrolabe_http.calls import Exchange
from astrolabe_http.settings import Settings
from astrolabe_http.simulator import RunningSimulator
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.transport import Unanswered
from astrolabe_http.upstream import HttpxTransport, fault_of
from tests.http.gateways import chat_body
from tests.http.test_calls import command, everything, streamed

CANARY = "canary-provider-key"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with RunningSimulator(from_catalog(shipped.catalog())) as made:
        yield made


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    running.provider.reset()
    return running


def settings(url: str, **changes: Any) -> Settings:
    return evolve(
        Settings(upstream_url=url, upstream_key=CANARY, upstream_silence_ms=Millis(300)), **changes
    )


def ask(
    simulator: RunningSimulator,
    fault: str | None,
    *,
    stream: bool = False,
    work: Callable[[Exchange], Awaitable[Any]] = everything,
) -> Any:
    """Ask through a transport of its own, with a fault for this one call."""
    if fault is not None:
        rule = {"fault": fault}
        httpx.post(f"{simulator.origin}/_control/faults", json=rule).raise_for_status()

    async def run() -> Any:
        transport = HttpxTransport(settings(simulator.url))
        exchange = Exchange(streamed() if stream else command(), transport, 1_000_000)
        try:
            return await work(exchange)
        finally:
            await exchange.close()
            await transport.close()

    return anyio.run(run)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_comes_with_usage_cost_host_and_generation(
    simulator: RunningSimulator, stream: bool
) -> None:
    _, answer = ask(simulator, None, stream=stream)
    assert isinstance(answer, Answer)
    call = simulator.provider.journal.calls[-1]
    assert answer.receipt.usage is not None
    assert answer.receipt.cost is not None
    assert answer.receipt.host == call.host
    assert answer.receipt.generation == call.generation_id


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("400", FaultKind.REJECTED),
        ("401", FaultKind.AUTH),
        ("402", FaultKind.AUTH),
        ("403", FaultKind.REFUSED),
        ("404", FaultKind.PROVIDER_ERROR),
        ("429-7", FaultKind.RATE_LIMITED),
        ("429-date", FaultKind.RATE_LIMITED),
        ("503-7", FaultKind.PROVIDER_ERROR),
        ("524", FaultKind.TIMEOUT),
        ("context", FaultKind.CONTEXT_LENGTH),
        ("no-code", FaultKind.PROVIDER_ERROR),
        ("html", FaultKind.PROVIDER_ERROR),
        ("reset", FaultKind.UNREACHABLE),
        ("error-200", FaultKind.PROVIDER_ERROR),
        ("cut", FaultKind.PROVIDER_ERROR),
        ("end", FaultKind.PROVIDER_ERROR),
        ("garbage", FaultKind.PROVIDER_ERROR),
        ("stall", FaultKind.TIMEOUT),
        ("stall-2", FaultKind.TIMEOUT),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_fault_of_the_simulator_is_told_apart(
    simulator: RunningSimulator, fault: str, kind: FaultKind, stream: bool
) -> None:
    _, found = ask(simulator, fault, stream=stream)
    assert isinstance(found, Fault)
    assert found.kind is kind
    if fault.endswith("-7"):
        assert found.retry_after_s == 7
    if fault.endswith("-date"):
        assert found.retry_after_s is not None


@pytest.mark.parametrize("fault", ["drip-5", "split", "split-1", "crlf", "separators", "no-done"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_only_odd_changes_nothing(
    simulator: RunningSimulator, fault: str, stream: bool
) -> None:
    _, answer = ask(simulator, fault, stream=stream)
    assert isinstance(answer, Answer)
    assert answer.text


def test_a_transport_whose_scope_is_cancelled_closes_the_connection(
    simulator: RunningSimulator,
) -> None:
    async def work(exchange: Exchange) -> None:
        with anyio.move_on_after(0.1):
            await exchange.begin()
        await exchange.close()
        for _ in range(100):
            if simulator.provider.journal.calls[-1].outcome == "disconnected":
                return
            await anyio.sleep(0.01)
        raise AssertionError("the provider still writes")

    ask(simulator, "stall", work=work)


def test_a_page_is_asked_for_by_its_query_with_the_key(simulator: RunningSimulator) -> None:
    async def run() -> list[tuple[int, bytes]]:
        transport = HttpxTransport(settings(simulator.url))
        found = []
        _, answer = await everything(made := Exchange(command(), transport, 1_000_000))
        await made.close()
        assert isinstance(answer, Answer)
        for name in (answer.receipt.generation or "", "no&such=/one?"):
            reply = await transport.get("/generation", {"id": name})
            found.append((reply.status, b"".join([chunk async for chunk in reply.chunks()])))
            await reply.close()
        await transport.close()
        return found

    (status, raw), (lost, _) = anyio.run(run)
    call = simulator.provider.journal.calls[0]
    record = orjson.loads(raw)["data"]
    assert (status, lost) == (200, 404)
    assert record["id"] == call.generation_id
    assert simulator.provider.journal.calls[-1].authorized


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def run() -> None:
        transport = HttpxTransport(settings(f"http://127.0.0.1:{port}"))
        try:
            await transport.post("/x", b"{}")
        finally:
            await transport.close()

    with pytest.raises(Unanswered) as caught:
        anyio.run(run)
    assert caught.value.fault.kind is FaultKind.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "begun", "kind"),
    [
        (httpx.ConnectTimeout("x"), False, FaultKind.UNREACHABLE),
        (httpx.ConnectError("x"), False, FaultKind.UNREACHABLE),
        (httpx.PoolTimeout("x"), False, FaultKind.UNREACHABLE),
        (httpx.ReadTimeout("x"), False, FaultKind.TIMEOUT),
        (httpx.WriteTimeout("x"), False, FaultKind.TIMEOUT),
        (httpx.ReadError("x"), False, FaultKind.UNREACHABLE),
        (httpx.ReadError("x"), True, FaultKind.PROVIDER_ERROR),
        (httpx.ConnectTimeout("x"), True, FaultKind.PROVIDER_ERROR),
        (httpx.ReadTimeout("x"), True, FaultKind.TIMEOUT),
        (httpx.RemoteProtocolError("x"), False, FaultKind.UNREACHABLE),
        (httpx.RemoteProtocolError("x"), True, FaultKind.PROVIDER_ERROR),
    ],
)
def test_each_error_of_the_client_is_some_fault(
    error: httpx.HTTPError, begun: bool, kind: FaultKind
) -> None:
    assert fault_of(error, begun=begun).kind is kind


def test_a_fault_tells_neither_url_nor_key() -> None:
    fault = fault_of(httpx.ConnectError(f"https://host/{CANARY}"), begun=False)
    assert CANARY not in repr(fault)


def test_the_environment_sets_no_proxy(
    simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert isinstance(ask(simulator, None)[1], Answer)


class Provider:
    """A provider of raw bytes: what it is sent is kept, what it answers is given."""

    def __init__(self, head: str = "HTTP/1.1 200 OK", body: bytes = b"{}", **settings: Any) -> None:
        self._settings = settings
        self.connections = 0
        self.requests: list[str] = []
        self._answer = f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head.lower())
                length = next(
                    line for line in head.lower().split("\r\n") if "content-length" in line
                )
                await reader.readexactly(int(length.partition(":")[2]))
                writer.write(self._answer)
        except asyncio.IncompleteReadError:
            writer.close()

    def ask(self, times: int = 1, *, stream: bool = False) -> Answer | Fault | None:
        """Ask it so many times, one after the other, through one transport."""

        async def run() -> Answer | Fault | None:
            found = None
            async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                # By name: clients keep no cookies of bare addresses anyway.
                url = f"http://localhost:{port}/api/v1"
                transport = HttpxTransport(settings(url, **self._settings))
                for _ in range(times):
                    asked = streamed() if stream else command()
                    exchange = Exchange(asked, transport, 10_000)
                    found = await exchange.begin()
                    await exchange.close()
                await transport.close()
            return found

        return anyio.run(run)


def test_the_provider_sees_its_own_key_and_no_compression_is_asked_for() -> None:
    provider = Provider()
    provider.ask()
    (head,) = provider.requests
    assert head.startswith("post /api/v1/chat/completions http/1.1\r\n")
    assert f"\r\nauthorization: bearer {CANARY}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\ncontent-type: application/json\r\n" in head


def test_where_no_key_is_set_none_is_sent() -> None:
    provider = Provider(upstream_key="")
    provider.ask()
    assert "authorization" not in provider.requests[0]
    simulated = Provider(upstream_key="", simulated=True)
    simulated.ask()
    assert "\r\nauthorization: bearer simulated\r\n" in simulated.requests[0]


def test_connections_are_kept_from_call_to_call() -> None:
    provider = Provider()
    provider.ask(3)
    assert (len(provider.requests), provider.connections) == (3, 1)


def test_a_redirect_is_not_followed() -> None:
    """The key would go with it."""
    provider = Provider("HTTP/1.1 307 Moved\r\nlocation: /elsewhere", b"")
    assert isinstance(provider.ask(), Fault)
    (head,) = provider.requests
    assert head.startswith("post /api/v1/chat/completions ")


def test_a_cookie_of_the_provider_is_not_sent_back() -> None:
    provider = Provider("HTTP/1.1 200 OK\r\nset-cookie: one=1; path=/")
    provider.ask(2)
    assert "cookie" not in provider.requests[1]


def test_what_is_compressed_all_the_same_is_not_unpacked() -> None:
    """gzip is unbounded."""
    packed = gzip.compress(orjson.dumps(chat_body()))
    found = Provider("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", packed).ask()
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.PROVIDER_ERROR


def test_a_head_that_is_no_http_is_a_fault() -> None:
    for head in ("SSH-2.0-OpenSSH_9", "HTTP/1.1 99999 What", "HTTP/1.1 200 OK\r\nx" * 3):
        assert isinstance(Provider(head).ask(), Fault)


def test_a_head_without_end_is_a_fault() -> None:
    assert isinstance(Provider("HTTP/1.1 200 OK\r\nx: " + "y" * 1_000_000).ask(), Fault)


NOW = "date: Sat, 21 Nov 2026 12:00:00 GMT"
LIFTED = "Sat, 21 Nov 2026 12:00:09 GMT"


@pytest.mark.parametrize(
    "head",
    [
        "retry-after: 9",
        f"retry-after: {LIFTED}\r\n{NOW}",
        "x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 8.5s",
        f"anthropic-ratelimit-requests-reset: 2026-11-21T12:00:09Z\r\n{NOW}",
        'ratelimit: "default";r=0;t=9',
    ],
)
def test_how_long_to_wait_is_read_of_a_failures_head(head: str) -> None:
    found = Provider(f"HTTP/1.1 429 Slow\r\n{head}").ask()
    assert isinstance(found, Fault)
    assert found.retry_after_s == 9


def test_a_moment_is_measured_by_our_clock_where_the_provider_tells_no_date() -> None:
    """dirge #719: OpenRouter's 429 of free models has the moment only, in its body."""
    reset = str(int(time.time() + 30) * 1_000)
    error = {"code": 429, "message": "m", "metadata": {"headers": {"X-RateLimit-Reset": reset}}}
    found = Provider("HTTP/1.1 429 Slow", orjson.dumps({"error": error})).ask()
    assert isinstance(found, Fault)
    assert found.retry_after_s in {28, 29, 30}


def test_an_error_that_comes_in_place_of_a_stream_is_understood() -> None:
    """llama.cpp #15780 answers so, with 200."""
    error = {"error": {"code": 500, "type": "exceed_context_size_error", "message": "m"}}
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json"
    found = Provider(head, orjson.dumps(error)).ask(stream=True)
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.CONTEXT_LENGTH
