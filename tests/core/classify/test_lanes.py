from __future__ import annotations

import pytest

from astrolabe_core.classify.lanes import LANES, choose_lane
from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier
from astrolabe_core.shipped import virtual_models

CHAT = (Category.CORE_LOOP, ActionClass.CASUAL_CHAT, Complexity.STANDARD)


@pytest.mark.parametrize("lane", sorted(LANES - {"auto"}))
@pytest.mark.parametrize("form", ["astrolabe/{}", "{}", "astrolabe/{}@own-stack"])
def test_a_lane_that_is_named_is_taken(lane: str, form: str) -> None:
    kind = (Category.HIGH_STAKES, ActionClass.HIGH_STAKES, Complexity.CRITICAL)
    assert choose_lane(form.format(lane), *kind, frozenset()) == lane


@pytest.mark.parametrize("model", ["auto", "astrolabe/auto", "openai/gpt-5.4", "other/coding"])
def test_any_other_name_leaves_it_to_the_classification(model: str) -> None:
    assert choose_lane(model, *CHAT, frozenset()) == "auto"


@pytest.mark.parametrize(
    ("category", "action_class", "complexity", "modifiers", "lane"),
    [
        (Category.HIGH_STAKES, ActionClass.HIGH_STAKES, Complexity.COMPLEX, (), "safe"),
        (*CHAT, (Modifier.APPROVAL_REQUIRED,), "safe"),
        (Category.CODING, ActionClass.VISION_ANALYSIS, Complexity.SIMPLE, (), "vision"),
        (*CHAT, (Modifier.NEEDS_STRICT_SCHEMA,), "strict-json"),
        (Category.CODING, ActionClass.CODE_EDIT, Complexity.SIMPLE, (), "coding"),
        (Category.RESEARCH, ActionClass.RESEARCH_SYNTHESIS, Complexity.STANDARD, (), "research"),
        (Category.RETRIEVAL, ActionClass.RESEARCH_SYNTHESIS, Complexity.SIMPLE, (), "research"),
        (Category.CORE_LOOP, ActionClass.BROWSER_RESEARCH, Complexity.SIMPLE, (), "research"),
        (*CHAT, (Modifier.LONG_CONTEXT,), "research"),
        (*CHAT, (Modifier.PRICE_SENSITIVE,), "cheap"),
        (Category.HEARTBEAT, ActionClass.CASUAL_CHAT, Complexity.SIMPLE, (), "cheap"),
        (Category.CORE_LOOP, ActionClass.CASUAL_CHAT, Complexity.SIMPLE, (), "cheap"),
        (Category.SUMMARIZATION, ActionClass.RESEARCH_SYNTHESIS, Complexity.SIMPLE, (), "cheap"),
        (Category.SUMMARIZATION, ActionClass.RESEARCH_SYNTHESIS, Complexity.COMPLEX, (), "auto"),
        (Category.CORE_LOOP, ActionClass.ACTIVE_SESSION, Complexity.COMPLEX, (), "auto"),
    ],
)
def test_the_classification_calls_for_a_lane(
    category: Category,
    action_class: ActionClass,
    complexity: Complexity,
    modifiers: tuple[Modifier, ...],
    lane: str,
) -> None:
    assert choose_lane("auto", category, action_class, complexity, frozenset(modifiers)) == lane


def test_the_lanes_are_those_of_the_virtual_models() -> None:
    assert {model.lane for model in virtual_models()} == LANES
