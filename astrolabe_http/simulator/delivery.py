"""How do the bytes of an answer reach the caller, and when do they not?

`Connection` is one ASGI exchange: it writes, waits without losing sight of the caller, and can
break off. `deliver_*` apply the faults of time and of the socket. Returning without the last body
message makes uvicorn close the socket, which is what a cut is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from starlette.types import Receive, Send

from astrolabe_http.simulator.faults import Fault, Faults
from astrolabe_http.simulator.frames import COMMENT, Frame, place_after

Header = tuple[bytes, bytes]
JSON_TYPE: Header = (b"content-type", b"application/json")
SSE_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
)
_COMMENT_EVERY = 0.05


@dataclass(slots=True)
class Holds:
    """Calls that wait to be released."""

    waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = field(default_factory=dict)

    def add(self) -> asyncio.Event:
        """The event a call waits for."""
        event = asyncio.Event()
        self.waiting[event] = asyncio.get_running_loop()
        return event

    def drop(self, event: asyncio.Event) -> None:
        """Forget a call that waits no more."""
        self.waiting.pop(event, None)

    def release(self) -> int:
        """Let all of them go, from any thread; how many there were."""
        released = list(self.waiting.items())
        self.waiting.clear()
        for event, loop in released:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        return len(released)


class Connection:
    """One exchange with a caller who may leave at any time."""

    def __init__(self, receive: Receive, send: Send, holds: Holds) -> None:
        self._receive = receive
        self._send = send
        self._holds = holds
        self._watcher: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()

    async def body(self) -> bytes:
        """The whole request body; a caller who leaves meanwhile is gone."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                break
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        return b"".join(parts)

    def watch(self) -> None:
        """Begin to notice when the caller leaves."""
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._wait_for_disconnect())

    def close(self) -> None:
        """End the watch."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send status and headers."""
        await self._send(
            {"type": "http.response.start", "status": status, "headers": list(headers)}
        )

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Send bytes, unless the caller has left."""
        if not self.gone.is_set():
            await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def pause(self, milliseconds: float) -> bool:
        """Wait; False as soon as the caller has left."""
        if milliseconds <= 0:
            await asyncio.sleep(0)
            return not self.gone.is_set()
        self.watch()
        try:
            await asyncio.wait_for(self.gone.wait(), milliseconds / 1000)
        except TimeoutError:
            return True
        return False

    async def hold(self) -> bool:
        """Wait until released; False if the caller left before."""
        self.watch()
        released = self._holds.add()
        tasks = [asyncio.create_task(released.wait()), asyncio.create_task(self.gone.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._holds.drop(released)
            for task in tasks:
                task.cancel()
        return not self.gone.is_set()

    async def chatter(self, milliseconds: int) -> bool:
        """Send only comments for so long (0: until released); False if the caller left."""
        self.watch()
        released = self._holds.add()
        left = milliseconds / 1000 if milliseconds else float("inf")
        try:
            while left > 0 and not released.is_set() and not self.gone.is_set():
                await self.write(COMMENT)
                await self.pause(min(left, _COMMENT_EVERY) * 1000)
                left -= _COMMENT_EVERY
        finally:
            self._holds.drop(released)
        return not self.gone.is_set()

    def abort(self) -> None:
        """Reset the socket. ASGI has no word for it: take uvicorn's transport."""
        transport = getattr(getattr(self._receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


@dataclass(slots=True)
class Progress:
    """How far an answer got: chunks and content bytes sent, and how it ended."""

    outcome: str = "completed"
    chunks: int = 0
    content_bytes: int = 0


async def before_headers(connection: Connection, faults: Faults, latency_ms: int) -> str | None:
    """The faults that act before a byte is sent; the outcome where one of them ended the call."""
    if "reset" in faults:
        connection.abort()
        return "reset"
    delay = faults.get("delay")
    wait_ms = latency_ms + (delay.number if delay else 0)
    if wait_ms and not await connection.pause(wait_ms):
        return "disconnected"
    for name in ("hold", "stall"):
        fault = faults.get(name)
        if fault is not None and fault.number == 0:
            if not await connection.hold():
                return "disconnected"
            if name == "stall":
                connection.abort()
                return "cut"
    return None


async def deliver_json(
    connection: Connection, status: int, headers: Sequence[Header], body: bytes, faults: Faults
) -> Progress:
    """Send a JSON answer, or as much of it as the faults allow."""
    for name, wait in (("processing", True), ("drip", False)):
        fault = faults.get(name)
        if fault is not None:
            forever = wait and fault.number == 0
            stayed = await (connection.hold() if forever else connection.pause(fault.number))
            if not stayed:
                return Progress("disconnected")
    if "garbage" in faults:
        body = body[: len(body) // 2] + b"\x00{]"
    if "end" in faults:
        body = body[: len(body) // 2]
    length = (b"content-length", str(len(body)).encode())
    await connection.start(status, [*headers, JSON_TYPE, length])
    for name in ("hold", "stall"):
        if name in faults and _number(faults, name) > 0:
            await connection.write(body[: len(body) // 2])
            if not await connection.hold():
                return Progress("disconnected")
            if name == "stall":
                return Progress("cut")
            body = body[len(body) // 2 :]
    if "cut" in faults:
        await connection.write(body[: len(body) // 2])
        return Progress("cut")
    await connection.write(body, more=False)
    return Progress("ended" if "end" in faults else "completed")


async def deliver_stream(
    connection: Connection,
    headers: Sequence[Header],
    frames: Sequence[Frame],
    faults: Faults,
    pace_ms: int,
    *,
    comment: bytes = COMMENT,
) -> Progress:
    """Send frame after frame until the end, a fault, or the caller's leave; first a comment."""
    progress = Progress("ended" if "end" in faults else "completed")
    connection.watch()
    await connection.start(200, [*headers, *SSE_HEADERS])
    await connection.write(comment.replace(b"\n", b"\r\n") if "crlf" in faults else comment)
    processing = faults.get("processing")
    if processing is not None and not await connection.chatter(processing.number):
        progress.outcome = "disconnected"
        return progress
    stops = _stops(frames, faults)
    drip_ms = pace_ms + _number(faults, "drip")
    split = faults.get("split")
    for place in range(len(frames) + 1):
        if place in stops:
            ending = await stops[place](connection)
            if ending is not None:
                progress.outcome = ending
                return progress
        if place == len(frames):
            break
        frame = frames[place]
        # A turn of the loop for each frame: chunks leave one by one, and a leave is seen at once.
        if not await connection.pause(drip_ms if frame.content else 0):
            progress.outcome = "disconnected"
            return progress
        await _write_frame(connection, frame.data, split)
        if frame.content:
            progress.chunks += 1
            progress.content_bytes += frame.content
    await connection.write(b"", more=False)
    return progress


async def _write_frame(connection: Connection, data: bytes, split: Fault | None) -> None:
    if split is None:
        await connection.write(data)
        return
    size = max(1, split.number)
    for start in range(0, len(data), size):
        await connection.write(data[start : start + size])
        await asyncio.sleep(0)


Stop = Callable[[Connection], Awaitable[str | None]]


def _stops(frames: Sequence[Frame], faults: Faults) -> dict[int, Stop]:
    stops: dict[int, Stop] = {}
    for name, stop in (("hold", _held), ("stall", _stalled), ("cut", _cut)):
        fault = faults.get(name)
        if fault is not None and (fault.number > 0 or name == "cut"):
            stops[place_after(frames, fault.number)] = stop
    return stops


async def _held(connection: Connection) -> str | None:
    return None if await connection.hold() else "disconnected"


async def _stalled(connection: Connection) -> str | None:
    return "cut" if await connection.hold() else "disconnected"


async def _cut(_: Connection) -> str | None:
    return "cut"


def _number(faults: Faults, name: str) -> int:
    fault = faults.get(name)
    return 0 if fault is None else fault.number
