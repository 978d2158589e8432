"""Which way a request goes, and what is refused because no way is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astrolabe_core.codes import Code
from astrolabe_core.requests import Request, Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.chat_fields import CHAT_FIELDS
from astrolabe_http.wire.responses_fields import RESPONSES_FIELDS
from astrolabe_http.wire.rulings import Fate, Rulings
from astrolabe_http.wire.translation import Upstream, passage_for, untranslatable
from astrolabe_http.wire.translation.chunks import ChatChunks
from astrolabe_http.wire.translation.events import ResponsesEvents
from astrolabe_http.wire.translation.options import PASSED_OVER, SAME
from astrolabe_http.wire.translation.plain import UNSENT
from astrolabe_http.wire.translation.plain_answers import PlainChunks
from astrolabe_http.wire.translation.refusals import NOT_IN_CHAT_REASONING, NOT_IN_RESPONSES
from tests.http.gateways import NOON
from tests.http.wire.play import ID

CHAT, RESPONSES = Surface.CHAT, Surface.RESPONSES
CHAT_ONLY, RESPONSES_ONLY = Upstream(apis=frozenset({CHAT})), Upstream(apis=frozenset({RESPONSES}))
BOTH = Upstream()
PLAIN = Upstream(plain=True)
PLAIN_CHAT = Upstream(apis=frozenset({CHAT}), plain=True)
PLAIN_RESPONSES = Upstream(apis=frozenset({RESPONSES}), plain=True)


def asked(surface: Surface, **fields: Any) -> Request:
    body: dict[str, Any] = {"model": "a/b"}
    if surface is CHAT:
        body["messages"] = [{"role": "user", "content": "Hello"}]
    else:
        body["input"] = "Hello"
    read = WIRES[surface].read_request({**body, **fields}, id=ID, at=NOON, stack_header=None)
    assert isinstance(read, Request), read
    return read


# --- the way ---------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", list(Surface))
@pytest.mark.parametrize(
    ("upstream", "path"), [(BOTH, None), (CHAT_ONLY, CHAT), (RESPONSES_ONLY, RESPONSES)]
)
def test_a_caller_s_own_format_is_taken_where_it_is_there(
    spoken: Surface, upstream: Upstream, path: Surface | None
) -> None:
    passage = passage_for(asked(spoken), upstream)
    assert passage.path is (path or spoken)


@pytest.mark.parametrize("spoken", list(Surface))
def test_nothing_is_done_where_caller_and_upstream_speak_alike(spoken: Surface) -> None:
    passage = passage_for(asked(spoken), BOTH)
    body: dict[str, object] = {"model": "a/b", "provider": {}}
    payload = {"x": 1}
    assert passage.request(body, {}) is body
    assert passage.answer(payload) is payload
    assert passage.stream() is None


@pytest.mark.parametrize(
    ("spoken", "upstream", "kind"),
    [
        (RESPONSES, CHAT_ONLY, ResponsesEvents),
        (CHAT, RESPONSES_ONLY, ChatChunks),
        (CHAT, PLAIN, PlainChunks),
        (CHAT, PLAIN_RESPONSES, ChatChunks),
    ],
)
def test_a_stream_is_turned_by_what_it_needs(
    spoken: Surface, upstream: Upstream, kind: type
) -> None:
    assert type(passage_for(asked(spoken), upstream).stream()) is kind


def test_a_plain_server_s_responses_are_read_as_they_come() -> None:
    passage = passage_for(asked(RESPONSES), PLAIN)
    payload = {"x": 1}
    assert passage.answer(payload) is payload
    assert passage.stream() is None


def test_a_plain_chat_becomes_a_response_in_two_steps() -> None:
    passage = passage_for(asked(RESPONSES), PLAIN_CHAT)
    stream = passage.stream()
    assert stream is not None
    delta = {"reasoning_content": "hm"}
    (_, _, thought) = stream.feed({"id": "c", "choices": [{"index": 0, "delta": delta}]})
    assert thought["type"] == "response.reasoning_text.delta"
    told = stream.feed({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    assert [each["type"] for each in told] == ["response.in_progress"]
    assert [each["type"] for each in stream.end(done=True)][-1] == "response.completed"
    message = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
    whole = passage.answer({"choices": [{"index": 0, "message": message}]})
    assert whole["status"] == "completed"
    output = whole["output"]
    assert isinstance(output, list)
    assert [item["type"] for item in output] == ["reasoning", "message"]


def test_what_is_asked_for_beside_the_answer_goes_by_the_upstream() -> None:
    """OpenRouter's Responses refuses words that OpenAI's knows."""
    words = ["message.output_text.logprobs", "reasoning.encrypted_content"]
    request = asked(RESPONSES, include=words)
    body: dict[str, object] = {"model": "a/b", "input": "Hi", "include": words[1:]}
    plainly = passage_for(request, PLAIN).request(dict(body), request.body)
    assert plainly["include"] == words
    chat = passage_for(request, CHAT_ONLY).request(dict(body), request.body)
    assert chat["logprobs"] is True
    assert passage_for(request, BOTH).request(dict(body), request.body)["include"] == words[1:]
    chance = asked(CHAT, logprobs=True)
    sent = {"model": "a/b", "messages": [], "logprobs": True}
    by_number = passage_for(chance, RESPONSES_ONLY).request(dict(sent), chance.body)
    assert by_number["top_logprobs"] == 1
    assert "include" not in by_number
    by_word = passage_for(chance, PLAIN_RESPONSES).request(dict(sent), chance.body)
    assert by_word["include"] == words[:1]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upstream", "fields", "param"),
    [
        (RESPONSES_ONLY, {"n": 2}, "n"),
        (RESPONSES_ONLY, {"stop": "x"}, "stop"),
        (RESPONSES_ONLY, {"seed": 0}, "seed"),
        (RESPONSES_ONLY, {"logit_bias": {"1": 2}}, "logit_bias"),
        (RESPONSES_ONLY, {"prediction": {"type": "content", "content": "x"}}, "prediction"),
        (RESPONSES_ONLY, {"min_p": 0.1}, "min_p"),
        (RESPONSES_ONLY, {"top_a": 0.1}, "top_a"),
        (RESPONSES_ONLY, {"repetition_penalty": 1.1}, "repetition_penalty"),
        (PLAIN, {"top_a": 0.1}, "top_a"),
        (PLAIN, {"reasoning": {"max_tokens": 100}}, "reasoning.max_tokens"),
        (PLAIN_RESPONSES, {"seed": 1}, "seed"),
    ],
)
def test_what_chat_asks_and_the_upstream_has_no_words_for_is_refused_by_name(
    upstream: Upstream, fields: dict[str, Any], param: str
) -> None:
    """litellm #41913: lost in translation, answered 200."""
    refusal = untranslatable(asked(CHAT, **fields), upstream)
    assert refusal is not None
    assert (refusal.code, refusal.param) == (Code.UNSUPPORTED_PARAMETER, param)
    assert "upstream" in refusal.message
    assert untranslatable(asked(CHAT, **fields), BOTH) is None


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "web_search_call", "id": "ws_1"}, "input[1].type"),
        (
            {
                "role": "system",
                "content": [
                    {"type": "input_image", "image_url": "https://x.test", "detail": "low"}
                ],
            },
            "input[1].content[0].type",
        ),
    ],
)
def test_items_that_chat_cannot_say_are_refused_by_place(item: dict[str, Any], param: str) -> None:
    items = [{"role": "user", "content": "Hello"}, item]
    read = asked(RESPONSES, input=items)
    refusal = untranslatable(read, CHAT_ONLY)
    assert refusal is not None
    assert refusal.code is Code.UNSUPPORTED_PARAMETER
    assert refusal.param == param
    assert untranslatable(read, BOTH) is None


