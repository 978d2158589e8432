"""A request means the same in the other format, and comes back as it went."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from astrolabe_http.wire.translation.requests import chat_request, responses_request
from tests.http.wire.translation.any_said import (
    Body,
    chat_bodies,
    own_items,
    responses_bodies,
)


def unnamed(body: Body) -> Body:
    """Leave out the ids of messages: nobody reads them, and ours are by place."""
    items = [
        {key: value for key, value in item.items() if key != "id" or item["type"] == "reasoning"}
        for item in body["input"]
    ]
    return {**body, "input": items}


@settings(max_examples=300)
@given(chat_bodies())
def test_chat_comes_back_from_responses_as_it_went(body: Body) -> None:
    event(f"{len(body['messages'])} messages")
    assert chat_request(responses_request(body)) == body


@settings(max_examples=300)
@given(responses_bodies())
def test_responses_come_back_from_chat_as_they_went(body: Body) -> None:
    event(f"{len(body['input'])} items")
    assert unnamed(responses_request(chat_request(body))) == unnamed(body)


# --- conversations ---------------------------------------------------------------------------


def said(body: Body) -> list[Any]:
    """Chat's own words, refusals, calls and outputs, each kind in its order."""
    found: list[Any] = []
    for message in body["messages"]:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        words = [part["text"] for part in parts if part.get("text")]
        found += [(message["role"], word) for word in words]
        found += [("refused", message["refusal"])] if "refusal" in message else []
        found += [("called", call["id"]) for call in message.get("tool_calls", [])]
        found += [("output of", message["tool_call_id"])] if message["role"] == "tool" else []
    return found


@given(st.permutations(range(6)))
def test_a_turn_of_the_model_s_is_one_message_in_whatever_order_its_items_come(
    order: list[int],
) -> None:
    text: Body = {"type": "message", "role": "assistant", "content": "Let me see."}
    items: list[Body] = [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        text,
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "call_2", "name": "g", "arguments": "{}"},
        {"type": "function_call", "call_id": "call_3", "name": "h", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "x"},
    ]
    mixed = [items[place] for place in order]
    outputs = [
        {"type": "function_call_output", "call_id": f"call_{number}", "output": "done"}
        for number in (1, 2, 3)
    ]
    made = chat_request({"input": [*mixed, *outputs]})["messages"]
    assert isinstance(made, list)
    calls = [call["id"] for message in made for call in message.get("tool_calls", [])]
    assert sorted(calls) == ["call_1", "call_2", "call_3"]
    # Chat wants the outputs right behind the message that called.
    roles = [message["role"] for message in made]
    assert roles[-3:] == ["tool"] * 3
    assert "tool_calls" in made[-4]
    assert len(made[-4]["tool_calls"]) == 3
    thoughts = [d["type"] for message in made for d in message.get("reasoning_details", [])]
    assert sorted(thoughts) == ["reasoning.encrypted", "reasoning.summary"]


@given(st.lists(own_items(), max_size=3))
def test_no_word_is_lost_and_none_is_moved(runs: list[list[Body]]) -> None:
    items = [item for run in runs for item in run]
    body = {"instructions": "Be brief.", "input": items}
    made = chat_request(body)
    found = said(made)
    assert found[0] == ("system", "Be brief.")
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    assert [name for kind, name in found if kind == "called"] == calls
    outputs = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    assert [name for kind, name in found if kind == "output of"] == outputs
    words = []
    for item in items:
        if item["type"] == "message":
            content = item["content"]
            words += [content] if isinstance(content, str) else [content[0]["text"]]
    assert [word for kind, word in found if kind == "assistant"] == words


def test_a_plain_string_is_what_the_user_says() -> None:
    made = chat_request({"instructions": "Be brief.", "input": "Hello"})
    assert made["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_items_without_a_type_and_parts_without_an_object_are_read() -> None:
    items = [{"role": "user", "content": ["Hello", {"type": "input_text", "text": "you"}]}]
    made = chat_request({"input": items})
    parts = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "you"}]
    assert made["messages"] == [{"role": "user", "content": parts}]


def test_nothing_said_is_an_empty_string_and_beside_calls_null() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output: Body = {"type": "function_call_output", "call_id": "c", "output": None}
    made = chat_request({"input": [{"role": "user", "content": None}, call, output]})
    assert isinstance(made["messages"], list)
    assert [message["content"] for message in made["messages"]] == ["", None, ""]


