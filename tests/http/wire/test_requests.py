"""Bodies: any JSON object is read or refused, never a crash; what clients send is understood."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import (
    Malformed,
    OutputFormat,
    Request,
    Role,
    Surface,
    Tool,
    ToolChoice,
    Turn,
)
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.wire import WIRES

ID, AT = RequestId("req_1"), Instant(1_800_000_000_000)
SURFACES = list(Surface)
MINIMAL: dict[Surface, dict[str, Any]] = {
    Surface.CHAT: {"model": "auto", "messages": [{"role": "user", "content": "hi"}]},
    Surface.RESPONSES: {"model": "auto", "input": "hi"},
}
FUNCTION: dict[str, Any] = {
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
TOOLS: dict[Surface, list[Any]] = {
    Surface.CHAT: [{"type": "function", "function": FUNCTION}],
    Surface.RESPONSES: [{"type": "function", **FUNCTION}],
}
SOUND: Any = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
FILM: Any = {"type": "video_url", "video_url": {"url": "https://x.test/a.mp4"}}
PAPER: Any = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:;base64,AA=="}}
LETTER: Any = {"type": "input_file", "file_url": "https://x.test/a.pdf"}
PICTURE: Any = {"type": "input_image", "image_url": "https://x.test/a.png"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMATS: dict[Surface, Any] = {
    Surface.CHAT: lambda form: {"response_format": form},
    Surface.RESPONSES: lambda form: {"text": {"format": form}},
}


def read(surface: Surface, **fields: Any) -> Request | Malformed:
    body = {**MINIMAL[surface], **fields}
    before = deepcopy(body)
    found = WIRES[surface].read_request(body, id=ID, at=AT, stack_header=None)
    assert body == before, "a caller's body is not ours to change"
    return found


def accepted(surface: Surface, **fields: Any) -> Request:
    found = read(surface, **fields)
    assert isinstance(found, Request), found
    return found


def refused(surface: Surface, **fields: Any) -> Refusal:
    found = read(surface, **fields)
    assert isinstance(found, Malformed), found
    assert (found.id, found.received_at) == (ID, AT)
    return found.refusal


# --- any JSON object at all ------------------------------------------------------------------

VOCABULARY = """
    model messages input instructions tools tool_choice type function name parameters role user
    assistant tool system content text image_url input_text output_text message function_call
    function_call_output reasoning call_id arguments output tool_calls tool_call_id id metadata
    astrolabe astrolabe.stack stack fast explain format json_schema json_object schema strict
    response_format auto required none allowed_tools mode stream stream_options max_tokens n
    max_output_tokens reasoning_effort effort low include stop modalities refusal summary
