"""What may be wrong with the gateway's own account at a provider?

Never the caller's fault, and no other model of the same account fares better: its operator must
act. A limit that waiting lifts is none of these, and a region is not either (see `loads`).
"""

from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded
from astrolabe_http.failures.rule import (
    OPENROUTER_SCHEMA,
    Rule,
    any_of,
    of_status,
    of_type,
    openai_error,
    openrouter_error,
    says,
)

_MESSAGE: Final = "the provider does not accept the gateway's account; its operator must act"

SPENT_ACCOUNTS: Final = Rule(
    # Before the rate limits, whose status it shares: no waiting lifts it.
    when=any_of(
        of_type(
            "insufficient_quota",
            "insufficient_balance",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "budget_exceeded",
            "BudgetExceededError",
            "exceeded_current_quota_error",
            "account_deactivated",
            "Arrearage",
        ),
        says(
            "credit balance is too low",
            "insufficient balance",
            "budget has been exceeded",
            "crossed budget",
            "exceeded budget",
            among=(400, 402, 403, 429, None),
        ),
    ),
    kind=FaultKind.AUTH,
    message=_MESSAGE,
    recorded=(
        openai_error(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
            "OpenAI",
        ),
        Recorded(
            status=400,
            body={
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "Your credit balance is too low to access the Anthropic API. "
                    "Please go to Plans & Billing to upgrade or purchase credits.",
                },
            },
            source="Anthropic; claude-code #66297: a 400 that looks like the caller's fault",
        ),
        openai_error(
            429,
            "No deployments available - crossed budget: Exceeded budget for deployment",
            "None",
            "429",
            "LiteLLM proxy; litellm #14144",
        ),
        openai_error(
            400,
            "Budget has been exceeded! Current cost: 26.075, Max budget: 0.25",
            "budget_exceeded",
            "400",
            "LiteLLM proxy; litellm #22726",
        ),
    ),
)

REFUSED_ACCOUNTS: Final = (
    Rule(
        when=of_type(
            "authentication",
            "authentication_error",
            "AuthenticationError",
            "invalid_api_key",
            "InvalidApiKey",
            "UNAUTHENTICATED",
            "permission_denied",
            "permission_error",
            "PermissionDeniedError",
            "access_terminated_error",
            "payment_required",
        ),
        kind=FaultKind.AUTH,
        message=_MESSAGE,
        recorded=(
            Recorded(
                status=200,
                body={
                    "error": {
                        "code": 402,
                        "message": "Insufficient credits",
                        "metadata": {"error_type": "payment_required"},
                    }
                },
                source=f"{OPENROUTER_SCHEMA}, ApiErrorType",
            ),
            Recorded(
                status=401,
                body={
                    "error": {
                        "code": 401,
                        "message": "Invalid API Key",
                        "type": "authentication_error",
                    }
                },
                source="llama.cpp --api-key",
            ),
            Recorded(
                status=400,
                body={
                    "error": {
                        "message": "Incorrect API key provided.",
                        "type": "invalid_request_error",
                        "code": "invalid_api_key",
                    },
                },
                source="DashScope, OpenAI form",
            ),
        ),
    ),
    Rule(
        when=of_status(401, 402, 403, 407),
        kind=FaultKind.AUTH,
        message=_MESSAGE,
        recorded=(
            openrouter_error(
                402,
                "This request requires more credits, or fewer max_tokens. You requested up to "
                "65536 tokens, but can only afford 4532.",
                "OpenRouter; litellm leaked it as the customer's fault",
            ),
            openrouter_error(401, "User not found.", "OpenRouter: a key that was deleted"),
            Recorded(
                status=403,
                body="<html><head><title>Attention Required! | Cloudflare</title></head></html>",
                source="Cloudflare before a provider: the gateway's address is blocked",
            ),
        ),
    ),
)
