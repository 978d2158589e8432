"""How does one ASGI exchange go out, and how is a caller who leaves noticed?

`Connection` writes heads and bodies and watches for the caller's leaving while somebody else is
waited for. The watch is one task, begun only when a provider is asked; it cancels the scope in
which that happens. Where there is a proofreader, it sees the bytes first. Headers are lists of byte
pairs made once; nothing here knows what they say.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from types import TracebackType
from typing import Final, Self

import anyio
import orjson
from starlette.types import Receive, Send

from astrolabe_http.headers import Header
from astrolabe_http.proofreading import Proofreader

JSON_TYPE: Final[Header] = (b"content-type", b"application/json")
SSE_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # nginx would hold back the stream otherwise.
    (b"x-accel-buffering", b"no"),
)


class Connection:
    """One exchange with a caller who may leave at any time."""

    __slots__ = (
        "_receive",
        "_scope",
        "_send",
        "_watcher",
        "gone",
        "proofreader",
        "started",
        "status",
    )

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._watcher: asyncio.Task[None] | None = None
        self._scope: anyio.CancelScope | None = None
        self.gone = False
        self.proofreader: Proofreader | None = None
        self.started = False
        self.status = 0

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the head of an answer whose body follows."""
        self.started, self.status = True, status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    def write(self, data: bytes, *, more: bool = True) -> Awaitable[None]:
        """Send bytes of the body."""
        if self.proofreader is not None:
            self.proofreader.read(data, more=more)
        return self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def answer(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a whole JSON answer."""
        head = [JSON_TYPE, (b"content-length", b"%d" % len(body)), *headers]
        await self.start(status, head)
        await self.write(body, more=False)

    def stay(self, deadline: float) -> "Stay":
        """Give a scope that ends when the caller leaves or the loop's clock is at `deadline`."""
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        return Stay(self, deadline)

    def close(self) -> None:
        """End the watch."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._scope is not None:
            self._scope.cancel()


class Stay:
    """A cancel scope that a leaving caller ends too."""

    __slots__ = ("_connection", "_scope")

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._scope = anyio.CancelScope(deadline=deadline)

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self._connection._scope = self._scope  # noqa: SLF001 - two halves of one thing
        if self._connection.gone:
            self._scope.cancel()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._connection._scope = None  # noqa: SLF001 - two halves of one thing
        return bool(self._scope.__exit__(kind, error, trace))


def json_bytes(body: object) -> bytes:
    """Write a body; the records' mappings and tuples are objects and arrays."""
    return orjson.dumps(body, default=_plain)


def _plain(value: object) -> object:
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError
