"""What may be wrong with a provider: is it limited, late, overloaded, or broken?

All of it may pass, and another model may be served meanwhile. The status says most; a proxy's says
more than what is inside.
"""

from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded
from astrolabe_http.failures.rule import (
    OPENROUTER_SCHEMA,
    Rule,
    of_status,
    of_type,
    openai_error,
    openrouter_error,
)

_LIMITED: Final = "the provider limits its rate"
_LATE: Final = "the provider took too long"
_FAILED: Final = "the provider failed"

LIMITED: Final = (
    Rule(
        when=of_type(
            "rate_limit_exceeded",
            "rate_limit_error",
            "RateLimitError",
            "rate_limited",
            "too_many_requests",
            "RESOURCE_EXHAUSTED",
            "ThrottlingException",
            "throttling_error",
            "Throttling.RateQuota",
        ),
        kind=FaultKind.RATE_LIMITED,
        message=_LIMITED,
        recorded=(
            Recorded(
                status=200,
                body={
                    "error": {
                        "code": 429,
                        "message": "Rate limit exceeded",
                        "metadata": {"error_type": "rate_limit_exceeded"},
                    }
                },
                source=f"{OPENROUTER_SCHEMA}, ChatStreamChunk",
            ),
            openai_error(
                413,
                "Request too large for model `openai/gpt-oss-20b` on tokens per minute (TPM): "
                "Limit 8000, Requested 9216, please reduce your message size and try again.",
                "tokens",
                "rate_limit_exceeded",
                "Groq: a 413 that is a limit by the minute",
            ),
            Recorded(
                status=429,
                body={
                    "error": {
                        "code": 429,
                        "message": "You exceeded your current quota, please check your plan and "
                        "billing details.",
                        "status": "RESOURCE_EXHAUSTED",
                        "details": [
                            {
                                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                                "retryDelay": "34.4s",
                            }
                        ],
                    }
                },
                source="Google; gemini-cli #8437: OpenAI's words about money, for a minute's limit",
            ),
            Recorded(
                status=400,
                body={
                    "message": "Too many tokens, please wait before trying again.",
                    "__type": "ThrottlingException",
                },
                source="Amazon Bedrock",
            ),
        ),
    ),
    Rule(
        # 498: Groq's flexible tier has no capacity left.
        when=of_status(429, 498),
        kind=FaultKind.RATE_LIMITED,
        message=_LIMITED,
        recorded=(
            openrouter_error(
                429,
                "Rate limit exceeded: free-models-per-min.",
                "OpenRouter, free models",
                headers={"X-RateLimit-Limit": "20", "X-RateLimit-Reset": "1800000007000"},
            ),
            openrouter_error(
                429,
                "Provider returned error",
                "OpenRouter; litellm #8448",
                raw="error code: 1015",
                provider_name="Kluster",
            ),
            Recorded(
                status=429,
                body={"statusCode": 429, "message": "Rate limit is exceeded. Try again in 5 s."},
                source="Azure API Management",
            ),
            openai_error(
                429,
                "No deployments available for selected model, Try again in 60 seconds.",
                "None",
                "429",
                "LiteLLM proxy; litellm #20867",
            ),
        ),
    ),
)

LATE: Final = (
    Rule(
        when=of_type(
            "timeout",
            "timeout_error",
            "request_timeout",
            "APITimeoutError",
            "DEADLINE_EXCEEDED",
            "ModelTimeoutException",
            "vector_store_timeout",
        ),
        kind=FaultKind.TIMEOUT,
        message=_LATE,
        recorded=(
            Recorded(
                status=200,
                body={
                    "error": {"code": 524, "message": "x", "metadata": {"error_type": "timeout"}}
                },
                source=f"{OPENROUTER_SCHEMA}, ApiErrorType",
            ),
            Recorded(
                status=200,
                body={"error": {"code": "vector_store_timeout", "message": "x"}},
                source=f"{OPENROUTER_SCHEMA}, ResponsesErrorField",
            ),
        ),
    ),
    Rule(
        when=of_status(408, 504, 522, 524),
        kind=FaultKind.TIMEOUT,
        message=_LATE,
        recorded=(
            Recorded(
                status=504,
                body="<html><head><title>504 Gateway Time-out</title></head></html>",
                source="nginx before a provider",
            ),
            Recorded(
                status=524,
                body="error code: 524",
                source="Cloudflare before a provider",
            ),
        ),
    ),
)

OVERLOADED: Final = (
    Rule(
        when=of_type(
            "provider_overloaded",
            "provider_unavailable",
            "overloaded_error",
            "engine_overloaded_error",
            "server_is_overloaded",
            "service_unavailable_error",
            "ServiceUnavailableException",
            "ModelNotReadyException",
            "unavailable_error",
            "UNAVAILABLE",
            "server",
            "server_error",
            "InternalServerError",
        ),
        kind=FaultKind.PROVIDER_ERROR,
        message=_FAILED,
        recorded=(
            Recorded(
                status=200,
                body={
                    "error": {
                        "code": 502,
                        "message": "Overloaded",
                        "metadata": {"error_type": "provider_overloaded"},
                    }
                },
                source=f"{OPENROUTER_SCHEMA}, ApiErrorType",
            ),
            Recorded(
                status=200,
                body={
                    "type": "error",
                    "error": {"type": "overloaded_error", "message": "Overloaded"},
                },
                source="Anthropic, in a stream",
            ),
            Recorded(
                status=503,
                body={
                    "error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}
                },
                source="llama.cpp, while it starts",
            ),
        ),
    ),
)

REST: Final = (
    Rule(
        # The caller's body went through our own checks: what is not there is our setting, not it.
        when=of_status(404, 405, 406, 410, 411, 415),
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider does not know what it was asked for; its URL may be wrong",
        recorded=(
            Recorded(status=404, body={"detail": "Not Found"}, source="FastAPI: no such route"),
            Recorded(status=404, body="404 page not found", source="Go: no such route"),
        ),
    ),
    Rule(
        when=lambda said: not said.readable,
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider's answer cannot be read",
        recorded=(
            Recorded(
                status=502,
                body="<html><body><h1>502 Bad Gateway</h1></body></html>",
                source="a proxy in between",
            ),
        ),
    ),
    Rule(
        when=lambda _: True,
        kind=FaultKind.PROVIDER_ERROR,
        message=_FAILED,
        recorded=(
            Recorded(
                status=500,
                body={"error": {"message": "Internal error"}},
                source="OpenRouter; some bodies have no code at all",
            ),
            openrouter_error(
                500,
                "Provider returned error",
                f"{OPENROUTER_SCHEMA}, ApiErrorType: what fits no other",
                error_type="unmapped",
                provider_code="42",
            ),
            openrouter_error(
                409,
                "Resource conflict. Please try again later.",
                f"{OPENROUTER_SCHEMA}, ConflictResponse",
            ),
            openrouter_error(
                529, "Provider returned error", f"{OPENROUTER_SCHEMA}, ProviderOverloadedResponse"
            ),
            Recorded(
                status=503,
                body={"error": "Model m is currently loading", "estimated_time": 20.0},
                source="Hugging Face; transformers #23793",
            ),
            Recorded(status=499, body={}, source="Google: it thinks that we have left"),
        ),
    ),
)
