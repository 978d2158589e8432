"""Equal records have one byte form, whatever the process, its hash seed or the order of a set."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from enum import Enum

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.canonical import canonical, digest
from astrolabe_core.catalog import Capability
from astrolabe_core.stacks import Boundaries, Stack
from astrolabe_core.units import StackSlug

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Colour(Enum):
    RED = 1


@frozen
class Point:
    x: int
    tags: frozenset[str] = frozenset()
    note: str = field(default="", eq=False)


@given(plain)
def test_plain_values_are_compact_json_with_sorted_keys(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"))


@given(st.lists(st.text(), unique=True))
def test_the_order_in_which_a_set_was_built_does_not_show(words: list[str]) -> None:
    assert canonical(frozenset(words)) == canonical(frozenset(words[::-1]))
    assert sorted(json.loads(canonical(frozenset(words)))) == sorted(words)


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_a_mapping_does_not_show(mapping: dict[str, int]) -> None:
    assert canonical(dict(reversed(mapping.items()))) == canonical(mapping)


def test_a_record_is_its_fields_in_order() -> None:
    assert canonical(Point(3, frozenset({"b", "a"}))) == '[3,["a","b"]]'


def test_what_does_not_take_part_in_equality_does_not_show() -> None:
    assert canonical(Point(1, note="seen")) == canonical(Point(1))


def test_records_in_sets_and_mappings_are_written_too() -> None:
    assert canonical({"p": frozenset({Point(2), Point(1)})}) == '{"p":[[1,[]],[2,[]]]}'


def test_an_enumeration_is_its_value_as_item_and_as_key() -> None:
    assert canonical((Colour.RED, Capability.TOOLS)) == '[1,"tools"]'
    assert canonical({Capability.TOOLS: Colour.RED}) == '{"tools":1}'


@pytest.mark.parametrize("value", [0.1, float("nan"), b"bytes", object(), (1, 0.5), {"a": 1j}])
def test_what_has_no_exact_form_is_a_bug(value: object) -> None:
    with pytest.raises(TypeError, match="has no exact form"):
        canonical(value)


def test_a_digest_is_the_sha_256_of_the_text() -> None:
    assert digest(Point(7)) == hashlib.sha256(b"[7,[]]").hexdigest()


def test_a_single_changed_field_changes_the_digest() -> None:
    stack = Stack(slug=StackSlug("own"), name="Own")
    narrower = Stack(
        slug=StackSlug("own"),
        name="Own",
        boundaries=Boundaries(blocked_models=frozenset({"openai/*"})),
    )
    assert digest(stack) != digest(narrower)


def test_any_text_has_a_digest_surrogates_included() -> None:
    assert len(digest("\ud800 ü")) == 64


PRINT_DIGEST = """
from astrolabe_core.canonical import digest
from astrolabe_core.stacks import Boundaries
models = frozenset(f"vendor/model-{n}" for n in range(50))
print(digest(Boundaries(allowed_models=models, blocked_providers=frozenset("abcdef"))))
"""


def test_the_hash_seed_of_the_process_does_not_show() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1
