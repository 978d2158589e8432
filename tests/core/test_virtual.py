"""A virtual model is found by its id and by its short form, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from astrolabe_core.units import ModelId
from astrolabe_core.virtual import VirtualModel, find_virtual


def virtual(name: str) -> VirtualModel:
    return VirtualModel(
        id=ModelId(f"astrolabe/{name}"),
        lane=name,
        name=name.title(),
        description="",
        candidates=(ModelId("openai/gpt-5.4"),),
        fallback_candidates=(),
        reference=ModelId("openai/gpt-5.4"),
    )


AUTO, CHEAP = virtual("auto"), virtual("cheap")
BOTH = (AUTO, CHEAP)


@pytest.mark.parametrize("name", ["astrolabe/cheap", "cheap"])
def test_a_virtual_model_is_found_by_its_id_and_by_its_short_form(name: str) -> None:
    assert find_virtual(BOTH, name) is CHEAP


@pytest.mark.parametrize(
    "name",
    ["", "astrolabe", "astrolabe/", "Auto", "autos", "openai/auto", "astrolabe/astrolabe/auto"],
)
def test_nothing_else_is_taken_for_a_virtual_model(name: str) -> None:
    assert find_virtual(BOTH, name) is None


def test_where_there_are_none_none_is_found() -> None:
    assert find_virtual((), "auto") is None
