"""What can be known before a request comes, so that it pays only for what depends on it?

Two steps, each kept while its cache has room. A `Roster` is one candidate pool under one set of
layers and one catalog: every model judged against policy and catalog. A `Shortlist` is that
roster for one `Demand` (what a class of requests needs, and the terms it is ranked by): the
models still admitted, and of these the `front`, the only ones that can be among the first few
whatever the size of the request. Preparing never changes a decision: a law compares it with
ranking everything.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from attrs import evolve, frozen

from astrolabe_core.boundaries import Rejection, fitting, place_of, standing
from astrolabe_core.canonical import digest
from astrolabe_core.catalog import Capability, Catalog, Modality, Model
from astrolabe_core.fronts import always_ahead, can_lead
from astrolabe_core.resolve import Layer
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import Contender, Row, Terms, cheapest_rows, contender
from astrolabe_core.stacks import FallbackMode, RuleVerb
from astrolabe_core.units import Digest, ModelId, Tokens

ROSTERS_KEPT: Final = 256
SHORTLISTS_KEPT: Final = 4_096
REDUCED_KEPT: Final = 256
"""Shortlists without whom a circuit keeps away: there is one for each set of open circuits."""


@frozen(kw_only=True, cache_hash=True)
class Pool:
    """The models that a request's `model` stands for, before any policy.

    `reserves` serve only when no candidate can; `reference` is the lane's baseline; `pinned`
    says that the caller named one serving model.
    """

    name: str
    lane: str
    candidates: tuple[ModelId, ...]
    reserves: tuple[ModelId, ...] = ()
    reference: ModelId
    pinned: bool = False


@frozen(kw_only=True, eq=False)
class Roster:
    """A pool with every model judged against policy and catalog. Compared by identity."""

    pool: Pool
    catalog: Catalog
    models: tuple[tuple[Model, bool], ...]
    standing: Mapping[ModelId, tuple[Rejection, ...]]
    digest: Digest


@frozen(kw_only=True)
class Demand:
    """A class of requests: what they need, and the terms they are ranked by.

    `attempts_max` is how many models the plan may name, `fallback_mode` how those after the
    first are found, and `fixed_order` the list that they follow under `fixed_order`.
    """

    needs: frozenset[Capability]
    modalities: frozenset[Modality]
    untrusted: bool
    category: str
    terms: Terms
    ruling: Ruling | None = None
    priority: tuple[str, ...] = ()
    attempts_max: int = 1
    fallback_mode: FallbackMode = FallbackMode.NEXT_BEST
    fixed_order: tuple[str, ...] = ()

    @property
    def preferred(self) -> tuple[str, ...]:
        """The list whose earlier models rank first: of the rule that speaks, or the stack's."""
        if self.ruling is not None and self.ruling.rule.verb is not RuleVerb.REFUSE:
            return self.ruling.rule.models
        return self.priority

    @property
    def places(self) -> int | None:
        """How many of the ranking are needed: all (`None`) unless the plan is its beginning."""
        return self.attempts_max if self.fallback_mode is FallbackMode.NEXT_BEST else None


@frozen(kw_only=True, eq=False)
class Shortlist:
    """A roster for one demand.

    `entries` are all models of the pool that have a price, `contenders` those still admitted;
    `rejected` holds the reasons known so far, empty ones included; `time_matters` says that a
    price, the reference's included, depends on the time of day or the length of the prompt.
    """

    roster: Roster
    demand: Demand
    entries: Mapping[ModelId, Contender]
    contenders: tuple[Contender, ...]
    front: tuple[Contender, ...]
    rows: tuple[Row, ...] | None
    rejected: Mapping[ModelId, tuple[Rejection, ...]]
    reference: Contender | None
    window_min: Tokens
    time_matters: bool
    digest: Digest


@lru_cache(maxsize=ROSTERS_KEPT)
def prepare(pool: Pool, layers: tuple[Layer, ...], catalog: Catalog) -> Roster:
    """Judge every model of a pool against the layers and the catalog."""
    models = tuple(_members(pool, catalog))
    return Roster(
        pool=pool,
        catalog=catalog,
        models=models,
        standing={model.id: standing(model, layers) for model, _ in models},
        digest=digest((pool, layers, _catalog_digest(catalog))),
    )


