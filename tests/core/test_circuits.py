"""What moves a circuit, said by hand; `tests/laws/test_health_machine.py` drives it at random."""

from __future__ import annotations

import pytest

from astrolabe_core.circuits import (
    CLOSED,
    SLOT_MS,
    TRANSITIONS,
    Circuit,
    Happening,
    Moment,
    Phase,
    Rules,
    step,
)
from astrolabe_core.units import Bps, Instant, Millis, ModelId
from tests.core.market import NOW

RULES = Rules(failures_in_row=3, calls_min=4, failures_share=Bps(5_000))
A, B, C = (ModelId(f"acme/{letter}") for letter in "abc")


def after(
    circuit: Circuit,
    *happenings: Happening,
    at: int = NOW,
    model: ModelId = A,
    probe: int = 0,
    suspects_min: int = 1,
    retry_after_ms: int | None = None,
    rules: Rules = RULES,
) -> Circuit:
    moment = Moment(
        at=Instant(at),
        rules=rules,
        model=model,
        probe=probe,
        suspects_min=suspects_min,
        retry_after_ms=None if retry_after_ms is None else Millis(retry_after_ms),
    )
    for happening in happenings:
        circuit = step(circuit, happening, moment)
    return circuit


OPEN = after(CLOSED, *[Happening.FAILED] * 3)
LEASED = after(OPEN, Happening.LOOKED, at=OPEN.until, probe=7)
PROBING = after(LEASED, Happening.BEGUN, at=LEASED.since, probe=7)


def test_a_failure_too_many_in_a_row_opens() -> None:
    assert after(CLOSED, *[Happening.FAILED] * 2).phase is Phase.CLOSED
    assert (OPEN.phase, OPEN.until - OPEN.since) == (Phase.OPEN, RULES.open_ms)
    interrupted = (*[Happening.FAILED] * 2, Happening.ANSWERED, *[Happening.FAILED] * 2)
    assert after(CLOSED, *interrupted, rules=Rules(failures_in_row=3)).phase is Phase.CLOSED


def test_too_large_a_share_of_a_minute_opens() -> None:
    shares = Rules(failures_in_row=99, calls_min=4, failures_share=Bps(5_000))
    half = (Happening.ANSWERED, Happening.FAILED) * 5
    assert after(CLOSED, *half, rules=shares).phase is Phase.CLOSED
    assert after(CLOSED, *half, Happening.FAILED, rules=shares).phase is Phase.OPEN
    few = (Happening.FAILED,) * 3
    assert after(CLOSED, *few, rules=shares).phase is Phase.CLOSED
    aged = after(CLOSED, *few, rules=shares)
    assert after(aged, Happening.FAILED, at=NOW + 60_000, rules=shares).phase is Phase.CLOSED
    assert after(aged, Happening.FAILED, at=NOW + 50_000, rules=shares).phase is Phase.OPEN