@pytest.mark.parametrize(("name", "value"), [("mode", "pro"), ("context", "all_turns")])
def test_ways_of_reasoning_that_chat_cannot_say_are_refused(name: str, value: str) -> None:
    refusal = untranslatable(asked(RESPONSES, reasoning={name: value}), CHAT_ONLY)
    assert refusal is not None
    assert refusal.param == f"reasoning.{name}"


def test_the_output_of_a_tool_is_no_sound_in_responses() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [sound]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [sound]},
    ]
    read = asked(CHAT, messages=messages)
    refusal = untranslatable(read, RESPONSES_ONLY)
    assert refusal is not None
    assert refusal.param == "messages[2].content[0].type"


def test_a_file_by_its_address_is_openrouter_s_in_chat() -> None:
    part = {"type": "input_file", "file_url": "https://x.test/a.pdf"}
    request = asked(RESPONSES, input=[{"role": "user", "content": [part]}])
    refusal = untranslatable(request, PLAIN_CHAT)
    assert refusal is not None
    assert refusal.param == "input[0].content[0].file_url"
    assert untranslatable(request, CHAT_ONLY) is None
    assert untranslatable(request, PLAIN) is None


@pytest.mark.parametrize("upstream", [CHAT_ONLY, RESPONSES_ONLY, PLAIN_CHAT, PLAIN_RESPONSES])
def test_what_asks_for_nothing_is_let_by(upstream: Upstream) -> None:
    nothing = {name: values[0] for name, values in NOT_IN_RESPONSES.items() if values}
    assert untranslatable(asked(CHAT, **nothing, logprobs=False), upstream) is None
    effort = {"effort": "low", "summary": "auto"}
    tools = [{"type": "web_search"}, {"type": "namespace", "name": "x"}]
    fields: dict[str, Any] = {"reasoning": effort, "tools": tools, "truncation": "auto"}
    assert untranslatable(asked(RESPONSES, **fields, max_tool_calls=3), upstream) is None


