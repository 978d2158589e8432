"""Where does one unit more decide otherwise?

Faults live at the bounds. `cases` draws a world, finds out what the request needs and what its
candidates would cost and take, and then moves one bound to there: at it, one below, one above.
`around` gives all such moves of one case, without drawing anything.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final, TypeAlias

from attrs import evolve
from hypothesis import strategies as st

from astrolabe_core.catalog import Model, PriceOverride
from astrolabe_core.decide import output_cap
from astrolabe_core.money import AttoUsd, NanoUsd
from astrolabe_core.pricing import hold_bound
from astrolabe_core.routing import Question
from astrolabe_core.scoring import Score
from astrolabe_core.stacks import (
    Budget,
    Fallback,
    FallbackMode,
    Objective,
    Primary,
    Rule,
    RuleVerb,
    Stack,
    When,
)
from astrolabe_core.testing.bans import bans
from astrolabe_core.testing.cases import Case, own_stack, survey_of, with_model, with_stack
from astrolabe_core.testing.strategies import worlds
from astrolabe_core.units import Bps, Millis, Tokens

OFFSETS: Final = (-1, 0, 1)
Edge: TypeAlias = Callable[[Case, Question, Score, int], Case]
"""Moves one bound to what one admitted model has, plus -1, 0 or 1."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case, three times in four with one amount at the edge of what decides."""
    case = draw(worlds())
    asked = case.question()
    move = draw(st.sampled_from([None, *EDGES]))
    if asked is None or move is None:
        return case
    accepted = survey_of(asked).accepted
    if not accepted:
        return case
    return move(case, asked, draw(st.sampled_from(accepted)), draw(st.sampled_from(OFFSETS)))


def around(case: Case) -> Iterator[Case]:
    """Give the case at every edge of its first and its last choice, and with the first banned."""
    asked = case.question()
    accepted = () if asked is None else survey_of(asked).accepted
    if asked is not None and accepted:
        ends = accepted[:: max(1, len(accepted) - 1)]
        for score, move, off in product(ends, EDGES, OFFSETS):
            yield move(case, asked, score, off)
        yield from bans(case, accepted[0].model)


def _objective(case: Case, change: Callable[[Objective], Objective]) -> Case:
    return _stack(case, lambda stack: evolve(stack, objective=change(stack.objective)))


def _stack(case: Case, change: Callable[[Stack], Stack]) -> Case:
    """Change the governing stack; a managed one is as it is."""
    stack = own_stack(case)
    return case if stack is None else with_stack(case, change(stack))


def _window(case: Case, asked: Question, score: Score, off: int) -> Case:
    tokens = asked.profile.input_tokens + asked.profile.output_tokens + off
    room = Tokens(max(1, tokens))
    published = score.model.max_output_tokens
    within = None if published is None else Tokens(min(published, room))
    return with_model(case, evolve(score.model, context_window=room, max_output_tokens=within))


def _expected_cost(case: Case, _: Question, score: Score, off: int) -> Case:
    most = NanoUsd(max(0, score.expected_cost + off))
    return _objective(case, lambda objective: evolve(objective, cost_expected_max=most))


def _escalated_cost(case: Case, asked: Question, score: Score, off: int) -> Case:
    """Cap what the call and the chance of an escalation cost together."""
    rules = Fallback(mode=FallbackMode.ESCALATE_QUALITY)
    dearer = _stack(case, lambda stack: evolve(stack, fallback=rules))
    again = dearer.question() or asked
    found = {each.model.id: each for each in survey_of(again).accepted}
    return _expected_cost(dearer, again, found.get(score.model.id, score), off)


def _request_budget(case: Case, asked: Question, score: Score, off: int) -> Case:
    profile, model = asked.profile, score.model
    hold = hold_bound(
        score.contender.dearest_rates,
        input_tokens_max=min(profile.input_tokens_max, model.context_window),
        output_tokens_max=output_cap(model, profile) * profile.choices,
        images=profile.images,
    )
    budget = Budget(per_request_max_usd=NanoUsd(max(0, hold + off)))
    return _stack(case, lambda stack: evolve(stack, budget=budget))


def _latency(case: Case, _: Question, score: Score, off: int) -> Case:
    slo = Millis(max(1, score.latency_ms + off))
    return _objective(case, lambda objective: evolve(objective, latency_slo_ms=slo))


def _reliability(case: Case, _: Question, score: Score, off: int) -> Case:
    target = Bps(score.contender.reliability.value + off)
    return _objective(case, lambda objective: evolve(objective, reliability_target=target))


def _quality(case: Case, asked: Question, score: Score, off: int) -> Case:
    floor = Bps(asked.shortlist.demand.terms.quality_floor + off)
    category = asked.profile.classification.category
    return with_model(case, evolve(score.model, quality={category: floor}))


def _price_break(case: Case, asked: Question, score: Score, off: int) -> Case:
    least = Tokens(max(0, asked.profile.input_tokens + off))
    return with_model(case, _repriced(score.model, least))


def _repriced(model: Model, input_tokens_min: Tokens) -> Model:
    prices = model.retail_price.base
    dearer = evolve(prices, input=AttoUsd(2 * (prices.input or 0) + 1))
    doubled = PriceOverride(prices=dearer, input_tokens_min=input_tokens_min)
    return evolve(model, retail_price=evolve(model.retail_price, overrides=(doubled,)))


def _rule_size(case: Case, asked: Question, score: Score, off: int) -> Case:
    size = Tokens(max(0, asked.profile.input_tokens + off))
    rules = (
        Rule(when=When(input_tokens_max=size), verb=RuleVerb.USE, models=(score.model.id,)),
        Rule(when=When(input_tokens_min=size), verb=RuleVerb.REFUSE, models=(score.model.id,)),
    )
    return _objective(
        case, lambda objective: evolve(objective, primary=Primary.CUSTOM_RULES, rules=rules)
    )


def _vendor(case: Case, _: Question, score: Score, off: int) -> Case:
    """Block nearly the model's vendor: a letter less, itself, a letter more."""
    vendor = score.model.provider
    name = (vendor[:-1], vendor, f"{vendor}x")[off + 1]

    def block(stack: Stack) -> Stack:
        blocked = stack.boundaries.blocked_models | {f"{name}/*"}
        return evolve(stack, boundaries=evolve(stack.boundaries, blocked_models=blocked))

    return _stack(case, block)


EDGES: Final[tuple[Edge, ...]] = (
    _window,
    _expected_cost,
    _escalated_cost,
    _request_budget,
    _latency,
    _reliability,
    _quality,
    _price_break,
    _rule_size,
    _vendor,
)
