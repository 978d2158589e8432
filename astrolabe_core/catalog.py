"""Which models are there, what can each do, and what does each cost?

A `Catalog` is data with a version: models sorted by id, and for each tier the prior that
stands in where a figure is not publicly known. `estimate_*` answer "how good, how fast, how
reliable" and say on what the answer rests. `flaws` judges a catalog, `changes_to_confirm`
compares one with the last. Prices are attos of a dollar for one unit.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from attrs import field, fields, frozen

from astrolabe_core.money import AttoUsd, price, price_text
from astrolabe_core.units import FULL_BPS, Bps, Millis, ModelId, ProviderId, Tokens


class Capability(StrEnum):
    """Something a model can do that a request may need."""

    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel_tools"
    STRUCTURED_OUTPUT = "structured_output"
    VISION = "vision"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    REASONING = "reasoning"
    LONG_CONTEXT = "long_context"
    STREAMING = "streaming"
    PROMPT_CACHING = "prompt_caching"


class Modality(StrEnum):
    """A form that input or output takes."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"


class DataPolicy(StrEnum):
    """What the provider may do with prompts. Unknown counts as training."""

    NO_TRAINING = "no_training"
    TRAINING = "training"
    UNKNOWN = "unknown"


class Retention(StrEnum):
    """How long the provider keeps prompts. Unknown counts as standard."""

    ZERO = "zero"
    LIMITED = "limited"
    STANDARD = "standard"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Whether a model may be chosen at all."""

    ACTIVE = "active"
    PREVIEW = "preview"
    DEPRECATED = "deprecated"


class Tier(StrEnum):
    """The price and quality class of a model; owner of the priors."""

    ECONOMY = "economy"
    STANDARD = "standard"
    PREMIUM = "premium"
    FRONTIER = "frontier"


class Basis(StrEnum):
    """On what an estimate rests."""

    CATALOG = "catalog"
    PRIOR = "prior"


@frozen(kw_only=True)
class Prices:
    """What one unit costs, in attos of a dollar; `None` is not known, and not free.

    `cached_input` and `cache_write` price parts of the input, `reasoning` a part of the
    output; where one is `None` the whole it belongs to is the price. `image` and `request`
    are charged beside tokens and are zero where `None`.
    """

    input: AttoUsd | None = None
    output: AttoUsd | None = None
    cached_input: AttoUsd | None = None
    cache_write: AttoUsd | None = None
    reasoning: AttoUsd | None = None
    image: AttoUsd | None = None
    request: AttoUsd | None = None


@frozen(kw_only=True)
class PriceOverride:
    """Prices that replace the base ones for long prompts or within a daily UTC window.

    Applies from `input_tokens_min` tokens of input, and between the two minutes of the UTC
    day (`until` exclusive; a window may wrap midnight). Absent prices keep the base.
    """

    prices: Prices
    input_tokens_min: Tokens = Tokens(0)
    utc_minute_from: int = 0
    utc_minute_until: int = 1_440


@frozen(kw_only=True)
class PriceList:
    """Base prices and what overrides them; of overrides that apply the last one wins."""

    base: Prices
    overrides: tuple[PriceOverride, ...] = ()


@frozen(kw_only=True)
class TierPrior:
    """What is assumed of a model of this tier where nothing is published, and why."""

    quality: Bps
    first_token_ms: Millis
    tokens_per_second: int
    reliability: Bps
    source: str


@frozen(kw_only=True)
class Model:
    """One serving model. `sources` names where each figure comes from."""

    id: ModelId
    name: str
    tier: Tier
    context_window: Tokens
    retail_price: PriceList
    provider_price: PriceList
    max_output_tokens: Tokens | None = None
    status: Status = Status.ACTIVE
    input_modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    output_modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    capabilities: frozenset[Capability] = frozenset()
    data_policy: DataPolicy = DataPolicy.UNKNOWN
    retention: Retention = Retention.UNKNOWN
    quality: Mapping[str, Bps] = field(factory=dict, hash=False)
    first_token_ms: Millis | None = None
    tokens_per_second: int | None = None
    reliability: Bps | None = None
    sources: Mapping[str, str] = field(factory=dict, hash=False, repr=False)

    @property
    def provider(self) -> ProviderId:
        """The vendor prefix of the id."""
        return provider_of(self.id)

    @property
    def output_tokens_max(self) -> Tokens:
        """The longest answer: what is published, else the whole window."""
        return self.context_window if self.max_output_tokens is None else self.max_output_tokens


def provider_of(model: ModelId) -> ProviderId:
    """Give the vendor prefix of a model's id."""
    return ProviderId(model.partition("/")[0])


