"""The real transport against the real simulator, over sockets."""

from __future__ import annotations

import socket
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


def test_the_provider_sees_its_own_key_and_no_compression_is_asked_for(
    simulator: RunningSimulator,
) -> None:
    seen: dict[str, str] = {}

    async def work(exchange: Exchange) -> None:
        await exchange.begin()
        reply = exchange._reply
        assert reply is not None
        seen.update(reply._response.request.headers)  # type: ignore[attr-defined]

    ask(simulator, None, work=work)
    assert seen["authorization"] == f"Bearer {CANARY}"
    assert seen["accept-encoding"] == "identity"


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


def test_connections_are_kept_from_call_to_call(simulator: RunningSimulator) -> None:
    async def run() -> set[object]:
        transport = HttpxTransport(settings(simulator.url))
        ports = set()
        for asked in (command(), streamed(), streamed(), command()):
            exchange = Exchange(asked, transport, 1_000_000)
            await everything(exchange)
            reply = exchange._reply
            assert reply is not None
            stream = reply._response.extensions["network_stream"]  # type: ignore[attr-defined]
            ports.add(stream.get_extra_info("client_addr"))
            await exchange.close()
        await transport.close()
        return ports

    assert len(anyio.run(run)) == 1


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


def test_a_redirect_is_not_followed() -> None:
    """The key would go with it."""
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        headers = [(b"location", b"http://127.0.0.1:1/elsewhere")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps({})})

    async def run() -> Answer | Fault | None:
        transport = HttpxTransport(settings("http://upstream"))
        transport._client._transport = httpx.ASGITransport(app)
        return await Exchange(command(), transport, 1_000).begin()

    fault = anyio.run(run)
    assert isinstance(fault, Fault)
    assert asked == ["/chat/completions"]
