"""How do models and providers fare, and which of them are not to be called now?

Every call of a model ends in an `Outcome`, and `fold` makes integer statistics of them, for each
model and for each provider, and moves their circuits. `look` gives what a snapshot needs: the
circuits that are open now, and the probes that this request may make. `begin` is asked before each
call: while a circuit is not closed nothing but its probe begins.

What is the upstream's or ours, or the request's own, says nothing of a model: a common upstream
that is away for a moment must not open every circuit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from astrolabe_core.answers import Answer, FaultKind, Finish
from astrolabe_core.catalog import Model, provider_of
from astrolabe_core.circuits import (
    CLOSED,
    DEFAULT_RULES,
    Circuit,
    Happening,
    Moment,
    Phase,
    Rules,
    step,
)
from astrolabe_core.units import (
    FULL_BPS,
    MINUTE_MS,
    Bps,
    Instant,
    Millis,
    ModelId,
    ProviderId,
    Tokens,
)

Name: TypeAlias = ModelId | ProviderId
"""Whose health: a model's id has a slash, a provider's has none."""

TRACKS_MAX: Final = 4_096
"""How many models and providers are kept in mind."""
SUSPECTS_MIN: Final = 2
"""How many of its models must fail before a provider is taken to be the reason."""
_WEIGHT: Final = 8
"""Of an average over time, a new value is one part in so many."""


class Result(StrEnum):
    """What a call said of its model. `content` is the beginning of a relayed stream."""

    CONTENT = "content"
    ANSWERED = "answered"
    FAILED = "failed"
    NEUTRAL = "neutral"


@frozen
class Probe:
    """The right to find out whether one model, or one provider, answers again."""

    name: Name
    number: int


@frozen(kw_only=True)
class Outcome:
    """How one call went. `probes` are what it had been given."""

    model: ModelId
    at: Instant
    result: Result
    latency_ms: Millis
    first_token_ms: Millis | None = None
    output_tokens: Tokens | None = None
    retry_after_ms: Millis | None = None
    probes: tuple[Probe, ...] = ()


@frozen(kw_only=True)
class Track:
    """Statistics of one model or provider; `None` is not known yet. Averages fade over time."""

    circuit: Circuit = CLOSED
    at: Instant = Instant(0)
    calls: int = 0
    failures: int = 0
    failure_share: Bps = Bps(0)
    latency_ms: Millis | None = None
    first_token_ms: Millis | None = None
    tokens_per_minute: int | None = None


@frozen(kw_only=True)
class Health:
    """All that is known of one process's calls. `impaired` are those whose circuit is not closed.

    `probes` counts the leases that were ever given.
    """

    rules: Rules = DEFAULT_RULES
    tracks: Mapping[Name, Track] = field(factory=dict)
    impaired: frozenset[Name] = frozenset()
    probes: int = 0


@frozen(kw_only=True)
class View:
    """What a request may see: models not to be called, and when each may be tried again."""

    circuits_open: Mapping[ModelId, Instant]
    probes: tuple[Probe, ...] = ()


@frozen
class Barred:
    """A call that must not begin now, and when one may."""

    until: Instant


ALL_CLOSED: Final = View(circuits_open={})
_NEW: Final = Track()


# --- what a call says ---------------------------------------------------------------------
def result_of_fault(kind: FaultKind) -> Result:
    """Say whether a fault is its model's."""
    return Result.FAILED if kind in _BLAMED else Result.NEUTRAL


def result_of_answer(answer: Answer) -> Result:
    """Say whether an answer is one: an empty or unfinished one is a failure of its model."""
    if answer.finish in _UNFINISHED:
        return Result.FAILED
    said = answer.tool_calls or answer.refusal is not None or answer.text.strip()
    stopped = answer.finish in {Finish.LENGTH, Finish.CONTENT_FILTER}
    return Result.ANSWERED if said or stopped else Result.FAILED


_BLAMED: Final = frozenset(
    {FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT, FaultKind.RATE_LIMITED},
)
_UNFINISHED: Final = frozenset({Finish.ERROR, Finish.UNKNOWN})


def fold(health: Health, outcome: Outcome) -> Health:
    """Take one outcome."""
    provider = provider_of(outcome.model)
    tracks, impaired = dict(health.tracks), health.impaired
    for name, suspects_min in ((provider, SUSPECTS_MIN), (outcome.model, 1)):
        known = tracks.get(name)
        if known is None and len(tracks) >= TRACKS_MAX:
            gone = _least_missed(tracks)
            del tracks[gone]
            impaired -= {gone}
        moment = Moment(
            at=outcome.at,
            rules=health.rules,
            model=outcome.model,
            probe=_number(outcome.probes, name),
            suspects_min=suspects_min,
            retry_after_ms=outcome.retry_after_ms,
        )
        track = tracks[name] = _tracked(known or _NEW, outcome, moment)
        if (track.circuit.phase is Phase.CLOSED) is (name in impaired):
            impaired ^= {name}
    return Health(rules=health.rules, tracks=tracks, impaired=impaired, probes=health.probes)


def _least_missed(tracks: Mapping[Name, Track]) -> Name:
    """Name the one that is closed and was not heard of for longest."""
    return min(
        tracks, key=lambda name: (tracks[name].circuit.phase is not Phase.CLOSED, tracks[name].at)
    )


