from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from astrolabe_core.requests import Surface
from tests.http.simulator.conftest import NANO
from tests.http.simulator.grammar import check, read_events

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def ask(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/responses", json={"model": NANO.id, "input": "Hello there", **body})


def test_an_answer_has_openrouter_s_shape_and_echoes_settings(client: httpx.Client) -> None:
    text = {"format": {"type": "text"}, "verbosity": "low"}
    body = ask(client, text=text, metadata={"a": "b"}, temperature=0.5).json()
    assert body["object"] == "response"
    assert body["status"] == "completed"
    assert body["id"].startswith("gen-")
    assert body["text"] == text
    assert body["metadata"] == {"a": "b"}
    assert body["temperature"] == 0.5
    assert body["service_tier"] is None
    (item,) = body["output"]
    assert "Hello there" in item["content"][0]["text"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    cost = usage["input_tokens"] * NANO.input_price + usage["output_tokens"] * NANO.output_price
    assert usage["cost"] == float(cost)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tools": [TOOL]},
        {"tools": [TOOL, {**TOOL, "name": "get_time"}], "input": "get_time and get_weather"},
        {"reasoning": {"effort": "low"}},
        {"max_output_tokens": 5},
        {"model": f"{NANO.id}#refusal"},
        {"model": f"{NANO.id}#empty"},
        {"model": f"{NANO.id}#filtered"},
    ],
    ids=str,
)
def test_a_stream_keeps_the_order_and_ends_with_the_whole(
    client: httpx.Client, change: dict[str, Any]
) -> None:
    text = ask(client, stream=True, **change).text
    check(Surface.RESPONSES, text)
    events, _ = read_events(text)
    whole, streamed = ask(client, **change).json(), events[-1]["response"]
    for body in (whole, streamed):
        body["output"] = [{k: v for k, v in i.items() if k != "id"} for i in body["output"]]
        for changing in ("id", "created_at", "completed_at"):
            del body[changing]
    assert streamed == whole


def test_an_answer_at_the_limit_is_incomplete(client: httpx.Client) -> None:
    body = ask(client, max_output_tokens=5).json()
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}


def test_tools_are_called_until_their_result_comes(client: httpx.Client) -> None:
    (call,) = ask(client, tools=[TOOL, {"type": "web_search"}]).json()["output"]
    assert call["type"] == "function_call"
    assert "city" in json.loads(call["arguments"])
    turns = [
        {"role": "user", "content": "Hello"},
        call,
        {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"},
    ]
    (said,) = ask(client, tools=[TOOL], input=turns).json()["output"]
    assert said["type"] == "message"


def test_a_schema_gets_json_of_its_shape(client: httpx.Client) -> None:
    form = {"type": "json_schema", "name": "city", "schema": TOOL["parameters"], "strict": True}
    (item,) = ask(client, text={"format": form}).json()["output"]
    assert "city" in json.loads(item["content"][0]["text"])


@pytest.mark.parametrize(
    "change",
    [
        {"store": True},
        {"previous_response_id": "resp_1"},
        {"input": []},
        {"input": 7},
        {"input": [{"role": "robot", "content": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "poem"}]}]},
        {"max_output_tokens": 0},
        {"text": {"format": {"type": "yaml"}}},
        {"tools": [{"type": "function"}]},
        {"truncation": "maybe"},
        {"metadata": {"astrolabe": {}}},
    ],
    ids=str,
)
def test_what_the_schema_forbids_is_400(client: httpx.Client, change: dict[str, Any]) -> None:
    answer = ask(client, **change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


def test_items_of_every_kind_are_taken(client: httpx.Client) -> None:
    turns = [
        {"type": "message", "role": "developer", "content": "be kind"},
        {"role": "user", "content": [{"type": "input_text", "text": "see"},
                                     {"type": "input_image", "image_url": "data:,"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "id": "m", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "I see", "annotations": []}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"role": "user", "content": "and?"},
    ]  # fmt: skip
    assert ask(client, input=turns, instructions="short").status_code == 200
