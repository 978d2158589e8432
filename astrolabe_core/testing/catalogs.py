"""Which catalogs can there be? With gaps and overrides in prices, ties, and lanes with reserves.

Figures come from few values, so that models often tie or differ by one unit, and vendors have
names of which one begins another.
"""

from itertools import product
from typing import Final, Never, TypeVar

from hypothesis import strategies as st

from astrolabe_core.catalog import (
    Capability,
    Catalog,
    DataPolicy,
    Modality,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    Retention,
    Status,
    Tier,
    TierPrior,
)
from astrolabe_core.money import ATTO_PER_NANO, AttoUsd
from astrolabe_core.requests import Category
from astrolabe_core.units import Bps, Millis, ModelId, Tokens
from astrolabe_core.virtual import VirtualModel

T = TypeVar("T")

VENDORS: Final = ("acme", "acmex", "bolt")
"""One is the beginning of another: a prefix is not a vendor."""
NAMES: Final = ("one", "two", "three")
PRIORS: Final = {
    tier: TierPrior(
        quality=Bps(6_500 + 800 * step),
        first_token_ms=Millis(400 + 300 * step),
        tokens_per_second=120 - 25 * step,
        reliability=Bps(9_900),
        source="assumed for tests",
    )
    for step, tier in enumerate(Tier)
}
_RATES: Final = (
    *(AttoUsd(nanos * ATTO_PER_NANO) for nanos in (0, 140, 1_000, 3_000, 15_000)),
    *(AttoUsd(attos) for attos in (1, 140 * ATTO_PER_NANO + 1, 435_500_000_000)),
)
_NOTHING: Final[st.SearchStrategy[frozenset[Never]]] = st.just(frozenset())
_QUALITIES: Final = (5_000, 6_499, 6_500, 6_501, 7_000, 7_600, 7_700, 8_600, 9_000, 9_200)


def rarely(
    strategy: st.SearchStrategy[T], otherwise: st.SearchStrategy[T], *, one_in: int = 5
) -> st.SearchStrategy[T]:
    """Draw from the first strategy once in a while, and else from the other."""
    return st.sampled_from([*[otherwise] * (one_in - 1), strategy]).flatmap(lambda chosen: chosen)


def seldom(*values: T, one_in: int = 5) -> st.SearchStrategy[T | None]:
    """Draw `None`, but once in a while one of the values."""
    return st.sampled_from([*[None] * ((one_in - 1) * len(values)), *values])


def _most(items: tuple[T, ...]) -> st.SearchStrategy[frozenset[T]]:
    """Draw nearly all: at most two are left out, and usually none."""
    left_out = st.frozensets(st.sampled_from(items), min_size=1, max_size=2)
    return rarely(left_out, _NOTHING, one_in=4).map(lambda gone: frozenset(items) - gone)


_KNOWN: Final = tuple(
    Prices(input=AttoUsd(input_), output=AttoUsd(output), **parts)
    for input_ in _RATES
    for output in _RATES
    for parts in (
        {},
        {},
        {"cached_input": AttoUsd(14 * 10**9), "cache_write": AttoUsd(4 * 10**12)},
        {"reasoning": AttoUsd(16 * 10**12)},
        {"image": AttoUsd(10**15), "request": AttoUsd(1)},
    )
)
_UNKNOWN: Final = (Prices(), Prices(input=AttoUsd(1)), Prices(output=AttoUsd(1)))


def prices() -> st.SearchStrategy[Prices]:
    """Draw base prices: input and output known but once in a while, the rest now and then."""
    return rarely(st.sampled_from(_UNKNOWN), st.sampled_from(_KNOWN), one_in=12)


_OVERRIDES: Final = tuple(
    PriceOverride(
        prices=charged,
        input_tokens_min=Tokens(least),
        utc_minute_from=begin,
        utc_minute_until=end,
    )
    for charged in (
        Prices(input=AttoUsd(1)),
        Prices(input=AttoUsd(6 * 10**12)),
        Prices(output=AttoUsd(20 * 10**12), cached_input=AttoUsd(7 * 10**12)),
        Prices(),
    )
    for least in (0, 10, 1_000, 200_000)
    for begin, end in ((0, 1_440), (0, 1_440), (480, 481), (481, 480), (470, 60))
)


