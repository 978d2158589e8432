"""Under which names, and as which kinds of value, do the fields of each record travel?

A record's fields travel in camelCase, each as its own type. `_SPOKEN` holds what differs: a name
fixed by the contract, a kind of value that says more than the core's type, a record whose keys
lie flat among those of its owner. `RuleForm` is the wire's form of a record that has another.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import attrs
from attrs import NOTHING, frozen

from astrolabe_core.catalog import (
    Catalog,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    TierPrior,
)
from astrolabe_core.codec.scalars import (
    ActionWord,
    CategoryWord,
    ComplexityWord,
    Lane,
    Minute,
    ModifierWord,
    Ordinal,
    Override,
    Pattern,
    Percent,
    Share,
    Title,
    VirtualId,
)
from astrolabe_core.stacks import (
    ANYTIME,
    Boundaries,
    Budget,
    Fallback,
    Objective,
    Rule,
    Stack,
    StackVersion,
    Verification,
    When,
)
from astrolabe_core.units import Bps, ProviderId
from astrolabe_core.virtual import VirtualModel

Kind: TypeAlias = Any
"""A class, or what `typing` makes of one: `frozenset[str]`, `str | None`, a NewType."""


@frozen(kw_only=True)
class RuleForm:
    """A custom rule as it is written: a condition, and one verb with its models."""

    when: When = ANYTIME
    use: tuple[Pattern, ...] | None = None
    prefer: tuple[Pattern, ...] | None = None
    refuse: tuple[Pattern, ...] | None = None


@frozen(kw_only=True)
class Spoken:
    """How one field's wire form differs from the rule. `None` does not differ."""

    name: str | None = None
    kind: object = None
    flat: bool = False


_PATTERNS: Final = frozenset[Pattern]
_PROVIDERS: Final = frozenset[ProviderId]

_SPOKEN: Final[Mapping[type, Mapping[str, Spoken]]] = {
    Boundaries: {
        "allowed_providers": Spoken(kind=_PROVIDERS | None),
        "blocked_providers": Spoken(kind=_PROVIDERS),
        "allowed_models": Spoken(kind=_PATTERNS | None),
        "blocked_models": Spoken(kind=_PATTERNS),
    },
    When: {
        "categories": Spoken(kind=frozenset[CategoryWord]),
        "action_classes": Spoken(kind=frozenset[ActionWord]),
        "complexities": Spoken(kind=frozenset[ComplexityWord]),
        "lanes": Spoken(kind=frozenset[Lane]),
        "modifiers": Spoken(kind=frozenset[ModifierWord]),
    },
    Objective: {
        "reliability_target": Spoken(kind=Share | None),
        "cost_expected_max": Spoken(name="maxExpectedCostUsd"),
        "priority": Spoken(kind=tuple[Pattern, ...]),
    },
    Fallback: {"never_escalate_categories": Spoken(kind=frozenset[CategoryWord])},
    Verification: {"confidence_threshold": Spoken(kind=Share)},
    Budget: {
        "warn_percent": Spoken(kind=Percent),
        "hard_stop_percent": Spoken(kind=Percent),
    },
    Stack: {
        "name": Spoken(kind=Title),
        "locked_overrides": Spoken(kind=frozenset[Override]),
    },
    StackVersion: {"stack": Spoken(flat=True), "version": Spoken(kind=Ordinal)},
    PriceOverride: {
        "prices": Spoken(flat=True),
        "utc_minute_from": Spoken(kind=Minute),
        "utc_minute_until": Spoken(kind=Minute),
    },
    PriceList: {"base": Spoken(flat=True)},
    TierPrior: {
        "quality": Spoken(name="qualityBps"),
        "reliability": Spoken(name="reliabilityBps"),
        "tokens_per_second": Spoken(kind=Ordinal),
    },
    Model: {
        "name": Spoken(kind=Title),
        "quality": Spoken(name="qualityBps", kind=Mapping[CategoryWord, Bps]),
        "reliability": Spoken(name="reliabilityBps"),
        "tokens_per_second": Spoken(kind=Ordinal | None),
    },
    Catalog: {"version": Spoken(kind=Title), "priors": Spoken(name="tierPriors")},
    VirtualModel: {
        "id": Spoken(kind=VirtualId),
        "lane": Spoken(kind=Lane),
        "name": Spoken(kind=Title),
    },
}

_SPARSE: Final = frozenset({When, RuleForm, Prices, PriceOverride, PriceList})
"""Records of many optional parts: what is at its default is not written."""

_DERIVED: Final[Mapping[type, Mapping[str, Callable[[Any], str]]]] = {
    Model: {"provider": lambda model: model.provider}
}
"""Keys that follow from the others: written for readers, and refused where they say otherwise."""

_PASSED_OVER: Final[Mapping[type, frozenset[str]]] = {
    Stack: frozenset({"version", "hash", "status", "publishedAt", "publishedBy", "note"})
}
"""Keys that a shown stack carries and its next publication sets anew."""

WRITTEN_AS: Final[Mapping[type, type]] = {Rule: RuleForm}
"""Records that have another form on the wire."""


@frozen(kw_only=True)
class Slot:
    """One field: its name in the record and on the wire, its kind, and its default if any."""

    field: str
    name: str
    kind: object
    default: object
    flat: bool

    @property
    def required(self) -> bool:
        """Whether a document must say it."""
        return self.default is NOTHING


@frozen(kw_only=True)
class Shape:
    """The wire form of one class of records."""

    slots: tuple[Slot, ...]
    sparse: bool
    derived: Mapping[str, Callable[[Any], str]]
    passed_over: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Every key of the wire form, in order."""
        return tuple(
            name
            for slot in self.slots
            for name in (shape_of(slot.kind).names if slot.flat else (slot.name,))
        )


@cache
def shape_of(kind: Kind) -> Shape:
    """Give the wire form of a class of records."""
    spoken = _SPOKEN.get(kind, {})
    return Shape(
        slots=tuple(
            _slot(attribute, spoken.get(attribute.name, Spoken()))
            for attribute in attrs.fields(kind)
        ),
        sparse=kind in _SPARSE,
        derived=_DERIVED.get(kind, {}),
        passed_over=_PASSED_OVER.get(kind, frozenset()),
    )


def _slot(attribute: "attrs.Attribute[Any]", spoken: Spoken) -> Slot:
    return Slot(
        field=attribute.name,
        name=spoken.name or camel(attribute.name),
        kind=spoken.kind or attribute.type,
        default=attribute.default,
        flat=spoken.flat,
    )


def camel(name: str) -> str:
    """Write a field's name as the wire does."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
