"""How good is each admitted model for this objective?

`rank` gives a key of integers: the lower, the better. It depends on the model, the request and
the stack alone, never on which other models stand beside it: taking away a model that was not
chosen changes nothing, and the order of candidates is irrelevant. First comes what a model
misses (a model that meets every soft target ranks ahead of all that do not), then the ranking
of the cost mode, last the id, so that the order is total.

Money is nano-USD, time milliseconds, shares basis points.
"""

from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.catalog import (
    Basis,
    Catalog,
    Estimate,
    Model,
    estimate_first_token,
    estimate_quality,
    estimate_reliability,
    estimate_throughput,
)
from astrolabe_core.codes import Miss
from astrolabe_core.money import ATTO_PER_NANO, AttoUsd, NanoUsd, round_half_even
from astrolabe_core.pricing import Rates, rates
from astrolabe_core.requests import Complexity, Profile
from astrolabe_core.stacks import CostMode, QualityTarget
from astrolabe_core.units import FULL_BPS, Bps, Instant, Millis, Tokens

QUALITY_FLOOR: Final = {
    QualityTarget.DRAFT: Bps(5_500),
    QualityTarget.STANDARD: Bps(6_500),
    QualityTarget.HIGH: Bps(7_500),
    QualityTarget.CRITICAL: Bps(8_500),
}
"""The quality that each target asks of a model for standard work."""

COMPLEXITY_SURCHARGE: Final = {
    Complexity.SIMPLE: Bps(-500),
    Complexity.STANDARD: Bps(0),
    Complexity.COMPLEX: Bps(700),
    Complexity.CRITICAL: Bps(1_500),
}
"""What harder work adds to the quality asked for."""

# What balanced trades: one point of quality is worth as much as these.
BALANCED_NANO_PER_BPS: Final = 5_000
"""Nano-USD that one basis point of quality may cost: half a thousandth of a dollar a point."""
BALANCED_NANO_PER_MS: Final = 20
"""Nano-USD that one millisecond may cost: two hundred-thousandths of a dollar a second."""


def quality_floor(target: QualityTarget, complexity: Complexity) -> Bps:
    """Give the quality that a model must be thought to have for work this hard."""
    return Bps(QUALITY_FLOOR[target] + COMPLEXITY_SURCHARGE[complexity])


@frozen(kw_only=True)
class Terms:
    """The objective, resolved for one kind of request."""

    cost_mode: CostMode
    quality_floor: Bps
    latency_slo_ms: Millis | None = None
    reliability_target: Bps | None = None
    escalates: bool = False


@frozen(kw_only=True)
class Size:
    """How much one request moves, all choices together, and when."""

    input_tokens: Tokens
    output_tokens: Tokens
    images: int
    at: Instant


def size_of(profile: Profile, at: Instant) -> Size:
    """Give the expected size of a request."""
    return Size(
        input_tokens=profile.input_tokens,
        output_tokens=Tokens(max(1, profile.output_tokens * profile.choices)),
        images=profile.images,
        at=at,
    )


@frozen(kw_only=True)
class Contender:
    """A model with every figure that does not depend on the request's size.

    `preference` is its place in a priority list or rule (0 where none speaks); `reserve` marks
    a model that serves only when the lane's candidates cannot.
    """

    model: Model
    quality: Estimate
    reliability: Estimate
    first_token_ms: int
    tokens_per_second: int
    latency_basis: Basis
    fixed_rates: Rates | None
    preference: int = 0
    reserve: bool = False


def contender(
    catalog: Catalog, model: Model, category: str, *, preference: int = 0, reserve: bool = False
) -> Contender:
    """Look up a model's figures, falling back to its tier's priors where unknown."""
    first_token = estimate_first_token(catalog, model)
    listed = model.retail_price
    return Contender(
        model=model,
        quality=estimate_quality(catalog, model, category),
        reliability=estimate_reliability(catalog, model),
        first_token_ms=first_token.value,
        tokens_per_second=estimate_throughput(catalog, model).value,
        latency_basis=first_token.basis,
        fixed_rates=None if listed.overrides else rates(listed, Tokens(0), Instant(0)),
        preference=preference,
        reserve=reserve,
    )


