"""Every law holds of every case, and the cases reach every way in which a request can end.

`LAWS` is what `astrolabe_core.testing` offers to whoever writes a policy; here they are held
against our own. What no case reaches, no law guards: so that is counted, too.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import event, given, note, settings

from astrolabe_core.canonical import digest
from astrolabe_core.codes import Code, Kind, Miss, Reason
from astrolabe_core.routing import Routed
from astrolabe_core.stacks import CostMode, FallbackMode
from astrolabe_core.testing import LAWS, Case, cases
from astrolabe_core.testing.cases import told
from astrolabe_core.testing.laws import unblocking_changes_admit
from tests.architecture.modules import ROOT
from tests.laws.corpus import corpus

CASES = 100
SEEDS = ("0", "1", "4711")


@settings(max_examples=CASES)
@given(cases())
def test_every_law_holds_of_every_case(case: Case) -> None:
    event(next(_reached(case)))
    for law in LAWS:
        note(law.__name__)
        law(case)


def test_every_law_holds_at_the_edges() -> None:
    for number, case in enumerate(corpus()):
        unblocking_changes_admit(case)
        LAWS[number % len(LAWS)](case)


def _reached(case: Case) -> Iterator[str]:
    """Name what a case shows, how it ends first."""
    routing = case.route()
    if isinstance(routing, Routed):
        decision, demand = routing.decision, routing.shortlist.demand
        yield decision.kind
        yield demand.terms.cost_mode
        if len(routing.plan.options) > 1:
            yield demand.fallback_mode
        yield from (miss for score in routing.survey().accepted for miss in score.misses)
        yield from (each.reason for out in routing.survey().rejected for each in out.rejections)
        return
    yield routing.refusal.code
    if routing.blocked is not None:
        yield "unblockable" if routing.blocked.unblock else "hopeless"
        yield from (each.reason for out in routing.blocked.rejected for each in out.rejections)


@pytest.fixture(scope="module")
def reached() -> Counter[str]:
    return Counter(fact for case in corpus() for fact in set(_reached(case)))


@pytest.mark.parametrize(
    "fact",
    [
        *(Kind.SELECTED, Kind.RELAXED, Kind.SOLE_CANDIDATE, Kind.PINNED),
        *(Code.ROUTING_POLICY_BLOCKED, Code.CONTEXT_LENGTH_EXCEEDED, Code.FORBIDDEN),
        *(Code.ROUTING_STACK_NOT_FOUND, Code.INVALID_ROUTING_OVERRIDE),
        *("unblockable", "hopeless"),
        *(*Reason, *Miss, *CostMode, *FallbackMode),
    ],
)
def test_the_cases_reach(fact: str, reached: Counter[str]) -> None:
    assert reached[fact]


def test_half_of_the_cases_are_decided(reached: Counter[str]) -> None:
    kinds = (Kind.SELECTED, Kind.RELAXED, Kind.SOLE_CANDIDATE, Kind.PINNED)
    assert sum(reached[kind] for kind in kinds) * 2 >= len(corpus())


TELL = """
import pickle, sys
from astrolabe_core.canonical import digest
from astrolabe_core.testing.cases import told
from astrolabe_core.testing.laws import unblocking_changes_admit
for case in pickle.load(sys.stdin.buffer):
    print(digest(told(case.route())))
"""


def test_the_answer_is_the_same_whatever_the_hash_seed(tmp_path: Path) -> None:
    some = corpus()[:: len(corpus()) // CASES]
    here = [digest(told(case.route())) for case in some]
    for seed in SEEDS:
        there = subprocess.run(
            [sys.executable, "-c", TELL],
            input=pickle.dumps(some),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
        assert there.stdout.decode().split() == here
