"""Which model, or why none, and what would unblock it?

`decide` looks at the front of a shortlist where the request's size cannot reject anybody, and
at every contender where it can; both give the same ranking. `survey` is the whole table behind
a decision: every candidate of the pool, accepted with its score or rejected with all its
reasons. A model that the caller named is served by itself or not at all: what may follow it
never takes its place. Live requests, dry runs and replays all come through here.
"""

import hashlib
from collections.abc import Mapping
from operator import itemgetter
from typing import Final, TypeAlias

from attrs import field, frozen

from astrolabe_core.boundaries import (
    Rejected,
    Rejection,
    in_order,
    judge_cost,
    passing,
)
from astrolabe_core.catalog import Model
from astrolabe_core.codes import Kind
from astrolabe_core.money import ZERO, AttoUsd, NanoUsd, round_half_even
from astrolabe_core.prepare import Shortlist, without
from astrolabe_core.pricing import hold_bound
from astrolabe_core.requests import Profile
from astrolabe_core.scoring import (
    Contender,
    Key,
    Score,
    Size,
    appraise,
    call_cost,
    cheapest_first,
    rank,
    score,
    size_of,
)
from astrolabe_core.snapshot import NO_CIRCUITS
from astrolabe_core.stacks import CostMode
from astrolabe_core.units import MINUTE_MS, Digest, Instant, ModelId, Tokens, seconds_until

OUTPUT_TOKENS_DEFAULT: Final = Tokens(16_384)
"""The output cap that is priced and sent where the caller names none."""


@frozen(kw_only=True)
class Circumstances:
    """What a decision depends on beside shortlist and profile; of circuits, those of the pool.

    `verifier_cost` is what a verifier is expected to cost where it is certain that one is asked.
    """

    at: Instant
    circuits_open: Mapping[ModelId, Instant] = field(default=NO_CIRCUITS, hash=False)
    cost_expected_max: NanoUsd | None = None
    cost_request_max: NanoUsd | None = None
    verifier_cost: NanoUsd = ZERO


@frozen(kw_only=True)
class Option:
    """A model that may serve, the output cap to send for each choice, and the hold."""

    contender: Contender
    output_tokens_max: Tokens
    hold: NanoUsd

    @property
    def model(self) -> Model:
        """The model that may serve."""
        return self.contender.model


@frozen(kw_only=True)
class Baseline:
    """What the lane's reference model would be expected to cost, graded as the request will be."""

    model: ModelId
    cost: NanoUsd


@frozen(kw_only=True)
class Decision:
    """The models in the order in which they are to be tried, and why the first is first.

    `estimate` is the score of the first; `ranked` is as long as the plan may need;
    `fingerprint` hashes everything that was decided from. Savings are the baseline above the
    estimate and may be negative.
    """

    kind: Kind
    reason: str
    estimate: Score
    ranked: tuple[Option, ...]
    baseline: Baseline | None
    fingerprint: Digest

    @property
    def selected(self) -> Option:
        """The first choice."""
        return self.ranked[0]

    @property
    def savings(self) -> NanoUsd | None:
        """How far the first choice is expected to stay below the baseline."""
        if self.baseline is None:
            return None
        return NanoUsd(self.baseline.cost - self.estimate.expected_cost)


@frozen(kw_only=True)
class Change:
    """Rule changes that together would admit one model."""

    model: ModelId
    changes: tuple[str, ...]


@frozen(kw_only=True)
class Blocked:
    """No model may serve. `unblock` holds the smallest sets of changes that would admit one."""

    rejected: tuple[Rejected, ...]
    unblock: tuple[Change, ...]
    fingerprint: Digest


Judgement: TypeAlias = Decision | Blocked


@frozen(kw_only=True)
class Survey:
    """Every candidate of the pool: accepted in order of rank, or rejected with all reasons."""

    accepted: tuple[Score, ...]
    rejected: tuple[Rejected, ...]


