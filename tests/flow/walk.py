"""Walk every history of a small world: at each command, every event that it may answer with.

A `Scenario` says how a request arrives, what is known then, and what models, verifiers, schemas and
provider's records may answer. The ledger is the real one. Time moves with every event.
"""

from collections.abc import Callable, Iterator

from attrs import evolve, field, frozen

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish, Receipt, ToolCall
from astrolabe_core.conformity import Claim, Conformity
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
    Opened,
    Pause,
    Paused,
    Record,
    Relay,
    Reply,
    Settle,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.states import Done, State, Step
from astrolabe_core.units import Instant
from tests.flow.world import CREDIT, USAGE, Books, books

TICK_MS = 50
"""How long everything takes that says nothing else."""

STEPS_MAX = 60
"""More than any request takes."""

Outcome = Callable[[CallModel, Instant], Event]
"""What comes of one call, which ends at an instant."""


def is_verifiers(call: CallModel) -> bool:
    """Whether a call asks for a grade: nobody waits for its trace."""
    return call.trace is None


@frozen(kw_only=True)
class Scenario:
    """One request in one world, and all that may come of each command.

    `calls` are what may come of asking for an answer, `relays` of handing one on, `grades` of
    asking for a grade, `found` what schemas say and `records` what a provider has on record. A wait
    takes as much longer as `overslept_ms` says.
    """

    name: str
    arrival: Arrival
    snapshot: Snapshot
    calls: tuple[Outcome, ...]
    relays: tuple[Outcome, ...] = ()
    grades: tuple[Outcome, ...] = ()
    found: tuple[Conformity | None, ...] = (Conformity(fitting=0),)
    records: tuple[Receipt | None, ...] = (None,)
    overslept_ms: tuple[int, ...] = (0,)


@frozen(kw_only=True)
class History:
    """One way that a request can go, from arrival to reply."""

    scenario: Scenario
    steps: tuple[tuple[State, Command, Event], ...]
    reply: Reply
    books: Books = field(eq=False, repr=False)

    @property
    def commands(self) -> list[Command]:
        """All commands, in order."""
        return [command for _, command, _ in self.steps]

    @property
    def calls(self) -> list[CallModel]:
        """The calls that asked for an answer."""
        return [one for one in self.commands if isinstance(one, CallModel) and one.trace]

    @property
    def states(self) -> list[State]:
        """All states, in order."""
        return [state for state, _, _ in self.steps]

    def story(self) -> str:
        """Tell it in short, for a failing test."""
        words = [f"{type(s).__name__} -{type(e).__name__}->" for s, _, e in self.steps]
        return f"{self.scenario.name}: {' '.join(words)} {type(self.reply).__name__}"


def walk(scenario: Scenario) -> Iterator[History]:
    """Give every history of a scenario."""
    first = begin(scenario.arrival)
    pending: list[tuple[Step, Books, Instant, tuple[tuple[State, Command, Event], ...]]]
    pending = [(first, _rows(scenario), scenario.snapshot.at, ())]
    while pending:
        now, rows, at, steps = pending.pop()
        assert len(steps) < STEPS_MAX, scenario.name
        if now.command is None:
            assert isinstance(now.state, Done)
            yield History(scenario=scenario, steps=steps, reply=now.state.reply, books=rows)
            continue
        for event, after in _events(scenario, now.command, rows, Instant(at + TICK_MS)):
            following = step(now.state, event)
            then = getattr(event, "at", at)
            pending.append((following, after, then, (*steps, (now.state, now.command, event))))


def play(scenario: Scenario, choose: Callable[[int], int]) -> History:
    """Give one history: of so many events each time, the one that is chosen."""
    now, rows, at = begin(scenario.arrival), _rows(scenario), scenario.snapshot.at
    steps: list[tuple[State, Command, Event]] = []
    while now.command is not None:
        assert len(steps) < STEPS_MAX, scenario.name
        events = [*_events(scenario, now.command, rows, Instant(at + TICK_MS))]
        event, rows = events[choose(len(events))]
        steps.append((now.state, now.command, event))
        now, at = step(now.state, event), getattr(event, "at", at)
    assert isinstance(now.state, Done)
    return History(scenario=scenario, steps=tuple(steps), reply=now.state.reply, books=rows)


