"""What does a caller ask to have decided otherwise, and in which of the forms?

`metadata.astrolabe` as an object, or as a JSON string, or as flat keys `astrolabe.stack` …; the
header `x-astrolabe-stack`; the model form `astrolabe/auto@stack-slug`. All forms say the same
and may be mixed; two that contradict each other are refused. Metadata values are strings for
many clients, so that flat keys take `"true"` and `"500"` for `true` and `500`. What is left of
the metadata once the routing part is out of it passes to the provider.
"""

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from astrolabe_core.codes import Code, Json, Refusal
from astrolabe_core.requests import NO_OVERRIDES, Overrides, StackRef, ToolLabel
from astrolabe_core.stacks import CostMode, QualityTarget, ToolProfile, VerificationMode
from astrolabe_core.units import DAY_MS, Millis, StackSlug
from astrolabe_http.strict_json import read_object
from astrolabe_http.wire.fields import Object, described, invalid

KEY: Final = "astrolabe"
PARAM: Final = f"metadata.{KEY}"
STACK_HEADER: Final = "x-astrolabe-stack"
PAIRS_MAX: Final = 16
KEY_CHARS_MAX: Final = 64
VALUE_CHARS_MAX: Final = 512
SESSION_CHARS_MAX: Final = 256
SLUG_PATTERN: Final = "[a-z0-9-]{1,64}"
VERSION_PATTERN: Final = "[1-9][0-9]{0,8}"
CONFIRMATIONS_MAX: Final = 16
CONFIRMATION_PATTERN: Final = "tool_[A-Za-z0-9_-]{64,512}"
_SLUG: Final = re.compile(SLUG_PATTERN)
_VERSION: Final = re.compile(VERSION_PATTERN)
_CONFIRMATION: Final = re.compile(CONFIRMATION_PATTERN)


@dataclass(frozen=True, slots=True)
class Steering:
    """What was read: the overrides, the model without its stack, the metadata that passes."""

    overrides: Overrides
    model: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What a field takes instead, and which of its words the caller may have meant."""

    expected: str
    told: str | None = None
    near: tuple[str, ...] = ()


def read_steering(model: str, metadata: object, stack_header: str | None) -> Steering | Refusal:
    """Read every form, and see that they agree."""
    if metadata is not None and not isinstance(metadata, dict):
        return invalid("metadata", f"metadata must be an object, not {described(metadata)}")
    # Most requests carry none of this.
    if not metadata and stack_header is None and "@" not in model:
        return Steering(NO_OVERRIDES, model, {})
    asked = _asked(metadata or {})
    if isinstance(asked, Refusal):
        return asked
    passing = _passing(metadata or {})
    if isinstance(passing, Refusal):
        return passing
    name, at, stack = model.partition("@")
    named = [("model", stack)] if at else []
    if stack_header is not None:
        named.append((STACK_HEADER, stack_header.strip()))
    for param, written in named:
        read = _stack(written)
        if isinstance(read, _Wrong):
            return _bad(param, written, read)
        other = asked.setdefault("stack", read)
        if other != read:
            return _contradiction(param, str(read), str(other))
    overrides = Overrides(**asked)  # type: ignore[arg-type] # each value was read for its field
    return Steering(overrides, name, passing)


def _asked(metadata: Object) -> dict[str, object] | Refusal:
    found: dict[str, object] = {}
    for param, name, value in _entries(metadata):
        reader = FIELDS.get(name)
        if reader is None:
            return _unknown(param, name)
        if value is None:
            continue
        read = reader(value)
        if isinstance(read, _Wrong):
            return _bad(param, value, read)
        if found.setdefault(name, read) != read:
            return _contradiction(param, described(value), "another")
    whole = metadata.get(KEY)
    if whole is not None and _opened(whole) is None:
        return _bad(PARAM, whole, _Wrong("an object, or a string that holds one as JSON"))
    return found


def _entries(metadata: Object) -> Iterator[tuple[str, str, object]]:
    """Give each field with the place where the caller wrote it."""
    for name, value in (_opened(metadata.get(KEY)) or {}).items():
        yield f"{PARAM}.{name}", name, value
    for key, value in metadata.items():
        if key.startswith(f"{KEY}."):
            name = key.removeprefix(f"{KEY}.")
            yield f"metadata.{key}", name, _unquoted(name, value)


def _opened(value: object) -> Object | None:
    if isinstance(value, str):
        value = _parsed(value)
    return value if isinstance(value, dict) else None


def _unquoted(name: str, value: object) -> object:
    """Read a flat value that is no string by its nature, and so was written as one."""
    if not isinstance(value, str) or name not in _NOT_TEXT:
        return value
    parsed = _parsed(value)
    return value if parsed is None else parsed


def _parsed(text: str) -> object:
    if text.lstrip().startswith("{"):
        # As strict as a body: a field that is named twice has no one value.
        found = read_object(text.encode("utf-8", "replace"))
        return None if isinstance(found, Refusal) else found
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _passing(metadata: Object) -> dict[str, str] | Refusal:
    kept: dict[str, str] = {}
    for key, value in metadata.items():
        if key == KEY or key.startswith(f"{KEY}.") or value is None:
            continue
        param = f"metadata.{key[:KEY_CHARS_MAX]}"
        if not isinstance(value, str):
            return invalid(param, f"{param} must be a string, not {described(value)}")
        if len(key) > KEY_CHARS_MAX or len(value) > VALUE_CHARS_MAX:
            message = f"{param} is too long: keys have at most {KEY_CHARS_MAX} characters and "
            return invalid(param, f"{message}values at most {VALUE_CHARS_MAX}")
        kept[key] = value
    if len(kept) > PAIRS_MAX:
        return invalid("metadata", f"metadata has {len(kept)} pairs; at most {PAIRS_MAX} pass")
    return kept


def _unknown(param: str, name: str) -> Refusal:
    near = _near(name, FIELDS)
    hint = f"did you mean {near[0]}? " if near else ""
    return Refusal(
        code=Code.INVALID_ROUTING_OVERRIDE,
        message=f"there is no routing override {name[:64]!r}; {hint}"
        f"the overrides are: {', '.join(FIELDS)}",
        param=param[:128],
        details={"field": name[:64], "near": near, "allowed": tuple(FIELDS)},
    )


def _near(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Give the known word that may have been meant."""
    return tuple(difflib.get_close_matches(word[:64], known, n=1, cutoff=0.5))


