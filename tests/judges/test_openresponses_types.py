"""openresponses-types: every Responses object and every event fits Open Responses' own types."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import openresponses_types
import orjson
import pytest
from pydantic import BaseModel, ValidationError

from tests.http.server.conftest import Stack
from tests.judges.conftest import BREAKS, PIXEL, Provider

# OpenAI's names of events that Open Responses calls `response.reasoning.…`; OpenAI's SDKs know
# only these.
OPENAI_ONLY: Final = frozenset({"response.reasoning_text.delta", "response.reasoning_text.done"})

WEATHER: Final = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
TIME: Final = {"type": "function", "name": "get_time", "parameters": {"type": "object"}}
VERDICT: Final = {
    "type": "object",
    "properties": {"score": {"type": "number"}, "reasons": {"type": "array"}},
    "required": ["score", "reasons"],
    "additionalProperties": False,
}


def part_of_user(*parts: dict[str, object]) -> list[dict[str, object]]:
    text = {"type": "input_text", "text": "What is this?"}
    return [{"type": "message", "role": "user", "content": [text, *parts]}]


FEATURES: Final[dict[str, dict[str, Any]]] = {
    "text": {"input": "Hello"},
    "instructions": {"input": part_of_user(), "instructions": "Be brief."},
    "image": {"input": part_of_user({"type": "input_image", "image_url": PIXEL, "detail": "low"})},
    "file": {
        "model": "openai/gpt-5.4-mini",
        "input": part_of_user(
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,JVBERi0xLjQK",
            }
        ),
    },
    "tool": {"input": "How is the weather in Ulm?", "tools": [WEATHER]},
    "two tools at once": {"input": "Use get_weather and get_time.", "tools": [WEATHER, TIME]},
    "a forced tool": {
        "input": "Hello",
        "tools": [WEATHER, TIME],
        "tool_choice": {"type": "function", "name": "get_time"},
        "parallel_tool_calls": False,
    },
    "a tool's result": {
        "input": [
            {"role": "user", "content": "How is the weather?"},
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": '{"city":"Ulm"}',
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."},
        ],
        "tools": [WEATHER],
    },
    "a schema": {
        "input": "Judge.",
        "text": {
            "format": {"type": "json_schema", "name": "verdict", "schema": VERDICT, "strict": True}
        },
    },
    "a schema with as little said as may be": {
        "input": "Judge.",
        "text": {"format": {"type": "json_schema", "name": "verdict", "schema": VERDICT}},
    },
    "an object": {"input": "Judge in JSON.", "text": {"format": {"type": "json_object"}}},
    "reasoning": {"input": "Think.", "reasoning": {"effort": "low", "summary": "auto"}},
    "reasoning that is shown": {
        "model": "deepseek/deepseek-v4-pro",
        "input": "Think.",
        "reasoning": {"effort": "low"},
    },
    "log probabilities": {
        "input": "Hello",
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
    },
    "encrypted reasoning": {
        "input": "Think.",
        "reasoning": {"effort": "high"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    },
    "a full answer": {"input": "Count to a million.", "max_output_tokens": 16},
    "echoed settings": {
        "input": "Hello",
        "instructions": "Be brief.",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 900,
        "max_tool_calls": 3,
        "truncation": "auto",
        "metadata": {"trace": "t-1", "astrolabe.explain": "true"},
        "user": "somebody",
        "safety_identifier": "s-1",
        "prompt_cache_key": "k-1",
        "service_tier": "auto",
        "store": False,
        "background": False,
        "parallel_tool_calls": True,
        "tools": [WEATHER, TIME],
        "tool_choice": "none",
    },
}
# What the provider does, and how the answer ends then: as JSON, as a stream.
ENDINGS: Final = {
    "refusal": ("completed", "response.completed"),
    "filtered": ("incomplete", "response.incomplete"),
    "truncated": ("incomplete", "response.incomplete"),
    "separators": ("completed", "response.completed"),
    "unknown-events": ("completed", "response.completed"),
    "no-usage": ("completed", "response.completed"),
}


def _kinds() -> Iterator[tuple[str, type[BaseModel]]]:
    for name in vars(openresponses_types):
        if name.endswith("StreamingEvent"):
            made = getattr(openresponses_types, name)
            kind = made.model_fields["type"].annotation
            assert issubclass(kind, Enum)
            (value,) = kind
            yield value.value, made


EVENTS: Final = MappingProxyType(dict(_kinds()))


def misfits(value: dict[str, Any], kind: type[BaseModel]) -> list[str]:
    """What the type has against a value."""
    try:
        kind.model_validate(without_schema(value))
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return []


def without_schema(value: dict[str, Any]) -> dict[str, Any]:
    """The one exemption: version 2.4 wants null for the schema of `text.format`.

    No answer about a schema can be that; their generator read `type: object, nullable` as null.
    """
    if "response" in value:
        return {**value, "response": without_schema(value["response"])}
    text = value.get("text")
    if not isinstance(text, dict) or text["format"]["type"] != "json_schema":
        return value
    assert text["format"]["schema"] == VERDICT
    return {**value, "text": {**text, "format": {**text["format"], "schema": None}}}


def ask(stack: Stack, given: dict[str, Any]) -> dict[str, Any]:
    with stack.client() as client:
        answered = client.post("/v1/responses", json={"model": "astrolabe/auto", **given})
    assert answered.status_code == 200, answered.text
    said: dict[str, Any] = answered.json()
    return said


def stream(stack: Stack, given: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"model": "astrolabe/auto", "stream": True, **given}
    with stack.client() as client:
        answered = client.post("/v1/responses", json=body)
    assert answered.status_code == 200, answered.text
    lines = [line for line in answered.text.split("\n") if line.startswith("data: ")]
    assert lines
    return [orjson.loads(line[6:]) for line in lines]


def check_events(events: list[dict[str, Any]]) -> None:
    """Each event fits its type, and no event is unknown."""
    for event in events:
        if event["type"] not in OPENAI_ONLY:
            assert misfits(event, EVENTS[event["type"]]) == [], event


@pytest.mark.parametrize("feature", FEATURES)
def test_a_response_fits_its_type(stack: Stack, feature: str) -> None:
    said = ask(stack, FEATURES[feature])
    assert misfits(said, openresponses_types.ResponseResource) == []
    assert said["status"] == ("incomplete" if feature == "a full answer" else "completed")


@pytest.mark.parametrize("feature", FEATURES)
def test_every_event_fits_its_type(stack: Stack, feature: str) -> None:
    events = stream(stack, FEATURES[feature])
    check_events(events)
    status = "incomplete" if feature == "a full answer" else "completed"
    assert events[-1]["type"] == f"response.{status}"


@pytest.mark.parametrize("fault", ENDINGS)
def test_other_endings_fit_their_types_too(stack: Stack, provider: Provider, fault: str) -> None:
    provider.order(fault)
    status, terminal = ENDINGS[fault]
    said = ask(stack, FEATURES["text"])
    assert misfits(said, openresponses_types.ResponseResource) == []
    assert said["status"] == status
    events = stream(stack, FEATURES["text"])
    check_events(events)
    assert events[-1]["type"] == terminal


@pytest.mark.parametrize("feature", ["text", "tool", "a schema"])
@pytest.mark.parametrize("fault", BREAKS)
def test_a_stream_that_breaks_fits_its_types(
    stack: Stack, provider: Provider, feature: str, fault: str
) -> None:
    provider.order(fault)
    events = stream(stack, FEATURES[feature])
    check_events(events)
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]


def test_what_does_not_fit_is_noticed(stack: Stack) -> None:
    said = ask(stack, FEATURES["a schema"])
    assert misfits({**said, "tools": None}, openresponses_types.ResponseResource)
    broken = {**said, "text": {"format": {"type": "json_schema", "name": 1, "schema": VERDICT}}}
    assert misfits(broken, openresponses_types.ResponseResource)
    assert len(EVENTS) >= 20
