"""JSON that was promised by a schema: mended, asked for again, or looked for elsewhere.

The ancestor never validated a schema, and fenced JSON burned five models.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from astrolabe_core.requests import Surface
from tests.http.server.conftest import Stack
from tests.http.server.processes import questions
from tests.http.wire.relaying import check

NANO = "openai/gpt-5.4-nano"
SCHEMA: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
PATHS = {Surface.CHAT: "/v1/chat/completions", Surface.RESPONSES: "/v1/responses"}
BROKEN = ("fenced-json", "trailing-comma", "wrapped-json", "chatty-json")


def order(stack: Stack, fault: str, **rule: Any) -> None:
    """Have the provider fail."""
    answer = httpx.post(f"{stack.control}/faults", json={"fault": fault, "times": None, **rule})
    answer.raise_for_status()


def calls(stack: Stack) -> list[Any]:
    """What the provider was asked, but for what verifiers were."""
    return [call["body"] for call in questions(stack.control)]


def ask(stack: Stack, surface: Surface, *, model: str = NANO, **fields: Any) -> httpx.Response:
    form: Any = {"name": "weather", "strict": True, "schema": SCHEMA}
    said: Any
    if surface is Surface.CHAT:
        said = {"messages": [{"role": "user", "content": "How warm is it?"}]}
        said["response_format"] = {"type": "json_schema", "json_schema": form}
    else:
        said = {"input": "How warm is it?", "text": {"format": {"type": "json_schema", **form}}}
    with stack.client() as client:
        return client.post(PATHS[surface], json={"model": model, **said, **fields})


def events(answer: httpx.Response) -> list[Any]:
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def text_of(answer: httpx.Response, surface: Surface, *, streamed: bool) -> str:
    if surface is Surface.CHAT:
        if not streamed:
            return str(answer.json()["choices"][0]["message"]["content"])
        deltas = [each["delta"] for event in events(answer) for each in event["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)
    body = events(answer)[-1]["response"] if streamed else answer.json()
    assert body["status"] == "completed"
    parts = [part for item in body["output"] for part in item.get("content", [])]
    whole = "".join(part["text"] for part in parts if part["type"] == "output_text")
    if streamed:
        deltas = [e["delta"] for e in events(answer) if e["type"] == "response.output_text.delta"]
        assert "".join(deltas) == whole
    return whole


def assert_conforms(text: str) -> None:
    value = json.loads(text)
    assert value.keys() == {"city", "degrees"}
    assert isinstance(value["city"], str)
    assert isinstance(value["degrees"], int)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "held"])
@pytest.mark.parametrize("surface", Surface)
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_json_is_mended_and_costs_one_call(
    stack: Stack, fault: str, surface: Surface, *, streamed: bool
) -> None:
    order(stack, fault, model=NANO)
    metadata = {"astrolabe.verification": "strict" if streamed else "light"}
    answer = ask(stack, surface, metadata=metadata, stream=streamed)
    assert answer.status_code == 200, answer.text
    if streamed:
        check(surface, answer.content, usage_wanted=False)
    assert_conforms(text_of(answer, surface, streamed=streamed))
    if not streamed:
        assert answer.headers["x-astrolabe-decision"] == "recovered"
    assert [call["model"] for call in calls(stack)].count(NANO) == 1


@pytest.mark.parametrize("surface", Surface)
def test_a_pinned_model_is_asked_again_with_what_is_wrong(stack: Stack, surface: Surface) -> None:
    order(stack, "wrong-schema", model=NANO, times=1)
    answer = ask(stack, surface)
    assert answer.status_code == 200, answer.text
    assert_conforms(text_of(answer, surface, streamed=False))
    first, again = calls(stack)
    assert first["model"] == again["model"] == NANO
    said = json.dumps(again["messages" if surface is Surface.CHAT else "input"])
    assert "lacks the property 'city'" in said
    assert "has a property that is not allowed" in said
    assert "lacks the property" not in json.dumps(first)
    trace = stack_trace(stack, answer)
    assert [attempt["cause"] for attempt in trace["attempts"]] == ["first", "correction"]


@pytest.mark.parametrize("surface", Surface)
def test_a_pinned_model_that_cannot_is_502_and_not_to_be_tried_again(
    stack: Stack, surface: Surface
) -> None:
    """openai-python retries 5xx by itself: a failed schema would be paid three times."""
    order(stack, "wrong-schema")
    answer = ask(stack, surface)
    assert answer.status_code == 502
    error = answer.json()["error"]
    assert error["code"] == "structured_output_invalid"
    assert answer.headers["x-should-retry"] == "false"
    assert len(calls(stack)) == 2
    assert "unexpected" not in json.dumps(error)


@pytest.mark.parametrize("surface", Surface)
def test_a_virtual_model_looks_for_another_candidate(stack: Stack, surface: Surface) -> None:
    order(stack, "wrong-schema", times=1)
    answer = ask(stack, surface, model="auto")
    assert answer.status_code == 200, answer.text
    assert_conforms(text_of(answer, surface, streamed=False))
    first, second = calls(stack)
    assert first["model"] != second["model"]
    assert "lacks the property" not in json.dumps(second)
    trace = stack_trace(stack, answer)
    assert [attempt["cause"] for attempt in trace["attempts"]] == ["first", "recovery"]


@pytest.mark.parametrize("fault", ["wrong-arguments", "bad-arguments"])
def test_arguments_that_miss_their_schema_are_asked_for_again(stack: Stack, fault: str) -> None:
    order(stack, fault, model=NANO, times=1)
    function = {"name": "weather", "parameters": SCHEMA}
    asked: Any = {
        "model": NANO,
        "messages": [{"role": "user", "content": "How warm is it?"}],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
    }
    with stack.client() as client:
        answer = client.post(PATHS[Surface.CHAT], json=asked)
    assert answer.status_code == 200, answer.text
    (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert_conforms(call["function"]["arguments"])
    first, again = calls(stack)
    assert again["messages"][:-2] == first["messages"]
    assert again["messages"][-2]["role"] == "assistant"
    assert "tool_calls" not in again["messages"][-2]


def stack_trace(stack: Stack, answer: httpx.Response) -> Any:
    request = answer.headers["x-request-id"]
    with stack.client() as client:
        return client.get(f"/v1/traces/{request}").json()
