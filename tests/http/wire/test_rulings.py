"""Every field, part, item and tool that OpenAI's SDK or OpenRouter's schema knows has its ruling.

A new version of the SDK that brings a new field fails here, until somebody has ruled on it.
"""

from __future__ import annotations

import typing
from typing import Any

import pytest
from openai.types import chat
from openai.types.chat import completion_create_params
from openai.types.chat.chat_completion_content_part_param import ChatCompletionContentPartParam
from openai.types.chat.chat_completion_tool_union_param import ChatCompletionToolUnionParam
from openai.types.responses import response_create_params, tool_param
from openai.types.responses.response_includable import ResponseIncludable
from openai.types.responses.response_input_message_content_list_param import (
    ResponseInputContentParam,
)
from openai.types.responses.response_input_param import ResponseInputItemParam
from openai.types.responses.response_text_config_param import ResponseTextConfigParam
from openai.types.shared_params.reasoning import Reasoning

from astrolabe_core.codes import Code
from astrolabe_core.requests import Request, Surface
from astrolabe_http.wire.chat_fields import CHAT_FIELDS, CHAT_REASONING, MESSAGE_FIELDS
from astrolabe_http.wire.common_fields import CACHE_OPTIONS, STREAM_OPTIONS, TOOLS
from astrolabe_http.wire.parts import PARTS
from astrolabe_http.wire.responses_fields import (
    INCLUDED,
    RESPONSES_FIELDS,
    RESPONSES_REASONING,
    TEXT,
)
from astrolabe_http.wire.responses_input import ITEMS
from astrolabe_http.wire.rulings import FATES, Fate, Ruling, Rulings, asks
from tests.http.wire.play import Body, serve
from tests.http.wire.test_requests import FUNCTION, MINIMAL, accepted, refused
from tests.http.wire.test_requests import TOOLS as OFFERED

FIELDS: dict[Surface, Rulings] = {Surface.CHAT: CHAT_FIELDS, Surface.RESPONSES: RESPONSES_FIELDS}
TABLES: dict[str, Rulings] = {
    "chat": CHAT_FIELDS,
    "responses": RESPONSES_FIELDS,
    "messages": MESSAGE_FIELDS,
    "reasoning of chat": CHAT_REASONING,
    "reasoning of responses": RESPONSES_REASONING,
    "text": TEXT,
    "include": INCLUDED,
    "stream options": STREAM_OPTIONS,
    "cache options": CACHE_OPTIONS,
    "parts": PARTS,
    "items": ITEMS,
    "tools": TOOLS,
}

# --- what others know ------------------------------------------------------------------------

# Names of OpenRouter's schema of August 2026.
OPENROUTER_CHAT = """
    cache_control debug frequency_penalty image_config logit_bias logprobs max_completion_tokens
    max_tokens messages metadata min_p modalities model models parallel_tool_calls plugins
    prediction presence_penalty prompt_cache_key prompt_cache_options provider reasoning
    reasoning_effort repetition_penalty response_format route seed service_tier session_id stop
    stop_server_tools_when stream stream_options temperature tool_choice tools top_a top_k
    top_logprobs top_p trace user verbosity include_reasoning web_search_options
"""
OPENROUTER_RESPONSES = """
    background cache_control debug frequency_penalty image_config include input instructions
    max_output_tokens max_tool_calls metadata modalities model models parallel_tool_calls plugins
    presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options provider
    reasoning route safety_identifier service_tier session_id stop_server_tools_when store stream
    temperature text tool_choice tools top_k top_logprobs top_p trace truncation user
"""
OPENROUTER_ITEMS = """
    additional_tools agent_message apply_patch_call apply_patch_call_output code_interpreter_call
    compaction computer_call context_compaction custom_tool_call custom_tool_call_output
    file_search_call function_call function_call_output image_generation_call item_reference
    local_shell_call local_shell_call_output mcp_approval_request mcp_approval_response mcp_call
    mcp_list_tools message reasoning shell_call shell_call_output web_search_call
"""
OPENROUTER_PARTS = "text image_url input_audio input_video video_url file"


def fields_of(*declared: Any) -> set[str]:
    """The fields of typed dictionaries, those that they inherit too."""
    return {name for each in declared for name in typing.get_type_hints(each)}


