"""openai-python, as a caller that we did not write."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from pydantic import BaseModel

from astrolabe_http.simulator import RunningSimulator
from tests.http.simulator.conftest import NANO, SONNET


class Verdict(BaseModel):
    score: float
    reasons: list[str]


class GetWeather(BaseModel):
    """Tell the weather."""

    city: str
    days: int


@pytest.fixture
def sdk(simulator: RunningSimulator) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=simulator.url, api_key="any", max_retries=0) as made:
        yield made


def test_chat_is_read_whole_and_streamed(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(
        model=NANO.id, messages=[{"role": "user", "content": "Hello"}]
    )
    with sdk.chat.completions.stream(
        model=NANO.id, messages=[{"role": "user", "content": "Hello"}]
    ) as stream:
        streamed = stream.get_final_completion()
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.usage is not None
    assert whole.usage is not None
    assert streamed.usage.total_tokens == whole.usage.total_tokens


def test_chat_parses_a_schema_and_tool_arguments(sdk: openai.OpenAI) -> None:
    parsed = sdk.chat.completions.parse(
        model=NANO.id, messages=[{"role": "user", "content": "Judge"}], response_format=Verdict
    )
    assert isinstance(parsed.choices[0].message.parsed, Verdict)
    called = sdk.chat.completions.parse(
        model=SONNET.id,
        messages=[{"role": "user", "content": "Weather?"}],
        tools=[openai.pydantic_function_tool(GetWeather)],
    )
    calls = called.choices[0].message.tool_calls
    assert calls is not None
    assert isinstance(calls[0].function.parsed_arguments, GetWeather)


def test_responses_are_read_whole_and_streamed(sdk: openai.OpenAI) -> None:
    whole = sdk.responses.create(model=NANO.id, input="Hello", reasoning={"effort": "low"})
    with sdk.responses.stream(model=NANO.id, input="Hello", reasoning={"effort": "low"}) as stream:
        streamed = stream.get_final_response()
    assert streamed.output_text == whole.output_text
    assert whole.output_text
    parsed = sdk.responses.parse(model=NANO.id, input="Judge", text_format=Verdict)
    assert isinstance(parsed.output_parsed, Verdict)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", openai.AuthenticationError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("context", openai.BadRequestError),
        ("reset", openai.APIConnectionError),
    ],
)
def test_errors_become_the_sdk_s_own(
    sdk: openai.OpenAI, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        sdk.responses.create(model=f"{NANO.id}#{fault}", input="Hello")


def test_models_are_listed(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == [NANO.id, SONNET.id]
