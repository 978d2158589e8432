"""What do the routes that only read answer: health, models, lanes, usage?

The objects that `wire.models`, `usage_page` and the app itself write.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.catalog import Capability, DataPolicy, Modality, Retention, Status
from astrolabe_core.codes import Code, Kind, Unbillable
from astrolabe_core.requests import Category, Surface
from astrolabe_core.usage import UsageGrouping
from astrolabe_http.openapi.headers import REQUEST_ID
from astrolabe_http.openapi.routing import USD
from astrolabe_http.openapi.schema import (
    BOOLEAN,
    NULL,
    STRING,
    Schema,
    any_of,
    array,
    constant,
    count,
    described,
    nullable,
    record,
    ref,
    text,
    whole,
    words,
)

_PRICE: Final = text("Dollars, a decimal string.", pattern=r"^[0-9]+(\.[0-9]+)?$")
_INSTANT: Final = text("ISO 8601 in UTC.", format="date-time")
_PRICES: Final[dict[str, Schema]] = {
    "input": nullable(_PRICE),
    "output": nullable(_PRICE),
    "cached_input": nullable(_PRICE),
    "cache_write": nullable(_PRICE),
    "reasoning": nullable(_PRICE),
    "image": nullable(_PRICE, "For one image."),
    "request": nullable(_PRICE, "For one request."),
}
_LISTED: Final[dict[str, Schema]] = {
    "id": STRING,
    "object": constant("model"),
    "created": whole(),
    "owned_by": STRING,
}


def _listed(items: Schema, says: str) -> Schema:
    return record({"object": constant("list"), "data": array(items)}, says)


_USAGE_ROW: Final = record(
    {
        "id": REQUEST_ID,
        "object": constant("usage"),
        "request_id": REQUEST_ID,
        "at": _INSTANT,
        "key": text("The id of the key."),
        "surface": words(Surface),
        "stream": BOOLEAN,
        "requested_model": STRING,
        "model": nullable(STRING, "The model that answered."),
        "selected_model": nullable(STRING, "The first choice."),
        "stack": nullable(STRING),
        "stack_version": nullable(whole()),
        "category": nullable(words(Category)),
        "decision": nullable(words(Kind)),
        "refusal": nullable(words(Code)),
        "billable": BOOLEAN,
        "unbillable_reason": nullable(words(Unbillable)),
        "attempts": count(),
        "usage": nullable(ref("TokenCounts")),
        "hold_usd": USD,
        "debit_usd": USD,
        "provider_cost_usd": nullable(USD),
        "estimated_cost_usd": nullable(USD),
        "baseline_cost_usd": nullable(USD),
        "savings_usd": nullable(USD),
        "latency_ms": count(),
        "first_token_ms": nullable(count()),
    },
    "How one request ended.",
)
_USAGE_TOTALS: Final = record(
    {
        "object": constant("usage_totals"),
        "group": nullable(STRING, "The model, key, stack, category or UTC day."),
        "requests": count(),
        "billable": count(),
        "input_tokens": count(),
        "output_tokens": count(),
        "debit_usd": USD,
        "provider_cost_usd": USD,
        "savings_usd": USD,
    },
    "The sums of one group.",
)

PAGE_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Health": record({"ok": {"const": True}}, "The process lives."),
    "Readiness": record(
        {
            "ok": BOOLEAN,
            "service": constant("gateway"),
            "mode": words(("live", "simulated"), "Whether real providers answer."),
            "issues": array(STRING, "What keeps the gateway from serving, each by its name."),
        },
        "Whether the gateway can serve.",
    ),
    "ModelList": _listed(any_of(ref("VirtualModel"), ref("ServingModel")), "Models, on one page."),
    "VirtualModel": record(
        {
            **_LISTED,
            "type": constant("virtual"),
            "name": STRING,
            "description": STRING,
            "lane": STRING,
            "candidates": array(STRING),
        },
        "A name that stands for candidates, of which the stack takes one.",
    ),
    "ServingModel": record(
        {
            **_LISTED,
            "type": constant("serving"),
            "name": STRING,
            "description": NULL,
            "lane": NULL,
            "pricing": ref("Pricing"),
            "context_window": count(),
            "max_output_tokens": nullable(count()),
            "modalities": record(
                {"input": array(words(Modality)), "output": array(words(Modality))}
            ),
            "capabilities": array(words(Capability)),
            "data_policy": words(DataPolicy),
            "retention": words(Retention),
            "status": words(Status),
        },
        "A model that answers.",
    ),
    "Pricing": record(
        {**_PRICES, "overrides": array(ref("PriceOverride"), "Of those that apply the last wins.")},
        "What is paid, in dollars for a million tokens; null is not known.",
    ),
    "PriceOverride": record(
        {
            **dict.fromkeys(_PRICES, _PRICE),
            "input_tokens_min": count("From how many tokens of input it applies."),
            "utc_minute_from": count("From which minute of the UTC day."),
            "utc_minute_until": count("Until which, itself not included."),
        },
        "Prices for long prompts, or for a time of the day.",
        optional=_PRICES,
    ),
    "LaneList": _listed(ref("Lane"), "Lanes, on one page."),
    "Lane": record(
        {
            "id": STRING,
            "object": constant("lane"),
            "lane": STRING,
            "virtual_model": STRING,
            "description": STRING,
            "default_candidates": array(STRING),
            "fallback_candidates": array(STRING),
            "trigger_rules": array(STRING),
        },
        "What stands behind a virtual model.",
    ),
    "UsagePage": record(
        {
            "object": constant("list"),
            "group_by": words(UsageGrouping, "Only where rows are summed."),
            "data": any_of(array(ref("UsageRow")), array(ref("UsageTotals"))),
            "has_more": BOOLEAN,
            "next_cursor": nullable(REQUEST_ID, "What `before` takes for the next page."),
        },
        "Rows, newest first, or sums.",
        optional=["group_by"],
    ),
    "UsageRow": _USAGE_ROW,
    "UsageTotals": _USAGE_TOTALS,
    "OpenApi": described(
        record(
            {"openapi": text(pattern=r"^3\.1\.")},
            additionalProperties=True,
        ),
        "This document.",
    ),
}
