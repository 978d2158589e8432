"""Items reach the provider in the form of its schema, whatever the caller's was."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.codes import Code
from astrolabe_core.requests import Role, Surface, Turn
from astrolabe_core.units import ProviderId
from astrolabe_http.wire.responses_input import ITEMS, shape_input
from astrolabe_http.wire.rulings import Fate
from astrolabe_http.wire.sealing import Seal, write_seal
from tests.http.wire.test_requests import accepted, refused

Body = dict[str, Any]
URL = "https://x.test/a.png"
CALL: Body = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
TEXT: Body = {"type": "output_text", "text": "a", "annotations": []}


def test_a_plain_input_stays_plain() -> None:
    assert shape_input("hi") == "hi"


@pytest.mark.parametrize(
    ("item", "shaped"),
    [
        (
            {"role": "user", "content": "a"},
            {"type": "message", "role": "user", "content": "a"},
        ),
        (
            {"role": "developer", "content": None, "type": None, "x": 1},
            {"type": "message", "role": "developer", "content": ""},
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": URL, "detail": "auto"}],
            },
        ),
        (
            {"role": "assistant", "content": "a", "phase": "commentary", "id": None},
            {"type": "message", "role": "assistant", "content": "a", "phase": "commentary"},
        ),
        (
            # As clients send it that keep no ids: OpenRouter wants one for what a model said.
            {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_0",
                "status": "completed",
                "content": [TEXT],
            },
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_x",
                "status": "incomplete",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "refusal", "refusal": "n"},
                ],
            },
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_x",
                "status": "incomplete",
                "content": [TEXT, {"type": "refusal", "refusal": "n"}],
            },
        ),
        (
            {"role": "assistant", "content": [{"type": "input_image", "image_url": URL}]},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "input_image", "image_url": URL, "detail": "auto"}],
            },
        ),
        ({**CALL, "id": None, "status": None, "caller": None}, CALL),
        (
            {**CALL, "id": "fc_1", "status": "completed"},
            {**CALL, "id": "fc_1", "status": "completed"},
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": None},
            {"type": "function_call_output", "call_id": "c", "output": ""},
        ),
        (
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "text", "text": "a"}],
            },
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_text", "text": "a"}],
            },
        ),
        (
            {"type": "reasoning", "summary": None, "content": [], "encrypted_content": None},
            {"type": "reasoning", "id": "rs_0", "summary": []},
        ),
        (
            {
                "type": "reasoning",
                "id": "rs_ours",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "t", "x": 1}],
                "encrypted_content": write_seal(
                    Seal(provider=ProviderId("openai"), content="x", id="rs_theirs")
                ),
            },
            {
                "type": "reasoning",
                "id": "rs_theirs",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "t"}],
                "encrypted_content": "x",
            },
        ),
        (
            {"type": "web_search_call", "id": "ws", "status": "completed", "action": None},
            {"type": "web_search_call", "id": "ws", "status": "completed"},
        ),
    ],
)
def test_an_item_goes_in_the_provider_s_form(item: Body, shaped: Body) -> None:
    assert len(accepted(Surface.RESPONSES, input=[item]).turns) == 1
    assert shape_input([item]) == [shaped]


@pytest.mark.parametrize("kind", [*(n for n, r in ITEMS.items() if r.fate is Fate.REFUSED), "new"])
def test_an_item_that_no_provider_would_read_is_refused_by_name(kind: str) -> None:
    found = refused(Surface.RESPONSES, input=[{"type": kind}])
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, "input[0].type")
    assert found.message.partition(": ")[2]


def test_the_results_of_a_tool_hold_no_sound_and_no_film() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    item = {"type": "function_call_output", "call_id": "c", "output": [sound]}
    found = refused(Surface.RESPONSES, input=[item])
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, "input[0].output")


@pytest.mark.parametrize(
    ("item", "turn"),
    [
        (
            {"type": "image_generation_call", "id": "i", "status": "completed", "result": "AA=="},
            Turn(role=Role.ASSISTANT, images=1),
        ),
        (
            {"type": "image_generation_call", "id": "i", "status": "failed", "result": None},
            Turn(role=Role.ASSISTANT),
        ),
        (
            {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a", "exit": 0}]},
            Turn(role=Role.TOOL, text="a"),
        ),
        (
            {
                "type": "agent_message",
                "author": "x",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_image", "image_url": URL},
                    {"type": "input_audio"},
                    {"type": "input_video"},
                    {"type": "input_file"},
                ],
            },
            Turn(role=Role.ASSISTANT, text="x\na", images=1, audios=1, videos=1, files=1),
        ),
        (
            {"type": "compaction", "id": "c", "encrypted_content": "12345"},
            Turn(role=Role.ASSISTANT, sealed_bytes=5),
        ),
        (
            {"type": "openrouter:fusion", "id": "f", "note": "a"},
            Turn(role=Role.ASSISTANT, text="a"),
        ),
    ],
)
def test_what_a_foreign_tool_left_behind_counts_with_its_words_and_media(
    item: Body, turn: Turn
) -> None:
    assert accepted(Surface.RESPONSES, input=[item]).turns == (turn,)
