"""Does an answer have the schema that was promised, told in time whatever schema and answer?

A schema is a program that a stranger wrote, run on words that a model wrote; nothing in this
process could stop it, and it would hold the interpreter's lock. So it runs in a child that is
killed when its time is over; what was not told by then is not `checked`. There are at most
`CHILDREN_MAX`, begun when they are needed and kept; who waits for one waits in a bounded queue. A
schema whose check had to be killed is not tried again for a while, so that nobody can keep the
children busy with it.

What is surely harmless and small (`tame`) is looked at here first, and needs no child where it is
as it must be.

Measured on one core: a small tame answer takes 16 µs. A child's takes 0.1 ms, of which this process
has 0.07, and among other requests several times that, since both sleep and wake. A child takes 60
ms to start and has 23 MB, of which 10 are its own. It has nothing of this process but the path of
its modules: no environment, no open file, no `__main__`, which `anyio.to_process` and
`multiprocessing` run once more in each child (100 to 220 ms to start, 140 to 200 µs a call, and the
code of a host that never asked for that).
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import anyio
import orjson

from astrolabe_core.conformity import Claim, Conformity
from astrolabe_core.units import Millis
from astrolabe_http import conformity_child
from astrolabe_http.conformity_child import LENGTH_BYTES
from astrolabe_http.tame import TameSchemas

CHILDREN_MAX: Final = 2
WAITING_MAX: Final = 1_024
QUEUE_S: Final = 1.0
START_S: Final = 5.0
DEADLINE_S: Final = 1.0
"""How long it may take to see whether a text has its schema."""
FLAWS_S: Final = 0.25
"""How long it may take to say what is wrong, once it is known that something is."""
HOLD_S: Final = 3.0
"""How long all claims of one answer may take together."""
SHUNNED_S: Final = 60.0
SHUNNED_MAX: Final = 1_024
MISSED: Final = "does not have the schema"
"""The flaw of which nothing more could be found out in time."""
UNCHECKED: Final = Conformity(checked=False)
CONFORMS: Final = Conformity(fitting=0)

_LOGGER: Final = logging.getLogger("astrolabe")
_RECEIVED_BYTES: Final = 64 * 1024
_BOOT: Final = (
    f"import sys; sys.path[:] = sys.argv[1:]; from {conformity_child.__name__} import work; work()"
)
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What a child may need to find the interpreter's own library. No secret is there."""


