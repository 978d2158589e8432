"""A plan is made once, under the stack's mode, and only ever shrinks."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.catalog import Modality
from astrolabe_core.decide import Circumstances, Decision, decide
from astrolabe_core.fallback import (
    EXHAUSTED,
    Draw,
    Exhausted,
    Plan,
    advance,
    applies,
    attempts_max,
    mode_in_force,
    plan,
)
from astrolabe_core.prepare import Demand, Pool, prepare, shortlist
from astrolabe_core.scoring import Terms
from astrolabe_core.stacks import CostMode, Fallback, FallbackMode, Trigger, VerificationMode
from astrolabe_core.units import Bps, Millis
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


RULES = Fallback(triggers=frozenset({Trigger.TIMEOUT}))
DRAW = Draw(failures=1, jitter=0, time_left_ms=Millis(60_000))


def test_a_plan_shrinks_by_its_head_until_nothing_is_left() -> None:
    current = planned(FallbackMode.NEXT_BEST, 2)
    following = advance(current, None, DRAW)
    assert following == (Plan(current.options[1:]), 0)
    assert not isinstance(following, Exhausted)
    assert advance(following[0], None, DRAW) is EXHAUSTED


@pytest.mark.parametrize("trigger", [None, Trigger.RATE_LIMITED])
def test_only_a_trigger_of_the_stack_moves_on(trigger: Trigger | None) -> None:
    assert not applies(trigger, RULES, VerificationMode.LIGHT)
    assert applies(Trigger.TIMEOUT, RULES, VerificationMode.LIGHT)
