from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from astrolabe_http.simulator import (
    RunningSimulator,
    SimulatedModel,
    SimulatorSettings,
    create_simulator,
)
from astrolabe_http.simulator.faults import FAULTS, STATUS_FAULTS
from tests.http.simulator.conftest import NANO, SONNET
from tests.http.simulator.grammar import read_events

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()
SETTINGS = SimulatorSettings(
    key="secret", generation_delay_ms=500, retry_after_s=9, clock=CLOCK, journal_size=3
)


@pytest.fixture
def clock() -> Clock:
    CLOCK.now = NOW
    return CLOCK


@pytest.fixture(scope="module")
def guarded(models: tuple[SimulatedModel, ...]) -> Iterator[RunningSimulator]:
    with RunningSimulator(models, SETTINGS) as made:
        yield made


@pytest.fixture
def strict(guarded: RunningSimulator, clock: Clock) -> Iterator[httpx.Client]:
    guarded.provider.reset()
    headers = {"authorization": "Bearer secret"}
    with httpx.Client(base_url=guarded.url, headers=headers) as client:
        yield client


def ask(client: httpx.Client, fault: str = "", **body: Any) -> httpx.Response:
    model = f"{NANO.id}#{fault}" if fault else NANO.id
    messages = [{"role": "user", "content": "Hello"}]
    return client.post("/chat/completions", json={"model": model, "messages": messages, **body})


def control(client: httpx.Client, method: str, name: str, **rest: Any) -> Any:
    return client.request(
        method, str(client.base_url).replace("/api/v1/", f"/_control/{name}"), **rest
    ).json()


def journal(client: httpx.Client) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = control(client, "GET", "journal")["calls"]
    return calls


@pytest.mark.parametrize("given", ["", "Bearer", "Basic abc", "Bearer wrong"])
def test_a_wrong_key_is_401_and_asks_nobody(strict: httpx.Client, given: str) -> None:
    answer = strict.post("/chat/completions", headers={"authorization": given}, json={})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
    assert strict.get("/key", headers={"authorization": given}).status_code == 401


def test_any_key_will_do_unless_one_is_set(client: httpx.Client) -> None:
    assert ask(client).status_code == 200
    assert client.get("/key", headers={"authorization": "bearer x"}).status_code == 200


def test_the_list_of_models_has_exact_prices(client: httpx.Client) -> None:
    listed = {model["id"]: model for model in client.get("/models").json()["data"]}
    nano = listed[NANO.id]
    assert nano["pricing"]["prompt"] == "0.0000002"
    assert nano["pricing"]["completion"] == "0.00000125"
    assert nano["pricing"]["input_cache_read"] == "0.00000002"
    assert nano["context_length"] == 20_000
    assert nano["architecture"]["input_modalities"] == ["text", "image"]
    assert {"tools", "response_format", "structured_outputs"} <= set(nano["supported_parameters"])


def test_a_generation_is_told_after_the_delay(strict: httpx.Client, clock: Clock) -> None:
    answer = ask(strict)
    made = answer.json()
    assert strict.get("/generation", params={"id": made["id"]}).status_code == 404
    clock.now += 0.5
    told = strict.get("/generation", params={"id": made["id"]}).json()["data"]
    assert told["total_cost"] == made["usage"]["cost"]
    assert told["native_tokens_completion"] == made["usage"]["completion_tokens"]
    assert (told["cancelled"], told["finish_reason"]) == (False, "stop")
    assert strict.get("/generation", params={"id": "gen-none"}).status_code == 404


def test_the_key_tells_what_all_calls_cost(client: httpx.Client) -> None:
    cost = ask(client).json()["usage"]["cost"] + ask(client, n=2).json()["usage"]["cost"]
    assert client.get("/key").json()["data"]["usage"] == pytest.approx(cost, rel=1e-12)
    assert client.get("/credits").json()["data"]["total_usage"] == pytest.approx(cost, rel=1e-12)


def test_an_unknown_route_is_an_openrouter_404(client: httpx.Client) -> None:
    assert client.get("/nothing").json()["error"]["code"] == 404
    assert client.get("/chat/completions").json()["error"]["code"] == 405


