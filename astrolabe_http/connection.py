"""How does one ASGI exchange go out, and how is a caller who leaves noticed?

`Connection` writes heads and bodies and watches for the caller's leaving while somebody else is
waited for. The watch is one task, begun only when a provider is asked; it cancels the scope in
which that happens. A stream that keeps its caller waiting begins after a while, with comments until
the first frame: no head and no frame goes out before the last comment is out. Where there is a
proofreader, it sees the bytes first. Headers are lists of byte pairs made once; nothing here knows
what they say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

import anyio
import orjson
from starlette.types import Receive, Send

from astrolabe_http.headers import Header
from astrolabe_http.keepalive import Keepalive
from astrolabe_http.proofreading import Proofreader
from astrolabe_http.sse import comment_frame

JSON_TYPE: Final[Header] = (b"content-type", b"application/json")
SSE_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # nginx would hold back the stream otherwise.
    (b"x-accel-buffering", b"no"),
)
COMMENT: Final = comment_frame("keep-alive")


class Connection:
    """One exchange with a caller who may leave at any time."""

    __slots__ = (
        "_keepalive",
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
        self._keepalive: Keepalive | None = None
        self.gone = False
        self.proofreader: Proofreader | None = None
        self.started = False
        self.status = 0

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the head of an answer whose body follows."""
        await self.quiet()
        await self._start(status, headers)

    async def start_stream(self, headers: Sequence[Header]) -> None:
        """Send the head of a stream, unless it went out before the first comment."""
        await self.quiet()
        if not self.started:
            await self._start(200, [*SSE_HEADERS, *headers])

    async def _start(self, status: int, headers: Sequence[Header]) -> None:
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

    def keep_alive(self, interval_s: float, headers: Callable[[], Sequence[Header]]) -> None:
        """Send a comment after each interval, until `quiet`; with the first the stream's head."""
        if self._keepalive is not None:
            return

        async def comment() -> None:
            if self.gone:
                return
            if not self.started:
                await self._start(200, [*SSE_HEADERS, *headers()])
            await self.write(COMMENT)

        self._keepalive = Keepalive(comment, interval_s)

    async def quiet(self) -> None:
        """Send no more comments."""
        if self._keepalive is not None:
            await self._keepalive.stop()
            self._keepalive = None

    def stay(self, deadline: float, *, leaving_ends: bool = True) -> "Stay":
        """Give a scope that ends when the caller leaves or the loop's clock is at `deadline`.

        Where `leaving_ends` is not so, a leave is only noted.
        """
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        return Stay(self, deadline, leaving_ends=leaving_ends)

    def close(self) -> None:
        """End the watch, and the comments."""
        if self._keepalive is not None:
            self._keepalive.cancel()
            self._keepalive = None
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

    __slots__ = ("_connection", "_leaving_ends", "_scope")

    def __init__(self, connection: Connection, deadline: float, *, leaving_ends: bool) -> None:
        self._connection = connection
        self._leaving_ends = leaving_ends
        self._scope = anyio.CancelScope(deadline=deadline)

    def __enter__(self) -> Self:
        self._scope.__enter__()
        if self._leaving_ends:
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
