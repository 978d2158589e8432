"""A plain server: OpenAI's words and no others, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from astrolabe_core.requests import Surface
from astrolabe_http.simulator import RunningSimulator, SimulatorSettings
from tests.http.simulator.conftest import NANO
from tests.http.simulator.grammar import check, read_events

CHAT: dict[str, Any] = {"model": NANO.id, "messages": [{"role": "user", "content": "Hello"}]}
RESPONSES: dict[str, Any] = {"model": NANO.id, "input": "Hello"}
CHAT_PATH, RESPONSES_PATH = "/chat/completions", "/responses"
BODIES = [(CHAT_PATH, CHAT), (RESPONSES_PATH, RESPONSES)]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSimulator]:
    with RunningSimulator((NANO,), SimulatorSettings(plain=True)) as made:
        yield made


@pytest.fixture
def plain(server: RunningSimulator) -> Iterator[httpx.Client]:
    server.provider.reset()
    assert server.url.endswith("/v1")
    with httpx.Client(base_url=server.url, timeout=10) as made:
        yield made


def chat(plain: httpx.Client, **body: Any) -> httpx.Response:
    return plain.post(CHAT_PATH, json={**CHAT, **body})


def responses(plain: httpx.Client, **body: Any) -> httpx.Response:
    return plain.post(RESPONSES_PATH, json={**RESPONSES, **body})


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_an_answer_needs_no_key_and_shows_nothing_of_openrouter_s(
    plain: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    answer = plain.post(path, json=body)
    assert answer.status_code == 200
    assert "x-generation-id" not in answer.headers
    told = answer.json()
    assert "provider" not in told
    assert len(told["usage"]) == 3
    assert b"native_finish_reason" not in answer.content


@pytest.mark.parametrize(
    "field",
    [
        {"provider": {}},
        {"usage": {"include": True}},
        {"reasoning": {"effort": "low"}},
        {"metadata": {}},
        {"cache_control": {}},
    ],
)
def test_what_openai_s_chat_does_not_have_is_refused_by_name(
    plain: httpx.Client, field: dict[str, Any]
) -> None:
    answer = chat(plain, **field)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("BadRequestError", 400)
    assert next(iter(field)) in error["message"]


@pytest.mark.parametrize("field", [{"provider": {}}, {"include": ["new"]}])
def test_what_openai_s_responses_do_not_have_is_refused(
    plain: httpx.Client, field: dict[str, Any]
) -> None:
    assert responses(plain, **field).status_code == 400
    assert responses(plain, metadata={"a": "b"}).status_code == 200


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "developer", "content": "x"}],
        [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}],
    ],
)
def test_roles_are_those_of_a_chat_template(
    plain: httpx.Client, messages: list[dict[str, Any]]
) -> None:
    assert chat(plain, messages=messages).status_code == 400


@pytest.mark.parametrize("wanted", [True, False])
def test_usage_is_on_the_chunk_that_ends_where_it_was_asked_for(
    plain: httpx.Client, wanted: bool
) -> None:
    answer = chat(plain, stream=True, stream_options={"include_usage": wanted})
    assert b"OPENROUTER" not in answer.content
    chunks, done = read_events(answer.text)
    assert done
    assert all(chunk["choices"] for chunk in chunks)
    assert [chunk for chunk in chunks if chunk.get("usage")] == ([chunks[-1]] if wanted else [])
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_reasoning_has_its_older_name(plain: httpx.Client) -> None:
    message = chat(plain, reasoning_effort="low").json()["choices"][0]["message"]
    assert message["reasoning_content"]
    assert not message.keys() & {"reasoning", "reasoning_details"}
    streamed = chat(plain, reasoning_effort="low", stream=True).content
    assert b"reasoning_content" in streamed
    assert b"reasoning_details" not in streamed


def test_a_stream_of_responses_keeps_the_grammar(plain: httpx.Client) -> None:
    answer = responses(plain, reasoning={"effort": "low"}, stream=True)
    check(Surface.RESPONSES, answer.text)
    assert b'"provider"' not in answer.content


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_of_two_apis_one_may_be_all_there_is(api: str) -> None:
    path, body = BODIES[1] if api == "chat" else BODIES[0]
    settings = SimulatorSettings(plain=True, apis=frozenset({api}))
    with RunningSimulator((NANO,), settings) as alone:
        answer = httpx.post(f"{alone.url}{path}", json=body)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


@pytest.mark.parametrize("stream", [False, True])
def test_failures_are_told_as_vllm_tells_them(plain: httpx.Client, stream: bool) -> None:
    refused = chat(plain, stream=stream, model=f"{NANO.id}#context").json()["error"]
    assert refused["type"] == "BadRequestError"
    assert "metadata" not in refused
    broken = chat(plain, stream=stream, model=f"{NANO.id}#error-200")
    assert broken.status_code == 200
    told = read_events(broken.text)[0][0] if stream else broken.json()
    assert told["error"]["type"] == "InternalServerError"
    failed = responses(plain, stream=stream, model=f"{NANO.id}#error-mid")
    assert b'"failed"' in failed.content


def test_a_key_that_is_set_is_asked_for() -> None:
    with RunningSimulator((NANO,), SimulatorSettings(plain=True, key="k")) as locked:
        assert httpx.post(f"{locked.url}{CHAT_PATH}", json=CHAT).status_code == 401


def test_openai_python_reads_it(plain: httpx.Client) -> None:
    url = str(plain.base_url)
    with openai.OpenAI(base_url=url, api_key="any") as sdk:
        answer = sdk.chat.completions.create(
            model=NANO.id, messages=[{"role": "user", "content": "Hello"}]
        )
        assert answer.choices[0].message.content
        assert sdk.responses.create(model=NANO.id, input="Hello").output_text