def test_the_journal_tells_each_call_without_its_key(client: httpx.Client) -> None:
    provider = {"zdr": True, "only": ["openai"], "data_collection": "deny"}
    answer = ask(client, provider=provider)
    (call,) = journal(client)
    assert call["method"] == "POST"
    assert call["path"] == "/api/v1/chat/completions"
    assert call["body"]["provider"] == provider
    assert "authorization" not in call["headers"]
    assert call["headers"]["content-type"] == "application/json"
    assert (call["model"], call["outcome"], call["status"]) == (NANO.id, "completed", 200)
    assert Decimal(call["cost"]) == Decimal(str(answer.json()["usage"]["cost"]))
    assert not call["disconnected"]
    control(client, "DELETE", "journal")
    assert journal(client) == []


def test_the_journal_keeps_only_the_last_calls(strict: httpx.Client) -> None:
    for _ in range(5):
        ask(strict)
    assert [call["number"] for call in journal(strict)] == [3, 4, 5]


def test_models_of_other_hosts_are_refused_by_preference(client: httpx.Client) -> None:
    for provider in ({"zdr": True}, {"data_collection": "deny"}, {"only": ["openai"]}):
        answer = ask(client, model=SONNET.id, provider=provider)
        assert answer.json()["error"]["code"] == 404
    chosen = ask(client, model=SONNET.id, provider={"order": ["google"]})
    assert chosen.json()["provider"] == "Google"


@pytest.mark.parametrize("status", sorted(STATUS_FAULTS))
@pytest.mark.parametrize("streamed", [False, True])
def test_each_status_comes_in_openrouter_s_body(
    client: httpx.Client, status: str, streamed: bool
) -> None:
    answer = ask(client, status, stream=streamed)
    assert answer.status_code == answer.json()["error"]["code"] == int(status)
    assert ("retry-after" in answer.headers) == (status in ("429", "503"))
    assert journal(client)[0]["cost"] == "0"


def test_retry_after_takes_every_form(strict: httpx.Client) -> None:
    assert ask(strict, "429").headers["retry-after"] == "9"
    assert ask(strict, "429-1").headers["retry-after"] == "1"
    assert ask(strict, "503-33").headers["retry-after"] == "33"
    assert "retry-after" not in ask(strict, "429-none").headers
    when = parsedate_to_datetime(ask(strict, "429-date").headers["retry-after"])
    assert when.timestamp() == NOW + 9


def test_bodies_that_are_no_openrouter_error_can_be_had(client: httpx.Client) -> None:
    assert "code" not in ask(client, "no-code").json()["error"]
    html = ask(client, "html")
    assert (html.status_code, html.headers["content-type"]) == (502, "text/html")


def test_a_call_can_fail_after_its_200(client: httpx.Client) -> None:
    answer = ask(client, "error-200")
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == 502
    events, _ = read_events(ask(client, "error-200", stream=True).text)
    assert events[0]["error"]["code"] == 502
    assert events[0]["choices"][0]["finish_reason"] == "error"
    assert [call["outcome"] for call in journal(client)] == ["failed", "failed"]


def test_a_responses_call_can_fail_after_its_200(client: httpx.Client) -> None:
    body = {"model": f"{NANO.id}#error-200", "input": "Hello"}
    assert client.post("/responses", json=body).json()["status"] == "failed"
    events, _ = read_events(client.post("/responses", json={**body, "stream": True}).text)
    assert [event["type"] for event in events] == ["error"]
    body["model"] = f"{NANO.id}#error-mid-1"
    events, _ = read_events(client.post("/responses", json={**body, "stream": True}).text)
    assert events[-1]["type"] == "response.failed"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_a_stream_can_fail_or_end_in_the_middle(client: httpx.Client) -> None:
    failed, done = read_events(ask(client, "error-mid-2", stream=True).text)
    assert done
    assert "error" in failed[-1]
    assert len(failed) == 4  # the role, two chunks, the error
    ended, done = read_events(ask(client, "end-2", stream=True).text)
    assert not done
    assert len(ended) == 3
    first, second = journal(client)
    assert (first["outcome"], second["outcome"]) == ("failed", "ended")
    assert Decimal(first["cost"]) == Decimal(second["cost"]) > 0


def test_the_last_line_alone_can_be_missing(client: httpx.Client) -> None:
    events, done = read_events(ask(client, "no-done", stream=True).text)
    assert not done
    assert "usage" in events[-1]


