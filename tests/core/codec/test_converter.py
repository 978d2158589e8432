"""Records and documents are one to one, and a fault is told at its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.canonical import digest
from astrolabe_core.catalog import (
    Catalog,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    TierPrior,
)
from astrolabe_core.codec.converter import ITEMS_MAX, read, write
from astrolabe_core.codec.findings import FINDINGS_MAX, Finding, Invalid
from astrolabe_core.codec.shapes import RuleForm
from astrolabe_core.money import price
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    Fallback,
    Objective,
    Rule,
    RuleVerb,
    Stack,
    StackVersion,
    Trigger,
    When,
)
from astrolabe_core.units import ModelId, StackSlug, Tokens
from astrolabe_core.virtual import VirtualModel
from tests.core.codec.records import records

KINDS = [Stack, StackVersion, Boundaries, Budget, Rule, Model, Catalog, VirtualModel]
MINIMAL = {"slug": "mine", "name": "Mine"}


def found(document: object, kind: type) -> dict[str, Finding]:
    invalid = read(document, kind)
    assert isinstance(invalid, Invalid), invalid
    return {finding.path: finding for finding in invalid.findings}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_written_is_read_back(kind: type, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    document = write(record)
    assert read(document, kind) == record
    # And through text, with JSON's numbers as floats and as decimals.
    text = json.dumps(document)
    assert read(json.loads(text), kind) == record
    again = read(json.loads(text, parse_float=Decimal), kind)
    assert again == record
    assert digest(again) == digest(record)
    assert write(again) == document


@given(records(Stack))
def test_what_is_written_is_plain_json(stack: Stack) -> None:
    def leaves(value: Any) -> Iterator[Any]:
        match value:
            case dict():
                assert all(type(key) is str for key in value)
                yield from (leaf for one in value.values() for leaf in leaves(one))
            case list():
                yield from (leaf for one in value for leaf in leaves(one))
            case _:
                yield value

    assert {type(leaf) for leaf in leaves(write(stack))} <= {str, int, float, bool, type(None)}


def places(value: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give every place within a document: its path, and what holds it under which key."""
    match value:
        case dict():
            for key, one in value.items():
                yield f"{path}.{key}" if path else key, value, key
                yield from places(one, f"{path}.{key}" if path else key)
        case list():
            for position, one in enumerate(value):
                yield f"{path}[{position}]", value, position
                yield from places(one, f"{path}[{position}]")
        case _:
            pass


@given(stack=records(Stack), data=st.data())
def test_a_value_of_the_wrong_type_is_named_at_its_place_and_nowhere_else(
    stack: Stack, data: st.DataObject
) -> None:
    document = write(stack)
    path, holder, key = data.draw(st.sampled_from(list(places(document))))
    wrong = object_or_number(holder[key])
    holder[key] = wrong
    assert list(found(document, Stack)) == [path]


def object_or_number(value: Any) -> Any:
    return -1.5 if isinstance(value, dict) else {}


