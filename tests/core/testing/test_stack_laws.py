"""The laws of stacks try every override, and every level that may name a stack."""

from __future__ import annotations

import pytest

from astrolabe_core.stacks import Objective, Verification, VerificationMode
from astrolabe_core.testing.cases import Case
from astrolabe_core.testing.stack_laws import STACK_LAWS
from astrolabe_core.units import Millis
from tests.core.market import SLUG, caller, model, published, request, snapshot, stack


@pytest.mark.parametrize(
    "who",
    [
        caller(published(stack()), key_stack=SLUG),
        caller(published(stack()), workspace_stack=SLUG),
        caller(published(stack())),
    ],
)
def test_they_hold_wherever_a_stack_is_named(who: object) -> None:
    for law in STACK_LAWS:
        law(Case(request=request(), snapshot=snapshot(model(), caller=who)))


def test_they_hold_of_a_stack_with_a_target_and_modes_of_its_own() -> None:
    governing = stack(
        objective=Objective(latency_slo_ms=Millis(900)),
        verification=Verification(schema_mode=VerificationMode.STRONG),
    )
    for law in STACK_LAWS:
        law(Case(request=request(), snapshot=snapshot(model(), governing=governing)))
