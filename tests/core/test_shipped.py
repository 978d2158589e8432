"""The shipped files are sound, priced as the contract says, and enough to decide with."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from astrolabe_core import shipped
from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.catalog import Capability, Modality, Status, flaws
from astrolabe_core.codec import (
    write_catalog,
    write_virtual_models,
)
from astrolabe_core.managed import MANAGED
from astrolabe_core.money import price_text_per_million
from astrolabe_core.shipped import ShippedFileError
from astrolabe_core.stacks import Boundaries, DataRule
from astrolabe_core.units import Instant, StackSlug

# USD for a million tokens in and out, context window, input modalities beside text.
ROSTER = """
deepseek/deepseek-v4-pro      0.435  0.87  1048576
minimax/minimax-m2.7          0.3    1.2   204800
xiaomi/mimo-v2.5-pro          1      3     1048576
qwen/qwen3.6-plus             0.325  1.95  1000000  image video
moonshotai/kimi-k2.6          0.7448 4.655 256000   image
anthropic/claude-sonnet-4.6   3      15    1000000  image
z-ai/glm-5.1                  1.05   3.5   202752
deepseek/deepseek-v4-flash    0.14   0.28  1048576
mistralai/mistral-small-2603  0.15   0.6   262144   image
x-ai/grok-4.1-fast            0.2    0.5   2000000
x-ai/grok-4.3                 1.25   2.5   1000000  image
openai/gpt-5.4                2.5    15    1050000  image file
anthropic/claude-opus-4.7     5      25    1000000  image
openai/gpt-5.5                5      30    1050000  image file
google/gemma-4-31b-it         0.13   0.38  262144   image video
openai/gpt-5.4-nano           0.2    1.25  1050000  image file
openai/gpt-5.4-mini           0.75   4.5   1050000  image file
"""
ROWS = [line.split() for line in ROSTER.strip().splitlines()]
IDS = {row[0] for row in ROWS}


def test_the_catalog_has_no_flaws_and_holds_the_seventeen_of_the_contract() -> None:
    assert flaws(shipped.catalog()) == ()
    assert [model.id for model in shipped.catalog().models] == sorted(IDS)
    assert len(ROWS) == 17


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_model_has_the_price_window_and_modalities_of_the_contract(row: list[str]) -> None:
    name, price_in, price_out, window, *modalities = row
    model = shipped.catalog().model(name)
    assert model is not None
    prices = model.retail_price.base
    assert prices.input is not None
    assert prices.output is not None
    assert price_text_per_million(prices.input) == price_in
    assert price_text_per_million(prices.output) == price_out
    assert model.context_window == int(window)
    assert model.input_modalities == {Modality.TEXT, *map(Modality, modalities)}
    assert model.status is Status.ACTIVE
    assert {Capability.TOOLS, Capability.REASONING} <= model.capabilities
    declares = Capability.STRUCTURED_OUTPUT in model.capabilities
    assert declares is (name != "minimax/minimax-m2.7")


def test_virtual_models_are_the_contract_s_seven_and_name_only_catalog_models() -> None:
    models = shipped.virtual_models()
    lanes = ["auto", "coding", "research", "vision", "strict-json", "cheap", "safe"]
    assert [model.lane for model in models] == lanes
    assert [model.id for model in models] == [f"astrolabe/{lane}" for lane in lanes]
    for model in models:
        named = (*model.candidates, *model.fallback_candidates)
        assert len(set(named)) == len(named)
        assert {*named, model.reference} <= IDS


def test_what_is_read_is_all_that_the_files_say() -> None:
    data = files("astrolabe_core") / "data"
    catalog = json.loads((data / "catalog.json").read_text(encoding="utf-8"))
    virtual = json.loads((data / "virtual_models.json").read_text(encoding="utf-8"))
    assert write_catalog(shipped.catalog()) == catalog
    assert write_virtual_models(shipped.virtual_models()) == virtual


def test_files_are_read_once() -> None:
    assert shipped.catalog() is shipped.catalog()
    assert shipped.virtual_models() is shipped.virtual_models()


def test_a_file_that_cannot_be_read_names_itself_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/catalog.json").write_text('{"models": []}')
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path)
    shipped.catalog.cache_clear()
    with pytest.raises(ShippedFileError, match=r"^catalog\.json: version: is missing"):
        shipped.catalog()


def test_a_local_snapshot_has_an_active_caller_and_the_shipped_world() -> None:
    world = shipped.snapshot()
    caller = world.caller
    assert world.at == 0
    assert (caller.key.id, caller.workspace.id) == ("local", "local")
    assert caller.key.workspace == caller.workspace.id
    assert caller.key.status is KeyStatus.ACTIVE
    assert caller.workspace.status is WorkspaceStatus.ACTIVE
    assert world.catalog is shipped.catalog()
    assert world.virtual_models is shipped.virtual_models()


def test_a_local_snapshot_takes_time_stack_and_envelope() -> None:
    slug, envelope = StackSlug("fast"), Boundaries(data_policy=DataRule.NO_TRAINING)
    world = shipped.snapshot(at=Instant(5), stack=slug, stacks=(MANAGED[slug],), envelope=envelope)
    assert world.at == 5
    assert world.caller.workspace.stack == slug
    assert world.caller.stacks == (MANAGED[slug],)
    assert world.caller.workspace.envelope == envelope
