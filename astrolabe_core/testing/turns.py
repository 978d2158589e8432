"""How else could the same world be governed?

`turns` gives a case under every fallback mode, cost mode and primary, with a model named, with
everything locked, and with a stack named that is not there: what a draw may leave out.
"""

from collections.abc import Iterator

from attrs import evolve

from astrolabe_core.requests import Category, Overrides, StackRef
from astrolabe_core.resolve import LOCKABLE
from astrolabe_core.stacks import (
    CostMode,
    Fallback,
    FallbackMode,
    Primary,
    QualityTarget,
    Stack,
    VerificationMode,
)
from astrolabe_core.testing.cases import Case, own_stack, with_stack
from astrolabe_core.units import StackSlug


def turns(case: Case) -> Iterator[Case]:
    """Give the case governed otherwise; of a managed stack, only what a request may say."""
    lost = StackRef(slug=StackSlug("not-published"))
    yield _asking(case, evolve(case.request.overrides, stack=lost))
    stack = own_stack(case)
    if stack is None:
        return
    for governing in _stacks(stack):
        yield with_stack(case, governing)
    fixed = with_stack(case, evolve(stack, fallback=_falling_back(FallbackMode.FIXED_ORDER)))
    for model in case.snapshot.catalog.models:
        yield evolve(fixed, request=evolve(case.request, model=model.id))
    locked = with_stack(case, evolve(stack, locked_overrides=LOCKABLE))
    for quality in QualityTarget:
        yield _asking(locked, Overrides(quality=quality))
    for mode in VerificationMode:
        yield _asking(locked, Overrides(verification=mode))
    for fallback in (True, False):
        yield _asking(locked, Overrides(fallback=fallback))


def _stacks(stack: Stack) -> Iterator[Stack]:
    for mode in FallbackMode:
        yield evolve(stack, fallback=_falling_back(mode))
    yield evolve(stack, fallback=Fallback(enabled=False))
    never = evolve(
        _falling_back(FallbackMode.ESCALATE_QUALITY), never_escalate_categories=frozenset(Category)
    )
    yield evolve(stack, fallback=never)
    for cost_mode in CostMode:
        yield evolve(stack, objective=evolve(stack.objective, cost_mode=cost_mode))
    for primary in Primary:
        yield evolve(stack, objective=evolve(stack.objective, primary=primary, cost_mode=None))


def _falling_back(mode: FallbackMode) -> Fallback:
    return Fallback(mode=mode, max_attempts=2)


def _asking(case: Case, overrides: Overrides) -> Case:
    return evolve(case, request=evolve(case.request, overrides=overrides))
