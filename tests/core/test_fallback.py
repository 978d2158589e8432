"""A plan is made once, under the stack's mode, and only ever shrinks."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.catalog import Modality
from astrolabe_core.decide import Circumstances, Decision, decide
from astrolabe_core.fallback import (
    BACKOFF_MAX_MS,
    BACKOFF_MS,
    EXHAUSTED,
    JITTER_RANGE,
    WAIT_MAX_MS,
    Draw,
    Exhausted,
    Next,
    Plan,
    advance,
    applies,
    attempts_max,
    escalate,
    lengthen,
    mode_in_force,
    plan,
    rest,
)
from astrolabe_core.prepare import Demand, Pool, prepare, shortlist
from astrolabe_core.scoring import Terms
from astrolabe_core.stacks import CostMode, Fallback, FallbackMode, Trigger, VerificationMode
from astrolabe_core.units import Bps, Millis, Tokens
from tests.core.market import NOW, catalog, good, model, price_list, profile

# In order of price: a1, b2, a3, b4; the dearest is not the best.
MARKET = catalog(
    model("acme/1", price=price_list(output_nanos=1), quality=good(7_000)),
    model("bolt/2", price=price_list(output_nanos=2), quality=good(6_000)),
    model("acme/3", price=price_list(output_nanos=3), quality=good(9_000)),
    model("bolt/4", price=price_list(output_nanos=4), quality=good(8_000)),
)


def planned(mode: FallbackMode, attempts: int = 4, **changes: Any) -> Plan:
    names = tuple(each.id for each in MARKET.models)
    pool = Pool(name="auto", lane="auto", candidates=names, reference=names[0])
    wanted = Demand(
        needs=frozenset(),
        modalities=frozenset({Modality.TEXT}),
        untrusted=False,
        category="coding",
        terms=Terms(cost_mode=CostMode.LOWEST_PASSABLE, quality_floor=Bps(0)),
        attempts_max=attempts,
        fallback_mode=mode,
        **changes,
    )
    decision = decide(
        shortlist(prepare(pool, (), MARKET), wanted), profile(), Circumstances(at=NOW)
    )
    assert isinstance(decision, Decision)
    return plan(decision, wanted)


def ids(found: Plan) -> list[str]:
    return [option.model.id for option in found.options]


@pytest.mark.parametrize(
    ("mode", "order"),
    [
        (FallbackMode.NEXT_BEST, ["acme/1", "bolt/2", "acme/3", "bolt/4"]),
        (FallbackMode.SAME_PROVIDER, ["acme/1", "acme/3"]),
        (FallbackMode.ESCALATE_QUALITY, ["acme/1", "acme/3", "bolt/4"]),
        (FallbackMode.FIXED_ORDER, ["acme/1", "bolt/2", "acme/3", "bolt/4"]),
    ],
)
def test_each_mode_has_its_own_followers(mode: FallbackMode, order: list[str]) -> None:
    assert ids(planned(mode)) == order


def test_a_fixed_order_is_the_stacks_list_whoever_was_first() -> None:
    listed = ("bolt/4", "acme/*")
    found = planned(FallbackMode.FIXED_ORDER, fixed_order=listed)
    assert ids(found) == ["acme/1", "bolt/4", "acme/3", "bolt/2"]


def test_where_nobody_is_better_an_escalation_takes_the_next() -> None:
    found = planned(FallbackMode.ESCALATE_QUALITY, priority=("acme/3",))
    assert ids(found) == ["acme/3", "acme/1", "bolt/2", "bolt/4"]


@pytest.mark.parametrize("attempts", [1, 2, 3, 8])
@pytest.mark.parametrize("mode", FallbackMode)
def test_a_plan_has_no_more_options_than_attempts(mode: FallbackMode, attempts: int) -> None:
    assert ids(planned(mode, attempts)) == ids(planned(mode))[:attempts]


def test_the_hold_is_that_of_the_dearest_option() -> None:
    found = planned(FallbackMode.NEXT_BEST)
    assert found.head == found.options[0]
    assert found.hold == found.options[3].hold > found.head.hold


@pytest.mark.parametrize(
    ("rules", "mode", "attempts"),
    [
        (Fallback(), FallbackMode.NEXT_BEST, 3),
        (Fallback(mode=FallbackMode.ESCALATE_QUALITY), FallbackMode.ESCALATE_QUALITY, 3),
        (
            Fallback(
                mode=FallbackMode.ESCALATE_QUALITY,
                never_escalate_categories=frozenset({"coding"}),
            ),
            FallbackMode.NEXT_BEST,
            3,
        ),
        (
            Fallback(
                mode=FallbackMode.SAME_PROVIDER, never_escalate_categories=frozenset({"coding"})
            ),
            FallbackMode.SAME_PROVIDER,
            3,
        ),
        (Fallback(enabled=False, mode=FallbackMode.FIXED_ORDER), FallbackMode.NEXT_BEST, 1),
    ],
)
def test_the_mode_in_force_is_that_of_the_category(
    rules: Fallback, mode: FallbackMode, attempts: int
) -> None:
    assert mode_in_force(rules, "coding") is mode
    assert attempts_max(rules) == attempts


@pytest.mark.parametrize("mode", VerificationMode)
@pytest.mark.parametrize("trigger", Trigger)
def test_a_stack_moves_on_for_its_triggers_and_the_strict_modes_for_doubt(
    trigger: Trigger, mode: VerificationMode
) -> None:
    strict = mode in {VerificationMode.STRICT, VerificationMode.STRONG}
    doubted = trigger is Trigger.VERIFIER_LOW_CONFIDENCE
    assert applies(trigger, Fallback(triggers=frozenset({trigger})), mode)
    assert applies(trigger, Fallback(triggers=frozenset()), mode) is (strict and doubted)
    assert not applies(trigger, Fallback(enabled=False, triggers=frozenset(Trigger)), mode)
    assert not applies(None, Fallback(triggers=frozenset(Trigger)), mode)


# --- the rest of a plan -------------------------------------------------------------------
WHOLE = planned(FallbackMode.NEXT_BEST)


def after(found: Next) -> list[str]:
    return [] if isinstance(found, Exhausted) else ids(found)


def last(count: int) -> Plan:
    return Plan(WHOLE.options[-count:])


def test_a_plan_shrinks_by_its_head_until_nothing_is_left() -> None:
    assert [after(rest(last(count))) for count in (3, 2, 1)] == [
        ["acme/3", "bolt/4"],
        ["bolt/4"],
        [],
    ]


@pytest.mark.parametrize(
    ("count", "following"),
    [
        (4, ["acme/3", "bolt/4"]),  # of 7,000: the next one is worse
        (3, ["acme/3", "bolt/4"]),  # of 6,000: everybody is better
        (2, ["bolt/4"]),  # of 9,000: nobody is
        (1, []),
    ],
)
def test_an_escalation_goes_to_the_next_that_is_better_else_to_the_next(
    count: int, following: list[str]
) -> None:
    assert after(escalate(last(count))) == following


def test_what_was_cut_short_goes_to_whoever_may_say_more() -> None:
    one, two, three, four = WHOLE.options
    longer = evolve(three, output_tokens_max=Tokens(one.output_tokens_max + 1))
    assert after(lengthen(WHOLE)) == []
    assert after(lengthen(Plan((one, two, longer, four)))) == ["acme/3", "bolt/4"]
    assert after(lengthen(Plan((longer, four)))) == []


# --- waits --------------------------------------------------------------------------------
SAME = planned(FallbackMode.SAME_PROVIDER)
LOADED = (
    FaultKind.UNREACHABLE,
    FaultKind.TIMEOUT,
    FaultKind.RATE_LIMITED,
    FaultKind.PROVIDER_ERROR,
)


def failing(kind: FaultKind = FaultKind.RATE_LIMITED, retry_after_s: int | None = None) -> Fault:
    return Fault(kind=kind, message="busy", retry_after_s=retry_after_s)


def draw(failures: int = 1, jitter: int = 0, left: int = 60_000) -> Draw:
    return Draw(failures=failures, jitter=jitter, time_left_ms=Millis(left))


def wait(found: tuple[Plan, Millis] | Exhausted) -> int | None:
    return None if isinstance(found, Exhausted) else found[1]


@given(
    st.sampled_from(FaultKind),
    st.none() | st.integers(0, 20),
    st.integers(1, 8),
    st.integers(0, JITTER_RANGE - 1),
    st.integers(0, 20_000),
    st.sampled_from((WHOLE, SAME)),
)
def test_a_wait_keeps_its_bounds(
    kind: FaultKind, retry_after_s: int | None, failures: int, jitter: int, left: int, plan: Plan
) -> None:
    """It grows with each failure, honours `retry-after` and keeps nobody longer than there is."""
    fault, drawn = failing(kind, retry_after_s), draw(failures, jitter, left)
    found = advance(plan, fault, drawn)
    assert found == advance(plan, fault, drawn)
    if isinstance(found, Exhausted):
        return
    following, waited = found
    assert following.options == plan.options[-len(following.options) :] != plan.options
    assert 0 <= waited <= min(WAIT_MAX_MS, left)
    step = min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (failures - 1))
    asked = (retry_after_s or 0) * 1_000
    same = following.head.model.provider == plan.head.model.provider
    if kind not in LOADED:
        assert waited == 0
    elif same and asked >= step:
        assert waited == asked
    else:
        assert step // 2 <= waited < step


def test_a_wait_is_spread_over_its_half_and_differs_from_failure_to_failure() -> None:
    waits = {wait(advance(WHOLE, failing(), draw(1, jitter << 22))) for jitter in range(1_024)}
    assert waits == {*range(50, 100)}
    shares = {wait(advance(WHOLE, failing(), draw(failures))) for failures in range(6, 12)}
    assert len(shares) == 6  # of one length, but for the share


@pytest.mark.parametrize(
    ("plan", "retry_after_s", "left", "found"),
    [
        (SAME, 3, 60_000, ("acme/3", 3_000)),
        (SAME, 10, 60_000, ("acme/3", 10_000)),
        (SAME, 11, 60_000, None),
        (SAME, 3, 2_999, None),
        (SAME, 3_600, 60_000, None),
        (WHOLE, 3_600, 60_000, ("bolt/2", 50)),  # who is not busy is not waited for
        (WHOLE, 3, 49, None),  # and nobody, where there is no time
    ],
)
def test_who_would_have_to_be_waited_for_too_long_is_passed_over(
    plan: Plan, retry_after_s: int, left: int, found: tuple[str, int] | None
) -> None:
    moved = advance(plan, failing(retry_after_s=retry_after_s), draw(jitter=0, left=left))
    told = None if isinstance(moved, Exhausted) else (moved[0].head.model.id, moved[1] // 50 * 50)
    assert told == found


def test_a_model_of_the_same_provider_is_passed_over_for_one_of_another() -> None:
    one, two, three, four = WHOLE.options
    moved = advance(Plan((one, three, two, four)), failing(retry_after_s=60), draw())
    assert not isinstance(moved, Exhausted)
    assert ids(moved[0]) == ["bolt/2", "bolt/4"]


def test_without_a_fault_nothing_is_waited_for() -> None:
    assert advance(WHOLE, None, draw(left=0)) == (Plan(WHOLE.options[1:]), 0)
    assert advance(last(1), None, draw()) is EXHAUSTED
