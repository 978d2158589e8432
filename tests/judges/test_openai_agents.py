"""openai-agents, over both of its models: a plain, a streamed, a tool and a structured turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import openai
import pytest
from agents import (
    Agent,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    RunItemStreamEvent,
    Runner,
    function_tool,
)
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel

from tests.judges.conftest import BREAKS, Provider, Target

pytestmark = pytest.mark.anyio
# It would report each run to OpenAI.
QUIET: Final = RunConfig(tracing_disabled=True)
MODELS: Final = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


class Verdict(BaseModel):
    score: float
    reasons: list[str]


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"It snows in {city}."


@function_tool
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
        yield MODELS[request.param](target.model, client)


async def test_a_plain_turn(model: Model) -> None:
    agent = Agent(name="plain", instructions="Be brief.", model=model)
    done = await Runner.run(agent, "What is a ledger?", run_config=QUIET)
    assert "ledger" in done.final_output
    usage = done.context_wrapper.usage
    assert usage.requests == 1
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0


async def test_a_streamed_turn(model: Model) -> None:
    agent = Agent(name="streamed", model=model)
    running = Runner.run_streamed(agent, "What is a ledger?", run_config=QUIET)
    said = [
        event.data.delta
        async for event in running.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    assert len(said) > 1
    assert "".join(said) == running.final_output


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_turn(model: Model, provider: Provider, streamed: bool) -> None:
    agent = Agent(name="tool", model=model, tools=[get_weather])
    asked = "How is the weather in 'Ulm'?"
    if streamed:
        running = Runner.run_streamed(agent, asked, run_config=QUIET)
        kinds = [
            event.name
            async for event in running.stream_events()
            if isinstance(event, RunItemStreamEvent)
        ]
        assert kinds == ["tool_called", "tool_output", "message_output_created"]
        said = running.final_output
    else:
        said = (await Runner.run(agent, asked, run_config=QUIET)).final_output
    assert "It snows in Ulm." in said
    assert len(provider.calls()) == 2


async def test_two_tools_in_one_turn(model: Model) -> None:
    settings = ModelSettings(parallel_tool_calls=True)
    agent = Agent(name="tools", model=model, tools=[get_weather, get_time], model_settings=settings)
    done = await Runner.run(agent, "Use get_weather and get_time.", run_config=QUIET)
    called = [item.type for item in done.new_items]
    assert called.count("tool_call_item") == called.count("tool_call_output_item") == 2


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_structured_turn(model: Model, streamed: bool) -> None:
    agent = Agent(name="structured", model=model, output_type=Verdict)
    if streamed:
        running = Runner.run_streamed(agent, "Judge.", run_config=QUIET)
        async for _ in running.stream_events():
            pass
        assert isinstance(running.final_output, Verdict)
    else:
        done = await Runner.run(agent, "Judge.", run_config=QUIET)
        assert isinstance(done.final_output, Verdict)


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_stream_that_breaks_raises(model: Model, provider: Provider, fault: str) -> None:
    provider.order(fault)
    running = Runner.run_streamed(Agent(name="broken", model=model), "Hello", run_config=QUIET)
    with pytest.raises(openai.APIError, match="the provider"):
        async for _ in running.stream_events():
            pass
    assert running.final_output is None
