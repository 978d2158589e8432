"""Which short string matches a regular expression?

Walks Python's own parse of the pattern and takes the smallest choice everywhere, so no expression
is ever run and none can hang. Lookarounds and back references are skipped; a pattern that does not
parse gives None.
"""

import importlib
import re
import string

# The parser `re` itself uses. It has no public name; a second parser would be worse.
_PARSER = importlib.import_module("re._parser")
_PREFERRED = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_ "
_CATEGORIES = {
    "CATEGORY_DIGIT": "7",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}
_REPEAT_MAX = 10_000


def match_shortest(pattern: str) -> str | None:
    """A string the pattern matches, or None where the pattern does not parse or asks too much."""
    try:
        return _walk(_PARSER.parse(pattern))
    except (re.error, OverflowError, RecursionError, ValueError):
        return None


def _walk(tokens: object) -> str:
    return "".join(_one(str(name), argument) for name, argument in tokens)  # type: ignore[attr-defined]


def _one(name: str, argument: object) -> str:
    match name, argument:
        case "LITERAL", int(code):
            return chr(code)
        case "NOT_LITERAL", int(code):
            return next(char for char in _PREFERRED if ord(char) != code)
        case "ANY", _:
            return "a"
        case "IN", list(items):
            return _one_of(items)
        case "BRANCH", (_, list(branches)):
            return _walk(branches[0])
        case "SUBPATTERN", (_, _, _, inner):
            return _walk(inner)
        case "ATOMIC_GROUP", inner:
            return _walk(inner)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (int(least), _, inner):
            if least > _REPEAT_MAX:
                raise ValueError(least)
            return _walk(inner) * least
        case _:
            return ""


def _one_of(items: list[tuple[object, object]]) -> str:
    if str(items[0][0]) == "NEGATE":
        return next(
            char for char in _PREFERRED if not any(_holds(item, char) for item in items[1:])
        )
    kind, argument = items[0]
    match str(kind), argument:
        case "LITERAL", int(code):
            return chr(code)
        case "RANGE", (int(low), int(_)):
            return chr(low)
        case _:
            return _CATEGORIES.get(str(argument), "a")


def _holds(item: tuple[object, object], char: str) -> bool:
    match str(item[0]), item[1]:
        case "LITERAL", int(code):
            return ord(char) == code
        case "RANGE", (int(low), int(high)):
            return low <= ord(char) <= high
        case _, category:
            classes = {"CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": r"\w", "CATEGORY_SPACE": r"\s"}
            name = str(category).replace("NOT_", "")
            matches = re.match(classes.get(name, r"\d"), char) is not None
            return matches != ("NOT_" in str(category))
