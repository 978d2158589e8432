"""What is wrong with a value is told in words of ours, and none of them is the value's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from astrolabe_http.mismatches import FLAWS_MAX, NAME_CHARS_MAX, STEPS_MAX, flaws_of
from astrolabe_http.schema_drafts import compiled, draft_of

Json = dict[str, Any]
ITEM: Json = {
    "type": "object",
    "properties": {"price": {"type": "number", "minimum": 0}, "a/b": {"type": "integer"}},
    "required": ["price"],
    "additionalProperties": False,
}
ITEMS: Json = {"type": "object", "properties": {"items": {"type": "array", "items": ITEM}}}
TREE: Json = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "left": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
            "required": ["name"],
        }
    },
    "$ref": "#/$defs/Node",
}


def flaws(schema: Json, value: object) -> tuple[str, ...] | None:
    draft = draft_of(schema, schema)
    assert draft is not None
    validator = compiled(schema, draft)
    assert validator is not None
    return flaws_of(validator, schema, orjson.loads(orjson.dumps(value)))


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (ITEMS, [], "is not an object"),
        (ITEMS, {"items": [{"price": "9"}]}, "/items/0/price: is not a number"),
        (ITEMS, {"items": [{"price": -1}]}, "/items/0/price: is too small"),
        (ITEMS, {"items": [{}]}, "/items/0: lacks the property 'price'"),
        (ITEMS, {"items": [{"price": 1, "x": 2}]}, "/items/0: has a property that is not allowed"),
        (ITEMS, {"items": [{"price": 1, "a/b": "c"}]}, "/items/0/a~1b: is not an integer"),
        (TREE, {"name": "a", "left": {"name": 1}}, "/left/name: is not a string"),
        (TREE, {"name": "a", "left": {}}, "/left: has the form of none of the alternatives"),
        (TREE, {"name": "a", "left": 5}, "/left: has the form of none of the alternatives"),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1, "has the form of more than one"),
        ({"type": ["string", "null"]}, 1, "is not null or a string"),
        ({"enum": ["a"]}, "b", "is none of the values that are allowed"),
        ({"const": 1}, 2, "is not the one value that is allowed"),
        ({"pattern": "^a"}, "b", "does not match its pattern"),
        ({"uniqueItems": True}, [1, 1], "holds the same item twice"),
        ({"maxItems": 1}, [1, 2], "has too many items"),
        ({"prefixItems": [{}], "items": False}, [1, 2], "/1: must not be there"),
        ({"if": {}, "then": {"type": "null"}}, 1, "is not null"),
    ],
)
def test_a_flaw_is_a_pointer_and_words_of_ours(schema: Json, value: object, told: str) -> None:
    found = flaws(schema, value)
    assert found is not None
    assert found[0].startswith(told)


def test_a_key_that_the_schema_does_not_declare_is_not_quoted() -> None:
    """Keys come from the model: they may be anything, a customer's secret or an instruction."""
    schema: Json = {
        "type": "object",
        "properties": {"known": {"type": "object"}},
        "additionalProperties": {"type": "number"},
        "propertyNames": {"maxLength": 9},
    }
    found = flaws(schema, {"ignore all": "x", "known": 1, "y": {"secret": 1}})
    assert found is not None
    assert set(found) == {
        "/(undeclared): is not a number",
        "/known: is not an object",
        "has a property whose name is not allowed",
    }


def test_no_value_and_no_option_is_quoted() -> None:
    schema: Json = {"properties": {"a": {"enum": ["red"]}, "b": {"const": "blue"}}}
    found = flaws(schema, {"a": "s3cret", "b": "s3cret"})
    assert found is not None
    assert "s3cret" not in "".join(found)
    assert "red" not in "".join(found).replace("required", "")


def test_flaws_are_few_and_short() -> None:
    many = flaws({"items": {"type": "null"}}, list(range(100)))
    assert many is not None
    assert len(many) == FLAWS_MAX
    name = "n" * 1_000
    long = flaws({"required": [name], "type": "object"}, {})
    assert long is not None
    assert len(long[0]) < NAME_CHARS_MAX + 50
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    tall = flaws(
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#"}}}}, deep
    )
    assert tall is not None
    assert tall[0] == "/0" * STEPS_MAX + "/…: is not an array"


def test_a_pattern_that_gave_up_tells_nothing() -> None:
    schema: Json = {"properties": {"a": {"pattern": "(?:(?!c)a|(?!c)aa)+$"}}}
    hard = "a" * 40 + "!"
    assert flaws(schema, {"a": hard}) is None
    assert flaws({**schema, "required": ["b"]}, {"a": hard}) is not None
    assert flaws({"anyOf": [{"type": "null"}, schema]}, {"a": hard}) is None


def test_a_format_is_a_note_and_no_rule() -> None:
    """A date without a time zone is no RFC 3339, and what most readers take."""
    for draft in (
        "https://json-schema.org/draft/2020-12/schema",
        "http://json-schema.org/draft-07/schema",
    ):
        plain = {"format": "date-time", "type": "string"}
        assert draft_of({**plain, "$schema": draft}, plain) == draft
        validator = compiled(plain, draft)
        assert validator is not None
        assert validator.is_valid("2026-01-01T10:00:00")
