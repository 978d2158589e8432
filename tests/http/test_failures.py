from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.answers import FaultKind
from astrolabe_core.codes import Code
from astrolabe_http.complaints import Recorded, read
from astrolabe_http.failures import RULES, classify
from astrolabe_http.failures.rule import Rule
from astrolabe_http.simulator.errors import STATUS_ERRORS, refuse_status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
BESIDE = [
    pytest.param((rule, recorded), id=f"{place} {rule.kind} {recorded.source[:30]} {number}")
    for place, rule in enumerate(RULES)
    for number, recorded in enumerate(rule.recorded)
]


@pytest.mark.parametrize("pair", BESIDE)
def test_each_rule_takes_the_answers_recorded_beside_it(pair: tuple[Rule, Recorded]) -> None:
    rule, recorded = pair
    said = read(recorded.status, recorded.body)
    assert next(each for each in RULES if each.when(said)) is rule
    fault = classify(recorded.status, recorded.body, recorded.headers)
    assert (fault.kind, fault.message) == (rule.kind, rule.message)


@pytest.mark.parametrize("pair", BESIDE)
def test_an_error_is_known_behind_a_200_too(pair: tuple[Rule, Recorded]) -> None:
    """claude-code-router #1759, mlflow #25268: 200, and then the error is the first frame."""
    rule, recorded = pair
    body = recorded.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        error = {**body["error"]}
        if not isinstance(error.get("code"), int) and recorded.status != 200:
            error.setdefault("metadata", {"error_type": error.get("code") or error.get("type")})
            error["code"] = recorded.status
        assert classify(200, {"error": error}).kind is rule.kind


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


BARE = {
    **dict.fromkeys((400, 413, 414, 422), FaultKind.REJECTED),
    **dict.fromkeys((401, 402, 403, 407), FaultKind.AUTH),
    **dict.fromkeys((408, 504, 522, 524), FaultKind.TIMEOUT),
    **dict.fromkeys((429, 498), FaultKind.RATE_LIMITED),
    501: FaultKind.UNSUPPORTED,
}


@pytest.mark.parametrize("status", [status for status in range(100, 600) if status != 200])
def test_a_bare_status_is_understood_without_a_body(status: int) -> None:
    kind = BARE.get(status, FaultKind.PROVIDER_ERROR)
    bodies: tuple[object, ...] = (None, {}, "<html>", {"error": {}}, {"error": {"message": "x"}})
    for body in bodies:
        assert classify(status, body).kind is kind


API_ERROR_TYPES = {
    "context_length": (
        "context_length_exceeded",
        "max_tokens_exceeded",
        "token_limit_exceeded",
        "string_too_long",
    ),
    "auth": ("authentication", "permission_denied", "payment_required"),
    "rate_limited": ("rate_limit_exceeded",),
    "provider_error": (
        "provider_overloaded",
        "provider_unavailable",
        "server",
        "unmapped",
        "not_found",
        "precondition_failed",
    ),
    "rejected": (
        "invalid_request",
        "invalid_prompt",
        "payload_too_large",
        "unprocessable",
        "invalid_image",
        "image_too_large",
        "image_too_small",
        "unsupported_image_format",
        "image_not_found",
        "image_download_failed",
    ),
    "refused": ("content_policy_violation", "refusal"),
    "timeout": ("timeout",),
}
"""OpenRouter's `ApiErrorType`, all of it."""


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [(kind, each) for kind, types in API_ERROR_TYPES.items() for each in types],
)
def test_every_error_type_of_openrouter_is_known_by_itself(kind: str, error_type: str) -> None:
    for error in (
        {"message": "x", "metadata": {"error_type": error_type}},
        {"message": "x", "error_type": error_type},
        {"message": "x", "code": error_type},
    ):
        assert classify(200, {"error": error}).kind == kind


def error(message: str = "m", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


def handed_on(raw: object, **fields: Any) -> dict[str, Any]:
    metadata = {"provider_name": "Host", "raw": raw, **fields}
    return error("Provider returned error", metadata=metadata)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("This model's maximum context length is 8192 tokens"), "context_length"),
        (400, error(code="context_length_exceeded"), "context_length"),
        (413, error("prompt is too long: 250000 tokens > 200000 maximum"), "context_length"),
        (None, error("prompt is too long: 250000 tokens > 200000 maximum"), "context_length"),
        (500, error("see the context length"), "provider_error"),
        (400, error("too many tokens per minute"), "rejected"),
        (400, handed_on('{"error":{"code":"context_length_exceeded"}}'), "context_length"),
        (400, handed_on("Input is too long for requested model."), "context_length"),
        (403, error("Your key has no access"), "auth"),
        (403, error(metadata={"reasons": ["self-harm"], "flagged_input": "x"}), "refused"),
        (400, error("flagged by the content policy"), "refused"),
        (502, handed_on('{"error":{"type":"authentication_error"}}'), "provider_error"),
        (400, handed_on({"error": {"code": "content_filter"}}), "refused"),
        (400, handed_on("{" * 70_000), "rejected"),
        (400, handed_on("[" * 500), "rejected"),
        (200, error(code="429"), "rate_limited"),
        (200, error(code="rate_limit_exceeded"), "rate_limited"),
        (200, error(code="server_error"), "provider_error"),
        (200, error(code=True), "provider_error"),
        (200, error(code=7), "provider_error"),
        (200, {"error": "text"}, "provider_error"),
        (200, {"error": None}, "provider_error"),
        (502, error(code=400), "provider_error"),
        (429, error(code=500), "rate_limited"),
        (429, error(code="insufficient_quota"), "auth"),
        (418, {}, "provider_error"),
        (302, None, "provider_error"),
        (None, None, "provider_error"),
        (404, error("No such route"), "provider_error"),
        (404, error("No endpoints found that support tool use. Try disabling it"), "unsupported"),
        (404, error("No endpoints found matching your data policy"), "provider_error"),
        (400, error("Invalid value. Supported values are: 'auto'."), "rejected"),
        (400, error("response_format is not supported by this model"), "unsupported"),
        (500, error("tools are not supported"), "provider_error"),
    ],
)
def test_bodies_of_every_form(status: int | None, body: Any, kind: str) -> None:
    assert classify(status, body).kind == kind


@pytest.mark.parametrize("status", [401, 402, 403, 407])
def test_what_is_wrong_with_our_account_is_never_told_as_the_callers_fault(status: int) -> None:
    """Litellm leaked an upstream's 401 and 402; the ancestor did, too."""
    for body in (None, error(), error(code=status), handed_on("{}"), error(code="invalid_request")):
        assert classify(status, body).kind.code is Code.PROVIDER_AUTH_ERROR
        assert classify(200, error(code=status)).kind.code is Code.PROVIDER_AUTH_ERROR


@given(st.none() | st.integers(100, 599), JSON)
def test_anything_at_all_is_some_fault(status: int | None, body: object) -> None:
    assert classify(status, body).message
    assert classify(status, {"error": body}).message
    assert classify(status, {"error": {"metadata": body, "message": body, "code": body}}).message
    assert classify(status, {"error": {"metadata": {"raw": body}, "innererror": body}}).message


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


def test_no_rule_is_hidden_by_those_before_it() -> None:
    assert all(rule.recorded for rule in RULES)
