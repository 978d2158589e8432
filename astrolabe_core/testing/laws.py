"""What holds of every decision, whatever the policy, the catalog and the request?

Each law takes a case, varies it where it has to, and raises `AssertionError` where a promise is
broken. A law says nothing about a case that it does not concern. Laws about money are in
`money_laws`, laws about which stack governs in `stack_laws`; `LAWS` holds them all.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from attrs import evolve

from astrolabe_core.boundaries import Rejection
from astrolabe_core.catalog import DataPolicy, Model, Retention, Status
from astrolabe_core.codes import Miss
from astrolabe_core.decide import Blocked, Circumstances, Decision, decide
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.prepare import Demand, prepare, shortlist
from astrolabe_core.resolve import Layer
from astrolabe_core.routing import Question, Routed, Unrouted
from astrolabe_core.scoring import Score
from astrolabe_core.snapshot import NO_CIRCUITS
from astrolabe_core.stacks import (
    Boundaries,
    DataRule,
    FallbackMode,
    RetentionRule,
    VerificationMode,
)
from astrolabe_core.testing.cases import (
    Case,
    admitted,
    own_stack,
    survey_of,
    told,
    verified,
    verifier_cost,
    with_envelope,
    with_lane,
    with_model,
    with_stack,
    without_candidate,
)
from astrolabe_core.testing.changes import NO_BOUNDARIES, alone, dearer, make, tightenings
from astrolabe_core.testing.money_laws import MONEY_LAWS
from astrolabe_core.testing.stack_laws import STACK_LAWS
from astrolabe_core.units import MINUTE_MS, Instant, ModelId, ProviderId, Tokens

Law: TypeAlias = Callable[[Case], None]


def screening_partitions_the_pool(case: Case) -> None:
    """Accepted and rejected together are the pool's models in the catalog, each once."""
    asked = case.question()
    if asked is None:
        return
    pool, table = asked.shortlist.roster.pool, survey_of(asked)
    found = [score.model.id for score in table.accepted] + [each.model for each in table.rejected]
    known = {model.id for model in case.snapshot.catalog.models}
    assert sorted(found) == sorted(known & {*pool.candidates, *pool.reserves})
    assert all(each.rejections for each in table.rejected)


def order_of_candidates_is_irrelevant(case: Case) -> None:
    """A lane that names its models the other way round is decided the same."""
    turned = with_lane(
        case,
        lambda lane: evolve(
            lane,
            candidates=lane.candidates[::-1],
            fallback_candidates=lane.fallback_candidates[::-1],
        ),
    )
    assert _unmarked(turned) == _unmarked(case)


def _unmarked(case: Case) -> dict[str, object]:
    said = told(case.route())
    assert isinstance(said, Mapping)
    details = said.get("details")
    if isinstance(details, Mapping):
        said = {**said, "details": {**details, "fingerprint": None}}
    return {**said, "fingerprint": None}


