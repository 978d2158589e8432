"""A document is refused where it contradicts itself, and its text is read strictly."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event, given

from astrolabe_core import codec, shipped
from astrolabe_core.codec import Invalid
from astrolabe_core.managed import MANAGED
from astrolabe_core.money import usd
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    DataRule,
    Stack,
    StackVersion,
    contradictions,
)
from tests.core.codec.records import records

MINIMAL: dict[str, Any] = {"slug": "mine", "name": "Mine"}
CATALOG: dict[str, Any] = codec.write_catalog(shipped.catalog())


def paths(read: object) -> list[str]:
    assert isinstance(read, Invalid), read
    return [finding.path for finding in read.findings]


@given(records(Stack))
def test_a_stack_is_read_back_unless_it_contradicts_itself(stack: Stack) -> None:
    found = contradictions(stack)
    event("contradicts itself" if found else "sound")
    for read in (
        codec.read_stack(codec.write_stack(stack)),
        codec.stack_from_json(codec.stack_to_json(stack)),
    ):
        if found:
            assert paths(read) == [one.path for one in found]
        else:
            assert read == stack


@given(records(StackVersion))
def test_a_version_is_read_back_unless_its_stack_contradicts_itself(version: StackVersion) -> None:
    read = codec.stack_version_from_json(codec.stack_version_to_json(version))
    found = contradictions(version.stack)
    assert paths(read) == [one.path for one in found] if found else read == version


@given(records(Boundaries))
def test_an_envelope_is_read_back(boundaries: Boundaries) -> None:
    assert codec.read_boundaries(codec.write_boundaries(boundaries)) == boundaries
    assert codec.boundaries_from_json(codec.boundaries_to_json(boundaries)) == boundaries


@given(records(Budget))
def test_a_budget_is_read_back_unless_it_contradicts_itself(budget: Budget) -> None:
    sound = budget.warn_percent <= budget.hard_stop_percent
    event("sound" if sound else "contradicts itself")
    for read in (
        codec.read_budget(codec.write_budget(budget)),
        codec.budget_from_json(codec.budget_to_json(budget)),
    ):
        assert read == budget if sound else paths(read) == ["warnPercent"]


@pytest.mark.parametrize("slug", MANAGED)
def test_a_managed_stack_survives_its_text_and_can_be_cloned(slug: str) -> None:
    version = next(one for one in MANAGED.values() if one.stack.slug == slug)
    text = codec.stack_version_to_json(version)
    assert codec.stack_version_from_json(text) == version
    assert codec.stack_from_json(text) == version.stack


def test_a_stack_says_only_what_it_changes() -> None:
    stack = codec.read_stack(
        {
            **MINIMAL,
            "boundaries": {"dataPolicy": "no_training"},
            "budget": {"dailyUsd": "2.50", "monthlyUsd": 50, "perRequestMaxUsd": 0.02},
        }
    )
    assert isinstance(stack, Stack)
    assert stack.boundaries == Boundaries(data_policy=DataRule.NO_TRAINING)
    assert stack.budget == Budget(
        daily_usd=usd("2.5"), monthly_usd=usd("50"), per_request_max_usd=usd("0.02")
    )
    assert codec.write_budget(stack.budget) == {
        "monthlyUsd": "50",
        "dailyUsd": "2.5",
        "perRequestMaxUsd": "0.02",
        "warnPercent": 80,
        "hardStopPercent": 100,
    }


def test_contradictions_are_findings_with_path_and_suggestion() -> None:
    read = codec.read_stack(
        {
            **MINIMAL,
            "objective": {"primary": "fixed_priority"},
            "fallback": {"maxAttempts": 0},
            "memory": {"fingerprintOnly": True, "rawPromptStorage": True},
            "budget": {"warnPercent": 90, "hardStopPercent": 50},
        }
    )
    assert isinstance(read, Invalid)
    assert paths(read) == [
        "objective.priority",
        "fallback.maxAttempts",
        "memory.fingerprintOnly",
        "budget.warnPercent",
    ]
    assert all(finding.suggestion for finding in read.findings)


READERS: list[Callable[[object], object]] = [
    codec.read_stack,
    codec.read_stack_version,
    codec.read_boundaries,
    codec.read_budget,
    codec.read_catalog,
    codec.read_virtual_models,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_wrong_form_is_refused_before_anything_is_judged(
    read: Callable[[object], object],
) -> None:
    assert paths(read("nothing")) == [""]


def changed(**prices: object) -> dict[str, Any]:
    document = copy.deepcopy(CATALOG)
    document["models"][0]["retailPrice"].update(prices)
    return document


def test_a_catalog_survives_its_text() -> None:
    catalog = shipped.catalog()
    assert codec.catalog_from_json(codec.catalog_to_json(catalog)) == catalog
    assert codec.read_catalog(CATALOG) == catalog


def test_a_catalog_s_flaws_are_findings_in_wire_names() -> None:
    first = CATALOG["models"][0]["id"]
    dear = codec.read_catalog(changed(input="3", cachedInput="0.3"))
    assert paths(dear) == [
        f"models.{first}.retailPrice.input",
        f"models.{first}.retailPrice.cachedInput",
    ]


@pytest.mark.parametrize("price", ["-1", 3, 0.000003, None, "NaN", "1e-6"])
def test_a_catalog_with_a_price_that_is_no_exact_decimal_is_refused(price: object) -> None:
    read = codec.read_catalog(changed(input=price))
    assert len(paths(read)) == 1
    assert paths(read)[0].endswith("retailPrice.input")


def test_virtual_models_survive_their_text_and_none_stands_twice() -> None:
    models = shipped.virtual_models()
    assert codec.virtual_models_from_json(codec.virtual_models_to_json(models)) == models
    document = codec.write_virtual_models(models)
    assert codec.read_virtual_models(document) == models
    assert paths(codec.read_virtual_models([*document, document[1]])) == ["[1].id", "[7].id"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        (b"\xff", "decode"),
        ('{"slug": NaN}', "NaN is not a JSON number"),
        ('{"slug": -Infinity}', "-Infinity is not a JSON number"),
        ('{"slug": "a", "slug": "b"}', "the key 'slug' stands twice in one object"),
        ('{"budget": {"dailyUsd": 1, "dailyUsd": 2}}', "the key 'dailyUsd' stands twice"),
        (f'{{"version": {"9" * 5_000}}}', "digits"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_text_that_is_no_json_is_refused(text: str | bytes, said: str) -> None:
    read = codec.stack_from_json(text)
    assert paths(read) == [""]
    assert said in str(read)


def test_numbers_in_text_are_read_as_they_are_written() -> None:
    text = '{"dailyUsd": 123456789.000000001, "monthlyUsd": 0.10}'
    budget = codec.budget_from_json(text)
    assert budget == Budget(daily_usd=usd("123456789.000000001"), monthly_usd=usd("0.1"))


def test_text_is_compact_ascii_and_the_same_for_equal_records() -> None:
    stack = Stack(slug=MANAGED[next(iter(MANAGED))].stack.slug, name="Größe")
    text = codec.stack_to_json(stack)
    assert text.isascii()
    assert text == json.dumps(json.loads(text), separators=(",", ":"))
    assert codec.stack_from_json(text) == stack