Key: TypeAlias = tuple[int | str, ...]
"""What ranks models: compared from the left, lower first, never equal for two models."""


@frozen(kw_only=True)
class Score:
    """What one model would cost and take, and what it misses."""

    contender: Contender
    expected_cost: NanoUsd
    latency_ms: Millis
    misses: tuple[Miss, ...]

    @property
    def model(self) -> Model:
        """The model that was scored."""
        return self.contender.model


def rank(candidate: Contender, size: Size, terms: Terms, escalation: AttoUsd) -> Key:
    """Give the key of one model. `escalation` is what the lane's reference would cost."""
    cost = _weighted_cost(candidate, size, terms, escalation)
    quality = candidate.quality.value
    latency = _latency_ms(candidate, size)
    order: tuple[int, int, int]
    match terms.cost_mode:
        case CostMode.LOWEST_PASSABLE | CostMode.FIXED:
            order = (cost, -quality, latency)
        case CostMode.FASTEST_PASSABLE:
            order = (latency, cost, -quality)
        case CostMode.PREMIUM:
            order = (-quality, cost, latency)
        case CostMode.BALANCED:
            order = (cost - _balanced_worth(quality, latency), cost, latency)
    return (
        candidate.reserve,
        *_shortfalls(candidate, latency, terms),
        candidate.preference,
        *order,
        candidate.model.id,
    )


def score(candidate: Contender, size: Size, terms: Terms, escalation: AttoUsd) -> Score:
    """Say what one model would cost and take, and what it misses."""
    latency = _latency_ms(candidate, size)
    _, *gaps = _shortfalls(candidate, latency, terms)
    weighted = _weighted_cost(candidate, size, terms, escalation)
    return Score(
        contender=candidate,
        expected_cost=round_half_even(AttoUsd(weighted // FULL_BPS)),
        latency_ms=Millis(latency),
        misses=tuple(miss for miss, gap in zip(Miss, gaps, strict=True) if gap),
    )


def call_cost(candidate: Contender, size: Size) -> AttoUsd:
    """Give the exact expected cost of one call. The model's price must be known."""
    rate = candidate.fixed_rates or rates(candidate.model.retail_price, size.input_tokens, size.at)
    if rate is None:
        message = f"{candidate.model.id} has no price and should have been rejected"
        raise ValueError(message)
    return AttoUsd(
        size.input_tokens * rate.input
        + size.output_tokens * rate.output
        + size.images * rate.image
        + rate.request
    )


def _weighted_cost(candidate: Contender, size: Size, terms: Terms, escalation: AttoUsd) -> int:
    """Give attos times 10 000: the call, and one escalation by how likely it is. No rounding."""
    call = call_cost(candidate, size) * FULL_BPS
    if not terms.escalates:
        return call
    return call + (FULL_BPS - candidate.quality.value) * escalation


def _latency_ms(candidate: Contender, size: Size) -> int:
    return candidate.first_token_ms + size.output_tokens * 1_000 // candidate.tokens_per_second


def _shortfalls(candidate: Contender, latency: int, terms: Terms) -> tuple[int, int, int, int]:
    """Count the soft targets missed and say by how much: quality, latency, reliability."""
    low = max(0, terms.quality_floor - candidate.quality.value)
    late = 0 if terms.latency_slo_ms is None else max(0, latency - terms.latency_slo_ms)
    weak = (
        0
        if terms.reliability_target is None
        else max(0, terms.reliability_target - candidate.reliability.value)
    )
    return ((low > 0) + (late > 0) + (weak > 0), low, late, weak)


def _balanced_worth(quality: int, latency: int) -> int:
    worth = quality * BALANCED_NANO_PER_BPS - latency * BALANCED_NANO_PER_MS
    return worth * ATTO_PER_NANO * FULL_BPS
