"""What is prepared is what each model would be told anyway, and is kept for equal questions."""

from __future__ import annotations

from typing import Any

from astrolabe_core.boundaries import fitting, standing
from astrolabe_core.catalog import Capability, Catalog, Modality, PriceList, PriceOverride, Prices
from astrolabe_core.codes import Reason
from astrolabe_core.prepare import Demand, Pool, Shortlist, prepare, shortlist, without
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import Terms
from astrolabe_core.stacks import Boundaries, CostMode, FallbackMode, Rule, RuleVerb
from astrolabe_core.units import Bps, ModelId, Tokens
from tests.core.market import catalog, model, price_list, prices

ONE = model("acme/one", context_window=Tokens(5_000))
TWO = model("bolt/two", price=price_list(output_nanos=900))
SPARE = model("zen/spare")
ALL = catalog(ONE, TWO, SPARE)


def pool(*names: str, reserves: tuple[str, ...] = (), reference: str = "acme/one") -> Pool:
    return Pool(
        name="astrolabe/auto",
        lane="auto",
        candidates=tuple(map(ModelId, names)),
        reserves=tuple(map(ModelId, reserves)),
        reference=ModelId(reference),
    )


def demand(**changes: Any) -> Demand:
    plain: dict[str, Any] = {
        "needs": frozenset(),
        "modalities": frozenset({Modality.TEXT}),
        "untrusted": False,
        "category": "coding",
        "terms": Terms(cost_mode=CostMode.LOWEST_PASSABLE, quality_floor=Bps(0)),
    }
    return Demand(**(plain | changes))


def prepared(
    wanted: Demand, *layers: Layer, of: Catalog = ALL, asked: Pool | None = None
) -> Shortlist:
    whole = pool("bolt/two", "acme/one", "gone/away", reserves=("zen/spare", "acme/one"))
    return shortlist(prepare(asked or whole, layers, of), wanted)


def test_a_pool_is_its_models_of_the_catalog_and_a_candidate_is_no_reserve() -> None:
    models = prepared(demand()).roster.models
    assert [(each.id, reserve) for each, reserve in models] == [
        ("acme/one", False),
        ("bolt/two", False),
        ("zen/spare", True),
    ]


def test_every_model_is_judged_by_layers_and_needs() -> None:
    layer = Layer(LayerName.STACK, Boundaries(blocked_providers=frozenset({"bolt"})))
    blind = model("acme/one", capabilities=frozenset())
    found = prepared(demand(needs=frozenset({Capability.TOOLS})), layer, of=catalog(blind, TWO))
    assert found.rejected[TWO.id] == standing(TWO, (layer,))
    assert found.rejected[blind.id] == fitting(
        blind,
        needs=frozenset({Capability.TOOLS}),
        modalities=frozenset({Modality.TEXT}),
        untrusted=False,
        ruling=None,
    )
    assert found.contenders == ()
    assert found.window_min == 0


def test_who_is_rejected_keeps_an_entry_and_who_has_no_price_has_none() -> None:
    layer = Layer(LayerName.STACK, Boundaries(blocked_providers=frozenset({"bolt"})))
    priceless = model("acme/one", price=PriceList(base=Prices()))
    found = prepared(demand(), layer, of=catalog(priceless, TWO, SPARE))
    assert set(found.entries) == {"bolt/two", "zen/spare"}
    assert [each.model.id for each in found.contenders] == ["zen/spare"]
    assert [each.reason for each in found.rejected[priceless.id]] == [Reason.UNKNOWN_PRICING]


