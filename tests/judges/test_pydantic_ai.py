"""pydantic-ai, over both of its models: a plain, a streamed, a tool and a structured turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import openai
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ModelAPIError, NativeOutput, ToolOutput
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.judges.conftest import BREAKS, PIXEL, Provider, Target

pytestmark = pytest.mark.anyio
MODELS: Final = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}


class Verdict(BaseModel):
    score: float
    reasons: list[str]


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"It snows in {city}."


def get_time() -> str:
    """Tell the time."""
    return "Noon."


@pytest.fixture(params=MODELS)
async def model(request: pytest.FixtureRequest, target: Target) -> AsyncIterator[Model]:
    async with openai.AsyncOpenAI(
        base_url=target.url,
        api_key=target.key,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        provider = OpenAIProvider(openai_client=client)
        yield MODELS[request.param](target.model, provider=provider)


async def test_a_plain_turn(model: Model) -> None:
    done = await Agent(model, instructions="Be brief.").run("What is a ledger?")
    assert "ledger" in done.output
    usage = done.usage
    assert usage.requests == 1
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


async def test_a_streamed_turn(model: Model) -> None:
    async with Agent(model).run_stream("What is a ledger?") as running:
        said = [piece async for piece in running.stream_text(delta=True, debounce_by=None)]
        assert len(said) > 1
        assert "".join(said) == await running.get_output()
        assert running.usage.output_tokens > 0


async def test_an_image_is_seen(model: Model) -> None:
    seen = BinaryContent.from_data_uri(PIXEL)
    assert (await Agent(model).run(["What is this?", seen])).output


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_turn(model: Model, provider: Provider, streamed: bool) -> None:
    agent = Agent(model, tools=[get_weather])
    asked = "How is the weather in 'Ulm'?"
    if streamed:
        async with agent.run_stream(asked) as running:
            said = await running.get_output()
    else:
        said = (await agent.run(asked)).output
    assert "It snows in Ulm." in said
    assert len(provider.calls()) == 2


async def test_two_tools_in_one_turn(model: Model, provider: Provider) -> None:
    agent = Agent(model, tools=[get_weather, get_time])
    done = await agent.run("Use get_weather and get_time.")
    answered = [
        part.tool_name
        for message in done.all_messages()
        for part in message.parts
        if part.part_kind == "tool-return"
    ]
    assert answered == ["get_weather", "get_time"]
    assert len(provider.calls()) == 2


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("form", [NativeOutput, ToolOutput])
async def test_a_structured_turn(model: Model, form: Any, streamed: bool) -> None:
    agent = Agent(model, output_type=form(Verdict))
    if streamed:
        async with agent.run_stream("Judge.") as running:
            assert isinstance(await running.get_output(), Verdict)
    else:
        assert isinstance((await agent.run("Judge.")).output, Verdict)


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_stream_that_breaks_raises(model: Model, provider: Provider, fault: str) -> None:
    provider.order(fault)
    with pytest.raises(ModelAPIError, match="the provider"):
        async with Agent(model).run_stream("Hello") as running:
            await running.get_output()
