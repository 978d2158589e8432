"""Which value does a JSON schema describe?

`fill(schema, seed, prompt)` gives one, the same for the same arguments, valid to the parts of JSON
Schema that OpenAI's structured outputs, pydantic and zod write: `$ref` into the document, `$defs`,
`definitions`, enum, const, anyOf, oneOf, allOf, type lists, objects, arrays, string formats and
patterns, number bounds. Recursion ends because below a depth optional parts are left out and the
least nested branch is taken. Remote references are never fetched.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from astrolabe_http.simulator.patterns import match_shortest

_DEPTH_FULL = 4  # below this, only what is required
_DEPTH_MAX = 24  # a schema that demands more describes nothing finite

_FORMATS = {
    "date-time": "2026-11-21T09:30:00Z",
    "date": "2026-11-21",
    "time": "09:30:00Z",
    "duration": "PT15M",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "uri": "https://example.com/a",
    "url": "https://example.com/a",
    "uri-reference": "/a",
    "iri": "https://example.com/a",
    "uuid": "6f1c9a52-3d84-4c1e-9b07-2f5a8e0d7c11",
    "json-pointer": "/a",
    "regex": "^a+$",
    "byte": "YXN0cm9sYWJl",
    "binary": "YXN0cm9sYWJl",
}
_IMPLIED = (
    ("object", ("properties", "required", "additionalProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems")),
    ("string", ("pattern", "format", "minLength", "maxLength")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)


def fill(schema: object, seed: int, prompt: str = "") -> object:
    """A value of the schema; anything that is no schema counts as one that allows everything."""
    words = [word for word in prompt.split()[-40:] if len(word) < 40] or ["value"]
    return _Filler(schema, seed, words).fill(schema, 0)


@dataclass(slots=True)
class _Filler:
    root: object
    state: int
    words: Sequence[str]

    def pick(self, count: int) -> int:
        """The next number below `count`."""
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count

    def fill(self, schema: object, depth: int) -> object:
        """A value for the schema at this depth."""
        if depth > _DEPTH_MAX or not isinstance(schema, Mapping):
            return self.words[self.pick(len(self.words))] if depth <= _DEPTH_MAX else None
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return choices[self.pick(len(choices))]
        for key in ("anyOf", "oneOf"):
            branches = schema.get(key)
            if isinstance(branches, list) and branches:
                return self.fill(_merge(schema, self.branch(branches, depth), key), depth + 1)
        return self.make(self.kind(schema, depth), schema, depth)

    def make(self, kind: object, schema: Mapping[str, object], depth: int) -> object:
        """A value of one type."""
        match kind:
            case "object":
                return self.mapping(schema, depth)
            case "array":
                return self.array(schema, depth)
            case "string":
                return self.string(schema)
            case "integer" | "number":
                return self.number(schema, whole=kind == "integer")
            case "boolean":
                return self.pick(2) == 1
            case "null":
                return None
            case _:
                return self.words[self.pick(len(self.words))]

    def resolve(self, schema: Mapping[str, object]) -> Mapping[str, object]:
        """Follow `$ref`s and fold `allOf` in."""
        for _ in range(_DEPTH_MAX):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = _merge(rest, self.look_up(reference), "$ref")
        parts = schema.get("allOf")
        if isinstance(parts, list):
            folded: Mapping[str, object] = {k: v for k, v in schema.items() if k != "allOf"}
            for part in parts:
                if isinstance(part, Mapping):
                    folded = _merge(folded, self.resolve(part), "allOf")
            return folded
        return schema

    def look_up(self, reference: str) -> Mapping[str, object]:
        """What `#/a/b` points at; nothing for any other reference."""
        target: object = self.root
        if not reference.startswith("#"):
            return {}
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~").replace("%24", "$")
            if isinstance(target, Mapping):
                target = target.get(name)
            elif isinstance(target, list) and name.isdigit() and int(name) < len(target):
                target = target[int(name)]
        return target if isinstance(target, Mapping) else {}

    def branch(self, branches: Sequence[object], depth: int) -> Mapping[str, object]:
        """Any branch while shallow; deep down the one that nests least."""
        found = [self.resolve(branch) for branch in branches if isinstance(branch, Mapping)]
        if not found:
            return {}
        if depth >= _DEPTH_FULL:
            return min(found, key=_nesting)
        return found[self.pick(len(found))]

    def kind(self, schema: Mapping[str, object], depth: int) -> object:
        """The type to make; one of a list, or the one the keywords imply."""
        declared = schema.get("type")
        if isinstance(declared, list) and declared:
            choices = [kind for kind in declared if kind != "null"] or declared
            if depth >= _DEPTH_FULL and "null" in declared:
                return "null"
            return choices[self.pick(len(choices))]
        if declared is not None:
            return declared
        return next((kind for kind, keys in _IMPLIED if any(key in schema for key in keys)), None)

    def mapping(self, schema: Mapping[str, object], depth: int) -> dict[str, object]:
        """Every required property; optional ones mostly, and none deep down."""
        properties = schema.get("properties")
        declared = properties if isinstance(properties, Mapping) else {}
        required = _strings(schema.get("required"))
        made: dict[str, object] = {}
        for name, inner in declared.items():
            if name in required or (depth < _DEPTH_FULL and self.pick(4) > 0):
                made[name] = self.fill(inner, depth + 1)
        for name in required:
            if name not in made:
                made[name] = self.fill(schema.get("additionalProperties"), depth + 1)
        extra = schema.get("additionalProperties")
        least = _whole(
            schema.get("minProperties"), 1 if not declared and isinstance(extra, Mapping) else 0
        )
        for number in range(least - len(made)):
            made[f"key{number + 1}"] = self.fill(extra, depth + 1)
        return made

    def array(self, schema: Mapping[str, object], depth: int) -> list[object]:
        """Between minItems and maxItems, at most three more than needed; distinct where asked."""
        least = _whole(schema.get("minItems"), 0)
        most = _whole(schema.get("maxItems"), least + 3)
        spare = 0 if depth >= _DEPTH_FULL else max(0, min(most - least, 3))
        count = least + (1 + self.pick(spare) if spare else 0)
        prefix = schema.get("prefixItems")
        made = [
            self.fill(inner, depth + 1) for inner in (prefix if isinstance(prefix, list) else [])
        ][:most]
        items = schema.get("items")
        if items is False:
            return made
        unique = schema.get("uniqueItems") is True
        for _ in range(40 * count):
            if len(made) >= count:
                break
            value = self.fill(items, depth + 1)
            if not unique or value not in made:
                made.append(value)
        return made

    def string(self, schema: Mapping[str, object]) -> str:
        """A format's example, a pattern's shortest match, or words of the prompt."""
        named = schema.get("format")
        if isinstance(named, str) and named in _FORMATS:
            return _FORMATS[named]
        least = _whole(schema.get("minLength"), 0)
        most = _whole(schema.get("maxLength"), max(least, 200))
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            matched = match_shortest(pattern)
            if matched is not None and least <= len(matched) <= most:
                return matched
            if matched is not None and matched:
                return (matched + matched[-1] * (least - len(matched)))[:most]
        start = self.pick(len(self.words))
        text = " ".join(self.words[start : start + 3]) or "value"
        while len(text) < least:
            text += " " + self.words[self.pick(len(self.words))]
        return text[:most]

    def number(self, schema: Mapping[str, object], *, whole: bool) -> int | float:
        """A number inside the bounds, a multiple where asked; whole ones stay integers."""
        step = _real(schema.get("multipleOf")) or (1 if whole else 0.25)
        low, high = _real(schema.get("minimum")), _real(schema.get("maximum"))
        above, below = _real(schema.get("exclusiveMinimum")), _real(schema.get("exclusiveMaximum"))
        if above is not None and (low is None or above >= low):
            low = (
                math.floor(above / step) * step + step
                if whole or "multipleOf" in schema
                else above + step
            )
            if not whole and below is not None and low >= below:
                low = (above + below) / 2
        if below is not None and (high is None or below <= high):
            high = (
                math.ceil(below / step) * step - step if whole or "multipleOf" in schema else below
            )
            high = max(high, low) if low is not None and high < low else high
        return self.within(low, high, step, whole=whole, open_high=below is not None)

    def within(
        self, low: float | None, high: float | None, step: float, *, whole: bool, open_high: bool
    ) -> int | float:
        """A multiple of `step` from low to high, or low itself where no multiple fits."""
        if low is None:
            low = high - 40 * step if high is not None else 0
        first = math.ceil(low / step)
        last = math.floor(high / step) if high is not None else first + 40
        if open_high and not whole and high is not None and last * step >= high:
            last -= 1
        if last < first:
            return int(low) if whole else low
        count = int(min(last - first, 40)) + 1
        value = (first + self.pick(count)) * step
        return int(value) if whole or value == int(value) else value


def _merge(
    first: Mapping[str, object], second: Mapping[str, object], without: str
) -> Mapping[str, object]:
    """Both schemas at once: properties and required are united, other keywords of `second` win."""
    merged = {key: value for key, value in first.items() if key != without}
    for key, value in second.items():
        known = merged.get(key)
        if key == "properties" and isinstance(known, Mapping) and isinstance(value, Mapping):
            merged[key] = {**known, **value}
        elif key == "required":
            merged[key] = [*_strings(known), *_strings(value)]
        else:
            merged[key] = value
    return merged


def _nesting(schema: Mapping[str, object]) -> int:
    """How deep a branch is likely to lead: null and scalars first, then arrays, then objects."""
    kind = schema.get("type")
    if kind == "null":
        return 0
    if "const" in schema or "enum" in schema or kind in {"string", "integer", "number", "boolean"}:
        return 1
    if kind == "array":
        return 2
    required = _strings(schema.get("required"))
    return 3 + len(required)


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _real(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