def test_without_whom_a_circuit_keeps_away_others_are_the_front() -> None:
    whole = prepared(demand())
    reduced = without(whole, frozenset({ONE.id, ModelId("nobody/here")}))
    assert [each.model.id for each in whole.front] == ["acme/one"]
    assert [each.model.id for each in reduced.front] == ["bolt/two"]
    assert [row[-1].model.id for row in reduced.rows or ()] == ["bolt/two"]
    assert [each.model.id for each in reduced.contenders] == ["bolt/two", "zen/spare"]
    assert (whole.window_min, reduced.window_min) == (5_000, 100_000)
    assert reduced.entries == whole.entries
    assert without(whole, frozenset({TWO.id})).front == whole.front
    deeper = prepared(demand(fallback_mode=FallbackMode.SAME_PROVIDER))
    assert [each.model.id for each in deeper.front] == ["acme/one", "bolt/two", "zen/spare"]
    assert without(deeper, frozenset({ONE.id})).front == deeper.front[1:]
    assert without(whole, frozenset({ModelId("nobody/here")})) is whole
    assert without(whole, frozenset({ONE.id, ModelId("nobody/here")})) is reduced
    assert without(whole, frozenset(each.model.id for each in whole.contenders)).window_min == 0


def test_the_front_is_as_deep_as_the_plan_may_be_long() -> None:
    def front(attempts: int, mode: FallbackMode = FallbackMode.NEXT_BEST) -> list[str]:
        wanted = demand(attempts_max=attempts, fallback_mode=mode)
        return [each.model.id for each in prepared(wanted).front]

    assert front(1) == ["acme/one"]
    assert front(3) == ["acme/one", "bolt/two", "zen/spare"]
    assert front(1, FallbackMode.SAME_PROVIDER) == ["acme/one", "bolt/two", "zen/spare"]


def test_the_smallest_window_of_who_is_admitted_is_known() -> None:
    assert prepared(demand()).window_min == 5_000


def preferences(wanted: Demand) -> dict[str, int]:
    return {each.model.id: each.preference for each in prepared(wanted).contenders}


def test_the_list_that_speaks_prefers() -> None:
    first, last = {"acme/one": 1, "bolt/two": 0, "zen/spare": 2}, ("bolt/*", "acme/one")
    assert preferences(demand(priority=last)) == first
    prefer = Ruling(0, Rule(verb=RuleVerb.PREFER, models=last))
    assert preferences(demand(priority=("zen/*",), ruling=prefer)) == first
    refuse = Ruling(0, Rule(verb=RuleVerb.REFUSE, models=("gone/*",)))
    assert preferences(demand(priority=last, ruling=refuse)) == first
    assert preferences(demand()) == {"acme/one": 0, "bolt/two": 0, "zen/spare": 0}


def test_time_matters_where_a_contender_or_the_reference_has_prices_that_move() -> None:
    moving = price_list(PriceOverride(prices=prices(1, 1), utc_minute_until=60))
    elsewhere = catalog(ONE, TWO, model("far/away", price=moving))
    asked = pool("acme/one", "bolt/two", reference="far/away")
    assert prepared(demand(), of=elsewhere, asked=asked).time_matters
    assert not prepared(demand(), of=elsewhere, asked=pool("acme/one")).time_matters
    assert prepared(demand(), of=catalog(model("acme/one", price=moving))).time_matters


def test_a_reference_may_be_missing() -> None:
    assert prepared(demand(), asked=pool("acme/one", reference="gone/away")).reference is None


def test_equal_questions_are_prepared_once() -> None:
    again = catalog(ONE, TWO, SPARE)
    assert prepared(demand()) is prepared(demand(), of=again)
    assert prepared(demand(category="research")) is not prepared(demand())


def test_the_digest_tells_pools_layers_catalogs_and_demands_apart() -> None:
    layer = Layer(LayerName.KEY, Boundaries())
    shortlists = [
        prepared(demand()),
        prepared(demand(), layer),
        prepared(demand(), Layer(LayerName.WORKSPACE, Boundaries())),
        prepared(demand(), of=catalog(ONE, TWO)),
        prepared(demand(), asked=pool("acme/one")),
        prepared(demand(attempts_max=2)),
        prepared(demand(fallback_mode=FallbackMode.SAME_PROVIDER)),
        prepared(demand(fixed_order=("acme/*",))),
    ]
    assert len({each.digest for each in shortlists}) == len(shortlists)