def decide(prepared: Shortlist, profile: Profile, now: Circumstances) -> Judgement:
    """Rank the models that may serve this request, or say why there are none."""
    size = size_of(profile, now.at)
    escalation = _reference_cost(prepared, size)
    if now.circuits_open:
        prepared = without(prepared, frozenset(now.circuits_open))
    if _all_fit(prepared, profile, now):
        admitted = prepared.contenders
        order = _rank_front(prepared, size, escalation)
    else:
        costs = _Costs(prepared=prepared, profile=profile, now=now, escalation=escalation)
        admitted = tuple(
            candidate
            for candidate in prepared.contenders
            if not passing(candidate.model, profile, now.circuits_open, now.at)
            and not costs.judge(candidate)
        )
        order = _rank_all(admitted, prepared, size, escalation)
    if not order or (prepared.roster.pool.pinned and order[0].reserve):
        return _blocked(prepared, profile, now)
    estimate = score(order[0], size, prepared.demand.terms, escalation, now.verifier_cost)
    return Decision(
        kind=_kind(prepared, estimate, len(admitted)),
        reason=_reason(prepared, estimate),
        estimate=estimate,
        ranked=tuple([_option(candidate, profile) for candidate in order]),
        baseline=_baseline(prepared, escalation, now.verifier_cost),
        fingerprint=_fingerprint(prepared, profile, now),
    )


def _rank_front(prepared: Shortlist, size: Size, escalation: AttoUsd) -> list[Contender]:
    if prepared.rows is not None:
        return cheapest_first(prepared.rows, size, prepared.demand.places)
    return _rank_all(prepared.front, prepared, size, escalation)


def _rank_all(
    candidates: tuple[Contender, ...], prepared: Shortlist, size: Size, escalation: AttoUsd
) -> list[Contender]:
    demand = prepared.demand
    order = sorted(candidates, key=lambda each: rank(each, size, demand.terms, escalation))
    return order[: demand.places]


def survey(prepared: Shortlist, profile: Profile, now: Circumstances) -> Survey:
    """Judge and score every candidate of the pool, leaving none out."""
    size = size_of(profile, now.at)
    terms = prepared.demand.terms
    escalation = _reference_cost(prepared, size)
    costs = _Costs(prepared=prepared, profile=profile, now=now, escalation=escalation)
    all_fit = _all_fit(prepared, profile, now)
    rejected: list[Rejected] = []
    accepted: list[tuple[Key, Score]] = []
    for model, _ in prepared.roster.models:
        candidate = prepared.entries.get(model.id)
        found = prepared.rejected[model.id]
        if found or not all_fit or model.id in now.circuits_open:
            found += passing(model, profile, now.circuits_open, now.at)
            found += () if candidate is None else costs.judge(candidate)
        # Who has no price is never admitted: that is one of the reasons found.
        if found or candidate is None:
            rejected.append(Rejected(model=model.id, rejections=in_order(found)))
        else:
            accepted.append(appraise(candidate, size, terms, escalation, now.verifier_cost))
    accepted.sort(key=itemgetter(0))
    return Survey(accepted=tuple([scored for _, scored in accepted]), rejected=tuple(rejected))


def output_cap(model: Model, profile: Profile) -> Tokens:
    """Give the output cap for each choice: what is asked, published and still fits."""
    asked = profile.output_tokens_cap
    return Tokens(
        max(
            1,
            min(
                OUTPUT_TOKENS_DEFAULT if asked is None else asked,
                model.output_tokens_max,
                model.context_window - profile.input_tokens,
            ),
        )
    )


def _all_fit(prepared: Shortlist, profile: Profile, now: Circumstances) -> bool:
    """Whether nothing about this request can reject a contender whose circuit is closed."""
    return (
        now.cost_expected_max is None
        and now.cost_request_max is None
        and profile.input_tokens + profile.output_tokens <= prepared.window_min
    )


@frozen(kw_only=True)
class _Costs:
    """What one request would cost with each model, judged against the stack's caps."""

    prepared: Shortlist
    profile: Profile
    now: Circumstances
    escalation: AttoUsd

    def judge(self, candidate: Contender) -> tuple[Rejection, ...]:
        """Judge one model; without a cap nothing is too dear."""
        now, profile = self.now, self.profile
        if now.cost_expected_max is None and now.cost_request_max is None:
            return ()
        size, terms = size_of(profile, now.at), self.prepared.demand.terms
        estimate = score(candidate, size, terms, self.escalation, now.verifier_cost)
        return judge_cost(
            expected=estimate.expected_cost,
            at_most=_option(candidate, profile).hold,
            expected_max=now.cost_expected_max,
            request_max=now.cost_request_max,
        )


