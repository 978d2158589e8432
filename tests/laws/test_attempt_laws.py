"""Whatever the policy, the catalog, the request and what comes of each call: promises are kept.

The walked scenarios are few worlds with every outcome; here are many worlds, drawn, with one script
of outcomes each.
"""

from __future__ import annotations

from collections import Counter
from itertools import cycle
from typing import Final

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from astrolabe_core.answers import FaultKind, Finish, Receipt
from astrolabe_core.conformity import Conformity
from astrolabe_core.messages import Abandoned, Arrival, Refused, Served, Settle
from astrolabe_core.stacks import VerificationMode
from astrolabe_core.testing import Case, cases
from astrolabe_core.units import Instant, Millis
from tests.flow.promises import PROMISES, routed
from tests.flow.walk import History, Outcome, Scenario, fails, grades, leaves, play, says
from tests.flow.world import IMPOSSIBLE, USAGE

LIMIT_MS: Final = 60_000
ANSWERS: Final[tuple[Outcome, ...]] = (
    says(),
    says(),
    says('{"by": "{model}", "at": {at}}'),
    says(" "),
    says(finish=Finish.LENGTH),
    says("", refusal="no"),
    says("", calls=("send_email",)),
    says("", calls=("read_file",)),
    says(receipt=Receipt(generation="gen-1")),
    says(receipt=Receipt(usage=IMPOSSIBLE, generation="gen-1")),
)
FAULTS: Final[tuple[Outcome, ...]] = (
    *(fails(kind) for kind in FaultKind),
    fails(FaultKind.RATE_LIMITED, retry_after_s=2),
)
GONE: Final[tuple[Outcome, ...]] = (leaves(), leaves(Receipt(usage=USAGE, generation="gen-1")))
GRADES: Final[tuple[Outcome, ...]] = (
    *(grades(score) for score in range(1, 6)),
    says("no grade"),
    fails(),
)


def scenario(case: Case) -> Scenario:
    """Give a case as a scenario in which anything may come of each command."""
    begun = case.snapshot.at
    asked = evolve(case.request, received_at=begun)
    late = fails(FaultKind.TIMEOUT, at=Instant(begun + LIMIT_MS))
    return Scenario(
        name="drawn",
        arrival=Arrival(
            request=asked, key_hash="h", time_limit_ms=Millis(LIMIT_MS), jitter=12_345_678
        ),
        snapshot=case.snapshot,
        calls=(*ANSWERS, *FAULTS, *FAULTS, late, *GONE),
        relays=(*ANSWERS, *FAULTS, *GONE),
        grades=(*GRADES, *GONE),
        found=(Conformity(fitting=0), Conformity(flaws=("/by",)), Conformity(checked=False), None),
        records=(Receipt(usage=USAGE), Receipt(usage=IMPOSSIBLE), None),
        overslept_ms=(0, 0, 0, LIMIT_MS),
    )


SCRIPTS = st.lists(st.sampled_from(range(997)), min_size=12, max_size=30)


def played(case: Case, script: list[int]) -> History:
    """Play a case by a script; where that ends, it begins again. Few leave before any call."""
    numbers = cycle(script)

    def choose(count: int) -> int:
        number = next(numbers)
        return number % 11 == 0 if count == 2 else number % count

    return play(scenario(case), choose)


@pytest.fixture(scope="module")
def reached() -> Counter[object]:
    """Play a script in each of many worlds, hold the promises, and count what was reached."""
    found: Counter[object] = Counter()

    @settings(max_examples=25)
    @given(cases(), SCRIPTS)
    def play_all(mode: VerificationMode, case: Case, script: list[int]) -> None:
        overrides = evolve(case.request.overrides, verification=mode)
        case = evolve(case, request=evolve(case.request, overrides=overrides))
        for turn in range(0, len(script), 3):
            history = played(case, script[turn:] + script[:turn])
            event(type(history.reply).__name__)
            if any(isinstance(one, Settle) for one in history.commands):
                for promise in PROMISES:
                    promise(history)
                found.update((type(history.reply), routed(history).verification))
                found["again"] += len(history.calls) > 1

    for mode in VerificationMode:
        play_all(mode)
    return found


@pytest.mark.parametrize("what", [Served, Refused, Abandoned, "again", *VerificationMode])
def test_every_promise_is_kept_and_the_worlds_reach(what: object, reached: Counter[object]) -> None:
    assert reached[what] >= 5
