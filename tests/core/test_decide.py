"""The first of the ranking is chosen, all are in the table, a block says what would help."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.catalog import Catalog, Modality, PriceList, PriceOverride, Prices
from astrolabe_core.codes import Kind, Reason
from astrolabe_core.decide import (
    OUTPUT_TOKENS_DEFAULT,
    UNBLOCK_SHOWN,
    Baseline,
    Blocked,
    Change,
    Circumstances,
    Decision,
    Judgement,
    decide,
    output_cap,
    survey,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.prepare import Demand, Pool, Shortlist, prepare, shortlist
from astrolabe_core.requests import Profile
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.scoring import Terms
from astrolabe_core.stacks import Boundaries, CostMode, FallbackMode
from astrolabe_core.units import Bps, Instant, Millis, ModelId, Tokens
from tests.core.market import NOW, catalog, good, model, price_list, prices, profile

ONE = model("acme/one")
TWO = model("bolt/two", price=price_list(output_nanos=900), quality=good(9_000))
BOTH = catalog(ONE, TWO)
PLAIN = Circumstances(at=NOW)


def ready(
    of: Catalog = BOTH,
    *layers: Layer,
    reference: str = "bolt/two",
    reserves: tuple[str, ...] = (),
    pinned: bool = False,
    mode: CostMode = CostMode.LOWEST_PASSABLE,
    floor: int = 0,
    escalates: bool = False,
    **demand: Any,
) -> Shortlist:
    names = tuple(each.id for each in of.models if each.id not in reserves)
    pool = Pool(
        name="auto",
        lane="auto",
        candidates=names,
        reserves=tuple(map(ModelId, reserves)),
        reference=ModelId(reference),
        pinned=pinned,
    )
    wanted = Demand(
        needs=frozenset(),
        modalities=frozenset({Modality.TEXT}),
        untrusted=False,
        category="coding",
        terms=Terms(cost_mode=mode, quality_floor=Bps(floor), escalates=escalates),
        **demand,
    )
    return shortlist(prepare(pool, layers, of), wanted)


def decided(found: Judgement) -> Decision:
    assert isinstance(found, Decision), found
    return found


def blocked(found: Judgement) -> Blocked:
    assert isinstance(found, Blocked), found
    return found


def ids(decision: Decision) -> list[str]:
    return [option.model.id for option in decision.ranked]


def test_the_ranking_is_as_long_as_the_plan_may_be() -> None:
    assert ids(decided(decide(ready(), profile(), PLAIN))) == ["acme/one"]
    assert ids(decided(decide(ready(attempts_max=2), profile(), PLAIN))) == ["acme/one", "bolt/two"]
    anybody = ready(fallback_mode=FallbackMode.SAME_PROVIDER)
    assert ids(decided(decide(anybody, profile(), PLAIN))) == ["acme/one", "bolt/two"]


def test_who_does_not_fit_now_is_passed_over() -> None:
    now = Circumstances(at=NOW, circuits_open={ONE.id: NOW})
    decision = decided(decide(ready(), profile(), now))
    assert ids(decision) == ["bolt/two"]
    assert decision.kind is Kind.SOLE_CANDIDATE


@pytest.mark.parametrize(
    ("prepared", "kind", "reason"),
    [
        (ready(), Kind.SELECTED, "lowest expected cost among the candidates"),
        (ready(mode=CostMode.PREMIUM), Kind.SELECTED, "highest quality among"),
        (ready(mode=CostMode.BALANCED), Kind.SELECTED, "best balance of quality, cost"),
        (ready(mode=CostMode.FASTEST_PASSABLE), Kind.SELECTED, "lowest expected latency"),
        (ready(priority=("bolt/*",)), Kind.SELECTED, "first that the stack prefers, then"),
        (ready(catalog(ONE)), Kind.SOLE_CANDIDATE, "lowest expected cost"),
        (ready(floor=9_001), Kind.RELAXED, "no candidate meets every target; nearest, then"),
        (ready(catalog(ONE), pinned=True), Kind.PINNED, "the caller named this model"),
    ],
)
def test_a_decision_says_how_it_came_about(prepared: Shortlist, kind: Kind, reason: str) -> None:
    decision = decided(decide(prepared, profile(), PLAIN))
    assert decision.kind is kind
    assert decision.reason.startswith(reason)


def test_a_relaxed_decision_names_what_is_missed() -> None:
    decision = decided(decide(ready(floor=9_001), profile(), PLAIN))
    assert decision.reason.endswith("below_quality_target")
    assert decision.selected.model == TWO


def test_savings_are_against_the_reference_and_may_be_negative() -> None:
    decision = decided(decide(ready(), profile(), PLAIN))
    assert decision.baseline == Baseline(model=TWO.id, cost=NanoUsd(550_000))
    assert decision.savings == 550_000 - 300_000
    dear = decided(decide(ready(catalog(TWO), reference="bolt/two"), profile(), PLAIN))
    assert dear.savings == 0
    premium = ready(mode=CostMode.PREMIUM, reference="acme/one")
    assert decided(decide(premium, profile(), PLAIN)).savings == 300_000 - 550_000


def test_without_a_reference_nothing_is_saved_and_no_escalation_costs_anything() -> None:
    decision = decided(decide(ready(reference="gone/away", escalates=True), profile(), PLAIN))
    assert (decision.baseline, decision.savings) == (None, None)
    assert decision.estimate.expected_cost == 300_000


# The cap and the hold


@pytest.mark.parametrize(
    ("asked", "published", "window", "cap"),
    [
        (None, None, 100_000, OUTPUT_TOKENS_DEFAULT),
        (Tokens(7), None, 100_000, 7),
        (Tokens(90_000), None, 100_000, 90_000),
        (Tokens(90_000), Tokens(4_096), 100_000, 4_096),
        (None, None, 2_000, 1_000),
        (None, None, 900, 1),
    ],
)
def test_the_cap_is_what_is_asked_published_and_fits(
    asked: Tokens | None, published: Tokens | None, window: int, cap: int
) -> None:
    who = model(max_output_tokens=published, context_window=Tokens(window))
    assert output_cap(who, profile(output_tokens_cap=asked)) == cap


def held(who: PriceList, window: int = 100_000, **changes: Any) -> int:
    only = catalog(model(price=who, context_window=Tokens(window)))
    asked = profile(output_tokens_cap=Tokens(50), output_tokens=Tokens(50), **changes)
    return decided(decide(ready(only), asked, PLAIN)).selected.hold


def test_the_hold_covers_all_input_every_answer_and_every_image() -> None:
    assert held(price_list(), choices=3) == 2_000 * 100 + 150 * 400
    assert held(price_list(image=7_000), images=2) == 2_000 * 100 + 50 * 400 + 14_000
    assert held(price_list(), window=1_500) == 1_500 * 100 + 50 * 400


# The table


def test_everybody_is_in_the_table_with_every_reason() -> None:
    layer = Layer(LayerName.STACK, Boundaries(blocked_providers=frozenset({"bolt"})))
    now = Circumstances(
        at=NOW,
        circuits_open={TWO.id: NOW},
        cost_expected_max=NanoUsd(300_000),
        cost_request_max=NanoUsd(10_000_000),
    )
    priceless = model("zen/free", price=PriceList(base=Prices()))
    table = survey(ready(catalog(ONE, TWO, priceless), layer), profile(), now)
    assert [each.model.id for each in table.accepted] == ["acme/one"]
    assert {each.model: [why.reason for why in each.rejections] for each in table.rejected} == {
        "bolt/two": [
            Reason.PROVIDER_BLOCKED,
            Reason.OVER_MAX_EXPECTED_COST,
            Reason.OVER_REQUEST_BUDGET,
            Reason.CIRCUIT_OPEN,
        ],
        "zen/free": [Reason.UNKNOWN_PRICING],
    }


@pytest.mark.parametrize(("cap", "admitted"), [(299_999, False), (300_000, True)])
def test_the_ceiling_is_met_at_the_nano(cap: int, admitted: bool) -> None:
    now = Circumstances(at=NOW, cost_expected_max=NanoUsd(cap))
    assert isinstance(decide(ready(), profile(), now), Decision) is admitted


def test_the_ceiling_compares_the_call_with_its_escalation() -> None:
    now = Circumstances(at=NOW, cost_expected_max=NanoUsd(300_000))
    assert isinstance(decide(ready(escalates=True), profile(), now), Blocked)


@pytest.mark.parametrize(("cap", "admitted"), [(349_999, False), (350_000, True)])
def test_the_ceiling_compares_the_call_with_its_verifier(cap: int, admitted: bool) -> None:
    now = Circumstances(at=NOW, cost_expected_max=NanoUsd(cap), verifier_cost=NanoUsd(50_000))
    assert isinstance(decide(ready(), profile(), now), Decision) is admitted


@pytest.mark.parametrize("mode", CostMode)
def test_a_verifier_adds_to_every_estimate_and_to_no_hold_and_ranks_nobody(mode: CostMode) -> None:
    """Nor does it make savings of nothing, or eat them: the baseline is graded as well."""
    prepared, added = ready(mode=mode), NanoUsd(10**9)
    graded = Circumstances(at=NOW, verifier_cost=added)
    plain, dear = (decided(decide(prepared, profile(), now)) for now in (PLAIN, graded))
    assert dear.ranked == plain.ranked
    assert plain.baseline is not None
    judged = NanoUsd(plain.baseline.cost + added)
    assert dear.baseline == Baseline(model=plain.baseline.model, cost=judged)
    assert dear.estimate.expected_cost == plain.estimate.expected_cost + added
    assert dear.savings == plain.savings
    before, after = (survey(prepared, profile(), now).accepted for now in (PLAIN, graded))
    costs = [each.expected_cost + added for each in before]
    assert [each.expected_cost for each in after] == costs


# Who is named


def test_a_model_that_was_named_never_gives_way_to_what_may_follow_it() -> None:
    layer = Layer(LayerName.STACK, Boundaries(blocked_models=frozenset({"acme/one"})))
    prepared = ready(
        BOTH,
        layer,
        reserves=("bolt/two",),
        pinned=True,
        fallback_mode=FallbackMode.FIXED_ORDER,
    )
    found = blocked(decide(prepared, profile(), PLAIN))
    assert [each.model for each in found.rejected] == ["acme/one"]
    assert [each.model for each in found.unblock] == ["acme/one"]


def test_changes_are_proposed_for_the_named_model_alone() -> None:
    layer = Layer(
        LayerName.STACK, Boundaries(blocked_models=frozenset({"*/*", "acme/*", "bolt/*"}))
    )
    prepared = ready(BOTH, layer, reserves=("bolt/two",), pinned=True)
    assert [each.model for each in blocked(decide(prepared, profile(), PLAIN)).unblock] == [
        "acme/one"
    ]


# What would unblock


def test_the_smallest_sets_of_changes_are_proposed_and_not_too_many() -> None:
    many = catalog(*(model(f"acme/{name}") for name in "abcde"), model("bolt/f"))
    layers = (
        Layer(LayerName.STACK, Boundaries(allowed_providers=frozenset({"zen", "bolt"}))),
        Layer(LayerName.KEY, Boundaries(blocked_models=frozenset({"acme/e", "bolt/*"}))),
    )
    found = blocked(decide(ready(many, *layers), profile(), PLAIN))
    assert len(found.rejected) == 6
    assert found.unblock == (
        Change(model=ModelId("acme/a"), changes=("stack: boundaries.allowedProviders: add acme",)),
        Change(model=ModelId("acme/b"), changes=("stack: boundaries.allowedProviders: add acme",)),
        Change(model=ModelId("acme/c"), changes=("stack: boundaries.allowedProviders: add acme",)),
    )
    assert len(found.unblock) == UNBLOCK_SHOWN


def test_nothing_is_proposed_where_no_rule_can_help() -> None:
    long = profile(input_tokens=Tokens(200_000))
    layer = Layer(LayerName.STACK, Boundaries(blocked_providers=frozenset({"acme", "bolt"})))
    assert blocked(decide(ready(BOTH, layer), long, PLAIN)).unblock == ()


# The fingerprint


def mark(prepared: Shortlist | None = None, asked: Profile | None = None, **changes: Any) -> str:
    now = Circumstances(**({"at": NOW} | changes))
    return decide(prepared or ready(), asked or profile(), now).fingerprint


def test_the_fingerprint_tells_every_input_apart() -> None:
    marks = [
        mark(),
        mark(ready(attempts_max=2)),
        mark(asked=profile(input_tokens=Tokens(1_001))),
        mark(asked=profile(input_tokens_max=Tokens(2_001))),
        mark(asked=profile(output_tokens=Tokens(501))),
        mark(asked=profile(output_tokens_cap=Tokens(600))),
        mark(asked=profile(choices=2)),
        mark(asked=profile(images=1)),
        mark(cost_expected_max=NanoUsd(10**9)),
        mark(cost_request_max=NanoUsd(10**9)),
        mark(verifier_cost=NanoUsd(1)),
        mark(verifier_cost=NanoUsd(2)),
        mark(circuits_open={ModelId("zen/ünïcode"): NOW}),
        mark(circuits_open={ModelId("zen/ünïcode"): Instant(NOW + 1_001)}),
    ]
    assert len(set(marks)) == len(marks)


def test_the_time_counts_by_the_minute_and_where_a_price_may_name_it() -> None:
    later = Instant(NOW + 60_000)
    assert mark(at=later) == mark()
    nightly = price_list(PriceOverride(prices=prices(1, 1), utc_minute_until=60))
    moving = ready(catalog(ONE, TWO, model("zen/three", price=nightly)))
    assert mark(moving, at=later) != mark(moving)
    assert mark(moving, at=Instant(NOW + 59_999)) == mark(moving)


def test_a_blocked_decision_has_a_fingerprint_too() -> None:
    layer = Layer(LayerName.STACK, Boundaries(allowed_models=frozenset()))
    assert mark(ready(BOTH, layer)) != mark(ready(BOTH, layer), asked=profile(images=1))


def test_latency_is_a_target_and_not_a_boundary() -> None:
    terms = Terms(
        cost_mode=CostMode.LOWEST_PASSABLE, quality_floor=Bps(0), latency_slo_ms=Millis(1)
    )
    wanted = Demand(
        needs=frozenset(),
        modalities=frozenset({Modality.TEXT}),
        untrusted=False,
        category="coding",
        terms=terms,
    )
    prepared = shortlist(ready().roster, wanted)
    assert decided(decide(prepared, profile(), PLAIN)).kind is Kind.RELAXED