def _by_id(models: Iterable[Model]) -> tuple[Model, ...]:
    return tuple(sorted(models, key=lambda model: model.id))


@frozen(kw_only=True, cache_hash=True)
class Catalog:
    """All serving models of one version, sorted by id, and the tiers' priors."""

    version: str
    models: tuple[Model, ...] = field(converter=_by_id)
    priors: Mapping[Tier, TierPrior] = field(hash=False)

    def model(self, model_id: str) -> Model | None:
        """Find a serving model by its exact id."""
        return next((model for model in self.models if model.id == model_id), None)


@frozen
class Estimate:
    """A figure and what it rests on."""

    value: int
    basis: Basis


def estimate_quality(catalog: Catalog, model: Model, category: str) -> Estimate:
    """Give the share, in basis points, of such requests that the model is thought to pass."""
    known = model.quality.get(category)
    if known is None:
        return Estimate(catalog.priors[model.tier].quality, Basis.PRIOR)
    return Estimate(known, Basis.CATALOG)


def estimate_first_token(catalog: Catalog, model: Model) -> Estimate:
    """Give the milliseconds to the first token."""
    if model.first_token_ms is None:
        return Estimate(catalog.priors[model.tier].first_token_ms, Basis.PRIOR)
    return Estimate(model.first_token_ms, Basis.CATALOG)


def estimate_throughput(catalog: Catalog, model: Model) -> Estimate:
    """Give the output tokens a second."""
    if model.tokens_per_second is None:
        return Estimate(catalog.priors[model.tier].tokens_per_second, Basis.PRIOR)
    return Estimate(model.tokens_per_second, Basis.CATALOG)


def estimate_reliability(catalog: Catalog, model: Model) -> Estimate:
    """Give the share, in basis points, of calls that end without a provider fault."""
    if model.reliability is None:
        return Estimate(catalog.priors[model.tier].reliability, Basis.PRIOR)
    return Estimate(model.reliability, Basis.CATALOG)


@frozen(kw_only=True)
class Flaw:
    """Something that keeps a catalog from serving: where it is and what is wrong."""

    path: str
    message: str


PRICE_CEILING: Final = price("0.01")
"""No token costs a cent: a figure above is taken for one for a million tokens."""

REQUIRED_PRICES: Final = ("input", "output")


def flaws(catalog: Catalog) -> tuple[Flaw, ...]:
    """Find everything that forbids serving from this catalog; empty when it is sound."""
    return tuple(_flaws(catalog))


def _flaws(catalog: Catalog) -> Iterator[Flaw]:
    if not catalog.models:
        yield Flaw(path="models", message="a catalog needs at least one model")
    seen: set[str] = set()
    for model in catalog.models:
        if model.id in seen:
            yield Flaw(path=f"models.{model.id}", message="this id stands twice")
        seen.add(model.id)
        vendor, _, name = model.id.partition("/")
        if not vendor or not name or vendor == "astrolabe":
            message = "an id is vendor/name, and the vendor astrolabe is kept for virtual models"
            yield Flaw(path=f"models.{model.id}.id", message=message)
        if model.tier not in catalog.priors:
            yield Flaw(path=f"tierPriors.{model.tier}", message="this tier has no prior")
        yield from _model_flaws(model)


