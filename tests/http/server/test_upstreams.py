"""Both APIs through openai-python in strict mode, in front of upstreams that have only one of them.

OpenRouter and a plain OpenAI-compatible server, each with Chat alone and with Responses alone. What
the upstream was sent it must have taken: a plain one refuses every field that OpenAI does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from attrs import define
from pydantic import BaseModel

from astrolabe_core.money import usd
from astrolabe_core.units import WorkspaceId
from astrolabe_http.roster import load_roster
from astrolabe_http.settings import Settings
from astrolabe_http.simulator import RunningSimulator, SimulatorSettings
from astrolabe_http.simulator.catalog import from_catalog
from tests.http.catalogs import written
from tests.http.server.processes import balance, differences, make_account, start_gateway

MODEL = "local/llama"
UPSTREAM_NAME = "llama3.2:3b"
HELLO: Any = [{"role": "user", "content": "Hello there"}]
PATHS = {"chat": "/chat/completions", "responses": "/responses"}


class Verdict(BaseModel):
    score: float
    reasons: list[str]


def function(name: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    return {"name": name, "parameters": parameters, "strict": True}


CHAT_TOOLS: Any = [{"type": "function", "function": function(n)} for n in ("get_rain", "get_time")]
RESPONSES_TOOLS: Any = [{"type": "function", **function(n)} for n in ("get_rain", "get_time")]
BOTH_TOOLS = "Call get_rain and get_time for Delft"


@define
class Front:
    """A gateway before one upstream, and a client for it."""

    kind: str
    api: str
    simulator: RunningSimulator
    sdk: openai.OpenAI
    database: Path
    workspace: WorkspaceId

    def order(self, fault: str = "", **rule: Any) -> None:
        """Have the upstream fail, or say something."""
        found = {"fault": fault, "times": None, **rule}
        httpx.post(f"{self.simulator.origin}/_control/faults", json=found).raise_for_status()

    @property
    def sent(self) -> Any:
        """What the upstream got last."""
        (*_, last) = httpx.get(f"{self.simulator.origin}/_control/journal").json()["calls"]
        assert last["path"].endswith(PATHS[self.api])
        return last["body"]


@pytest.fixture(
    scope="module",
    params=[(kind, api) for kind in ("openrouter", "openai") for api in ("chat", "responses")],
    ids=lambda param: f"{param[0]}, {param[1]} alone",
)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    kind, api = request.param
    home = tmp_path_factory.mktemp("upstream")
    names = {MODEL: UPSTREAM_NAME}
    catalog = written(home, upstreamIds=names)
    models = from_catalog(load_roster(Settings(catalog_file=catalog)).catalog)
    known = [replace(model, id=names.get(model.id, model.id)) for model in models]
    settings = SimulatorSettings(plain=kind == "openai", apis=frozenset({api}))
    database = home / "gateway.db"
    workspace, key = make_account(database, "50")
    with RunningSimulator(known, settings) as simulator:
        gateway = start_gateway(
            database,
            simulator.url,
            home / "log",
            ASTROLABE_UPSTREAM_KIND=kind,
            ASTROLABE_UPSTREAM_APIS=api,
            ASTROLABE_CATALOG=catalog,
            OPENROUTER_API_KEY="" if kind == "openai" else "any",
        )
        sdk = openai.OpenAI(
            base_url=f"{gateway.url}/v1",
            api_key=key,
            max_retries=0,
            _strict_response_validation=True,
        )
        try:
            with sdk:
                yield Front(kind, api, simulator, sdk, database, workspace)
            assert gateway.stop() == 0
            assert differences(database) == ()
        finally:
            gateway.stop()


@pytest.fixture
def front(running: Front) -> Front:
    httpx.post(f"{running.simulator.origin}/_control/reset").raise_for_status()
    return running


STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def chat(front: Front, streamed: bool, **asked: Any) -> Any:
    fields: Any = {"model": MODEL, "messages": HELLO, **asked}
    if not streamed:
        return front.sdk.chat.completions.create(**fields)
    with front.sdk.chat.completions.stream(
        **{"stream_options": {"include_usage": True}, **fields}
    ) as stream:
        return stream.get_final_completion()


def respond(front: Front, streamed: bool, **asked: Any) -> Any:
    fields: Any = {"model": MODEL, "input": "Hello there", **asked}
    if not streamed:
        return front.sdk.responses.create(**fields)
    with front.sdk.responses.stream(**fields) as stream:
        return stream.get_final_response()


# --- answers ---------------------------------------------------------------------------------


def test_it_is_ready_with_and_without_a_key(front: Front) -> None:
    root = str(front.sdk.base_url).removesuffix("/v1/")
    assert httpx.get(f"{root}/ready").json()["issues"] == []


@STREAMED
def test_a_plain_answer_has_words_usage_and_a_price(front: Front, streamed: bool) -> None:
    before = balance(front.database, front.workspace).available
    said = chat(front, streamed)
    assert said.choices[0].message.content
    assert said.choices[0].finish_reason == "stop"
    assert said.usage.total_tokens > 0
    assert said.model == MODEL
    made = respond(front, streamed)
    assert made.status == "completed"
    assert made.usage.total_tokens > 0
    # The same conversation, whichever way it came.
    assert made.output_text == said.choices[0].message.content
    assert front.sent["model"] == UPSTREAM_NAME
    assert balance(front.database, front.workspace).available < before


@STREAMED
def test_a_streamed_answer_is_the_whole_one(front: Front, streamed: bool) -> None:
    rules = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": "Be brief."},
    ]
    messages = [*rules, *HELLO, {"role": "assistant", "content": "Hm?"}, *HELLO]
    whole, again = chat(front, False, messages=messages), chat(front, streamed, messages=messages)
    assert again.choices[0].message.content == whole.choices[0].message.content


@STREAMED
def test_a_tool_is_called_and_its_output_answered(front: Front, streamed: bool) -> None:
    called = chat(front, streamed, tools=CHAT_TOOLS[:1], tool_choice="required")
    choice = called.choices[0]
    (call,) = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert call.function.name == "get_rain"
    assert "city" in call.function.arguments
    own = {"role": "assistant", "content": None, "tool_calls": [call.model_dump(exclude_none=True)]}
    output = {"role": "tool", "tool_call_id": call.id, "content": "It rains"}
    answered = chat(front, streamed, tools=CHAT_TOOLS[:1], messages=[*HELLO, own, output])
    assert "It rains" in answered.choices[0].message.content

    made = respond(front, streamed, tools=RESPONSES_TOOLS[:1], tool_choice="required")
    (item,) = made.output
    assert (item.type, item.name) == ("function_call", "get_rain")
    items: Any = [
        {"role": "user", "content": "Hello there"},
        item.model_dump(exclude_none=True, exclude={"parsed_arguments"}),
        {"type": "function_call_output", "call_id": item.call_id, "output": "It rains"},
    ]
    told = respond(front, streamed, tools=RESPONSES_TOOLS[:1], input=items)
    assert "It rains" in told.output_text


@STREAMED
def test_several_tools_are_called_at_once(front: Front, streamed: bool) -> None:
    messages = [{"role": "user", "content": BOTH_TOOLS}]
    called = chat(front, streamed, tools=CHAT_TOOLS, messages=messages)
    calls = called.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_rain", "get_time"]
    assert len({call.id for call in calls}) == 2
    made = respond(front, streamed, tools=RESPONSES_TOOLS, input=BOTH_TOOLS)
    assert [item.name for item in made.output] == ["get_rain", "get_time"]
    assert [item.arguments for item in made.output] == [c.function.arguments for c in calls]
    one = respond(
        front, streamed, tools=RESPONSES_TOOLS, input=BOTH_TOOLS, parallel_tool_calls=False
    )
    assert len(one.output) == 1
    assert front.sent["parallel_tool_calls"] is False


def test_structured_output_validates(front: Front) -> None:
    said = front.sdk.chat.completions.parse(
        model=MODEL, messages=HELLO, response_format=Verdict, max_completion_tokens=500
    )
    assert said.choices[0].message.parsed is not None
    made = front.sdk.responses.parse(model=MODEL, input="Judge.", text_format=Verdict)
    assert made.output_parsed is not None
    with front.sdk.responses.stream(model=MODEL, input="Judge.", text_format=Verdict) as stream:
        assert stream.get_final_response().output_parsed == made.output_parsed


@STREAMED
def test_reasoning_is_shown_and_counted(front: Front, streamed: bool) -> None:
    said = chat(front, streamed, reasoning_effort="low", max_completion_tokens=2_000)
    assert said.choices[0].message.reasoning
    made = respond(front, streamed, reasoning={"effort": "low"}, max_output_tokens=2_000)
    thought, message = made.output
    assert (thought.type, message.type) == ("reasoning", "message")
    parts = [*(thought.content or []), *thought.summary]
    assert "".join(part.text for part in parts)
    if front.kind == "openrouter":
        assert made.usage.output_tokens_details.reasoning_tokens > 0
        assert said.usage.completion_tokens_details.reasoning_tokens > 0


@STREAMED
def test_a_refusal_is_a_refusal(front: Front, streamed: bool) -> None:
    front.order("refusal")
    said = chat(front, streamed)
    assert "can't help" in said.choices[0].message.refusal
    made = respond(front, streamed)
    assert [part.type for part in made.output[0].content] == ["refusal"]


@STREAMED
@pytest.mark.parametrize(
    ("fault", "finish", "reason"),
    [
        ("truncated", "length", "max_output_tokens"),
        ("filtered", "content_filter", "content_filter"),
    ],
)
def test_an_incomplete_answer_says_so(
    front: Front, streamed: bool, fault: str, finish: str, reason: str
) -> None:
    # Without a cap of the caller's own a truncated answer is a provider's failure.
    front.order(fault)
    asked: Any = {"model": MODEL, "messages": HELLO, "max_completion_tokens": 100}
    wanted: Any = {"model": MODEL, "input": "Hello there", "max_output_tokens": 100}
    if streamed:
        # The SDK's own helpers raise here.
        chunks = list(front.sdk.chat.completions.create(**asked, stream=True))
        found = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]
        (*_, last) = front.sdk.responses.create(**wanted, stream=True)
        assert last.type == "response.incomplete"
        made = last.response
    else:
        found = front.sdk.chat.completions.create(**asked).choices[0].finish_reason
        made = front.sdk.responses.create(**wanted)
    assert found == finish
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == reason


@STREAMED
def test_log_probabilities_come_through(front: Front, streamed: bool) -> None:
    said = chat(front, streamed, logprobs=True, top_logprobs=2)
    tokens = said.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == said.choices[0].message.content
    include: Any = ["message.output_text.logprobs"]
    made = respond(front, streamed, include=include, top_logprobs=2)
    assert made.output[0].content[0].logprobs


# --- failures --------------------------------------------------------------------------------

Ask = Callable[[Front, bool], Any]
ASKS = pytest.mark.parametrize("ask", [chat, respond])


@ASKS
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("error-200", 502, "provider_error"),
        ("500", 502, "provider_error"),
        ("429", 502, "provider_error"),
        ("401", 502, "provider_auth_error"),
        ("context", 400, "context_length_exceeded"),
        ("html", 502, "provider_error"),
    ],
)
@STREAMED
def test_a_failure_before_any_content_is_a_status(
    front: Front, ask: Ask, fault: str, status: int, code: str, streamed: bool
) -> None:
    front.order(fault)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(front, streamed)
    assert (caught.value.status_code, caught.value.code) == (status, code)


@pytest.mark.parametrize("fault", ["cut-2", "end-2", "error-mid-2", "garbage-2"])
def test_a_stream_that_breaks_ends_in_an_error_and_is_not_paid(front: Front, fault: str) -> None:
    """litellm #40404: an upstream cut mid-answer is closed cleanly and looks whole."""
    before = balance(front.database, front.workspace)
    front.order(fault)
    heard: list[Any] = []
    chunks = front.sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError):
        heard.extend(chunks)
    assert any(chunk.choices[0].delta.content for chunk in heard)
    assert not any(choice.finish_reason for chunk in heard for choice in chunk.choices)
    told: list[Any] = []
    events = front.sdk.responses.create(model=MODEL, input="Hello there", stream=True)
    with pytest.raises(openai.APIError):
        told.extend(events)
    assert any(event.type == "response.output_text.delta" for event in told)
    assert not any(event.type == "response.completed" for event in told)
    after = balance(front.database, front.workspace)
    assert (after.available, after.held) == (before.available, usd("0"))


