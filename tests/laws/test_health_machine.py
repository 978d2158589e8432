"""Whatever becomes of calls in whatever order, circuits open and close as the rules say.

A state machine drives the pure health with requests that look, begin calls, leave them, and tell
late how they went, under a clock that also goes back. After each step the circuits are compared
with `tests/oracle/health.py`, which shares no code with them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from astrolabe_core.circuits import Phase, Rules
from astrolabe_core.health import (
    Barred,
    Health,
    Outcome,
    Probe,
    Result,
    begin,
    drop,
    fold,
    look,
)
from astrolabe_core.units import Bps, Instant, Millis, ModelId
from tests.core.market import NOW, model
from tests.oracle import health as naive

MODELS = [model(name) for name in ("acme/a", "acme/b", "acme/c", "zen/only")]
RULES = Rules(
    failures_in_row=naive.IN_ROW,
    calls_min=naive.CALLS,
    failures_share=Bps(naive.PERCENT * 100),
    open_ms=Millis(naive.OPEN),
    open_ms_max=Millis(naive.OPEN_MAX),
    lease_ms=Millis(naive.LEASE),
    probe_ms=Millis(naive.PROBE),
)
LETTERS = {"f": Result.FAILED, "a": Result.ANSWERED, "c": Result.CONTENT}
REACHED: Counter[str] = Counter()


@define
class Asking:
    """A request: what it may probe, and the call that it makes, if any."""

    held: tuple[Probe, ...] = ()
    calling: ModelId | None = None
    begun: int = 0


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.health = Health(rules=RULES)
        self.naive = naive.World([each.id for each in MODELS])
        self.at = int(NOW)
        self.requests: list[Asking] = []

    def now(self) -> Instant:
        return Instant(self.at)

    @rule(ms=st.sampled_from([1, 40, 99, 100, 101, 999, 1_000, 2_500, 10_000, 21_000, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.at += ms

    @rule(ms=st.sampled_from([0, 0, 0, 1, 1_000, 3_600_000]))
    def the_clock_goes_back(self, ms: int) -> None:
        self.at -= ms

    @rule()
    def a_request_looks(self) -> None:
        self.health, view = look(self.health, self.now(), MODELS)
        shut, got = self.naive.look(self.at)
        assert dict(view.circuits_open) == shut
        assert plain(view.probes) == got
        self.requests.append(Asking(held=view.probes))

    @rule(
        which=st.sampled_from([each.id for each in MODELS]).flatmap(
            lambda one: st.lists(st.sampled_from([one, one, MODELS[0].id]), min_size=3, max_size=6)
        ),
        results=st.sampled_from(["fff", "ffffff", "fffaff", "affaff", "cf", "a"]),
        wait=st.sampled_from([0, 0, 0, 300, 1_100, 7_000]),
    )
    def calls_end_in_a_row(self, which: list[ModelId], results: str, wait: int) -> None:
        """Without this few circuits would ever open."""
        for each, letter in zip(which, results, strict=False):
            self.at += wait
            self.a_request_looks()
            asking = self.requests.pop()
            self._begin(asking, each)
            if asking.calling is None:
                self.drop(asking)
            else:
                self.tell(asking, LETTERS[letter])

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), which=st.sampled_from([each.id for each in MODELS]))
    def a_request_begins_a_call(self, data: Any, which: ModelId) -> None:
        asking = data.draw(st.sampled_from(self.requests))
        if asking.calling is None:
            self._begin(asking, which)

    def _begin(self, asking: Asking, which: ModelId) -> None:
        self.health, made = begin(self.health, which, self.now(), asking.held)
        used = self.naive.begin(which, self.at, plain(asking.held))
        if isinstance(made, Barred):
            REACHED["barred"] += 1
            assert used is None
            return
        assert plain(made) == used
        rest = tuple(probe for probe in asking.held if probe not in made)
        self.health = drop(self.health, self.now(), rest)
        self.naive.drop(self.at, plain(rest))
        asking.held, asking.calling, asking.begun = made, which, self.at

    @precondition(lambda self: any(each.calling for each in self.requests))
    @rule(
        data=st.data(),
        result=st.sampled_from([*Result, Result.FAILED, Result.FAILED, Result.FAILED]),
        asked=st.sampled_from([None, 2_000, 60_000]),
    )
    def a_call_says_how_it_goes(self, data: Any, result: Result, asked: int | None) -> None:
        asking = data.draw(st.sampled_from([each for each in self.requests if each.calling]))
        assert asking.calling is not None
        self.tell(asking, result, asked)
        if result is not Result.CONTENT:
            self.requests.remove(asking)

    def tell(self, asking: Asking, result: Result, asked: int | None = None) -> None:
        assert asking.calling is not None
        REACHED[f"{result} {'probe' if asking.held else 'call'}"] += 1
        outcome = Outcome(
            model=asking.calling,
            at=self.now(),
            result=result,
            latency_ms=Millis(max(0, self.at - asking.begun)),
            retry_after_ms=None if asked is None else Millis(asked),
            probes=asking.held,
        )
        self.health, before = fold(self.health, outcome), self.health
        assert fold(before, outcome) == self.health
        self.naive.end(asking.calling, self.at, result.value, plain(asking.held), asked or 0)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def a_request_leaves(self, data: Any) -> None:
        asking = data.draw(st.sampled_from(self.requests))
        self.drop(asking)
        self.requests.remove(asking)

    def drop(self, asking: Asking) -> None:
        self.health = drop(self.health, self.now(), asking.held)
        self.naive.drop(self.at, plain(asking.held))

    @invariant()
    def both_say_the_same(self) -> None:
        shut = {each for each, name in self.naive.names.items() if name.shut}
        assert self.health.impaired == shut
        for name, track in self.health.tracks.items():
            known, circuit = self.naive.names[name], track.circuit
            assert (circuit.phase is Phase.PROBING) is known.at_work
            assert circuit.openings == known.openings
            if known.shut:
                assert (circuit.since, circuit.until) == (known.begun, known.until)
                assert (circuit.probe or None) == known.holder

    @invariant()
    def at_most_one_call_probes_a_circuit(self) -> None:
        probing = Counter(
            probe
            for asking in self.requests
            if asking.calling is not None
            for probe in asking.held
            if self.health.tracks[probe.name].circuit.probe == probe.number
        )
        names = Counter(probe.name for probe in probing.elements())
        assert not names or max(names.values()) == 1

    def teardown(self) -> None:
        """Whoever is let through and is answered: every circuit closes in the end."""
        for name in self.health.impaired:
            REACHED[f"{self.health.tracks[name].circuit.phase} at the end"] += 1
        rounds = 0
        while self.health.impaired:
            rounds += 1
            assert rounds < 10
            self.at += naive.PROBE + 1
            for each in MODELS:
                self.health, view = look(self.health, self.now(), MODELS)
                self.health, made = begin(self.health, each.id, self.now(), view.probes)
                if not isinstance(made, Barred):
                    outcome = Outcome(
                        model=each.id,
                        at=self.now(),
                        result=Result.ANSWERED,
                        latency_ms=Millis(1),
                        probes=made,
                    )
                    self.health = fold(self.health, outcome)
                self.health = drop(self.health, self.now(), view.probes)
        assert look(self.health, self.now(), MODELS)[1].circuits_open == {}


def plain(probes: tuple[Probe, ...]) -> dict[str, int]:
    return {probe.name: probe.number for probe in probes}


def test_circuits_and_their_naive_twin_agree_and_always_recover() -> None:
    REACHED.clear()
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )
    for each in ("barred", "failed probe", "answered probe", "content probe", "neutral probe"):
        assert REACHED[each], REACHED
    for phase in (Phase.OPEN, Phase.LEASED, Phase.PROBING):
        assert REACHED[f"{phase} at the end"], phase
