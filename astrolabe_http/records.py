"""What does the provider itself say that a call used, where nobody saw the end of it?

OpenRouter keeps a record of each call, some seconds after it ended: a page named by the
generation's id. It is asked for again and again, at growing distances, until it is there, the
patience is over, or an answer says that asking is no use. A plain server keeps none.

Many callers may leave at once. So only a few ask at a time: connections are there for those who
stayed. What a record says is as hostile as any answer: its bytes, its time and its numbers have
bounds. Nothing here raises; a record that cannot be had is `None`.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from enum import Enum
from typing import Final

import anyio

from astrolabe_core.answers import Receipt
from astrolabe_core.money import ZERO
from astrolabe_core.units import Millis
from astrolabe_http.answer_bounds import read_json
from astrolabe_http.transport import Transport, Unanswered
from astrolabe_http.wire.receipts import read_record

PATH: Final = "/generation"
ASKING_MAX: Final = 16
"""Look-ups that may ask at once; of few connections no more than a part."""
POOL_PART: Final = 8
RECORD_BYTES_MAX: Final = 256 * 1024
ANSWER_S: Final = 5.0
"""How long one answer may take. Another one may come sooner."""
FIRST_WAIT_S: Final = 0.25
WAIT_MAX_S: Final = 4.0

_UNCOUNTED: Final = frozenset({404, 408, 425, 429, 500, 502, 503, 504, 524, 529})
"""Statuses after which the record may still come."""


class _Mark(Enum):
    """What an answer can be beside a record, or the word that there is none."""

    LATER = "later"


class Records:
    """The provider's records of calls; `kept` says whether it keeps any."""

    def __init__(self, transport: Transport, *, kept: bool, connections_max: int) -> None:
        self._transport = transport
        self._kept = kept
        self._asking = asyncio.Semaphore(max(1, min(ASKING_MAX, connections_max // POOL_PART)))

    async def find(self, generation: str, patience_ms: Millis) -> Receipt | None:
        """Give what the provider billed a call for, `None` where it cannot be known in time."""
        if not self._kept:
            return None
        with anyio.move_on_after(patience_ms / 1_000):
            for wait_s in _waits():
                async with self._asking:
                    found = await self._ask(generation)
                if not isinstance(found, _Mark):
                    return found
                await anyio.sleep(wait_s)
        return None

    async def _ask(self, generation: str) -> Receipt | _Mark | None:
        """Ask once. What was answered is let go of whatever happens."""
        with anyio.move_on_after(ANSWER_S):
            try:
                reply = await self._transport.get(PATH, {"id": generation})
            except Unanswered:
                return _Mark.LATER
            try:
                if reply.status != 200:
                    return _Mark.LATER if reply.status in _UNCOUNTED else None
                return _counted(read_record(await _read(reply.chunks()), generation))
            except Unanswered:
                return _Mark.LATER
            finally:
                with anyio.CancelScope(shield=True):
                    await reply.close()
        return _Mark.LATER


def _counted(receipt: Receipt | None) -> Receipt | _Mark | None:
    """Give a record that has been counted.

    Where nothing was generated OpenRouter charges nothing, not even for the prompt, and neither
    does anybody else: such a call is as good as one without a record.
    """
    if receipt is None or receipt.usage is None:
        return _Mark.LATER
    if receipt.usage.output_tokens == 0 and receipt.cost == ZERO:
        return None
    return receipt


async def _read(chunks: AsyncGenerator[bytes]) -> object:
    """Read a body of a sensible size as JSON; `None` where it is none."""
    parts: list[bytes] = []
    left = RECORD_BYTES_MAX
    async with aclosing(chunks):
        async for chunk in chunks:
            parts.append(chunk)
            left -= len(chunk)
            if left < 0:
                return None
    return read_json(b"".join(parts))


def _waits() -> Iterator[float]:
    """Give how long to wait after each answer."""
    wait_s = FIRST_WAIT_S
    while True:
        yield wait_s
        wait_s = min(2 * wait_s, WAIT_MAX_S)
