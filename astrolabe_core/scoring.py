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
from astrolabe_core.money import ATTO_PER_NANO, ZERO, AttoUsd, NanoUsd, round_half_even
from astrolabe_core.pricing import Rates, dearest_rates, rates
from astrolabe_core.requests import Complexity, Profile
from astrolabe_core.stacks import CostMode, QualityTarget
from astrolabe_core.units import FULL_BPS, Bps, Instant, Millis, Tokens

QUALITY_FLOOR: Final = {
    QualityTarget.DRAFT: Bps(5_500),
    QualityTarget.STANDARD: Bps(7_000),
    QualityTarget.HIGH: Bps(7_700),
    QualityTarget.CRITICAL: Bps(8_600),
}
"""The quality that each target asks of a model for standard work."""

COMPLEXITY_SURCHARGE: Final = {
    Complexity.SIMPLE: Bps(-500),
    Complexity.STANDARD: Bps(0),
    Complexity.COMPLEX: Bps(600),
    Complexity.CRITICAL: Bps(900),
}
"""What harder work adds to the quality asked for."""

QUALITY_FLOOR_MAX: Final = Bps(9_000)
"""No floor is above what the best tier is assumed to reach."""

# What balanced trades: one point of quality is worth as much as these.
BALANCED_NANO_PER_BPS: Final = 5_000
"""Nano-USD that one basis point of quality may cost: half a thousandth of a dollar a point."""
BALANCED_NANO_PER_MS: Final = 20
"""Nano-USD that one millisecond may cost: two hundred-thousandths of a dollar a second."""


def quality_floor(target: QualityTarget, complexity: Complexity) -> Bps:
    """Give the quality that a model must be thought to have for work this hard."""
    asked = QUALITY_FLOOR[target] + COMPLEXITY_SURCHARGE[complexity]
    return Bps(min(asked, QUALITY_FLOOR_MAX))


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


@frozen(kw_only=True, eq=False)
class Contender:
    """A model with every figure that does not depend on the request's size. By identity.

    `preference` is its place in a priority list or rule (0 where none speaks); `reserve` marks
    a model that serves only when the lane's candidates cannot. `fixed_rates` are its prices
    where they hold for every size and hour, and `dearest_rates` bound them where they do not.
    """

    model: Model
    quality: Estimate
    reliability: Estimate
    first_token_ms: int
    tokens_per_second: int
    latency_basis: Basis
    fixed_rates: Rates | None
    dearest_rates: Rates
    preference: int = 0
    reserve: bool = False


def contender(
    catalog: Catalog, model: Model, category: str, *, preference: int = 0, reserve: bool = False
) -> Contender | None:
    """Look up a model's figures, falling back to its tier's priors; `None` without a price."""
    listed = model.retail_price
    dearest = dearest_rates(listed)
    if dearest is None:
        return None
    first_token = estimate_first_token(catalog, model)
    return Contender(
        model=model,
        quality=estimate_quality(catalog, model, category),
        reliability=estimate_reliability(catalog, model),
        first_token_ms=first_token.value,
        tokens_per_second=estimate_throughput(catalog, model).value,
        latency_basis=first_token.basis,
        fixed_rates=None if listed.overrides else dearest,
        dearest_rates=dearest,
        preference=preference,
        reserve=reserve,
    )


Key: TypeAlias = tuple[tuple[int, ...], int, int, tuple[int | str, ...]]
"""What ranks models: what is missed, the figures of the cost mode, and what breaks a tie.

Compared from the left, lower first, never equal for two models.
"""


@frozen(kw_only=True)
class Score:
    """What one model would cost and take, and what it misses.

    `expected_cost` covers the call, one escalation by how likely it is, and the verifier.
    """

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
    return appraise(candidate, size, terms, escalation)[0]


def score(
    candidate: Contender,
    size: Size,
    terms: Terms,
    escalation: AttoUsd,
    verifier_cost: NanoUsd = ZERO,
) -> Score:
    """Say what one model would cost and take, and what it misses."""
    return appraise(candidate, size, terms, escalation, verifier_cost)[1]