# --- no field is forgotten -------------------------------------------------------------------

CHAT_SAID = {
    *("messages", "max_tokens", "max_completion_tokens", "response_format", "reasoning"),
    *("reasoning_effort", "verbosity", "logprobs", "top_logprobs", "tools", "tool_choice"),
    "stream",
}
RESPONSES_SAID = {
    *("input", "instructions", "max_output_tokens", "text", "reasoning", "include"),
    *("top_logprobs", "tools", "tool_choice", "stream"),
}


def sent(rulings: Rulings) -> set[str]:
    """Name the fields that reach a provider."""
    reaching = {Fate.CARRIED, Fate.RESHAPED, Fate.READ}
    return {name for name, ruling in rulings.items() if ruling.fate in reaching}


def test_every_field_of_chat_is_said_refused_or_left_out_for_a_reason() -> None:
    accounted = {*SAME, *PASSED_OVER, *CHAT_SAID, *NOT_IN_RESPONSES}
    assert sent(CHAT_FIELDS) <= accounted


def test_every_field_of_responses_is_said_refused_or_left_out_for_a_reason() -> None:
    # A conversation that is kept is put together before it is sent.
    kept = {"previous_response_id"}
    assert sent(RESPONSES_FIELDS) <= {*SAME, *PASSED_OVER, *RESPONSES_SAID, *kept}


def test_the_page_names_every_field_that_is_refused_or_left_out() -> None:
    page = (Path(__file__).parents[4] / "docs" / "upstreams.md").read_text(encoding="utf-8")
    named = {*NOT_IN_RESPONSES, *PASSED_OVER, *UNSENT}
    named |= {f"reasoning.{name}" for name in NOT_IN_CHAT_REASONING}
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_an_upstream_s_own_names_are_sent_in_the_place_of_ids() -> None:
    named = Upstream(names={"a/b": "b:3b"})
    body: dict[str, object] = {"model": "a/b", "messages": []}
    assert passage_for(asked(CHAT), named).request(body, {})["model"] == "b:3b"
    other: dict[str, object] = {"model": "a/c", "messages": []}
    assert passage_for(asked(CHAT), named).request(other, {})["model"] == "a/c"
