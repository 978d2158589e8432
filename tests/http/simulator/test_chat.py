from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from astrolabe_core.requests import Surface
from tests.http.simulator.conftest import NANO, SONNET
from tests.http.simulator.grammar import check, read_events

HELLO = [{"role": "user", "content": "Hello, what is a ledger?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time"}}


def ask(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/chat/completions", json={"model": NANO.id, "messages": HELLO, **body})


def stream(client: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = ask(client, stream=True, **body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith(": OPENROUTER PROCESSING\n\n")
    check(Surface.CHAT, answer.text)
    return read_events(answer.text)[0]


def test_an_answer_has_openrouter_s_shape(client: httpx.Client) -> None:
    answer = ask(client)
    body = answer.json()
    assert answer.headers["x-generation-id"] == body["id"]
    assert body["id"].startswith("gen-")
    assert body["object"] == "chat.completion"
    assert body["model"] == NANO.id
    assert body["provider"] == "OpenAI"
    assert body["system_fingerprint"] is None
    assert body["service_tier"] is None
    (choice,) = body["choices"]
    assert choice["finish_reason"] == choice["native_finish_reason"] == "stop"
    assert "what is a ledger" in choice["message"]["content"]
    assert choice["message"]["refusal"] is None


def test_usage_costs_the_exact_price_of_its_tokens(client: httpx.Client) -> None:
    usage = ask(client).json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] == 6 + 4 + 3  # 24 bytes, one message, the reply
    cost = usage["prompt_tokens"] * NANO.input_price
    cost += usage["completion_tokens"] * NANO.output_price
    assert usage["cost"] == float(cost)
    assert usage["cost_details"]["upstream_inference_completions_cost"] == float(
        usage["completion_tokens"] * NANO.output_price
    )


def test_the_same_request_gets_the_same_words_streamed_or_not(client: httpx.Client) -> None:
    whole = ask(client).json()
    again = ask(client).json()
    events = stream(client)
    told = "".join(e["choices"][0]["delta"].get("content") or "" for e in events if e["choices"])
    assert whole["choices"][0]["message"] == again["choices"][0]["message"]
    assert told == whole["choices"][0]["message"]["content"]
    assert events[-1]["usage"] == whole["usage"]
    assert whole["id"] != again["id"]


def test_usage_is_on_the_last_chunk_only(client: httpx.Client) -> None:
    events = stream(client)
    assert ["usage" in event for event in events] == [False] * (len(events) - 1) + [True]
    assert events[-1]["choices"] == []
    finishes = [e["choices"][0]["finish_reason"] for e in events[:-1]]
    assert finishes == [None] * (len(finishes) - 1) + ["stop"]
    assert len({event["id"] for event in events}) == 1


def test_an_answer_is_cut_at_the_output_limit(client: httpx.Client) -> None:
    body = ask(client, max_tokens=7).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 7


def test_reasoning_is_part_of_the_completion(client: httpx.Client) -> None:
    body = ask(client, reasoning={"effort": "high"}).json()
    reasoning = body["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert 0 < reasoning < body["usage"]["completion_tokens"]
    assert body["choices"][0]["message"]["reasoning"]
    assert body["choices"][0]["message"]["reasoning_details"][0]["type"] == "reasoning.text"
    told = [
        e["choices"][0]["delta"].get("reasoning")
        for e in stream(client, reasoning_effort="high")[:-1]
    ]
    assert body["choices"][0]["message"]["reasoning"] in told  # fmt: skip


def test_a_long_prefix_seen_before_is_cached(client: httpx.Client) -> None:
    long = [{"role": "system", "content": "x" * 8000}, *HELLO]
    first = ask(client, messages=long).json()["usage"]
    other = [{"role": "system", "content": "x" * 8000}, {"role": "user", "content": "Other"}]
    second = ask(client, messages=other).json()["usage"]
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    elsewhere = ask(client, model=SONNET.id, messages=long).json()["usage"]
    assert elsewhere["prompt_tokens_details"]["cached_tokens"] == 0
    cached = second["prompt_tokens_details"]["cached_tokens"]
    assert cached == 2004 // 128 * 128
    assert second["cost_details"]["upstream_inference_prompt_cost"] == float(
        (second["prompt_tokens"] - cached) * NANO.input_price + cached * NANO.cached_input_price
    )


def test_a_call_refused_at_the_door_leaves_nothing_in_the_cache(client: httpx.Client) -> None:
    long = [{"role": "system", "content": "x" * 8000}, *HELLO]
    assert ask(client, model=f"{NANO.id}#429", messages=long).status_code == 429
    usage = ask(client, messages=long).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_marked_prefix_is_written_to_the_cache(client: httpx.Client) -> None:
    part = {"type": "text", "text": "x" * 8000, "cache_control": {"type": "ephemeral"}}
    messages = [{"role": "system", "content": [part]}, *HELLO]
    usage = ask(client, model=SONNET.id, messages=messages).json()["usage"]
    assert usage["prompt_tokens_details"]["cache_write_tokens"] == 2004


def test_offered_tools_are_called_with_valid_arguments(client: httpx.Client) -> None:
    (choice,) = ask(client, tools=[WEATHER]).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    arguments = json.loads(call["function"]["arguments"])
    assert call["function"]["name"] == "get_weather"
    assert set(arguments) == {"city", "days"}
    assert arguments["days"] >= 3


def test_tool_calls_are_streamed_in_fragments(client: httpx.Client) -> None:
    whole = ask(client, tools=[WEATHER]).json()["choices"][0]["message"]["tool_calls"]
    deltas = [
        call
        for event in stream(client, tools=[WEATHER])[:-1]
        for call in event["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert deltas[0]["id"] == whole[0]["id"]
    assert deltas[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert len(deltas) > 2
    assert "".join(d["function"]["arguments"] for d in deltas) == whole[0]["function"]["arguments"]


def test_named_tools_are_called_together_unless_forbidden(client: httpx.Client) -> None:
    both = [{"role": "user", "content": "use get_weather and get_time"}]
    tools = [WEATHER, CLOCK]
    calls = ask(client, messages=both, tools=tools).json()["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["get_weather", "get_time"]
    one = ask(client, messages=both, tools=tools, parallel_tool_calls=False).json()
    assert len(one["choices"][0]["message"]["tool_calls"]) == 1
    chosen = {"type": "function", "function": {"name": "get_time"}}
    named = ask(client, messages=both, tools=tools, tool_choice=chosen).json()
    assert [call["function"]["name"] for call in named["choices"][0]["message"]["tool_calls"]] == [
        "get_time"
    ]


def test_no_tool_is_called_after_a_result_or_when_told_not_to(client: httpx.Client) -> None:
    call = ask(client, tools=[WEATHER]).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": "sunny"}
    after = ask(client, tools=[WEATHER], messages=[*HELLO, call, result]).json()
    assert after["choices"][0]["finish_reason"] == "stop"
    none = ask(client, tools=[WEATHER], tool_choice="none").json()
    assert none["choices"][0]["message"]["content"]


def test_a_schema_gets_json_of_its_shape(client: httpx.Client) -> None:
    schema = WEATHER["function"]["parameters"]  # type: ignore[index]
    form = {"type": "json_schema", "json_schema": {"name": "w", "strict": True, "schema": schema}}
    made = json.loads(ask(client, response_format=form).json()["choices"][0]["message"]["content"])
    assert set(made) == {"city", "days"}
    loose = ask(client, response_format={"type": "json_object"}).json()
    assert isinstance(json.loads(loose["choices"][0]["message"]["content"]), dict)


def test_n_choices_differ_and_are_all_paid(client: httpx.Client) -> None:
    one, three = ask(client).json(), ask(client, n=3).json()
    texts = [choice["message"]["content"] for choice in three["choices"]]
    assert len(set(texts)) == 3
    assert [choice["index"] for choice in three["choices"]] == [0, 1, 2]
    assert three["usage"]["completion_tokens"] > one["usage"]["completion_tokens"]
    assert three["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]


def test_stop_ends_the_text(client: httpx.Client) -> None:
    text = ask(client, stop=["ledger"]).json()["choices"][0]["message"]["content"]
    assert "what is a" in text
    assert "ledger" not in text


def test_images_are_taken_where_the_model_sees(client: httpx.Client) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "what?"}, part]}]
    assert ask(client, messages=messages).json()["usage"]["prompt_tokens"] > 258
    blind = ask(client, model=SONNET.id, messages=messages)
    assert (blind.status_code, blind.json()["error"]["code"]) == (404, 404)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": None},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": [{"type": "poem"}]}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"model": 7},
        {"model": None},
        {"max_tokens": 0},
        {"max_tokens": "many"},
        {"temperature": 3},
        {"stream": "yes"},
        {"n": 0},
        {"metadata": {"astrolabe": {"stack": "fast"}}},
        {"metadata": {"a": "x" * 513}},
        {"tools": [{"type": "function"}]},
        {"tool_choice": "maybe"},
        {"response_format": {"type": "yaml"}},
        {"reasoning": {"effort": "heroic"}},
        {"stop": ["a", "b", "c", "d", "e"]},
        {"provider": {"nonsense": True}},
        {"model": "nobody/nothing"},
        {"model": f"{NANO.id}#nonsense"},
    ],
    ids=str,
)
def test_what_the_schema_forbids_is_400_with_a_number(
    client: httpx.Client, change: dict[str, Any]
) -> None:
    answer = ask(client, **change)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400
    assert answer.json()["error"]["metadata"]["error_type"] == "invalid_request"


def test_a_body_that_is_no_json_is_400(client: httpx.Client) -> None:
    for content in (b"", b"{", b"[]", b"\xff"):
        assert client.post("/chat/completions", content=content).status_code == 400


def test_what_clients_really_send_is_tolerated(client: httpx.Client) -> None:
    answer = ask(
        client,
        client_metadata={"x": 1},
        tools=[],
        stream=False,
        max_tokens=None,
        metadata={"a": "b"},
        messages=[
            {"role": "developer", "content": "be kind"},
            {"role": "assistant", "content": None, "tool_calls": []},
            *HELLO,
        ],
    )
    assert answer.status_code == 200


def test_a_prompt_beyond_the_window_is_refused_by_name(client: httpx.Client) -> None:
    for change in (
        {"messages": [{"role": "user", "content": "x" * 80_000}]},
        {"max_tokens": 19_999},
        {"model": f"{NANO.id}#context"},
    ):
        answer = ask(client, **change)
        assert answer.status_code == 400
        assert answer.json()["error"]["metadata"]["error_type"] == "context_length_exceeded"
