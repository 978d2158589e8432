"""What does a provider say that a call used and cost, in either format?

Counts are JSON integers: a string, a boolean, a fraction or a hole makes the usage missing. A
usage that is whole and cannot be true is kept as it is; the core judges it. A cost is a JSON
number of dollars, taken at its shortest exact decimal and rounded half to even at nine digits.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from astrolabe_core.answers import Receipt
from astrolabe_core.money import AMOUNT_MAX, NANO_DIGITS, NanoUsd
from astrolabe_core.units import Tokens
from astrolabe_core.usage import Usage
from astrolabe_http.wire.fields import Object, object_of

_COST_MAX: Final = Decimal(AMOUNT_MAX).scaleb(-NANO_DIGITS)
_TEXT_MAX: Final = 200


def read_chat_usage(value: object) -> Usage | None:
    """Read `usage` as Chat spells it."""
    return _usage(
        value,
        input_key="prompt_tokens",
        output_key="completion_tokens",
        input_details="prompt_tokens_details",
        output_details="completion_tokens_details",
    )


def read_responses_usage(value: object) -> Usage | None:
    """Read `usage` as Responses spells it."""
    return _usage(
        value,
        input_key="input_tokens",
        output_key="output_tokens",
        input_details="input_tokens_details",
        output_details="output_tokens_details",
    )


def read_cost(usage: object) -> NanoUsd | None:
    """Read what the provider charged; `None` where it does not say so credibly."""
    cost = object_of(usage).get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float | Decimal):
        return None
    try:
        exact = Decimal(repr(cost)) if isinstance(cost, float) else Decimal(cost)
        if not exact.is_finite() or exact < 0 or exact > _COST_MAX:
            return None
        scaled = exact.scaleb(NANO_DIGITS).to_integral_value(rounding=ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError):
        return None
    return NanoUsd(int(scaled))


def merge_receipt(
    before: Receipt, payload: Object, usage: Usage | None, reported: object
) -> Receipt:
    """Add what one body, chunk or response says to what is known; the last usage wins."""
    cost = read_cost(reported)
    spoke = isinstance(reported, Mapping)
    return Receipt(
        usage=usage if spoke else before.usage,
        cost=cost if spoke else before.cost,
        generation=_text(payload.get("id")) or before.generation,
        host=_text(payload.get("provider")) or before.host,
    )


def _usage(
    value: object, *, input_key: str, output_key: str, input_details: str, output_details: str
) -> Usage | None:
    if not isinstance(value, Mapping):
        return None
    sent, made = value.get(input_details), value.get(output_details)
    counts = (
        _count(value.get(input_key)),
        _count(value.get(output_key)),
        _part(sent, "cached_tokens"),
        _part(sent, "cache_write_tokens"),
        _part(made, "reasoning_tokens"),
    )
    tokens_in, tokens_out, cached, written, reasoning = counts
    if (
        tokens_in is None
        or tokens_out is None
        or cached is None
        or written is None
        or reasoning is None
    ):
        return None
    return Usage(
        input_tokens=Tokens(tokens_in),
        output_tokens=Tokens(tokens_out),
        cached_input_tokens=Tokens(cached),
        cache_write_tokens=Tokens(written),
        reasoning_tokens=Tokens(reasoning),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _part(details: object, key: str) -> int | None:
    """Read a part that may be left out: absent and null are none of it."""
    if details is None:
        return 0
    if not isinstance(details, Mapping):
        return None
    value = details.get(key)
    return 0 if value is None else _count(value)


def _text(value: object) -> str | None:
    return value[:_TEXT_MAX] if isinstance(value, str) and value else None


def read_record(payload: object, generation: str) -> Receipt | None:
    """Read OpenRouter's own record of a call; `None` where it is not that of this one.

    Billed are the tokens as the model's own tokenizer counts them, which here are called native.
    A record may be there before it is counted: it has no usage then.
    """
    record = object_of(object_of(payload).get("data"))
    if record.get("id") != generation:
        return None
    tokens_in = _count(record.get("native_tokens_prompt"))
    tokens_out = _count(record.get("native_tokens_completion"))
    cached = _part(record, "native_tokens_cached")
    reasoning = _part(record, "native_tokens_reasoning")
    usage = None
    if not (tokens_in is None or tokens_out is None or cached is None or reasoning is None):
        usage = Usage(
            input_tokens=Tokens(tokens_in),
            output_tokens=Tokens(tokens_out),
            cached_input_tokens=Tokens(cached),
            reasoning_tokens=Tokens(reasoning),
        )
    return Receipt(
        usage=usage,
        cost=read_cost({"cost": record.get("total_cost")}),
        generation=generation,
        host=_text(record.get("provider_name")),
    )
