"""What do the provider's read-only endpoints say: models, key, credits?

OpenRouter's shapes; prices are strings per token with every digit.
"""

from collections.abc import Sequence
from decimal import Decimal

from astrolabe_http.simulator.models import SimulatedModel
from astrolabe_http.simulator.preferences import supported_parameters
from astrolabe_http.simulator.usage import number

_LISTED_AT = 1_767_225_600
_TOKENIZERS = {
    "openai": "GPT",
    "anthropic": "Claude",
    "google": "Gemini",
    "x-ai": "Grok",
    "deepseek": "DeepSeek",
    "mistralai": "Mistral",
    "qwen": "Qwen3",
}


def list_models(models: Sequence[SimulatedModel]) -> dict[str, object]:
    """The body of `GET /models`."""
    return {"data": [_describe(model) for model in models]}


def show_key(label: str, spent: Decimal) -> dict[str, object]:
    """The body of `GET /key`."""
    used = ("usage", "usage_daily", "usage_weekly", "usage_monthly")
    unused = ("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly")
    absent = ("limit", "limit_remaining", "limit_reset", "creator_user_id", "expires_at")
    flags = ("is_free_tier", "is_management_key", "is_provisioning_key", "include_byok_in_limit")
    return {
        "data": {
            "label": label,
            **dict.fromkeys(used, number(spent)),
            **dict.fromkeys(unused, 0),
            **dict.fromkeys(absent),
            **dict.fromkeys(flags, False),
            "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
        }
    }


def show_credits(granted: Decimal, spent: Decimal) -> dict[str, object]:
    """The body of `GET /credits`."""
    return {"data": {"total_credits": number(granted), "total_usage": number(spent)}}


def _describe(model: SimulatedModel) -> dict[str, object]:
    inputs = list(model.input_modalities)
    return {
        "id": model.id,
        "canonical_slug": model.id,
        "hugging_face_id": None,
        "name": model.name or model.id,
        "created": _LISTED_AT,
        "description": "Simulated: answers are made up, prices are the catalog's.",
        "context_length": model.context_length,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->text",
            "input_modalities": inputs,
            "output_modalities": ["text"],
            "tokenizer": _TOKENIZERS.get(model.vendor, "Other"),
            "instruct_type": None,
        },
        "pricing": _pricing(model),
        "top_provider": {
            "context_length": model.context_length,
            "max_completion_tokens": model.max_output,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": sorted(supported_parameters(model)),
        "default_parameters": None,
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{model.id}/endpoints"},
    }


def _pricing(model: SimulatedModel) -> dict[str, object]:
    prices = {
        "prompt": model.input_price,
        "completion": model.output_price,
        "request": model.request_price or Decimal(0),
        "image": model.image_price,
        "web_search": Decimal(0),
        "internal_reasoning": model.reasoning_price,
        "input_cache_read": model.cached_input_price,
        "input_cache_write": model.cache_write_price,
    }
    made: dict[str, object] = {
        name: format(price, "f") for name, price in prices.items() if price is not None
    }
    if model.overrides:
        made["overrides"] = [
            {
                key: format(value, "f") if isinstance(value, Decimal) else value
                for key, value in (
                    ("min_prompt_tokens", override.prompt_tokens_min or None),
                    ("utc_start", override.utc_start),
                    ("utc_end", override.utc_end),
                    ("prompt", override.input_price),
                    ("completion", override.output_price),
                    ("input_cache_read", override.cached_input_price),
                    ("input_cache_write", override.cache_write_price),
                )
                if value is not None
            }
            for override in model.overrides
        ]
    return made
