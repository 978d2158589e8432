"""The document takes exactly the bodies that the readers take.

Bodies that work are changed in a few places, by values of every type and by the names of every
field that is known; schema and reader must then say the same of them. What a JSON schema cannot
say is listed, and nothing else may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Malformed, Surface
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.openapi.bodies import NOTES, OVERRIDES
from astrolabe_http.openapi.examples import CHAT_EXAMPLES, RESPONSES_EXAMPLES
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.chat_fields import CHAT_FIELDS, MESSAGE_FIELDS
from astrolabe_http.wire.metadata import FIELDS as ROUTING_FIELDS
from astrolabe_http.wire.responses_fields import RESPONSES_FIELDS
from astrolabe_http.wire.rulings import Fate, Rulings
from tests.http.openapi.unsaid import is_unsaid
from tests.http.openapi.validating import DOCUMENT, nodes, validator

ID, AT = RequestId("req_1"), Instant(1_800_000_000_000)
NAMES = {Surface.CHAT: "CreateChatCompletion", Surface.RESPONSES: "CreateResponse"}
STEERED = {
    "astrolabe": {
        "stack": "fast@2",
        "quality": "high",
        "cost_mode": "balanced",
        "latency_slo_ms": 500.5,
        "verification": "light",
        "fallback": True,
        "explain": False,
        "tool_profile": "read_only",
        "tool_capabilities": {"mail": ["send"], "files": "read"},
        "tool_confirmations": ["tool_" + "a" * 64],
        "untrusted_content": True,
        "approval_required": False,
        "session_id": "s",
    },
    "mine": "x",
}
FLAT = {f"astrolabe.{name}": value for name, value in STEERED["astrolabe"].items()}  # type: ignore[attr-defined]
PLAIN: dict[str, Any] = {
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 5,
    "presence_penalty": -1,
    "frequency_penalty": 1.5,
    "parallel_tool_calls": True,
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "service_tier": "auto",
    "store": False,
}
FULL: dict[Surface, list[dict[str, Any]]] = {
    Surface.CHAT: [
        *(deepcopy(dict(each["value"])) for each in CHAT_EXAMPLES.values()),
        {
            "model": "astrolabe/auto@fast@2",
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
                {"role": "user", "content": ["word", {"type": "output_text", "text": "x"}]},
            ],
            "metadata": STEERED,
            **PLAIN,
            "max_tokens": 5,
            "max_completion_tokens": 6,
            "n": 2,
            "seed": 7,
            "stop": ["a", "b"],
            "logit_bias": {"5": 1},
            "logprobs": True,
            "top_logprobs": 2,
            "reasoning_effort": "low",
            "verbosity": "low",
            "response_format": {"type": "text"},
            "stream_options": {"include_usage": True},
            "modalities": ["text"],
            "prediction": {"type": "content", "content": "x"},
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "description": "d", "strict": True, "parameters": {}},
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
        },
    ],
    Surface.RESPONSES: [
        *(deepcopy(dict(each["value"])) for each in RESPONSES_EXAMPLES.values()),
        {
            "model": "auto",
            "input": [
                {"role": "system", "content": None},
                {"type": "message", "role": "assistant", "content": "x"},
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "x"}]},
                {"type": "web_search_call"},
            ],
            "metadata": {**FLAT, "mine": None},
            **PLAIN,
            "instructions": "Be brief.",
            "max_output_tokens": 5,
            "max_tool_calls": 2,
            "include": ["reasoning.encrypted_content"],
            "text": {"format": {"type": "json_object"}, "verbosity": "high"},
            "reasoning": {"effort": "high", "summary": "auto"},
            "truncation": "auto",
            "top_logprobs": 3,
            "n": 1,
            "tools": [
                {"type": "function", "name": "f", "description": None, "parameters": {}},
                {"type": "web_search"},
            ],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}],
            },
        },
    ],
}
# Of every type, near the bounds of what some field takes, and words that some field knows.
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 129, 2.5, -0.5, 86_400_001),
    *("", "x", "auto", "none", "required", "text", "function", "low", "high", "user", "tool"),
    *("fast", "fast@2", "fast@0", "Not A Slug", "x" * 65, "x" * 257, "x" * 513, "true", "message"),
    *("json_schema", "json_object", "allowed_tools", "input_text", "image_url", "custom"),
    *([], {}, ["x"], ["text"], [1], [[]], [{}], {"x": "y"}, {"type": "function"}, {"type": "x"}),
]
WORDS = sorted(
    {
        name
        for node in nodes(DOCUMENT["components"]["schemas"])
        if isinstance(node.get("properties"), dict)
        for name in node["properties"]
    }
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value within one."""
    yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, each in items:
        yield from places(each, (*path, key))


