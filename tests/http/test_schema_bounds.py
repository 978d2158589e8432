"""Every trap for whoever compiles a schema is refused by structure, and no honest schema is."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_http.schema_bounds import (
    CHAIN_MAX,
    DEPTH_MAX,
    PATTERN_CHARS_MAX,
    STEPS_MAX,
    Flaw,
    Sized,
    measure,
)

Json = dict[str, Any]


def flaw_of(schema: Json) -> Flaw:
    found = measure(schema)
    assert isinstance(found, Flaw)
    return found


def plain_of(schema: Json) -> Any:
    found = measure(schema)
    assert isinstance(found, Sized), found
    return found.plain


def nested(levels: int, word: str = "items") -> Json:
    made: Json = {}
    for _ in range(levels - 1):
        made = {word: made}
    return made


def chain(links: int, **last: Any) -> Json:
    """A row of definitions, each of which is nothing but a reference to the next."""
    defs: Json = {f"d{place}": {"$ref": f"#/$defs/d{place + 1}"} for place in range(links)}
    return {"$defs": {**defs, f"d{links}": last}, "$ref": "#/$defs/d0"}


def laughs(doublings: int, **more: Any) -> Json:
    """Billion laughs: each definition names the next one twice."""
    defs: Json = {
        f"d{place}": {"allOf": [{"$ref": f"#/$defs/d{place + 1}"}] * 2}
        for place in range(doublings)
    }
    return {"$defs": {**defs, f"d{doublings}": {}}, "$ref": "#/$defs/d0", **more}


# --- where references lead ------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:9/schema.json",
        "https://json-schema.org/draft/2020-12/schema",
        "file:///etc/passwd",
        "//host/x",
        "other.json",
        "other.json#/$defs/a",
        "urn:uuid:0",
        "#anchor",
        "",
        "#/$defs/none",
        "#/$defs/a/type",
        "#/$defs/a/enum/-1",
        "#/$defs/a/enum/7",
        "#/$defs/a/enum/\u0660",
    ],
)
@pytest.mark.parametrize("place", ["root", "property", "unknown word", "behind a default"])
def test_a_reference_leads_to_a_schema_within_the_document_or_is_refused(
    reference: str, place: str
) -> None:
    defs = {"a": {"type": "string", "enum": ["x"], "$anchor": "anchor"}}
    pointing: Json = {"$ref": reference}
    schema: Json = {
        "root": pointing,
        "property": {"properties": {"default": pointing}},
        "unknown word": {"x-more": [pointing]},
        "behind a default": {"default": {"b": pointing}, "items": {"$ref": "#/default/b"}},
    }[place]
    found = flaw_of({**schema, "$defs": defs})
    assert "leads to no schema" in found.message


@pytest.mark.parametrize("word", ["const", "default", "enum", "examples", "example"])
def test_what_is_only_a_value_refers_to_nothing(word: str) -> None:
    value: Any = {"$ref": "http://127.0.0.1:9/x", "pattern": "("}
    assert isinstance(measure({word: [value] if word == "enum" else value}), Sized)


def test_a_property_may_have_any_name() -> None:
    names = ("$ref", "$id", "$dynamicRef", "pattern", "enum", "default", "properties", "$defs")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    assert plain_of(schema) == schema


@pytest.mark.parametrize("word", ["$dynamicRef", "$recursiveRef", "$vocabulary"])
def test_what_depends_on_who_includes_it_is_refused_by_name(word: str) -> None:
    found = flaw_of({"properties": {"a": {word: "#"}}})
    assert found.message.startswith(f"{word} is not taken")
    assert found.place == "/properties/a"


def test_names_of_schemas_are_dropped_and_references_are_from_the_root() -> None:
    """Otherwise a name within would move the base of every reference below it."""
    schema = {
        "$schema": "https://example.com/none",
        "$id": "http://127.0.0.1:9/x",
        "$defs": {"a": {"id": "A", "$anchor": "a"}},
        "properties": {"b": {"$id": "y", "$dynamicAnchor": "n", "$ref": "#/$defs/a"}},
    }
    assert plain_of(schema) == {
        "$defs": {"a": {}},
        "properties": {"b": {"$ref": "#/$defs/a"}},
    }


@pytest.mark.parametrize(
    ("name", "reference", "written"),
    [
        ("Café", "#/$defs/Café", "#/$defs/Caf%C3%A9"),
        ("Page<Item>", "#/$defs/Page<Item>", "#/$defs/Page%3CItem%3E"),
        ("Page[Item]", "#/$defs/Page%5BItem%5D", "#/$defs/Page%5BItem%5D"),
        ("a/b~c", "#/$defs/a~1b~0c", "#/$defs/a~1b~0c"),
        ("a b", "#/$defs/a b", "#/$defs/a%20b"),
    ],
)
def test_names_that_are_no_uris_are_found_and_written_as_such(
    name: str, reference: str, written: str
) -> None:
    """Generic types of .NET and non-English names; the compiler takes strict URIs only."""
    plain = plain_of({"$defs": {name: {}}, "items": {"$ref": reference}})
    assert plain["items"] == {"$ref": written}


def test_a_reference_may_lead_through_a_list_or_to_true() -> None:
    schema = {"anyOf": [{"type": "null"}, True], "items": {"$ref": "#/anyOf/1"}}
    assert plain_of(schema) == schema


# --- how much there is ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["items", "const", "x-more"])
def test_depth_is_bounded_wherever_it_is(word: str) -> None:
    assert isinstance(measure(nested(DEPTH_MAX, word)), Sized)
    assert "deeper" in flaw_of(nested(DEPTH_MAX + 1, word)).message


def test_references_that_double_at_each_step_are_refused() -> None:
    assert isinstance(measure(laughs(9)), Sized)
    assert str(STEPS_MAX) in flaw_of(laughs(30)).message


def test_so_are_those_that_end_in_thousands_of_doublings() -> None:
    assert isinstance(flaw_of(laughs(3_000)), Flaw)


def test_whatever_looks_at_all_that_was_evaluated_counts_it_again() -> None:
    """jsonschema-rs 0.60 walks every path of these: 2.4 kB took a minute and 11 GB."""
    many = [{"unevaluatedProperties": False, "$ref": "#/$defs/a"} for _ in range(STEPS_MAX // 102)]
    wide: Json = {"$defs": {"a": {"allOf": [{"type": "object"}] * 1}}}
    wide["$defs"]["a"]["allOf"] = [{"title": str(place)} for place in range(100)]
    assert isinstance(measure({**wide, "prefixItems": many}), Sized)
    too_many = [dict(many[0]) for _ in range(STEPS_MAX // 102 + 2)]
    assert "at once" in flaw_of({**wide, "prefixItems": too_many}).message
    without = [{"$ref": "#/$defs/a"} for _ in range(200)]
    assert isinstance(measure({**wide, "prefixItems": without}), Sized)


@pytest.mark.parametrize("from_the_root", [True, False])
def test_a_row_of_references_is_bounded_from_whichever_end_it_is_met(from_the_root: bool) -> None:
    """A row of 3,000 beside `unevaluatedProperties` overflowed the compiler's stack."""

    def schema(links: int) -> Json:
        made = chain(links)
        reference = made.pop("$ref")
        return {**made, "$ref": reference} if from_the_root else made

    assert isinstance(measure(schema(CHAIN_MAX - 2)), Sized)
    assert "in a row" in flaw_of(schema(CHAIN_MAX)).message
    assert "in a row" in flaw_of(schema(5_000)).message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"if": {"$ref": "#"}},
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}},
    ],
)
def test_a_schema_that_is_only_itself_is_refused(schema: Json) -> None:
    assert "refers back to itself" in flaw_of(schema).message


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"child": {"$ref": "#"}}},
        {"items": {"anyOf": [{"$ref": "#"}, {"type": "string"}]}},
        {"additionalProperties": {"$ref": "#"}},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}}},
    ],
)
def test_trees_and_mutual_recursion_are_honest(schema: Json) -> None:
    assert plain_of(schema) == schema


def test_patterns_are_collected_with_their_places_and_are_bounded_in_length() -> None:
    schema = {"properties": {"a": {"pattern": "^a$"}}, "patternProperties": {"^x-": {}}}
    found = measure(schema)
    assert isinstance(found, Sized)
    assert found.patterns == {"^a$": "/properties/a", "^x-": ""}
    longer = "a" * (PATTERN_CHARS_MAX + 1)
    assert flaw_of({"items": {"pattern": longer}}).place == "/items"
    assert isinstance(flaw_of({"patternProperties": {longer: {}}}), Flaw)
