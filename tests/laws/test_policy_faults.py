"""Each seeded fault of the policy is seen by every law that claims to see it.

The cases are drawn once, without a fault; each fault is then planted and the laws look at the
cases up to the first at which they break.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from astrolabe_core.testing import LAWS, Case
from tests.core.test_fronts import who_is_always_ahead_ranks_ahead
from tests.laws.corpus import corpus
from tests.laws.faults import Fault
from tests.laws.planting import planted
from tests.laws.policy_faults import POLICY_FAULTS
from tests.laws.test_oracle import answer, world
from tests.oracle.routing import decide


@cache
def expected() -> dict[int, dict[str, Any]]:
    """Give what the oracle says of each case: no fault of the core changes that."""
    return {id(case): decide(world(case)) for case in corpus()}


def the_oracle_agrees(case: Case) -> None:
    assert answer(case) == expected()[id(case)]


CHECKS: dict[str, Callable[[Case], None]] = {
    **{law.__name__: law for law in LAWS},
    "the_oracle_agrees": the_oracle_agrees,
    "who_is_always_ahead_ranks_ahead": who_is_always_ahead_ranks_ahead,
}


def breaks(check: Callable[[Case], None]) -> bool:
    for case in corpus():
        try:
            check(case)
        except Exception:  # noqa: BLE001 - a fault may show as anything
            return True
    return False


@pytest.mark.parametrize("fault", POLICY_FAULTS, ids=lambda fault: fault.name)
def test_the_laws_see(fault: Fault) -> None:
    expected()
    with planted(fault):
        blind = [name for name in fault.caught_by if not breaks(CHECKS[name])]
    assert fault.caught_by
    assert not blind


def test_no_two_faults_have_the_same_name() -> None:
    assert len({fault.name for fault in POLICY_FAULTS}) == len(POLICY_FAULTS)


def test_a_fault_is_taken_out_again() -> None:
    with planted(POLICY_FAULTS[0]):
        pass
    for check in CHECKS.values():
        check(corpus()[0])
