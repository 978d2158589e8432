"""What may stand in a field of a caller's body, and what is said where something else does?

A `Check` is a test, the words for what passes it, and the same as a JSON schema, which is how
`/openapi.json` tells it. `first_wrong` applies a table of them; null counts as absent, as it does
in OpenAI's API. Refusals name the field as the caller wrote it, and say what would be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from astrolabe_core.codes import Code, Refusal

Object: TypeAlias = Mapping[str, object]

NESTING_SPARE: Final = 8
"""How many levels an answer may put around what it echoes of a body."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a field takes, said three times: as a test, in words, and as a JSON schema."""

    passes: Callable[[object], bool]
    expected: str
    schema: Object


def invalid(param: str | None, message: str) -> Refusal:
    """Refuse a value that is not what the field takes."""
    return Refusal(code=Code.INVALID_REQUEST, message=message, param=param)


def unsupported(param: str, message: str) -> Refusal:
    """Refuse a field, or a value of it, that would change the answer and cannot be honoured."""
    return Refusal(code=Code.UNSUPPORTED_PARAMETER, message=message, param=param)


def is_whole(value: object) -> bool:
    """Whether this is a JSON integer; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether this is a JSON number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def between(low: int, high: int) -> Check:
    """Take a number within bounds."""
    return Check(
        lambda value: (
            isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        ),
        f"a number from {low} to {high}",
        {"type": "number", "minimum": low, "maximum": high},
    )


def whole_between(low: int, high: int) -> Check:
    """Take an integer within bounds."""
    return Check(
        lambda value: (
            isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        ),
        f"an integer from {low} to {high}",
        {"type": "integer", "minimum": low, "maximum": high},
    )


def text_up_to(characters: int) -> Check:
    """Take a string of at most so many characters."""
    return Check(
        lambda value: isinstance(value, str) and len(value) <= characters,
        f"a string of at most {characters} characters",
        {"type": "string", "maxLength": characters},
    )


def one_of(*values: str) -> Check:
    """Take one of these strings."""
    return Check(
        lambda value: isinstance(value, str) and value in values,
        f"one of {', '.join(values)}",
        {"type": "string", "enum": list(values)},
    )


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and len(value) <= 4 and all(isinstance(stop, str) for stop in value)
    )


STRING: Final = Check(lambda value: isinstance(value, str), "a string", {"type": "string"})
BOOLEAN: Final = Check(lambda value: isinstance(value, bool), "a boolean", {"type": "boolean"})
OBJECT: Final = Check(lambda value: isinstance(value, Mapping), "an object", {"type": "object"})
ARRAY: Final = Check(lambda value: isinstance(value, list), "an array", {"type": "array"})
STRINGS: Final = Check(
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "an array of strings",
    {"type": "array", "items": {"type": "string"}},
)
WHOLE: Final = Check(is_whole, "an integer", {"type": "integer"})
POSITIVE: Final = Check(
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    "an integer above 0",
    {"type": "integer", "minimum": 1},
)
NUMBER: Final = Check(is_number, "a number", {"type": "number"})
STOP: Final = Check(
    _is_stop,
    "a string or an array of at most 4 strings",
    {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "maxItems": 4},
        ]
    },
)
_BIAS: Final = between(-100, 100)
LOGIT_BIAS: Final = Check(
    lambda value: isinstance(value, Mapping) and all(map(_BIAS.passes, value.values())),
    "an object of token ids, each with a number from -100 to 100",
    {"type": "object", "additionalProperties": _BIAS.schema},
)
EFFORT: Final = one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")
VERBOSITY: Final = one_of("low", "medium", "high")
SUMMARY: Final = one_of("auto", "concise", "detailed")


def first_wrong(body: Object, checks: Mapping[str, Check], prefix: str = "") -> Refusal | None:
    """Give the refusal of the first field whose value its check does not pass."""
    for name, check in checks.items():
        value = body.get(name)
        if value is not None and not check.passes(value):
            param = f"{prefix}{name}"
            return invalid(param, f"{param} must be {check.expected}, not {described(value)}")
    return None


def unwritable(body: Object) -> Refusal | None:
    """Refuse a body that could be read and not be written again: nested beyond reason."""
    wrapped: object = body
    for _ in range(NESTING_SPARE):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        return invalid(
            None,
            "the body nests too deeply, or holds text or numbers that JSON of ours cannot carry",
        )
    return None


def described(value: object) -> str:
    """Say in a few words what a value is."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            text = repr(value)
            return text if len(text) <= 40 else "a number that large"
        case str():
            return "an empty string" if not value else f"{value[:40]!r}"
        case list():
            return "an array"
        case _:
            return "an object"


def text_of(value: object) -> str:
    """Give a string, or the empty one for anything else."""
    return value if isinstance(value, str) else ""


def object_of(value: object) -> Object:
    """Give an object, or the empty one for anything else."""
    # JSON gives dicts, and asking for any mapping costs four times as much.
    if type(value) is dict:
        return value
    return value if isinstance(value, Mapping) else {}


def array_of(value: object) -> list[object]:
    """Give an array, or the empty one for anything else."""
    return value if isinstance(value, list) else []
