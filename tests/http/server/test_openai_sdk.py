"""openai-python in strict validation mode, as a caller that we did not write."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from astrolabe_core.money import usd
from astrolabe_core.stacks import Boundaries
from astrolabe_http.service import KeyTerms
from tests.http.server.conftest import Stack
from tests.http.server.processes import make_account

MODELS = ("astrolabe/auto", "auto", "openai/gpt-5.4-nano")
HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


class Verdict(BaseModel):
    score: float
    reasons: list[str]


@pytest.mark.parametrize("model", MODELS)
def test_chat_is_answered_whole_and_streamed_with_the_same_words(
    sdk: openai.OpenAI, model: str
) -> None:
    whole = sdk.chat.completions.create(model=model, messages=HELLO)
    assert whole.choices[0].message.content
    assert whole.usage is not None
    with sdk.chat.completions.stream(
        model=model, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        streamed = stream.get_final_completion()
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.choices[0].finish_reason == "stop"
    assert streamed.usage is not None
    assert streamed.usage.total_tokens == whole.usage.total_tokens
    assert streamed.model == whole.model


@pytest.mark.parametrize("model", MODELS)
def test_responses_are_answered_whole_and_streamed_with_the_same_words(
    sdk: openai.OpenAI, model: str
) -> None:
    whole = sdk.responses.create(model=model, input="Hello")
    assert whole.output_text
    with sdk.responses.stream(model=model, input="Hello") as stream:
        streamed = stream.get_final_response()
    assert streamed.output_text == whole.output_text
    assert streamed.status == "completed"
    assert streamed.usage is not None
    assert whole.usage is not None
    assert streamed.usage.total_tokens == whole.usage.total_tokens


@pytest.mark.parametrize("mode", ["off", "light", "auto", "strict", "strong"])
def test_a_stream_is_whole_in_every_mode_of_verification(sdk: openai.OpenAI, mode: str) -> None:
    metadata = {"astrolabe": f'{{"verification": "{mode}"}}'}
    with sdk.responses.stream(model="auto", input="Hello", metadata=metadata) as responses:
        assert responses.get_final_response().output_text
    with sdk.chat.completions.stream(model="auto", messages=HELLO, metadata=metadata) as chat:
        assert chat.get_final_completion().choices[0].message.content


def test_tools_and_schemas_come_through(sdk: openai.OpenAI) -> None:
    called = sdk.chat.completions.create(model="auto", messages=HELLO, tools=[WEATHER])
    calls = called.choices[0].message.tool_calls
    assert calls
    assert called.choices[0].finish_reason == "tool_calls"
    with sdk.chat.completions.stream(model="auto", messages=HELLO, tools=[WEATHER]) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls
    assert streamed
    assert streamed[0].function.arguments == calls[0].function.arguments  # type: ignore[union-attr]
    parsed = sdk.chat.completions.parse(model="auto", messages=HELLO, response_format=Verdict)
    assert parsed.choices[0].message.parsed is not None
    response = sdk.responses.parse(model="auto", input="Judge.", text_format=Verdict)
    assert response.output_parsed is not None


@pytest.mark.parametrize(
    "slug",
    [
        "default-optimizer",
        "low-cost",
        "high-quality",
        "fast",
        "customer-data",
        "high-stakes",
        "research",
    ],
)
def test_each_managed_stack_may_be_named_by_metadata(sdk: openai.OpenAI, slug: str) -> None:
    raw = sdk.chat.completions.with_raw_response.create(
        model="auto", messages=HELLO, metadata={"astrolabe.stack": slug}
    )
    assert raw.headers["x-astrolabe-stack-name"] == slug
    assert raw.parse().choices[0].message.content


def test_models_are_listed_and_shown(sdk: openai.OpenAI) -> None:
    listed = [model.id for model in sdk.models.list()]
    assert {"astrolabe/auto", "openai/gpt-5.4-nano"} <= set(listed)
    for name in listed:
        assert sdk.models.retrieve(name).id == name
    assert sdk.models.retrieve("auto").id == "astrolabe/auto"


@pytest.mark.parametrize(
    ("given", "error", "code"),
    [
        ({"model": "no/such"}, openai.NotFoundError, "unknown_model"),
        (
            {"metadata": {"astrolabe.stack": "no-such"}},
            openai.NotFoundError,
            "routing_stack_not_found",
        ),
        (
            {"metadata": {"astrolabe.quality": "best"}},
            openai.BadRequestError,
            "invalid_routing_override",
        ),
        ({"temperature": "warm"}, openai.BadRequestError, "invalid_request"),
    ],
)
def test_refusals_become_the_sdk_s_own_errors(
    sdk: openai.OpenAI, given: dict[str, Any], error: type[openai.APIStatusError], code: str
) -> None:
    for stream in (False, True):
        with pytest.raises(error) as caught:
            sdk.chat.completions.create(
                **{"model": "auto", "messages": HELLO, "stream": stream, **given}
            )
        assert caught.value.code == code
        assert str(caught.value.request_id).startswith("req_")


def test_a_bad_key_an_empty_wallet_and_a_full_minute(stack: Stack, sdk: openai.OpenAI) -> None:
    def ask(key: str) -> Any:
        return sdk.with_options(api_key=key).chat.completions.create(model="auto", messages=HELLO)

    with pytest.raises(openai.AuthenticationError):
        ask(stack.key[:-1] + "x")
    _, poor = make_account(stack.database, "0")
    with pytest.raises(openai.APIStatusError) as caught:
        ask(poor)
    assert (caught.value.status_code, caught.value.code) == (402, "payment_required")
    _, slow = make_account(stack.database, "1", KeyTerms(rate_limit=1))
    with pytest.raises(openai.RateLimitError):
        # Two minutes may meet within three requests, three cannot.
        list(map(ask, [slow] * 3))


def test_a_policy_block_is_not_retried(stack: Stack) -> None:
    """openai-python 3.52 retries 409 and 5xx: a policy block ran three times."""
    terms = KeyTerms(envelope=Boundaries(allowed_models=frozenset()))
    _, key = make_account(stack.database, "1", terms)
    url = f"{stack.gateway.url}/v1"
    with (
        openai.OpenAI(base_url=url, api_key=key, max_retries=2) as made,
        pytest.raises(openai.ConflictError) as caught,
    ):
        made.chat.completions.create(model="auto", messages=HELLO)
    assert caught.value.code == "routing_policy_blocked"
    with stack.client(key) as client:
        used = client.get("/v1/usage").json()["data"]
    assert len(used) == 1


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_stream_that_breaks_raises_in_the_sdk(
    stack: Stack, sdk: openai.OpenAI, endpoint: str
) -> None:
    """litellm #40404: an upstream cut mid-answer is closed cleanly and looks whole."""
    httpx.post(f"{stack.control}/faults", json={"fault": "cut-2"}).raise_for_status()
    words = 0
    model = "openai/gpt-5.4-nano"
    with pytest.raises(openai.APIError):  # noqa: PT012 - the first events come without a fault
        if endpoint == "chat":
            for chunk in sdk.chat.completions.create(model=model, messages=HELLO, stream=True):
                words += bool(chunk.choices and chunk.choices[0].delta.content)
        else:
            for event in sdk.responses.create(model=model, input="Hello", stream=True):
                words += event.type == "response.output_text.delta"
                assert event.type != "response.completed"
    assert words > 0


def test_every_debit_is_the_price_of_the_reported_usage(stack: Stack, sdk: openai.OpenAI) -> None:
    _, key = make_account(stack.database, "1")
    answer = sdk.with_options(api_key=key).chat.completions.create(
        model="openai/gpt-5.4-nano", messages=HELLO
    )
    assert answer.usage is not None
    due = answer.usage.prompt_tokens * 200 + answer.usage.completion_tokens * 1_250
    with stack.client(key) as client:
        (row,) = client.get("/v1/usage").json()["data"]
        trace = client.get(f"/v1/traces/{row['request_id']}").json()
    assert usd(row["debit_usd"]) == due
    assert trace["ledger"]["debit_usd"] == row["debit_usd"]
    assert row["provider_cost_usd"] == row["debit_usd"]
