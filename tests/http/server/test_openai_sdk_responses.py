"""Every feature of Responses through openai-python in strict mode, against the real processes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.http.server.conftest import Stack
from tests.http.server.processes import questions

NANO = "openai/gpt-5.4-nano"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
PAPER = "data:application/pdf;base64,JVBERi0xLjQK"
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
ENCRYPTED = "reasoning.encrypted_content"


class Verdict(BaseModel):
    score: float
    reasons: list[str]


def tool(name: str) -> Any:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    return {"type": "function", "name": name, "parameters": parameters, "strict": True}


TOOLS: Any = [tool("get_weather"), tool("get_time")]


def ask(sdk: openai.OpenAI, streamed: bool, **asked: Any) -> Any:
    """The whole response; of a stream, the one that its last event brings."""
    fields: Any = {"model": NANO, "input": "Hello", **asked}
    if not streamed:
        return sdk.responses.create(**fields)
    events = list(sdk.responses.create(**fields, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events[-1].response


def sent(stack: Stack) -> Any:
    """What the provider got last of ours."""
    (*_, last) = questions(stack.control)
    return last["body"]


def order(stack: Stack, fault: str) -> None:
    """Have the provider fail."""
    answer = httpx.post(f"{stack.control}/faults", json={"fault": fault, "times": None})
    answer.raise_for_status()


def of_type(response: Any, kind: str) -> list[Any]:
    return [item for item in response.output if item.type == kind]


# --- what is asked ---------------------------------------------------------------------------


@STREAMED
def test_images_and_files_reach_the_model(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    text = {"type": "input_text", "text": "What is it?"}
    image = {"type": "input_image", "image_url": PIXEL}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": PAPER}
    page = {"type": "input_file", "file_url": "https://x.test/a.pdf"}
    content = [text, image, file, page]
    assert ask(sdk, streamed, input=[{"role": "user", "content": content}]).output_text
    (message,) = sent(stack)["input"]
    assert message["content"] == [text, {**image, "detail": "auto"}, file, page]


def test_a_stored_file_is_refused_by_name(stack: Stack, sdk: openai.OpenAI) -> None:
    for part in ({"type": "input_file", "file_id": "f"}, {"type": "input_image", "file_id": "f"}):
        with pytest.raises(openai.BadRequestError) as caught:
            ask(sdk, streamed=False, input=[{"role": "user", "content": [part]}])
        assert caught.value.code == "unsupported_parameter"
        assert caught.value.param == "input[0].content[0].file_id"
    assert not httpx.get(f"{stack.control}/journal").json()["calls"]


@STREAMED
def test_settings_reach_the_provider_and_are_told_back(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    carried: Any = {
        "instructions": "Be brief.",
        "temperature": 0.25,
        "top_p": 0.5,
        "truncation": "auto",
        "prompt_cache_key": "k-1",
        "safety_identifier": "s-1",
        "user": "somebody",
        "text": {"verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
    }
    kept: Any = {"max_tool_calls": 50, "parallel_tool_calls": False, "max_output_tokens": 300}
    answer = ask(
        sdk,
        streamed,
        **carried,
        **kept,
        metadata={"trace": "t-1"},
        service_tier="flex",
        background=False,
        store=False,
        extra_body={"client_metadata": {"codex": "yes"}},
    )
    body = sent(stack)
    assert carried.items() <= body.items()
    assert body["metadata"] == {"trace": "t-1"}
    assert body["max_output_tokens"] == 300
    assert not {"service_tier", "max_tool_calls", "client_metadata", "background"} & set(body)
    told = answer.model_dump()
    for name, value in {**carried, **kept}.items():
        if name not in {"text", "reasoning"}:
            assert told[name] == value, name
    assert told["text"]["verbosity"] == "low"
    assert told["text"]["format"] == {"type": "text"}
    assert (told["reasoning"]["effort"], told["reasoning"]["summary"]) == ("low", "auto")
    assert told["metadata"]["trace"] == "t-1"
    assert told["service_tier"] == "default"
    assert (told["store"], told["background"]) == (False, False)


@STREAMED
def test_what_codex_sends_is_understood(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    """Codex CLI 0.169: strange tools, no ids, a body of 40 KB."""
    strange: Any = [
        {"type": "namespace", "name": "mcp", "description": "d", "tools": [tool("inner")]},
        {"type": "web_search", "external_web_access": False},
        {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
        *TOOLS,
    ]
    talk: Any = [
        {"type": "message", "role": "developer", "content": [_text("Long. " * 7_000)]},
        {"role": "user", "content": [_text("Hello")]},
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": None},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hm."}]},
        {"type": "function_call", "call_id": "c", "name": "get_time", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "noon"},
    ]
    answer = ask(
        sdk,
        streamed,
        input=talk,
        tools=strange,
        tool_choice="auto",
        parallel_tool_calls=False,
        reasoning={"effort": "medium", "summary": "auto"},
        include=[ENCRYPTED],
        prompt_cache_key="k",
        store=False,
        text={"verbosity": "low"},
        extra_body={"client_metadata": {"x": "y"}},
    )
    assert answer.status == "completed"
    body = sent(stack)
    assert [each["name"] for each in body["tools"]] == ["get_weather", "get_time"]
    assert body["include"] == [ENCRYPTED]
    assert [each.name for each in answer.tools] == ["get_weather", "get_time"]


def _text(words: str) -> Any:
    return {"type": "input_text", "text": words}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conversation", "conv_1"),
        ("background", True),
        ("prompt", {"id": "pmpt_1"}),
        ("context_management", [{"type": "compaction"}]),
        ("moderation", {"model": "m"}),
        ("tool_choice", {"type": "web_search_preview"}),
        ("tool_choice", {"type": "custom", "name": "apply_patch"}),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    stack: Stack, sdk: openai.OpenAI, field: str, value: Any
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, streamed=False, **{field: value})
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", field)
    assert not httpx.get(f"{stack.control}/journal").json()["calls"]


# --- what is answered ------------------------------------------------------------------------


@STREAMED
def test_several_tools_are_called_and_their_results_understood(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    asked = "Call get_weather and get_time for Oslo."
    first = ask(sdk, streamed, input=asked, tools=TOOLS, parallel_tool_calls=True)
    calls = of_type(first, "function_call")
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert all("city" in json.loads(call.arguments) for call in calls)
    assert len({call.call_id for call in calls}) == len({call.id for call in calls}) == 2
    plain, parts = calls
    results: Any = [
        {"type": "function_call_output", "call_id": plain.call_id, "output": "sunny"},
        {"type": "function_call_output", "call_id": parts.call_id, "output": [_text("noon")]},
    ]
    talk: Any = [
        {"role": "user", "content": asked},
        *[item.model_dump() for item in first.output],
        *results,
    ]
    second = ask(sdk, streamed, input=talk, tools=TOOLS)
    assert second.output_text
    items = sent(stack)["input"]
    assert [item["call_id"] for item in items if item["type"] == "function_call"] == [
        plain.call_id,
        parts.call_id,
    ]
    assert items[-2:] == results


@STREAMED
def test_one_call_at_a_time_is_one_call_whatever_the_provider_does(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    order(stack, "many-calls")
    several = ask(sdk, streamed, tools=TOOLS)
    one = ask(sdk, streamed, tools=TOOLS, parallel_tool_calls=False)
    assert len(of_type(several, "function_call")) == 2
    assert len(of_type(one, "function_call")) == 1
    assert sent(stack)["parallel_tool_calls"] is False
    assert (several.parallel_tool_calls, one.parallel_tool_calls) == (True, False)


@STREAMED
@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", None),
        ({"type": "function", "name": "get_time"}, ["get_time"]),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "get_time"}],
            },
            ["get_time"],
        ),
    ],
)
def test_a_choice_of_tools_is_kept_and_told_back(
    sdk: openai.OpenAI, streamed: bool, choice: Any, called: list[str] | None
) -> None:
    answer = ask(sdk, streamed, tools=TOOLS, tool_choice=choice)
    names = [call.name for call in of_type(answer, "function_call")]
    assert names == called if called is not None else names
    told = answer.model_dump()["tool_choice"]
    assert told == choice
    assert [each.name for each in answer.tools] == ["get_weather", "get_time"]


@STREAMED
def test_a_schema_is_parsed_and_told_back(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    given: Any = {"model": NANO, "input": "Judge.", "text_format": Verdict}
    if streamed:
        with sdk.responses.stream(**given) as stream:
            parsed = stream.get_final_response()
    else:
        parsed = sdk.responses.parse(**given)
    assert isinstance(parsed.output_parsed, Verdict)
    form = sent(stack)["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)
    told = parsed.model_dump()["text"]["format"]
    assert (told["name"], told["strict"]) == (form["name"], True)
    plain = ask(sdk, streamed, text={"format": {"type": "json_object"}})
    assert plain.output_text.startswith("{")


@STREAMED
@pytest.mark.parametrize(("asked", "many"), [({}, 1), ({"top_logprobs": 3}, 3)])
def test_log_probabilities_are_told_for_every_token(
    stack: Stack, sdk: openai.OpenAI, streamed: bool, asked: Any, many: int
) -> None:
    include = ["message.output_text.logprobs"]
    answer = ask(sdk, streamed, include=include, **asked)
    ((part,),) = (item.content for item in of_type(answer, "message"))
    assert "".join(token.token for token in part.logprobs) == part.text == answer.output_text
    assert {len(token.top_logprobs) for token in part.logprobs} == {many}
    body = sent(stack)
    assert body["top_logprobs"] == many
    assert body["provider"]["require_parameters"] is True
    assert "include" not in body
    assert answer.top_logprobs == asked.get("top_logprobs", 0)


@STREAMED
def test_a_refusal_is_one(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    order(stack, "refusal")
    ((part,),) = (item.content for item in of_type(ask(sdk, streamed), "message"))
    assert part.type == "refusal"
    assert part.refusal


@STREAMED
@pytest.mark.parametrize(
    ("fault", "asked", "reason"),
    [
        ("", {"max_output_tokens": 5}, "max_output_tokens"),
        ("truncated", {}, "max_output_tokens"),
        ("filtered", {}, "content_filter"),
    ],
)
def test_an_answer_that_was_cut_short_says_so(
    stack: Stack, sdk: openai.OpenAI, streamed: bool, fault: str, asked: Any, reason: str
) -> None:
    if fault:
        order(stack, fault)
    answer = ask(sdk, streamed, **asked)
    assert answer.status == "incomplete"
    assert answer.incomplete_details.reason == reason
    assert answer.output_text
    assert answer.usage.total_tokens > 0


@STREAMED
def test_usage_has_its_details(sdk: openai.OpenAI, streamed: bool) -> None:
    asked: Any = {"input": "Say it. " * 1_000, "reasoning": {"effort": "low"}}
    _, usage = (ask(sdk, streamed, **asked).usage for _ in "12")
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert 0 < usage.input_tokens_details.cached_tokens <= usage.input_tokens
    assert usage.input_tokens_details.cache_write_tokens == 0
    assert 0 < usage.output_tokens_details.reasoning_tokens <= usage.output_tokens


@STREAMED
def test_encrypted_reasoning_comes_back_to_its_provider_as_it_was(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    """litellm #29733, CLIProxyAPI #3189: it went to another provider, or under another id."""
    asked: Any = {"reasoning": {"effort": "low"}, "include": [ENCRYPTED]}
    first = ask(sdk, streamed, **asked)
    (thought,) = of_type(first, "reasoning")
    assert thought.encrypted_content
    talk: Any = [
        {"role": "user", "content": "Hello"},
        *[item.model_dump() for item in first.output],
        {"role": "user", "content": "Go on."},
    ]
    assert ask(sdk, streamed, input=talk, **asked).output_text
    (told,) = (item for item in sent(stack)["input"] if item["type"] == "reasoning")
    assert told["encrypted_content"] != thought.encrypted_content
    assert told["id"].startswith("rs_")


