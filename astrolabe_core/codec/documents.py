"""Which documents are there, and when is one sound?

Each has a reader (`record | Invalid`), a writer, and the two over JSON text. A document is sound
when its form is right, and when what it says does not contradict itself: a stack's contradictions
and a catalog's flaws are findings like any other.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from attrs import fields

from astrolabe_core.catalog import Catalog, Prices, flaws
from astrolabe_core.codec.converter import read, write
from astrolabe_core.codec.findings import Finding, Invalid, shown
from astrolabe_core.codec.shapes import camel
from astrolabe_core.stacks import Boundaries, Budget, Stack, StackVersion, contradictions
from astrolabe_core.units import StackSlug
from astrolabe_core.virtual import VirtualModel

T = TypeVar("T")
Document: TypeAlias = dict[str, Any]
"""A JSON object, free to be written out by any JSON library."""

_VIRTUAL_MODELS: Final = tuple[VirtualModel, ...]


def read_stack(document: object) -> Stack | Invalid:
    """Read a stack, as a file, a draft or a shown version says it."""
    stack = read(document, Stack)
    return stack if isinstance(stack, Invalid) else _sound(stack, _contradicted(stack))


def write_stack(stack: Stack) -> Document:
    """Write a stack with every field, whatever it is set to."""
    return _object(stack)


def stack_from_json(text: str | bytes) -> Stack | Invalid:
    """Read a stack from JSON text."""
    return _from_json(text, read_stack)


def stack_to_json(stack: Stack) -> str:
    """Write a stack as JSON text; equal stacks give equal text."""
    return _to_json(write_stack(stack))


def read_stack_version(document: object) -> StackVersion | Invalid:
    """Read a published version: a stack's document and what its publication added."""
    version = read(document, StackVersion)
    if isinstance(version, Invalid):
        return version
    return _sound(version, _contradicted(version.stack))


def write_stack_version(version: StackVersion) -> Document:
    """Write a published version; `read_stack` reads it too, and passes the publication over."""
    return _object(version)


def stack_version_from_json(text: str | bytes) -> StackVersion | Invalid:
    """Read a published version from JSON text."""
    return _from_json(text, read_stack_version)


def stack_version_to_json(version: StackVersion) -> str:
    """Write a published version as JSON text."""
    return _to_json(write_stack_version(version))


def read_boundaries(document: object) -> Boundaries | Invalid:
    """Read boundaries alone: an envelope."""
    return read(document, Boundaries)


def write_boundaries(boundaries: Boundaries) -> Document:
    """Write boundaries alone: an envelope."""
    return _object(boundaries)


def boundaries_from_json(text: str | bytes) -> Boundaries | Invalid:
    """Read boundaries from JSON text."""
    return _from_json(text, read_boundaries)


def boundaries_to_json(boundaries: Boundaries) -> str:
    """Write boundaries as JSON text."""
    return _to_json(write_boundaries(boundaries))


def read_budget(document: object) -> Budget | Invalid:
    """Read a budget alone, as a workspace and a key may have one."""
    budget = read(document, Budget)
    if isinstance(budget, Invalid):
        return budget
    stack = Stack(slug=StackSlug("budget"), name="budget", budget=budget)
    return _sound(budget, _contradicted(stack, within="budget."))


def write_budget(budget: Budget) -> Document:
    """Write a budget alone."""
    return _object(budget)


def budget_from_json(text: str | bytes) -> Budget | Invalid:
    """Read a budget from JSON text."""
    return _from_json(text, read_budget)


def budget_to_json(budget: Budget) -> str:
    """Write a budget as JSON text."""
    return _to_json(write_budget(budget))


def read_catalog(document: object) -> Catalog | Invalid:
    """Read a catalog that may serve: the form is right and it has no flaws."""
    catalog = read(document, Catalog)
    if isinstance(catalog, Invalid):
        return catalog
    return _sound(
        catalog,
        [Finding(path=_spoken(flaw.path), message=flaw.message) for flaw in flaws(catalog)],
    )


def write_catalog(catalog: Catalog) -> Document:
    """Write a catalog."""
    return _object(catalog)


def catalog_from_json(text: str | bytes) -> Catalog | Invalid:
    """Read a catalog from JSON text."""
    return _from_json(text, read_catalog)


def catalog_to_json(catalog: Catalog) -> str:
    """Write a catalog as JSON text."""
    return _to_json(write_catalog(catalog))


def read_virtual_models(document: object) -> tuple[VirtualModel, ...] | Invalid:
    """Read a list of virtual models; no id stands twice."""
    models: tuple[VirtualModel, ...] | Invalid = read(document, _VIRTUAL_MODELS)
    if isinstance(models, Invalid):
        return models
    seen = Counter(model.id for model in models)
    return _sound(
        models,
        [
            Finding(path=f"[{position}].id", message=f"{model.id} stands twice")
            for position, model in enumerate(models)
            if seen[model.id] > 1
        ],
    )


def write_virtual_models(models: tuple[VirtualModel, ...]) -> list[Document]:
    """Write a list of virtual models."""
    return [_object(model) for model in models]


def virtual_models_from_json(text: str | bytes) -> tuple[VirtualModel, ...] | Invalid:
    """Read a list of virtual models from JSON text."""
    return _from_json(text, read_virtual_models)


def virtual_models_to_json(models: tuple[VirtualModel, ...]) -> str:
    """Write a list of virtual models as JSON text."""
    return _to_json(write_virtual_models(models))


def _contradicted(stack: Stack, *, within: str = "") -> list[Finding]:
    return [
        Finding(path=one.path.removeprefix(within), message=one.message, suggestion=one.remedy)
        for one in contradictions(stack)
    ]


def _sound(record: T, findings: Iterable[Finding]) -> T | Invalid:
    found = tuple(findings)
    return Invalid(found) if found else record


_PRICE_KEYS: Final[Mapping[str, str]] = {
    attribute.name: camel(attribute.name) for attribute in fields(Prices)
}


def _spoken(path: str) -> str:
    """Write the name of a price, with which a flaw's path ends, as the document does."""
    head, dot, last = path.rpartition(".")
    return f"{head}{dot}{_PRICE_KEYS.get(last, last)}"


def _object(record: object) -> Document:
    document: Document = write(record)
    return document


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # JSON readers differ in which of two equal keys they take, and so in what was agreed.
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        ((repeated, _),) = counts.most_common(1)
        raise ValueError(f"the key {shown(repeated)!r} stands twice in one object")
    return found


def _unnumbered(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _from_json(text: str | bytes, reader: Callable[[object], T | Invalid]) -> T | Invalid:
    try:
        # Decimal, so that 0.1 is read as it is written.
        document = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_unnumbered,
            object_pairs_hook=_unrepeated,
        )
    except ValueError as error:
        return _no_json(str(error))
    except RecursionError:
        return _no_json("nested too deeply")
    return reader(document)


def _no_json(told: str) -> Invalid:
    return Invalid((Finding(path="", message=f"not a JSON document: {told}"),))


def _to_json(document: object) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))