def test_words_of_two_messages_around_a_call_are_one_message_in_parts() -> None:
    own: Body = {"type": "message", "role": "assistant"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    made = chat_request({"input": [{**own, "content": "a"}, call, {**own, "content": "b"}]})
    assert isinstance(made["messages"], list)
    (message,) = made["messages"]
    assert message["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def test_two_messages_of_the_model_s_stay_two() -> None:
    own: Body = {"type": "message", "role": "assistant"}
    made = chat_request({"input": [{**own, "content": "a"}, {**own, "content": "b"}]})
    assert isinstance(made["messages"], list)
    assert [message["content"] for message in made["messages"]] == ["a", "b"]


# --- reasoning -------------------------------------------------------------------------------


def test_bare_words_of_reasoning_are_a_thought() -> None:
    message = {"role": "assistant", "content": "4", "reasoning": "2 + 2"}
    made = responses_request({"messages": [message]})
    assert isinstance(made["input"], list)
    assert made["input"][0] == {
        "type": "reasoning",
        "id": "rs_0_0",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "2 + 2"}],
    }


def test_pieces_of_a_block_are_put_together_and_an_id_that_comes_late_counts() -> None:
    """Clients that stream hand back the pieces as they came."""
    pieces = [
        {"type": "reasoning.summary", "summary": "I ", "index": 0},
        {"type": "reasoning.summary", "summary": "see.", "index": 0},
        {"type": "reasoning.encrypted", "data": "xyz", "id": "rs_7", "index": 1},
        {"type": "new", "data": "unknown"},
    ]
    message = {"role": "assistant", "content": None, "reasoning_details": pieces}
    made = responses_request({"messages": [message]})
    assert made["input"] == [
        {
            "type": "reasoning",
            "id": "rs_7",
            "summary": [{"type": "summary_text", "text": "I see."}],
            "encrypted_content": "xyz",
        }
    ]


def test_a_signature_goes_with_its_thought() -> None:
    thought = {"type": "reasoning.text", "text": "a", "signature": "s", "id": "t", "index": 0}
    message = {"role": "assistant", "content": "b", "reasoning_details": [thought]}
    there = responses_request({"messages": [message]})
    assert isinstance(there["input"], list)
    assert there["input"][0]["signature"] == "s"
    assert chat_request(there)["messages"] == [message]


def test_who_asks_chat_to_reason_gets_what_the_next_turn_needs() -> None:
    made = responses_request({"messages": [], "reasoning_effort": "low"})
    assert made["reasoning"] == {"effort": "low"}
    assert made["include"] == ["reasoning.encrypted_content"]
    quiet = responses_request({"messages": [], "reasoning_effort": "none"})
    assert "include" not in quiet


# --- tools, forms, caps ----------------------------------------------------------------------


def test_what_chat_leaves_unsaid_of_a_function_is_said_in_responses() -> None:
    """litellm #41913: `strict` lost. Responses takes silence for yes, Chat for no."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    made = responses_request({"messages": [], "tools": tools})
    assert made["tools"] == [
        {
            "type": "function",
            "name": "f",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        }
    ]


def test_tools_that_are_allowed_are_all_that_chat_is_offered() -> None:
    tools: list[Body] = [
        {"type": "function", "name": name, "parameters": {}} for name in ("f", "g")
    ]
    choice = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "g"}],
    }
    made = chat_request({"input": "Hi", "tools": tools, "tool_choice": choice})
    assert isinstance(made["tools"], list)
    assert [tool["function"]["name"] for tool in made["tools"]] == ["g"]
    assert made["tool_choice"] == "required"
    none = {**choice, "tools": []}
    bare = chat_request({"input": "Hi", "tools": tools, "tool_choice": none})
    assert not bare.keys() & {"tools", "tool_choice"}


def test_allowed_tools_of_chat_have_a_flat_form() -> None:
    named = [{"type": "function", "function": {"name": "f"}}]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": named}}
    tools: list[Body] = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    made = responses_request({"messages": [], "tools": tools, "tool_choice": choice})
    flat = [{"type": "function", "name": "f"}]
    assert made["tool_choice"] == {"type": "allowed_tools", "mode": "auto", "tools": flat}


def test_a_schema_without_nulls_and_with_a_body() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": None}}
    made = responses_request({"messages": [], "response_format": form})
    assert made["text"] == {"format": {"type": "json_schema", "name": "a", "schema": {}}}


def test_log_probabilities_are_asked_for_in_chat_s_way() -> None:
    asked = chat_request({"input": "Hi", "include": ["message.output_text.logprobs"]})
    assert asked["logprobs"] is True
    some = chat_request({"input": "Hi", "top_logprobs": 3})
    assert (some["logprobs"], some["top_logprobs"]) == (True, 3)
    none = chat_request({"input": "Hi", "top_logprobs": 0})
    assert not none.keys() & {"logprobs", "top_logprobs"}


def test_a_stream_is_one_in_both() -> None:
    there = chat_request({"input": "Hi", "stream": True})
    assert there["stream_options"] == {"include_usage": True}
    back = responses_request(there)
    assert back["stream"] is True
    assert "stream_options" not in back
    assert back["store"] is False