@lru_cache(maxsize=SHORTLISTS_KEPT)
def shortlist(prepared: Roster, demand: Demand) -> Shortlist:
    """Judge a roster against what a class of requests needs, and find its front."""
    rejected = {
        model.id: prepared.standing[model.id]
        + fitting(
            model,
            needs=demand.needs,
            modalities=demand.modalities,
            untrusted=demand.untrusted,
            ruling=demand.ruling,
        )
        for model, _ in prepared.models
    }
    entries = dict(_entries(prepared, demand))
    contenders = tuple(each for each in entries.values() if not rejected[each.model.id])
    front = _front(contenders, demand)
    reference = _reference(prepared, demand.category)
    return Shortlist(
        roster=prepared,
        demand=demand,
        entries=entries,
        contenders=contenders,
        front=front,
        rows=cheapest_rows(front, demand.terms),
        rejected=rejected,
        reference=reference,
        window_min=_window_min(contenders),
        time_matters=any(
            each.fixed_rates is None for each in (*contenders, reference) if each is not None
        ),
        digest=digest((prepared.digest, demand)),
    )


@lru_cache(maxsize=REDUCED_KEPT)
def without(prepared: Shortlist, shut: frozenset[ModelId]) -> Shortlist:
    """Give a shortlist without the models whose circuit is open: others may be its front then."""
    contenders = tuple(each for each in prepared.contenders if each.model.id not in shut)
    if len(contenders) == len(prepared.contenders):
        return prepared
    front = tuple(_reduced_front(prepared, contenders, shut))
    return evolve(
        prepared,
        contenders=contenders,
        front=front,
        rows=cheapest_rows(front, prepared.demand.terms),
        window_min=_window_min(contenders),
    )


def _reduced_front(
    prepared: Shortlist, contenders: tuple[Contender, ...], shut: frozenset[ModelId]
) -> Iterator[Contender]:
    """Give what is left of the front, and whom those of it hid who are shut now.

    Who was not in the front hid nobody whom its own betters do not hide. To look at everybody anew
    took four times as long, 30 ms for 300 models, and circuits change more often than policies.
    """
    demand, places = prepared.demand, prepared.demand.places
    known = {each.model.id for each in prepared.front}
    gone = [each for each in prepared.front if each.model.id in shut]
    if not gone or places is None:
        yield from (each for each in prepared.front if each.model.id not in shut)
        return
    # Those of the front are ahead of most, so that few others have to be looked at.
    ranks = tuple(sorted(contenders, key=lambda each: each.model.id not in known))
    for each in contenders:
        if each.model.id in known or (
            any(always_ahead(other, each, demand.terms) for other in gone)
            and can_lead(each, ranks, demand.terms, places=places)
        ):
            yield each


def _window_min(contenders: tuple[Contender, ...]) -> Tokens:
    return min((each.model.context_window for each in contenders), default=Tokens(0))


@lru_cache(maxsize=8)
def _catalog_digest(catalog: Catalog) -> Digest:
    return digest(catalog)


def _members(pool: Pool, catalog: Catalog) -> Iterator[tuple[Model, bool]]:
    wanted = dict.fromkeys(pool.reserves, True) | dict.fromkeys(pool.candidates, False)
    for model in catalog.models:
        if model.id in wanted:
            yield model, wanted[model.id]


def _front(contenders: tuple[Contender, ...], demand: Demand) -> tuple[Contender, ...]:
    places = demand.places
    if places is None:
        return contenders
    return tuple(
        candidate
        for candidate in contenders
        if can_lead(candidate, contenders, demand.terms, places=places)
    )


def _entries(prepared: Roster, demand: Demand) -> Iterator[tuple[ModelId, Contender]]:
    for model, reserve in prepared.models:
        entry = contender(
            prepared.catalog,
            model,
            demand.category,
            preference=place_of(model.id, demand.preferred),
            reserve=reserve,
        )
        if entry is not None:
            yield model.id, entry


def _reference(prepared: Roster, category: str) -> Contender | None:
    model = prepared.catalog.model(prepared.pool.reference)
    return None if model is None else contender(prepared.catalog, model, category)
