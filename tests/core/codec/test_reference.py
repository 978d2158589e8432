"""docs/stacks.md says what the codec reads, and its examples run."""

from __future__ import annotations

import json
import re

import pytest

from astrolabe_core import codec
from astrolabe_core.codec.shapes import WRITTEN_AS, shape_of
from astrolabe_core.stacks import Stack
from tests.core.codec.reference import MEANINGS, PAGE, embedded

REMAKE = "run: uv run python -m tests.core.codec.reference"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found


def test_the_page_s_tables_are_those_of_the_codec() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert embedded(page) == page, REMAKE


@pytest.mark.parametrize("kind", MEANINGS, ids=lambda kind: kind.__name__)
def test_every_field_has_a_meaning_and_every_meaning_a_field(kind: type) -> None:
    assert list(MEANINGS[kind]) == list(shape_of(WRITTEN_AS.get(kind, kind)).names)


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: json.loads(block)["slug"])
def test_an_example_is_a_stack(block: str) -> None:
    assert isinstance(codec.stack_from_json(block), Stack)


def test_the_program_runs_and_says_what_its_comment_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for block in blocks("python"):
        exec(block, {})  # our own page
        said = [line.partition("  # ")[2] for line in block.splitlines() if "print(" in line]
        assert capsys.readouterr().out.splitlines() == said