def types_of(union: Any) -> set[str]:
    """The `type` of each member of a union."""
    found: set[str] = set()
    for member in typing.get_args(union):
        kind = typing.get_type_hints(member)["type"]
        literals = [kind, *typing.get_args(kind)]
        found |= {
            word for each in literals for word in typing.get_args(each) if isinstance(word, str)
        }
    return found


MESSAGES = (
    chat.ChatCompletionDeveloperMessageParam,
    chat.ChatCompletionSystemMessageParam,
    chat.ChatCompletionUserMessageParam,
    chat.ChatCompletionAssistantMessageParam,
    chat.ChatCompletionToolMessageParam,
    chat.ChatCompletionFunctionMessageParam,
)
KNOWN: list[tuple[str, set[str]]] = [
    ("chat", fields_of(completion_create_params.CompletionCreateParamsStreaming)),
    ("chat", set(OPENROUTER_CHAT.split())),
    ("responses", fields_of(response_create_params.ResponseCreateParamsStreaming)),
    ("responses", set(OPENROUTER_RESPONSES.split())),
    ("messages", fields_of(*MESSAGES)),
    ("reasoning of responses", fields_of(Reasoning)),
    ("text", fields_of(ResponseTextConfigParam)),
    ("include", set(typing.get_args(ResponseIncludable))),
    (
        "stream options",
        fields_of(chat.ChatCompletionStreamOptionsParam, response_create_params.StreamOptions),
    ),
    (
        "cache options",
        fields_of(
            completion_create_params.PromptCacheOptions, response_create_params.PromptCacheOptions
        ),
    ),
    ("parts", types_of(ChatCompletionContentPartParam)),
    ("parts", types_of(ResponseInputContentParam)),
    ("parts", {"refusal", "output_text"} | set(OPENROUTER_PARTS.split())),
    ("items", types_of(ResponseInputItemParam)),
    ("items", set(OPENROUTER_ITEMS.split())),
    ("tools", types_of(ChatCompletionToolUnionParam) | types_of(tool_param.ToolParam)),
]


@pytest.mark.parametrize(("table", "known"), KNOWN)
def test_everything_that_others_know_has_its_ruling(table: str, known: set[str]) -> None:
    assert known, "nothing was found to be known"
    assert known - set(TABLES[table]) == set()


def test_the_types_are_read_as_they_should_be() -> None:
    assert {"function_call", "item_reference", "message"} <= types_of(ResponseInputItemParam)
    assert {"web_search", "function"} <= types_of(tool_param.ToolParam)
    assert "n" in fields_of(completion_create_params.CompletionCreateParamsStreaming)


@pytest.mark.parametrize("table", TABLES)
def test_every_ruling_that_is_not_plain_gives_its_reason(table: str) -> None:
    for name, ruling in TABLES[table].items():
        assert ruling.note or ruling.fate is Fate.CARRIED, name
    assert set(FATES) == set(Fate)


# --- rulings are what happens ----------------------------------------------------------------

SAMPLES: dict[str, Any] = {
    "logit_bias": {"1": 2},
    "prediction": {"type": "content", "content": "x"},
    "cache_control": {"type": "ephemeral"},
    "reasoning": {"effort": "low"},
    "frequency_penalty": 1,
    "presence_penalty": 1,
    "repetition_penalty": 1.5,
    "modalities": ["audio"],
    "n": 2,
    "store": True,
}


def sample(name: str, ruling: Ruling) -> Any:
    """A value that asks for something."""
    if name in SAMPLES:
        return SAMPLES[name]
    schema = {} if ruling.check is None else ruling.check.schema
    enum = schema.get("enum")
    if isinstance(enum, list):
        return enum[0]
    by_type = {"boolean": True, "integer": 3, "number": 1, "string": "x", "array": ["x"]}
    return by_type.get(str(schema.get("type")), "x")


def cases(fate: Fate) -> list[Any]:
    return [
        pytest.param(surface, name, id=f"{surface.value} {name}")
        for surface, table in FIELDS.items()
        for name, ruling in table.items()
        if ruling.fate is fate
    ]