def _bad(param: str, value: object, wrong: _Wrong) -> Refusal:
    hint = f"; did you mean {wrong.near[0]}?" if wrong.near else ""
    details: dict[str, Json] = {"field": param.rpartition(".")[2], "allowed": wrong.expected}
    return Refusal(
        code=Code.INVALID_ROUTING_OVERRIDE,
        message=f"{param} must be {wrong.expected}, not {wrong.told or described(value)}{hint}",
        param=param,
        details=details if wrong.told is None else {**details, "near": wrong.near},
    )


def _contradiction(param: str, one: str, other: str) -> Refusal:
    return Refusal(
        code=Code.INVALID_ROUTING_OVERRIDE,
        message=f"{param} says {one} and another place of the same request says {other}: "
        "name it once, or the same everywhere",
        param=param,
    )


# --- one reader a field -------------------------------------------------------------------


def _stack(value: object) -> StackRef | _Wrong:
    expected = _Wrong("a stack: slug or slug@version")
    if not isinstance(value, str):
        return expected
    slug, at, version = value.partition("@")
    if _SLUG.fullmatch(slug) is None or (at and _VERSION.fullmatch(version) is None):
        return expected
    return StackRef(slug=StackSlug(slug), version=int(version) if at else None)


def _latency(value: object) -> Millis | _Wrong:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= DAY_MS:
        return Millis(math.ceil(value))
    return _Wrong(f"a number of milliseconds above 0 and at most {DAY_MS}")


def _boolean(value: object) -> bool | _Wrong:
    return value if isinstance(value, bool) else _Wrong("true or false")


def _session(value: object) -> str | _Wrong:
    if isinstance(value, str) and 0 < len(value) <= SESSION_CHARS_MAX:
        return value
    return _Wrong(f"a string of 1 to {SESSION_CHARS_MAX} characters")


_LABELS: Final = {label.value: label for label in ToolLabel}
_CAPABILITIES: Final = (
    "an object of tool names, each with an array of one or more capability labels of: "
    f"{', '.join(_LABELS)}"
)
_NO_CONFIRMATIONS: Final = _Wrong(
    f"an array of at most {CONFIRMATIONS_MAX} confirmations, each as a refusal gave it"
)


def _capabilities(value: object) -> tuple[tuple[str, tuple[ToolLabel, ...]], ...] | _Wrong:
    if not isinstance(value, dict):
        return _Wrong(_CAPABILITIES)
    made: list[tuple[str, tuple[ToolLabel, ...]]] = []
    for tool, labels in sorted(value.items()):
        several = [labels] if isinstance(labels, str) else labels
        if not isinstance(several, list) or not several:
            return _Wrong(_CAPABILITIES)
        for label in several:
            if not isinstance(label, str):
                return _Wrong(_CAPABILITIES)
            if label not in _LABELS:
                # A label that nobody knows would forbid, or allow, nothing.
                return _Wrong(_CAPABILITIES, f"{label[:64]!r}", _near(label, _LABELS))
        made.append((tool, tuple(label for name, label in _LABELS.items() if name in several)))
    return tuple(made)


def _confirmations(value: object) -> tuple[str, ...] | _Wrong:
    """Take tokens of the right form; whether any is ours, who holds the secret sees."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or len(several) > CONFIRMATIONS_MAX:
        return _NO_CONFIRMATIONS
    if not all(isinstance(one, str) and _CONFIRMATION.fullmatch(one) for one in several):
        return _NO_CONFIRMATIONS
    return tuple(dict.fromkeys(several))


def _word(vocabulary: type[StrEnum]) -> Callable[[object], object]:
    words = {member.value: member for member in vocabulary}
    expected = _Wrong(f"one of {', '.join(words)}")

    def read(value: object) -> object:
        return words.get(value, expected) if isinstance(value, str) else expected

    return read


FIELDS: Final[dict[str, Callable[[object], object]]] = {
    "stack": _stack,
    "quality": _word(QualityTarget),
    "cost_mode": _word(CostMode),
    "latency_slo_ms": _latency,
    "verification": _word(VerificationMode),
    "fallback": _boolean,
    "explain": _boolean,
    "tool_profile": _word(ToolProfile),
    "tool_capabilities": _capabilities,
    "tool_confirmations": _confirmations,
    "untrusted_content": _boolean,
    "approval_required": _boolean,
    "session_id": _session,
}
_NOT_TEXT: Final = frozenset(
    {
        "latency_slo_ms",
        "fallback",
        "explain",
        "tool_capabilities",
        "tool_confirmations",
        "untrusted_content",
        "approval_required",
    }
)
