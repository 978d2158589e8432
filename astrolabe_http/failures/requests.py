"""What may be wrong with a request, for this model or for any?

Too long, declined by a moderation, asking for what the model cannot do, or not valid. The first
three another model may take; a request that is not valid is the caller's to correct.
"""

from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded
from astrolabe_http.failures.rule import (
    OPENROUTER_DOCS,
    OPENROUTER_SCHEMA,
    Rule,
    all_of,
    any_of,
    deep_type,
    never_says,
    of_status,
    of_type,
    openai_error,
    openrouter_error,
    says,
)

_LENGTH_WORDS: Final = (
    "context length",
    "context_length",
    "context window",
    "context size",
    "context limit",
    "maximum context",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "too many tokens",
    "too many input tokens",
    "input token count",
    "input tokens exceed",
    "tokens in request more than",
    "prompt token count",
    "maximum prompt length",
    "maximum model length",
    "maximum allowed input length",
    "range of input length",
    "model token limit",
    "max_new_tokens",
    "reduce the length of the messages",
    "tokens to keep from the initial prompt",
)
_BY_TIME: Final = ("per minute", "per min", "per day", "per second", "please wait")
"""Tokens in a time: a limit of the account, not of the model."""

TOO_LONG: Final = Rule(
    when=any_of(
        deep_type(
            "context_length_exceeded",
            "context_window_exceeded",
            "ContextWindowExceededError",
            "max_tokens_exceeded",
            "token_limit_exceeded",
            "string_too_long",
            "string_above_max_length",
            "exceed_context_size_error",
            "model_context_window_exceeded",
        ),
        all_of(says(*_LENGTH_WORDS, among=(400, 413, 422, None)), never_says(*_BY_TIME)),
    ),
    kind=FaultKind.CONTEXT_LENGTH,
    message="the request is too long for the model",
    recorded=(
        openrouter_error(
            400,
            "This endpoint's maximum context length is 163840 tokens. However, you requested "
            "about 200015 tokens (200015 of text input). Please reduce the length of either one, "
            'or use the "middle-out" transform to compress your prompt automatically.',
            "OpenRouter; the form without error_type predates its schema of 2026",
            provider_name=None,
        ),
        openrouter_error(
            400,
            "Provider returned error",
            "OpenRouter; what its host said stands in metadata.raw, OmniRoute #3044",
            provider_name="Anthropic",
            raw='{"type":"error","error":{"type":"invalid_request_error",'
            '"message":"prompt is too long: 213462 tokens > 200000 maximum"}}',
        ),
        openai_error(
            400,
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again.",
            "invalid_request_error",
            "context_length_exceeded",
            "OpenAI, Responses",
        ),
        Recorded(
            status=400,
            body=[
                {
                    "error": {
                        "code": 400,
                        "message": "The input token count (1196265) exceeds the maximum number of "
                        "tokens allowed (1048575).",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ],
            source="Google, OpenAI form: an array around it",
        ),
        Recorded(
            status=400,
            body={
                "code": "invalid-argument",
                "error": "This model's maximum prompt length is 131072 but the request contains "
                "537812 tokens.",
            },
            source="xAI",
        ),
        Recorded(
            status=400,
            body={
                "message": "Input is too long for requested model.",
                "__type": "ValidationException",
            },
            source="Amazon Bedrock",
        ),
        Recorded(
            status=422,
            body={
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
                "4096. Given: 4000 `inputs` tokens and 512 `max_new_tokens`",
                "error_type": "validation",
            },
            source="TGI",
        ),
        openai_error(
            400,
            "litellm.BadRequestError: litellm.ContextWindowExceededError: VertexAIException - "
            "prompt is too long",
            "invalid_request_error",
            "400",
            "LiteLLM proxy",
        ),
    ),
)

DECLINED: Final = Rule(
    when=any_of(
        deep_type(
            "content_policy_violation",
            "ContentPolicyViolationError",
            "image_content_policy_violation",
            "bio_policy",
            "refusal",
            "content_filter",
            "ResponsibleAIPolicyViolation",
            "moderation_blocked",
            "data_inspection_failed",
            "sensitive_words_detected",
        ),
        all_of(of_status(400, 403), lambda said: said.moderated),
        says(
            "moderation",
            "flagged",
            "content policy",
            "content_policy",
            "content management policy",
            "content filtering policy",
            "usage policy",
            "usage policies",
            "safety system",
            "safety reasons",
            "inappropriate content",
            "content exists risk",
            "prompt injection",
            "blocked by guardrail",
            among=(400, 403, 422, None),
        ),
    ),
    kind=FaultKind.REFUSED,
    message="the provider's moderation declined the request",
    recorded=(
        openrouter_error(
            403,
            "Input was flagged",
            f"{OPENROUTER_DOCS}#moderation-errors",
            reasons=["violence"],
            flagged_input="…",
            provider_name="OpenAI",
            model_slug="openai/gpt-5.4",
        ),
        openrouter_error(
            403,
            "Request blocked: prompt injection patterns detected",
            "OpenRouter, guardrails: permission_denied, and yet nobody's key is at fault",
            error_type="permission_denied",
        ),
        Recorded(
            status=400,
            body={
                "error": {
                    "message": "The response was filtered due to the prompt triggering Azure "
                    "OpenAI's content management policy. Please modify your prompt and retry.",
                    "type": None,
                    "param": "prompt",
                    "code": "content_filter",
                    "status": 400,
                    "innererror": {
                        "code": "ResponsibleAIPolicyViolation",
                        "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
                    },
                }
            },
            source="Azure OpenAI; helm #3327",
        ),
        openai_error(
            400,
            "Content Exists Risk",
            "invalid_request_error",
            "invalid_request_error",
            "DeepSeek; BettaFish #108",
        ),
        openai_error(
            400,
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
            "invalid_request_error",
            "invalid_prompt",
            "OpenAI, reasoning models",
        ),
        openai_error(
            500,
            "Input data may contain inappropriate content.",
            "data_inspection_failed",
            "data_inspection_failed",
            "DashScope; dify #7932 saw it with 500",
        ),
        Recorded(
            status=400,
            body={
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "Output blocked by content filtering policy",
                },
            },
            source="Anthropic",
        ),
    ),
)

WRONG_IMAGES: Final = Rule(
    # Before what a model does not support: these are words about the caller's own files.
    when=of_type(
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "invalid_image_mode",
        "image_parse_error",
        "image_too_large",
        "image_too_small",
        "image_file_too_large",
        "empty_image_file",
        "unsupported_image_format",
        "unsupported_image_media_type",
        "image_not_found",
        "image_file_not_found",
        "image_download_failed",
        "failed_to_download_image",
    ),
    kind=FaultKind.REJECTED,
    message="the provider cannot use an image of the request",
    recorded=(
        openrouter_error(
            400,
            "Unsupported image",
            f"{OPENROUTER_SCHEMA}, ApiErrorType",
            error_type="unsupported_image_format",
        ),
        Recorded(
            status=200,
            body={"error": {"code": "failed_to_download_image", "message": "Failed to download"}},
            source=f"{OPENROUTER_SCHEMA}, ResponsesErrorField",
        ),
    ),
)

UNSUPPORTED: Final = Rule(
    # A field that this model does not take, and another one may.
    when=any_of(
        of_status(501),
        all_of(
            of_status(400, 422),
            any_of(
                deep_type("unsupported_parameter", "unsupported_value", "UnsupportedParamsError"),
                says(
                    "does not support",
                    "not supported",
                    "is unsupported",
                    "unsupported parameter",
                    "supports at most",
                    "requires --",
                    among=(400, 422),
                ),
            ),
        ),
    ),
    kind=FaultKind.UNSUPPORTED,
    message="the model does not support what the request asks for",
    recorded=(
        openai_error(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "invalid_request_error",
            "unsupported_parameter",
            "OpenAI, reasoning models",
        ),
        openrouter_error(
            400,
            "Provider returned error",
            "OpenRouter; OmniRoute #3044",
            raw='{"error":{"type":"invalid_request_error","code":"invalid_request_error",'
            '"message":"Model supports at most 1 image per prompt."}}',
            provider_name="Crucible",
            is_byok=False,
        ),
        Recorded(
            status=400,
            body={
                "object": "error",
                "message": '"auto" tool choice requires --enable-auto-tool-choice and '
                "--tool-call-parser to be set",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            },
            source="vLLM",
        ),
    ),
)

_INVALID: Final = "the provider rejected the request as invalid; check its parameters"

INVALID: Final = (
    Rule(
        when=of_status(400, 413, 414, 422),
        kind=FaultKind.REJECTED,
        message=_INVALID,
        recorded=(
            openrouter_error(
                400,
                "Invalid value for 'temperature'",
                f"{OPENROUTER_SCHEMA}, ApiErrorType",
                error_type="invalid_request",
                provider_name="Azure",
            ),
            openrouter_error(
                413,
                "Request payload too large",
                f"{OPENROUTER_SCHEMA}, PayloadTooLargeResponse",
            ),
            Recorded(
                status=422,
                body={"detail": [{"loc": ["body", "n"], "msg": "too many", "type": "value_error"}]},
                source="FastAPI: a body that is not valid",
            ),
        ),
    ),
    Rule(
        when=of_type(
            "invalid_request",
            "invalid_request_error",
            "invalid_prompt",
            "unprocessable",
            "payload_too_large",
            "request_too_large",
            "INVALID_ARGUMENT",
        ),
        kind=FaultKind.REJECTED,
        message=_INVALID,
        recorded=(
            Recorded(
                status=200,
                body={"error": {"code": "invalid_prompt", "message": "Invalid prompt"}},
                source="Responses, response.failed; the code is a word there",
            ),
        ),
    ),
)
