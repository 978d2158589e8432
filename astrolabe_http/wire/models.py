"""How do models and lanes look on `GET /v1/models` and `GET /v1/lanes`?

OpenAI's four keys, and beside them what a choice among models needs. Prices are what a caller
pays, in dollars for a million tokens, as decimal strings; what is not known is null, never zero.
"""

from collections.abc import Iterable
from typing import Final

from astrolabe_core.catalog import Model, Prices
from astrolabe_core.money import AttoUsd, price_text, price_text_per_million
from astrolabe_core.virtual import VENDOR, VirtualModel

CREATED: Final = 1_767_225_600
"""2026-01-01: catalogs know no birthday of a model, and OpenAI's clients want a number."""


def model_object(model: Model) -> dict[str, object]:
    """Write a serving model."""
    return {
        "id": model.id,
        "object": "model",
        "created": CREATED,
        "owned_by": model.provider,
        "type": "serving",
        "name": model.name,
        "description": None,
        "lane": None,
        "pricing": _pricing(model),
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "modalities": {
            "input": sorted(each.value for each in model.input_modalities),
            "output": sorted(each.value for each in model.output_modalities),
        },
        "capabilities": sorted(each.value for each in model.capabilities),
        "data_policy": model.data_policy.value,
        "retention": model.retention.value,
        "status": model.status.value,
    }


def virtual_object(virtual: VirtualModel) -> dict[str, object]:
    """Write a virtual model."""
    return {
        "id": virtual.id,
        "object": "model",
        "created": CREATED,
        "owned_by": VENDOR,
        "type": "virtual",
        "name": virtual.name,
        "description": virtual.description,
        "lane": virtual.lane,
        "candidates": list(virtual.candidates),
    }


def list_object(models: Iterable[dict[str, object]]) -> dict[str, object]:
    """Write a list as OpenAI has it, all on one page."""
    return {"object": "list", "data": list(models)}


def lane_object(virtual: VirtualModel) -> dict[str, object]:
    """Write the manifest of a lane."""
    return {
        "id": virtual.lane,
        "object": "lane",
        "lane": virtual.lane,
        "virtual_model": virtual.id,
        "description": virtual.description,
        "default_candidates": list(virtual.candidates),
        "fallback_candidates": list(virtual.fallback_candidates),
        "trigger_rules": list(virtual.trigger_rules),
    }


def _pricing(model: Model) -> dict[str, object]:
    listed = model.retail_price
    return {
        **_prices(listed.base),
        "overrides": [
            {
                **{key: value for key, value in _prices(each.prices).items() if value is not None},
                "input_tokens_min": each.input_tokens_min,
                "utc_minute_from": each.utc_minute_from,
                "utc_minute_until": each.utc_minute_until,
            }
            for each in listed.overrides
        ],
    }


def _prices(prices: Prices) -> dict[str, object]:
    return {
        "input": _per_million(prices.input),
        "output": _per_million(prices.output),
        "cached_input": _per_million(prices.cached_input),
        "cache_write": _per_million(prices.cache_write),
        "reasoning": _per_million(prices.reasoning),
        "image": None if prices.image is None else price_text(prices.image),
        "request": None if prices.request is None else price_text(prices.request),
    }


def _per_million(price: AttoUsd | None) -> str | None:
    return None if price is None else price_text_per_million(price)
