"""What did the prompt spell out for the model to use?

A model that is told to use `magic_function(3)` calls it with 3, one that shall "create a customer
named 'Ada'" passes that name on, and one that is asked for JSON "with 'setup' and 'punchline'
keys" returns those. This is all the simulator understands of a prompt.
"""

import re
from ast import literal_eval
from collections.abc import Mapping

_QUOTED = re.compile(r"""(?<!\w)(?:'([^'\n]{1,80})'|"([^"\n]{1,80})"|“([^”\n]{1,80})”)(?!\w)""")
_KEYS = re.compile(r"\b(?:keys?|fields?|properties|property)\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_ARGUMENTS_MAX = 200
_KINDS: Mapping[object, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def quotations(prompt: str) -> list[str]:
    """Every short phrase in quotation marks, in order."""
    return [next(filter(None, found.groups())) for found in _QUOTED.finditer(prompt)]


def wanted_keys(prompt: str) -> list[str]:
    """The names in quotation marks, where the prompt talks of keys or fields."""
    if not _KEYS.search(prompt):
        return []
    return [said for said in quotations(prompt) if _NAME.fullmatch(said)]


def told_arguments(prompt: str, tool: str, schema: object) -> dict[str, object]:
    """The arguments for a tool that the prompt states: as a call, or as quoted strings.

    Only what has the type of its property; everything else is left to imagination.
    """
    properties = properties_of(schema)
    called = _call_of(tool).search(prompt)
    if called is not None:
        return _called_with(called[1], properties)
    free = [name for name, inner in properties.items() if _is_free_text(inner)]
    return dict(zip(free, quotations(prompt), strict=False))


def is_called(prompt: str, tool: str) -> bool:
    """Whether the prompt states a call of the tool."""
    return _call_of(tool).search(prompt) is not None


def properties_of(schema: object) -> Mapping[str, object]:
    """The properties that a schema declares."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return properties if isinstance(properties, Mapping) else {}


def _call_of(tool: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(tool)}\(([^()]{{0,{_ARGUMENTS_MAX}}})\)")


def _called_with(written: str, properties: Mapping[str, object]) -> dict[str, object]:
    """The values of `3, "a"` or `x=3`; nothing where they are no literals."""
    try:
        # A call's arguments, read as the items of a dict or a tuple.
        named = dict(re.findall(r"(\w+)\s*[=:]\s*([^,]+)", written))
        values = (
            {name: literal_eval(value.strip()) for name, value in named.items()}
            if named
            else dict(zip(properties, literal_eval(f"({written},)"), strict=False))
        )
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    return {name: value for name, value in values.items() if _fits(value, properties.get(name))}


def _fits(value: object, schema: object) -> bool:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _KINDS.get(kind, ()))


def _is_free_text(schema: object) -> bool:
    constraints = ("enum", "const", "format", "pattern", "minLength", "maxLength")
    return (
        isinstance(schema, Mapping)
        and schema.get("type") == "string"
        and not any(name in schema for name in constraints)
    )