@st.composite
def bodies(draw: st.DrawFn, surface: Surface) -> dict[str, Any]:
    body: dict[str, Any] = deepcopy(draw(st.sampled_from(FULL[surface])))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(body))))
        held: Any = {"": body}
        key: Any = ""
        for step in path:
            held, key = held[key], step
        match draw(st.sampled_from(["change", "leave out", "add"])):
            case "leave out" if path:
                del held[key]
            case "add" if isinstance(held[key], dict):
                held[key][draw(st.sampled_from(WORDS))] = deepcopy(draw(st.sampled_from(ODD)))
            case _ if path:
                held[key] = deepcopy(draw(st.sampled_from(ODD)))
            case _:
                pass
    return body


def read(surface: Surface, body: dict[str, Any]) -> Refusal | None:
    found = WIRES[surface].read_request(body, id=ID, at=AT, stack_header=None)
    return found.refusal if isinstance(found, Malformed) else None


@pytest.mark.parametrize("surface", Surface)
def test_what_works_is_valid(surface: Surface) -> None:
    for body in FULL[surface]:
        assert read(surface, body) is None
        validator(NAMES[surface]).validate(body)


@pytest.mark.parametrize("surface", Surface)
def test_schema_and_reader_say_the_same_of_every_body(surface: Surface) -> None:
    valid = validator(NAMES[surface]).is_valid

    @settings(max_examples=1_500)
    @given(body=bodies(surface))
    @example(body={})
    def judge(body: dict[str, Any]) -> None:
        refusal = read(surface, body)
        if refusal is not None and is_unsaid({"message": refusal.message}):
            event("unsaid")
            return
        event("taken" if refusal is None else f"refused: {refusal.code}")
        assert valid(body) is (refusal is None), refusal

    judge()


ROUTED = {"model": "auto", "input": "hi"}
SAID = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        (Surface.CHAT, {**SAID, "tool_choice": "required"}),
        (
            Surface.CHAT,
            {**SAID, "tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": [
                {"type": "function", "function": {"name": "g"}}]},
        ),
        (Surface.CHAT, {**SAID, "reasoning_effort": "low", "reasoning": {"effort": "high"}}),
        (Surface.CHAT, {**SAID, "top_logprobs": 1}),
        (Surface.CHAT, {**SAID, "n": 1.0}),
        (Surface.RESPONSES, {**ROUTED, "max_output_tokens": 1e16}),
        (Surface.RESPONSES, {**ROUTED, "model": "auto@a", "metadata": {"astrolabe.stack": "b"}}),
        (Surface.RESPONSES, {**ROUTED, "metadata": {"astrolabe": "[]"}}),
        (Surface.RESPONSES, {**ROUTED, "metadata": {"astrolabe.tool_capabilities": "7"}}),
        (Surface.RESPONSES, {**ROUTED, "metadata": {"astrolabe.tool_confirmations": "7"}}),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_valid_and_refused(surface: Surface, body: dict[str, Any]) -> None:
    validator(NAMES[surface]).validate(body)
    refusal = read(surface, body)
    assert refusal is not None
    assert is_unsaid({"message": refusal.message})


def taken(rulings: Rulings, within: str = "") -> Iterator[str]:
    """Give the path of every field that has an effect."""
    for name, ruling in rulings.items():
        if ruling.fate not in {Fate.REFUSED, Fate.DROPPED}:
            yield f"{within}{name}"
            yield from taken(ruling.inner or {}, f"{within}{name}.")


def test_every_field_that_is_taken_has_a_note_and_every_note_a_field() -> None:
    fields = {*taken(CHAT_FIELDS), *taken(RESPONSES_FIELDS), *taken(MESSAGE_FIELDS, "messages.")}
    written_out = {"model", "messages", "input", "metadata", "tool_choice", "text.format"}
    assert fields - written_out == set(NOTES)


def test_the_routing_overrides_are_those_that_are_read() -> None:
    assert list(OVERRIDES) == list(ROUTING_FIELDS)
