"""Bodies, both ways: what a provider is sent, and what a caller sees of its answer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish, ToolCall
from astrolabe_core.requests import Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.sealing import read_seal
from tests.http.test_headers import with_stack
from tests.http.wire.play import Played, serve

HELLO: list[Any] = [{"role": "user", "content": "Hello, what is a ledger?"}]
BODIES: dict[Surface, dict[str, Any]] = {
    Surface.CHAT: {"model": "auto", "messages": HELLO},
    Surface.RESPONSES: {"model": "auto", "input": "Hello, what is a ledger?"},
}
SURFACES = list(Surface)
# Every key that clients were seen to read (openai-python, LangChain, Codex, Open Responses).
RESPONSE_KEYS = """
id object created_at created completed_at status error incomplete_details instructions model
output previous_response_id tools tool_choice truncation parallel_tool_calls text temperature
top_p presence_penalty frequency_penalty top_logprobs reasoning usage max_output_tokens
max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key user
"""
FUNCTION: dict[str, Any] = {"name": "get_weather", "parameters": {"type": "object"}}
TOOLS: dict[Surface, list[Any]] = {
    Surface.CHAT: [{"type": "function", "function": FUNCTION}, {"type": "web_search"}],
    Surface.RESPONSES: [{"type": "function", **FUNCTION}, {"type": "web_search"}],
}


def play(surface: Surface, *, fault: str = "", **fields: Any) -> Played:
    return serve(surface, {**BODIES[surface], **fields}, fault=fault)


def sent(surface: Surface, **fields: Any) -> dict[str, Any]:
    (body,) = play(surface, **fields).upstream.sent
    return body


def inline(surface: Surface, shown: dict[str, Any]) -> dict[str, Any]:
    found = (
        shown["astrolabe"]
        if surface is Surface.CHAT
        else json.loads(shown["metadata"]["astrolabe"])
    )
    assert isinstance(found, dict)
    return found


# --- to the provider -------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_the_provider_gets_the_real_model_and_the_cap_that_was_priced(surface: Surface) -> None:
    played = play(surface)
    (body,) = played.upstream.sent
    cap = body["max_tokens" if surface is Surface.CHAT else "max_output_tokens"]
    told = inline(surface, played.json)
    assert body["model"] == told["served"] == played.json["model"]
    assert "/" in body["model"]
    assert cap == told["output_tokens_max"] > 0


@pytest.mark.parametrize("surface", SURFACES)
def test_the_provider_gets_nothing_of_the_routing_metadata(surface: Surface) -> None:
    fields: dict[str, Any] = {
        "metadata": {"astrolabe": {"explain": True}, "astrolabe.quality": "draft", "a": "b"},
        "client_metadata": {"x": "y"},
        "service_tier": "priority",
        "store": True,
    }
    body = sent(surface, **fields)
    assert body["metadata"] == {"a": "b"}
    assert "astrolabe" not in json.dumps(body)
    assert not {"client_metadata", "service_tier"} & set(body)
    assert body.get("store", False) is False
    assert "metadata" not in sent(surface, metadata={"astrolabe.explain": "true"})
    assert "@" not in sent(surface, model="auto@fast")["model"]


@pytest.mark.parametrize("surface", SURFACES)
def test_the_provider_gets_the_functions_and_no_other_tool(surface: Surface) -> None:
    body = sent(surface, tools=TOOLS[surface], tool_choice="required", parallel_tool_calls=False)
    assert body["tools"] == TOOLS[surface][:1]
    assert body["tool_choice"] == "required"
    assert body["parallel_tool_calls"] is False
    bare = sent(surface, tools=TOOLS[surface][1:], tool_choice="auto", parallel_tool_calls=True)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(bare)


@pytest.mark.parametrize("surface", SURFACES)
def test_allowed_tools_become_the_tools(surface: Surface) -> None:
    other: Any = {"name": "other", "parameters": {}}
    wanted: Any = {"mode": "required"}
    if surface is Surface.CHAT:
        tools = [*TOOLS[surface], {"type": "function", "function": other}]
        named = {"type": "function", "function": {"name": "other"}}
        choice = {"type": "allowed_tools", "allowed_tools": {**wanted, "tools": [named]}}
    else:
        tools = [*TOOLS[surface], {"type": "function", **other}]
        choice = {
            "type": "allowed_tools",
            **wanted,
            "tools": [{"type": "function", "name": "other"}],
        }
    body = sent(surface, tools=tools, tool_choice=choice)
    assert body["tools"] == tools[-1:]
    assert body["tool_choice"] == "required"


def test_what_changes_the_answer_is_forwarded() -> None:
    chat: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["§"],
        "logit_bias": {"1": 2},
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
        "user": "u",
        "prompt_cache_key": "k",
        "n": 2,
    }
    assert chat.items() <= sent(Surface.CHAT, **chat).items()
    responses: dict[str, Any] = {
        "instructions": "be brief",
        "temperature": 0.5,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "reasoning": {"effort": "low"},
        "truncation": "auto",
    }
    assert responses.items() <= sent(Surface.RESPONSES, **responses).items()
    include = ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert sent(Surface.RESPONSES, include=include)["include"] == include[:1]


def test_null_contents_become_what_the_provider_takes() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": None},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]
    messages = sent(Surface.CHAT, messages=talk)["messages"]
    assert [message["content"] for message in messages] == ["", None, "x"]


@pytest.mark.parametrize("surface", SURFACES)
def test_usage_is_always_asked_for(surface: Surface) -> None:
    body = sent(surface, stream=True)
    assert body["stream"] is True
    if surface is Surface.CHAT:
        assert body["stream_options"] == {"include_usage": True}
        assert body["usage"] == {"include": True}
    assert "stream" not in sent(surface, stream=False)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_stack_s_rules_go_with_the_call(surface: Surface) -> None:
    played = play(surface)
    assert "provider" not in played.upstream.sent[0]


# --- to the caller ---------------------------------------------------------------------------


def test_a_chat_body_is_openai_s() -> None:
    played = play(Surface.CHAT, metadata={"a": "b"})
    body = played.json
    assert set(body) == {
        *("id", "object", "created", "model", "service_tier", "choices", "usage", "metadata"),
        "astrolabe",
    }
    assert body["id"] == "chatcmpl-01test"
    assert body["created"] == 1_800_000_000
    (choice,) = body["choices"]
    assert set(choice) == {"index", "message", "logprobs", "finish_reason"}
    assert set(choice["message"]) == {"role", "content", "refusal", "annotations"}
    assert body["usage"]["prompt_tokens_details"].keys() >= {"cached_tokens", "cache_write_tokens"}
    assert "cost" not in body["usage"]


def test_a_response_has_every_key_that_clients_read() -> None:
    body = play(Surface.RESPONSES).json
    assert set(body) == set(RESPONSE_KEYS.split())
    assert body["usage"].keys() == {
        *("input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details"),
        "total_tokens",
    }
    (item,) = body["output"]
    assert item["id"] == "msg_01test_0"
    (part,) = item["content"]
    assert part["annotations"] == part["logprobs"] == []


def test_a_response_tells_settings_back() -> None:
    schema: Any = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    fields: dict[str, Any] = {
        "instructions": "be brief",
        "temperature": 0.5,
        "top_p": 0.25,
        "max_output_tokens": 400,
        "parallel_tool_calls": False,
        "text": {"format": schema, "verbosity": "low"},
        "tools": TOOLS[Surface.RESPONSES],
        "tool_choice": "none",
        "reasoning": {"effort": "low", "summary": "auto"},
        "metadata": {"a": "b", "astrolabe": {"quality": "draft"}},
        "prompt_cache_key": "k",
        "truncation": "auto",
        "store": True,
    }
    body = play(Surface.RESPONSES, **fields).json
    for name in ("instructions", "temperature", "top_p", "max_output_tokens", "reasoning"):
        assert body[name] == fields[name]
    assert body["parallel_tool_calls"] is False
    assert body["text"] == {"format": {**schema, "description": None}, "verbosity": "low"}
    (tool,) = body["tools"]
    assert tool == {"type": "function", "description": None, "strict": None, **FUNCTION}
    assert body["tool_choice"] == "none"
    assert body["truncation"] == "auto"
    assert body["store"] is False
    assert body["metadata"].keys() == {"a", "astrolabe"}
    assert isinstance(body["metadata"]["astrolabe"], str)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [False, True])
def test_no_id_of_the_provider_s_reaches_a_caller(surface: Surface, stream: bool) -> None:
    fields: dict[str, Any] = {"reasoning": {"effort": "low"}, "stream": stream}
    played = play(surface, **fields)
    number = re.escape(next(iter(played.upstream.provider.journal.generations), "gen-"))
    assert not re.search(rb"gen-[0-9]", played.sent)
    assert number.encode() not in played.sent
    assert b"native_finish_reason" not in played.sent
    assert b'"provider":' not in played.sent


def test_reasoning_has_an_id_of_ours_and_its_own_within_the_seal() -> None:
    fields: dict[str, Any] = {"reasoning": {"effort": "low"}}
    thought, _ = play(Surface.RESPONSES, **fields).json["output"]
    assert "encrypted_content" not in thought
    encrypted = ["reasoning.encrypted_content"]
    sealed, _ = play(Surface.RESPONSES, **fields, include=encrypted).json["output"]
    assert thought["id"] == sealed["id"] == "rs_01test_0"
    seal = read_seal(sealed["encrypted_content"])
    assert seal is not None
    assert seal.id.startswith("rs_")
    assert seal.id != sealed["id"]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_itself_says_how_it_was_routed(surface: Surface, stream: bool) -> None:
    played = play(surface, stream=stream)
    shown = played.events[-1] if stream else played.json
    told = inline(surface, shown.get("response", shown))
    assert told["request_id"] == "req_01test"
    assert (told["stack"], told["version"]) == ("default-optimizer", 1)
    assert told["decision"] == "selected"
    assert told["selected"] == told["served"]
    assert told["attempts"] == 1
    assert told["policy_status"] == "passed"
    assert told["verification"]["status"] == "passed"
    assert told["classification"]["category"]
    for name in ("estimated_usd", "debit_usd", "hold_usd", "baseline_usd", "savings_usd"):
        assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", told["cost"][name]), name
    assert told["cost"]["debit_usd"] != "0"
    assert not {"accepted", "rejected"} & set(told)


@pytest.mark.parametrize("surface", SURFACES)
def test_explain_adds_the_whole_table(surface: Surface) -> None:
    told = inline(surface, play(surface, metadata={"astrolabe.explain": "true"}).json)
    assert told["accepted"]
    assert isinstance(told["rejected"], list)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_stack_may_keep_it_out_of_the_answer(surface: Surface, stream: bool) -> None:
    body = {**BODIES[surface], "stream": stream}
    played = serve(surface, body, world=with_stack(inline_metadata=False))
    assert played.status == 200
    assert b"astrolabe" not in played.sent


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    "fault",
    ["no-usage", "false-usage", *(f"false-usage-{word}" for word in ("text", "null", "absurd"))],
)
def test_usage_that_cannot_be_true_is_not_shown(surface: Surface, fault: str) -> None:
    played = play(surface, fault=fault)
    assert played.json["usage"] is None
    assert played.books.debited == 0


# --- from the provider -----------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"choices": [], "output": None},
        {"choices": "none", "output": "none"},
        {"error": {"code": 502, "message": "gone"}},
        {"error": "gone"},
        {"choices": [{"error": {"code": 502}}], "status": "failed", "output": []},
        {"choices": [{"finish_reason": "error"}], "status": "cancelled", "output": []},
    ],
)
def test_a_200_without_an_answer_is_a_fault(surface: Surface, payload: dict[str, Any]) -> None:
    found = WIRES[surface].read_answer(payload)
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.PROVIDER_ERROR
    assert "gone" not in found.message


@pytest.mark.parametrize("surface", SURFACES)
def test_an_error_after_all_keeps_what_was_used(surface: Surface) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 0, "input_tokens": 3, "output_tokens": 0}
    found = WIRES[surface].read_answer({"error": {"code": 429}, "usage": usage, "id": "gen-1"})
    assert isinstance(found, Fault)
    assert found.receipt.usage is not None
    assert found.receipt.generation == "gen-1"


def test_the_gravest_finish_of_all_choices_counts() -> None:
    def finish(*reasons: str) -> Finish:
        choices = [{"message": {"content": "a"}, "finish_reason": reason} for reason in reasons]
        found = WIRES[Surface.CHAT].read_answer({"choices": choices})
        assert isinstance(found, Answer)
        assert found.texts == ("a",) * len(reasons)
        return found.finish

    assert finish("stop", "stop") is Finish.STOP
    assert finish("stop", "length") is Finish.LENGTH
    assert finish("stop", "content_filter", "tool_calls") is Finish.CONTENT_FILTER
    assert finish("brand_new") is Finish.UNKNOWN


def test_both_formats_reduce_to_the_same_answer() -> None:
    chat = WIRES[Surface.CHAT].read_answer(
        {
            "choices": [
                {
                    "message": {
                        "content": "a",
                        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
                    },
                    "finish_reason": "tool_calls",
                }
            ]
        }
    )
    text = {"type": "output_text", "text": "a"}
    responses = WIRES[Surface.RESPONSES].read_answer(
        {
            "status": "completed",
            "output": [
                {"type": "message", "content": [text]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "web_search_call", "id": "ws_1"},
            ],
        }
    )
    assert chat == responses
    assert isinstance(chat, Answer)
    assert chat.tool_calls == (ToolCall(name="f", arguments="{}"),)
    assert chat.finish is Finish.TOOL_CALLS
