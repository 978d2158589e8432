"""A beat after each interval, one at a time, and none after the stop."""

from __future__ import annotations

import anyio
import pytest
from attrs import define, field

from astrolabe_http.keepalive import Keepalive

pytestmark = pytest.mark.anyio


@define
class Beats:
    """Counts beats, and lets each begin only when it may."""

    begun: int = 0
    ended: int = 0
    may_end: anyio.Event = field(factory=anyio.Event)
    first: anyio.Event = field(factory=anyio.Event)
    third: anyio.Event = field(factory=anyio.Event)
    error: Exception | None = None

    async def beat(self) -> None:
        self.begun += 1
        self.first.set()
        if self.begun == 3:
            self.third.set()
        await self.may_end.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error


async def test_it_beats_again_and_again_until_it_is_stopped() -> None:
    beats = Beats()
    beats.may_end.set()
    keepalive = Keepalive(beats.beat, 0.001)
    with anyio.fail_after(5):
        await beats.third.wait()
    await keepalive.stop()
    known = beats.begun
    await anyio.sleep(0.01)
    assert beats.begun == beats.ended == known


async def test_who_stops_it_in_time_hears_no_beat() -> None:
    beats = Beats()
    await Keepalive(beats.beat, 0.001).stop()
    await anyio.sleep(0.005)
    assert beats.begun == 0


async def test_who_stops_it_waits_for_the_beat_that_is_on_its_way() -> None:
    beats = Beats()
    keepalive = Keepalive(beats.beat, 0.001)
    with anyio.fail_after(5):
        await beats.first.wait()
    with anyio.move_on_after(0.01) as impatient:
        await keepalive.stop()
    assert impatient.cancelled_caught
    assert (beats.begun, beats.ended) == (1, 0)
    beats.may_end.set()
    await keepalive.stop()
    assert (beats.begun, beats.ended) == (1, 1)


async def test_a_beat_that_takes_long_is_not_overtaken() -> None:
    beats = Beats()
    keepalive = Keepalive(beats.beat, 0.001)
    await anyio.sleep(0.01)
    assert beats.begun == 1
    keepalive.cancel()


async def test_a_beat_that_is_cancelled_is_the_last() -> None:
    beats = Beats()
    keepalive = Keepalive(beats.beat, 0.001)
    with anyio.fail_after(5):
        await beats.first.wait()
    keepalive.cancel()
    beats.may_end.set()
    await anyio.sleep(0.005)
    assert (beats.begun, beats.ended) == (1, 0)


async def test_that_nobody_is_there_any_more_is_no_bug() -> None:
    beats = Beats(error=OSError("gone"))
    beats.may_end.set()
    keepalive = Keepalive(beats.beat, 0.001)
    with anyio.fail_after(5):
        await beats.third.wait()
    await keepalive.stop()
