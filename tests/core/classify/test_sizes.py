from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.classify.sizes import (
    AUDIO,
    AUDIO_MAX,
    CALL,
    CALL_MAX,
    FILE,
    FILE_MAX,
    IMAGE,
    IMAGE_MAX,
    MESSAGE,
    MESSAGE_MAX,
    TOOL,
    TOOL_MAX,
    VIDEO,
    VIDEO_MAX,
    measure,
    schema_bytes,
    text_tokens,
)
from astrolabe_core.requests import OutputFormat, Request, Role, Surface, Tool, Turn
from astrolabe_core.units import Instant, RequestId
from tests.core.classify.labelled import ask, user

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)


@pytest.mark.parametrize(
    ("text", "expected", "bound"),
    [
        ("", 0, 0),
        ("word", 1, 2),
        ("four words of text", 5, 9),
        ("12345678", 2, 8),
        ("{}[]();,", 2, 8),
        ("привет", 3, 12),
        ("你好世界", 4, 12),
        ("😀", 2, 4),
        ("é", 1, 2),
    ],
)
def test_text_is_weighed_by_its_script(text: str, expected: int, bound: int) -> None:
    assert text_tokens(text) == (expected, bound)


@given(ANY_TEXT, ANY_TEXT)
def test_the_expectation_is_within_the_bound_and_both_grow(text: str, more: str) -> None:
    shorter, longer = text_tokens(text), text_tokens(text + more)
    assert shorter[0] <= shorter[1]
    assert shorter[0] <= longer[0]
    assert shorter[1] <= longer[1]
    assert longer[1] <= len((text + more).encode("utf-8", "surrogatepass"))


@given(ANY_TEXT)
def test_the_expectation_is_the_sum_of_what_each_character_weighs(text: str) -> None:
    weights = {1: 1, 2: 2, 3: 4, 4: 8}
    sizes = [len(character.encode("utf-8", "surrogatepass")) for character in text]
    assert text_tokens(text)[0] == -(-sum(weights[size] for size in sizes) // 4)


def test_a_lone_surrogate_has_a_size() -> None:
    assert text_tokens("\ud800") == (1, 3)


def test_every_message_and_every_call_costs_its_frame() -> None:
    turns = (user(""), Turn(role=Role.ASSISTANT, tool_calls=("a", "b")))
    size = measure(ask(*turns))
    # the newline between the two texts is a token
    assert size.expected == 1 + 2 * MESSAGE + 2 * CALL
    assert size.bound == 1 + 2 * MESSAGE_MAX + 2 * CALL_MAX


@pytest.mark.parametrize(
    ("turn", "expected", "bound"),
    [
        (Turn(role=Role.USER, images=2), 2 * IMAGE, 2 * IMAGE_MAX),
        (Turn(role=Role.USER, audios=1), AUDIO, AUDIO_MAX),
        (Turn(role=Role.TOOL, videos=1), VIDEO, VIDEO_MAX),
        (Turn(role=Role.USER, files=3), 3 * FILE, 3 * FILE_MAX),
        (Turn(role=Role.ASSISTANT, images=1), 0, IMAGE_MAX),
        (Turn(role=Role.ASSISTANT, sealed_bytes=1_600), 300, 1_200),
        (Turn(role=Role.ASSISTANT, sealed_bytes=1), 0, 1),
    ],
)
def test_attachments_and_seals_have_their_constants(turn: Turn, expected: int, bound: int) -> None:
    size = measure(ask(turn))
    assert size.expected == MESSAGE + expected
    assert size.bound == MESSAGE_MAX + bound


def _with_schema(schema: dict[str, object] | None, *tools: Tool) -> Request:
    return Request(
        id=RequestId("req_1"),
        received_at=Instant(0),
        surface=Surface.CHAT,
        model="auto",
        turns=(),
        tools=tools,
        output_format=OutputFormat.JSON_SCHEMA,
        schema=schema,
    )


def test_tools_and_the_schema_are_sent_too() -> None:
    tool = Tool(name="a", schema_bytes=1_001)
    size = measure(_with_schema(None, tool))
    assert size.expected == 250 + TOOL
    assert size.bound == 501 + TOOL_MAX
    with_schema = measure(_with_schema({"type": "object"}, tool))
    assert with_schema.expected > size.expected
    assert with_schema.bound > size.bound


def test_a_schema_is_about_as_long_as_its_json() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2, None]}}}
    assert schema_bytes(None) == 0
    assert 60 <= schema_bytes(schema) <= 160


def test_a_schema_nested_without_end_is_measured_without_recursion() -> None:
    schema: dict[str, object] = {}
    for _ in range(50_000):
        schema = {"a": schema}
    assert schema_bytes(schema) > 50_000
