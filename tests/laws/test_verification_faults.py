"""Each seeded fault of verification is seen by every test that claims to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from astrolabe_core import verifier
from tests.core import (
    test_checks,
    test_conformity,
    test_grading,
    test_repair,
    test_verification,
    test_verifier,
)
from tests.laws.faults import Fault
from tests.laws.planting import planted
from tests.laws.verification_faults import VERIFICATION_FAULTS

Test = Callable[..., None]
TESTS: dict[str, Test] = {
    name: each
    for module in (
        test_checks,
        test_conformity,
        test_grading,
        test_repair,
        test_verification,
        test_verifier,
    )
    for name, each in vars(module).items()
    if name.startswith("test_")
}


def cases(test: Test) -> Iterator[dict[str, Any]]:
    """Give the arguments of each case of a test, as pytest would."""
    tables = []
    for mark in getattr(test, "pytestmark", []):
        names, rows = mark.args
        single = isinstance(names, str) and "," not in names
        keys = [names] if single else names
        tables.append([dict(zip(keys, [row] if single else row, strict=True)) for row in rows])
    for chosen in product(*tables):
        yield {key: value for part in chosen for key, value in part.items()}


def breaks(test: Test) -> bool:
    for arguments in cases(test):
        verifier._judges.cache_clear()
        try:
            test(**arguments)
        except Exception:  # noqa: BLE001 - a fault may show as anything
            return True
    return False


@pytest.mark.parametrize("fault", VERIFICATION_FAULTS, ids=lambda fault: fault.name)
def test_the_tests_see(fault: Fault) -> None:
    with planted(fault):
        blind = [name for name in fault.caught_by if not breaks(TESTS[name])]
    verifier._judges.cache_clear()
    assert fault.caught_by
    assert not blind


def test_no_two_faults_have_the_same_name() -> None:
    assert len({fault.name for fault in VERIFICATION_FAULTS}) == len(VERIFICATION_FAULTS)


@pytest.mark.parametrize(
    "name", sorted({name for fault in VERIFICATION_FAULTS for name in fault.caught_by})
)
def test_without_a_fault_they_pass(name: str) -> None:
    assert not breaks(TESTS[name])
