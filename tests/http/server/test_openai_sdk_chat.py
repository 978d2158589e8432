"""Every feature of Chat through openai-python in strict mode, against the real processes."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.http.server.conftest import Stack
from tests.http.server.processes import questions

NANO = "openai/gpt-5.4-nano"
GEMMA = "google/gemma-4-31b-it"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
PAPER = "data:application/pdf;base64,JVBERi0xLjQK"
HELLO: Any = [{"role": "user", "content": "Hello"}]
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


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
    function = {"name": name, "parameters": parameters, "strict": True}
    return {"type": "function", "function": function}


TOOLS: Any = [tool("get_weather"), tool("get_time")]


def ask(sdk: openai.OpenAI, streamed: bool, **asked: Any) -> Any:
    """The whole completion; openai-python puts a streamed one together."""
    fields: Any = {"model": NANO, "messages": HELLO, **asked}
    if not streamed:
        return sdk.chat.completions.create(**fields)
    with sdk.chat.completions.stream(
        **{"stream_options": {"include_usage": True}, **fields}
    ) as stream:
        return stream.get_final_completion()


def sent(stack: Stack) -> Any:
    """What the provider got last of ours."""
    (*_, last) = questions(stack.control)
    return last["body"]


def order(stack: Stack, fault: str, **rule: Any) -> None:
    """Have the provider fail."""
    answer = httpx.post(f"{stack.control}/faults", json={"fault": fault, "times": None, **rule})
    answer.raise_for_status()


# --- what is asked ---------------------------------------------------------------------------


@STREAMED
def test_images_and_files_reach_the_model(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    image = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": PAPER}}
    content = [{"type": "text", "text": "What is it?"}, image, file]
    answer = ask(sdk, streamed, messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content
    assert sent(stack)["messages"][0]["content"] == content


@STREAMED
def test_film_goes_to_a_model_that_sees_it(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    film = {"type": "video_url", "video_url": {"url": "https://x.test/a.mp4"}}
    answer = ask(sdk, streamed, model="auto", messages=[{"role": "user", "content": [film]}])
    assert answer.model in {GEMMA, "qwen/qwen3.6-plus"}
    assert sent(stack)["messages"][0]["content"] == [film]


def test_sound_that_no_model_hears_leaves_no_candidate(sdk: openai.OpenAI) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    with pytest.raises(openai.ConflictError) as caught:
        ask(sdk, streamed=False, model="auto", messages=[{"role": "user", "content": [sound]}])
    assert caught.value.code == "routing_policy_blocked"


def test_a_stored_file_is_refused_by_name(stack: Stack, sdk: openai.OpenAI) -> None:
    file = {"type": "file", "file": {"file_id": "file-1"}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, streamed=False, messages=[{"role": "user", "content": [file]}])
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == "messages[0].content[0].file_id"
    assert not httpx.get(f"{stack.control}/journal").json()["calls"]


@STREAMED
def test_settings_reach_the_provider(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    given: Any = {
        "temperature": 0.3,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["zebra"],
        "logit_bias": {"50": -100},
        "verbosity": "low",
        "user": "somebody",
        "prompt_cache_key": "k-1",
        "metadata": {"trace": "t-1"},
    }
    more: Any = {"max_completion_tokens": 200, "store": True, "service_tier": "flex"}
    talk = [{"role": "developer", "content": "Be brief."}, *HELLO]
    answer = ask(sdk, streamed, messages=talk, **given, **more)
    body = sent(stack)
    assert given.items() <= body.items()
    assert body["messages"] == talk
    assert body["max_tokens"] == 200
    assert body["provider"]["require_parameters"] is True
    assert not {"store", "service_tier", "max_completion_tokens"} & set(body)
    assert answer.service_tier == "default"


@STREAMED
def test_the_same_seed_gives_the_same_answer_and_stop_ends_it(
    sdk: openai.OpenAI, streamed: bool
) -> None:
    first, again, other = (ask(sdk, streamed, seed=seed) for seed in (7, 7, 8))
    words = first.choices[0].message.content
    assert words == again.choices[0].message.content != other.choices[0].message.content
    cut = ask(sdk, streamed, seed=7, stop=words.split()[3])
    assert cut.choices[0].message.content == words.partition(words.split()[3])[0]
    assert cut.choices[0].finish_reason == "stop"


# --- what is answered ------------------------------------------------------------------------


@STREAMED
def test_several_answers_come_whole(sdk: openai.OpenAI, streamed: bool) -> None:
    answer = ask(sdk, streamed, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert all(choice.message.content for choice in answer.choices)
    assert len({choice.message.content for choice in answer.choices}) > 1
    assert {choice.finish_reason for choice in answer.choices} == {"stop"}


@STREAMED
def test_a_provider_that_knows_no_n_gives_no_single_answer_of_several(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    """openrouter-runner #99: five were asked for, one came, and nothing was said."""
    order(stack, "one-choice")
    with pytest.raises(openai.APIError) as caught:
        ask(sdk, streamed, n=2)
    assert "n asks" in str(caught.value)
    assert caught.value.code == "invalid_request"
    assert ask(sdk, streamed, n=1).choices[0].message.content


