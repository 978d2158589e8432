"""Why was something refused, rejected, marked down or left unbilled?

Five closed vocabularies. `Code` is what a caller is told and is listed in the order in which
checks run: the first that fails answers. `Unbillable` is why a hold ended without a debit.
`Reason` is why a boundary rejects a model; `Miss` is what a model that may serve falls short
of; `Kind` is how a decision came about. Every string is part of the public contract.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

Json: TypeAlias = "bool | int | str | tuple[Json, ...] | Mapping[str, Json] | None"
"""What a detail may hold: JSON without floats, frozen."""


class Code(StrEnum):
    """Why a request was not served, in order of precedence."""

    REQUEST_HEADERS_TOO_LARGE = "request_headers_too_large"
    UNAUTHORIZED = "unauthorized"
    WORKSPACE_PENDING = "workspace_pending"
    WORKSPACE_SUSPENDED = "workspace_suspended"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    REQUEST_TIMEOUT = "request_timeout"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID_REQUEST = "invalid_request"
    INVALID_ROUTING_OVERRIDE = "invalid_routing_override"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    UNKNOWN_MODEL = "unknown_model"
    ROUTING_STACK_NOT_FOUND = "routing_stack_not_found"
    ROUTING_STACK_RESOLUTION_FAILED = "routing_stack_resolution_failed"
    NOT_FOUND = "not_found"
    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    ROUTING_POLICY_BLOCKED = "routing_policy_blocked"
    BUDGET_EXCEEDED = "budget_exceeded"
    PAYMENT_REQUIRED = "payment_required"
    TOOL_CALL_BLOCKED = "tool_call_blocked"
    TOOL_CALL_CONFIRMATION_REQUIRED = "tool_call_confirmation_required"
    UNKNOWN_PRICING_MODEL = "unknown_pricing_model"
    PROVIDER_AUTH_ERROR = "provider_auth_error"
    PROVIDER_ERROR = "provider_error"
    ORIGIN_UNREACHABLE = "origin_unreachable"
    PROVIDER_TIMEOUT = "provider_timeout"
    STRUCTURED_OUTPUT_INVALID = "structured_output_invalid"
    VERIFICATION_FAILED = "verification_failed"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    OVERLOADED = "overloaded"


class Unbillable(StrEnum):
    """Why provider work, or a hold, ended without a debit."""

    MISSING_PROVIDER_USAGE = "missing_provider_usage"
    STREAMING_PROVIDER_ERROR = "streaming_provider_error"
    ORIGIN_UNREACHABLE = "origin_unreachable"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_TIMEOUT = "provider_timeout"
    UNKNOWN_PRICING_MODEL = "unknown_pricing_model"
    STRUCTURED_OUTPUT_INVALID = "structured_output_invalid"
    VERIFICATION_FAILED = "verification_failed"
    CLIENT_DISCONNECTED = "client_disconnected"
    DUPLICATE_REQUEST = "duplicate_request"
    GATEWAY_CRASH = "gateway_crash"
    TOOL_CALL_BLOCKED = "tool_call_blocked"
    TOOL_CALL_CONFIRMATION_REQUIRED = "tool_call_confirmation_required"
    ROUTING_POLICY_BLOCKED = "routing_policy_blocked"


class Reason(StrEnum):
    """Why a model may not serve a request, in the order in which reasons are listed."""

    MODEL_INACTIVE = "model_inactive"
    UNKNOWN_PRICING = "unknown_pricing"
    PROVIDER_NOT_ALLOWED = "provider_not_allowed"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    PROVIDER_BLOCKED = "provider_blocked"
    MODEL_BLOCKED = "model_blocked"
    MISSING_CAPABILITY = "missing_capability"
    MODALITY_UNSUPPORTED = "modality_unsupported"
    CONTEXT_WINDOW_EXCEEDED = "context_window_exceeded"
    DATA_POLICY_MISMATCH = "data_policy_mismatch"
    RETENTION_POLICY_MISMATCH = "retention_policy_mismatch"
    PREVIEW_NOT_ALLOWED = "preview_not_allowed"
    OVER_MAX_EXPECTED_COST = "over_max_expected_cost"
    OVER_REQUEST_BUDGET = "over_request_budget"
    OUTSIDE_ENVELOPE = "outside_envelope"
    UNTRUSTED_CONTENT_FLOOR = "untrusted_content_floor"
    CIRCUIT_OPEN = "circuit_open"


class Miss(StrEnum):
    """What a model that may serve falls short of; it ranks behind every model that does not."""

    BELOW_QUALITY_TARGET = "below_quality_target"
    OVER_LATENCY_SLO = "over_latency_slo"
    BELOW_RELIABILITY_TARGET = "below_reliability_target"


class Kind(StrEnum):
    """How a decision came about."""

    SELECTED = "selected"
    PINNED = "pinned"
    SOLE_CANDIDATE = "sole_candidate"
    RELAXED = "relaxed"
    FALLBACK = "fallback"
    ESCALATED = "escalated"
    RECOVERED = "recovered"
    BLOCKED = "blocked"


class PolicyStatus(StrEnum):
    """Whether the boundaries were judged, and how that ended."""

    PASSED = "passed"
    BLOCKED = "blocked"
    NOT_EVALUATED = "not_evaluated"


NO_DETAILS: Final[Mapping[str, Json]] = {}


@frozen(kw_only=True)
class Refusal:
    """A request that was not served: a value, never an exception.

    `message` says what happened and what to do next; `param` names the offending field as the
    caller wrote it; `details` is JSON without floats; `retry_after_s` is whole seconds and is
    set only where trying again can help.
    """

    code: Code
    message: str
    param: str | None = None
    details: Mapping[str, Json] = field(default=NO_DETAILS, hash=False)
    retry_after_s: int | None = None
