"""How is a request driven to its end? Perform one command, feed the event back.

The only async code of the core, and the only loop with effects. When the task is cancelled the
flow is told that the caller left, and runs to its end shielded: whatever was reserved is
settled before the cancellation goes on. A request that is long to read is decided beside the event
loop, so that nobody else waits for it.
"""

from typing import Final, Protocol, assert_never

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from astrolabe_core import ledger
from astrolabe_core.answers import Receipt
from astrolabe_core.flow import begin, step
from astrolabe_core.messages import (
    Answered,
    Arrival,
    CallModel,
    Command,
    Event,
    Faulted,
    Hold,
    Inspect,
    Inspected,
    Ledgered,
    Left,
    Load,
    Loaded,
    LookedUp,
    LookUp,
    NoCaller,
    Opened,
    Pause,
    Paused,
    Record,
    Relay,
    Reply,
    Settle,
    StorageFailed,
)
from astrolabe_core.ports import Clock, Ledger, StorageUnavailable
from astrolabe_core.requests import Request
from astrolabe_core.states import Done, Settling, Step
from astrolabe_core.units import Millis

LONG_CHARACTERS: Final = 100_000
"""From here on a request is decided in a thread: 31 MB of text take up to 240 ms, these 1."""

_TURN_CHARACTERS: Final = 100
"""What a turn costs without any text."""

_deciding: Final[RunVar[anyio.CapacityLimiter | None]] = RunVar("deciding")


class World(Protocol):
    """What a host provides for one request. Only `load` may raise, `StorageUnavailable`."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Carries out what happens to money."""
        ...

    async def load(self, command: Load) -> Loaded | NoCaller:
        """Take the snapshot."""
        ...

    async def call(self, command: CallModel) -> Answered | Opened | Faulted | Left:
        """Ask one model."""
        ...

    async def relay(self, command: Relay) -> Answered | Faulted | Left:
        """Hand an open stream to the caller."""
        ...

    async def inspect(self, command: Inspect) -> Inspected | Left:
        """Hold texts against their schemas."""
        ...

    async def pause(self, command: Pause) -> Paused | Left:
        """Wait, for as long as the caller stays."""
        ...

    async def look_up(self, command: LookUp) -> LookedUp:
        """Ask the provider for its record of a call."""
        ...

    def seen(self) -> Receipt:
        """Give what the provider of the call under way has said so far, should it be cut off."""
        ...


async def run(arrival: Arrival, world: World) -> Reply:
    """Drive one request to its reply."""
    now = begin(arrival)
    try:
        while now.command is not None:
            event = await _perform(now.command, world)
            if isinstance(event, Loaded) and _is_long(arrival):
                now = await anyio.to_thread.run_sync(step, now.state, event, limiter=_one())
            else:
                now = step(now.state, event)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await _abandon(now, world)
        raise
    if not isinstance(now.state, Done):  # pragma: no cover - the table has no such state
        message = f"{type(now.state).__name__} has no command"
        raise TypeError(message)
    return now.state.reply


async def wait(wait_ms: Millis) -> None:
    """Wait, where nobody's leaving has to be watched for."""
    await anyio.sleep(wait_ms / 1_000)


def _one() -> anyio.CapacityLimiter:
    """Let one thread of an event loop decide at a time: a second one would only be in its way."""
    known = _deciding.get(None)
    if known is None:
        known = anyio.CapacityLimiter(1)
        _deciding.set(known)
    return known


def _is_long(arrival: Arrival) -> bool:
    request = arrival.request
    if not isinstance(request, Request):
        return False
    said = sum([len(turn.text) for turn in request.turns])
    return said + _TURN_CHARACTERS * len(request.turns) > LONG_CHARACTERS


async def _abandon(now: Step, world: World) -> None:
    """Bring a cancelled request to its end.

    In `Settling` nothing is left to do: the command was queued before it was awaited, and is
    carried out. A shield keeps anyio's cancellation out of there, but not asyncio's own.
    """
    if isinstance(now.state, Settling):
        return
    now = step(now.state, Left(world.clock.now(), world.seen()))
    while now.command is not None:
        now = step(now.state, await _perform(now.command, world))


async def _perform(command: Command, world: World) -> Event:
    match command:
        case Load():
            try:
                return await world.load(command)
            except StorageUnavailable:
                return StorageFailed(world.clock.now())
        case Record(command=order) | Hold(command=order):
            return await _submit(order, world)
        case Settle(command=order):
            settled: Event
            with anyio.CancelScope(shield=True):
                settled = await _submit(order, world)
            return settled
        case CallModel():
            return await world.call(command)
        case Relay():
            return await world.relay(command)
        case Inspect():
            return await world.inspect(command)
        case Pause():
            return await world.pause(command)
        case LookUp():
            looked_up: Event
            with anyio.CancelScope(shield=True):
                looked_up = await world.look_up(command)
            return looked_up
        case _:
            assert_never(command)


async def _submit(order: ledger.Command, world: World) -> Event:
    try:
        outcome = await world.ledger.submit(order)
    except StorageUnavailable:
        return StorageFailed(world.clock.now())
    return Ledgered(outcome, world.clock.now())