@STREAMED
def test_several_tools_are_called_and_their_results_understood(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    talk: Any = [{"role": "user", "content": "Call get_weather and get_time for Oslo."}]
    first = ask(sdk, streamed, messages=talk, tools=TOOLS, parallel_tool_calls=True)
    assert first.choices[0].finish_reason == "tool_calls"
    message = first.choices[0].message
    assert [call.function.name for call in message.tool_calls] == ["get_weather", "get_time"]
    assert len({call.id for call in message.tool_calls}) == 2
    assert "parallel_tool_calls" not in sent(stack)
    plain, parts = message.tool_calls
    results = [
        {"role": "tool", "tool_call_id": plain.id, "content": "sunny"},
        {
            "role": "tool",
            "tool_call_id": parts.id,
            "content": [{"type": "text", "text": "noon"}],
        },
    ]
    talk = [*talk, message.model_dump(), *results]
    second = ask(sdk, streamed, messages=talk, tools=TOOLS)
    assert second.choices[0].message.content
    _, called, *answered = sent(stack)["messages"]
    assert [call["id"] for call in called["tool_calls"]] == [plain.id, parts.id]
    assert set(called) <= {"role", "content", "tool_calls"}
    assert answered == results


@STREAMED
def test_one_call_at_a_time_is_one_call_whatever_the_provider_does(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    """litellm #41913: lost on the way, answered 200."""
    order(stack, "many-calls")
    several = ask(sdk, streamed, tools=TOOLS)
    one = ask(sdk, streamed, tools=TOOLS, parallel_tool_calls=False)
    assert len(several.choices[0].message.tool_calls) == 2
    assert len(one.choices[0].message.tool_calls) == 1
    assert sent(stack)["parallel_tool_calls"] is False


@STREAMED
@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", None),
        ({"type": "function", "function": {"name": "get_time"}}, ["get_time"]),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "get_time"}}],
                },
            },
            ["get_time"],
        ),
    ],
)
def test_a_choice_of_tools_is_kept(
    sdk: openai.OpenAI, streamed: bool, choice: Any, called: list[str] | None
) -> None:
    message = ask(sdk, streamed, tools=TOOLS, tool_choice=choice).choices[0].message
    names = [call.function.name for call in message.tool_calls or []]
    assert names == called if called is not None else names