def tightening_never_admits(case: Case) -> None:
    """Whatever asks more, in stack or envelope, admits nobody new (the verifier unchanged)."""
    before, catalog = admitted(case), case.snapshot.catalog
    caller, stack = case.snapshot.caller, own_stack(case)
    first, *_, last = catalog.models[0], *catalog.models
    for on_key, given, model in (
        (True, caller.key.envelope, first),
        (False, caller.workspace.envelope, last),
    ):
        for tighter in tightenings(given or NO_BOUNDARIES, model, catalog):
            narrow = with_envelope(case, tighter, on_key=on_key)
            assert admitted(narrow, verified_as=case) <= before
    if stack is not None:
        for tighter in tightenings(stack.boundaries, first, catalog):
            narrow = with_stack(case, evolve(stack, boundaries=tighter))
            assert admitted(narrow, verified_as=case) <= before
    if stack is not None and stack.objective.cost_expected_max is not None:
        most = NanoUsd(stack.objective.cost_expected_max * 2 // 3)
        objective = evolve(stack.objective, cost_expected_max=most)
        assert admitted(with_stack(case, evolve(stack, objective=objective))) <= before


def an_envelope_only_narrows(case: Case) -> None:
    """A case is admitted no more widely than without its envelopes, nor outside either."""
    caller = case.snapshot.caller
    free = with_envelope(with_envelope(case, None, on_key=True), None, on_key=False)
    inside = admitted(case)
    assert inside <= admitted(free, verified_as=case)
    for envelope in (caller.key.envelope, caller.workspace.envelope):
        for model in case.snapshot.catalog.models:
            assert model.id not in inside or envelope is None or satisfies(model, envelope)


def plan_stays_inside(case: Case) -> None:
    """Under every fallback mode each option is admitted, inside all boundaries, and named once."""
    stack, caller = own_stack(case), case.snapshot.caller
    variants = [case]
    if stack is not None:
        variants += [
            with_stack(case, evolve(stack, fallback=evolve(stack.fallback, mode=mode)))
            for mode in FallbackMode
        ]
    for variant in variants:
        routed = variant.route()
        if not isinstance(routed, Routed):
            continue
        governing = routed.resolved.version.stack
        fallback = routed.resolved.stack.fallback
        layers = (governing.boundaries, caller.workspace.envelope, caller.key.envelope)
        options = [option.model for option in routed.plan.options]
        accepted = {score.model.id for score in routed.survey().accepted}
        assert len(options) <= (fallback.max_attempts if fallback.enabled else 1)
        assert len({model.id for model in options}) == len(options)
        assert {model.id for model in options} <= accepted
        for model in options:
            assert model.id not in case.snapshot.circuits_open
            assert all(satisfies(model, layer) for layer in layers if layer is not None)


def a_continuation_stays_with_its_provider(case: Case) -> None:
    """Of those who may serve, encrypted reasoning leaves its provider's models, and adds nobody."""

    def pinned_to(provider: ProviderId | None) -> Case:
        return evolve(case, request=evolve(case.request, pinned_provider=provider))

    free = admitted(pinned_to(None))
    for vendor in {model.id.split("/")[0] for model in case.snapshot.catalog.models}:
        pinned = pinned_to(ProviderId(vendor))
        assert admitted(pinned) == {model for model in free if model.split("/")[0] == vendor}
        routed = pinned.route()
        if isinstance(routed, Routed):
            options = routed.plan.options
            assert all(option.model.id.split("/")[0] == vendor for option in options)


def satisfies(model: Model, rules: Boundaries) -> bool:
    """Say in one place, and apart from the code under test, what boundaries ask of a model."""
    vendor = model.id.split("/")[0]
    names = {str(model.id), f"{vendor}/*"}
    kept = {
        RetentionRule.ANY: set(Retention),
        RetentionRule.LIMITED: {Retention.ZERO, Retention.LIMITED},
        RetentionRule.ZERO: {Retention.ZERO},
    }
    return (
        (rules.allowed_providers is None or vendor in rules.allowed_providers)
        and vendor not in rules.blocked_providers
        and (rules.allowed_models is None or bool(names & rules.allowed_models))
        and not names & rules.blocked_models
        and rules.required_capabilities <= model.capabilities
        and (rules.data_policy is DataRule.ANY or model.data_policy is DataPolicy.NO_TRAINING)
        and model.retention in kept[rules.retention_policy]
        and (rules.allow_preview or model.status is not Status.PREVIEW)
    )


def same_inputs_give_the_same_answer(case: Case) -> None:
    """Nothing is remembered from one decision to the next that could change it."""
    warm = told(case.route())
    prepare.cache_clear()
    shortlist.cache_clear()
    assert told(case.route()) == warm


def front_changes_nothing(case: Case) -> None:
    """What a prepared shortlist decides is the beginning of the full ranking."""
    asked = case.question()
    if asked is None:
        return
    judgement = decide(asked.shortlist, asked.profile, asked.circumstances)
    accepted = survey_of(asked).accepted
    match judgement:
        case Blocked():
            assert all(score.contender.reserve for score in accepted)
            assert not accepted or asked.shortlist.roster.pool.pinned
        case Decision():
            places = asked.shortlist.demand.places
            ranked = [option.model.id for option in judgement.ranked]
            assert ranked == [score.model.id for score in accepted][:places]
            assert judgement.estimate == accepted[0]


def who_meets_every_target_leads(case: Case) -> None:
    """Reserves come last; before that, who misses a soft target comes behind all who miss none."""
    asked = case.question()
    if asked is None:
        return
    accepted = survey_of(asked).accepted
    places = [(score.contender.reserve, bool(score.misses)) for score in accepted]
    assert places == sorted(places)
    for score in accepted:
        assert set(score.misses) == set(_missed(score, asked.shortlist.demand))


def _missed(score: Score, demand: Demand) -> Iterator[Miss]:
    terms, found = demand.terms, score.contender
    if found.quality.value < terms.quality_floor:
        yield Miss.BELOW_QUALITY_TARGET
    if terms.latency_slo_ms is not None and score.latency_ms > terms.latency_slo_ms:
        yield Miss.OVER_LATENCY_SLO
    if terms.reliability_target is not None and found.reliability.value < terms.reliability_target:
        yield Miss.BELOW_RELIABILITY_TARGET


def removing_an_unchosen_model_changes_nothing(case: Case) -> None:
    """Without a model that was not chosen, the same model is chosen."""
    routed = case.route()
    if not isinstance(routed, Routed):
        return
    chosen = routed.decision.selected.model.id
    for model in routed.shortlist.roster.models:
        if model[0].id != chosen:
            assert _chosen(without_candidate(case, model[0].id)) == chosen


def raising_an_unchosen_price_changes_nothing(case: Case) -> None:
    """A model that was not chosen is not chosen for being dearer, nor is anybody else."""
    routed = case.route()
    if not isinstance(routed, Routed):
        return
    chosen = routed.decision.selected.model.id
    for score in routed.survey().accepted:
        # What the reference costs is the price of an escalation, and so concerns everybody.
        if score.model.id not in {chosen, routed.shortlist.roster.pool.reference}:
            raised = with_model(case, dearer(score.model))
            # So does the price of a verifier.
            assert _chosen(raised) == chosen or verifier_cost(raised) != verifier_cost(case)


def _chosen(case: Case) -> ModelId | None:
    routed = case.route()
    return routed.decision.selected.model.id if isinstance(routed, Routed) else None


def every_reason_is_listed(case: Case) -> None:
    """What a model is rejected for is the union of what each rule alone rejects it for."""
    asked = case.question()
    if asked is None:
        return
    found = _rejections(asked)
    apart = [_rejections(part) for part in _parts(asked)]
    for model, rejections in found.items():
        union = {each for part in apart for each in part[model]}
        assert set(rejections) == union
        assert len(rejections) == len(union)


def _rejections(asked: Question) -> dict[ModelId, tuple[Rejection, ...]]:
    table = survey_of(asked)
    nothing = {model.id: () for model, _ in asked.shortlist.roster.models}
    return {**nothing, **{each.model: each.rejections for each in table.rejected}}


def _parts(asked: Question) -> Iterator[Question]:
    """Ask again with one rule at a time; what catalog and context window say is always there."""
    roster, demand = asked.shortlist.roster, asked.shortlist.demand
    bare = evolve(demand, needs=frozenset(), modalities=frozenset(), untrusted=False, ruling=None)
    now, free = asked.circumstances, Circumstances(at=asked.circumstances.at)

    def ask(
        layers: tuple[Layer, ...] = (), wanted: Demand = bare, known: Circumstances = free
    ) -> Question:
        prepared = prepare(roster.pool, layers, roster.catalog)
        return evolve(asked, shortlist=shortlist(prepared, wanted), circumstances=known)

    for layer in asked.resolved.layers:
        for single in alone(layer.boundaries):
            yield ask(layers=(Layer(layer.name, single),))
    yield ask(wanted=evolve(bare, needs=demand.needs))
    yield ask(wanted=evolve(bare, modalities=demand.modalities))
    yield ask(wanted=evolve(bare, untrusted=demand.untrusted))
    yield ask(wanted=evolve(bare, ruling=demand.ruling))
    yield ask(known=evolve(free, circuits_open=now.circuits_open))
    yield ask(known=evolve(now, circuits_open=NO_CIRCUITS, cost_request_max=None))
    yield ask(known=evolve(free, cost_request_max=now.cost_request_max))


def unblocking_changes_admit(case: Case) -> None:
    """A change that a refusal proposes does, once made, admit its model (verifier unchanged)."""
    routed = case.route()
    if not isinstance(routed, Unrouted) or routed.blocked is None:
        return
    for proposed in routed.blocked.unblock:
        changed: Case | None = case
        for change in proposed.changes:
            changed = None if changed is None else make(changed, change)
        if changed is not None:
            assert proposed.model in admitted(changed, verified_as=case)
            if verifier_cost(changed) <= verifier_cost(case):
                assert isinstance(changed.route(), Routed)


def a_named_model_serves_or_nobody(case: Case) -> None:
    """Whoever names a serving model is served by it, or refused: never by another."""
    for model in case.snapshot.catalog.models:
        routed = evolve(case, request=evolve(case.request, model=model.id)).route()
        if isinstance(routed, Routed):
            assert routed.decision.selected.model.id == model.id


def fingerprint_covers_its_inputs(case: Case) -> None:
    """Whatever may move a decision moves its fingerprint."""
    asked = case.question()
    if asked is None:
        return
    blocked = frozenset({"nobody"})
    model = asked.shortlist.roster.models[0][0]
    variants = [
        with_envelope(case, _blocking(caller_envelope, blocked), on_key=on_key)
        for on_key, caller_envelope in (
            (True, case.snapshot.caller.key.envelope),
            (False, case.snapshot.caller.workspace.envelope),
        )
    ]
    variants.append(
        with_model(case, evolve(model, context_window=Tokens(model.context_window + 1)))
    )
    shut, soon = dict(case.snapshot.circuits_open), Instant(case.snapshot.at + MINUTE_MS)
    if shut.pop(model.id, None) is None:
        shut[model.id] = soon
    variants.append(evolve(case, snapshot=evolve(case.snapshot, circuits_open=shut)))
    elsewhere = evolve(case.request, pinned_provider=ProviderId("nobody"))
    variants.append(evolve(case, request=elsewhere))
    stack = own_stack(case)
    if stack is not None:
        variants.append(
            with_stack(case, evolve(stack, boundaries=_blocking(stack.boundaries, blocked)))
        )
    moment = Instant(case.snapshot.at + MINUTE_MS)
    later = evolve(case, snapshot=evolve(case.snapshot, at=moment))
    if _unmarked(later) != _unmarked(case):
        variants.append(later)
    judged = verified(case, VerificationMode.STRICT)
    if verifier_cost(judged) not in {ZERO, verifier_cost(case)}:
        variants.append(judged)
    marks = [_fingerprint(each) for each in (case, *variants)]
    assert len(set(marks)) == len(marks)


def _blocking(given: Boundaries | None, providers: frozenset[str]) -> Boundaries:
    known = NO_BOUNDARIES if given is None else given
    return evolve(known, blocked_providers=known.blocked_providers | providers)


def _fingerprint(case: Case) -> str:
    asked = case.question()
    assert asked is not None
    return decide(asked.shortlist, asked.profile, asked.circumstances).fingerprint


LAWS: Final[tuple[Law, ...]] = (
    screening_partitions_the_pool,
    order_of_candidates_is_irrelevant,
    tightening_never_admits,
    an_envelope_only_narrows,
    plan_stays_inside,
    a_continuation_stays_with_its_provider,
    same_inputs_give_the_same_answer,
    front_changes_nothing,
    who_meets_every_target_leads,
    removing_an_unchosen_model_changes_nothing,
    raising_an_unchosen_price_changes_nothing,
    every_reason_is_listed,
    unblocking_changes_admit,
    a_named_model_serves_or_nobody,
    fingerprint_covers_its_inputs,
    *MONEY_LAWS,
    *STACK_LAWS,
)
