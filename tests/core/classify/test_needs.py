from __future__ import annotations

import attrs
import pytest

from astrolabe_core.catalog import Capability, Modality
from astrolabe_core.classify.features import extract
from astrolabe_core.classify.needs import find_modalities, find_needs
from astrolabe_core.requests import OutputFormat, Request, Role, ToolChoice, Turn
from tests.core.classify.labelled import ask

PLAIN = ask("hello there")


def needs(request: Request) -> frozenset[Capability]:
    return find_needs(request, extract(request))


def test_a_plain_request_needs_text_and_nothing_else() -> None:
    assert needs(PLAIN) == frozenset()
    assert find_modalities(extract(PLAIN)) == {Modality.TEXT}
    assert needs(attrs.evolve(PLAIN, stream=True)) == frozenset()


def test_tools_that_may_be_called_are_a_need() -> None:
    request = ask("hello", tools=("bash",))
    assert needs(request) == {Capability.TOOLS}
    assert needs(attrs.evolve(request, tool_choice=ToolChoice.NONE)) == frozenset()
    assert needs(attrs.evolve(request, parallel_tools=True)) == {
        Capability.TOOLS,
        Capability.PARALLEL_TOOLS,
    }
    assert needs(attrs.evolve(PLAIN, parallel_tools=True)) == frozenset()


def test_a_schema_is_a_need_and_json_alone_is_not() -> None:
    strict = attrs.evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA)
    assert needs(strict) == {Capability.STRUCTURED_OUTPUT}
    assert needs(attrs.evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT)) == frozenset()


def test_reasoning_asked_for_is_a_need() -> None:
    assert needs(attrs.evolve(PLAIN, reasoning=True)) == {Capability.REASONING}


@pytest.mark.parametrize(
    ("turn", "capability", "modality"),
    [
        (Turn(role=Role.USER, images=1), Capability.VISION, Modality.IMAGE),
        (Turn(role=Role.TOOL, images=1), Capability.VISION, Modality.IMAGE),
        (Turn(role=Role.USER, audios=1), Capability.AUDIO, Modality.AUDIO),
        (Turn(role=Role.USER, videos=1), Capability.VIDEO, Modality.VIDEO),
        (Turn(role=Role.USER, files=1), Capability.FILE, Modality.FILE),
    ],
)
def test_what_is_attached_anywhere_is_a_need(
    turn: Turn, capability: Capability, modality: Modality
) -> None:
    request = ask(turn, Turn(role=Role.ASSISTANT, text="I see."), "and now something else")
    assert needs(request) == {capability}
    assert find_modalities(extract(request)) == {Modality.TEXT, modality}