@STREAMED
def test_a_schema_is_parsed(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    given: Any = {"model": NANO, "messages": HELLO, "response_format": Verdict}
    if streamed:
        with sdk.chat.completions.stream(**given) as stream:
            parsed = stream.get_final_completion()
    else:
        parsed = sdk.chat.completions.parse(**given)
    assert isinstance(parsed.choices[0].message.parsed, Verdict)
    assert sent(stack)["response_format"]["json_schema"]["strict"] is True
    plain = ask(sdk, streamed, response_format={"type": "json_object"})
    assert plain.choices[0].message.content.startswith("{")


@STREAMED
def test_log_probabilities_are_told_for_every_token(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    answer = ask(sdk, streamed, logprobs=True, top_logprobs=2)
    (choice,) = answer.choices
    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens) == choice.message.content
    assert all(len(token.top_logprobs) == 2 for token in tokens)
    assert sent(stack)["provider"]["require_parameters"] is True
    assert ask(sdk, streamed).choices[0].logprobs is None


@STREAMED
def test_a_refusal_is_one(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    order(stack, "refusal")
    message = ask(sdk, streamed, messages=HELLO).choices[0].message
    assert message.refusal
    assert not message.content


@STREAMED
@pytest.mark.parametrize(
    ("fault", "asked", "reason"),
    [
        ("", {"max_completion_tokens": 5}, "length"),
        ("truncated", {}, "length"),
        ("filtered", {}, "content_filter"),
    ],
)
def test_an_answer_that_was_cut_short_says_so(
    stack: Stack, sdk: openai.OpenAI, streamed: bool, fault: str, asked: Any, reason: str
) -> None:
    if fault:
        order(stack, fault)
    if streamed:
        chunks = list(sdk.chat.completions.create(model=NANO, messages=HELLO, stream=True, **asked))
        reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
        assert reasons[-1] == reason
        assert set(reasons[:-1]) == {None}
    else:
        assert ask(sdk, streamed, **asked).choices[0].finish_reason == reason


@STREAMED
def test_usage_has_its_details(stack: Stack, sdk: openai.OpenAI, streamed: bool) -> None:
    long: Any = [{"role": "user", "content": "Say it. " * 1_000}]
    _, usage = (ask(sdk, streamed, messages=long, reasoning_effort="low").usage for _ in "12")
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens
    assert 0 < usage.completion_tokens_details.reasoning_tokens <= usage.completion_tokens
    assert sent(stack)["reasoning_effort"] == "low"


def test_usage_is_streamed_only_where_it_is_asked_for(sdk: openai.OpenAI) -> None:
    def stream(**options: Any) -> list[Any]:
        return list(sdk.chat.completions.create(model=NANO, messages=HELLO, stream=True, **options))

    assert all(chunk.usage is None and chunk.choices for chunk in stream())
    quiet: Any = {"include_usage": False, "include_obfuscation": True}
    assert all(chunk.usage is None for chunk in stream(stream_options=quiet))
    *chunks, last = stream(stream_options={"include_usage": True})
    assert all(chunk.usage is None for chunk in chunks)
    assert (last.choices, last.usage.total_tokens > 0) == ([], True)


@STREAMED
def test_reasoning_is_handed_back_as_it_came(
    stack: Stack, sdk: openai.OpenAI, streamed: bool
) -> None:
    answer = ask(sdk, streamed, reasoning_effort="low")
    message = answer.choices[0].message.model_dump()
    assert message["reasoning"]
    assert message["reasoning_details"]
    ask(sdk, streamed, messages=[*HELLO, message, *HELLO])
    _, thought, _ = sent(stack)["messages"]
    assert thought["reasoning_details"] == message["reasoning_details"]
    assert thought["reasoning"] == message["reasoning"]


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
        ask(sdk, streamed, seed=7)
    assert caught.value.code == code
    assert str(caught.value.request_id).startswith("req_")
    if fault == "parameters":
        assert "seed" in str(caught.value)


@pytest.mark.parametrize("fault", ["error-mid-2", "cut-2", "end-2", "garbage-2"])
def test_what_breaks_in_the_middle_is_an_error_of_the_stream(
    stack: Stack, sdk: openai.OpenAI, fault: str
) -> None:
    order(stack, fault)
    words = ""
    with pytest.raises(openai.APIError) as caught:  # noqa: PT012 - the first chunks are sound
        for chunk in sdk.chat.completions.create(model=NANO, messages=HELLO, stream=True):
            words += chunk.choices[0].delta.content or ""
            assert chunk.choices[0].finish_reason is None
    assert words
    assert caught.value.code == "provider_error"
    assert caught.value.type == "server_error"
