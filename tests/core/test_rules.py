"""The first rule whose whole condition holds speaks."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier
from astrolabe_core.rules import Ruling, holds, rule_for
from astrolabe_core.stacks import ANYTIME, Rule, RuleVerb, When
from tests.core.market import profile

CODING = profile()


def rule(when: When = ANYTIME) -> Rule:
    return Rule(when=when, verb=RuleVerb.USE, models=("acme/one",))


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({}, True),
        ({"categories": frozenset({Category.CODING, Category.RESEARCH})}, True),
        ({"categories": frozenset({"coding"})}, True),
        ({"categories": frozenset({Category.RESEARCH})}, False),
        ({"action_classes": frozenset({ActionClass.CODE_EDIT})}, True),
        ({"action_classes": frozenset({ActionClass.CASUAL_CHAT})}, False),
        ({"complexities": frozenset({Complexity.STANDARD})}, True),
        ({"complexities": frozenset({Complexity.SIMPLE})}, False),
        ({"lanes": frozenset({"coding"})}, True),
        ({"lanes": frozenset({"cheap"})}, False),
        ({"modifiers": frozenset({Modifier.HIGH_STAKES})}, False),
        ({"input_tokens_min": 1_000}, True),
        ({"input_tokens_min": 1_001}, False),
        ({"input_tokens_max": 1_000}, True),
        ({"input_tokens_max": 999}, False),
        ({"lanes": frozenset({"coding"}), "input_tokens_max": 999}, False),
    ],
)
def test_every_part_of_a_condition_must_hold(condition: dict[str, Any], met: bool) -> None:
    assert holds(When(**condition), CODING) is met


def test_the_first_rule_that_holds_speaks() -> None:
    never, first, second = rule(When(input_tokens_max=1)), rule(), rule()
    assert rule_for((never, first, second), CODING) == Ruling(1, first)


def test_where_no_rule_holds_none_speaks() -> None:
    assert rule_for((rule(When(input_tokens_max=1)),), CODING) is None
    assert rule_for((), CODING) is None