def _tracked(track: Track, outcome: Outcome, moment: Moment) -> Track:
    circuit = step(track.circuit, _HAPPENINGS[outcome.result], moment)
    if outcome.result not in _COUNTED:
        return evolve(track, circuit=circuit, at=outcome.at)
    failed = outcome.result is Result.FAILED
    latency, first_token, pace = track.latency_ms, track.first_token_ms, track.tokens_per_minute
    if not failed:
        latency = Millis(_averaged(latency, outcome.latency_ms))
        if outcome.first_token_ms is not None:
            first_token = Millis(_averaged(first_token, outcome.first_token_ms))
        if outcome.output_tokens is not None:
            speaking_ms = max(1, outcome.latency_ms - (outcome.first_token_ms or 0))
            pace = _averaged(pace, outcome.output_tokens * MINUTE_MS // speaking_ms)
    return Track(
        circuit=circuit,
        at=outcome.at,
        calls=track.calls + 1,
        failures=track.failures + failed,
        failure_share=Bps(_averaged(track.failure_share, FULL_BPS if failed else 0)),
        latency_ms=latency,
        first_token_ms=first_token,
        tokens_per_minute=pace,
    )


_HAPPENINGS: Final = {
    Result.CONTENT: Happening.CONTENT,
    Result.ANSWERED: Happening.ANSWERED,
    Result.FAILED: Happening.FAILED,
    Result.NEUTRAL: Happening.DROPPED,
}
_COUNTED: Final = frozenset({Result.ANSWERED, Result.FAILED})


def _averaged(known: int | None, value: int) -> int:
    """Move an average by its share of what is new, rounded to the nearest."""
    if known is None:
        return value
    return (known * (_WEIGHT - 1) + value + _WEIGHT // 2) // _WEIGHT


def _number(probes: Iterable[Probe], name: Name) -> int:
    return next((probe.number for probe in probes if probe.name == name), 0)


# --- what may be called -------------------------------------------------------------------
def look(health: Health, at: Instant, models: Iterable[Model]) -> tuple[Health, View]:
    """Give the circuits of these models that are open now, and lease what may be tried again."""
    if not health.impaired:
        return health, ALL_CLOSED
    tracks, number, leased = dict(health.tracks), health.probes + 1, list[Probe]()

    def waits_until(name: Name) -> Instant | None:
        """Give until when a name is not to be called; `None` where it may be, by whoever looks."""
        moment = Moment(at=at, rules=health.rules, probe=number)
        circuit = step(tracks[name].circuit, Happening.LOOKED, moment)
        tracks[name] = evolve(tracks[name], circuit=circuit)
        if circuit.probe != number:
            return _free_at(circuit, at, health.rules)
        leased.append(Probe(name, number))
        return None

    names = sorted(health.impaired)
    away = {name: waits_until(name) for name in names if "/" not in name}
    shut = {
        model.id: until
        for model in (models if any(until is not None for until in away.values()) else ())
        if (until := away.get(model.provider)) is not None
    }
    for name in names:
        model = ModelId(name)
        if model in shut:
            shut[model] = max(shut[model], _free_at(tracks[name].circuit, at, health.rules))
        elif "/" in name and (until := waits_until(name)) is not None:
            shut[model] = until
    seen = evolve(health, tracks=tracks, probes=number)
    return seen, View(circuits_open=shut, probes=tuple(leased))


def _free_at(circuit: Circuit, at: Instant, rules: Rules) -> Instant:
    """Say when to try again; how long another's probe takes nobody knows."""
    if circuit.phase is Phase.PROBING:
        return Instant(at + rules.lease_ms)
    return circuit.until


def begin(
    health: Health, model: ModelId, at: Instant, probes: Collection[Probe] = ()
) -> tuple[Health, tuple[Probe, ...] | Barred]:
    """Begin a call: give the probes that it makes, or say that it must not begin.

    A call that was decided on while the circuit was closed is held to this, too.
    """
    names = [name for name in (provider_of(model), model) if name in health.impaired]
    if not names:
        return health, ()
    tracks, number, making = dict(health.tracks), health.probes + 1, list[Probe]()
    for name in names:
        held = _number(probes, name)
        moment = Moment(at=at, rules=health.rules, probe=number)
        circuit = tracks[name].circuit
        if circuit.probe != held or not held:
            circuit, held = step(circuit, Happening.LOOKED, moment), number
        if circuit.phase is not Phase.LEASED or circuit.probe != held:
            return health, Barred(_free_at(circuit, at, health.rules))
        circuit = step(circuit, Happening.BEGUN, evolve(moment, probe=held))
        tracks[name] = evolve(tracks[name], circuit=circuit)
        making.append(Probe(name, held))
    return evolve(health, tracks=tracks, probes=number), tuple(making)


def drop(health: Health, at: Instant, probes: Collection[Probe]) -> Health:
    """Give back leases that are not needed."""
    held = [probe for probe in probes if probe.name in health.impaired]
    if not held:
        return health
    tracks = dict(health.tracks)
    for probe in held:
        moment = Moment(at=at, rules=health.rules, probe=probe.number)
        circuit = step(tracks[probe.name].circuit, Happening.DROPPED, moment)
        tracks[probe.name] = evolve(tracks[probe.name], circuit=circuit)
    return evolve(health, tracks=tracks)


# --- what has changed ---------------------------------------------------------------------
@frozen
class Change:
    """A circuit that opened, or that closed: `until` is `None` then."""

    name: Name
    until: Instant | None


def changes(before: Health, after: Health) -> Iterator[Change]:
    """Say which circuits opened and closed, providers first; one may have opened again."""
    for name in sorted(before.impaired | after.impaired, key=lambda each: ("/" in each, each)):
        old = before.tracks.get(name, _NEW).circuit
        new = after.tracks.get(name, _NEW).circuit
        if new.phase is Phase.CLOSED and old.phase is not Phase.CLOSED:
            yield Change(name, None)
        elif new.openings > old.openings:
            yield Change(name, new.until)
