"""The five vocabularies are those of the contract, in its order."""

from __future__ import annotations

import pytest

from astrolabe_core.codes import Code, Kind, Miss, PolicyStatus, Reason, Refusal, Unbillable

REASONS = """
model_inactive unknown_pricing provider_not_allowed model_not_allowed provider_blocked
model_blocked missing_capability modality_unsupported context_window_exceeded
data_policy_mismatch retention_policy_mismatch preview_not_allowed over_max_expected_cost
over_request_budget outside_envelope untrusted_content_floor circuit_open
"""
MISSES = "below_quality_target over_latency_slo below_reliability_target"
KINDS = "selected pinned sole_candidate relaxed fallback escalated recovered blocked"
UNBILLABLE = """
missing_provider_usage streaming_provider_error origin_unreachable provider_error
provider_timeout unknown_pricing_model structured_output_invalid verification_failed
client_disconnected duplicate_request gateway_crash tool_call_blocked
tool_call_confirmation_required routing_policy_blocked
"""
# The edge adds two to those of the contract: 431 and 408.
CODES = """
request_headers_too_large request_timeout
invalid_request invalid_routing_override context_length_exceeded unsupported_parameter
unauthorized payment_required budget_exceeded workspace_pending workspace_suspended forbidden
unknown_model routing_stack_not_found routing_stack_resolution_failed not_found
routing_policy_blocked idempotency_conflict tool_call_blocked tool_call_confirmation_required
payload_too_large unsupported_media_type rate_limited provider_error origin_unreachable
provider_auth_error structured_output_invalid verification_failed unknown_pricing_model
storage_unavailable overloaded provider_timeout
"""
CHECKED_IN_THIS_ORDER = [
    Code.REQUEST_HEADERS_TOO_LARGE,
    Code.UNAUTHORIZED,
    Code.WORKSPACE_PENDING,
    Code.WORKSPACE_SUSPENDED,
    Code.FORBIDDEN,
    Code.RATE_LIMITED,
    Code.REQUEST_TIMEOUT,
    Code.PAYLOAD_TOO_LARGE,
    Code.INVALID_REQUEST,
    Code.UNKNOWN_MODEL,
    Code.ROUTING_STACK_NOT_FOUND,
    Code.ROUTING_POLICY_BLOCKED,
    Code.PAYMENT_REQUIRED,
    Code.PROVIDER_ERROR,
]


def test_the_reasons_are_those_of_the_contract_in_its_order() -> None:
    assert [reason.value for reason in Reason] == REASONS.split()


def test_the_misses_and_kinds_are_those_of_the_contract_in_its_order() -> None:
    assert [miss.value for miss in Miss] == MISSES.split()
    assert [kind.value for kind in Kind] == KINDS.split()


def test_every_way_of_leaving_work_unbilled_has_its_word() -> None:
    assert {reason.value for reason in Unbillable} == set(UNBILLABLE.split())


def test_every_error_code_is_of_the_contract_or_of_the_edge() -> None:
    assert sorted(code.value for code in Code) == sorted(CODES.split())


def test_codes_stand_in_the_order_in_which_checks_run() -> None:
    order = list(Code)
    assert [order.index(code) for code in CHECKED_IN_THIS_ORDER] == sorted(
        order.index(code) for code in CHECKED_IN_THIS_ORDER
    )


@pytest.mark.parametrize("status", PolicyStatus)
def test_a_policy_status_is_a_word_for_a_header(status: PolicyStatus) -> None:
    assert status.value in {"passed", "blocked", "not_evaluated"}


def test_a_refusal_is_a_value_that_can_be_compared_and_hashed() -> None:
    one = Refusal(code=Code.NOT_FOUND, message="no such trace", details={"id": "req_1"})
    same = Refusal(code=Code.NOT_FOUND, message="no such trace", details={"id": "req_1"})
    other = Refusal(code=Code.NOT_FOUND, message="no such trace", details={"id": "req_2"})
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert not issubclass(Refusal, BaseException)
    assert one.retry_after_s is None
