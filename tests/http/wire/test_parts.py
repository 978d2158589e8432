"""Parts of either format are read in both, and written in the provider's form."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.parts import (
    PARTS,
    Said,
    chat_part,
    read_content,
    read_part,
    responses_part,
)
from astrolabe_http.wire.rulings import Fate

Body = dict[str, Any]
URL = "https://x.test/a.png"
DATA = "data:;base64,AA=="
SOUND = {"data": "AA==", "format": "wav"}
EXPLICIT = {"mode": "explicit"}


def same(kind: str, **fields: Any) -> Body:
    return {"type": kind, **fields}


@pytest.mark.parametrize(
    ("part", "chat", "responses"),
    [
        ("a", same("text", text="a"), same("input_text", text="a")),
        (same("text", text="a"), same("text", text="a"), same("input_text", text="a")),
        (
            same("input_text", text="a", prompt_cache_breakpoint=EXPLICIT, cache_control=None),
            same("text", text="a", prompt_cache_breakpoint=EXPLICIT),
            same("input_text", text="a", prompt_cache_breakpoint=EXPLICIT),
        ),
        (
            same("output_text", text="a", annotations=[], logprobs=[]),
            same("text", text="a"),
            same("input_text", text="a"),
        ),
        (
            same("image_url", image_url={"url": URL, "detail": "low"}),
            same("image_url", image_url={"url": URL, "detail": "low"}),
            same("input_image", image_url=URL, detail="low"),
        ),
        (
            same("image_url", image_url=URL),
            same("image_url", image_url={"url": URL}),
            same("input_image", image_url=URL, detail="auto"),
        ),
        (
            same("input_image", image_url=URL, file_id=None),
            same("image_url", image_url={"url": URL}),
            same("input_image", image_url=URL, detail="auto"),
        ),
        (
            same("input_audio", input_audio=SOUND),
            same("input_audio", input_audio=SOUND),
            same("input_audio", input_audio=SOUND),
        ),
        (
            same("video_url", video_url={"url": URL}),
            same("video_url", video_url={"url": URL}),
            same("input_video", video_url=URL),
        ),
        (
            same("input_video", video_url=URL),
            same("video_url", video_url={"url": URL}),
            same("input_video", video_url=URL),
        ),
        (
            same("file", file={"filename": "a.pdf", "file_data": DATA}),
            same("file", file={"filename": "a.pdf", "file_data": DATA}),
            same("input_file", filename="a.pdf", file_data=DATA),
        ),
        (
            same("file", file={"file_data": URL}),
            same("file", file={"file_data": URL}),
            same("input_file", file_url=URL),
        ),
        (
            same("input_file", file_url=URL, filename=None),
            same("file", file={"file_data": URL}),
            same("input_file", file_url=URL),
        ),
    ],
)
def test_a_part_of_either_format_is_written_in_both(
    part: object, chat: Body, responses: Body
) -> None:
    assert read_part(Said(), part, "p") is None
    assert chat_part(part) == chat
    assert responses_part(part) == responses


@pytest.mark.parametrize("kind", [name for name, r in PARTS.items() if r.fate is Fate.REFUSED])
def test_what_no_model_would_see_is_refused_by_name(kind: str) -> None:
    found = read_part(Said(), same(kind), "p")
    assert isinstance(found, Refusal)
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, "p.type")


@pytest.mark.parametrize(
    ("part", "param", "code"),
    [
        (7, "p", "invalid_request"),
        ({}, "p.type", "invalid_request"),
        (same("text"), "p.text", "invalid_request"),
        (same("refusal", text="a"), "p.refusal", "invalid_request"),
        (same("image_url"), "p.image_url", "invalid_request"),
        (same("image_url", image_url={"url": ""}), "p.image_url", "invalid_request"),
        (same("input_image", image_url=URL, detail="huge"), "p.detail", "invalid_request"),
        (same("input_image", file_id="file-1"), "p.file_id", "unsupported_parameter"),
        (same("input_audio", input_audio={"data": "AA=="}), "p.input_audio", "invalid_request"),
        (same("video_url"), "p.video_url", "invalid_request"),
        (same("file", file={}), "p.file_data", "invalid_request"),
        (same("file", file={"file_id": "file-1"}), "p.file_id", "unsupported_parameter"),
        (same("input_file", file_id="file-1"), "p.file_id", "unsupported_parameter"),
    ],
)
def test_a_part_with_nothing_in_it_is_refused_with_its_place(
    part: object, param: str, code: str
) -> None:
    found = read_part(Said(), part, "p")
    assert isinstance(found, Refusal)
    assert (found.param, found.code.value) == (param, code)


def test_a_turn_counts_its_parts() -> None:
    said = Said()
    content = [
        "a",
        same("text", text="b"),
        same("refusal", refusal="c"),
        same("input_image", image_url=URL),
        same("image_url", image_url=URL),
        same("input_audio", input_audio=SOUND),
        same("video_url", video_url=URL),
        same("input_file", file_data=DATA),
    ]
    assert read_content(said, content, "c") is None
    assert said.turn(Role.USER) == Turn(
        role=Role.USER, text="a\nb\nc", images=2, audios=1, videos=1, files=1
    )
