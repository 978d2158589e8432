"""How does a connection stay alive while a caller is kept waiting?

A `Keepalive` beats whenever its time has gone by, until it is stopped. One beat at a time: while
one is on its way to a caller who is slow to take it, the next is not yet due. Who stops it waits
for a beat that is on its way, so that nothing else goes out in the middle of it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Keepalive:
    """Beats every `interval_s` seconds from now on."""

    __slots__ = ("_beat", "_beating", "_interval_s", "_over", "_timer")

    def __init__(self, beat: Callable[[], Awaitable[None]], interval_s: float) -> None:
        self._beat = beat
        self._interval_s = interval_s
        self._beating: asyncio.Task[None] | None = None
        self._over = False
        # A timer and no task: most answers are there before the first beat.
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._fire)

    async def stop(self) -> None:
        """End; nothing is on its way any more when this returns."""
        self._over = True
        self._timer.cancel()
        if self._beating is not None:
            # Waited for as by a bystander: who is cancelled here does not break it off.
            await asyncio.wait({self._beating})

    def cancel(self) -> None:
        """End at once, as nobody will hear of it."""
        self._over = True
        self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    def _fire(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        # A server may say so that nobody is there. Whoever sends the answer will find out.
        with contextlib.suppress(OSError):
            await self._beat()
        if not self._over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._interval_s, self._fire)