def _model_flaws(model: Model) -> Iterator[Flaw]:
    where = f"models.{model.id}"
    if model.context_window <= 0:
        yield Flaw(path=f"{where}.contextWindow", message="must be above zero")
    if not 0 < model.output_tokens_max <= model.context_window:
        message = "must be above zero and at most the context window"
        yield Flaw(path=f"{where}.maxOutputTokens", message=message)
    for label, prices in (
        ("retailPrice", model.retail_price),
        ("providerPrice", model.provider_price),
    ):
        yield from _price_flaws(f"{where}.{label}", prices)
    for category, quality in model.quality.items():
        if not 0 <= quality <= FULL_BPS:
            path = f"{where}.qualityBps.{category}"
            yield Flaw(path=path, message="must be between 0 and 10000")
    if model.tokens_per_second is not None and model.tokens_per_second <= 0:
        yield Flaw(path=f"{where}.tokensPerSecond", message="must be above zero")


def _price_flaws(where: str, listed: PriceList) -> Iterator[Flaw]:
    for name in REQUIRED_PRICES:
        if getattr(listed.base, name) is None:
            yield Flaw(path=f"{where}.{name}", message="a price is missing: unknown is not free")
    for prices in (listed.base, *(override.prices for override in listed.overrides)):
        for name, value in _known(prices):
            if value < 0:
                yield Flaw(path=f"{where}.{name}", message="a price is never negative")
            elif value > PRICE_CEILING and name not in {"image", "request"}:
                message = (
                    f"{price_text(value)} USD for one token is above the ceiling of "
                    f"{price_text(PRICE_CEILING)}: is it a price for a million?"
                )
                yield Flaw(path=f"{where}.{name}", message=message)


@frozen(kw_only=True)
class PriceChange:
    """A price that moved further than may happen unconfirmed."""

    path: str
    before: AttoUsd
    after: AttoUsd


def changes_to_confirm(
    before: Catalog, after: Catalog, *, factor: int = 3
) -> tuple[PriceChange, ...]:
    """Find prices that jumped by more than `factor`, up or down, between two catalogs."""
    return tuple(
        PriceChange(path=path, before=old, after=new)
        for path, old, new in _moved(before, after)
        if new > old * factor or new * factor < old
    )


def _moved(before: Catalog, after: Catalog) -> Iterator[tuple[str, AttoUsd, AttoUsd]]:
    for model in after.models:
        last = before.model(model.id)
        if last is not None:
            where = f"models.{model.id}"
            yield from _repriced(f"{where}.retailPrice", last.retail_price, model.retail_price)
            yield from _repriced(
                f"{where}.providerPrice", last.provider_price, model.provider_price
            )


def _repriced(
    where: str, before: PriceList, after: PriceList
) -> Iterator[tuple[str, AttoUsd, AttoUsd]]:
    yield from _compared(where, (before.base, before.base), (after.base, after.base))
    # An override that is new, or gone, is compared with the base prices that it replaces.
    was, now = ({_occasion(each): each.prices for each in of.overrides} for of in (before, after))
    for index, occasion in enumerate({**now, **was}):
        yield from _compared(
            f"{where}.overrides[{index}]",
            (was.get(occasion, Prices()), before.base),
            (now.get(occasion, Prices()), after.base),
        )


def _occasion(override: PriceOverride) -> tuple[int, int, int]:
    return (override.input_tokens_min, override.utc_minute_from, override.utc_minute_until)


def _compared(
    where: str, before: tuple[Prices, Prices], after: tuple[Prices, Prices]
) -> Iterator[tuple[str, AttoUsd, AttoUsd]]:
    """Compare what is charged, wherever one side names a price of its own."""
    for name in dict((*_known(before[0]), *_known(after[0]))):
        old, new = _charged(name, *before), _charged(name, *after)
        if old is not None and new is not None and old != new:
            yield f"{where}.{name}", old, new


_WHOLE: Final = {"cached_input": "input", "cache_write": "input", "reasoning": "output"}
_FREE_UNLESS_NAMED: Final = frozenset({"image", "request"})


def _charged(name: str, own: Prices, base: Prices) -> AttoUsd | None:
    for prices in (own, base):
        value = dict(_known(prices)).get(name)
        if value is not None:
            return value
    if name in _FREE_UNLESS_NAMED:
        return AttoUsd(0)
    return _charged(_WHOLE[name], own, base) if name in _WHOLE else None


def _known(prices: Prices) -> Iterator[tuple[str, AttoUsd]]:
    for attribute in fields(Prices):
        value: AttoUsd | None = getattr(prices, attribute.name)
        if value is not None:
            yield attribute.name, value