# --- errors ----------------------------------------------------------------------------------


@STREAMED
@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("400", openai.BadRequestError, "invalid_request"),
        ("parameters", openai.BadRequestError, "unsupported_parameter"),
        ("context", openai.BadRequestError, "context_length_exceeded"),
        ("401", openai.InternalServerError, "provider_auth_error"),
        ("429-none", openai.InternalServerError, "provider_error"),
        ("500", openai.InternalServerError, "provider_error"),
        ("error-200", openai.InternalServerError, "provider_error"),
        ("524", openai.InternalServerError, "provider_timeout"),
    ],
)
def test_what_the_provider_does_wrong_is_the_sdk_s_own_error(
    stack: Stack, sdk: openai.OpenAI, streamed: bool, fault: str, error: Any, code: str
) -> None:
    order(stack, fault)
    with pytest.raises(error) as caught:
        ask(sdk, streamed, top_logprobs=1)
    assert caught.value.code == code
    assert str(caught.value.request_id).startswith("req_")
    if fault == "parameters":
        assert "top_logprobs" in str(caught.value)


@pytest.mark.parametrize("fault", ["error-mid-2", "cut-2", "end-2", "garbage-2"])
def test_what_breaks_in_the_middle_is_an_error_of_the_stream(
    stack: Stack, sdk: openai.OpenAI, fault: str
) -> None:
    order(stack, fault)
    kinds: list[str] = []
    with pytest.raises(openai.APIError) as caught:  # noqa: PT012 - the first events are sound
        for event in sdk.responses.create(model=NANO, input="Hello", stream=True):
            kinds.append(event.type)  # noqa: PERF401 - those before the error are wanted
    assert "response.output_text.delta" in kinds
    assert not {"response.completed", "response.incomplete"} & set(kinds)
    assert caught.value.code == "provider_error"


def test_unknown_models_and_stacks_are_not_found(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(sdk, streamed=False, model="no/such")
    assert caught.value.code == "unknown_model"
    with pytest.raises(openai.NotFoundError) as caught:
        ask(sdk, streamed=True, metadata={"astrolabe.stack": "no-such"})
    assert caught.value.code == "routing_stack_not_found"