def test_what_is_kept_is_a_minute_and_nothing_of_the_future() -> None:
    circuit = CLOSED
    for second in range(200):
        circuit = after(circuit, Happening.ANSWERED, at=NOW + second * 1_000)
    assert [slot.calls for slot in circuit.slots] == [10] * 6
    back = after(circuit, Happening.ANSWERED, at=NOW)
    assert [(slot.number, slot.calls) for slot in back.slots] == [(NOW // SLOT_MS, 1)]


def test_a_provider_is_not_blamed_for_one_model() -> None:
    alone = after(CLOSED, *[Happening.FAILED] * 9, suspects_min=2)
    assert alone.phase is Phase.CLOSED
    assert after(alone, Happening.FAILED, model=B, suspects_min=2).phase is Phase.OPEN
    third = after(alone, Happening.FAILED, model=B, suspects_min=9)
    assert third.phase is Phase.OPEN
    many = Rules(failures_in_row=99, calls_min=4, failures_share=Bps(5_000))
    alone = after(CLOSED, *[Happening.FAILED] * 9, suspects_min=2, rules=many)
    assert alone.phase is Phase.CLOSED
    assert after(alone, Happening.FAILED, model=B, suspects_min=2, rules=many).phase is Phase.OPEN


def test_no_more_than_two_models_are_kept_as_suspects() -> None:
    circuit = CLOSED
    for model in (A, B, C):
        circuit = after(circuit, Happening.FAILED, model=model, rules=Rules())
    assert circuit.suspects == circuit.slots[0].suspects == (A, B)


def test_it_stays_open_twice_as_long_each_time_up_to_a_cap() -> None:
    waits, circuit = [], OPEN
    for _ in range(9):
        waits.append(circuit.until - circuit.since)
        leased = after(circuit, Happening.LOOKED, at=circuit.until, probe=1)
        circuit = after(leased, Happening.BEGUN, Happening.FAILED, at=leased.since, probe=1)
    assert waits == [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]


@pytest.mark.parametrize(("asked", "wait"), [(1, 5_000), (30_000, 30_000), (10**9, 300_000)])
def test_a_provider_that_asks_for_patience_gets_it_up_to_a_cap(asked: int, wait: int) -> None:
    failing = after(CLOSED, *[Happening.FAILED] * 2)
    opened = after(failing, Happening.FAILED, retry_after_ms=asked)
    assert opened.until - opened.since == wait


def test_the_first_who_looks_when_it_is_time_has_the_probe() -> None:
    early = after(OPEN, Happening.LOOKED, at=OPEN.until - 1, probe=7)
    assert early == OPEN
    assert (LEASED.phase, LEASED.probe) == (Phase.LEASED, 7)
    assert after(LEASED, Happening.LOOKED, at=LEASED.until - 1, probe=8) == LEASED
    late = after(LEASED, Happening.LOOKED, at=LEASED.until, probe=8)
    assert (late.phase, late.probe) == (Phase.LEASED, 8)
    assert after(late, Happening.BEGUN, probe=7) == late


def test_a_probe_whose_end_nobody_tells_is_forgotten_in_the_end() -> None:
    assert after(PROBING, Happening.LOOKED, at=PROBING.until - 1, probe=8) == PROBING
    assert after(PROBING, Happening.LOOKED, at=PROBING.until, probe=8).probe == 8


@pytest.mark.parametrize("before", [LEASED, PROBING])
def test_a_probe_that_is_given_back_is_the_next_ones(before: Circuit) -> None:
    free = after(before, Happening.DROPPED, at=NOW + 9_000, probe=7)
    assert (free.phase, free.until, free.openings) == (Phase.OPEN, NOW + 9_000, 1)
    assert after(free, Happening.LOOKED, at=NOW + 9_000, probe=8).phase is Phase.LEASED
    assert after(before, Happening.DROPPED, probe=6) == before


def test_what_the_probe_shows_counts_and_nothing_else() -> None:
    assert after(PROBING, Happening.ANSWERED, probe=7) == CLOSED
    reopened = after(PROBING, Happening.FAILED, probe=7)
    assert (reopened.phase, reopened.openings) == (Phase.OPEN, 2)
    for happening in (Happening.ANSWERED, Happening.FAILED, Happening.CONTENT):
        assert after(PROBING, happening) == PROBING
        assert after(PROBING, happening, probe=6) == PROBING


def test_content_closes_on_trial() -> None:
    trial = after(PROBING, Happening.CONTENT, probe=7)
    assert (trial.phase, trial.openings) == (Phase.CLOSED, 1)
    broken = after(trial, Happening.FAILED)
    assert (broken.phase, broken.until - broken.since) == (Phase.OPEN, 10_000)
    assert after(trial, Happening.ANSWERED).openings == 0


def test_a_clock_that_goes_back_makes_no_wait_longer() -> None:
    for circuit in (OPEN, LEASED, PROBING):
        hour_ago = circuit.since - 3_600_000
        seen = after(circuit, Happening.LOOKED, at=hour_ago, probe=9)
        assert (seen.phase, seen.probe) == (circuit.phase, circuit.probe)
        assert seen.until - hour_ago == circuit.until - circuit.since


def test_what_the_table_does_not_name_changes_nothing() -> None:
    for circuit in (CLOSED, OPEN, LEASED, PROBING):
        for happening in Happening:
            if (circuit.phase, happening) not in TRANSITIONS:
                assert after(circuit, happening, probe=7) == circuit
