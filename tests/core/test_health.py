"""What calls say of models and providers; `tests/laws/test_health_machine.py` is its other half."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core import health as module
from astrolabe_core.answers import Answer, FaultKind, Finish, ToolCall
from astrolabe_core.circuits import Phase, Rules
from astrolabe_core.health import (
    ALL_CLOSED,
    Barred,
    Change,
    Health,
    Outcome,
    Probe,
    Result,
    begin,
    changes,
    drop,
    fold,
    look,
    result_of_answer,
    result_of_fault,
)
from astrolabe_core.units import Instant, Millis, ModelId, ProviderId, Tokens
from tests.core.market import NOW, model

ONE, TWO, OTHER = model("acme/one"), model("acme/two"), model("zen/other")
MODELS = (ONE, TWO, OTHER)
RULES = Rules(failures_in_row=2)
EMPTY = Health(rules=RULES)


def told(health: Health, *results: Result, of: ModelId = ONE.id, **known: Any) -> Health:
    plain = {"at": NOW, "latency_ms": Millis(1_000)}
    for result in results:
        health = fold(health, Outcome(model=of, result=result, **(plain | known)))
    return health


BROKEN = told(EMPTY, Result.FAILED, Result.FAILED)
DUE = Instant(NOW + RULES.open_ms)


@pytest.mark.parametrize("kind", list(FaultKind))
def test_only_a_models_own_faults_are_held_against_it(kind: FaultKind) -> None:
    """A common upstream that is away for a moment must not open every circuit."""
    blamed = {FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT, FaultKind.RATE_LIMITED}
    assert result_of_fault(kind) is (Result.FAILED if kind in blamed else Result.NEUTRAL)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer(finish=Finish.STOP, texts=("Hello.",)), Result.ANSWERED),
        (Answer(finish=Finish.TOOL_CALLS, tool_calls=(ToolCall(name="f"),)), Result.ANSWERED),
        (Answer(finish=Finish.STOP, refusal="No."), Result.ANSWERED),
        (Answer(finish=Finish.LENGTH), Result.ANSWERED),
        (Answer(finish=Finish.CONTENT_FILTER), Result.ANSWERED),
        (Answer(finish=Finish.STOP, texts=(" \n",)), Result.FAILED),
        (Answer(finish=Finish.UNKNOWN, texts=("Hel",)), Result.FAILED),
        (Answer(finish=Finish.ERROR, texts=("Hel",)), Result.FAILED),
    ],
)
def test_an_empty_or_unfinished_answer_is_a_failure(answer: Answer, result: Result) -> None:
    assert result_of_answer(answer) is result


def test_calls_become_statistics_of_model_and_provider() -> None:
    known: dict[str, Any] = {"first_token_ms": Millis(200), "output_tokens": Tokens(80)}
    found = told(EMPTY, Result.ANSWERED, **known)
    found = told(found, Result.ANSWERED, of=TWO.id, latency_ms=Millis(1_800))
    found = told(found, Result.FAILED, Result.NEUTRAL, Result.CONTENT, of=TWO.id)
    first, provider = found.tracks[ONE.id], found.tracks[ProviderId("acme")]
    assert (first.calls, first.failures, first.failure_share) == (1, 0, 0)
    assert (first.latency_ms, first.first_token_ms) == (1_000, 200)
    assert first.tokens_per_minute == 80 * 60_000 // 800
    assert (provider.calls, provider.failures, provider.failure_share) == (3, 1, 1_250)
    assert (provider.latency_ms, provider.first_token_ms) == (1_100, 200)
    assert provider.tokens_per_minute == 6_000


def test_an_average_comes_to_where_the_values_are() -> None:
    found = told(EMPTY, Result.ANSWERED)
    for _ in range(60):
        found = told(found, Result.ANSWERED, latency_ms=Millis(250), output_tokens=Tokens(0))
    assert found.tracks[ONE.id].latency_ms in range(250, 255)
    assert found.tracks[ONE.id].tokens_per_minute == 0


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRACKS_MAX", 4)
    found = BROKEN
    for number in range(20):
        name = ModelId(f"v{number}/m")
        found = told(found, Result.ANSWERED, of=name, at=Instant(NOW + number))
        assert len(found.tracks) <= 4
    # What is open is kept longest, and the latest is there.
    assert {ONE.id, "v19/m"} <= found.tracks.keys()
    assert found.impaired == {ONE.id}


def test_where_all_is_well_a_look_costs_nothing() -> None:
    well = told(EMPTY, Result.ANSWERED)
    assert look(well, NOW, MODELS) == (well, ALL_CLOSED)
    assert begin(well, ONE.id, NOW) == (well, ())
    assert drop(well, NOW, (Probe(ONE.id, 1),)) == well


def test_an_open_circuit_is_seen_until_one_request_may_try() -> None:
    _, view = look(BROKEN, NOW, MODELS)
    assert view.circuits_open == {ONE.id: DUE}
    seen, view = look(BROKEN, DUE, MODELS)
    assert (view.circuits_open, view.probes) == ({}, (Probe(ONE.id, 1),))
    _, other = look(seen, DUE, MODELS)
    assert (other.circuits_open, other.probes) == ({ONE.id: DUE + RULES.lease_ms}, ())
    trying, probes = begin(seen, ONE.id, DUE, view.probes)
    assert probes == view.probes
    _, other = look(trying, Instant(DUE + 60_000), MODELS)
    assert other.circuits_open == {ONE.id: DUE + 60_000 + RULES.lease_ms}
    assert told(trying, Result.ANSWERED, probes=probes).impaired == set()


def test_a_call_on_an_open_circuit_does_not_begin_whenever_it_was_decided() -> None:
    assert begin(BROKEN, ONE.id, NOW) == (BROKEN, Barred(DUE))
    trying, probes = begin(BROKEN, ONE.id, DUE)
    assert probes == (Probe(ONE.id, 1),)
    assert begin(trying, ONE.id, DUE) == (trying, Barred(Instant(DUE + RULES.lease_ms)))
    # A lease serves for one call.
    assert isinstance(begin(trying, ONE.id, DUE, (Probe(ONE.id, 1),))[1], Barred)


def test_a_provider_whose_models_fail_takes_all_of_them_along() -> None:
    away = told(EMPTY, Result.FAILED)
    away = told(away, Result.FAILED, of=TWO.id)
    assert away.impaired == {"acme"}
    _, view = look(away, NOW, MODELS)
    assert view.circuits_open == {ONE.id: DUE, TWO.id: DUE}
    seen, view = look(away, DUE, MODELS)
    assert view == module.View(circuits_open={}, probes=(Probe(ProviderId("acme"), 1),))
    trying, probes = begin(seen, TWO.id, DUE, view.probes)
    assert probes == view.probes
    assert isinstance(begin(trying, ONE.id, DUE)[1], Barred)
    assert told(trying, Result.FAILED, of=TWO.id, probes=view.probes).impaired == {"acme", TWO.id}


def test_who_is_away_twice_is_away_until_the_later_of_both() -> None:
    later = Instant(NOW + 1_000)
    both = told(told(EMPTY, Result.FAILED), Result.FAILED, of=TWO.id)
    both = told(both, Result.FAILED, of=TWO.id, at=later)
    assert both.impaired == {"acme", TWO.id}
    _, view = look(both, DUE, ())
    # The provider may be probed, but not with a model whose own time has not come.
    assert view == module.View(
        circuits_open={TWO.id: Instant(later + RULES.open_ms)},
        probes=(Probe(ProviderId("acme"), 1),),
    )
    _, view = look(both, NOW, MODELS)
    assert view.circuits_open == {ONE.id: DUE, TWO.id: later + RULES.open_ms}
    assert begin(both, TWO.id, DUE)[1] == Barred(Instant(later + RULES.open_ms))


def test_a_lease_that_is_not_needed_is_given_back() -> None:
    seen, view = look(BROKEN, DUE, MODELS)
    free = drop(seen, DUE, view.probes)
    assert look(free, DUE, MODELS)[1].probes == (Probe(ONE.id, 2),)
    assert free.tracks[ONE.id].circuit.phase is Phase.OPEN
    trying, probes = begin(seen, ONE.id, DUE, view.probes)
    assert isinstance(probes, tuple)
    neutral = told(trying, Result.NEUTRAL, probes=probes, at=DUE)
    assert [probe.name for probe in look(neutral, DUE, MODELS)[1].probes] == [ONE.id]


def test_what_opens_and_closes_is_told() -> None:
    assert list(changes(EMPTY, BROKEN)) == [Change(ONE.id, DUE)]
    assert list(changes(BROKEN, BROKEN)) == []
    trying, probes = begin(BROKEN, ONE.id, DUE)
    assert list(changes(BROKEN, trying)) == []
    assert isinstance(probes, tuple)
    again = told(trying, Result.FAILED, probes=probes, at=DUE)
    assert list(changes(trying, again)) == [Change(ONE.id, Instant(DUE + 2 * RULES.open_ms))]
    well = told(trying, Result.ANSWERED, probes=probes, at=DUE)
    assert list(changes(trying, well)) == [Change(ONE.id, None)]
