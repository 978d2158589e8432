"""How do many small durable writes become few transactions?

One thread takes commands from one queue. Whatever has queued while the last batch was being
flushed becomes the next batch, so that the batch grows with the load by itself: one command
when idle, hundreds when busy, one flush of the disk for each. Between the two, where batches
are of a few, the next waits two milliseconds for company. `carry_out` makes one durable
transaction of a batch and gives each command's result in order, `Failed` where it failed.

`submit` is a plain call from any thread; the command is carried out whether or not anybody
awaits it. The queue is bounded: beyond that, `StorageUnavailable`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeAlias, TypeVar, cast

from attrs import frozen

from astrolabe_core.ports import StorageUnavailable

C = TypeVar("C")
R = TypeVar("R")

QUEUE_MAX: Final = 10_000
"""Commands that may wait. At 20 000 a second that is half a second of work."""
BATCH_MAX: Final = 1_000
"""Commands in one transaction: some tens of milliseconds."""

COMPANY_S: Final = 0.002
"""How long a batch waits for company.

A batch costs some 300 us of processor time whatever is in it. With eight requests at once this
makes a request through the gateway 8 % cheaper. Who is alone does not wait (PostgreSQL knows the
same as `commit_delay` and `commit_siblings`).
"""
COMPANY: Final = range(2, 16)
"""The sizes of a batch behind which the next waits: less is no company, more is enough."""

log = logging.getLogger(__name__)


@frozen
class Failed:
    """A command that was not carried out, and why."""

    fault: Exception


CarryOut: TypeAlias = Callable[[Sequence[C]], Sequence[R | Failed]]


class Pending(Generic[C, R]):
    """A command that was submitted. Await it, once or often, in any loop, for its result.

    Cancelling whoever awaits it does nothing to the command, and it may be awaited again.
    """

    __slots__ = ("_lock", "_result", "_settled", "_waiters", "command")

    def __init__(self, command: C, lock: threading.Lock) -> None:
        self.command = command
        self._lock = lock
        self._settled = False
        self._result: R | Failed | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def __await__(self) -> Generator[object, None, R]:
        """Wait for the result; raise where the command failed."""
        if not self._settled:
            waiter = asyncio.get_running_loop().create_future()
            with self._lock:
                late = self._settled
                if not late:
                    self._waiters.append(waiter)
            if not late:
                yield from waiter
        result = self._result
        if isinstance(result, Failed):
            raise result.fault
        return cast("R", result)

    def settle(self, result: R | Failed) -> list[asyncio.Future[None]]:
        """Set the result, under the lock, and give those to be woken."""
        self._result = result
        self._settled = True
        return self._waiters


class Writer(Generic[C, R]):
    """One thread that carries out commands in the order submitted, batch by batch."""

    def __init__(
        self,
        carry_out: CarryOut[C, R],
        *,
        queue_max: int = QUEUE_MAX,
        batch_max: int = BATCH_MAX,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._carry_out = carry_out
        self._queue_max = queue_max
        self._batch_max = batch_max
        self._wait = wait
        self._queue: SimpleQueue[Pending[C, R] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # Not to hold the interpreter open: what was acknowledged is durable already.
        self._thread = threading.Thread(target=self._run, name="astrolabe-writer", daemon=True)
        self._thread.start()

    def submit(self, command: C) -> Pending[C, R]:
        """Queue a command. Raises `StorageUnavailable` when closed or when too many wait."""
        pending: Pending[C, R] = Pending(command, self._lock)
        # Under the lock, so that nothing is queued behind the end.
        with self._lock:
            if self._closed:
                raise StorageUnavailable("the store is closed")
            if self._queue.qsize() >= self._queue_max:
                raise StorageUnavailable(f"{self._queue_max} commands are waiting already")
            self._queue.put(pending)
        return pending

    def close(self) -> None:
        """Carry out what is queued, then end the thread. Safe to repeat; blocks meanwhile."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last, size = False, 0
        while not last:
            batch, last = self._next_batch(company_s=COMPANY_S if size in COMPANY else 0)
            size = len(batch)
            if batch:
                self._settle(batch, self._results(batch))

    def _next_batch(self, *, company_s: float) -> tuple[list[Pending[C, R]], bool]:
        """Wait for one command, then take all that are there. True with the last batch."""
        batch: list[Pending[C, R]] = []
        pending = self._queue.get()
        if company_s and pending is not None:
            self._wait(company_s)
        while pending is not None:
            batch.append(pending)
            if len(batch) == self._batch_max:
                return batch, False
            try:
                pending = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _results(self, batch: Sequence[Pending[C, R]]) -> Sequence[R | Failed]:
        try:
            return self._carry_out([pending.command for pending in batch])
        except Exception as fault:
            # A bug in `carry_out`; the thread goes on all the same.
            log.exception("a batch of %d commands failed", len(batch))
            return [Failed(fault)] * len(batch)

    def _settle(self, batch: Sequence[Pending[C, R]], results: Sequence[R | Failed]) -> None:
        """Give everybody their result: one wake-up for each event loop, not for each command."""
        waking: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        with self._lock:
            for pending, result in zip(batch, results, strict=True):
                for waiter in pending.settle(result):
                    waking.setdefault(waiter.get_loop(), []).append(waiter)
        for loop, waiters in waking.items():
            try:
                loop.call_soon_threadsafe(_wake, waiters)
            except RuntimeError:
                log.debug("a loop was closed while %d commands were awaited", len(waiters))


def _wake(waiters: Sequence[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
