"""Another model judges answers before they go out, within the same boundaries, and for nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.server.conftest import Stack

PROMPT = "How do tides work?"
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


def send(stack: Stack, mode: str, api: str = "chat", **others: Any) -> httpx.Response:
    routing = {"verification": mode, **others.pop("routing", {})}
    said = (
        {"messages": [{"role": "user", "content": PROMPT}]} if api == "chat" else {"input": PROMPT}
    )
    body = {"model": "astrolabe/auto", "metadata": {"astrolabe": routing}, **said, **others}
    with stack.client() as client:
        return client.post(PATHS[api], json=body)


def order(stack: Stack, **rule: Any) -> None:
    httpx.post(f"{stack.control}/faults", json=rule).raise_for_status()


def calls(stack: Stack, of: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{stack.control}/journal", params={"of": of}).json()["calls"]
    made: list[dict[str, Any]] = found
    return made


def trace(stack: Stack, answer: httpx.Response) -> dict[str, Any]:
    with stack.client() as client:
        found = client.get(f"/v1/traces/{answer.headers['x-request-id']}")
    made: dict[str, Any] = found.json()
    return made


@pytest.mark.parametrize("api", list(PATHS))
@pytest.mark.parametrize("stream", [False, True])
def test_a_strict_answer_is_judged_before_it_goes_out(stack: Stack, api: str, stream: bool) -> None:
    answer = send(stack, "strict", api, stream=stream)
    assert answer.status_code == 200, answer.text
    found = trace(stack, answer)
    verification = found["verification"]
    assert (verification["status"], verification["score"]) == ("passed", 5)
    (verifier,) = verification["verifiers"]
    (asked,), (judged,) = calls(stack, "answer"), calls(stack, "verdict")
    assert judged["model"] == verifier["model"] != asked["model"]
    assert PROMPT in judged["body"]["messages"][1]["content"]
    # The caller pays for the answer alone; the operator sees both.
    cost = float(asked["cost"]) + float(judged["cost"])
    assert float(found["ledger"]["provider_cost_usd"]) == pytest.approx(cost)
    assert float(found["ledger"]["debit_usd"]) == pytest.approx(float(asked["cost"]), rel=1e-6)


def test_strong_is_judged_by_another_provider(stack: Stack) -> None:
    answer = send(stack, "strong")
    assert answer.status_code == 200, answer.text
    (attempt,) = trace(stack, answer)["attempts"]
    (verifier,) = attempt["verification"]["verifiers"]
    assert verifier["provider"] != attempt["provider"]


def test_a_verifier_obeys_the_boundaries_upstream_too(stack: Stack) -> None:
    """bifrost #6739, hermes-agent #68679: helper calls shipped the prompt past the policy."""
    answer = send(stack, "strong", routing={"stack": "customer-data"})
    assert answer.status_code == 200, answer.text
    asked, judged = calls(stack, "answer") + calls(stack, "verdict")
    for call in (asked, judged):
        assert call["body"]["provider"]["data_collection"] == "deny"
        assert call["body"]["provider"]["zdr"] is True
    assert "metadata" not in judged["body"]


def test_an_answer_that_is_doubted_is_bettered_once(stack: Stack) -> None:
    order(stack, of="verdict", fault="verdict-2")
    answer = send(stack, "strict")
    assert answer.status_code == 200, answer.text
    found = trace(stack, answer)
    first, second = found["attempts"]
    assert [each["verification"]["score"] for each in (first, second)] == [2, 5]
    assert (first["delivered"], second["delivered"]) == (False, True)
    assert first["model"] != second["model"]


def test_strict_delivers_a_3_where_nothing_better_came_and_strong_does_not(stack: Stack) -> None:
    order(stack, of="verdict", fault="verdict-3", times=None)
    answer = send(stack, "strict")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-astrolabe-verification-status"] == "low_confidence"
    refused = send(stack, "strong")
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "verification_failed")
    assert refused.headers["x-should-retry"] == "false"
    assert trace(stack, refused)["ledger"]["debit_usd"] in {"0", "0.00"}


@pytest.mark.parametrize(
    "fault", ["verdict-unreadable", "verdict-extra", "verdict-6", "500", "refusal"]
)
@pytest.mark.parametrize("mode", ["strict", "strong"])
def test_a_verdict_that_nobody_can_read_never_lets_an_answer_out(
    stack: Stack, mode: str, fault: str
) -> None:
    order(stack, of="verdict", fault=fault, times=2)
    refused = send(stack, mode)
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "verification_failed")
    (attempt,) = trace(stack, refused)["attempts"]
    first, second = attempt["verification"]["verifiers"]
    assert first["model"] != second["model"]
    assert send(stack, mode).status_code == 200


def test_where_the_first_verifier_fails_the_second_one_counts(stack: Stack) -> None:
    order(stack, of="verdict", fault="500")
    answer = send(stack, "strong")
    assert answer.status_code == 200, answer.text
    outcomes = [each["outcome"] for each in trace(stack, answer)["verification"]["verifiers"]]
    assert outcomes[1] == "graded" != outcomes[0]


def test_an_answer_that_steers_its_judge_is_not_delivered(stack: Stack) -> None:
    order(stack, of="verdict", fault="verdict-manipulated", times=None)
    assert send(stack, "strong").status_code == 502


def test_a_plain_question_asks_no_verifier_under_auto(stack: Stack) -> None:
    answer = send(stack, "auto")
    assert answer.status_code == 200
    assert calls(stack, "verdict") == []
    assert answer.headers["x-astrolabe-verification-status"] == "passed"


def test_a_refusal_is_delivered_as_one_and_nobody_judges_it(stack: Stack) -> None:
    order(stack, fault="refusal", times=None)
    answer = send(stack, "strong")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["refusal"]
    assert answer.headers["x-astrolabe-verification-status"] == "failed"
    assert calls(stack, "verdict") == []