@pytest.mark.parametrize("streamed", [False, True])
def test_usage_can_be_missing_false_or_free(client: httpx.Client, streamed: bool) -> None:
    def usage(fault: str) -> Any:
        answer = ask(client, fault, stream=streamed)
        last = read_events(answer.text)[0][-1] if streamed else answer.json()
        return last.get("usage")

    true = usage("")
    assert usage("no-usage") is None
    assert usage("zero-cost") == {**true, "cost": 0, "cost_details": {
        "upstream_inference_cost": None, "upstream_inference_prompt_cost": 0,
        "upstream_inference_completions_cost": 0}}  # fmt: skip
    assert "cost" not in usage("no-cost")
    assert usage("false-usage")["completion_tokens"] < 0
    assert usage("false-usage-absurd")["completion_tokens"] == 10**15
    assert usage("false-usage-text")["prompt_tokens"] == str(true["prompt_tokens"])
    assert usage("false-usage-null")["prompt_tokens"] is None
    assert usage("false-usage-fraction")["completion_tokens"] == 1.5
    assert usage("false-usage-sum")["total_tokens"] == 1
    assert usage("false-usage-cached")["prompt_tokens_details"]["cached_tokens"] == 10**15
    whole, *rest = journal(client)
    assert all(call["cost"] == whole["cost"] for call in rest)


def test_usage_can_come_twice_and_the_last_is_true(client: httpx.Client) -> None:
    events, _ = read_events(ask(client, "double-usage", stream=True).text)
    first, last = [event["usage"] for event in events if "usage" in event]
    assert first["completion_tokens"] < last["completion_tokens"]
    assert last == ask(client).json()["usage"]


def test_an_answer_without_tokens_costs_nothing(client: httpx.Client) -> None:
    body = ask(client, "empty").json()
    assert body["choices"][0]["message"]["content"] == ""
    assert (body["usage"]["completion_tokens"], body["usage"]["cost"]) == (0, 0)


def test_the_model_can_decline_or_be_filtered(client: httpx.Client) -> None:
    declined = ask(client, "refusal").json()["choices"][0]
    assert declined["message"]["refusal"]
    assert declined["message"]["content"] is None
    assert ask(client, "filtered").json()["choices"][0]["finish_reason"] == "content_filter"
    assert ask(client, "truncated").json()["choices"][0]["finish_reason"] == "length"


