"""What a body asks for is demanded of the model: no candidate that cannot is left."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.catalog import Capability, Modality
from astrolabe_core.classify import classify
from astrolabe_core.requests import Surface
from tests.http.wire.test_requests import (
    FILM,
    FORMATS,
    LETTER,
    PAPER,
    PICTURE,
    SOUND,
    TOOLS,
    accepted,
)

CHAT, RESPONSES = Surface.CHAT, Surface.RESPONSES
SCHEMA: Any = {"name": "n", "schema": {"type": "object"}}
SAW: Any = {"type": "function_call_output", "call_id": "c", "output": [PICTURE]}


def said(surface: Surface, *parts: Any) -> dict[str, Any]:
    message = {"role": "user", "content": list(parts)}
    return {"messages" if surface is CHAT else "input": [message]}


@pytest.mark.parametrize(
    ("surface", "fields", "needs"),
    [
        (CHAT, {}, set()),
        (RESPONSES, {}, set()),
        (CHAT, {"tools": TOOLS[CHAT]}, {Capability.TOOLS}),
        (RESPONSES, {"tools": TOOLS[RESPONSES]}, {Capability.TOOLS}),
        (CHAT, {"tools": [{"type": "custom"}]}, set()),
        (CHAT, {"tools": TOOLS[CHAT], "parallel_tool_calls": True}, {Capability.TOOLS}),
        (CHAT, {"tools": TOOLS[CHAT], "parallel_tool_calls": False}, {Capability.TOOLS}),
        (
            CHAT,
            FORMATS[CHAT]({"type": "json_schema", "json_schema": SCHEMA}),
            {Capability.STRUCTURED_OUTPUT},
        ),
        (
            RESPONSES,
            FORMATS[RESPONSES]({"type": "json_schema", **SCHEMA}),
            {Capability.STRUCTURED_OUTPUT},
        ),
        (CHAT, FORMATS[CHAT]({"type": "json_object"}), set()),
        (CHAT, {"reasoning_effort": "low"}, {Capability.REASONING}),
        (RESPONSES, {"reasoning": {"effort": "low"}}, {Capability.REASONING}),
        (RESPONSES, {"reasoning": {"effort": "none"}}, set()),
        (CHAT, said(CHAT, PICTURE), {Capability.VISION, Modality.IMAGE}),
        (RESPONSES, said(RESPONSES, PICTURE), {Capability.VISION, Modality.IMAGE}),
        (RESPONSES, {"input": [SAW]}, {Capability.VISION, Modality.IMAGE}),
        (CHAT, said(CHAT, SOUND), {Capability.AUDIO, Modality.AUDIO}),
        (CHAT, said(CHAT, FILM), {Capability.VIDEO, Modality.VIDEO}),
        (CHAT, said(CHAT, PAPER), {Capability.FILE, Modality.FILE}),
        (RESPONSES, said(RESPONSES, LETTER), {Capability.FILE, Modality.FILE}),
    ],
)
def test_a_model_must_be_able_to_do_what_is_asked(
    surface: Surface, fields: dict[str, Any], needs: set[Any]
) -> None:
    profile = classify(accepted(surface, **fields))
    found = {*profile.needs, *profile.modalities}
    assert found == {Modality.TEXT, *needs}


def test_of_the_tools_only_those_that_are_allowed_count() -> None:
    other: Any = {"type": "function", "name": "other"}
    tools = [*TOOLS[RESPONSES], other]
    choice: Any = {"type": "allowed_tools", "mode": "auto", "tools": [other]}
    assert [t.name for t in accepted(RESPONSES, tools=tools, tool_choice=choice).tools] == ["other"]
    chat_other: Any = {"type": "function", "function": {"name": "other"}}
    chat_tools = [*TOOLS[CHAT], chat_other]
    allowed: Any = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [other]}}
    found = accepted(CHAT, tools=chat_tools, tool_choice=allowed)
    assert [tool.name for tool in found.tools] == ["other"]
