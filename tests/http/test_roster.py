"""A catalog of one's own: what may stand in it, and what becomes of the lanes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astrolabe_core import shipped
from astrolabe_core.codec import Invalid, write_catalog
from astrolabe_http.roster import AUTO, Roster, RosterError, load_roster, read_roster, upstream_of
from astrolabe_http.settings import Settings, UpstreamKind
from tests.http.catalogs import LOCAL, local_model, written


def roster(**changes: Any) -> Roster:
    found = read_roster({**LOCAL, **changes})
    assert isinstance(found, Roster), str(found)
    return found


def findings(document: object) -> str:
    found = read_roster(document)
    assert isinstance(found, Invalid)
    return str(found)


def test_without_a_file_it_is_what_comes_with_the_product() -> None:
    found = load_roster(Settings())
    assert found.catalog is shipped.catalog()
    assert found.virtual_models is shipped.virtual_models()
    assert found.upstream_ids == {}


def test_a_file_is_read_and_the_tiers_need_not_be_said(tmp_path: Path) -> None:
    found = load_roster(Settings(catalog_file=written(tmp_path)))
    assert [model.id for model in found.catalog.models] == ["local/llama", "local/qwen"]
    assert found.catalog.priors == shipped.catalog().priors


def test_of_the_lanes_auto_is_always_there_with_every_active_model() -> None:
    models = [*LOCAL["models"], local_model("local/old", status="deprecated")]
    (auto,) = roster(models=models).virtual_models
    assert auto.id == AUTO
    assert auto.candidates == ("local/llama", "local/qwen")
    assert auto.reference == "local/llama"
    assert auto.fallback_candidates == ()


def test_shipped_lanes_keep_the_models_that_are_left() -> None:
    document = write_catalog(shipped.catalog())
    kept = {"openai/gpt-5.4-nano", "google/gemma-4-31b-it", "openai/gpt-5.5"}
    document["models"] = [each for each in document["models"] if each["id"] in kept]
    lanes = {lane.lane: lane for lane in roster(**document).virtual_models}
    assert lanes["cheap"].candidates == ("google/gemma-4-31b-it", "openai/gpt-5.4-nano")
    assert lanes["safe"].candidates == ("openai/gpt-5.5",)
    assert lanes["strict-json"].fallback_candidates == ("openai/gpt-5.5",)
    assert "research" not in lanes
    assert set(lanes["auto"].candidates) == kept
    # A baseline that is not there is the first candidate's.
    assert lanes["cheap"].reference == "google/gemma-4-31b-it"


def test_the_whole_shipped_catalog_as_a_file_changes_nothing() -> None:
    found = roster(**write_catalog(shipped.catalog()))
    assert found.catalog == shipped.catalog()
    assert found.virtual_models == shipped.virtual_models()


LANE: dict[str, Any] = {
    "id": "astrolabe/house",
    "lane": "house",
    "name": "House",
    "description": "Ours.",
    "candidates": ["local/qwen"],
    "fallbackCandidates": [],
    "reference": "local/qwen",
    "triggerRules": [],
}


def test_lanes_of_one_s_own_are_all_there_are() -> None:
    (lane,) = roster(virtualModels=[LANE]).virtual_models
    assert (lane.id, lane.candidates) == ("astrolabe/house", ("local/qwen",))
    assert roster(virtualModels=[]).virtual_models == ()


def test_the_upstream_may_have_names_of_its_own() -> None:
    names = {"local/llama": "llama3.2:3b"}
    upstream = upstream_of(
        Settings(upstream_kind=UpstreamKind.OPENAI), roster(upstreamIds=names).upstream_ids
    )
    assert upstream.plain
    assert upstream.names == names


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": []}, "models: a catalog needs at least one model"),
        (
            {"models": [local_model("llama")]},
            "models[0].id: 'llama' is not a model id, vendor/name",
        ),
        ({"lanes": []}, "lanes"),
        ({"models": [local_model("local/a", retailPrice={})]}, "retailPrice.input"),
        (
            {"virtualModels": [{**LANE, "candidates": ["local/other"]}]},
            "virtualModels[0].candidates[0]: local/other is not among models",
        ),
        (
            {"virtualModels": [{**LANE, "reference": "local/other"}]},
            "virtualModels[0].reference: local/other is not among models",
        ),
        (
            {"virtualModels": [{**LANE, "fallbackCandidates": ["local/other"]}]},
            "virtualModels[0].fallbackCandidates[0]",
        ),
        ({"virtualModels": [{**LANE, "id": "house"}]}, "virtualModels[0].id"),
        ({"virtualModels": {}}, "virtualModels: "),
        ({"upstreamIds": []}, "upstreamIds: must be an object"),
        ({"upstreamIds": {"local/other": "x"}}, "upstreamIds.local/other: this id is not among"),
        ({"upstreamIds": {"local/llama": ""}}, "upstreamIds.local/llama: must be the name"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(changes: dict[str, Any], said: str) -> None:
    assert said in findings({**LOCAL, **changes})


def test_what_is_no_object_is_no_catalog() -> None:
    assert "one JSON object" in findings([])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("{", "is no JSON document"),
        ('{"version": "1", "version": "2"}', "a key stands twice"),
        ("[" * 100_000, "is no JSON document"),
        ("{}", "version"),
        ("\udcff", "is no JSON document"),
    ],
)
def test_a_file_that_cannot_be_served_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "models.json"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RosterError) as caught:
        load_roster(Settings(catalog_file=str(path)))
    assert said in str(caught.value)
    assert all(line.startswith(str(path)) for line in str(caught.value).splitlines())


def test_the_example_of_the_docs_is_sound() -> None:
    page = Path(__file__).parents[2] / "docs" / "catalog.md"
    (_, *rest) = page.read_text(encoding="utf-8").split("```json\n")
    examples = [json.loads(each.split("```")[0]) for each in rest]
    assert examples
    for example in examples:
        assert isinstance(read_roster(example), Roster), read_roster(example)
