"""What the routes answer is what is described, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from astrolabe_core.usage import UsageGrouping
from astrolabe_http.openapi.responses_answers import event_name
from tests.http.gateways import CHAT, RESPONSES, chat_chunk, make_bench, sse, stream_reply
from tests.http.keeping import answer, call, make_keeping, stream, thought
from tests.http.openapi.validating import closed_validator

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/health", "Health"),
        ("/ready", "Readiness"),
        ("/v1/models", "ModelList"),
        ("/v1/models/auto", "VirtualModel"),
        ("/v1/models/openai/gpt-5.4-nano", "ServingModel"),
        ("/v1/lanes", "LaneList"),
        ("/v1/usage", "UsagePage"),
        *((f"/v1/usage?group_by={each.value}", "UsagePage") for each in UsageGrouping),
    ],
)
async def test_every_page_is_as_described(path: str, name: str) -> None:
    bench = await make_bench()
    async with bench.client() as client:
        await client.post("/v1/chat/completions", json=CHAT)
        await client.post("/v1/chat/completions", json={**CHAT, "model": "none"})
        page = await client.get(path)
    assert page.status_code == 200
    closed_validator(name).validate(page.json())


async def test_a_kept_response_its_items_and_its_end_are_as_described() -> None:
    bench = await make_keeping()
    bench.transport.script = [answer(thought(), call()), answer()]
    tools = [{"type": "function", "name": "get_weather", "parameters": {}}]
    async with bench.client() as client:
        first = (await client.post("/v1/responses", json={**RESPONSES, "tools": tools})).json()
        going_on = {**RESPONSES, "previous_response_id": first["id"]}
        second = (await client.post("/v1/responses", json=going_on)).json()
        path = f"/v1/responses/{second['id']}"
        shown, items = await client.get(path), await client.get(f"{path}/input_items?limit=2")
        end = await client.delete(path)
    for told in (first, second, shown.json()):
        closed_validator("Response").validate(told)
    assert shown.json()["id"] == second["id"]
    assert len(items.json()["data"]) == 2
    closed_validator("InputItemList").validate(items.json())
    closed_validator("DeletedResponse").validate(end.json())


@pytest.mark.parametrize("query", ["limit=", "limit=0", "limit=101", "order=", "order=up"])
async def test_a_filter_of_items_that_is_not_described_is_refused(query: str) -> None:
    bench = await make_keeping()
    bench.transport.script = [answer()]
    async with bench.client() as client:
        made = (await client.post("/v1/responses", json=RESPONSES)).json()
        page = await client.get(f"/v1/responses/{made['id']}/input_items?{query}")
    assert page.status_code == 400
    assert page.json()["error"]["param"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("path", "body", "script", "name"),
    [
        ("chat/completions", CHAT, stream_reply(sse(chat_chunk("Hi"), chat_chunk(finish="stop"))),
         "ChatEvent"),
        ("chat/completions", CHAT, stream_reply(sse(chat_chunk("Hi"))), "ChatEvent"),
        ("responses", RESPONSES, stream(thought(), call()), "ResponsesEvent"),
    ],
    ids=["chat", "chat cut short", "responses"],
)  # fmt: skip
async def test_every_event_of_a_stream_is_as_described(
    path: str, body: dict[str, Any], script: Any, name: str
) -> None:
    bench = await make_bench()
    bench.transport.script = [script]
    async with bench.client() as client:
        told = await client.post(f"/v1/{path}", json={**body, "stream": True})
    frames = told.text.strip().split("\n\n")
    assert len(frames) > 2
    for frame in frames:
        event = dict(line.split(": ", 1) for line in frame.splitlines())
        closed_validator(name).validate(event)
        # No validator looks into a string.
        if event["data"] != "[DONE]":
            said = json.loads(event["data"])
            chunk = "Error" if "error" in said else "ChatChunk"
            held = event_name(event["event"]) if "event" in event else chunk
            closed_validator(held).validate(said)