def _option(candidate: Contender, profile: Profile) -> Option:
    """Choose the output cap, and hold for it: no provider reads more than its window holds."""
    cap = output_cap(candidate.model, profile)
    hold = hold_bound(
        candidate.dearest_rates,
        input_tokens_max=min(profile.input_tokens_max, candidate.model.context_window),
        output_tokens_max=cap * profile.choices,
        images=profile.images,
    )
    return Option(contender=candidate, output_tokens_max=cap, hold=hold)


def _reference_cost(prepared: Shortlist, size: Size) -> AttoUsd:
    if prepared.reference is None:
        return AttoUsd(0)
    return call_cost(prepared.reference, size)


def _baseline(prepared: Shortlist, call: AttoUsd, verifier: NanoUsd) -> Baseline | None:
    """Count the verifier on both sides: nobody saves or loses by what is asked either way."""
    if prepared.reference is None:
        return None
    cost = NanoUsd(round_half_even(call) + verifier)
    return Baseline(model=prepared.reference.model.id, cost=cost)


def _kind(prepared: Shortlist, estimate: Score, admitted: int) -> Kind:
    if prepared.roster.pool.pinned:
        return Kind.PINNED
    if estimate.misses:
        return Kind.RELAXED
    if admitted == 1:
        return Kind.SOLE_CANDIDATE
    return Kind.SELECTED


_CHOSEN_FOR: Final = {
    CostMode.LOWEST_PASSABLE: "lowest expected cost",
    CostMode.BALANCED: "best balance of quality, cost and latency",
    CostMode.FASTEST_PASSABLE: "lowest expected latency",
    CostMode.PREMIUM: "highest quality",
    CostMode.FIXED: "lowest expected cost",
}


def _reason(prepared: Shortlist, estimate: Score) -> str:
    if prepared.roster.pool.pinned:
        return "the caller named this model and the stack admits it"
    best = _CHOSEN_FOR[prepared.demand.terms.cost_mode]
    if prepared.demand.preferred:
        best = f"first that the stack prefers, then {best},"
    if estimate.misses:
        missed = ", ".join(estimate.misses)
        return f"no candidate meets every target; nearest, then {best}: {missed}"
    return f"{best} among the candidates that meet every target"


def _fingerprint(prepared: Shortlist, profile: Profile, now: Circumstances) -> Digest:
    """Hash what was decided from.

    The instant counts as the minute that prices may name, and as the seconds that a circuit waits.
    """
    minute = now.at // MINUTE_MS if prepared.time_matters else 0
    text = (
        f"{prepared.digest}|{profile.input_tokens}|{profile.input_tokens_max}"
        f"|{profile.output_tokens}|{profile.output_tokens_cap}|{profile.choices}"
        f"|{profile.images}|{minute}|{now.cost_expected_max}|{now.cost_request_max}"
    )
    if now.circuits_open:
        shut = sorted(now.circuits_open.items())
        waits = [f"{model}:{seconds_until(until, now.at)}" for model, until in shut]
        text = f"{text}|{','.join(waits)}"
    if now.verifier_cost:
        text = f"{text}|verifier:{now.verifier_cost}"
    return Digest(hashlib.sha256(text.encode()).hexdigest())


UNBLOCK_SHOWN: Final = 3
"""The most changes that a refusal proposes."""


def _blocked(prepared: Shortlist, profile: Profile, now: Circumstances) -> Blocked:
    pool = prepared.roster.pool
    rejected = tuple(
        item
        for item in survey(prepared, profile, now).rejected
        if not pool.pinned or item.model in pool.candidates
    )
    changes = [
        Change(
            model=item.model,
            changes=tuple(
                f"{found.imposed_by}: {found.rule}: {found.remedy}" for found in item.rejections
            ),
        )
        for item in rejected
        if all(found.remedy is not None for found in item.rejections)
    ]
    fewest = min((len(change.changes) for change in changes), default=0)
    return Blocked(
        rejected=rejected,
        unblock=tuple(c for c in changes if len(c.changes) == fewest)[:UNBLOCK_SHOWN],
        fingerprint=_fingerprint(prepared, profile, now),
    )
