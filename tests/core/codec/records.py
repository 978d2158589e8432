"""Arbitrary records of every class that travels, made from the types of their fields.

Values stay within what the codec accepts of one field; what contradicts itself between fields is
drawn too, and often, so that both outcomes are reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from astrolabe_core.codec import scalars
from astrolabe_core.codec.scalars import SCALARS
from astrolabe_core.codec.shapes import shape_of
from astrolabe_core.money import AMOUNT_MAX, AttoUsd, NanoUsd
from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier
from astrolabe_core.stacks import Fallback, Rule, RuleVerb
from astrolabe_core.units import (
    Bps,
    Digest,
    Instant,
    Millis,
    ModelId,
    ProviderId,
    StackSlug,
    Tokens,
)

LAST_INSTANT = 253_402_300_799_999
COUNT_MAX = 10**9
TEXT = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\t\r\n")

SLUGS = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
VENDORS = st.sampled_from(["openai", "x-ai", "z-ai", "m.i_x"])
MODELS = st.builds(
    "{}/{}".format, VENDORS, st.from_regex(r"[a-z0-9][A-Za-z0-9._:-]{0,9}", fullmatch=True)
)

VALUES: dict[object, SearchStrategy[Any]] = {
    bool: st.booleans(),
    str: st.text(TEXT, max_size=30),
    int: st.integers(0, COUNT_MAX),
    Tokens: st.integers(0, COUNT_MAX),
    Millis: st.integers(1, COUNT_MAX),
    Bps: st.integers(0, 10_000),
    scalars.Share: st.integers(0, 10_000),
    scalars.Percent: st.integers(1, 1_000),
    scalars.Ordinal: st.integers(1, COUNT_MAX),
    scalars.Minute: st.integers(0, 1_440),
    NanoUsd: st.integers(0, AMOUNT_MAX) | st.integers(0, 10),
    AttoUsd: st.integers(0, 10**16) | st.integers(0, 10),
    Instant: st.integers(0, LAST_INSTANT),
    scalars.Title: st.text(TEXT, min_size=1, max_size=30),
    Digest: st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    StackSlug: SLUGS,
    scalars.Lane: SLUGS,
    ModelId: MODELS,
    scalars.VirtualId: SLUGS.map("astrolabe/{}".format),
    scalars.Pattern: MODELS | VENDORS.map("{}/*".format),
    ProviderId: VENDORS,
    scalars.Override: st.sampled_from(["quality", "cost_mode", "verification", "fallback"]),
    scalars.CategoryWord: st.sampled_from([word.value for word in Category]),
    scalars.ActionWord: st.sampled_from([word.value for word in ActionClass]),
    scalars.ComplexityWord: st.sampled_from([word.value for word in Complexity]),
    scalars.ModifierWord: st.sampled_from([word.value for word in Modifier]),
}
# Where almost every value would contradict another: drawn at the bounds.
FIELDS: dict[tuple[type, str], SearchStrategy[Any]] = {
    (Fallback, "max_attempts"): st.integers(0, 9),
}


def records(kind: Any) -> SearchStrategy[Any]:
    """Draw values of a type: a record, a container, or a single value."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind in VALUES:
        return VALUES[kind]
    if kind in SCALARS:
        return st.sampled_from(list(kind))
    if kind is Rule:
        patterns = st.lists(VALUES[scalars.Pattern], max_size=2).map(tuple)
        when = records(Rule.__annotations__["when"])
        return st.builds(Rule, when=when, verb=st.sampled_from(RuleVerb), models=patterns)
    if origin in {UnionType, Union}:
        (one,) = (part for part in parts if part is not NoneType)
        return st.none() | records(one)
    if origin is tuple:
        return st.lists(records(parts[0]), max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(records(parts[0]), max_size=3)
    if origin is Mapping:
        return st.dictionaries(records(parts[0]), records(parts[1]), max_size=3)
    fields = {
        slot.field: FIELDS[kind, slot.field] if (kind, slot.field) in FIELDS else records(slot.kind)
        for slot in shape_of(kind).slots
    }
    return st.builds(kind, **fields)
