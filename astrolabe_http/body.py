"""What of a body is read?

At most so many bytes, within a time, of type JSON, and only where somebody who may call waits for
it. A body that came with its head is taken as it is. One that must be waited for is waited for
once the caller is known: nobody else can make us hold it. Reading stops at the first fault, and
what lies behind is never held in memory.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
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


async def read_body(
    receive: Receive,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    bytes_max: int,
    time_ms: Millis,
    vouch: Vouch,
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
        return await _receive(receive, bytes_max, vouch, awaits_word=awaits_word)
    return Refusal(
        code=Code.REQUEST_TIMEOUT,
        message=f"the body did not arrive within {time_ms} ms; send it again, faster or smaller",
        details={"time_ms": time_ms},
    )


async def _receive(receive: Receive, bytes_max: int, vouch: Vouch, *, awaits_word: bool) -> Body:
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
