"""Reasoning on Responses: summed up or shown, and sealed for its provider where `include` asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from astrolabe_http.simulator import RunningSimulator
from tests.http.simulator.conftest import NANO


def ask(simulator: RunningSimulator, **given: Any) -> httpx.Response:
    body = {"input": "Think.", "reasoning": {"effort": "low"}, **given}
    headers = {"authorization": "Bearer any"}
    return httpx.post(f"{simulator.url}/responses", json=body, headers=headers)


@pytest.mark.parametrize(
    ("model", "shown", "hidden", "event"),
    [
        ("openai/a", "summary", "content", "response.reasoning_summary_text.delta"),
        ("deepseek/a", "content", "summary", "response.reasoning_text.delta"),
    ],
)
def test_reasoning_has_the_form_of_its_vendor(
    model: str, shown: str, hidden: str, event: str
) -> None:
    kind = "summary_text" if shown == "summary" else "reasoning_text"
    with RunningSimulator([replace(NANO, id=model)]) as simulator:
        item = ask(simulator, model=model).json()["output"][0]
        assert item["type"] == "reasoning"
        assert [part["type"] for part in item[shown]] == [kind]
        assert not item.get(hidden)
        assert "encrypted_content" not in item
        lines = ask(simulator, model=model, stream=True).text.split("\n")
    events = [orjson.loads(line[6:]) for line in lines if line.startswith("data: {")]
    said = "".join(told["delta"] for told in events if told["type"] == event)
    assert said == item[shown][0]["text"]


@pytest.mark.parametrize("streamed", [False, True])
def test_sealed_reasoning_is_read_by_its_vendor_alone_and_under_its_own_id(
    streamed: bool,
) -> None:
    models = [replace(NANO, id=name) for name in ("openai/a", "openai/b", "acme/a")]
    include = ["reasoning.encrypted_content"]
    with RunningSimulator(models) as simulator:
        item = ask(simulator, model="openai/a", include=include).json()["output"][0]
        made_up = {**item, "id": "rs_1", "encrypted_content": "abc"}
        for model, given, status in (
            ("openai/a", item, 200),
            ("openai/b", item, 200),
            ("acme/a", item, 400),
            ("openai/a", {**item, "id": "rs_other"}, 400),
            ("acme/a", made_up, 200),
        ):
            turn = [given, {"role": "user", "content": "Go on."}]
            said = ask(simulator, model=model, input=turn, stream=streamed)
            assert said.status_code == status, said.text
            assert ("could not be verified" in said.text) is (status == 400)


def test_reasoning_is_sealed_where_that_is_asked_for() -> None:
    wanted = {"model": NANO.id, "include": ["reasoning.encrypted_content"]}
    with RunningSimulator([NANO]) as simulator:
        item = ask(simulator, **wanted).json()["output"][0]
        lines = ask(simulator, **wanted, stream=True).text.split("\n")
    events = [orjson.loads(line[6:]) for line in lines if line.startswith("data: {")]
    added = next(e["item"] for e in events if e["type"] == "response.output_item.added")
    done = next(e["item"] for e in events if e["type"] == "response.output_item.done")
    # Not the same, since an item's id is sealed in.
    assert item["encrypted_content"]
    assert done["encrypted_content"]
    assert "encrypted_content" not in added