def price_lists() -> st.SearchStrategy[PriceList]:
    """Draw base prices; one model in four has overrides by length, by hour, or by both."""
    several = st.lists(st.sampled_from(_OVERRIDES), min_size=1, max_size=2).map(tuple)
    return st.builds(PriceList, base=prices(), overrides=rarely(several, st.just(()), one_in=4))


_POLICIES: Final = (
    *[(Status.ACTIVE, DataPolicy.NO_TRAINING, Retention.ZERO)] * 36,
    *[(Status.PREVIEW, DataPolicy.NO_TRAINING, Retention.LIMITED)] * 6,
    *product((Status.ACTIVE, Status.PREVIEW), DataPolicy, Retention),
    *product((Status.DEPRECATED,), DataPolicy, (Retention.ZERO, Retention.UNKNOWN)),
)
_PACES: Final = tuple(
    product(
        (None, Millis(200), Millis(500), Millis(501)),
        (None, 1, 50, 100),
        (None, Bps(9_000), Bps(9_900), Bps(9_990)),
    )
)


@st.composite
def models(draw: st.DrawFn, model_id: str) -> Model:
    """Draw a serving model of that id."""
    status, data_policy, retention = draw(st.sampled_from(_POLICIES))
    first_token_ms, tokens_per_second, reliability = draw(st.sampled_from(_PACES))
    quality = draw(st.sampled_from((None, *_QUALITIES)))
    charged = draw(price_lists())
    return Model(
        id=ModelId(model_id),
        name=model_id,
        tier=draw(st.sampled_from(Tier)),
        context_window=draw(st.sampled_from(_WINDOWS)),
        max_output_tokens=draw(seldom(Tokens(1), Tokens(300), Tokens(600))),
        retail_price=charged,
        provider_price=charged,
        status=status,
        input_modalities=draw(_most(tuple(Modality))) | {Modality.TEXT},
        capabilities=draw(_most(tuple(Capability))),
        data_policy=data_policy,
        retention=retention,
        quality={} if quality is None else dict.fromkeys(Category, Bps(quality)),
        first_token_ms=first_token_ms,
        tokens_per_second=tokens_per_second,
        reliability=reliability,
    )


_WINDOWS: Final = tuple(Tokens(size) for size in (600, 8_000, 128_000, 1_000_000, 1_000_000))


@st.composite
def catalogs(draw: st.DrawFn, *, size_min: int = 3, size_max: int = 6) -> Catalog:
    """Draw a catalog of a few models by vendors whose names begin alike."""
    ids = [f"{vendor}/{name}" for vendor in VENDORS for name in NAMES]
    chosen = draw(st.lists(st.sampled_from(ids), min_size=size_min, max_size=size_max, unique=True))
    return Catalog(
        version="drawn", models=tuple(draw(models(each)) for each in chosen), priors=PRIORS
    )


@st.composite
def virtual_models(draw: st.DrawFn, catalog: Catalog) -> tuple[VirtualModel, ...]:
    """Draw the lanes `auto` and `coding`: candidates, reserves, a reference now and then gone."""
    ids = [model.id for model in catalog.models]
    lanes = []
    for lane in ("auto", "coding"):
        order = draw(st.permutations(ids))
        reserves = draw(st.integers(0, min(2, len(ids) - 1)))
        lanes.append(
            VirtualModel(
                id=ModelId(f"astrolabe/{lane}"),
                lane=lane,
                name=lane,
                description="drawn",
                candidates=tuple(order[reserves:]),
                fallback_candidates=tuple(order[:reserves]),
                reference=draw(st.sampled_from([*ids, *ids, ModelId("gone/away")])),
            )
        )
    return tuple(lanes)
