"""The driver: one command at a time, and nothing reserved is left behind."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve, field, mutable

from astrolabe_core import driver
from astrolabe_core.answers import NO_RECEIPT, Receipt
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.conformity import Conformity
from astrolabe_core.driver import run
from astrolabe_core.flow import step
from astrolabe_core.ledger import Command, Outcome
from astrolabe_core.messages import (
    Abandoned,
    Admitted,
    Answered,
    Arrival,
    CallModel,
    Event,
    Faulted,
    Inspect,
    Inspected,
    Left,
    Load,
    Loaded,
    LookedUp,
    LookUp,
    NoCaller,
    Opened,
    Pause,
    Paused,
    Previewed,
    Purpose,
    Refused,
    Relay,
    Served,
)
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.requests import OutputFormat, Reading, Role, Turn
from astrolabe_core.states import State, Step
from astrolabe_core.units import Instant
from tests.flow.world import (
    NOW,
    USAGE,
    Books,
    answer,
    arrival,
    books,
    fault,
    request,
    snapshot,
)


@mutable
class Here:
    """A world that runs in this process: rows, a clock that stands still, scripted answers.

    `halt` is awaited at every step that a real world would wait at.
    """

    rows: Books = field(factory=books)
    called: Callable[[CallModel], Answered | Opened | Faulted | Left] = field(
        default=lambda _: Answered(answer(), NOW)
    )
    relayed: Answered | Faulted | Left = field(factory=lambda: Answered(answer(), NOW))
    known: bool = True
    on_record: Receipt | None = None
    said: Receipt = NO_RECEIPT
    down: frozenset[str] = frozenset()
    halt: Callable[[str], Awaitable[None]] = field(default=lambda _: anyio.lowlevel.checkpoint())
    calls: list[CallModel] = field(factory=list)

    @property
    def clock(self) -> "Here":
        """The world tells its own time."""
        return self

    @property
    def ledger(self) -> "Here":
        """The world keeps its own books."""
        return self

    def now(self) -> Instant:
        """Time stands still."""
        return NOW

    def submit(self, command: Command) -> Awaitable[Outcome]:
        """Carry out at once, tell later: as a queue before a durable commit does."""
        name = type(command).__name__
        if name in self.down:
            raise StorageUnavailable(name)
        outcome = self.rows.carry_out(command)

        async def told() -> Outcome:
            await self.halt(name)
            return outcome

        return told()

    async def load(self, _: Load) -> Loaded | NoCaller:
        """Give the shipped world."""
        await self.halt("Load")
        if "Load" in self.down:
            raise StorageUnavailable
        return Loaded(snapshot()) if self.known else NoCaller(NOW)

    async def call(self, command: CallModel) -> Answered | Opened | Faulted | Left:
        """Answer as scripted."""
        self.calls.append(command)
        await self.halt("CallModel")
        return self.called(command)

    async def inspect(self, command: Inspect) -> Inspected | Left:
        """Find every claim as it should be."""
        await self.halt("Inspect")
        return Inspected(tuple(Conformity(fitting=0) for _ in command.claims), NOW)

    async def pause(self, _: Pause) -> Paused | Left:
        """Wait for nothing."""
        await self.halt("Pause")
        return Paused(NOW)

    async def look_up(self, _: LookUp) -> LookedUp:
        """Tell what the provider has on record."""
        await self.halt("LookUp")
        return LookedUp(self.on_record, NOW)

    def seen(self) -> Receipt:
        """Tell what the provider of the call under way has said."""
        return self.said

    async def relay(self, _: Relay) -> Answered | Faulted | Left:
        """End as scripted."""
        await self.halt("Relay")
        return self.relayed


def drive(world: Here, begun: Arrival | None = None) -> object:
    """Run one request to its reply."""
    return anyio.run(run, begun or arrival(), world)


def test_a_healthy_request_is_served_and_paid() -> None:
    """Load, hold, call, settle, reply."""
    world = Here()
    reply = drive(world)
    assert isinstance(reply, Served)
    assert world.rows.debited == reply.trace.debit > 0
    assert world.rows.open_holds == []


def test_a_stream_is_relayed_and_paid() -> None:
    """Open, relay, settle."""
    world = Here(called=lambda _: Opened("stream", NOW))
    reply = drive(world, arrival(request(stream=True)))
    assert isinstance(reply, Served)
    assert reply.trace.first_token_at == NOW


def test_a_caller_that_left_in_mid_stream_pays_for_what_was_seen() -> None:
    """The world says so; nobody is cancelled."""
    world = Here(called=lambda _: Opened("stream", NOW), relayed=Left(NOW, Receipt(usage=USAGE)))
    reply = drive(world, arrival(request(stream=True)))
    assert isinstance(reply, Abandoned)
    assert world.rows.debited > 0


@pytest.mark.parametrize(
    ("turns", "beside"),
    [((("x" * 90_000),), False), (("x" * 120_000,), True), (("x",) * 1_200, True)],
)
def test_a_request_that_is_long_to_read_is_decided_beside_the_event_loop(
    turns: tuple[str, ...], beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """31 MB of text took 240 ms, in which nobody else was served."""
    where: dict[str, int] = {}

    def watched(state: State, event: Event) -> Step:
        where[type(event).__name__] = threading.get_ident()
        return step(state, event)

    monkeypatch.setattr(driver, "step", watched)
    asked = evolve(request(), turns=tuple(Turn(role=Role.USER, text=text) for text in turns))
    assert drive(Here(), arrival(asked)) is not None
    here = threading.get_ident()
    assert (where["Loaded"] != here) is beside
    assert {place for event, place in where.items() if event != "Loaded"} <= {here}


def test_long_requests_are_decided_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """More threads would only take the interpreter from the event loop more often."""
    running, most = 0, 0

    def watched(state: State, event: Event) -> Step:
        nonlocal running, most
        running += 1
        most = max(most, running)
        found = step(state, event)
        running -= 1
        return found

    async def many() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(run, arrival(long), Here())

    monkeypatch.setattr(driver, "step", watched)
    long = evolve(request(), turns=(Turn(role=Role.USER, text="word " * 100_000),))
    anyio.run(many)
    assert most == 1


def test_a_key_that_nobody_has_is_refused() -> None:
    """401."""
    reply = drive(Here(known=False))
    assert isinstance(reply, Refused)
    assert reply.trace.refusal is not None
    assert reply.trace.refusal.code is Code.UNAUTHORIZED


def test_a_call_that_only_reads_is_admitted_and_counted() -> None:
    world = Here()
    asked = Arrival(request=Reading(id=request().id, received_at=NOW), key_hash="h")
    reply = drive(world, asked)
    assert isinstance(reply, Admitted)
    assert world.calls == []
    assert len(world.rows.counters) == 1


def test_a_preview_is_counted_and_nothing_else() -> None:
    """A dry run counts against the rate limit."""
    world = Here()
    reply = drive(world, arrival(purpose=Purpose.PREVIEW))
    assert isinstance(reply, Previewed)
    assert world.calls == []
    assert len(world.rows.counters) == 1


@pytest.mark.parametrize("where", ["Load", "Reserve"])
def test_a_store_that_is_away_is_503_before_any_provider_call(where: str) -> None:
    """Never 401, never 402, and nothing is sent."""
    world = Here(down=frozenset({where, "Void"}))
    reply = drive(world)
    assert isinstance(reply, Refused)
    assert reply.trace.refusal is not None
    assert reply.trace.refusal.code is Code.STORAGE_UNAVAILABLE
    assert reply.trace.refusal.retry_after_s is not None
    assert world.calls == []


def test_an_answer_that_was_paid_for_is_delivered_though_the_store_is_away() -> None:
    """The hold stays, and a sweeper ends it."""
    world = Here(down=frozenset({"Capture"}))
    reply = drive(world)
    assert isinstance(reply, Served)
    assert len(world.rows.open_holds) == 1


PROMISED = evolve(request(), output_format=OutputFormat.JSON_SCHEMA, schema={"type": "object"})
UNTOLD = evolve(answer(text="{}"), receipt=Receipt(generation="gen-1"))


def thorny(*, first: bool = True) -> Callable[[CallModel], Answered | Faulted]:
    """Fail once, then answer with JSON and without a usage."""
    left = [Faulted(fault(), NOW)] if first else []
    return lambda _: left.pop() if left else Answered(UNTOLD, NOW)


def test_waits_schemas_and_look_ups_are_the_worlds_to_carry_out() -> None:
    world = Here(called=thorny(), on_record=Receipt(usage=USAGE))
    reached: list[str] = []

    async def halt(name: str) -> None:
        reached.append(name)

    world.halt = halt
    reply = drive(world, arrival(PROMISED))
    assert isinstance(reply, Served)
    assert world.rows.debited == reply.trace.debit > 0
    assert reached == [
        *("Load", "Reserve", "CallModel", "Pause", "CallModel", "Inspect", "LookUp", "Capture")
    ]


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("Pause", Unbillable.CLIENT_DISCONNECTED),
        ("Inspect", None),
        ("LookUp", None),
    ],
)
def test_a_request_cancelled_while_it_waits_for_anything_else_leaves_no_open_hold(
    where: str, reason: Unbillable | None
) -> None:
    """The record of a call that is under way is waited for, shielded."""
    world = Here(called=thorny(), on_record=Receipt(usage=USAGE))

    async def cancelled() -> None:
        with anyio.CancelScope() as scope:

            async def halt(name: str) -> None:
                if name == where:
                    scope.cancel()
                await anyio.lowlevel.checkpoint()

            world.halt = halt
            await run(arrival(PROMISED), world)

    anyio.run(cancelled)
    assert world.rows.open_holds == []
    assert [hold.reason for hold in world.rows.holds.values()] == [reason]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("where", ["Load", "Reserve", "CallModel", "Relay", "Capture"])
def test_a_request_cancelled_anywhere_leaves_no_open_hold(where: str, *, stream: bool) -> None:
    """litellm #27639 #30519 #40715: `CancelledError` skips the release."""
    world = Here(called=lambda _: Opened("s", NOW) if stream else Answered(answer(), NOW))
    reached: list[str] = []

    async def cancelled() -> None:
        with anyio.CancelScope() as scope:

            async def pause(name: str) -> None:
                if name == where:
                    reached.append(name)
                    scope.cancel()
                await anyio.lowlevel.checkpoint()

            world.halt = pause
            await run(arrival(request(stream=stream)), world)

    anyio.run(cancelled)
    assert bool(reached) == (stream or where != "Relay")
    assert world.rows.open_holds == []
    assert world.rows.differences() == ()
    ended = [hold.reason for hold in world.rows.holds.values()]
    if where in {"Reserve", "CallModel"} or reached == ["Relay"]:
        assert ended == [Unbillable.CLIENT_DISCONNECTED]


