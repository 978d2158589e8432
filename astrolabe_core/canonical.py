"""What is the one byte form of a record, so that equal records have equal hashes?

`canonical` writes any record of the core as JSON text whose key order is that of the fields and
whose sets are sorted: it does not depend on the process, its hash seed or the order in which a
set was built. `digest` is the SHA-256 of that text.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import cast

import attrs

from astrolabe_core.units import Digest


def canonical(value: object) -> str:
    """Write a record, or a tuple, set, mapping or scalar of records, in its one text form.

    Raises `TypeError` for anything that has no exact form, a `float` included.
    """
    return json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":"))


def digest(value: object) -> Digest:
    """Hash a record by its canonical text: 64 lower-case hexadecimal digits."""
    return Digest(hashlib.sha256(canonical(value).encode("ascii")).hexdigest())


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case frozenset() | set():
            return sorted(
                (_plain(item) for item in cast("frozenset[object]", value)), key=json.dumps
            )
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(_plain(key)): _plain(value[key]) for key in sorted(value, key=str)}
        case _:
            return _plain_record(value)


def _plain_record(record: object) -> list[object]:
    kind = type(record)
    if not attrs.has(kind):
        message = f"{kind.__name__} has no exact form"
        raise TypeError(message)
    return [
        _plain(getattr(record, attribute.name)) for attribute in attrs.fields(kind) if attribute.eq
    ]
