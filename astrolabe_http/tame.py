"""Which answers can be held against their schemas here and now, in a time that can be told?

A child of `conformity` wakes for each answer, and this process sleeps and wakes again. Most schemas
need none of that: those of a few keywords whose work is bounded by what can be counted. Such a
schema is a tree once its references are written out, and none refers back to itself; then each of
its parts is held against each place of an answer once at most. `cost` counts the values of that
tree, and the work is at most in proportion to cost times values of the answer, and to cost times
its characters where lengths are counted. At the bounds this took up to 1.3 ms on one core, and to
get a schema ready up to 3 ms, once. Patterns, uniqueness, negation, conditions, and every
word that is not known to be harmless are left to a child; so is saying what is wrong.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final

import orjson
from attrs import frozen

from astrolabe_http.schema_bounds import Flaw, Schema, measure, resolve
from astrolabe_http.schema_drafts import Validator, compiled, draft_of

COST_MAX: Final = 500
UNITS_MAX: Final = 50_000
TEXT_CHARS_MAX: Final = 16_384
SCHEMA_BYTES_MAX: Final = 32_768
KNOWN_MAX: Final = 1_024

_COUNTED: Final = frozenset(
    {
        "const",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "required",
        "type",
    }
)
_NOTES: Final = frozenset(
    {
        "$comment",
        "$defs",
        "default",
        "definitions",
        "deprecated",
        "description",
        "example",
        "examples",
        "format",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""Words that say nothing of a value; what stands in `$defs` counts where it is referred to."""
_ONE: Final = frozenset({"additionalProperties", "items"})
_LIST: Final = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})


@frozen
class Ready:
    """A schema that may be held against an answer here."""

    validator: Validator
    cost: int


class TameSchemas:
    """The schemas that were asked for last, by their digest; `None` is one for a child."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Ready | None] = OrderedDict()

    def fits(self, digest: bytes, written: bytes, text: str) -> bool:
        """Whether a text surely has a schema; where it is not sure, somebody else must look."""
        if len(text) > TEXT_CHARS_MAX:
            return False
        ready = self._ready(digest, written)
        if ready is None or ready.cost * values_in(text) > UNITS_MAX:
            return False
        try:
            return ready.validator.is_valid(orjson.loads(text))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - no JSON, nested too deeply, or a panic below
            return False

    def _ready(self, digest: bytes, written: bytes) -> Ready | None:
        if digest in self._known:
            self._known.move_to_end(digest)
            return self._known[digest]
        made = self._known[digest] = prepared(written)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return made


def prepared(written: bytes) -> Ready | None:
    """Compile a schema that is tame, or give `None`."""
    if len(written) > SCHEMA_BYTES_MAX:
        return None
    schema: Schema = orjson.loads(written)
    cost = cost_of(schema)
    sized = None if cost is None else measure(schema)
    if cost is None or sized is None or isinstance(sized, Flaw):
        return None
    draft = draft_of(schema, sized.plain)
    validator = None if draft is None else compiled(sized.plain, draft)
    return None if validator is None else Ready(validator, cost)


def values_in(text: str) -> int:
    """Count values, or more: each but the first follows a comma or what opens a container."""
    return 1 + text.count(",") + text.count("[") + text.count("{")


def cost_of(schema: Schema) -> int | None:
    """Count the values of a schema with its references written out; `None` where it is not tame."""
    cost = 0
    waiting: list[object] = [schema]
    while waiting:
        found = waiting.pop()
        cost += 1
        for name, value in found.items() if isinstance(found, Mapping) else ():
            if name == "$ref":
                target = resolve(schema, value) if isinstance(value, str) else None
                if target is None:
                    return None
                waiting.append(target)
            elif name in _COUNTED:
                cost += _values(value)
            elif name not in _NOTES and name != "$schema":
                inner = list(_inner(name, value))
                if not inner:
                    return None
                waiting += inner
        if cost + len(waiting) > COST_MAX:
            # Whatever refers back to itself gets here too.
            return None
    return cost


def _inner(name: str, value: object) -> Iterator[object]:
    """Give the schemas right below a word; none where it is not known to be harmless."""
    if name == "properties" and isinstance(value, Mapping):
        yield True
        yield from value.values()
    elif name in _ONE and isinstance(value, Mapping | bool):
        yield value
    elif name in _LIST and isinstance(value, list):
        yield True
        yield from value


def _values(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_values, value.values()))
    return 1 + sum(map(_values, value)) if isinstance(value, list) else 1
