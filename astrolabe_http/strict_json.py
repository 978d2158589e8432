"""Which JSON is let in?

One object in UTF-8 that has one meaning: no key twice in an object, no NaN, no number that another
reader would read as something else, no half of a surrogate pair, nothing after it. And one that
costs no more than it is worth: at most so many values and so many levels. What is let in can be
written again, with the same meaning, inside anything that we wrap around it. What is not is a
refusal that says what is wrong, where, and what to send; it never quotes the body.

Reading runs at C speed but for a look at each value. Measured on one core: 2 µs for a small
body, 0.1 ms for 46 KB, at most 0.25 s for 32 MiB, in calls of at most 0.1 s.
"""

import re
from collections.abc import Iterable
from math import inf
from typing import Final

import jiter

from astrolabe_core.codes import Code, Refusal

VALUES_MAX: Final = 100_000
"""Values in one body. Ten million empty objects are 30 MB to send, and 2 GB to read."""
OUTSIDE_BYTES_MAX: Final = 32 * VALUES_MAX
"""Bytes outside strings, but for spaces. 31 MB of numbers of 4,300 digits take 190 ms to read."""
DEPTH_MAX: Final = 100
"""Levels of one body. jiter stops at 200, orjson writes 254: enough is left for what wraps it."""
INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 64) - 1
"""What a reader in another language holds exactly; orjson writes no other integers."""
PLACE_CHARS_MAX: Final = 120

_NOT_UTF8: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_WHERE: Final = re.compile(r" at line (\d+) column (\d+)$")
# What jiter says, and what a caller is told of it; the first that occurs.
_CAUSES: Final = (
    ("duplicate key", "a key stands twice in one object; send each key once"),
    ("recursion limit", f"it nests too deeply; send at most {DEPTH_MAX} levels"),
    ("number out of range", "a number has too many digits; send it as a string"),
    ("hex escape", "an escape gives half of a surrogate pair; send whole characters"),
    ("unicode code point", "there is text that is not UTF-8; send UTF-8"),
    ("control character", "a string holds a raw control character; escape it, as in \\n"),
    ("trailing characters", "something follows the object; send one JSON object and no more"),
    ("EOF", "it ends too early; send one whole JSON object"),
)
_ELSE: Final = "send one JSON object as RFC 8259 has it: no NaN, no comments, no trailing commas"


class StrictObject(dict[str, object]):
    """An object that was let in: it can be written again, with as much around it as we ever put."""


def read_object(raw: bytes) -> StrictObject | Refusal:
    """Read one strict JSON object."""
    if raw.startswith(_NOT_UTF8) or b"\0" in raw[:2]:
        return _invalid(
            "the body begins with a byte order mark, or as UTF-16 or UTF-32; "
            "send JSON in UTF-8 without a mark"
        )
    if _holds_too_much(raw):
        return _invalid(
            f"the body has too many values, or too long ones: about {VALUES_MAX} are read, and "
            f"{OUTSIDE_BYTES_MAX} bytes of all that is no string; send less"
        )
    try:
        body = jiter.from_json(
            raw, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys"
        )
    except ValueError as error:
        return _invalid(_cause(str(error)))
    if not isinstance(body, dict):
        return _invalid("the body is JSON but not an object; send one JSON object")
    return _refuse_values(body) or StrictObject(body)


def _holds_too_much(raw: bytes) -> bool:
    """Count before reading: each value but the first follows a comma, a bracket or a key.

    What stands within strings does not count: a prompt of a megabyte has more commas than a body
    may have values. Where the body is no JSON the count is of no meaning; up to its first fault,
    which is as far as it will be read, it holds.
    """
    if len(raw) <= VALUES_MAX:
        return False
    plain = raw
    if b"\\" in raw:
        # Without its escapes each quotation mark begins or ends a string.
        plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * VALUES_MAX:
        return True
    outside = b"".join(plain.split(b'"')[::2]).translate(None, b" \t\r\n")
    if len(outside) > OUTSIDE_BYTES_MAX:
        return True
    return len(outside) - len(outside.translate(None, b",[{")) >= VALUES_MAX


def _cause(said: str) -> str:
    found = _WHERE.search(said)
    where = f" at line {found[1]}, column {found[2]}" if found else ""
    told = next((told for words, told in _CAUSES if words in said), _ELSE)
    return f"the body cannot be read as JSON{where}: {told}"


def _refuse_values(body: dict[str, object]) -> Refusal | None:
    """Look at each value once, level by level: numbers in range, and not too many levels."""
    level: list[dict[str, object] | list[object]] = [body]
    for _ in range(DEPTH_MAX):
        inner: list[dict[str, object] | list[object]] = []
        for outer in level:
            for value in outer.values() if isinstance(outer, dict) else outer:
                if isinstance(value, str):
                    continue
                if isinstance(value, dict | list):
                    inner.append(value)
                elif isinstance(value, int):
                    if not INTEGER_MIN <= value <= INTEGER_MAX:
                        return _refuse_number(body, value)
                elif isinstance(value, float) and abs(value) == inf:
                    return _refuse_number(body, value)
        if not inner:
            return None
        level = inner
    return _invalid(f"the body nests too deeply; send at most {DEPTH_MAX} levels")


def _refuse_number(body: dict[str, object], number: object) -> Refusal:
    param = _place(body, number)
    return _invalid(
        f"{param} is a number out of range: integers have at most 64 bits, others at most the "
        "range of a double; send it as a string",
        param,
    )


def _place(body: dict[str, object], wanted: object) -> str:
    """Say where a value stands; only what is refused pays for it."""
    found = ""
    waiting: list[tuple[str, object]] = [("", body)]
    while waiting:
        found, value = waiting.pop()
        if value is wanted:
            break
        named: Iterable[tuple[str, object]] = ()
        if isinstance(value, dict):
            dot = "." if found else ""
            named = ((f"{dot}{key[:PLACE_CHARS_MAX]}", inner) for key, inner in value.items())
        elif isinstance(value, list):
            named = ((f"[{index}]", inner) for index, inner in enumerate(value))
        # A caller chooses keys, and how long and how deep they are.
        room = len(found) <= PLACE_CHARS_MAX
        waiting.extend([(f"{found}{step}" if room else found, inner) for step, inner in named])
    return found if len(found) <= PLACE_CHARS_MAX else f"{found[:PLACE_CHARS_MAX]}…"


def _invalid(message: str, param: str | None = None) -> Refusal:
    return Refusal(code=Code.INVALID_REQUEST, message=message, param=param)
