"""Which JSON schemas cost more to look at than anybody may ask?

A caller's schema is a program for whoever compiles it: references may lead to files and other
hosts, or double at each step; a pattern may be a bomb. What is refused here is refused by text and
structure alone, in time linear in the size, before any library sees it. What is let through is
rewritten so that it means the same without a name of its own: references are from the root.

Measured against jsonschema-rs 0.60, which holds the interpreter's lock while it compiles: nine
definitions that refer to each other beside `unevaluatedProperties`, 2.4 kB, took a minute and
11 GB; a chain of 3,000 references ended the process. Hence `STEPS_MAX` and `CHAIN_MAX`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from attrs import field, frozen

BYTES_MAX: Final = 128 * 1024
DEPTH_MAX: Final = 64
STEPS_MAX: Final = 4_000
"""Schemas that one and the same value is held against, references followed."""
CHAIN_MAX: Final = 64
PATTERN_CHARS_MAX: Final = 4_000
_PLACE_CHARS_MAX: Final = 200

Schema: TypeAlias = Mapping[str, object]

_VALUES: Final = frozenset({"const", "enum", "default", "examples", "example"})
"""Keywords with a value below them, not a schema."""
_MAPS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
"""Keywords with schemas by name below them."""
_LISTS_IN_PLACE: Final = ("allOf", "anyOf", "oneOf")
_IN_PLACE: Final = ("not", "if", "then", "else")
_MAPS_IN_PLACE: Final = ("dependentSchemas", "dependencies")
_UNEVALUATED: Final = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_REFUSED: Final[Mapping[str, str]] = {
    "$dynamicRef": "it refers to whoever includes it; use $ref",
    "$recursiveRef": "it refers to whoever includes it; use $ref",
    "$vocabulary": "it belongs into a metaschema; leave it out",
}
_NAMES: Final = frozenset({"$id", "id", "$schema", "$anchor", "$dynamicAnchor"})
"""What names a schema or a place in it. Nothing is ever looked up by it."""
_POINTER_SAFE: Final = "/~!$&'()*+,;=:@"


@frozen(kw_only=True)
class Flaw:
    """What is wrong with a schema, and where: a JSON pointer from its root."""

    place: str
    message: str


@frozen(kw_only=True)
class Sized:
    """A schema within bounds: in plain form, with its patterns and the place of each."""

    plain: Schema = field(repr=False)
    patterns: Mapping[str, str] = field(repr=False)


def measure(schema: Schema) -> Sized | Flaw:
    """Hold a schema against every bound but that of its bytes."""
    if _is_deeper(schema, DEPTH_MAX):
        return Flaw(place="", message=f"it nests deeper than {DEPTH_MAX} levels")
    survey = _Survey(schema)
    flaw = survey.walk() or survey.weigh()
    if flaw is not None:
        return flaw
    plain = {name: _plain(value) for name, value in schema.items() if not _names(name, value)}
    return Sized(plain=plain, patterns=survey.patterns)


@frozen
class _Weight:
    """How many schemas one value is held against, and how many of them in a row."""

    steps: int
    height: int


class _Survey:
    """One look at all schemas within a schema, and at what each refers to."""

    def __init__(self, root: Schema) -> None:
        self.patterns: dict[str, str] = {}
        self._root = root
        self._places: dict[int, str] = {}
        self._targets: dict[int, Schema] = {}
        self._met: list[Schema] = []
        self._weights: dict[int, _Weight] = {}
        self._open: set[int] = set()

    def walk(self) -> Flaw | None:
        """Visit every schema once, those too that only a reference leads to."""
        waiting: list[tuple[str, Schema]] = [("", self._root)]
        while waiting:
            place, schema = waiting.pop()
            if id(schema) in self._places:
                continue
            self._places[id(schema)] = place
            self._met.append(schema)
            flaw = self._look(place, schema)
            if flaw is not None:
                return flaw
            target = self._targets.get(id(schema))
            if target is not None:
                waiting.append((str(schema["$ref"])[1:], target))
            waiting += [(f"{place}/{step}", inner) for step, inner in within(schema)]
        return None

    def weigh(self) -> Flaw | None:
        """Count what one value is held against, and what that costs where it is counted twice."""
        unevaluated = 0
        for schema in self._met:
            weight = self._weight(schema, 0)
            if isinstance(weight, Flaw):
                return weight
            if not _UNEVALUATED.isdisjoint(schema):
                unevaluated += weight.steps
            if max(weight.steps, unevaluated) > STEPS_MAX:
                message = f"one value would be held against more than {STEPS_MAX} schemas at once"
                return Flaw(place=self._place(schema), message=message)
        return None

    def _look(self, place: str, schema: Schema) -> Flaw | None:
        for word, advice in _REFUSED.items():
            if word in schema:
                return Flaw(place=place, message=f"{word} is not taken: {advice}")
        patterns = [schema.get("pattern"), *_mapping(schema.get("patternProperties"))]
        for pattern in patterns:
            if isinstance(pattern, str):
                if len(pattern) > PATTERN_CHARS_MAX:
                    message = f"a pattern is longer than {PATTERN_CHARS_MAX} characters"
                    return Flaw(place=place, message=message)
                self.patterns.setdefault(pattern, place)
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return None
        target = resolve(self._root, reference)
        if target is None:
            message = (
                f"$ref {reference[:80]!r} leads to no schema within this one; "
                "references begin with '#/' and nothing is fetched"
            )
            return Flaw(place=place, message=message)
        if isinstance(target, Mapping):
            self._targets[id(schema)] = target
        return None

    def _weight(self, schema: Schema, depth: int) -> "_Weight | Flaw":
        """Weigh the schemas that apply to the same value as this one does."""
        key = id(schema)
        known = self._weights.get(key)
        if known is not None:
            return known
        if key in self._open:
            message = "it refers back to itself without going into a property or an item"
            return Flaw(place=self._place(schema), message=message)
        self._open.add(key)
        steps, height = 1, 0
        # Whoever is this deep is too high, and is told so below: no recursion goes further.
        for inner in self._in_place(schema) if depth <= CHAIN_MAX else ():
            weight = self._weight(inner, depth + 1)
            if isinstance(weight, Flaw):
                return weight
            # Bounded, since a chain of doublings would be a number of a thousand digits.
            steps = min(steps + weight.steps, STEPS_MAX + 1)
            height = max(height, weight.height)
        self._open.discard(key)
        made = self._weights[key] = _Weight(steps, height + 1)
        if made.height > CHAIN_MAX:
            message = f"more than {CHAIN_MAX} schemas in a row apply to the same value"
            return Flaw(place=self._place(schema), message=message)
        return made

    def _in_place(self, schema: Schema) -> Iterator[Schema]:
        for name in _LISTS_IN_PLACE:
            listed = schema.get(name)
            yield from _schemas(listed if isinstance(listed, list) else ())
        yield from _schemas(schema.get(name) for name in _IN_PLACE)
        for name in _MAPS_IN_PLACE:
            yield from _schemas(_mapping(schema.get(name)).values())
        target = self._targets.get(id(schema))
        if target is not None:
            yield target

    def _place(self, schema: Schema) -> str:
        return self._places.get(id(schema), "")


def within(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Give the schemas directly below; whatever stands below a word nobody knows may be one."""
    for name, value in schema.items():
        if name in _VALUES:
            continue
        if isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield f"{escaped(name)}/{place}", item
        elif isinstance(value, Mapping) and name in _MAPS:
            for inner, item in value.items():
                if isinstance(item, Mapping):
                    yield f"{escaped(name)}/{escaped(inner)}", item
        elif isinstance(value, Mapping):
            yield escaped(name), value


