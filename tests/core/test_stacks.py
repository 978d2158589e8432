"""A stack is safe by default, and what cannot hold together is named with its remedy."""

from __future__ import annotations

import pytest
from attrs import evolve

from astrolabe_core.money import usd
from astrolabe_core.stacks import (
    ATTEMPTS_LIMIT,
    DEFAULT_TRIGGERS,
    Boundaries,
    Budget,
    Fallback,
    Memory,
    Objective,
    Primary,
    Rule,
    RuleVerb,
    Stack,
    Trigger,
    contradictions,
)
from astrolabe_core.units import StackSlug

PLAIN = Stack(slug=StackSlug("plain"), name="Plain")
USE_ONE = Rule(verb=RuleVerb.USE, models=("openai/gpt-5.4",))

CONTRADICTORY = [
    ("objective.priority", evolve(PLAIN, objective=Objective(primary=Primary.FIXED_PRIORITY))),
    ("objective.rules", evolve(PLAIN, objective=Objective(primary=Primary.CUSTOM_RULES))),
    ("fallback.maxAttempts", evolve(PLAIN, fallback=Fallback(max_attempts=0))),
    ("fallback.maxAttempts", evolve(PLAIN, fallback=Fallback(max_attempts=ATTEMPTS_LIMIT + 1))),
    (
        "memory.fingerprintOnly",
        evolve(PLAIN, memory=Memory(fingerprint_only=True, raw_prompt_storage=True)),
    ),
    (
        "memory.fingerprintOnly",
        evolve(PLAIN, memory=Memory(fingerprint_only=True, raw_output_storage=True)),
    ),
    ("budget.warnPercent", evolve(PLAIN, budget=Budget(warn_percent=0))),
    ("budget.warnPercent", evolve(PLAIN, budget=Budget(warn_percent=91, hard_stop_percent=90))),
]
SOUND = [
    PLAIN,
    evolve(PLAIN, objective=Objective(primary=Primary.FIXED_PRIORITY, priority=("a/b",))),
    evolve(PLAIN, objective=Objective(primary=Primary.CUSTOM_RULES, rules=(USE_ONE,))),
    evolve(PLAIN, fallback=Fallback(max_attempts=1)),
    evolve(PLAIN, fallback=Fallback(max_attempts=ATTEMPTS_LIMIT)),
    evolve(PLAIN, memory=Memory(fingerprint_only=True)),
    evolve(PLAIN, memory=Memory(raw_prompt_storage=True, raw_output_storage=True)),
    evolve(PLAIN, budget=Budget(warn_percent=1, hard_stop_percent=1, daily_usd=usd("1"))),
]


@pytest.mark.parametrize(("path", "stack"), CONTRADICTORY)
def test_a_contradiction_is_named_by_path_with_its_remedy(path: str, stack: Stack) -> None:
    (found,) = contradictions(stack)
    assert found.path == path
    assert found.message
    assert found.remedy


@pytest.mark.parametrize("stack", SOUND)
def test_what_can_hold_together_is_sound(stack: Stack) -> None:
    assert contradictions(stack) == ()


def test_all_contradictions_are_named_at_once() -> None:
    stack = evolve(PLAIN, fallback=Fallback(max_attempts=0), budget=Budget(warn_percent=0))
    assert [found.path for found in contradictions(stack)] == [
        "fallback.maxAttempts",
        "budget.warnPercent",
    ]


def test_a_stack_keeps_no_raw_text_and_learns_nothing_unless_it_says_so() -> None:
    memory = PLAIN.memory
    assert not memory.raw_prompt_storage
    assert not memory.raw_output_storage
    assert not memory.workspace_outcome_learning
    assert not memory.user_feedback_learning


def test_a_fallback_stays_in_policy_unless_the_stack_says_otherwise() -> None:
    assert PLAIN.boundaries.fallback_must_stay_in_policy


def test_an_empty_allow_list_is_not_the_absence_of_one() -> None:
    assert Boundaries(allowed_models=frozenset()) != Boundaries()


def test_a_refusal_or_a_doubt_moves_on_only_where_a_stack_says_so() -> None:
    assert frozenset(Trigger) - DEFAULT_TRIGGERS == {
        Trigger.REFUSAL,
        Trigger.VERIFIER_LOW_CONFIDENCE,
    }
