from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core import shipped
from tests.http.gateways import Bench, make_bench

pytestmark = pytest.mark.anyio

FIELDS = {
    "id",
    "object",
    "created",
    "owned_by",
    "type",
    "name",
    "description",
    "lane",
}
SERVING = FIELDS | {
    "pricing",
    "context_window",
    "max_output_tokens",
    "modalities",
    "capabilities",
    "data_policy",
    "status",
}


async def get(bench: Bench, path: str) -> Any:
    async with bench.client() as client:
        answer = await client.get(path)
    return answer.json() | {"status_code": answer.status_code}


async def test_virtual_and_serving_models_stand_in_one_list() -> None:
    listed = (await get(await make_bench(), "/v1/models"))["data"]
    ids = [entry["id"] for entry in listed]
    expected = [
        *(m.id for m in shipped.virtual_models()),
        *(m.id for m in shipped.catalog().models),
    ]
    assert ids == expected
    for entry in listed:
        wanted = SERVING if entry["type"] == "serving" else FIELDS | {"candidates"}
        assert wanted <= set(entry)


@pytest.mark.parametrize("kind", ["virtual", "serving"])
async def test_a_view_narrows(kind: str) -> None:
    listed = (await get(await make_bench(), f"/v1/models?view={kind}"))["data"]
    assert {entry["type"] for entry in listed} == {kind}


async def test_a_view_that_is_none_is_refused() -> None:
    answer = await get(await make_bench(), "/v1/models?view=all-of-them")
    assert answer["status_code"] == 400
    assert answer["error"]["param"] == "view"


async def test_prices_are_exact_retail_dollars_for_a_million_tokens() -> None:
    shown = await get(await make_bench(), "/v1/models/openai/gpt-5.4-nano")
    assert (shown["pricing"]["input"], shown["pricing"]["output"]) == ("0.2", "1.25")


@pytest.mark.parametrize("name", ["auto", "astrolabe/auto"])
async def test_a_virtual_model_is_shown_under_both_of_its_names(name: str) -> None:
    assert (await get(await make_bench(), f"/v1/models/{name}"))["id"] == "astrolabe/auto"


@pytest.mark.parametrize("name", ["gpt-5.4-nano", "openai/gpt-5.4-nan"])
async def test_an_unknown_model_is_404_and_names_what_is_near(name: str) -> None:
    answer = await get(await make_bench(), f"/v1/models/{name}")
    assert answer["status_code"] == 404
    assert answer["error"]["code"] == "unknown_model"
    assert "openai/gpt-5.4-nano" in answer["error"]["details"]["near"]


async def test_each_lane_has_its_manifest() -> None:
    listed = (await get(await make_bench(), "/v1/lanes"))["data"]
    assert [entry["virtual_model"] for entry in listed] == [m.id for m in shipped.virtual_models()]
    for entry in listed:
        assert set(entry) >= {
            "id",
            "lane",
            "virtual_model",
            "description",
            "default_candidates",
            "fallback_candidates",
            "trigger_rules",
        }
