"""May a model, or all of a provider, be called now?

A circuit closes a way that leads nowhere. It opens when calls fail in a row, or too many of those
of the last minute; it stays open for a time that doubles each time up to a cap; then one call at a
time is let through to find out, the probe, and what becomes of that closes the circuit or opens it
for longer. A probe is leased to one request, for a moment until its call begins and then until the
call has shown how it goes: the first content of an answer is enough.

`TRANSITIONS` is the whole truth about what changes where; what is absent changes nothing, such as
the end of a call that began before the circuit opened. A clock that goes back makes no wait longer
than it was.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, frozen

from astrolabe_core.units import FULL_BPS, Bps, Instant, Millis, ModelId

SLOT_MS: Final = Millis(10_000)
SLOTS: Final = 6
"""Calls are counted by ten seconds, and these and the five before are the last minute."""
_SUSPECTS_KEPT: Final = 2
_DOUBLINGS_MAX: Final = 20


class Phase(StrEnum):
    """Where a circuit stands. `leased` and `probing` are what others call half-open."""

    CLOSED = "closed"
    OPEN = "open"
    LEASED = "leased"
    PROBING = "probing"


class Happening(StrEnum):
    """What may happen to a circuit."""

    LOOKED = "looked"
    BEGUN = "begun"
    CONTENT = "content"
    ANSWERED = "answered"
    FAILED = "failed"
    DROPPED = "dropped"


@frozen(kw_only=True)
class Rules:
    """When a circuit opens, and for how long.

    It opens at `failures_in_row`, or where more than `failures_share` of at least `calls_min` calls
    of the last minute failed. `lease_ms` is how long a probe may take to begin, `probe_ms` how long
    one is waited for whose end nobody tells: longer than any call may take.
    """

    failures_in_row: int = 5
    calls_min: int = 20
    failures_share: Bps = Bps(6_000)
    open_ms: Millis = Millis(5_000)
    open_ms_max: Millis = Millis(300_000)
    lease_ms: Millis = Millis(1_000)
    probe_ms: Millis = Millis(660_000)

    def opening_ms(self, openings: int, retry_after_ms: Millis | None) -> Millis:
        """Say how long to stay open after so many openings; a provider may ask for longer."""
        doubled = self.open_ms << min(openings, _DOUBLINGS_MAX)
        return Millis(min(self.open_ms_max, max(doubled, retry_after_ms or 0)))


DEFAULT_RULES: Final = Rules()


@frozen
class Slot:
    """What ten seconds saw: calls, how many of them failed, and up to two models that did."""

    number: int
    calls: int
    failures: int
    suspects: tuple[ModelId, ...]


@frozen(kw_only=True)
class Circuit:
    """One circuit. `probe` is the number of the lease, `openings` how often it opened lately.

    `since` and `until` bound what the phase waits for; `suspects` are up to two models that failed
    since the last success.
    """

    phase: Phase = Phase.CLOSED
    in_row: int = 0
    suspects: tuple[ModelId, ...] = ()
    slots: tuple[Slot, ...] = ()
    openings: int = 0
    since: Instant = Instant(0)
    until: Instant = Instant(0)
    probe: int = 0


CLOSED: Final = Circuit()


@frozen(kw_only=True)
class Moment:
    """When something happens, and to whom.

    `probe` is the lease that the call has, or that a look may give out; 0 is none. A circuit does
    not open before so many different models failed as `suspects_min` says.
    """

    at: Instant
    rules: Rules
    model: ModelId = ModelId("")
    probe: int = 0
    suspects_min: int = 1
    retry_after_ms: Millis | None = None


def step(circuit: Circuit, happening: Happening, moment: Moment) -> Circuit:
    """Take one thing that happened."""
    handler = TRANSITIONS.get((circuit.phase, happening))
    return circuit if handler is None else handler(circuit, moment)


# --- closed -------------------------------------------------------------------------------
def _succeed(circuit: Circuit, moment: Moment) -> Circuit:
    return Circuit(slots=_counted(circuit, moment, failed=False))


def _fail(circuit: Circuit, moment: Moment) -> Circuit:
    slots = _counted(circuit, moment, failed=True)
    suspects = _with(circuit.suspects, moment.model)
    in_row = min(circuit.in_row + 1, moment.rules.failures_in_row)
    failing = evolve(circuit, in_row=in_row, suspects=suspects, slots=slots)
    return _open(failing, moment) if _is_failing(failing, moment) else failing


def _is_failing(circuit: Circuit, moment: Moment) -> bool:
    rules, needed = moment.rules, min(moment.suspects_min, _SUSPECTS_KEPT)
    if circuit.in_row >= rules.failures_in_row and len(circuit.suspects) >= needed:
        return True
    calls = sum(slot.calls for slot in circuit.slots)
    failures = sum(slot.failures for slot in circuit.slots)
    suspects = {model for slot in circuit.slots for model in slot.suspects}
    many = failures * FULL_BPS > calls * rules.failures_share
    return many and calls >= rules.calls_min and len(suspects) >= needed


def _counted(circuit: Circuit, moment: Moment, *, failed: bool) -> tuple[Slot, ...]:
    """Count a call in its ten seconds; what is older than a minute, or of the future, goes."""
    number, slots = moment.at // SLOT_MS, circuit.slots
    if slots and slots[-1].number == number:
        earlier, now = slots[:-1], slots[-1]
    else:
        earlier = tuple([slot for slot in slots if number - SLOTS < slot.number < number])
        now = next((slot for slot in slots if slot.number == number), Slot(number, 0, 0, ()))
    suspects = _with(now.suspects, moment.model) if failed else now.suspects
    return (*earlier, Slot(number, now.calls + 1, now.failures + failed, suspects))


def _with(suspects: tuple[ModelId, ...], model: ModelId) -> tuple[ModelId, ...]:
    if model in suspects or len(suspects) >= _SUSPECTS_KEPT:
        return suspects
    return (*suspects, model)


def _open(circuit: Circuit, moment: Moment) -> Circuit:
    """Open, for longer than the last time; what was counted has had its effect."""
    wait = moment.rules.opening_ms(circuit.openings, moment.retry_after_ms)
    return evolve(
        circuit,
        phase=Phase.OPEN,
        slots=(),
        openings=circuit.openings + 1,
        since=moment.at,
        until=Instant(moment.at + wait),
        probe=0,
    )


# --- open and half-open -------------------------------------------------------------------
def _look(circuit: Circuit, moment: Moment) -> Circuit:
    """Lease the probe to whoever looks once the time is over."""
    if moment.at < circuit.since:
        # The clock went back: what is left to wait is what was to be waited, and no more.
        wait = circuit.until - circuit.since
        return evolve(circuit, since=moment.at, until=Instant(moment.at + wait))
    if moment.at < circuit.until:
        return circuit
    return evolve(
        circuit,
        phase=Phase.LEASED,
        since=moment.at,
        until=Instant(moment.at + moment.rules.lease_ms),
        probe=moment.probe,
    )


def _begin(circuit: Circuit, moment: Moment) -> Circuit:
    if circuit.probe != moment.probe:
        return circuit
    until = Instant(moment.at + moment.rules.probe_ms)
    return evolve(circuit, phase=Phase.PROBING, since=moment.at, until=until)


def _drop(circuit: Circuit, moment: Moment) -> Circuit:
    """Take a lease back that showed nothing: the next who looks has it."""
    if circuit.probe != moment.probe:
        return circuit
    return evolve(circuit, phase=Phase.OPEN, since=moment.at, until=moment.at, probe=0)


def _show_content(circuit: Circuit, moment: Moment) -> Circuit:
    """Close on trial: where the answer then breaks off, that opens again and for longer."""
    if circuit.probe != moment.probe:
        return circuit
    on_trial = max(0, moment.rules.failures_in_row - 1)
    return Circuit(in_row=on_trial, suspects=circuit.suspects, openings=circuit.openings)


def _show_success(circuit: Circuit, moment: Moment) -> Circuit:
    return CLOSED if circuit.probe == moment.probe else circuit


def _show_failure(circuit: Circuit, moment: Moment) -> Circuit:
    return _open(circuit, moment) if circuit.probe == moment.probe else circuit


Handler: TypeAlias = Callable[[Circuit, Moment], Circuit]

TRANSITIONS: Final[Mapping[tuple[Phase, Happening], Handler]] = {
    (Phase.CLOSED, Happening.ANSWERED): _succeed,
    (Phase.CLOSED, Happening.FAILED): _fail,
    (Phase.OPEN, Happening.LOOKED): _look,
    (Phase.LEASED, Happening.LOOKED): _look,
    (Phase.LEASED, Happening.BEGUN): _begin,
    (Phase.LEASED, Happening.DROPPED): _drop,
    (Phase.PROBING, Happening.LOOKED): _look,
    (Phase.PROBING, Happening.DROPPED): _drop,
    (Phase.PROBING, Happening.CONTENT): _show_content,
    (Phase.PROBING, Happening.ANSWERED): _show_success,
    (Phase.PROBING, Happening.FAILED): _show_failure,
}
