"""How does a refusal look over HTTP: status, type, body, and whether to try again?

One total table from `Code` to status and OpenAI's `type`; docs/errors.md has a heading for
each code, and a test holds the three together. A refusal is deterministic, and told so in
`x-should-retry: false`, unless its code or a time to wait says that trying again can help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import RequestId

INVALID_REQUEST: Final = "invalid_request_error"
AUTHENTICATION: Final = "authentication_error"
PERMISSION: Final = "permission_error"
RATE_LIMIT: Final = "rate_limit_error"
INSUFFICIENT_QUOTA: Final = "insufficient_quota"
SERVER: Final = "server_error"

DOCS_PATH: Final = "/docs/errors"
"""Where docs/errors.md is served; relative, since every host runs its own gateway."""


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """The status and `type` of a code. `passing` says that the same request may succeed soon."""

    status: int
    type: str
    passing: bool = False


FORMS: Final[Mapping[Code, ErrorForm]] = {
    Code.REQUEST_HEADERS_TOO_LARGE: ErrorForm(431, INVALID_REQUEST),
    Code.UNAUTHORIZED: ErrorForm(401, AUTHENTICATION),
    Code.WORKSPACE_PENDING: ErrorForm(403, PERMISSION),
    Code.WORKSPACE_SUSPENDED: ErrorForm(403, PERMISSION),
    Code.FORBIDDEN: ErrorForm(403, PERMISSION),
    Code.RATE_LIMITED: ErrorForm(429, RATE_LIMIT, passing=True),
    Code.REQUEST_TIMEOUT: ErrorForm(408, INVALID_REQUEST, passing=True),
    Code.PAYLOAD_TOO_LARGE: ErrorForm(413, INVALID_REQUEST),
    Code.UNSUPPORTED_MEDIA_TYPE: ErrorForm(415, INVALID_REQUEST),
    Code.INVALID_REQUEST: ErrorForm(400, INVALID_REQUEST),
    Code.INVALID_ROUTING_OVERRIDE: ErrorForm(400, INVALID_REQUEST),
    Code.UNSUPPORTED_PARAMETER: ErrorForm(400, INVALID_REQUEST),
    Code.IDEMPOTENCY_CONFLICT: ErrorForm(409, INVALID_REQUEST),
    Code.UNKNOWN_MODEL: ErrorForm(404, INVALID_REQUEST),
    Code.ROUTING_STACK_NOT_FOUND: ErrorForm(404, INVALID_REQUEST),
    Code.ROUTING_STACK_RESOLUTION_FAILED: ErrorForm(404, INVALID_REQUEST),
    Code.NOT_FOUND: ErrorForm(404, INVALID_REQUEST),
    Code.CONTEXT_LENGTH_EXCEEDED: ErrorForm(400, INVALID_REQUEST),
    Code.ROUTING_POLICY_BLOCKED: ErrorForm(409, INVALID_REQUEST),
    Code.BUDGET_EXCEEDED: ErrorForm(402, INSUFFICIENT_QUOTA),
    Code.PAYMENT_REQUIRED: ErrorForm(402, INSUFFICIENT_QUOTA),
    Code.TOOL_CALL_BLOCKED: ErrorForm(409, INVALID_REQUEST),
    Code.TOOL_CALL_CONFIRMATION_REQUIRED: ErrorForm(409, INVALID_REQUEST),
    Code.UNKNOWN_PRICING_MODEL: ErrorForm(502, SERVER),
    Code.PROVIDER_AUTH_ERROR: ErrorForm(502, SERVER, passing=True),
    Code.PROVIDER_ERROR: ErrorForm(502, SERVER, passing=True),
    Code.ORIGIN_UNREACHABLE: ErrorForm(502, SERVER, passing=True),
    Code.PROVIDER_TIMEOUT: ErrorForm(504, SERVER, passing=True),
    Code.STRUCTURED_OUTPUT_INVALID: ErrorForm(502, SERVER),
    Code.VERIFICATION_FAILED: ErrorForm(502, SERVER),
    Code.STORAGE_UNAVAILABLE: ErrorForm(503, SERVER, passing=True),
    Code.OVERLOADED: ErrorForm(503, SERVER, passing=True),
}


def status_of(refusal: Refusal) -> int:
    """Give the HTTP status."""
    return FORMS[refusal.code].status


def may_pass(refusal: Refusal) -> bool:
    """Whether the same request may succeed soon: by its code, or since it names a wait."""
    return FORMS[refusal.code].passing or refusal.retry_after_s is not None


def error_object(refusal: Refusal, request_id: RequestId) -> dict[str, object]:
    """Give what stands under `error`, in bodies and in streams alike."""
    made: dict[str, object] = {
        "code": refusal.code.value,
        "message": refusal.message,
        "type": FORMS[refusal.code].type,
        "param": refusal.param,
        "requestId": request_id,
        "docs_url": f"{DOCS_PATH}#{refusal.code.value}",
    }
    if refusal.details:
        made["details"] = dict(refusal.details)
    return made


def error_body(refusal: Refusal, request_id: RequestId) -> dict[str, object]:
    """Give the whole body of an answer that is an error."""
    return {"error": error_object(refusal, request_id)}
