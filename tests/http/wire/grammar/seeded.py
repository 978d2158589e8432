"""How is a fault put into a stream, and which rules must name it?

The faults that both formats can have: frames that are none, events that are lost, said twice or
out of turn. `responses_faults` and `chat_faults` have the rest. A fault that leaves another sound
stream is none, and is not made: two deltas that join to the same text either way, a text of
Chat's, which is told only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from astrolabe_core.requests import Surface
from astrolabe_http.sse import DONE_FRAME, data_frame
from astrolabe_http.wire.grammar import Rule
from tests.http.wire.corpus import Told, named_frame

Event = dict[str, Any]
DONE: Event = {"[DONE]": True}


@dataclass(frozen=True)
class Seeded:
    """A stream with one fault. At least one of `rules` must be named."""

    name: str
    rules: frozenset[Rule]
    sent: bytes
    usage_wanted: bool = True


def events_of(told: Told) -> list[Event]:
    """Read a stream that we wrote."""
    found: list[Event] = []
    for frame in told.sent.split(b"\n\n")[:-1]:
        data = frame.rpartition(b"data: ")[2]
        found.append(DONE if data == b"[DONE]" else orjson.loads(data))
    return found


def frame(surface: Surface, event: Event) -> bytes:
    """Write one event."""
    if event is DONE:
        return DONE_FRAME
    if surface is Surface.CHAT:
        return data_frame(event)
    return named_frame(str(event.get("type", "")), event)


def numbered(events: list[Event]) -> list[Event]:
    """Number events anew, so that not only the numbers tell."""
    return [{**event, "sequence_number": place} for place, event in enumerate(events)]


def write(surface: Surface, events: list[Event]) -> bytes:
    return b"".join(frame(surface, event) for event in events)


def seed(told: Told, name: str, events: list[Event], *rules: Rule) -> Seeded:
    """Make a fault of events; those of Responses are numbered anew."""
    sound = numbered(events) if told.surface is Surface.RESPONSES else events
    return Seeded(f"{told.name}: {name}", frozenset(rules), write(told.surface, sound))


def at(events: list[Event], place: int, *instead: Event) -> list[Event]:
    """Put events in the place of one."""
    return [*events[:place], *instead, *events[place + 1 :]]


def places(events: list[Event]) -> list[int]:
    """Where a fault is put: everywhere but within a row of three events of one kind or more."""
    kinds = [_kind(event) for event in events]
    return [
        place
        for place in range(len(events))
        if place == 0 or len({*kinds[place - 1 : place + 2]}) > 1 or place + 1 == len(events)
    ]


def shape(told: Told) -> tuple[str, ...]:
    """Say what a stream does, whatever words it does it with; rows of one kind count once."""
    kinds = [_kind(event) for event in events_of(told)]
    return (told.surface, *(kind for kind, _ in groupby(kinds)))


def _kind(event: Event) -> str:
    """Say of an event what it does and to what, without its words."""
    where = [event.get(key) for key in ("type", "output_index", "content_index", "summary_index")]
    choices = [
        (choice["index"], choice["finish_reason"], sorted(choice["delta"]))
        for choice in event.get("choices", [])
    ]
    calls = [
        (call["index"], sorted(call))
        for choice in event.get("choices", [])
        for call in choice["delta"].get("tool_calls", [])
    ]
    return repr((where, choices, calls, "choices" in event, "error" in event))


def framing(told: Told) -> Iterator[Seeded]:
    """Frames that are none of ours, and streams that end anywhere."""
    events = events_of(told)
    frames = [frame(told.surface, event) for event in events]
    damages: list[tuple[str, Callable[[bytes], bytes], Rule]] = [
        ("line ends of CRLF", lambda it: it.replace(b"\n", b"\r\n"), Rule.FRAMING),
        ("one line end too few", lambda it: it[:-1], Rule.FRAMING),
        ("one line end too many", lambda it: it + b"\n", Rule.FRAMING),
        ("an id", lambda it: b"id: 7\n" + it, Rule.FRAMING),
        ("its data twice", lambda it: it[:-1] + it[it.index(b"data:") : -1] + b"\n", Rule.FRAMING),
        ("no data", lambda it: it[: it.index(b"data:")] + b"\n", Rule.FRAMING),
        ("half its data", lambda it: it[: -len(it) // 3] + b"\n\n", Rule.DATA),
        ("an array", lambda it: it.replace(b"data: ", b"data: [", 1)[:-2] + b"]\n\n", Rule.DATA),
        ("a name of another", lambda it: b"event: other\n" + _unnamed(it), Rule.EVENT_NAME),
    ]
    if told.surface is Surface.RESPONSES:
        damages.append(("no name", _unnamed, Rule.EVENT_NAME))
    for place in places(events):
        each = frames[place]
        for name, damage, rule in damages:
            sent = b"".join([*frames[:place], damage(each), *frames[place + 1 :]])
            yield Seeded(f"{told.name}: {name}, frame {place}", frozenset({rule}), sent)
        cut = b"".join(frames[:place])
        yield Seeded(f"{told.name}: cut before {place}", frozenset({Rule.HAS_END}), cut)
        half = cut + each[: len(each) // 2]
        yield Seeded(f"{told.name}: cut within {place}", frozenset({Rule.FRAMING}), half)
    again = frozenset({Rule.ONE_END})
    yield Seeded(f"{told.name}: told twice", again, told.sent + told.sent)


def commented(told: Told) -> bytes:
    """The same stream with comments everywhere: no fault."""
    frames = told.sent.split(b"\n\n")[:-1]
    return b"".join(b": PROCESSING\n\n:\n" + each + b"\n:\n\n" for each in frames)


def _unnamed(it: bytes) -> bytes:
    return it[it.index(b"data:") :]