def beside(name: str) -> Body:
    """What has to stand beside a field."""
    return {"logprobs": True} if name == "top_logprobs" else {}


def sent(surface: Surface, **fields: Any) -> Body:
    played = serve(surface, {**MINIMAL[surface], **fields})
    assert played.status == 200, played.json
    return played.upstream.sent[0]


@pytest.mark.parametrize(("surface", "name"), cases(Fate.CARRIED))
def test_what_is_carried_reaches_the_provider_as_it_came(surface: Surface, name: str) -> None:
    ruling = FIELDS[surface][name]
    value = sample(name, ruling)
    assert ruling.asks(value)
    more = {} if surface is Surface.RESPONSES else beside(name)
    assert sent(surface, **more, **{name: value})[name] == value
    assert name not in sent(surface, **{name: None})


@pytest.mark.parametrize(("surface", "name"), cases(Fate.DROPPED))
def test_what_is_dropped_is_taken_and_stays_here(surface: Surface, name: str) -> None:
    value = sample(name, FIELDS[surface][name])
    body = sent(surface, **{name: value})
    # Of its own the gateway asks for usage.
    assert body.get(name) in (None, {"include": True})


@pytest.mark.parametrize(("surface", "name"), cases(Fate.REFUSED))
def test_what_is_refused_is_refused_by_name_with_advice(surface: Surface, name: str) -> None:
    ruling = FIELDS[surface][name]
    for value in (sample(name, ruling), {"x": "y"}, ["x"]):
        found = refused(surface, **{name: value})
        assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, name)
        assert ruling.note in found.message
    empty: tuple[Any, ...] = (None, False, [], {}, "")
    for nothing in empty:
        if not ruling.asks(nothing):
            assert isinstance(accepted(surface, **{name: nothing}), Request)


@pytest.mark.parametrize(("surface", "name"), [*cases(Fate.RESHAPED), *cases(Fate.READ)])
def test_what_is_reshaped_or_read_is_held_to_its_type(surface: Surface, name: str) -> None:
    ruling = FIELDS[surface][name]
    if ruling.check is None:
        return
    wrong = next(each for each in (7.5, [7]) if not ruling.check.passes(each))
    found = refused(surface, **{name: wrong})
    assert (found.code, found.param) == (Code.INVALID_REQUEST, name)


@pytest.mark.parametrize("surface", list(Surface))
@pytest.mark.parametrize("kind", [name for name in TOOLS if name != "function"])
def test_a_tool_that_is_no_function_is_let_go_and_cannot_be_demanded(
    surface: Surface, kind: str
) -> None:
    """Codex offers `namespace`, `web_search` and more by habit."""
    strange = {"type": kind, "name": "x", "tools": [FUNCTION]}
    assert sent(surface, tools=[strange, *OFFERED[surface]])["tools"][0]["type"] == "function"
    assert "tools" not in sent(surface, tools=[strange], tool_choice="auto")
    for choice in ({"type": kind}, {"type": kind, "name": "x"}):
        found = refused(surface, tools=[strange, *OFFERED[surface]], tool_choice=choice)
        assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, "tool_choice")
    assert refused(surface, tools=[strange], tool_choice="required").param == "tool_choice"


@pytest.mark.parametrize("word", INCLUDED)
def test_words_to_include_are_sent_where_openrouter_knows_them(word: str) -> None:
    body = sent(Surface.RESPONSES, include=[word, "of no use"])
    assert body.get("include", []) == ([word] if INCLUDED[word].fate is Fate.CARRIED else [])


def test_log_probabilities_are_asked_for_in_the_way_that_openrouter_knows() -> None:
    word = "message.output_text.logprobs"
    assert sent(Surface.RESPONSES, include=[word])["top_logprobs"] == 1
    assert sent(Surface.RESPONSES, include=[word], top_logprobs=4)["top_logprobs"] == 4
    assert refused(Surface.CHAT, top_logprobs=4).param == "top_logprobs"


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_null_false_and_what_is_empty_ask_for_nothing(nothing: object) -> None:
    assert not asks(nothing)


@pytest.mark.parametrize("something", [True, 0, 0.0, 1, "x", [0], {"a": None}])
def test_zero_is_something(something: object) -> None:
    assert asks(something)
