"""How do the models fare whom this process calls, and who may be called now?

`Vitals` keeps the health of one gateway between requests: one event loop, and nothing is awaited
between reading and writing it. `Watched` is the driver's world with that in between: it puts the
open circuits into the snapshot, lets no call begin on one but its probe, and folds how each call
went, a verifier's too. What a request was leased and did not use it gives back with `let_go`.
"""

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from astrolabe_core.answers import Fault, FaultKind, Receipt
from astrolabe_core.catalog import Catalog
from astrolabe_core.circuits import Rules
from astrolabe_core.driver import World
from astrolabe_core.health import (
    Barred,
    Health,
    Outcome,
    Probe,
    Result,
    View,
    begin,
    changes,
    drop,
    fold,
    look,
    result_of_answer,
    result_of_fault,
)
from astrolabe_core.messages import (
    Answered,
    CallModel,
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
    Relay,
)
from astrolabe_core.ports import Clock, Ledger
from astrolabe_core.units import Instant, Millis, ModelId, seconds_until
from astrolabe_http.settings import Settings
from astrolabe_http.telemetry import write_circuit

_SLACK_MS: Final = 60_000
"""No call takes longer than a request may and this; a probe is not waited for any longer."""


class Vitals:
    """The health of one gateway. `log` takes a line where a circuit opens or closes."""

    def __init__(
        self, settings: Settings, catalog: Catalog, clock: Clock, log: Callable[[bytes], None]
    ) -> None:
        self.health = Health(rules=rules_of(settings))
        self._settings = settings
        self._catalog = catalog
        self._clock = clock
        self._log = log

    def look(self, *, probing: bool) -> View:
        """Give the circuits that are open; who cannot call anybody leases no probe."""
        seen, view = look(self.health, self._clock.now(), self._catalog.models)
        if probing:
            self.health = seen
        return view

    def begin(self, model: ModelId, probes: tuple[Probe, ...]) -> tuple[Probe, ...] | Barred:
        """Begin a call, and give back what it does not need."""
        now = self._clock.now()
        self.health, made = begin(self.health, model, now, probes)
        used = () if isinstance(made, Barred) else made
        self.drop(tuple(probe for probe in probes if probe not in used))
        return made

    def drop(self, probes: tuple[Probe, ...]) -> None:
        """Take leases back."""
        if probes:
            self.health = drop(self.health, self._clock.now(), probes)

    def fold(self, outcome: Outcome) -> None:
        """Take one outcome, and say which circuits that opens or closes."""
        before, self.health = self.health, fold(self.health, outcome)
        for change in changes(before, self.health):
            line = write_circuit(self._settings.log_format, change, outcome.at)
            if line:
                self._log(line)

    def blames(self, command: CallModel, fault: Fault) -> Result:
        """Say whether a fault is its model's: who had little time left is not blamed for it."""
        if (
            fault.kind is FaultKind.TIMEOUT
            and command.time_left_ms < self._settings.upstream_silence_ms
        ):
            return Result.NEUTRAL
        return result_of_fault(fault.kind)


def rules_of(settings: Settings) -> Rules:
    """Give the rules that the settings ask for."""
    return Rules(
        failures_in_row=settings.circuit_failures,
        open_ms=settings.circuit_open_ms,
        open_ms_max=settings.circuit_open_ms_max,
        probe_ms=Millis(settings.request_timeout_ms + _SLACK_MS),
    )


@frozen(kw_only=True)
class _Call:
    """A call that has begun. `first_token_at` is known of a stream only."""

    command: CallModel
    since: Instant
    probes: tuple[Probe, ...]
    first_token_at: Instant | None = None


class Watched:
    """The driver's world for one request, with an eye on who is called."""

    def __init__(self, world: World, vitals: Vitals, *, probing: bool) -> None:
        self._world = world
        self._vitals = vitals
        self._probing = probing
        self._probes: tuple[Probe, ...] = ()
        self._call: _Call | None = None

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        return self._world.clock

    @property
    def ledger(self) -> Ledger:
        """Carries out what happens to money."""
        return self._world.ledger

    async def load(self, command: Load) -> Loaded | NoCaller:
        """Take the snapshot, with the circuits that are open now."""
        event = await self._world.load(command)
        if isinstance(event, NoCaller):
            return event
        view = self._vitals.look(probing=self._probing)
        if self._probing:
            self._probes = view.probes
        if not view.circuits_open:
            return event
        return Loaded(evolve(event.snapshot, circuits_open=view.circuits_open))

    async def call(self, command: CallModel) -> Answered | Opened | Faulted | Left:
        """Ask one model, unless its circuit is open."""
        now = self.clock.now()
        made = self._vitals.begin(command.model.id, self._probes)
        self._probes = ()
        if isinstance(made, Barred):
            return Faulted(_barred(made, now), now)
        call = self._call = _Call(command=command, since=now, probes=made)
        event: Answered | Opened | Faulted | Left | None = None
        try:
            event = await self._world.call(command)
        finally:
            self._fold(call, event)
        if isinstance(event, Opened):
            self._call = evolve(call, first_token_at=event.at)
        return event

    async def relay(self, command: Relay) -> Answered | Faulted | Left:
        """Hand an open stream to the caller."""
        event: Answered | Faulted | Left | None = None
        try:
            event = await self._world.relay(command)
        finally:
            if self._call is not None:
                self._fold(self._call, event)
        return event

    async def inspect(self, command: Inspect) -> Inspected | Left:
        """Hold texts against their schemas."""
        return await self._world.inspect(command)

    async def pause(self, command: Pause) -> Paused | Left:
        """Wait, for as long as the caller stays."""
        return await self._world.pause(command)

    async def look_up(self, command: LookUp) -> LookedUp:
        """Ask the provider for its record of a call."""
        return await self._world.look_up(command)

    def seen(self) -> Receipt:
        """Give what the provider of the call under way has said so far."""
        return self._world.seen()

    def let_go(self) -> None:
        """Give back what was leased: this request begins no more calls."""
        self._vitals.drop(self._probes)
        self._probes = ()

    def _fold(self, call: _Call, event: Answered | Opened | Faulted | Left | None) -> None:
        at = self.clock.now() if event is None else event.at
        result, receipt, retry_after_ms = Result.NEUTRAL, None, None
        match event:
            case Answered(answer=answer):
                result, receipt = result_of_answer(answer), answer.receipt
            case Opened():
                result = Result.CONTENT
            case Faulted(fault=fault):
                result = self._vitals.blames(call.command, fault)
                if fault.retry_after_s is not None:
                    retry_after_ms = Millis(fault.retry_after_s * 1_000)
            case _:
                pass
        usage = None if receipt is None else receipt.usage
        first = call.first_token_at
        self._vitals.fold(
            Outcome(
                model=call.command.model.id,
                at=at,
                result=result,
                latency_ms=Millis(max(0, at - call.since)),
                first_token_ms=None if first is None else Millis(max(0, first - call.since)),
                output_tokens=None if usage is None else usage.output_tokens,
                retry_after_ms=retry_after_ms,
                probes=call.probes,
            )
        )


def _barred(barred: Barred, now: Instant) -> Fault:
    wait = seconds_until(barred.until, now)
    return Fault(
        kind=FaultKind.PROVIDER_ERROR,
        message="too many calls of this model failed of late, and none is made for now",
        retry_after_s=wait,
    )
