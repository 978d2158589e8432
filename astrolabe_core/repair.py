"""Which texts may a model have meant that broke its JSON?

Local repair without a model: pure text in, candidates out, the least changed first. A byte order
mark, a code fence, words around one value, a comma before a closing bracket and a wrapper of one
key or one item are taken off. Nothing is invented: a candidate is what is left of the text once
characters are taken away, and every value of it stood there. What has no end gets none: an answer
that was cut short must not be made to look whole. Where two values could be meant, neither is.

Texts above `CHARACTERS_MAX` are left as they are. The time grows with the length and no faster:
the longest take 20 to 40 ms on one core, and brackets alone, without any value, 0.1 s.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

CHARACTERS_MAX: Final = 262_144
"""No longer text is repaired: about 64,000 tokens of JSON."""
CANDIDATES_MAX: Final = 4
"""The text, what was dug out of it, and two wrappers taken off."""

_WRAPPERS_MAX: Final = 2
_SPANS_MAX: Final = 32
"""Words with more brackets than this are no words around one value."""
_BLANKS: Final = " \t\r\n"
_MARK: Final = "\ufeff"

# A string of JSON as one token, so that brackets, commas and fences within it are not seen. The
# quantifiers are possessive: what does not match is not tried again in another way.
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN: Final = re.compile(rf'{_STRING}|["\[\]{{}}]', re.DOTALL)
_OPENING: Final = re.compile(r"[\[{]")
_LATE_COMMA: Final = re.compile(rf"({_STRING})|,(?=[{_BLANKS}]*+[\]}}])", re.DOTALL)
_FENCE: Final = re.compile(
    r"^[ \t]*(?P<marks>`{3,9}|~{3,9})[ \t]*(?:[\w+.-]+(?=\s))?", re.MULTILINE
)
_CLOSER: Final = {"[": "]", "{": "}"}


def candidates(text: str) -> tuple[str, ...]:
    """Give the text itself, then what is left once marks, fences, words, commas are taken off.

    All but the first are JSON. At most `CANDIDATES_MAX`, without repetition.
    """
    if len(text) > CHARACTERS_MAX:
        return (text,)
    whole = text if parses(text) else _dig(text.strip(_MARK + _BLANKS))
    if whole is None:
        return (text,)
    return tuple(dict.fromkeys((text, whole, *_unwrapped(whole))))


def parses(text: str, *, as_object: bool = False) -> bool:
    """Whether a text is JSON, and an object where it must be one. NaN and its like are not JSON."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or not as_object


def _refuse(name: str) -> object:
    raise ValueError(name)


def _dig(text: str) -> str | None:
    """Find the one value in a text that is more than JSON: fenced, in words, or with commas."""
    fenced = _fenced(text)
    if fenced is not None:
        inside = fenced.strip(_BLANKS)
        found = inside if parses(inside) else _only_value(inside)
        if found is not None:
            return found
    return text if parses(text) else _only_value(text)


def _fenced(text: str) -> str | None:
    """Give what stands in the only code fence. No string of JSON can begin a line."""
    opening = _FENCE.search(text)
    if opening is None:
        return None
    marks, begun = opening["marks"], opening.end()
    closing = re.compile(rf"^[ \t]*{marks}[ \t]*$", re.MULTILINE).search(text, begun)
    # Where the fence does not end on a line of its own it ends with the text, or not at all.
    end = text.rfind(marks, begun) if closing is None else closing.start()
    if end < 0 or (closing is not None and _FENCE.search(text, closing.end())):
        return None
    return text[begun:end]


def _only_value(text: str) -> str | None:
    """Give the only object or array in a text, or `None` where there are none or several."""
    found: str | None = None
    for span in _spans(text):
        value = next((each for each in (span, _without_late_commas(span)) if parses(each)), None)
        if value is not None and found is not None:
            return None
        found = value or found
    return found


def _without_late_commas(text: str) -> str:
    return _LATE_COMMA.sub(r"\1", text)


def _spans(text: str) -> Iterator[str]:
    """Give what stands between brackets, outermost only; nothing more where one has no end.

    What is within brackets without an end is a part of something larger, which is missing.
    """
    spans: list[str] = []
    start = 0
    while (opening := _OPENING.search(text, start)) is not None:
        end = _end_of(text, opening.start())
        if end is None or len(spans) == _SPANS_MAX:
            return iter(())
        spans.append(text[opening.start() : end])
        start = end
    return iter(spans)


def _end_of(text: str, start: int) -> int | None:
    """Find the end of what the bracket at `start` opens."""
    expected: list[str] = []
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in _CLOSER:
            expected.append(_CLOSER[mark])
        elif mark in {"]", "}"}:
            if expected.pop() != mark:
                return None
            if not expected:
                return token.end()
        elif len(mark) == 1:
            return None  # a string without an end
    return None


def _unwrapped(text: str) -> Iterator[str]:
    """Take off an object of one key, or a list of one item, twice at most: `text` is JSON."""
    for _ in range(_WRAPPERS_MAX):
        inner = _inside(text)
        if inner is None:
            return
        yield inner
        text = inner


def _inside(text: str) -> str | None:
    """Give the one value of an object or list as it is written, or `None` where there are more."""
    text = text.strip(_BLANKS)
    start = 1
    if text.startswith("{"):
        key = re.compile(rf"[{_BLANKS}]*+{_STRING}[{_BLANKS}]*+:", re.DOTALL).match(text, 1)
        if key is None:
            return None
        start = key.end()
    elif not text.startswith("["):
        return None
    inner = text[start:-1].strip(_BLANKS)
    # Two keys, or two items, have a comma between them and are no JSON on their own.
    return inner if parses(inner) else None
