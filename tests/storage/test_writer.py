"""Commands become batches; each gets its own result; nobody is forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from astrolabe_core.ports import StorageUnavailable
from astrolabe_storage.writer import COMPANY_S, Failed, Writer


class Disk:
    """Squares numbers, one flush a batch; holds each flush until it is let go."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.started = threading.Semaphore(0)
        self.go = threading.Semaphore(0 if held else 10_000)

    def carry_out(self, batch: Sequence[int]) -> Sequence[int | Failed]:
        self.batches.append(list(batch))
        self.started.release()
        assert self.go.acquire(timeout=10)
        return [Failed(ArithmeticError(str(n))) if n < 0 else n * n for n in batch]


def test_what_queued_during_a_flush_is_the_next_batch() -> None:
    async def run() -> None:
        disk = Disk(held=True)
        writer = Writer(disk.carry_out)
        first = writer.submit(1)
        assert disk.started.acquire(timeout=10)
        rest = [writer.submit(n) for n in range(2, 9)]
        disk.go.release(2)
        assert await first == 1
        assert [await pending for pending in rest] == [4, 9, 16, 25, 36, 49, 64]
        assert disk.batches == [[1], [2, 3, 4, 5, 6, 7, 8]]
        writer.close()

    asyncio.run(run())


@pytest.mark.parametrize(("together", "waits"), [(1, 0), (2, 1), (15, 1), (16, 0)])
def test_a_batch_waits_for_company_only_behind_one_of_a_few(together: int, waits: int) -> None:
    async def run() -> None:
        disk, waited = Disk(held=True), list[float]()
        writer = Writer(disk.carry_out, wait=waited.append)
        first = writer.submit(0)
        assert disk.started.acquire(timeout=10)
        rest = [writer.submit(n) for n in range(together)]
        disk.go.release(3)
        assert [await pending for pending in (first, *rest)] == [
            0,
            *(n * n for n in range(together)),
        ]
        assert await writer.submit(7) == 49
        writer.close()
        assert waited == [COMPANY_S] * waits
        assert [len(batch) for batch in disk.batches] == [1, together, 1]

    asyncio.run(run())


def test_a_batch_is_bounded() -> None:
    async def run() -> None:
        disk = Disk(held=True)
        writer = Writer(disk.carry_out, batch_max=3)
        pending = [writer.submit(0)]
        assert disk.started.acquire(timeout=10)
        pending += [writer.submit(n) for n in range(1, 8)]
        disk.go.release(10)
        assert [await one for one in pending] == [n * n for n in range(8)]
        assert disk.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]
        writer.close()

    asyncio.run(run())


def test_a_full_queue_refuses_and_recovers() -> None:
    async def run() -> None:
        disk = Disk(held=True)
        writer = Writer(disk.carry_out, queue_max=2)
        taken = [writer.submit(1)]
        assert disk.started.acquire(timeout=10)
        taken += [writer.submit(2), writer.submit(3)]
        with pytest.raises(StorageUnavailable, match="2 commands are waiting"):
            _ = writer.submit(4)
        disk.go.release(10)
        assert [await pending for pending in taken] == [1, 4, 9]
        assert await writer.submit(4) == 16
        writer.close()

    asyncio.run(run())


def test_who_failed_is_told_and_nobody_else() -> None:
    async def run() -> None:
        writer = Writer(Disk().carry_out)
        good, bad, other = (writer.submit(n) for n in (2, -1, 3))
        for _ in range(2):
            with pytest.raises(ArithmeticError, match="-1"):
                await bad
        assert (await good, await other) == (4, 9)
        writer.close()

    asyncio.run(run())


def test_a_bug_in_carrying_out_ends_the_batch_and_not_the_writer() -> None:
    calls = 0

    def carry_out(batch: Sequence[int]) -> Sequence[int | Failed]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("a bug")
        return list(batch)

    async def run() -> None:
        writer = Writer(carry_out)
        with pytest.raises(RuntimeError, match="a bug"):
            await writer.submit(1)
        assert await writer.submit(2) == 2
        writer.close()

    asyncio.run(run())


def test_close_carries_out_what_is_queued_and_takes_no_more() -> None:
    disk = Disk()
    writer = Writer(disk.carry_out)
    for n in range(100):
        _ = writer.submit(n)
    writer.close()
    writer.close()
    assert [n for batch in disk.batches for n in batch] == list(range(100))
    with pytest.raises(StorageUnavailable, match="closed"):
        _ = writer.submit(1)


def test_a_command_may_be_submitted_outside_a_loop_and_awaited_in_any() -> None:
    writer = Writer(Disk().carry_out)
    pending = writer.submit(3)

    async def wait() -> int:
        return await pending

    assert [asyncio.run(wait()), asyncio.run(wait())] == [9, 9]
    writer.close()


def test_a_loop_that_is_gone_stops_nothing() -> None:
    disk = Disk(held=True)
    writer = Writer(disk.carry_out)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.submit(3), timeout=0.01)
        left_behind = asyncio.ensure_future(_wait(writer))
        await asyncio.sleep(0)
        assert not left_behind.done()

    asyncio.run(give_up())
    disk.go.release(10)
    assert asyncio.run(_wait(writer)) == 16
    writer.close()


async def _wait(writer: Writer[int, int]) -> int:
    return await writer.submit(4)


def test_a_batch_wakes_a_loop_once() -> None:
    async def run() -> int:
        disk = Disk(held=True)
        writer = Writer(disk.carry_out)
        loop = asyncio.get_running_loop()
        wakes = 0
        original = loop.call_soon_threadsafe

        def counted(*args: object, **kwargs: object) -> asyncio.Handle:
            nonlocal wakes
            wakes += 1
            return original(*args, **kwargs)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        waiting = [asyncio.ensure_future(_wait(writer)) for _ in range(30)]
        await asyncio.sleep(0)
        disk.go.release(10)
        await asyncio.gather(*waiting)
        writer.close()
        return wakes

    assert asyncio.run(run()) <= 2
