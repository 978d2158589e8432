"""Which models does the simulator sell when it sells the catalog's?

Every model whose input and output prices are known, at its provider price: what the upstream would
charge, not what the gateway's customers pay. A host may keep or train on prompts unless the catalog
says it does not.
"""

from decimal import Decimal

from astrolabe_core.catalog import Capability, Catalog, DataPolicy, Model, PriceOverride, Retention
from astrolabe_core.money import AttoUsd, price_text
from astrolabe_http.simulator import models as simulated

_DAY_MINUTES = 1_440


def from_catalog(catalog: Catalog) -> tuple[simulated.SimulatedModel, ...]:
    """The catalog's priced models, in its order."""
    made = (_simulate(model) for model in catalog.models)
    return tuple(model for model in made if model is not None)


def _simulate(model: Model) -> simulated.SimulatedModel | None:
    prices = model.provider_price.base
    input_price, output_price = _usd(prices.input), _usd(prices.output)
    if input_price is None or output_price is None:
        return None
    return simulated.SimulatedModel(
        id=model.id,
        name=model.name,
        context_length=model.context_window,
        max_output=model.output_tokens_max,
        input_price=input_price,
        output_price=output_price,
        cached_input_price=_usd(prices.cached_input),
        cache_write_price=_usd(prices.cache_write),
        reasoning_price=_usd(prices.reasoning),
        image_price=_usd(prices.image),
        request_price=_usd(prices.request),
        overrides=tuple(_override(override) for override in model.provider_price.overrides),
        input_modalities=tuple(sorted(model.input_modalities)),
        supports_tools=Capability.TOOLS in model.capabilities,
        supports_structured_outputs=Capability.STRUCTURED_OUTPUT in model.capabilities,
        supports_reasoning=Capability.REASONING in model.capabilities,
        collects_data=model.data_policy is not DataPolicy.NO_TRAINING,
        zero_retention=model.retention is Retention.ZERO,
    )


def _override(override: PriceOverride) -> simulated.PriceOverride:
    whole_day = override.utc_minute_from == 0 and override.utc_minute_until == _DAY_MINUTES
    return simulated.PriceOverride(
        prompt_tokens_min=override.input_tokens_min,
        utc_start=None if whole_day else _hhmm(override.utc_minute_from),
        utc_end=None if whole_day else _hhmm(override.utc_minute_until),
        input_price=_usd(override.prices.input),
        output_price=_usd(override.prices.output),
        cached_input_price=_usd(override.prices.cached_input),
        cache_write_price=_usd(override.prices.cache_write),
        reasoning_price=_usd(override.prices.reasoning),
    )


def _hhmm(minute: int) -> int:
    return minute // 60 * 100 + minute % 60


def _usd(price: AttoUsd | None) -> Decimal | None:
    return None if price is None else Decimal(price_text(price))
