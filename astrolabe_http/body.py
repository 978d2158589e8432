"""What of a body is read?

At most so many bytes, within a time, of type JSON, and only where somebody who may call waits for
it. A body that came with its head is taken as it is. One that must be waited for is waited for
once the caller is known: nobody else can make us hold it. Reading stops at the first fault, and
what lies behind is never held in memory. All that is held at once has a bound of its own, which
small bodies do not count against: whoever fills it stops nobody who asks for little.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

import anyio
from starlette.types import Receive

from astrolabe_core.access import UNKNOWN_KEY
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import Millis

GONE: Final = "gone"
"""The caller left before its body was there."""

Body: TypeAlias = bytes | Refusal | Literal["gone"]

Vouch: TypeAlias = Callable[[], Awaitable[bool]]
"""Says whether the caller may go on; asked at most once, and only before a wait."""


LARGEST_AT_ONCE: Final = 32
"""So many bodies of the largest size may be held at once."""
SMALL_BYTES: Final = 64 * 1024
"""Up to here a body counts against no bound, and is read at once."""
RETRY_AFTER_S: Final = 1


class Room:
    """The memory for bodies: how much is held of how much."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.held = 0

    @contextmanager
    def lease(self) -> Iterator["Lease"]:
        """Give a part of it, none at first, for as long as an exchange lasts."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self.held -= lease.size


class Lease:
    """What one exchange holds."""

    __slots__ = ("_room", "size")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def grow(self, size: int) -> bool:
        """Hold so many bytes in all, or say that there is no room for them."""
        more = size - self.size
        if self._room.held + more > self._room.bytes_max:
            return False
        self._room.held += more
        self.size = size
        return True


async def read_body(
    receive: Receive,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    bytes_max: int,
    time_ms: Millis,
    vouch: Vouch,
    lease: Lease,
) -> Body:
    """Read a body. One whose caller is not vouched for is refused as if its key were unknown."""
    named = dict(headers)
    refusal = _refuse_type(named)
    announced = named.get(b"content-length", b"")
    if refusal is None and announced.isdigit() and int(announced) > bytes_max:
        refusal = _too_large(bytes_max)
    if refusal is not None:
        return refusal
    # The body is not there: it is sent once we have said that we take it.
    awaits_word = named.get(b"expect", b"").strip().lower() == b"100-continue"
    with anyio.move_on_after(time_ms / 1_000):
        return await _receive(receive, bytes_max, vouch, lease, awaits_word=awaits_word)
    return Refusal(
        code=Code.REQUEST_TIMEOUT,
        message=f"the body did not arrive within {time_ms} ms; send it again, faster or smaller",
        details={"time_ms": time_ms},
    )


async def _receive(
    receive: Receive, bytes_max: int, vouch: Vouch, lease: Lease, *, awaits_word: bool
) -> Body:
    if awaits_word and not await vouch():
        return UNKNOWN_KEY
    vouched = awaits_word
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return GONE
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > bytes_max:
            return _too_large(bytes_max)
        if size > SMALL_BYTES and not lease.grow(size):
            return _FULL
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if not vouched and not await vouch():
            return UNKNOWN_KEY
        vouched = True


def _refuse_type(named: Mapping[bytes, bytes]) -> Refusal | None:
    media = named.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    # `application/vnd.acme+json` is JSON too.
    if media != b"application/json" and not (
        media.startswith(b"application/") and media.endswith(b"+json")
    ):
        return Refusal(
            code=Code.UNSUPPORTED_MEDIA_TYPE,
            message="the body must be JSON; send 'content-type: application/json'",
        )
    coding = named.get(b"content-encoding", b"identity").strip().lower()
    if coding not in {b"identity", b""}:
        return Refusal(
            code=Code.UNSUPPORTED_MEDIA_TYPE,
            message="compressed bodies are not read; send the body without 'content-encoding'",
        )
    return None


def _too_large(bytes_max: int) -> Refusal:
    return Refusal(
        code=Code.PAYLOAD_TOO_LARGE,
        message=f"the body is larger than {bytes_max} bytes; send a smaller one",
        details={"bytes_max": bytes_max},
    )


_FULL: Final = Refusal(
    code=Code.OVERLOADED,
    message="the gateway holds as many large bodies as it may; no provider was called; "
    "try again shortly, or send a smaller body",
    retry_after_s=RETRY_AFTER_S,
)
