"""How does the provider write down what was consumed?

Two spellings, chat's and Responses', with OpenRouter's `cost`, `cost_details` and `is_byok`. Costs
are JSON numbers with all their digits, never floats of ours. Usage faults act here.
"""

from collections.abc import Mapping
from decimal import Decimal

import orjson

from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.models import ZERO, Bill, Tokens

_ABSURD = 10**15


def number(value: Decimal) -> orjson.Fragment:
    """An exact decimal as a JSON number."""
    return orjson.Fragment(format(value, "f").encode())


def chat_usage(tokens: Tokens, cost: Bill, faults: Faults) -> dict[str, object] | None:
    """`usage` of a chat answer, or None where a fault leaves it out."""
    if "no-usage" in faults:
        return None
    made: dict[str, object] = {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.total,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
    made |= _cost(
        cost, faults, "upstream_inference_prompt_cost", "upstream_inference_completions_cost"
    )
    return _lie(made, faults, "prompt_tokens", "completion_tokens", "prompt_tokens_details")


def responses_usage(tokens: Tokens, cost: Bill, faults: Faults) -> dict[str, object] | None:
    """`usage` of a Responses answer, or None where a fault leaves it out."""
    if "no-usage" in faults:
        return None
    made: dict[str, object] = {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
        },
        "output_tokens": tokens.completion,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }
    made |= _cost(cost, faults, "upstream_inference_input_cost", "upstream_inference_output_cost")
    return _lie(made, faults, "input_tokens", "output_tokens", "input_tokens_details")


def half(tokens: Tokens) -> Tokens:
    """A running count, as if half of the completion had been written."""
    return Tokens(
        tokens.prompt,
        tokens.completion // 2,
        tokens.cached,
        tokens.cache_write,
        tokens.reasoning // 2,
    )


def _cost(cost: Bill, faults: Faults, prompt_key: str, completion_key: str) -> dict[str, object]:
    if "no-cost" in faults:
        return {}
    if "zero-cost" in faults:
        cost = Bill(ZERO, ZERO)
    return {
        "cost": number(cost.total),
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": None,
            prompt_key: number(cost.prompt),
            completion_key: number(cost.completion),
        },
    }


def _lie(
    usage: dict[str, object], faults: Faults, prompt_key: str, completion_key: str, details_key: str
) -> dict[str, object]:
    fault = faults.get("false-usage")
    if fault is None:
        return usage
    prompt, completion = usage[prompt_key], usage[completion_key]
    match fault.word:
        case "absurd":
            return usage | {completion_key: _ABSURD, "total_tokens": _ABSURD}
        case "text":
            return usage | {prompt_key: str(prompt), completion_key: str(completion)}
        case "null":
            return usage | {prompt_key: None, completion_key: None}
        case "fraction":
            return usage | {completion_key: 1.5}
        case "sum":
            return usage | {"total_tokens": 1}
        case "cached":
            details = usage[details_key]
            known = details if isinstance(details, Mapping) else {}
            return usage | {details_key: {**known, "cached_tokens": _ABSURD}}
        case _:
            return usage | {completion_key: -7, "total_tokens": -7}
