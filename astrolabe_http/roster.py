"""Which models does this gateway serve: those that come with it, or an operator's own?

A catalog file is one JSON document: a catalog as docs/catalog.md describes it, in which
`tierPriors` may be left out, and beside it

- `virtualModels`: the lanes, as `virtual_models.json` has them. Where it is left out the shipped
  lanes stay, each with those of its models that the catalog has; a lane without any is gone, and
  `astrolabe/auto` always is there, with every active model of the catalog.
- `upstreamIds`: what a model is called by the upstream, where that is not its id.

`read_roster` is pure and tells every finding; `load_roster` reads the file that settings name.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from astrolabe_core import shipped
from astrolabe_core.catalog import Catalog, Status
from astrolabe_core.codec import (
    Finding,
    Invalid,
    read_catalog,
    read_virtual_models,
    write_catalog,
)
from astrolabe_core.units import ModelId
from astrolabe_core.virtual import VENDOR, VirtualModel
from astrolabe_http.settings import Settings, UpstreamKind
from astrolabe_http.wire.translation import Upstream

AUTO: Final = f"{VENDOR}/auto"
_BESIDE: Final = frozenset({"virtualModels", "upstreamIds"})


@frozen(kw_only=True)
class Roster:
    """The models, the lanes over them, and what the upstream calls a model by another name."""

    catalog: Catalog
    virtual_models: tuple[VirtualModel, ...]
    upstream_ids: Mapping[str, str] = field(factory=dict)


class RosterError(Exception):
    """The catalog file cannot be served; the message says where and why."""


def upstream_of(settings: Settings, names: Mapping[str, str]) -> Upstream:
    """Give what the upstream understands; `names` are its own for models, by their ids."""
    plain = settings.upstream_kind is UpstreamKind.OPENAI
    return Upstream(apis=settings.upstream_apis, plain=plain, names=names)


def load_roster(settings: Settings) -> Roster:
    """Give the models that settings ask for. Raises `RosterError`."""
    path = settings.catalog_file
    if not path:
        return Roster(catalog=shipped.catalog(), virtual_models=shipped.virtual_models())
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_unrepeated)
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise RosterError(f"{path} is no JSON document: {error}") from None
    found = read_roster(document)
    if isinstance(found, Invalid):
        raise RosterError("\n".join(f"{path}: {finding}" for finding in found.findings))
    return found


def read_roster(document: object) -> Roster | Invalid:
    """Read a catalog file, or say everything that is wrong with it."""
    if not isinstance(document, dict):
        return _invalid("", "a catalog file holds one JSON object")
    priors = write_catalog(shipped.catalog())["tierPriors"]
    kept = {key: value for key, value in document.items() if key not in _BESIDE}
    catalog = read_catalog({"tierPriors": priors, **kept})
    if isinstance(catalog, Invalid):
        return catalog
    declared = document.get("virtualModels")
    lanes = _narrowed(catalog) if declared is None else _declared(declared, catalog)
    if isinstance(lanes, Invalid):
        return lanes
    named = document.get("upstreamIds", {})
    unfit = tuple(_unfit_names(named, catalog))
    if unfit:
        return Invalid(unfit)
    return Roster(catalog=catalog, virtual_models=lanes, upstream_ids=named)


def _narrowed(catalog: Catalog) -> tuple[VirtualModel, ...]:
    """Give the shipped lanes as far as the catalog carries them."""
    known = [model.id for model in catalog.models]
    active = [model.id for model in catalog.models if model.status is Status.ACTIVE]
    made: list[VirtualModel] = []
    for lane in shipped.virtual_models():
        candidates = [each for each in lane.candidates if each in known]
        if lane.id == AUTO:
            candidates += [each for each in active if each not in candidates]
        if candidates:
            made.append(_over(lane, tuple(candidates), known))
    return tuple(made)


def _over(
    lane: VirtualModel, candidates: tuple[ModelId, ...], known: list[ModelId]
) -> VirtualModel:
    return evolve(
        lane,
        candidates=candidates,
        fallback_candidates=tuple(each for each in lane.fallback_candidates if each in known),
        reference=lane.reference if lane.reference in known else candidates[0],
    )


def _declared(declared: object, catalog: Catalog) -> tuple[VirtualModel, ...] | Invalid:
    lanes = read_virtual_models(declared)
    if isinstance(lanes, Invalid):
        within = (
            evolve(
                each, path=f"virtualModels{'' if each.path[:1] in {'', '['} else '.'}{each.path}"
            )
            for each in lanes.findings
        )
        return Invalid(tuple(within))
    unknown = tuple(_unknown(lanes, catalog))
    return Invalid(unknown) if unknown else lanes


def _unknown(lanes: tuple[VirtualModel, ...], catalog: Catalog) -> Iterator[Finding]:
    for place, lane in enumerate(lanes):
        named = [("reference", lane.reference)]
        named += [(f"candidates[{n}]", each) for n, each in enumerate(lane.candidates)]
        named += [(f"fallbackCandidates[{n}]", e) for n, e in enumerate(lane.fallback_candidates)]
        for where, each in named:
            if catalog.model(each) is None:
                message = f"{each} is not among models"
                yield Finding(path=f"virtualModels[{place}].{where}", message=message)


def _unfit_names(named: object, catalog: Catalog) -> Iterator[Finding]:
    if not isinstance(named, Mapping):
        yield Finding(path="upstreamIds", message="must be an object of model ids and names")
        return
    for model, name in named.items():
        if catalog.model(model) is None:
            yield Finding(path=f"upstreamIds.{model}", message="this id is not among models")
        elif not isinstance(name, str) or not name:
            message = "must be the name by which the upstream knows the model"
            yield Finding(path=f"upstreamIds.{model}", message=message)


def _invalid(path: str, message: str) -> Invalid:
    return Invalid((Finding(path=path, message=message),))


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON readers differ in which of two equal keys they take.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