@given(stack=records(Stack), data=st.data())
def test_an_unknown_key_is_named_wherever_it_stands(stack: Stack, data: st.DataObject) -> None:
    document = write(stack)
    objects = [("", document)] + [
        (f"{path}.", holder[key])
        for path, holder, key in places(document)
        if isinstance(holder[key], dict)
    ]
    where, holder = data.draw(st.sampled_from(objects))
    holder["surprise"] = 1
    assert list(found(document, Stack)) == [f"{where}surprise"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["slug", "name", "boundaries", "objective", "rules", "when", "budget"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(document=JSON)
def test_any_json_is_read_or_refused_and_never_raises(kind: type, document: object) -> None:
    assert isinstance(read(document, kind), kind | Invalid)


def test_every_fault_of_a_document_is_told_at_once_in_wire_names() -> None:
    document = {
        "slug": "Mine!",
        "boundaries": {"allowPreview": "false", "requiredCapabilities": ["tools", "tool"]},
        "objective": {
            "maxExpectedCostUsd": "cheap",
            "rules": [
                {"use": ["openai/*"]},
                {"when": {"modifiers": ["long_context", "long"]}, "use": ["openai/*"]},
            ],
        },
        "budgets": {},
    }
    assert list(found(document, Stack)) == [
        "slug",
        "name",
        "boundaries.requiredCapabilities[1]",
        "boundaries.allowPreview",
        "objective.maxExpectedCostUsd",
        "objective.rules[1].when.modifiers[1]",
        "budgets",
    ]


def test_a_missing_key_is_named() -> None:
    assert found({"slug": "mine"}, Stack)["name"].message == "is missing"


@pytest.mark.parametrize(
    ("path", "document", "meant"),
    [
        ("nmae", {**MINIMAL, "nmae": "x"}, "name"),
        (
            "boundaries.allowed_models",
            {**MINIMAL, "boundaries": {"allowed_models": []}},
            "allowedModels",
        ),
        ("allowedModels", {**MINIMAL, "allowedModels": []}, "boundaries.allowedModels"),
        ("budget.costMode", {**MINIMAL, "budget": {"costMode": "fixed"}}, None),
    ],
)
def test_an_unknown_key_is_told_what_was_probably_meant(
    path: str, document: object, meant: str | None
) -> None:
    finding = found(document, Stack)[path]
    assert finding.message.startswith("unknown key; known here: ")
    assert finding.suggestion == (f"did you mean {meant}?" if meant else None)


def test_an_unknown_key_is_told_every_known_one() -> None:
    message = found({**MINIMAL, "zzz": 1}, Stack)["zzz"].message
    assert message == (
        "unknown key; known here: slug, name, description, boundaries, objective, fallback, "
        "verification, budget, memory, observability, lockedOverrides"
    )


@pytest.mark.parametrize("document", [None, 1, "x", [], [MINIMAL], True])
def test_what_is_no_object_is_refused_at_the_root(document: object) -> None:
    assert found(document, Stack)[""].message.startswith("must be an object, not ")


def test_keys_that_are_no_strings_are_refused() -> None:
    assert found({1: 2}, Stack)[""].message == "must have strings as keys"


@pytest.mark.parametrize(
    ("value", "suggestion"),
    [("openai/*", "put it in brackets"), ({}, None), (None, None)],
)
def test_a_list_is_nothing_but_a_list(value: object, suggestion: str | None) -> None:
    finding = found({"blockedModels": value}, Boundaries)["blockedModels"]
    assert finding.message.startswith("must be a list, not ")
    assert finding.suggestion == suggestion


def test_null_and_nothing_mean_different_things_for_an_allow_list() -> None:
    assert read({"allowedModels": None}, Boundaries) == Boundaries()
    assert read({"allowedModels": []}, Boundaries) == Boundaries(allowed_models=frozenset())


def test_null_is_no_value_for_a_field_that_has_none() -> None:
    assert list(found({"dataPolicy": None, "allowPreview": None}, Boundaries)) == [
        "dataPolicy",
        "allowPreview",
    ]


def test_sets_are_written_sorted_whatever_the_hash_seed() -> None:
    program = (
        "from astrolabe_core.codec import stack_to_json\n"
        "from astrolabe_core.managed import MANAGED\n"
        "print([stack_to_json(one.stack) for one in MANAGED.values()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    triggers = frozenset({Trigger.TIMEOUT, Trigger.REFUSAL, Trigger.PROVIDER_ERROR})
    assert write(Fallback(triggers=triggers))["triggers"] == [
        "provider_error",
        "refusal",
        "timeout",
    ]


def test_a_rule_is_written_as_a_condition_and_one_verb() -> None:
    rule = Rule(
        when=When(categories=frozenset({"coding"}), input_tokens_min=10),
        verb=RuleVerb.PREFER,
        models=("openai/*",),
    )
    document = {"when": {"categories": ["coding"], "inputTokensMin": 10}, "prefer": ["openai/*"]}
    assert write(rule) == document
    assert read(document, Rule) == rule
    assert read({"refuse": []}, Rule) == Rule(verb=RuleVerb.REFUSE, models=())


@pytest.mark.parametrize(
    ("document", "said"),
    [({}, "this has 0"), ({"use": ["a/b"], "refuse": ["a/c"]}, "this has 2")],
)
def test_a_rule_has_exactly_one_verb(document: object, said: str) -> None:
    finding = found({"primary": "custom_rules", "rules": [document]}, Objective)["rules[0]"]
    assert said in finding.message
    assert finding.suggestion


def test_parts_of_a_rule_s_form_are_those_of_the_verbs() -> None:
    assert [name for name in RuleForm.__annotations__ if name != "when"] == [*RuleVerb]


def test_a_price_list_lies_flat_beside_its_overrides() -> None:
    base = Prices(input=price("0.000001"), output=price("0.000002"))
    listed = PriceList(
        base=base,
        overrides=(
            PriceOverride(prices=Prices(input=price("0.000003")), input_tokens_min=Tokens(272_000)),
        ),
    )
    document = {
        "input": "0.000001",
        "output": "0.000002",
        "overrides": [{"input": "0.000003", "inputTokensMin": 272000}],
    }
    assert write(listed) == document
    assert read(document, PriceList) == listed
    assert write(PriceList(base=base)) == {"input": "0.000001", "output": "0.000002"}
    assert list(found({"input": 1, "overrides": [{"output": 2}]}, PriceList)) == [
        "input",
        "overrides[0].output",
    ]


MODEL: dict[str, Any] = {
    "id": "openai/gpt",
    "name": "GPT",
    "tier": "economy",
    "contextWindow": 10,
    "retailPrice": {"input": "0", "output": "0"},
    "providerPrice": {"input": "0", "output": "0"},
}


def test_a_derived_key_may_be_said_again_but_not_otherwise() -> None:
    model = read(MODEL, Model)
    assert isinstance(model, Model)
    assert model.id == ModelId("openai/gpt")
    assert read({**MODEL, "provider": "openai"}, Model) == model
    assert write(model)["provider"] == "openai"
    assert (
        found({**MODEL, "provider": "azure"}, Model)["provider"].message == "must be 'openai' here"
    )


def test_maps_name_wrong_keys_and_wrong_values() -> None:
    document = {**MODEL, "qualityBps": {"coding": 8000, "codng": 8000, "research": 10001}}
    faults = found(document, Model)
    assert list(faults) == ["qualityBps.codng", "qualityBps.research"]
    assert faults["qualityBps.codng"].suggestion == "did you mean coding?"
    assert list(found({**MODEL, "qualityBps": []}, Model)) == ["qualityBps"]


def test_a_tier_s_throughput_is_never_zero() -> None:
    prior = {
        "qualityBps": 1,
        "firstTokenMs": 1,
        "tokensPerSecond": 0,
        "reliabilityBps": 1,
        "source": "",
    }
    assert list(found(prior, TierPrior)) == ["tokensPerSecond"]
    assert list(found({**MODEL, "tokensPerSecond": 0}, Model)) == ["tokensPerSecond"]


def test_a_shown_version_can_be_read_as_a_stack_and_its_publication_is_passed_over() -> None:
    stack = Stack(slug=StackSlug("mine"), name="Mine")
    version = StackVersion(stack=stack, version=3, hash=digest(stack), note="why")
    document = write(version)
    assert [*document][:2] == ["slug", "name"]
    assert document["version"] == 3
    assert read(document, Stack) == stack


def test_too_many_items_are_refused_unread() -> None:
    many = found({"blockedModels": ["x"] * (ITEMS_MAX + 1)}, Boundaries)["blockedModels"]
    assert many.message == f"has {ITEMS_MAX + 1} items; the most is {ITEMS_MAX}"
    quality = {str(number): 1 for number in range(ITEMS_MAX + 1)}
    assert "items" in found({**MODEL, "qualityBps": quality}, Model)["qualityBps"].message


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"blockedModels": ["x"] * 5_000}, id="items"),
        pytest.param({f"key{number}": 1 for number in range(5_000)}, id="keys"),
    ],
)
def test_a_hostile_document_is_not_searched_to_its_end(document: object) -> None:
    invalid = read(document, Boundaries)
    assert isinstance(invalid, Invalid)
    assert len(invalid.findings) == FINDINGS_MAX


def test_a_hostile_map_is_not_searched_to_its_end() -> None:
    invalid = read({**MODEL, "qualityBps": {f"c{n}": 1 for n in range(5_000)}}, Model)
    assert isinstance(invalid, Invalid)
    assert len(invalid.findings) == FINDINGS_MAX
