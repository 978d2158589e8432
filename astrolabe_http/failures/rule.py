"""What is a rule about provider errors made of?

A `Rule` says that an answer which looks like this means that, and holds answers that did. `when` is
put together from the predicates below. Words are looked at only where statuses and types do not
tell the cases apart.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import field, frozen

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded, Said, plain

When: TypeAlias = Callable[[Said], bool]

OPENROUTER_DOCS: Final = "openrouter.ai/docs/api-reference/errors"
OPENROUTER_SCHEMA: Final = "OpenRouter's OpenAPI schema of August 2026"


@frozen(kw_only=True)
class Rule:
    """When an answer looks like this, it means that; with answers that did."""

    when: When
    kind: FaultKind
    message: str
    recorded: tuple[Recorded, ...] = field()


def of_type(*types: str) -> When:
    """Match what an answer itself calls its error, in any spelling."""
    known = frozenset(map(plain, types))
    return lambda said: not known.isdisjoint(said.types)


def deep_type(*types: str) -> When:
    """Match what an answer calls its error, or the host behind it does."""
    known = frozenset(map(plain, types))
    return lambda said: not known.isdisjoint(said.deep)


def of_status(*statuses: int) -> When:
    """Match the status, or the code of an error behind a 200."""
    known = frozenset(statuses)
    return lambda said: said.status in known


def says(*words: str, among: tuple[int | None, ...]) -> When:
    """Match words, in answers of these statuses; `None` is an error in a stream without a code."""
    return lambda said: said.status in among and any(word in said.message for word in words)


def any_of(*several: When) -> When:
    """Match where one of several does."""
    return lambda said: any(each(said) for each in several)


def all_of(*several: When) -> When:
    """Match where each of several does."""
    return lambda said: all(each(said) for each in several)


def never_says(*words: str) -> When:
    """Match where none of the words is said."""
    return lambda said: not any(word in said.message for word in words)


def openai_error(status: int, message: str, kind: str, code: str | None, source: str) -> Recorded:
    """Write an answer down that has OpenAI's form."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Recorded(status=status, body={"error": error}, source=source)


def openrouter_error(status: int, message: str, source: str, **metadata: object) -> Recorded:
    """Write an answer down that has OpenRouter's form."""
    error: dict[str, object] = {"message": message, "code": status}
    if metadata:
        error["metadata"] = metadata
    return Recorded(status=status, body={"error": error}, source=source)
