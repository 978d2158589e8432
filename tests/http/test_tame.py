"""What is held against a schema in this process is bounded, and says no more than a child does."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

import orjson
import pytest

from astrolabe_http import tame
from astrolabe_http.conformity_child import Bookshelf, answered
from astrolabe_http.tame import COST_MAX, UNITS_MAX, TameSchemas, cost_of, prepared, values_in
from tests.http.test_schema_bounds import laughs
from tests.http.test_schemas import OBJECT, OPENAPI, PYDANTIC, STRICT, ZOD

Json = dict[str, Any]


def fits(schema: Json, text: str, known: TameSchemas | None = None) -> bool:
    written = orjson.dumps(schema)
    return (known or TameSchemas()).fits(blake2b(written).digest(), written, text)


def by_a_child(schema: Json, text: str) -> object:
    frame = orjson.dumps({"schema": orjson.dumps(schema).decode(), "texts": [text]})
    line, *_ = answered(frame, Bookshelf())
    return orjson.loads(line)


ORDER: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"Money": {"type": "number", "minimum": 0}},
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", {"b": 1}]},
        "price": {"$ref": "#/$defs/Money"},
        "more": {"anyOf": [{"$ref": "#/$defs/Money"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"type": "string", "minLength": 2}, "maxItems": 3},
        "when": {"type": "string", "format": "date-time", "description": "no rule"},
    },
    "required": ["kind"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"a"}',
        '{"kind":{"b":1},"price":1,"more":null,"lines":["ab"],"when":"soon"}',
        '{"kind":"b"}',
        '{"kind":"a","price":-1}',
        '{"kind":"a","more":"x"}',
        '{"kind":"a","lines":["a"]}',
        '{"kind":"a","lines":["aa","bb","cc","dd"]}',
        '{"kind":"a","x":1}',
        "{}",
        "[]",
        "{",
        '{"kind":NaN}',
        '{"kind":"a","kind":"b"}',
        "[" * 300 + "]" * 300,
    ],
)
def test_it_says_what_a_child_says(text: str) -> None:
    assert cost_of(ORDER) is not None
    assert fits(ORDER, text) == (by_a_child(ORDER, text) == 0)


@pytest.mark.parametrize("schema", [OBJECT, PYDANTIC | {"$defs": {}, "properties": {}}, {}, ORDER])
def test_ordinary_schemas_are_tame(schema: Json) -> None:
    assert prepared(orjson.dumps(schema)) is not None


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(STRICT, id="recursive"),
        pytest.param(PYDANTIC, id="recursive below"),
        pytest.param({"items": {"$ref": "#"}}, id="refers to all of itself"),
        pytest.param(ZOD, id="a pattern"),
        pytest.param(OPENAPI, id="words that nobody knows"),
        pytest.param(laughs(12), id="doublings"),
        pytest.param({"enum": list(range(COST_MAX + 1))}, id="many values"),
        pytest.param({"title": "x" * 40_000}, id="long"),
        pytest.param({"type": "bogus"}, id="no schema"),
        pytest.param({"properties": 5}, id="no properties"),
        pytest.param({"$ref": "https://example.com/x"}, id="elsewhere"),
        *[
            pytest.param({word: value}, id=word)
            for word, value in (
                ("pattern", "a"),
                ("patternProperties", {"a": {}}),
                ("propertyNames", {}),
                ("uniqueItems", True),
                ("not", {}),
                ("if", {}),
                ("contains", {}),
                ("dependentSchemas", {"a": {}}),
                ("unevaluatedProperties", False),
                ("multipleOf", 1e-300),
                ("contentMediaType", "application/json"),
            )
        ],
    ],
)
def test_whatever_is_not_known_to_be_harmless_is_for_a_child(schema: Json) -> None:
    assert prepared(orjson.dumps(schema)) is None
    assert not fits(schema, "[]")


def test_values_are_never_counted_too_low() -> None:
    values: list[Any] = [1, "a,b", [], {}, [1, 2], {"a": 1}, {"a": [1, {"b": 2}], "c": {}}, [[[]]]]
    for value in values:
        assert values_in(orjson.dumps(value).decode()) >= tame._values(value)


def test_a_long_answer_is_for_a_child() -> None:
    numbers: Json = {"items": {"type": "integer"}}
    assert fits(numbers, orjson.dumps([1] * 2_000).decode())
    assert not fits(numbers, orjson.dumps([1] * 20_000).decode())
    assert not fits({"items": {"enum": list(range(300))}}, orjson.dumps([1] * 300).decode())


# As much of each kind as the bounds let through.
HEAVY: list[tuple[Json, object]] = [
    ({"items": {"allOf": [{"minLength": 1}] * 240}}, ["x" * 150] * 100),
    ({"items": {"enum": [{"a": number} for number in range(240)]}}, [{"a": 239}] * 50),
    ({"items": {"oneOf": [{"required": ["a"]}] * 160 + [{}]}}, [{}] * 45),
    ({"items": {"required": [f"k{number}" for number in range(480)]}}, [{}] * 50),
    ({"items": {"type": "object"}}, [{}] * 5_000),
    ({"properties": {f"p{number}": {"maxLength": 9} for number in range(240)}}, {"p1": "a"}),
]


@pytest.mark.parametrize(("schema", "value"), HEAVY)
def test_at_its_bounds_the_loop_is_held_for_a_moment_only(schema: Json, value: object) -> None:
    written, text = orjson.dumps(schema), orjson.dumps(value).decode()
    ready = prepared(written)
    assert ready is not None
    assert ready.cost * values_in(text) <= UNITS_MAX
    spent: list[float] = []
    for _ in range(3):  # the machine may be busy with something else once
        before = time.process_time()
        prepared(written)
        ready.validator.is_valid(orjson.loads(text))
        spent.append(time.process_time() - before)
    assert min(spent) < 0.03


def test_the_oldest_of_too_many_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tame, "KNOWN_MAX", 2)
    made: list[bytes] = []

    def counted(written: bytes) -> tame.Ready | None:
        made.append(written)
        return prepared(written)

    monkeypatch.setattr(tame, "prepared", counted)
    known = TameSchemas()
    for number in (1, 2, 3, 2, 3, 1):
        assert fits({"title": str(number)}, "[]", known)
    assert len(made) == 4