def _rows(scenario: Scenario) -> Books:
    return books(CREDIT, scenario.snapshot.caller.workspace.id)


def _events(
    scenario: Scenario, command: Command, rows: Books, at: Instant
) -> Iterator[tuple[Event, Books]]:
    match command:
        case Load():
            yield Loaded(scenario.snapshot), rows
        case Hold(command=order) | Settle(command=order) | Record(command=order):
            after = rows.copy()
            yield Ledgered(after.carry_out(order), at), after
            yield from [(Left(at), after)] if isinstance(command, Hold) else []
        case CallModel():
            outcomes = scenario.grades if is_verifiers(command) else scenario.calls
            yield from ((outcome(command, at), rows) for outcome in outcomes)
            yield from [(Opened(command, at), rows)] if command.relayed else []
        case Relay(stream=call):
            assert isinstance(call, CallModel)
            yield from ((outcome(call, at), rows) for outcome in scenario.relays)
        case Inspect(claims=claims):
            yield from ((_inspected(claims, found, at), rows) for found in scenario.found)
        case Pause(wait_ms=wait):
            yield from ((Paused(Instant(at + wait + more)), rows) for more in scenario.overslept_ms)
            yield Left(at), rows
        case LookUp():
            yield Left(at), rows
            yield from ((LookedUp(receipt, at), rows) for receipt in scenario.records)


def _inspected(claims: tuple[Claim, ...], found: Conformity | None, at: Instant) -> Event:
    """Say the same of every claim, of its last text where it has not that many."""
    if found is None:
        return Left(at)
    fitting = found.fitting
    return Inspected(
        tuple(
            found if fitting is None else evolve(found, fitting=min(fitting, len(claim.texts) - 1))
            for claim in claims
        ),
        at,
    )


# --- outcomes -----------------------------------------------------------------------------
RECEIPT = Receipt(usage=USAGE, cost=NanoUsd(7), generation="gen-1", host="host")


def says(
    text: str = "{model} at {at}",
    *,
    finish: Finish = Finish.STOP,
    refusal: str | None = None,
    calls: tuple[str, ...] = (),
    receipt: Receipt = RECEIPT,
) -> Outcome:
    """Answer with a text in which the model and the instant can be named, so that each differs."""

    def answer(call: CallModel, at: Instant) -> Event:
        told = text.replace("{model}", call.model.id).replace("{at}", str(at))
        return Answered(
            Answer(
                finish=finish,
                texts=(told,) if told else (),
                tool_calls=tuple(ToolCall(name=name, arguments="{}") for name in calls),
                refusal=refusal,
                receipt=receipt,
            ),
            at,
        )

    return answer


def grades(score: int, *concerns: str) -> Outcome:
    """Answer as a verifier that was understood."""
    named = ", ".join(f'"{concern}"' for concern in concerns)
    return says(f'{{"score": {score}, "concerns": [{named}]}}')


def late(outcome: Outcome, at: Instant) -> Outcome:
    """Have the same come of it, at a later instant."""
    return lambda call, now: outcome(call, max(now, at))


def fails(
    kind: FaultKind = FaultKind.PROVIDER_ERROR,
    *,
    retry_after_s: int | None = None,
    at: Instant | None = None,
) -> Outcome:
    """Give no answer."""

    def fault(_: CallModel, now: Instant) -> Event:
        fault = Fault(kind=kind, message="the provider failed", retry_after_s=retry_after_s)
        return Faulted(fault, now if at is None else max(now, at))

    return fault


def leaves(receipt: Receipt | None = None) -> Outcome:
    """Lose the caller."""
    return lambda _, now: Left(now) if receipt is None else Left(now, receipt)
