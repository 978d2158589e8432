"""What is wrong with a document, where, and what was probably meant?

A `Finding` names its place by the path in wire names, `objective.rules[1].when.modifiers[0]`;
the empty path is the document itself. `Invalid` is what a reader returns in place of a record.
`Unreadable` carries findings out of cattrs' hooks, whose only way out it is: it never leaves the
codec.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from attrs import frozen

FINDINGS_MAX: Final = 100
"""No container is searched further than this: a hostile document costs no more than a wrong one."""

SHOWN_MAX: Final = 60
"""Characters of a caller's text that a message repeats, and that are compared for likeness."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")


@frozen(kw_only=True)
class Finding:
    """One fault: where it is, what is wrong, and what would mend it, if that is known."""

    path: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        """Write it as one line for a person."""
        said = f"{self.path}: {self.message}" if self.path else self.message
        return said if self.suggestion is None else f"{said} ({self.suggestion})"


@frozen
class Invalid:
    """A document that is refused, with every finding in the order of the document's form."""

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """Write one line a finding."""
        return "\n".join(str(finding) for finding in self.findings)


class Unreadable(Exception):  # noqa: N818 - what is so, not a name for an error
    """A value that no record can be made of."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*findings)
        self.findings = findings

    def below(self, step: str | int) -> Iterator[Finding]:
        """Give the findings as seen from one level further up."""
        for finding in self.findings:
            yield Finding(
                path=join(step, finding.path),
                message=finding.message,
                suggestion=finding.suggestion,
            )


def refuse(message: str, suggestion: str | None = None, *, path: str = "") -> Unreadable:
    """Make the refusal of a value, to be raised."""
    return Unreadable(Finding(path=path, message=message, suggestion=suggestion))


def join(step: str | int, path: str) -> str:
    """Put a key or a position before a path."""
    if isinstance(step, int):
        head = f"[{step}]"
    elif _PLAIN_KEY.fullmatch(step):
        head = step
    else:
        head = f"[{json.dumps(shown(step))}]"
    return f"{head}{path}" if not path or path.startswith("[") else f"{head}.{path}"


def shown(text: str) -> str:
    """Cut a caller's text to what a message may repeat."""
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def form(value: object) -> str:
    """Name the JSON form of a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return "a number"


def nearest(word: str, known: Collection[str]) -> str | None:
    """Find what was probably meant: the most alike of the known words."""
    if len(word) > SHOWN_MAX:
        return None
    folded = {_folded(one): one for one in known}
    close = get_close_matches(_folded(word), folded, n=1)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Collection[str]) -> str | None:
    """Word that as a suggestion."""
    meant = nearest(word, known)
    return None if meant is None else f"did you mean {meant}?"


def _folded(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
