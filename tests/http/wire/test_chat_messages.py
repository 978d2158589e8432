"""Messages reach the provider in the form of its schema, whatever the caller's was."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.codes import Code
from astrolabe_core.requests import Surface
from astrolabe_http.wire.chat_messages import shape_messages
from tests.http.wire.test_requests import accepted, refused

Body = dict[str, Any]
CALL: Body = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("message", "shaped"),
    [
        ({"role": "user", "content": "a"}, {"role": "user", "content": "a"}),
        ({"role": "user", "content": None, "name": None}, {"role": "user", "content": ""}),
        ({"role": "user", "content": [], "x": 1}, {"role": "user", "content": ""}),
        (
            {"role": "developer", "content": ["a"], "name": "n"},
            {"role": "developer", "content": [{"type": "text", "text": "a"}], "name": "n"},
        ),
        (
            {"role": "tool", "tool_call_id": "c", "content": None, "name": "f"},
            {"role": "tool", "tool_call_id": "c", "content": ""},
        ),
        (
            {"role": "assistant", "content": None, "tool_calls": [{**CALL, "index": 0}]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "function": CALL["function"]}],
            },
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
        ),
        (
            # What openai-python gives of an answer, handed back as it is.
            {
                "role": "assistant",
                "content": "a",
                "refusal": None,
                "annotations": [],
                "audio": None,
                "function_call": None,
                "tool_calls": None,
                "parsed": {"a": 1},
            },
            {"role": "assistant", "content": "a"},
        ),
        (
            {
                "role": "assistant",
                "content": [
                    {"type": "refusal", "refusal": "no"},
                    {"type": "output_text", "text": "a"},
                ],
                "tool_calls": [],
            },
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "a"}],
                "refusal": "no",
            },
        ),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "assistant", "content": None, "refusal": "no"},
        ),
        (
            {"role": "assistant", "content": "a", "reasoning_content": "t"},
            {"role": "assistant", "content": "a", "reasoning": "t"},
        ),
        (
            {
                "role": "assistant",
                "content": "a",
                "reasoning": "t",
                "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}],
            },
            {
                "role": "assistant",
                "content": "a",
                "reasoning": "t",
                "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}],
            },
        ),
    ],
)
def test_a_message_goes_in_the_provider_s_form(message: Body, shaped: Body) -> None:
    assert isinstance(accepted(Surface.CHAT, messages=[message]).turns, tuple)
    assert shape_messages([message]) == [shaped]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "function", "name": "f", "content": "x"}, "role"),
        ({"role": "assistant", "audio": {"id": "a"}}, "audio"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, "function_call"),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": ""}}],
            },
            "tool_calls[0].type",
        ),
    ],
)
def test_old_and_foreign_forms_are_refused_by_name(message: Body, param: str) -> None:
    found = refused(Surface.CHAT, messages=[message])
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, f"messages[0].{param}")


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": "a", "name": 7}, "name"),
        ({"role": "assistant", "tool_calls": {}}, "tool_calls"),
        ({"role": "assistant", "tool_calls": [{"function": CALL["function"]}]}, "tool_calls[0]"),
        (
            {
                "role": "system",
                "content": [{"type": "image_url", "image_url": "https://x.test/a.png"}],
            },
            "content",
        ),
    ],
)
def test_what_no_provider_takes_is_refused_with_its_place(message: Body, param: str) -> None:
    found = refused(Surface.CHAT, messages=[message])
    assert (found.code, found.param) == (Code.INVALID_REQUEST, f"messages[0].{param}")


def test_what_a_model_thought_is_read_once_and_what_is_sealed_is_sized() -> None:
    details = [
        {"type": "reasoning.text", "text": "t", "signature": "sig"},
        {"type": "reasoning.summary", "summary": "s"},
        {"type": "reasoning.encrypted", "data": "12345"},
    ]
    message = {"role": "assistant", "content": "a", "reasoning": "t", "reasoning_details": details}
    (turn,) = accepted(Surface.CHAT, messages=[message]).turns
    assert turn.text == "a\nt\ns"
    assert turn.sealed_bytes == 8
    del message["reasoning_details"]
    (turn,) = accepted(Surface.CHAT, messages=[message]).turns
    assert turn.text == "a\nt"
