"""Judging values by the schemas of the document, as a client would that was made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from astrolabe_http.openapi import document

DOCUMENT = document()


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    """Give the validator of a named schema."""
    return _validator(name, DOCUMENT["components"]["schemas"])


@cache
def closed_validator(name: str) -> jsonschema_rs.Validator:
    """Give one that refuses whatever is not described."""
    return _validator(name, closed(DOCUMENT["components"]["schemas"]))


def _validator(name: str, schemas: Any) -> jsonschema_rs.Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def closed(value: Any) -> Any:
    """Make every object with named properties refuse others: nothing may stay undescribed."""
    if isinstance(value, list):
        return [closed(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: closed(each) for key, each in value.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


def closed_answers(described: Mapping[str, Any]) -> dict[str, Any]:
    """Close what is answered, and leave open what is asked: there unknown fields are let go."""
    schemas = described["components"]["schemas"]
    answered = {
        node["$ref"].rpartition("/")[2]
        for operation in operations(described)
        for node in nodes([operation["responses"], described["components"]["responses"]])
        if "$ref" in node and "/schemas/" in node["$ref"]
    }
    waiting = list(answered)
    while waiting:
        for node in nodes(schemas[waiting.pop()]):
            name = node["$ref"].rpartition("/")[2] if "$ref" in node else ""
            if name and name not in answered:
                answered.add(name)
                waiting.append(name)
    made = {name: closed(each) if name in answered else each for name, each in schemas.items()}
    return {**described, "components": {**described["components"], "schemas": made}}


def operations(described: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give every operation."""
    for item in described["paths"].values():
        yield from item.values()


def nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give every object in a value."""
    if isinstance(value, Mapping):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)
