"""Is an answer to be judged by another model, and by which one?

The verifier obeys the boundaries of the request that it judges, since it reads it: every layer but
the one of encrypted reasoning, which it is not shown, and the rules that refuse models. `grading`
knows what it is asked. It has a budget of its own: an answer may take `OUTPUT_TOKENS_MAX` and
`TIME_MAX_MS`, and nobody is asked who could cost more than `COST_MAX`. No caller pays for it.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from attrs import frozen

from astrolabe_core.boundaries import fitting, standing
from astrolabe_core.catalog import Capability, Catalog, Modality, Model, Status, estimate_quality
from astrolabe_core.money import AttoUsd, NanoUsd, round_up
from astrolabe_core.prepare import Demand
from astrolabe_core.pricing import Rates, rates
from astrolabe_core.requests import Complexity, Modifier, Profile, ToolLabel
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import QUALITY_FLOOR
from astrolabe_core.stacks import QualityTarget, RuleVerb, VerificationMode
from astrolabe_core.tool_policy import EFFECTS
from astrolabe_core.units import Bps, Instant, Millis, ModelId, Tokens
from astrolabe_core.verification import Verdict, unchecked

VERIFIERS_MAX: Final = 2
"""How many verifiers are asked for one answer: the second where the first one failed."""
OUTPUT_TOKENS_MAX: Final = Tokens(4_096)
"""What a verifier may say, its reasoning included."""
TIME_MAX_MS: Final = Millis(30_000)
COST_MAX: Final = NanoUsd(250_000_000)
"""A quarter of a dollar: what one verifier may cost at most, at the prices of its provider."""

_OUTPUT_TOKENS_EXPECTED: Final = Tokens(512)
_BENCHES_KEPT: Final = 256
_EFFECTS: Final = EFFECTS - {ToolLabel.UNKNOWN}
"""A tool that nobody knows may do anything: an agent's own tools would all be judged."""


# --- whether ------------------------------------------------------------------------------
CLASSIFIER_CONFIDENCE_MIN: Final = Bps(3_500)
"""Below this the classification is a guess: hardly a word spoke for it.

Short questions are guesses nearly all (11 % of the labelled set, 70 % of the naturally worded one),
and are answered well by anybody. So `auto` asks only where the guess is about complex work: none of
these 180, and 0.9 % of 2,747 prompts of four public benchmarks (MMLU-Pro 1.0, MMLU and GSM8K 1.3).
With standard work it would be 40 % of MMLU-Pro.
"""
_HARD: Final = frozenset({Complexity.COMPLEX, Complexity.CRITICAL})


def warranted(verdict: Verdict, profile: Profile, labels: Sequence[ToolLabel]) -> bool:
    """Whether the mode wants a verifier for this answer; `labels` are what its calls may do.

    `strict` and `strong` always do, unless nothing is there to be judged or no grade could help.
    """
    match verdict.mode:
        case VerificationMode.STRICT | VerificationMode.STRONG:
            return not verdict.hollow and not unchecked(verdict)
        case VerificationMode.AUTO:
            return not verdict.hollow and (
                Modifier.HIGH_STAKES in profile.classification.modifiers
                or verdict.repaired
                or unchecked(verdict)
                or not _EFFECTS.isdisjoint(labels)
                or _is_guess(profile)
            )
        case _:
            return False


def _is_guess(profile: Profile) -> bool:
    found = profile.classification
    return found.confidence < CLASSIFIER_CONFIDENCE_MIN and found.complexity in _HARD


# --- who ----------------------------------------------------------------------------------
@frozen(kw_only=True)
class Bench:
    """Who may judge: what choosing a verifier depends on.

    `demand` is what the request that is judged was routed by, `target` its stack's quality target
    and `input_tokens` the size of the question.
    """

    catalog: Catalog
    layers: tuple[Layer, ...]
    demand: Demand
    target: QualityTarget
    circuits_open: Collection[ModelId]
    input_tokens: Tokens
    at: Instant


def obeyed(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Give the layers that bind a verifier: it is shown nothing that only one provider can read."""
    return tuple(layer for layer in layers if layer.name is not LayerName.CONTINUATION)


def choose_verifier(
    bench: Bench, mode: VerificationMode, answerer: Model, asked: Collection[ModelId]
) -> Model | None:
    """Give who is to judge next, or `None` where nobody is left who may.

    For `strong` one of another provider than the answerer, else another model where there is one;
    then one that is good enough, then the cheapest.
    """
    floor = quality_asked(bench.target, mode)
    best: tuple[bool, int, int, ModelId, Model] | None = None
    for model, quality, fixed in _judges(bench.catalog, obeyed(bench.layers), _reading(bench)):
        if model.id in asked or model.id in bench.circuits_open:
            continue
        if mode is VerificationMode.STRONG and model.provider == answerer.provider:
            continue
        if bench.input_tokens + OUTPUT_TOKENS_MAX > model.context_window:
            continue
        rate = fixed or rates(model.provider_price, bench.input_tokens, bench.at)
        if rate is None or round_up(_cost(rate, bench, OUTPUT_TOKENS_MAX)) > COST_MAX:
            continue
        expected = _cost(rate, bench, _OUTPUT_TOKENS_EXPECTED)
        key = (model.id == answerer.id, max(0, floor - quality), expected, model.id, model)
        if best is None or key[:4] < best[:4]:
            best = key
    return None if best is None else best[4]


def quality_asked(target: QualityTarget, mode: VerificationMode) -> Bps:
    """Give the quality that a judge is to have: what the stack asks of answers, and not little.

    It is soft, as it is for answers: where nobody has it, the best of those who may is asked.
    """
    least = QualityTarget.HIGH if mode is VerificationMode.STRONG else QualityTarget.STANDARD
    return max(QUALITY_FLOOR[target], QUALITY_FLOOR[least])


@frozen(kw_only=True)
class _Reading:
    """What of a demand says who may read: a rule that refuses, and whether content is trusted."""

    category: str
    untrusted: bool
    refusing: Ruling | None


def _reading(bench: Bench) -> _Reading:
    ruling = bench.demand.ruling
    # Who is to be used for answers is another matter than who may read them.
    refuses = ruling is not None and ruling.rule.verb is RuleVerb.REFUSE
    return _Reading(
        category=bench.demand.category,
        untrusted=bench.demand.untrusted,
        refusing=ruling if refuses else None,
    )


@lru_cache(maxsize=_BENCHES_KEPT)
def _judges(
    catalog: Catalog, layers: tuple[Layer, ...], reading: _Reading
) -> tuple[tuple[Model, int, Rates | None], ...]:
    """Give the models that may judge, their quality, and their rates where these are fixed.

    All that does not depend on one answer: without this, choosing among 300 takes 5 ms, and not 1.
    """
    return tuple(
        (
            model,
            estimate_quality(catalog, model, reading.category).value,
            None
            if model.provider_price.overrides
            else rates(model.provider_price, Tokens(0), Instant(0)),
        )
        for model in catalog.models
        if model.status is Status.ACTIVE
        and not standing(model, layers)
        and not fitting(
            model,
            needs=frozenset({Capability.STRUCTURED_OUTPUT}),
            modalities=frozenset({Modality.TEXT}),
            untrusted=reading.untrusted,
            ruling=reading.refusing,
        )
    )


def _cost(rate: Rates, bench: Bench, output_tokens: Tokens) -> AttoUsd:
    """Give what a provider takes for a verdict of so many tokens."""
    return AttoUsd(
        bench.input_tokens * rate.input
        + output_tokens * max(rate.output, rate.reasoning)
        + rate.request
    )
