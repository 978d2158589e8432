from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import read
from astrolabe_http.failures import RULES, Rule, classify
from astrolabe_http.simulator.errors import STATUS_ERRORS, refuse_status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind} {rule.recorded.source[:30]}")
def test_each_rule_takes_the_answer_recorded_beside_it(rule: Rule) -> None:
    recorded = rule.recorded
    said = read(recorded.status, recorded.body)
    assert next(each for each in RULES if each.when(said)) is rule
    fault = classify(recorded.status, recorded.body, recorded.headers)
    assert (fault.kind, fault.message) == (rule.kind, rule.message)


KINDS = {
    400: FaultKind.REJECTED,
    401: FaultKind.AUTH,
    402: FaultKind.AUTH,
    403: FaultKind.REFUSED,  # the simulator's speaks of moderation, as OpenRouter's does
    404: FaultKind.PROVIDER_ERROR,  # no endpoints for this model
    408: FaultKind.TIMEOUT,
    413: FaultKind.REJECTED,
    422: FaultKind.REJECTED,
    429: FaultKind.RATE_LIMITED,
    500: FaultKind.PROVIDER_ERROR,
    502: FaultKind.PROVIDER_ERROR,
    503: FaultKind.PROVIDER_ERROR,
    524: FaultKind.TIMEOUT,
    529: FaultKind.PROVIDER_ERROR,
}


@pytest.mark.parametrize("status", STATUS_ERRORS)
@pytest.mark.parametrize("outer", [True, False], ids=["status", "code in a 200"])
def test_every_status_of_openrouter_means_the_same_outside_and_inside(
    status: int, outer: bool
) -> None:
    body = {"error": refuse_status(status).error()}
    fault = classify(status if outer else 200, body)
    assert fault.kind is KINDS[status]
    assert fault.status == status


@pytest.mark.parametrize("status", STATUS_ERRORS)
def test_a_bare_status_is_understood_without_a_body(status: int) -> None:
    by_words = {403: FaultKind.AUTH, 404: FaultKind.REJECTED}
    assert classify(status, None).kind is by_words.get(status, KINDS[status])


def error(message: str = "m", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("This model's maximum context length is 8192 tokens"), "context_length"),
        (400, error(code="context_length_exceeded"), "context_length"),
        (413, error("prompt is too long: 250000 tokens > 200000 maximum"), "context_length"),
        (500, error("see the context length"), "provider_error"),
        (403, error("Your key has no access"), "auth"),
        (403, error(metadata={"reasons": ["self-harm"], "flagged_input": "x"}), "refused"),
        (400, error("flagged by the content policy"), "refused"),
        (200, error(code="429"), "rate_limited"),
        (200, error(code="rate_limit_exceeded"), "rate_limited"),
        (200, error(code="server_error"), "provider_error"),
        (200, error(code=True), "provider_error"),
        (200, error(code=7), "provider_error"),
        (200, {"error": "text"}, "provider_error"),
        (200, {"error": None}, "provider_error"),
        (502, error(code=400), "provider_error"),
        (429, error(code=500), "rate_limited"),
        (418, {}, "provider_error"),
        (302, None, "provider_error"),
        (None, None, "provider_error"),
        (404, error("No such route"), "rejected"),
        (404, error("No endpoints found that support tool use. Try disabling it"), "unsupported"),
        (404, error("No endpoints found matching your data policy"), "provider_error"),
    ],
)
def test_bodies_of_every_form(status: int | None, body: Any, kind: str) -> None:
    assert classify(status, body).kind == kind


@given(st.none() | st.integers(100, 599), JSON)
def test_anything_at_all_is_some_fault(status: int | None, body: object) -> None:
    assert classify(status, body).message


@given(st.integers(100, 599), st.text(min_size=12), st.sampled_from(["message", "type", "code"]))
def test_no_word_of_the_provider_is_repeated(status: int, text: str, place: str) -> None:
    fault = classify(status, {"error": {place: f"canary {text}"}})
    assert "canary" not in repr(fault)


def test_a_wait_may_stand_within_the_body() -> None:
    body = error(code=429, metadata={"headers": {"Retry-After": "12"}})
    assert classify(429, body).retry_after_s == 12


def test_only_what_passes_by_itself_names_a_wait() -> None:
    headers = {"retry-after": "5"}
    assert classify(503, None, headers).retry_after_s == 5
    assert classify(401, None, headers).retry_after_s is None
    assert classify(400, None, headers).retry_after_s is None


def test_every_kind_of_an_answered_fault_has_a_rule() -> None:
    # That nobody answers is known without reading anything.
    assert {rule.kind for rule in RULES} == set(FaultKind) - {FaultKind.UNREACHABLE}