class Inspector:
    """Holds texts against schemas. Belongs to one event loop."""

    def __init__(self) -> None:
        self._children: set[_Child] = set()
        self._free: list[_Child] = []
        self._turns = anyio.CapacityLimiter(CHILDREN_MAX)
        self._shunned: OrderedDict[bytes, float] = OrderedDict()
        self._tame = TameSchemas()
        self._closed = False

    async def hold(self, claims: Sequence[Claim], time_left_ms: Millis) -> tuple[Conformity, ...]:
        """Hold each claim's texts against its schema, one claim after the other."""
        found: list[Conformity] = []
        with anyio.move_on_after(min(time_left_ms / 1_000, HOLD_S)):
            for claim in claims:
                found.append(await self._hold(claim))  # noqa: PERF401 - what is known stays known
        return (*found, *[UNCHECKED] * (len(claims) - len(found)))

    def close(self) -> None:
        """End every child; what is being checked is not told any more."""
        self._closed = True
        while self._free:
            self._end(self._free.pop())
        for child in self._children:
            child.kill()

    async def _hold(self, claim: Claim) -> Conformity:
        try:
            schema = orjson.dumps(claim.schema)
            frame = orjson.dumps({"schema": schema.decode(), "texts": claim.texts})
        except TypeError:  # nothing that came as JSON: half a surrogate pair, of a host's making
            return UNCHECKED
        digest = blake2b(schema, digest_size=32).digest()
        if claim.texts and self._tame.fits(digest, schema, claim.texts[0]):
            return CONFORMS
        if self._closed or self._is_shunned(digest) or not await self._has_turn():
            return UNCHECKED
        try:
            return await self._told(frame, digest)
        finally:
            self._turns.release()

    async def _has_turn(self) -> bool:
        """Wait for a turn, which is to be released; `False` where there are too many before us."""
        try:
            self._turns.acquire_nowait()
        except anyio.WouldBlock:
            if self._turns.statistics().tasks_waiting >= WAITING_MAX:
                return False
        else:
            return True
        with anyio.move_on_after(QUEUE_S):
            await self._turns.acquire()
            return True
        return False

    async def _told(self, frame: bytes, digest: bytes) -> Conformity:
        """Ask a child. Whatever keeps it from its last word is the end of it."""
        child = await self._begin()
        if child is None:
            return UNCHECKED
        found, whole = UNCHECKED, False
        try:
            with anyio.move_on_after(DEADLINE_S) as verdict:
                fitting = orjson.loads(await child.ask(frame))
            if verdict.cancelled_caught:
                self._shun(digest)
                return UNCHECKED
            if fitting is False or fitting == 0:
                whole = True
                return UNCHECKED if fitting is False else CONFORMS
            found = Conformity(fitting=fitting, flaws=(MISSED,))
            with anyio.move_on_after(FLAWS_S):
                flaws = orjson.loads(await child.line())
                whole = True
                found = _known(fitting, flaws)
        except (OSError, EOFError):
            # It fell over a schema or an answer: no memory, or a stack that was too deep.
            self._shun(digest)
        finally:
            if whole and not self._closed:
                self._free.append(child)
            else:
                self._end(child)
        return found

    async def _begin(self) -> "_Child | None":
        """Give a child that waits for work, or a new one."""
        while self._free:
            child = self._free.pop()
            if child.is_alive:
                return child
            self._end(child)
        try:
            child = _Child()
        except OSError as error:
            _LOGGER.error("answers cannot be held against schemas: %s", type(error).__name__)  # noqa: TRY400 - its words may quote paths
            return None
        self._children.add(child)
        ready = False
        try:
            with anyio.move_on_after(START_S):
                await child.line()
                ready = True
        except (OSError, EOFError):
            _LOGGER.error("the process that holds answers against schemas does not start")  # noqa: TRY400 - as above
        finally:
            if not ready:
                self._end(child)
        return child if ready else None

    def _end(self, child: "_Child") -> None:
        self._children.discard(child)
        child.end()

    def _is_shunned(self, digest: bytes) -> bool:
        until = self._shunned.get(digest)
        return until is not None and anyio.current_time() < until

    def _shun(self, digest: bytes) -> None:
        self._shunned[digest] = anyio.current_time() + SHUNNED_S
        self._shunned.move_to_end(digest)
        while len(self._shunned) > SHUNNED_MAX:
            self._shunned.popitem(last=False)


class _Child:
    """A process that holds texts against schemas, and the socket between us. May raise `OSError`.

    It does not outlive its object: whoever forgets to close a gateway leaves no process behind.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
                [sys.executable, "-I", "-c", _BOOT, *sys.path],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)  # noqa: FBT003 - its only argument
        self._socket = ours
        self._received = b""
        self._ended = weakref.finalize(self, _bury, self._process, ours)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame, and give the first line of the answer."""
        head = len(frame).to_bytes(LENGTH_BYTES, "big")
        await asyncio.get_running_loop().sock_sendall(self._socket, head + frame)
        return await self.line()

    async def line(self) -> bytes:
        """Give the next line. Raises `EOFError` where the process is gone."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._received:
            chunk = await loop.sock_recv(self._socket, _RECEIVED_BYTES)
            if not chunk:
                raise EOFError
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def kill(self) -> None:
        """Stop the process; whoever waits for it is told that it is gone."""
        self._process.kill()

    def end(self) -> None:
        """Stop the process, and let go of all that it had."""
        if self._ended.detach() is not None:
            self._process.kill()
            self._socket.close()
            # A process with much memory takes a while to go; nobody waits for that.
            threading.Thread(target=self._process.wait, daemon=True).start()


def _known(fitting: int | None, flaws: object) -> Conformity:
    """Put both lines together; without flaws it cannot be told whether the first text has any."""
    if not isinstance(flaws, list):
        return UNCHECKED if fitting is None else Conformity(fitting=fitting)
    return Conformity(fitting=fitting, flaws=tuple(flaws))


def _bury(process: subprocess.Popen[bytes], ours: socket.socket) -> None:
    process.kill()
    ours.close()
    process.wait()
