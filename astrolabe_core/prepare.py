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

from attrs import frozen

from astrolabe_core.boundaries import Rejection, fitting, matches, standing
from astrolabe_core.canonical import digest
from astrolabe_core.catalog import Capability, Catalog, Modality, Model
from astrolabe_core.fronts import can_lead
from astrolabe_core.resolve import Layer
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import Contender, Row, Terms, cheapest_rows, contender
from astrolabe_core.stacks import RuleVerb
from astrolabe_core.units import Digest, ModelId, Tokens

ROSTERS_KEPT: Final = 256
SHORTLISTS_KEPT: Final = 4_096


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

    `attempts_max` is how many models the plan may name; `any_may_follow` says that the plan is
    not simply the first of the ranking, so that every admitted model must be ranked.
    """

    needs: frozenset[Capability]
    modalities: frozenset[Modality]
    untrusted: bool
    category: str
    terms: Terms
    ruling: Ruling | None = None
    priority: tuple[str, ...] = ()
    attempts_max: int = 1
    any_may_follow: bool = False


@frozen(kw_only=True, eq=False)
class Shortlist:
    """A roster for one demand.

    `rejected` holds the reasons known so far, empty ones included; `time_matters` says that a
    price depends on the time of day or the length of the prompt.
    """

    roster: Roster
    demand: Demand
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
    contenders = tuple(_contenders(prepared, demand, rejected))
    front = contenders if demand.any_may_follow else _front(contenders, demand)
    return Shortlist(
        roster=prepared,
        demand=demand,
        contenders=contenders,
        front=front,
        rows=cheapest_rows(front, demand.terms),
        rejected=rejected,
        reference=_reference(prepared, demand.category),
        window_min=min((c.model.context_window for c in contenders), default=Tokens(0)),
        time_matters=any(c.fixed_rates is None for c in contenders),
        digest=digest((prepared.digest, demand)),
    )


@lru_cache(maxsize=8)
def _catalog_digest(catalog: Catalog) -> Digest:
    return digest(catalog)


def _members(pool: Pool, catalog: Catalog) -> Iterator[tuple[Model, bool]]:
    wanted = dict.fromkeys(pool.reserves, True) | dict.fromkeys(pool.candidates, False)
    for model in catalog.models:
        if model.id in wanted:
            yield model, wanted[model.id]


def _preference(model: ModelId, demand: Demand) -> int:
    """Give the place of a model in the list that speaks, behind the list where it is not named."""
    ruling = demand.ruling
    named = demand.priority
    if ruling is not None and ruling.rule.verb is not RuleVerb.REFUSE:
        named = ruling.rule.models
    places = (place for place, pattern in enumerate(named) if matches(pattern, model))
    return next(places, len(named))


def _front(contenders: tuple[Contender, ...], demand: Demand) -> tuple[Contender, ...]:
    return tuple(
        candidate
        for candidate in contenders
        if can_lead(candidate, contenders, demand.terms, places=demand.attempts_max)
    )


def _contenders(
    prepared: Roster, demand: Demand, rejected: Mapping[ModelId, tuple[Rejection, ...]]
) -> Iterator[Contender]:
    for model, reserve in prepared.models:
        if rejected[model.id]:
            continue
        admitted = contender(
            prepared.catalog,
            model,
            demand.category,
            preference=_preference(model.id, demand),
            reserve=reserve,
        )
        if admitted is not None:  # always: a model without a price was rejected
            yield admitted


def _reference(prepared: Roster, category: str) -> Contender | None:
    model = prepared.catalog.model(prepared.pool.reference)
    return None if model is None else contender(prepared.catalog, model, category)
