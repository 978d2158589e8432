"""How is a JSON schema written, in the few forms that this API needs?

Plain dictionaries of JSON Schema 2020-12, which is what OpenAPI 3.1 has. Every named schema stands
once, under `components`, and is pointed at by `ref`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

NULL: Final[Schema] = {"type": "null"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
INTEGER: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
STRING: Final[Schema] = {"type": "string"}
ANYTHING: Final[Schema] = {}
OBJECT: Final[Schema] = {"type": "object"}


def ref(name: str, description: str | None = None) -> Schema:
    """Point at a named schema."""
    return described({"$ref": f"#/components/schemas/{name}"}, description)


def described(schema: Mapping[str, Any], description: str | None) -> Schema:
    """Say what a schema is for."""
    return dict(schema) if description is None else {**schema, "description": description}


def text(description: str | None = None, **more: object) -> Schema:
    """Take a string."""
    return described({**STRING, **more}, description)


def whole(description: str | None = None, **more: object) -> Schema:
    """Take an integer."""
    return described({**INTEGER, **more}, description)


def count(description: str | None = None) -> Schema:
    """Take a count: an integer from 0."""
    return whole(description, minimum=0)


def words(
    vocabulary: type[StrEnum] | Iterable[str], description: str | None = None, **more: object
) -> Schema:
    """Take one word of a vocabulary."""
    return text(description, enum=[str(word) for word in vocabulary], **more)


def constant(value: str, description: str | None = None) -> Schema:
    """Take one string only."""
    return text(description, const=value)


def array(items: Mapping[str, Any], description: str | None = None, **more: object) -> Schema:
    """Take an array of items that are all alike."""
    return described({"type": "array", "items": dict(items), **more}, description)


def record(
    properties: Mapping[str, Mapping[str, Any]],
    description: str | None = None,
    *,
    optional: Iterable[str] = (),
    **more: object,
) -> Schema:
    """Take an object with these properties; all are always there but the optional ones."""
    left_out = frozenset(optional)
    required = [name for name in properties if name not in left_out]
    made: Schema = {"type": "object", "properties": {k: dict(v) for k, v in properties.items()}}
    if required:
        made["required"] = required
    return described({**made, **more}, description)


def request_record(
    properties: Mapping[str, Mapping[str, Any]],
    description: str | None = None,
    *,
    required: Iterable[str] = (),
    **more: object,
) -> Schema:
    """Take an object of a caller's: nothing but the required properties need be there."""
    needed = frozenset(required)
    optional = [name for name in properties if name not in needed]
    return record(properties, description, optional=optional, **more)


def any_of(*schemas: Mapping[str, Any], description: str | None = None) -> Schema:
    """Take what one of the schemas takes."""
    return described({"anyOf": [dict(schema) for schema in schemas]}, description)


def nullable(schema: Mapping[str, Any], description: str | None = None) -> Schema:
    """Take null, too: as a value, or in a request as if the field were absent."""
    kind = schema.get("type")
    if isinstance(kind, str) and "const" not in schema:
        made: Schema = {**schema, "type": [kind, "null"]}
        if "enum" in schema:
            made["enum"] = [*schema["enum"], None]
    elif "anyOf" in schema:
        made = {**schema, "anyOf": [*schema["anyOf"], NULL]}
    else:
        made = {"anyOf": [dict(schema), NULL]}
    return described(made, description)
