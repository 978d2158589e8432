"""What a request carries stays out of sight, and a stack reference reads as a caller writes it."""

from __future__ import annotations

import pytest

from astrolabe_core.requests import (
    NO_OVERRIDES,
    ActionClass,
    Category,
    Complexity,
    Modifier,
    Request,
    Role,
    StackRef,
    Surface,
    Turn,
    ask,
)
from astrolabe_core.stacks import ToolProfile
from astrolabe_core.units import Instant, RequestId, StackSlug

SECRET = "the patient's name is Ada"


def request(text: str, body: dict[str, object]) -> Request:
    return Request(
        id=RequestId("req_1"),
        received_at=Instant(0),
        surface=Surface.CHAT,
        model="auto",
        turns=(Turn(role=Role.USER, text=text),),
        schema={"title": text},
        body=body,
    )


def test_the_words_of_a_prompt_never_appear_in_a_repr() -> None:
    shown = repr(request(SECRET, {"messages": [SECRET]}))
    assert "req_1" in shown
    assert SECRET not in shown


def test_the_body_that_the_core_never_reads_takes_no_part_in_equality() -> None:
    assert request("hi", {"seed": 1}) == request("hi", {"seed": 2})
    assert request("hi", {}) != request("ho", {})


@pytest.mark.parametrize(("version", "text"), [(None, "low-cost"), (3, "low-cost@3")])
def test_a_stack_reference_reads_as_a_caller_writes_it(version: int | None, text: str) -> None:
    assert str(StackRef(slug=StackSlug("low-cost"), version=version)) == text


def test_the_smallest_request_is_one_user_turn_of_one_text() -> None:
    asked = ask("hi", model="cheap", output_tokens_max=5)
    assert asked.turns == (Turn(role=Role.USER, text="hi"),)
    assert (asked.model, asked.output_tokens_max) == ("cheap", 5)
    assert asked.body == {"model": "cheap", "messages": [{"role": "user", "content": "hi"}]}
    assert ask("hi").output_tokens_max is None


def test_no_override_asks_for_nothing() -> None:
    assert NO_OVERRIDES.stack is None
    assert NO_OVERRIDES.fallback is None
    assert not NO_OVERRIDES.explain
    assert NO_OVERRIDES.tool_profile is ToolProfile.DEFAULT


CATEGORIES = """
heartbeat core_loop retrieval summarization planning orchestration coding research creative
communication high_stakes reflection
"""
ACTION_CLASSES = """
high_stakes vision_analysis strict_json subagent_coordination browser_research exec_loop code_edit
research_synthesis message_drafting active_session casual_chat
"""
MODIFIERS = """
multimodal tool_present needs_strict_schema exec_loop browser_research code_edit
subagent_coordination long_context cacheable approval_required price_sensitive untrusted_content
high_stakes
"""
VOCABULARIES = [
    (Category, CATEGORIES),
    (ActionClass, ACTION_CLASSES),
    (Complexity, "simple standard complex critical"),
    (Modifier, MODIFIERS),
]


@pytest.mark.parametrize(("vocabulary", "words"), VOCABULARIES)
def test_the_words_of_classification_are_those_of_the_contract(
    vocabulary: type[Category], words: str
) -> None:
    assert [word.value for word in vocabulary] == words.split()