"""
WORDS = st.sampled_from(VOCABULARY.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@st.composite
def bodies(draw: st.DrawFn, surface: Surface) -> dict[str, Any]:
    """A sound body in which something, somewhere, was replaced by anything."""
    sound = {
        **MINIMAL[surface],
        "tools": TOOLS[surface],
        "tool_choice": "auto",
        "metadata": {"astrolabe": {"stack": "fast"}, "a": "b"},
        "reasoning": {"effort": "low"},
        **FORMATS[surface]({"type": "json_schema", "name": "n", "json_schema": {"name": "n"}}),
    }
    body: Any = deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        _replace(draw, body)
    return {**body, **draw(st.dictionaries(WORDS, JSON, max_size=3))}


def _replace(draw: st.DrawFn, node: Any) -> None:
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    if isinstance(node[key], dict | list) and draw(st.booleans()):
        _replace(draw, node[key])
    else:
        node[key] = draw(JSON)


@settings(max_examples=400)
@given(st.data())
def test_any_object_is_read_or_refused(data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(SURFACES))
    body = data.draw(bodies(surface) | st.dictionaries(WORDS, JSON, max_size=6))
    found = WIRES[surface].read_request(body, id=ID, at=AT, stack_header=None)
    event(type(found).__name__)
    if isinstance(found, Malformed):
        assert found.refusal.message
        assert found.refusal.code in {
            Code.INVALID_REQUEST,
            Code.INVALID_ROUTING_OVERRIDE,
            Code.UNSUPPORTED_PARAMETER,
        }
    else:
        kept: Any = found.body.get("metadata", {})
        assert not [key for key in kept if key.startswith("astrolabe")]
        assert not found.parallel_tools


@pytest.mark.parametrize("surface", SURFACES)
def test_a_body_that_nests_beyond_reason_is_refused_and_no_crash(surface: Surface) -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    assert refused(surface, client_metadata=deep).code is Code.INVALID_REQUEST
    assert refused(surface, user="\ud800").code is Code.INVALID_REQUEST


# --- what clients really send ----------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_what_is_unknown_null_or_empty_is_tolerated(surface: Surface) -> None:
    found = accepted(
        surface,
        client_metadata={"codex": True},
        stream=False,
        tools=[],
        metadata=None,
        temperature=None,
        store=True,
        models=[],
        provider={},
        parallel_tool_calls=True,
        service_tier="auto",
    )
    assert found == accepted(surface)
    assert found.surface is surface
    assert not found.parallel_tools


@pytest.mark.parametrize("surface", SURFACES)
def test_a_tool_has_the_schema_of_its_arguments_where_one_is_declared(surface: Surface) -> None:
    """Else the arguments of a call could be held against nothing."""
    found = read(surface, tools=TOOLS[surface])
    assert isinstance(found, Request)
    assert found.tools[0].parameters == FUNCTION["parameters"]
    assert found.tools[0].strict
    empty: tuple[dict[str, object] | None, ...] = ({}, None)
    for nothing in empty:
        bare = {**FUNCTION, "parameters": nothing, "strict": None}
        inner = {"function": bare} if surface is Surface.CHAT else bare
        found = read(surface, tools=[{"type": "function", **inner}])
        assert isinstance(found, Request)
        assert found.tools[0].parameters is None
        assert not found.tools[0].strict


@pytest.mark.parametrize("surface", SURFACES)
def test_tools_of_other_types_are_tolerated_and_not_counted(surface: Surface) -> None:
    others = [{"type": "web_search"}, {"type": "namespace", "tools": []}, {"type": "custom"}]
    found = accepted(surface, tools=[*others, *TOOLS[surface]])
    (tool,) = found.tools
    assert isinstance(tool, Tool)
    assert (tool.name, tool.strict) == ("get_weather", True)
    assert tool.schema_bytes > 100


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("model", ""),
        ("model", 7),
        ("model", "x" * 257),
        ("stream", "true"),
        ("stream", 1),
        ("temperature", "hot"),
        ("temperature", 2.5),
        ("top_p", True),
        ("tools", {}),
        ("tools", ["get_weather"]),
        ("tool_choice", "maybe"),
        ("tool_choice", 7),
        ("tool_choice", "required"),
        ("parallel_tool_calls", "yes"),
        ("metadata", "text"),
        ("metadata", {"a": 1}),
        ("user", 7),
        ("safety_identifier", {}),
        ("reasoning", "high"),
        ("reasoning", {"effort": "enormous"}),
    ],
)
def test_a_wrong_type_is_refused_with_its_place(
    surface: Surface, field: str, value: object
) -> None:
    found = refused(surface, **{field: value})
    assert found.code is Code.INVALID_REQUEST
    assert found.param is not None
    assert found.param.startswith(field)
    assert found.param in found.message or "must" in found.message or "required" in found.message


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", ["a/b"]),
        ("provider", {"order": ["azure"]}),
        ("plugins", [{"id": "web"}]),
        ("preset", "mine"),
        ("tool_choice", {"type": "web_search"}),
    ],
)
def test_what_would_change_the_answer_is_refused_by_name(
    surface: Surface, field: str, value: object
) -> None:
    found = refused(surface, **{field: value})
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, field)


@pytest.mark.parametrize(
    ("surface", "field", "value"),
    [
        (Surface.RESPONSES, "conversation", {"id": "conv_1"}),
        (Surface.RESPONSES, "background", True),
        (Surface.RESPONSES, "prompt", {"id": "pmpt_1"}),
        (Surface.CHAT, "functions", [{"name": "f"}]),
        (Surface.CHAT, "function_call", "auto"),
        (Surface.CHAT, "modalities", ["text", "audio"]),
        (Surface.CHAT, "web_search_options", {"a": 1}),
    ],
)
def test_what_one_format_cannot_honour_is_refused_by_name(
    surface: Surface, field: str, value: object
) -> None:
    found = refused(surface, **{field: value})
    assert (found.code, found.param) == (Code.UNSUPPORTED_PARAMETER, field)


def test_null_and_false_of_the_same_ask_for_nothing() -> None:
    plain = accepted(Surface.RESPONSES, previous_response_id=None, background=False)
    assert plain == accepted(Surface.RESPONSES)
    plain = accepted(Surface.CHAT, functions=[], modalities=["text"], audio=None)
    assert plain == accepted(Surface.CHAT)


@pytest.mark.parametrize(
    ("surface", "field"),
    [
        (Surface.CHAT, "max_tokens"),
        (Surface.CHAT, "max_completion_tokens"),
        (Surface.RESPONSES, "max_output_tokens"),
    ],
)
def test_an_output_cap_is_a_positive_integer(surface: Surface, field: str) -> None:
    assert accepted(surface, **{field: 7}).output_tokens_max == 7
    assert accepted(surface, **{field: None}).output_tokens_max is None
    assert accepted(surface, **{field: 2**60}).output_tokens_max == 1_000_000_000
    for wrong in (0, -1, 1.5, 7.0, "7", True):
        assert refused(surface, **{field: wrong}).param == field


def test_of_two_caps_the_smaller_holds() -> None:
    found = accepted(Surface.CHAT, max_tokens=9, max_completion_tokens=7)
    assert found.output_tokens_max == 7


@pytest.mark.parametrize("wrong", [0, 129, "2", True, 1.5])
def test_n_is_a_small_integer(wrong: object) -> None:
    assert accepted(Surface.CHAT, n=2).choices == 2
    assert refused(Surface.CHAT, n=wrong).param == "n"


@pytest.mark.parametrize("surface", SURFACES)
def test_every_form_of_tool_choice_is_understood(surface: Surface) -> None:
    tools = TOOLS[surface]
    name: Any = {"name": "get_weather"}
    inner = {"mode": "required", "tools": [{"type": "function", **name}]}
    named = {"type": "function", **({"function": name} if surface is Surface.CHAT else name)}
    allowed = (
        {"type": "allowed_tools", "allowed_tools": inner}
        if surface is Surface.CHAT
        else {"type": "allowed_tools", **inner}
    )
    for value, choice in (
        (None, ToolChoice.AUTO),
        ("auto", ToolChoice.AUTO),
        ("none", ToolChoice.NONE),
        ("required", ToolChoice.REQUIRED),
        (named, ToolChoice.NAMED),
        (allowed, ToolChoice.REQUIRED),
    ):
        assert accepted(surface, tools=tools, tool_choice=value).tool_choice is choice
    assert refused(surface, tool_choice=named).param == "tool_choice"


@pytest.mark.parametrize("surface", SURFACES)
def test_every_form_of_output_is_understood(surface: Surface) -> None:
    form = FORMATS[surface]
    schema: Any = {"name": "n", "schema": SCHEMA}
    wanted = (
        {"type": "json_schema", "json_schema": schema}
        if surface is Surface.CHAT
        else {"type": "json_schema", **schema}
    )
    found = accepted(surface, **form(wanted))
    assert (found.output_format, found.schema) == (OutputFormat.JSON_SCHEMA, SCHEMA)
    assert accepted(surface, **form({"type": "text"})).output_format is OutputFormat.TEXT
    plain = accepted(surface, **form({"type": "json_object"}))
    assert (plain.output_format, plain.schema) == (OutputFormat.JSON_OBJECT, None)
    for wrong in ({"type": "grammar"}, {"type": "json_schema"}, {"type": 7}):
        where = refused(surface, **form(wrong)).param
        assert where is not None
        assert where.startswith(("response_format.", "text.format."))


@pytest.mark.parametrize(
    ("surface", "fields", "reasons"),
    [
        (Surface.CHAT, {}, False),
        (Surface.CHAT, {"reasoning_effort": "none"}, False),
        (Surface.CHAT, {"reasoning_effort": "high"}, True),
        (Surface.CHAT, {"reasoning": {"max_tokens": 100}}, True),
        (Surface.CHAT, {"reasoning": {"enabled": True}}, True),
        (Surface.RESPONSES, {"reasoning": {"effort": None, "summary": "auto"}}, False),
        (Surface.RESPONSES, {"reasoning": {"effort": "minimal"}}, True),
    ],
)
def test_thinking_is_asked_for_by_an_effort(
    surface: Surface, fields: dict[str, Any], reasons: bool
) -> None:
    assert accepted(surface, **fields).reasoning is reasons


# --- what was said ---------------------------------------------------------------------------


def test_messages_are_understood_in_every_form() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    turns = accepted(
        Surface.CHAT,
        messages=[
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "look"}, image, image]},
            {"role": "user", "content": [SOUND, PAPER, FILM]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "done"}]},
            {"role": "assistant", "content": None, "refusal": "no"},
            {"role": "user", "content": None},
        ],
    ).turns
    assert turns == (
        Turn(role=Role.SYSTEM, text="be brief"),
        Turn(role=Role.USER, text="look", images=2),
        Turn(role=Role.USER, audios=1, files=1, videos=1),
        Turn(role=Role.ASSISTANT, text='{"a":1}', tool_calls=("f",)),
        Turn(role=Role.TOOL, text="done"),
        Turn(role=Role.ASSISTANT, text="no"),
        Turn(role=Role.USER),
    )


def test_input_is_understood_in_every_form() -> None:
    turns = accepted(
        Surface.RESPONSES,
        instructions="be brief",
        input=[
            {"role": "user", "content": "hi"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"role": "user", "content": [PICTURE, LETTER]},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
            {"type": "function_call_output", "call_id": "c", "output": [PICTURE]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
            {"role": "developer", "content": None},
        ],
    ).turns
    assert turns == (
        Turn(role=Role.SYSTEM, text="be brief"),
        Turn(role=Role.USER, text="hi"),
        Turn(role=Role.USER, text="a"),
        Turn(role=Role.USER, images=1, files=1),
        Turn(role=Role.ASSISTANT, text="hm"),
        Turn(role=Role.ASSISTANT, text="{}", tool_calls=("f",)),
        Turn(role=Role.TOOL, text="sunny"),
        Turn(role=Role.TOOL, images=1),
        Turn(role=Role.ASSISTANT, text="b"),
        Turn(role=Role.TOOL, text="x"),
        Turn(role=Role.SYSTEM),
    )
    assert accepted(Surface.RESPONSES, input="hi").turns == (Turn(role=Role.USER, text="hi"),)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ("hi", "messages"),
        ([{"content": "hi"}], "messages[0].role"),
        ([{"role": "robot", "content": "hi"}], "messages[0].role"),
        ([{"role": "user", "content": 7}], "messages[0].content"),
        ([{"role": "user", "content": [{"text": "a"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "smell"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([{"role": "assistant", "tool_calls": [{}]}], "messages[0].tool_calls[0]"),
    ],
)
def test_a_message_that_says_nothing_is_refused_with_its_place(
    messages: object, param: str
) -> None:
    assert refused(Surface.CHAT, messages=messages).param == param


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"),
        ([], "input"),
        (7, "input"),
        (["hi"], "input[0]"),
        ([{"content": "hi"}], "input[0].role"),
        ([{"role": "user", "content": {}}], "input[0].content"),
        ([{"type": "function_call", "name": "f", "arguments": "{}"}], "input[0].call_id"),
        ([{"type": "function_call_output", "output": "x"}], "input[0].call_id"),
        ([{"type": "item_reference", "id": "msg_1"}], "input[0].type"),
    ],
)
def test_an_item_that_says_nothing_is_refused_with_its_place(given: object, param: str) -> None:
    assert refused(Surface.RESPONSES, input=given).param == param
