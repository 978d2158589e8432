"""What does it mean that a provider answered like this?

Everything known about provider errors, in one pure place. `RULES` is read from the top and the
first rule that matches decides; beside each stands an answer that was recorded, and a test holds
the two together. Status, OpenRouter's `error_type` and the code in the body are facts; words in a
message are looked at only where nothing else tells the cases apart. No word of the provider's is
ever repeated: a message of ours goes to the caller.

A body is parsed JSON, or anything else where it was none; `complaints` knows its many forms.
"""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_http.complaints import NO_HEADERS, Recorded, Said, read
from astrolabe_http.waits import retry_after_s


@frozen(kw_only=True)
class Rule:
    """When an answer looks like this, it means that; with an answer that did."""

    when: Callable[[Said], bool]
    kind: FaultKind
    message: str
    recorded: Recorded


def classify(status: int | None, body: object, headers: Mapping[str, str] = NO_HEADERS) -> Fault:
    """Say what a failed answer means. `headers` are by lower-case name."""
    said = read(status, body)
    rule = next(rule for rule in RULES if rule.when(said))
    return Fault(
        kind=rule.kind,
        message=rule.message,
        status=said.status,
        retry_after_s=retry_after_s(headers, body) if rule.kind in _WAITS else None,
    )


def _of_type(*types: str) -> Callable[[Said], bool]:
    known = frozenset(types)
    return lambda said: said.error_type in known


def _of_status(*statuses: int) -> Callable[[Said], bool]:
    known = frozenset(statuses)
    return lambda said: said.status in known


_LENGTH_WORDS: Final = (
    "context length",
    "context_length",
    "context window",
    "maximum context",
    "prompt is too long",
    "too many tokens",
    "input is too long",
    "context size",
)
_MODERATION_WORDS: Final = ("moderation", "flagged", "content policy", "content_policy")


def _too_long(said: Said) -> bool:
    wordy = said.status in {400, 413, 422} and any(word in said.message for word in _LENGTH_WORDS)
    return wordy or said.error_type in {
        "context_length_exceeded",
        "max_tokens_exceeded",
        "token_limit_exceeded",
        "string_too_long",
        "exceed_context_size_error",
    }


def _declined(said: Said) -> bool:
    if said.error_type in {"content_policy_violation", "refusal", "content_filter"}:
        return True
    wordy = any(word in said.message for word in _MODERATION_WORDS)
    return said.status in {400, 403} and (said.moderated or wordy)


def _no_model(said: Said) -> bool:
    """Whether a plain server does not know the model by the name that it was asked for."""
    missing = "not found" in said.message or "does not exist" in said.message
    named = said.error_type in {"model_not_found", "NotFoundError"} or "model" in said.message
    return said.status == 404 and missing and named


def _no_host(said: Said) -> bool:
    return said.status == 404 and "endpoints" in said.message


def _no_host_honours(said: Said) -> bool:
    lacking = (
        "requested parameters" in said.message or "endpoints found that support" in said.message
    )
    return _no_host(said) and lacking


_WAITS: Final = frozenset(
    {FaultKind.RATE_LIMITED, FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT, FaultKind.UNREACHABLE}
)

