"""Each seeded fault of attempts breaks a promise in the scenarios that it names."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.flow.promises import PROMISES
from tests.flow.scenarios import SCENARIOS
from tests.flow.walk import Scenario, walk
from tests.laws.attempt_faults import ATTEMPT_FAULTS
from tests.laws.faults import Fault
from tests.laws.planting import planted

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
HISTORIES_MAX = 5_000
"""A fault may make a request go on for ever."""


def breaks(scenarios: Iterable[Scenario]) -> bool:
    for scenario in scenarios:
        try:
            for number, history in enumerate(walk(scenario)):
                assert number < HISTORIES_MAX
                for promise in PROMISES:
                    promise(history)
        except Exception:  # noqa: BLE001 - a fault may show as anything
            return True
    return False


@pytest.mark.parametrize("fault", ATTEMPT_FAULTS, ids=lambda fault: fault.name)
def test_the_promises_see(fault: Fault) -> None:
    with planted(fault):
        assert breaks(NAMED[name] for name in fault.caught_by)


def test_no_two_faults_or_scenarios_have_the_same_name() -> None:
    assert len({fault.name for fault in ATTEMPT_FAULTS}) == len(ATTEMPT_FAULTS)
    assert len(NAMED) == len(SCENARIOS)


def test_without_a_fault_no_promise_breaks() -> None:
    """What else is to be seen by it that a fault is seen?"""
    assert not breaks(NAMED[name] for name in ("fallback", "strict", "usage on record"))
