"""openai-python with strict validation, a caller that we did not write, takes every answer."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.http.wire.play import ID, Played, client


class Verdict(BaseModel):
    score: float
    reasons: list[str]


class GetWeather(BaseModel):
    """Tell the weather."""

    city: str
    days: int


HELLO: Any = [{"role": "user", "content": "Hello, what is a ledger?"}]
WEATHER: Any = openai.pydantic_function_tool(GetWeather)
RESPONSES_WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": GetWeather.model_json_schema(),
    "strict": None,
}
ROUTING: Any = {"astrolabe.explain": "true", "trace": "t-1"}


def test_chat_is_read_whole_and_streamed() -> None:
    whole = client().chat.completions.create(
        model="auto", messages=HELLO, reasoning_effort="low", metadata=ROUTING
    )
    with client().chat.completions.stream(
        model="auto",
        messages=HELLO,
        reasoning_effort="low",
        stream_options={"include_usage": True},
    ) as stream:
        streamed = stream.get_final_completion()
    assert whole.choices[0].message.content
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.usage == whole.usage
    assert streamed.id == whole.id == "chatcmpl-01test"
    assert streamed.choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert whole.metadata == {"trace": "t-1"}
    assert whole._request_id == ID


def test_every_chunk_of_chat_is_openai_s() -> None:
    chunks = list(client().chat.completions.create(model="auto", messages=HELLO, stream=True, n=2))
    assert {chunk.id for chunk in chunks} == {"chatcmpl-01test"}
    assert {chunk.model for chunk in chunks} == {chunks[0].model}
    assert all(chunk.usage is None for chunk in chunks)
    ends = [c.index for chunk in chunks for c in chunk.choices if c.finish_reason is not None]
    assert ends == [0, 1]


def test_chat_parses_a_schema_and_tool_arguments() -> None:
    parsed = client().chat.completions.parse(model="auto", messages=HELLO, response_format=Verdict)
    assert isinstance(parsed.choices[0].message.parsed, Verdict)
    called = client().chat.completions.parse(model="auto", messages=HELLO, tools=[WEATHER])
    calls = called.choices[0].message.tool_calls
    assert calls is not None
    assert isinstance(calls[0].function.parsed_arguments, GetWeather)
    assert called.choices[0].finish_reason == "tool_calls"


def test_chat_streams_a_schema_and_tool_arguments() -> None:
    with client().chat.completions.stream(
        model="auto", messages=HELLO, response_format=Verdict
    ) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Verdict)
    with client().chat.completions.stream(model="auto", messages=HELLO, tools=[WEATHER]) as calls:
        made = calls.get_final_completion().choices[0].message.tool_calls
    assert made is not None
    assert isinstance(made[0].function.parsed_arguments, GetWeather)


def test_a_tool_conversation_goes_on_in_chat() -> None:
    first = client().chat.completions.create(model="auto", messages=HELLO, tools=[WEATHER])
    message = first.choices[0].message
    assert message.tool_calls
    answer = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    talk: Any = [*HELLO, message.model_dump(exclude_none=True), answer]
    assert client().chat.completions.create(model="auto", messages=talk, tools=[WEATHER]).choices


def test_responses_are_read_whole_and_streamed() -> None:
    asked: Any = {"model": "auto", "input": "Hello", "reasoning": {"effort": "low"}}
    whole = client().responses.create(**asked, metadata=ROUTING, temperature=0.5)
    with client().responses.stream(**asked) as stream:
        events = list(stream)
        streamed = stream.get_final_response()
    assert whole.output_text
    assert streamed.output_text == whole.output_text
    assert streamed.usage == whole.usage
    assert whole.usage is not None
    assert whole.id == streamed.id == "resp_01test"
    assert whole.temperature == 0.5
    assert whole.metadata is not None
    assert whole.metadata["trace"] == "t-1"
    assert '"accepted":' in whole.metadata["astrolabe"]
    assert [event.type for event in events][-1] == "response.completed"


def test_responses_parse_a_schema_and_tool_arguments() -> None:
    parsed = client().responses.parse(model="auto", input="Judge", text_format=Verdict)
    assert isinstance(parsed.output_parsed, Verdict)
    with client().responses.stream(model="auto", input="Judge", text_format=Verdict) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Verdict)
    for streamed in (False, True):
        asked: Any = {"model": "auto", "input": "Weather?", "tools": [RESPONSES_WEATHER]}
        if streamed:
            with client().responses.stream(**asked) as calling:
                output = calling.get_final_response().output
        else:
            output = list(client().responses.create(**asked).output)
        (call,) = (item for item in output if item.type == "function_call")
        assert call.name == "get_weather"
        assert GetWeather.model_validate_json(call.arguments).days is not None


def test_a_tool_conversation_goes_on_in_responses() -> None:
    asked: Any = {"model": "auto", "tools": [RESPONSES_WEATHER]}
    first = client().responses.create(input="Weather?", **asked, reasoning={"effort": "low"})
    (call,) = (item for item in first.output if item.type == "function_call")
    talk: Any = [{"role": "user", "content": "Weather?"}]
    talk += [item.model_dump(exclude_none=True) for item in first.output]
    talk += [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    assert client().responses.create(input=talk, **asked).status == "completed"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_arrives_as_one(streamed: bool) -> None:
    gateway = client("refusal")
    if streamed:
        with gateway.chat.completions.stream(model="auto", messages=HELLO) as chat:
            message = chat.get_final_completion().choices[0].message
        with gateway.responses.stream(model="auto", input="Hello") as responses:
            output = responses.get_final_response().output
    else:
        whole = gateway.chat.completions.create(model="auto", messages=HELLO)
        message = whole.choices[0].message  # type: ignore[assignment]
        output = list(gateway.responses.create(model="auto", input="Hello").output)  # type: ignore[arg-type]
    assert message.refusal
    (item,) = (item for item in output if item.type == "message")
    assert item.content[0].type == "refusal"
    assert item.content[0].refusal == message.refusal


@pytest.mark.parametrize("fault", ["truncated", "filtered"])
def test_an_answer_that_was_cut_short_says_so(fault: str) -> None:
    reason = {"truncated": "length", "filtered": "content_filter"}[fault]
    chat = client(fault).chat.completions.create(model="auto", messages=HELLO)
    assert chat.choices[0].finish_reason == reason
    with client(fault).responses.stream(model="auto", input="Hello") as stream:
        events = list(stream)
    final: Any = events[-1]
    assert final.type == "response.incomplete"
    told = {"truncated": "max_output_tokens", "filtered": "content_filter"}[fault]
    assert final.response.incomplete_details.reason == told
    assert final.response.completed_at is None


@pytest.mark.parametrize("fault", ["unknown-events", "crlf", "separators", "double-usage"])
def test_what_nobody_documented_never_reaches_a_caller(fault: str) -> None:
    plain = client("separators" if fault == "separators" else "")
    whole = plain.responses.create(model="auto", input="Hello")
    with client(fault).responses.stream(model="auto", input="Hello") as stream:
        assert stream.get_final_response().output_text == whole.output_text
    with client(fault).chat.completions.stream(model="auto", messages=HELLO) as chat:
        assert chat.get_final_completion().choices[0].message.content


@pytest.mark.parametrize("fault", ["error-mid-2", "end-2"])
def test_a_stream_that_broke_raises_in_both_formats(fault: str) -> None:
    with (
        pytest.raises(openai.APIError) as chat,
        client(fault).chat.completions.stream(model="auto", messages=HELLO) as stream,
    ):
        list(stream)
    assert chat.value.code == "provider_error"
    with (
        pytest.raises(openai.APIError) as responses,
        client(fault).responses.stream(model="auto", input="Hello") as events,
    ):
        list(events)
    assert responses.value.code == "provider_error"


def test_a_refused_request_is_the_error_that_its_status_names() -> None:
    played: list[Played] = []
    with pytest.raises(openai.NotFoundError) as unknown:
        client(seen=played.append).responses.create(model="openai/gpt-99", input="Hello")
    assert unknown.value.code == "unknown_model"
    assert unknown.value.param == "model"
    assert unknown.value.request_id == ID
    assert dict(played[0].headers)[b"x-should-retry"] == b"false"
    with pytest.raises(openai.BadRequestError) as bad:
        client().chat.completions.create(model="auto", messages=[])
    assert bad.value.param == "messages"
