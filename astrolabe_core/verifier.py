"""Is an answer to be judged by another model, and by which one?

The verifier obeys the boundaries of the request that it judges, since it reads it: every layer but
the one of encrypted reasoning, which it is not shown, and the rules that refuse models. `grading`
knows what it is asked. It has a budget of its own: an answer may take `OUTPUT_TOKENS_MAX` and
`TIME_MAX_MS`, and nobody is asked who could cost more than `COST_MAX`. No caller pays for it, but
where it is `certain` beforehand that one will be asked, `verdict_cost` is part of what a request is
expected to cost.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.boundaries import fitting, standing
from astrolabe_core.catalog import Capability, Catalog, Modality, Model, Status, estimate_quality
from astrolabe_core.grading import ANSWER_BYTES_MAX, CONVERSATION_BYTES_MAX
from astrolabe_core.money import AttoUsd, NanoUsd, round_half_even, round_up
from astrolabe_core.prepare import Demand
from astrolabe_core.pricing import Rates, rates
from astrolabe_core.requests import Complexity, Modifier, Profile, ToolLabel
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import QUALITY_FLOOR
from astrolabe_core.stacks import QualityTarget, RuleVerb, VerificationMode
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
_BYTES_PER_TOKEN: Final = 4
_OWN_TOKENS: Final = 600
"""What of a question is the same for every answer: our words, and the frame of its document."""


# --- whether ------------------------------------------------------------------------------
CLASSIFIER_CONFIDENCE_MIN: Final = Bps(3_500)
"""Below this the classification is a guess: hardly a word spoke for it.

Short questions are guesses nearly all (11 % of the labelled set, 70 % of the naturally worded one),
and are answered well by anybody. So `auto` asks only where the guess is about complex work: none of
these 180, and 0.9 % of 2,747 prompts of four public benchmarks (MMLU-Pro 1.0, MMLU and GSM8K 1.3).
With standard work it would be 40 % of MMLU-Pro.
"""
_HARD: Final = frozenset({Complexity.COMPLEX, Complexity.CRITICAL})
CONSEQUENTIAL: Final = frozenset({ToolLabel.DELETE, ToolLabel.SEND, ToolLabel.PAY, ToolLabel.ADMIN})
"""What a call may do that nobody takes back: something is gone, said, paid, or open to others.

To write and to execute is what an agent does at nearly every step, and sees the outcome of at the
next: to ask about each would double its calls. So would to ask about tools that nobody knows.
"""


def warranted(verdict: Verdict, profile: Profile, labels: Sequence[ToolLabel]) -> bool:
    """Whether the mode wants a verifier for this answer; `labels` are what its calls may do.

    `strict` and `strong` always do, unless nothing is there to be judged or no grade could help.
    """
    match verdict.mode:
        case VerificationMode.STRICT | VerificationMode.STRONG:
            return not verdict.hollow and not unchecked(verdict)
        case VerificationMode.AUTO:
            return not verdict.hollow and (
                _is_risky(profile)
                or verdict.repaired
                or unchecked(verdict)
                or not CONSEQUENTIAL.isdisjoint(labels)
            )
        case _:
            return False


def certain(mode: VerificationMode, profile: Profile, *, streamed: bool) -> bool:
    """Whether a verifier will be asked for sure, by what is known before there is an answer.

    Under `auto` a stream is relayed, and so never judged.
    """
    match mode:
        case VerificationMode.STRICT | VerificationMode.STRONG:
            return True
        case VerificationMode.AUTO:
            return not streamed and _is_risky(profile)
        case _:
            return False


def _is_risky(profile: Profile) -> bool:
    found = profile.classification
    if Modifier.HIGH_STAKES in found.modifiers:
        return True
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
    barred = answerer.provider if mode is VerificationMode.STRONG else None
    bids = [bid for bid in _bids(bench, mode) if bid[2] not in asked and bid[3].provider != barred]
    best = min(bids, key=lambda bid: (bid[2] == answerer.id, *bid[:3]), default=None)
    return None if best is None else best[3]


def verdict_cost(bench: Bench, mode: VerificationMode) -> NanoUsd:
    """Give what a verdict is expected to cost at retail prices, whoever answers.

    Of two the dearer: who is asked first, and who is asked in its place where the answer is its own
    or, for `strong`, its provider's. One number for all candidates, so that no model is preferred
    for the sake of its verifier. Nothing where nobody may judge.
    """
    bids = sorted(_bids(bench, mode))
    if mode is VerificationMode.STRONG:
        others = [bid for bid in bids[1:] if bid[3].provider != bids[0][3].provider]
    else:
        others = bids[1:]
    found = [
        rates(model.retail_price, bench.input_tokens, bench.at)
        for *_, model in (*bids[:1], *others[:1])
    ]
    # Who has no price at retail may not serve, and so may not judge either.
    costs = [_cost(rate, bench, _OUTPUT_TOKENS_EXPECTED) for rate in found if rate is not None]
    return round_half_even(max(costs, default=AttoUsd(0)))


_Bid: TypeAlias = tuple[int, int, ModelId, Model]
"""Who may judge, best first: how far from good enough, the expected cost, the id that breaks ties.
"""


def _bids(bench: Bench, mode: VerificationMode) -> Iterator[_Bid]:
    floor = quality_asked(bench.target, mode)
    for model, quality, fixed in _judges(bench.catalog, obeyed(bench.layers), _reading(bench)):
        if model.id in bench.circuits_open:
            continue
        if bench.input_tokens + OUTPUT_TOKENS_MAX > model.context_window:
            continue
        rate = fixed or rates(model.provider_price, bench.input_tokens, bench.at)
        if rate is None or round_up(_cost(rate, bench, OUTPUT_TOKENS_MAX)) > COST_MAX:
            continue
        expected = _cost(rate, bench, _OUTPUT_TOKENS_EXPECTED)
        yield max(0, floor - quality), expected, model.id, model


def question_tokens(profile: Profile) -> Tokens:
    """Estimate the question about an answer that is not there yet: texts are cut to their bounds.

    Tools' schemas and images count as what was said, though a verifier is not shown them.
    """
    conversation = min(profile.input_tokens, CONVERSATION_BYTES_MAX // _BYTES_PER_TOKEN)
    answer = min(profile.output_tokens * profile.choices, ANSWER_BYTES_MAX // _BYTES_PER_TOKEN)
    return Tokens(_OWN_TOKENS + conversation + answer)


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