# --- what has no words there -----------------------------------------------------------------


def test_what_the_upstream_has_no_words_for_is_refused_before_any_money_moves(
    front: Front,
) -> None:
    """litellm #41913: lost in translation, answered 200."""
    if front.api == "chat":
        items: Any = [{"role": "user", "content": "x"}, {"type": "web_search_call", "id": "ws_1"}]
        with pytest.raises(openai.BadRequestError) as caught:
            front.sdk.responses.create(model=MODEL, input=items)
        assert caught.value.param == "input[1].type"
    else:
        with pytest.raises(openai.BadRequestError) as caught:
            front.sdk.chat.completions.create(model=MODEL, messages=HELLO, seed=7, stop="x")
        assert caught.value.param in {"seed", "stop"}
    assert caught.value.code == "unsupported_parameter"
    calls = httpx.get(f"{front.simulator.origin}/_control/journal").json()["calls"]
    assert calls == []


def test_everything_that_a_plain_server_does_not_know_stays_here(front: Front) -> None:
    """Such a server refuses what it does not know, and so does the simulator."""
    metadata = {"team": "blue", "astrolabe.explain": "true"}
    asked: Any = {"metadata": metadata, "prompt_cache_key": "k", "safety_identifier": "s"}
    extra = {"reasoning": {"effort": "low"}, "cache_control": {"type": "ephemeral"}}
    assert chat(front, False, **asked, extra_body=extra).choices
    made = respond(front, False, **asked, extra_body={"cache_control": {"type": "ephemeral"}})
    assert made.metadata["team"] == "blue"
    if front.kind == "openai":
        assert not front.sent.keys() & {"provider", "usage", "cache_control"}


def test_usage_that_was_not_told_is_looked_up_where_there_are_records(front: Front) -> None:
    before = balance(front.database, front.workspace).available
    front.order("no-usage")
    assert chat(front, True).choices[0].message.content
    assert respond(front, False).usage is None
    billed = before - balance(front.database, front.workspace).available
    assert (billed > 0) is (front.kind == "openrouter")


def test_a_catalog_of_one_s_own_is_what_is_listed(front: Front) -> None:
    assert [model.id for model in front.sdk.models.list()] == [
        "astrolabe/auto",
        "local/llama",
        "local/qwen",
    ]
    assert chat(front, False, model="auto").model in {"local/llama", "local/qwen"}
    with pytest.raises(openai.NotFoundError):
        chat(front, False, model="astrolabe/vision")
