"""How do models and lanes look to a caller?

Written once for each catalog, as the bytes that are sent: OpenAI's four fields first, then what
this gateway knows beyond them. Prices are retail, US dollars for a million tokens, as decimal
strings; a price that is not known is null and never zero.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import orjson

from astrolabe_core.catalog import Catalog, Model, Prices
from astrolabe_core.money import AttoUsd, price_text_per_million
from astrolabe_core.virtual import VENDOR, VirtualModel, find_virtual


class View(StrEnum):
    """Which part of the list is wanted."""

    ALL = "all"
    VIRTUAL = "virtual"
    SERVING = "serving"


class Listing:
    """Everything that `/v1/models` and `/v1/lanes` answer, for one catalog."""

    def __init__(self, catalog: Catalog, virtual_models: tuple[VirtualModel, ...]) -> None:
        created = _created(catalog)
        serving = {model.id: _serving(model, created) for model in catalog.models}
        virtual = {model.id: _virtual(model, created) for model in virtual_models}
        self._virtual_models = virtual_models
        self._one: dict[str, bytes] = {
            name: orjson.dumps(entry) for name, entry in {**virtual, **serving}.items()
        }
        self.pages: Mapping[View, bytes] = {
            View.ALL: _page((*virtual.values(), *serving.values())),
            View.VIRTUAL: _page(virtual.values()),
            View.SERVING: _page(serving.values()),
        }
        self.lanes = _page(_lane(model) for model in virtual_models)

    def model(self, name: str) -> bytes | None:
        """Give one model by its id; a virtual one by its short form, too."""
        virtual = find_virtual(self._virtual_models, name)
        return self._one.get(name if virtual is None else virtual.id)


def _page(entries: Iterable[object]) -> bytes:
    return orjson.dumps({"object": "list", "data": list(entries)})


def _created(catalog: Catalog) -> int:
    """Give the day that the catalog is named after: no model tells when it was made."""
    try:
        return int(
            datetime.strptime(catalog.version[:10], "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
        )
    except ValueError:
        return 0


def _serving(model: Model, created: int) -> dict[str, object]:
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": model.provider,
        "type": "serving",
        "name": model.name,
        "description": None,
        "lane": None,
        "pricing": _pricing(model.retail_price.base),
        "context_window": model.context_window,
        "max_output_tokens": model.output_tokens_max,
        "modalities": {
            "input": sorted(each.value for each in model.input_modalities),
            "output": sorted(each.value for each in model.output_modalities),
        },
        "capabilities": sorted(each.value for each in model.capabilities),
        "data_policy": model.data_policy.value,
        "retention": model.retention.value,
        "status": model.status.value,
    }


def _virtual(model: VirtualModel, created: int) -> dict[str, object]:
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": VENDOR,
        "type": "virtual",
        "name": model.name,
        "description": model.description,
        "lane": model.lane,
        "candidates": model.candidates,
    }


_PRICED: Final = (
    "input",
    "output",
    "cached_input",
    "cache_write",
    "reasoning",
)


def _pricing(prices: Prices) -> dict[str, object]:
    """Write prices for a million tokens; an image and a request have no million."""
    made: dict[str, object] = {"currency": "USD", "unit": "million_tokens"}
    for name in _PRICED:
        value: AttoUsd | None = getattr(prices, name)
        made[name] = None if value is None else price_text_per_million(value)
    return made


def _lane(model: VirtualModel) -> dict[str, object]:
    return {
        "id": model.lane,
        "object": "lane",
        "lane": model.lane,
        "virtual_model": model.id,
        "name": model.name,
        "description": model.description,
        "default_candidates": model.candidates,
        "fallback_candidates": model.fallback_candidates,
        "trigger_rules": model.trigger_rules,
    }