_OPENROUTER_DOCS: Final = "openrouter.ai/docs/api-reference/errors"
_OPENROUTER_SCHEMA: Final = "OpenRouter's OpenAPI schema of August 2026"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        when=_too_long,
        kind=FaultKind.CONTEXT_LENGTH,
        message="the request is too long for the model",
        recorded=Recorded(
            status=400,
            body={
                "error": {
                    "message": "This endpoint's maximum context length is 163840 tokens. However, "
                    "you requested about 200015 tokens (200015 of text input). Please reduce the "
                    'length of either one, or use the "middle-out" transform to compress your '
                    "prompt automatically.",
                    "code": 400,
                    "metadata": {"provider_name": None},
                }
            },
            source="OpenRouter; the form without error_type predates its schema of 2026",
        ),
    ),
    Rule(
        when=_declined,
        kind=FaultKind.REFUSED,
        message="the provider's moderation declined the request",
        recorded=Recorded(
            status=403,
            body={
                "error": {
                    "code": 403,
                    "message": "Input was flagged",
                    "metadata": {
                        "reasons": ["violence"],
                        "flagged_input": "…",
                        "provider_name": "OpenAI",
                        "model_slug": "openai/gpt-5.4",
                    },
                }
            },
            source=f"{_OPENROUTER_DOCS}#moderation-errors",
        ),
    ),
    Rule(
        # A limit that no waiting lifts.
        when=_of_type("insufficient_quota", "billing_hard_limit_reached"),
        kind=FaultKind.AUTH,
        message="the provider does not accept the gateway's account; its operator must act",
        recorded=Recorded(
            status=429,
            body={
                "error": {
                    "message": "You exceeded your current quota, please check your plan and "
                    "billing details.",
                    "type": "insufficient_quota",
                    "param": None,
                    "code": "insufficient_quota",
                }
            },
            source="OpenAI",
        ),
    ),
    Rule(
        when=_of_type("rate_limit_exceeded"),
        kind=FaultKind.RATE_LIMITED,
        message="the provider limits its rate",
        recorded=Recorded(
            status=200,
            body={
                "error": {
                    "code": 429,
                    "message": "Rate limit exceeded",
                    "metadata": {"error_type": "rate_limit_exceeded"},
                }
            },
            source=f"{_OPENROUTER_SCHEMA}, ChatStreamChunk",
        ),
    ),
    Rule(
        when=_of_status(429),
        kind=FaultKind.RATE_LIMITED,
        message="the provider limits its rate",
        recorded=Recorded(
            status=429,
            body={
                "error": {
                    "message": "Rate limit exceeded: free-models-per-min.",
                    "code": 429,
                    "metadata": {"headers": {"X-RateLimit-Limit": "20", "Retry-After": "7"}},
                }
            },
            source="OpenRouter, free models",
        ),
    ),
    Rule(
        when=_of_type("timeout"),
        kind=FaultKind.TIMEOUT,
        message="the provider took too long",
        recorded=Recorded(
            status=200,
            body={"error": {"code": 524, "message": "x", "metadata": {"error_type": "timeout"}}},
            source=f"{_OPENROUTER_SCHEMA}, ApiErrorType",
        ),
    ),
    Rule(
        when=_of_status(408, 504, 522, 524),
        kind=FaultKind.TIMEOUT,
        message="the provider took too long",
        recorded=Recorded(
            status=504,
            body="<html><head><title>504 Gateway Time-out</title></head></html>",
            source="nginx before a provider",
        ),
    ),
    Rule(
        when=_of_type("authentication", "permission_denied", "payment_required"),
        kind=FaultKind.AUTH,
        message="the provider does not accept the gateway's account; its operator must act",
        recorded=Recorded(
            status=200,
            body={
                "error": {
                    "code": 402,
                    "message": "Insufficient credits",
                    "metadata": {"error_type": "payment_required"},
                }
            },
            source=f"{_OPENROUTER_SCHEMA}, ApiErrorType",
        ),
    ),
    Rule(
        when=_of_status(401, 402, 403, 407),
        kind=FaultKind.AUTH,
        message="the provider does not accept the gateway's account; its operator must act",
        recorded=Recorded(
            status=402,
            body={
                "error": {
                    "message": "This request requires more credits, or fewer max_tokens. You "
                    "requested up to 65536 tokens, but can only afford 4532.",
                    "code": 402,
                }
            },
            source="OpenRouter; litellm leaked it as the customer's fault",
        ),
    ),
    Rule(
        when=_of_type("provider_overloaded", "provider_unavailable", "server", "server_error"),
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider failed",
        recorded=Recorded(
            status=200,
            body={
                "error": {
                    "code": 502,
                    "message": "Overloaded",
                    "metadata": {"error_type": "provider_overloaded"},
                }
            },
            source=f"{_OPENROUTER_SCHEMA}, ApiErrorType",
        ),
    ),
    Rule(
        # Every parameter that is sent counts, whoever asked for it: another model may do.
        when=_no_host_honours,
        kind=FaultKind.UNSUPPORTED,
        message="no host that serves the model honours every field of the request",
        recorded=Recorded(
            status=404,
            body={
                "error": {
                    "message": "No endpoints found that can handle the requested parameters.",
                    "code": 404,
                }
            },
            source="OpenRouter under require_parameters; block/buzz #3018",
        ),
    ),
    Rule(
        # Nobody serves the model at the moment, or under our rules: another one may.
        when=_no_host,
        kind=FaultKind.PROVIDER_ERROR,
        message="no host of the provider serves the model now",
        recorded=Recorded(
            status=404,
            body={
                "error": {
                    "message": "No endpoints found matching your data policy (Zero data "
                    "retention). Configure: https://openrouter.ai/settings/privacy",
                    "code": 404,
                }
            },
            source="oh-my-pi, sai #115",
        ),
    ),
    Rule(
        # Another candidate may be there; this one is in the catalog and not on the server.
        when=_no_model,
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider does not have the model",
        recorded=Recorded(
            status=404,
            body={
                "error": {
                    "message": 'model "llama3" not found, try pulling it first',
                    "type": "api_error",
                    "param": None,
                    "code": None,
                }
            },
            source="Ollama, /v1; QAnything #555",
        ),
    ),
    Rule(
        when=_of_status(400, 404, 405, 409, 413, 415, 422),
        kind=FaultKind.REJECTED,
        message="the provider rejected the request as invalid; check its parameters",
        recorded=Recorded(
            status=400,
            body={
                "error": {
                    "code": 400,
                    "message": "Invalid value for 'temperature'",
                    "metadata": {"error_type": "invalid_request", "provider_name": "Azure"},
                }
            },
            source=f"{_OPENROUTER_SCHEMA}, ApiErrorType",
        ),
    ),
    Rule(
        when=_of_type(
            "invalid_request",
            "invalid_request_error",
            "invalid_prompt",
            "unprocessable",
            "payload_too_large",
            "invalid_image",
            "image_too_large",
            "image_too_small",
            "unsupported_image_format",
            "image_not_found",
            "image_download_failed",
        ),
        kind=FaultKind.REJECTED,
        message="the provider rejected the request as invalid; check its parameters",
        recorded=Recorded(
            status=200,
            body={"error": {"code": "invalid_prompt", "message": "Invalid prompt"}},
            source="Responses, response.failed; the code is a word there",
        ),
    ),
    Rule(
        when=lambda said: not said.readable,
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider's answer cannot be read",
        recorded=Recorded(
            status=502,
            body="<html><body><h1>502 Bad Gateway</h1></body></html>",
            source="a proxy in between",
        ),
    ),
    Rule(
        when=lambda _: True,
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider failed",
        recorded=Recorded(
            status=500,
            body={"error": {"message": "Internal error"}},
            source="OpenRouter; some bodies have no code at all",
        ),
    ),
)
"""In order; the last one takes everything."""
