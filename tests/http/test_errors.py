"""One table from code to status: total, as the contract has it, and explained in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import RequestId
from astrolabe_http.errors import DOCS_PATH, FORMS, error_body, may_pass, status_of

DOCS = Path(__file__).parents[2] / "docs/errors.md"
# The table of the contract, with 408 and 431 of the edge: a status and its codes.
STATUSES = {
    400: "invalid_request invalid_routing_override context_length_exceeded unsupported_parameter",
    401: "unauthorized",
    402: "payment_required budget_exceeded",
    403: "workspace_pending workspace_suspended forbidden",
    404: "unknown_model routing_stack_not_found routing_stack_resolution_failed not_found",
    408: "request_timeout",
    409: "routing_policy_blocked idempotency_conflict tool_call_blocked "
    "tool_call_confirmation_required",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    431: "request_headers_too_large",
    502: "provider_error origin_unreachable provider_auth_error structured_output_invalid "
    "verification_failed unknown_pricing_model",
    503: "storage_unavailable overloaded",
    504: "provider_timeout",
}
TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
    502: "server_error",
    503: "server_error",
    504: "server_error",
}
# What openai-python would otherwise ask again, and what no second time can change.
DETERMINISTIC = {
    *["payment_required", "budget_exceeded", "unknown_model", "routing_stack_not_found"],
    *["routing_stack_resolution_failed", "not_found", "routing_policy_blocked"],
    *["idempotency_conflict", "tool_call_blocked", "tool_call_confirmation_required"],
    *["structured_output_invalid", "unknown_pricing_model", "verification_failed"],
    *["request_headers_too_large"],
}
PASSING = {
    *["rate_limited", "provider_error", "origin_unreachable", "provider_auth_error"],
    *["provider_timeout", "storage_unavailable", "overloaded", "request_timeout"],
}
ID = RequestId("req_1")


def test_every_code_has_the_status_of_the_contract() -> None:
    stated = {Code(code): status for status, codes in STATUSES.items() for code in codes.split()}
    assert {code: form.status for code, form in FORMS.items()} == stated
    assert set(FORMS) == set(Code)


def test_every_status_has_the_type_that_openai_gives_it() -> None:
    for form in FORMS.values():
        assert form.type == TYPES.get(form.status, "invalid_request_error")


@pytest.mark.parametrize("code", list(Code))
def test_only_what_may_pass_is_worth_another_try(code: Code) -> None:
    passes = may_pass(Refusal(code=code, message="no"))
    assert passes == (code.value in PASSING)
    assert not (passes and code.value in DETERMINISTIC)


def test_the_docs_say_of_each_code_whether_it_is_worth_another_try() -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = {
        when: set(re.findall(r"`([a-z_]+)`", codes))
        for when, codes in re.findall(
            r"^\| (always|unless `retry-after` is there|never) \| (.*) \|$", page, re.MULTILINE
        )
    }
    assert rows["never"] == PASSING
    assert rows["unless `retry-after` is there"] == {"payment_required", "idempotency_conflict"}
    assert set.union(*rows.values()) == {code.value for code in Code}
    assert sum(map(len, rows.values())) == len(Code)


def test_a_refusal_that_names_a_wait_is_worth_another_try() -> None:
    held = Refusal(code=Code.PAYMENT_REQUIRED, message="no", retry_after_s=2)
    running = Refusal(code=Code.IDEMPOTENCY_CONFLICT, message="no", retry_after_s=1)
    assert may_pass(held)
    assert may_pass(running)


def test_a_body_has_every_key_that_clients_read() -> None:
    refusal = Refusal(code=Code.UNKNOWN_MODEL, message="no such", param="model")
    assert error_body(refusal, ID) == {
        "error": {
            "code": "unknown_model",
            "message": "no such",
            "type": "invalid_request_error",
            "param": "model",
            "requestId": "req_1",
            "docs_url": f"{DOCS_PATH}#unknown_model",
        }
    }
    assert status_of(refusal) == 404


def test_details_are_told_where_there_are_any() -> None:
    refusal = Refusal(code=Code.BUDGET_EXCEEDED, message="no", details={"scope": "key"})
    error = error_body(refusal, ID)["error"]
    assert isinstance(error, dict)
    assert error["details"] == {"scope": "key"}


def test_the_docs_explain_every_code_under_its_own_heading() -> None:
    text = DOCS.read_text(encoding="utf-8")
    sections = re.split(r"^### `([a-z_]+)`.*$", text, flags=re.MULTILINE)
    explained = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert set(explained) == {code.value for code in Code}
    for code, section in explained.items():
        assert "**What to do:**" in section, code
        assert f"{FORMS[Code(code)].status}" in section, code