def appraise(
    candidate: Contender,
    size: Size,
    terms: Terms,
    escalation: AttoUsd,
    verifier_cost: NanoUsd = ZERO,
) -> tuple[Key, Score]:
    """Give key and score of one model, from the same figures.

    The verifier costs as much whoever answers: it is in the score, and ranks nobody.
    """
    weighted = weighted_cost(candidate, size, terms, escalation)
    quality = candidate.quality.value
    latency = latency_ms(candidate, size)
    misses = _shortfalls(candidate, latency, terms)
    first, second = weighted, 0
    match terms.cost_mode:
        case CostMode.LOWEST_PASSABLE | CostMode.FIXED:
            pass
        case CostMode.FASTEST_PASSABLE:
            first, second = latency, weighted
        case CostMode.PREMIUM:
            first, second = -quality, weighted
        case CostMode.BALANCED:
            first = weighted - _balanced_worth(quality, latency)
    key = (
        (candidate.reserve, *misses, candidate.preference),
        first,
        second,
        tie_break(candidate),
    )
    scored = Score(
        contender=candidate,
        expected_cost=NanoUsd(round_half_even(AttoUsd(weighted // FULL_BPS)) + verifier_cost),
        latency_ms=Millis(latency),
        misses=_named(misses) if misses[0] else (),
    )
    return key, scored


def _named(misses: tuple[int, int, int, int]) -> tuple[Miss, ...]:
    _, *gaps = misses
    return tuple(miss for miss, gap in zip(Miss, gaps, strict=True) if gap)


def lead(candidate: Contender, latency: int, terms: Terms) -> tuple[int, ...]:
    """Give what ranks before any figure: reserves last, then misses, then preference."""
    return (candidate.reserve, *_shortfalls(candidate, latency, terms), candidate.preference)


def tie_break(candidate: Contender) -> tuple[int | str, ...]:
    """Give what ranks models of equal figures: better, sooner, then by id."""
    return (
        -candidate.quality.value,
        candidate.first_token_ms,
        -candidate.tokens_per_second,
        candidate.model.id,
    )


Row: TypeAlias = tuple[int, int, int, int, int, int, Contender]
"""A contender as integers: lead, four rates, tie break. The last two alone are never equal."""


def cheapest_rows(contenders: tuple[Contender, ...], terms: Terms) -> tuple[Row, ...] | None:
    """Lay contenders out for `cheapest_first`, or `None` where cost alone does not rank them.

    Lead and tie break do not depend on the size here, so their order becomes one integer each.
    """
    by_cost = terms.cost_mode in {CostMode.LOWEST_PASSABLE, CostMode.FIXED}
    if not by_cost or terms.escalates or terms.latency_slo_ms is not None:
        return None
    leads = sorted({lead(candidate, 0, terms) for candidate in contenders})
    ties = sorted(tie_break(candidate) for candidate in contenders)
    rows: list[Row] = []
    for candidate in contenders:
        rate = candidate.fixed_rates
        if rate is None:
            return None
        rows.append(
            (
                leads.index(lead(candidate, 0, terms)),
                rate.input,
                rate.output,
                rate.image,
                rate.request,
                ties.index(tie_break(candidate)),
                candidate,
            )
        )
    return tuple(rows)


def cheapest_first(rows: tuple[Row, ...], size: Size, places: int | None) -> list[Contender]:
    """Rank as `rank` does where cost alone decides: the same order in a tenth of the time."""
    inputs, outputs, images = size.input_tokens, size.output_tokens, size.images
    keys = [
        (first, inputs * input_ + outputs * output + images * image + request, tie, who)
        for first, input_, output, image, request, tie, who in rows
    ]
    keys.sort()
    return [key[3] for key in keys[:places]]


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


def weighted_cost(candidate: Contender, size: Size, terms: Terms, escalation: AttoUsd) -> int:
    """Give attos times 10 000: the call, and one escalation by how likely it is. No rounding."""
    call = call_cost(candidate, size) * FULL_BPS
    if not terms.escalates:
        return call
    return call + (FULL_BPS - candidate.quality.value) * escalation


def latency_ms(candidate: Contender, size: Size) -> int:
    """Give the expected milliseconds to the last token."""
    return candidate.first_token_ms + size.output_tokens * 1_000 // candidate.tokens_per_second


def _shortfalls(candidate: Contender, latency: int, terms: Terms) -> tuple[int, int, int, int]:
    """Count the soft targets missed and say by how much: quality, latency, reliability."""
    low = late = weak = 0
    if candidate.quality.value < terms.quality_floor:
        low = terms.quality_floor - candidate.quality.value
    if terms.latency_slo_ms is not None and latency > terms.latency_slo_ms:
        late = latency - terms.latency_slo_ms
    if terms.reliability_target is not None:
        weak = max(0, terms.reliability_target - candidate.reliability.value)
    return ((low > 0) + (late > 0) + (weak > 0), low, late, weak)


def _balanced_worth(quality: int, latency: int) -> int:
    worth = quality * BALANCED_NANO_PER_BPS - latency * BALANCED_NANO_PER_MS
    return worth * ATTO_PER_NANO * FULL_BPS