def test_a_request_cancelled_while_its_refusal_is_counted_just_ends() -> None:
    """Nothing was held; there is nothing to settle."""
    world = Here(rows=books(snapshot().balance_floor))

    async def cancelled() -> None:
        with anyio.CancelScope() as scope:

            async def pause(name: str) -> None:
                if name == "Count":
                    scope.cancel()
                await anyio.lowlevel.checkpoint()

            world.halt = pause
            await run(arrival(), world)

    anyio.run(cancelled)
    assert world.rows.holds == {}


def test_faults_are_driven_through_the_plan() -> None:
    """Each candidate once."""
    world = Here(called=lambda _: Faulted(fault(), NOW))
    reply = drive(world)
    assert isinstance(reply, Refused)
    assert len({call.model.id for call in world.calls}) == len(world.calls) == 3


def test_a_task_that_asyncio_itself_cancels_while_settling_is_settled_once() -> None:
    """A server that is stopped cancels its tasks past every shield."""
    world = Here()

    async def cancelled() -> None:
        task = asyncio.ensure_future(run(arrival(), world))

        async def pause(name: str) -> None:
            if name == "Capture":
                task.cancel()
            await asyncio.sleep(0)

        world.halt = pause
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert world.rows.open_holds == []
    assert world.rows.debited > 0