def test_faults_of_the_frames_leave_the_rest_readable(client: httpx.Client) -> None:
    whole = read_events(ask(client, stream=True).text)[0]

    def text(events: list[dict[str, Any]]) -> str:
        deltas = (e["choices"][0]["delta"] for e in events if e.get("choices"))
        return "".join(delta.get("content") or "" for delta in deltas)

    split = ask(client, "split-1", stream=True).text
    assert text(read_events(split)[0]) == text(whole)
    crlf = ask(client, "crlf", stream=True).text
    assert crlf.count("\r\n") == crlf.count("\n")
    assert text(read_events(crlf.replace("\r\n", "\n"))[0]) == text(whole)
    unknown = read_events(ask(client, "unknown-events", stream=True).text)[0]
    assert any(event.get("type") == "response.debug" for event in unknown)
    assert text(unknown) == text(whole)
    with pytest.raises(ValueError, match="Unterminated string"):
        read_events(ask(client, "garbage", stream=True).text)
    with pytest.raises(ValueError, match=r"Expecting|Invalid|Unterminated"):
        ask(client, "garbage").json()
    odd = ask(client, "separators").json()["choices"][0]["message"]["content"]
    assert "\u2028" in odd
    assert text(read_events(ask(client, "separators", stream=True).text)[0]) == odd


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("bad-json", lambda text: not text.endswith("}")),
        ("fenced-json", lambda text: text.startswith("```json\n{")),
        ("trailing-comma", lambda text: text.endswith(",}")),
        ("wrapped-json", lambda text: text.startswith('{"result": {')),
        ("chatty-json", lambda text: text.startswith("Sure")),
        ("wrong-schema", lambda text: text == '{"unexpected": true}'),
    ],
)
def test_json_can_be_spoilt(client: httpx.Client, fault: str, check: Any) -> None:
    answer = ask(client, fault, response_format={"type": "json_object"}).json()
    assert check(answer["choices"][0]["message"]["content"])
    assert answer["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("fault", ["bad-arguments", "wrong-arguments", "unknown-tool", "no-tools"])
def test_tool_calls_can_be_spoilt(client: httpx.Client, fault: str) -> None:
    message = ask(client, fault, tools=[TOOL]).json()["choices"][0]["message"]
    if fault == "no-tools":
        assert "tool_calls" not in message
        return
    function = message["tool_calls"][0]["function"]
    assert function["name"] == ("not_a_tool" if fault == "unknown-tool" else "act")
    assert function["arguments"].endswith("}") == (fault != "bad-arguments")
    assert ("unexpected" in function["arguments"]) == (fault == "wrong-arguments")


def test_rules_act_on_the_next_calls_of_a_model(client: httpx.Client) -> None:
    rule = {"model": "openai/*", "fault": "429-2", "times": 2, "after": 1}
    control(client, "POST", "faults", json=rule)
    statuses = [ask(client).status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 200]
    assert ask(client, model=SONNET.id).status_code == 200
    assert control(client, "GET", "faults")["rules"][0]["taken"] == 2


def test_rules_can_act_by_chance_that_repeats(client: httpx.Client) -> None:
    def run() -> list[int]:
        control(client, "DELETE", "faults")
        control(client, "POST", "faults", json=[{"fault": "500", "probability": 0.3, "seed": 4}])
        return [ask(client).status_code for _ in range(40)]

    first = run()
    assert first == run()
    assert 3 < first.count(500) < 25


def test_a_rule_can_dictate_the_answer(client: httpx.Client) -> None:
    control(client, "POST", "faults", json={"text": '{"score": 0.2}'})
    assert ask(client).json()["choices"][0]["message"]["content"] == '{"score": 0.2}'
    assert ask(client).json()["choices"][0]["message"]["content"] != '{"score": 0.2}'


def test_a_rule_can_act_on_the_calls_that_hold_a_word(client: httpx.Client) -> None:
    control(client, "POST", "faults", json={"holds": "case-7", "fault": "429", "times": None})
    statuses = [
        ask(client, messages=[{"role": "user", "content": said}]).status_code
        for said in ("case-6", "case-7", "Again case-7.", "case")
    ]
    assert statuses == [200, 429, 429, 200]


MEANINGLESS_RULES: tuple[object, ...] = (
    {},
    7,
    {"fault": "nonsense"},
    {"fault": "429", "time": 1},
    {"fault": 429},
    {"fault": "429", "probability": 2},
    {"fault": "429", "times": -1},
    {"fault": "429", "seed": "x"},
    {"fault": "429", "holds": 7},
    {"fault": "429", "of": "question"},
    {"fault": "429", "of": None, "model": 7},
    {"fault": "429", "text": 0},
)


@pytest.mark.parametrize("rule", MEANINGLESS_RULES, ids=str)
def test_a_rule_that_means_nothing_is_refused(client: httpx.Client, rule: object) -> None:
    assert control(client, "POST", "faults", json=rule)["error"]["code"] == 400
    assert control(client, "GET", "faults") == {"rules": []}


# These act on time or on the socket: test_sockets shows them.
UNSEEN = {"hold", "stall", "processing", "cut", "reset", "bills-on", "delay", "drip", "split"}
NEEDS_JSON = {"wrong-schema", "trailing-comma", *(k.name for k in FAULTS if "-json" in k.name)}
NEEDS_TOOLS = {"bad-arguments", "wrong-arguments", "unknown-tool", "no-tools", "many-calls"}
NEEDS_CHOICES = {"one-choice"}
NEEDED_FORMS = {"verdict": {"type": "json_schema", "json_schema": {"name": "astrolabe_verdict"}}}
PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "act", "parameters": PARAMETERS}}
OTHER = {"type": "function", "function": {"name": "rest", "parameters": PARAMETERS}}


@pytest.mark.parametrize("name", [kind.name for kind in FAULTS if kind.name not in UNSEEN])
def test_every_fault_of_the_table_changes_something(strict: httpx.Client, name: str) -> None:
    form = NEEDED_FORMS.get(name, {"type": "json_object"} if name in NEEDS_JSON else None)
    body = {
        "response_format": form,
        "tools": [TOOL, OTHER] if name in NEEDS_TOOLS else [],
        "parallel_tool_calls": False,
        "n": 2 if name in NEEDS_CHOICES else 1,
        "stream": True,
    }

    def seen(fault: str) -> tuple[int, str]:
        answer = ask(strict, fault, **body)
        made = answer.headers.get("x-generation-id", "-")
        return answer.status_code, answer.text.replace(made, "")

    assert seen("") == seen("")
    assert seen(name) != seen("")


def test_the_app_answers_without_a_socket() -> None:
    asyncio.run(_ask_without_a_socket())


async def _ask_without_a_socket() -> None:
    transport = httpx.ASGITransport(create_simulator([replace(NANO, id="acme/one")]))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        body = {"model": "acme/one", "messages": [{"role": "user", "content": "Hi"}]}
        headers = {"authorization": "Bearer any"}
        for streamed in (False, True):
            answer = await client.post(
                "/api/v1/chat/completions", json={**body, "stream": streamed}, headers=headers
            )
            assert answer.status_code == 200
