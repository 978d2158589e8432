"""JSON that is almost right: a sound value in which something, somewhere, is wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tests.http.wire.play import Body

WORDS = ["text", "name", "auto", "function", "message", "output_text", "json_schema", "user"]
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, True, False, 0, 1, -1, 2**63, 1.5, 1e308, "", "x" * 600, "\x00\u2028", *WORDS]
    ),
    st.sampled_from([[], {}, [None], [[]], [""], [{}], {"type": 7}, {"type": "new"}]),
    st.text(max_size=4),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
"""What stands where something else should."""

NAMES = ["x", "type", "id", "index", ""]
Way = tuple[str | int, ...]


def ways(value: object, way: Way = ()) -> list[Way]:
    """Give the way to every value within a value."""
    if isinstance(value, dict):
        inner = [found for key, each in value.items() for found in ways(each, (*way, key))]
    elif isinstance(value, list):
        inner = [found for at, each in enumerate(value) for found in ways(each, (*way, at))]
    else:
        inner = []
    return [way, *inner] if way else inner


@st.composite
def spoiled(draw: st.DrawFn, sound: Any, most: int = 3) -> Any:
    """Replace, leave out, double or misname up to `most` values within a value."""
    made: Any = deepcopy(sound)
    for _ in range(draw(st.integers(1, most))):
        found = ways(made)
        if not found:
            return made
        *outer, last = draw(st.sampled_from(found))
        key: Any = last
        holder: Any = made
        for step in outer:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "replace", "leave out", "double", "add"])):
            case "replace":
                holder[key] = deepcopy(draw(JUNK))
            case "leave out":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.insert(int(key), deepcopy(holder[key]))
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(["x", "type", "id", "index", ""]))] = deepcopy(
                    draw(JUNK)
                )
            case _:
                holder.append(deepcopy(draw(JUNK)))
    return made


@st.composite
def spoiled_events(draw: st.DrawFn, sound: tuple[Body, ...]) -> list[Body]:
    """Spoil events of a stream, and maybe their order."""
    events = [*sound]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(events) - 1))
        events[at] = draw(spoiled(events[at]))
    if draw(st.booleans()):
        events.insert(draw(st.integers(0, len(events))), draw(st.sampled_from(events)))
    if draw(st.booleans()) and len(events) > 1:
        del events[draw(st.integers(0, len(events) - 1))]
    return events
