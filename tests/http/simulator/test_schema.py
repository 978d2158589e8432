from __future__ import annotations

import datetime as dt
import json
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from astrolabe_http.simulator.schema import fill

SEEDS = range(40)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=3, max_length=12)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{3}$")]
    colour: Colour
    kind: Literal["a", "b", 7]


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: Annotated[int, Field(ge=10, lt=20, multiple_of=3)]
    share: Annotated[float, Field(gt=0, lt=1)]
    whole: Annotated[float, Field(ge=-5, le=-5)]
    children: list[Tree]
    leaf: Leaf
    either: int | Leaf | None
    pair: tuple[int, str]
    tags: Annotated[list[str], Field(min_length=2, max_length=3)]
    table: dict[str, int]
    when: dt.datetime
    day: dt.date
    id: UUID
    extra: str | None = None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_value_of_pydantic_s_schema_validates(seed: int) -> None:
    made = fill(Tree.model_json_schema(), seed, "tell me about seven green trees")
    Tree.model_validate_json(json.dumps(made), strict=True)


def test_values_differ_by_seed_and_repeat() -> None:
    schema = Tree.model_json_schema()
    made = [json.dumps(fill(schema, seed, "x y z")) for seed in SEEDS]
    assert made == [json.dumps(fill(schema, seed, "x y z")) for seed in SEEDS]
    assert len(set(made)) > len(SEEDS) // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_openai_s_strict_dialect_validates(seed: int) -> None:
    schema: dict[str, object] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            "kind": {"type": ["string", "null"], "enum": ["x", None]},
            "n": {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
            "set": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True},
            "both": {"allOf": [{"type": "object", "properties": {"a": {"const": 1}},
                                "required": ["a"]}, {"required": ["b"]}]},
        },
        "required": ["next", "kind", "n", "set", "both"],
        "additionalProperties": False,
    }  # fmt: skip
    made = fill(schema, seed)
    while made is not None:
        assert isinstance(made, dict)
        assert set(made) == {"next", "kind", "n", "set", "both"}
        assert made["kind"] in ("x", None)
        assert made["n"] == 4
        assert len(set(made["set"])) == len(made["set"])
        assert made["both"]["a"] == 1
        assert "b" in made["both"]
        made = made["next"]


NONSENSE: tuple[object, ...] = (
    {"$ref": "https://example.com/schema.json"},
    {"$ref": "#/$defs/none"},
    {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    {"type": "string", "pattern": "("},
    {"type": "integer", "minimum": 3, "maximum": 2},
    {"type": "nonsense"},
    {"enum": []},
    {"allOf": 3, "anyOf": []},
    True,
    None,
    [],
)


@pytest.mark.parametrize("schema", NONSENSE, ids=str)
def test_remote_references_and_nonsense_are_survived(schema: object) -> None:
    json.dumps(fill(schema, 1))


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (int, Field(gt=7, lt=9)),
        (int, Field(le=-100)),
        (int, Field(ge=5, multiple_of=7)),
        (float, Field(gt=0.1, lt=0.2)),
        (float, Field(ge=0, le=1)),
        (float, Field(lt=0)),
        (float, Field(gt=1e9)),
        (str, Field(min_length=300)),
        (str, Field(max_length=2)),
        (str, Field(min_length=0, max_length=0)),
        (list[int], Field(min_length=7, max_length=7)),
        (list[int], Field(max_length=0)),
    ],
)
def test_bounds_hold(kind: type, bound: object) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(Annotated[kind, bound])  # type: ignore[arg-type]
    for seed in SEEDS:
        adapter.validate_json(json.dumps(fill(adapter.json_schema(), seed, "a b c")), strict=True)
