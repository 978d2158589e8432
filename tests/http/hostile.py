"""A provider that is not one: raw sockets, any bytes, and a record of what reached it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias, cast

import anyio
from attrs import define, evolve, field

from astrolabe_http.upstream import HttpxTransport
from tests.http.gateways import Bench, make_bench

PROVIDER_KEY = "canary-provider-key"

Part: TypeAlias = bytes | float | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Bytes to send, seconds to wait, or something to do with the connection."""


@define
class RawProvider:
    """Answers each request with the same parts; then hangs up, unless it `stays`.

    `left` counts the connections that the other side has given up, or that ended in order.
    """

    parts: tuple[Part, ...] = ()
    stays: bool = False
    port: int = 0
    requests: list[bytes] = field(factory=list)
    connections: int = 0
    left: int = 0
    _serving: set[asyncio.Task[Any]] = field(factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.add(cast("asyncio.Task[Any]", asyncio.current_task()))
        sending: list[asyncio.Task[None]] = []
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self.requests.append(await read_request(reader))
                sending.append(asyncio.create_task(self._send(writer)))
                if not self.stays:
                    await reader.read()
                    break
        self.left += 1
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        for part in self.parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            elif isinstance(part, float):
                await asyncio.sleep(part)
            else:
                await part(writer)
        if not self.stays:
            writer.write_eof()

    async def end(self) -> None:
        """Wait until every connection is over."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=2)

    async def is_alone(self) -> bool:
        """Whether every connection is given up within a second."""
        with anyio.move_on_after(1):
            while self.left < self.connections:  # noqa: ASYNC110 - there is nothing to wait on
                await anyio.sleep(0.005)
        return self.left == self.connections


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((line for line in lines if line.startswith(b"content-length:")), b":0")
    return head + await reader.readexactly(int(length.partition(b":")[2]))


@contextlib.asynccontextmanager
async def listening(provider: RawProvider) -> AsyncGenerator[RawProvider]:
    async with await asyncio.start_server(provider.serve, "127.0.0.1", 0, limit=1 << 20) as server:
        provider.port = server.sockets[0].getsockname()[1]
        yield provider
        await provider.end()


@contextlib.asynccontextmanager
async def gateway_before(url: str, **settings: Any) -> AsyncGenerator[Bench]:
    """A gateway in this process whose transport is the real one."""
    bench = await make_bench(upstream_url=url, upstream_key=PROVIDER_KEY, **settings)
    transport = HttpxTransport(bench.gateway.settings)
    gateway = evolve(bench.gateway, transport=transport)
    try:
        yield evolve(bench, gateway=gateway)
    finally:
        await gateway.close()


def repeated(data: bytes, pause_s: float = 0.0) -> Part:
    """Send the same bytes for as long as anybody listens."""

    async def send(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return send


async def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection without a word."""
    writer.transport.abort()


@define
class Stalls:
    """Watches the loop: `worst_s` is the most work that was done while nothing else could run.

    Work is processor time: what other processes of a busy machine take is not the loop's doing.
    """

    worst_s: float = 0.0

    async def watch(self) -> None:
        # As `serve` does: else the collector walks through all that the test run has ever made.
        gc.freeze()
        try:
            while True:
                before = time.thread_time()
                await anyio.sleep(0.001)
                self.worst_s = max(self.worst_s, time.thread_time() - before)
        finally:
            gc.unfreeze()