def resolve(root: Schema, reference: str) -> Schema | bool | None:
    """Follow a reference within the document; `None` where it leads out of it or nowhere."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found: object = root
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit():
            place = int(name[:9])
            found = found[place] if place < len(found) else None
        else:
            return None
    return found if isinstance(found, Mapping | bool) else None


def _plain(value: object) -> object:
    """Write a schema without names of its own, and its references as any library reads them."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    made = {name: _plain(item) for name, item in value.items() if not _names(name, item)}
    reference = made.get("$ref")
    if isinstance(reference, str):
        made["$ref"] = "#" + quote(unquote(reference[1:]), safe=_POINTER_SAFE)
    return made


def _names(name: str, value: object) -> bool:
    return name in _NAMES and isinstance(value, str)


def _is_deeper(value: object, levels: int) -> bool:
    """Whether containers nest deeper than so many levels; as far down as is needed to say so."""
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _inner(outer)]
        if not layer:
            return False
    return True


def _inner(value: object) -> Iterator[object]:
    """Give what a container holds, as far as that is a container too."""
    items: Iterable[object] = ()
    if isinstance(value, Mapping):
        items = value.values()
    elif isinstance(value, list):
        items = value
    yield from (item for item in items if isinstance(item, Mapping | list))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _schemas(values: Iterable[object]) -> Iterator[Schema]:
    yield from (value for value in values if isinstance(value, Mapping))


def escaped(step: str) -> str:
    """Write one step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")[:_PLACE_CHARS_MAX]
