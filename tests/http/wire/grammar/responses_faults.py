"""Every fault that a Responses stream can have, one at a time, and the rules that must name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from astrolabe_http.wire.grammar import Rule
from astrolabe_http.wire.grammar.responses_table import (
    AXES,
    EVERY,
    ITEMS,
    MOVING,
    PARTS,
    RESPONSE,
    ROWS,
)
from astrolabe_http.wire.grammar.states import Kind
from tests.http.wire.corpus import Told
from tests.http.wire.grammar.seeded import Event, Seeded, at, events_of, places, seed, write

FIELDS = {row.event: {**EVERY, **row.fields} for row in ROWS}
WORDS = (Rule.TEXT, Rule.ARGUMENTS, Rule.OUTPUT)
PLACED = (
    Rule.INDEX_ORDER,
    Rule.OPENED_FIRST,
    Rule.OPENED_ONCE,
    Rule.CLOSED_LAST,
    Rule.IDENTITY,
)
ENDS = ("response.completed", "response.incomplete", "response.failed")
WRONG: Mapping[Kind, object] = {
    Kind.TEXT: [1],
    Kind.TEXT_OR_NULL: 1,
    Kind.INDEX: -1,
    Kind.NUMBER: "1",
    Kind.OBJECT: "x",
    Kind.ARRAY: "x",
}


def faults(told: Told) -> Iterator[Seeded]:
    """Give every fault of one stream."""
    events = events_of(told)
    for place in places(events):
        yield from _turns(told, events, place)
        yield from _keys(told, events, place)
        yield from _words(told, events, place)
        yield from _identities(told, events, place)
        yield from _numbers(told, events, place)
        yield from _responses(told, events, place)
        yield from _items(told, events, place)
    yield from _endings(told, events)


def path(event: Event) -> tuple[object, ...]:
    """The way to what an event moves."""
    if "output_index" not in event:
        return ()
    inner = [(axis, event[axis]) for axis in AXES if axis in event]
    if "arguments" in event["type"]:
        inner = [("arguments", 0)]
    return (event["output_index"], *inner)


def lost(events: list[Event], event: Event) -> tuple[Rule, ...]:
    """The rules that name an event that is left out; none where what is left is sound too."""
    kind = event["type"]
    open_at_end = _open_at_end(events, event)
    match kind.removeprefix("response."):
        case "created" | "in_progress" | "error":
            return (Rule.ORDER,)
        case "output_item.added" | "content_part.added" | "reasoning_summary_part.added":
            return (Rule.OPENED_FIRST,) if _followed(events, event) else (Rule.OUTPUT,)
        case "output_text.annotation.added":
            return (Rule.INDEX_ORDER, Rule.TEXT, Rule.OUTPUT)
        case other if other.endswith("delta"):
            return WORDS
        case "output_item.done":
            failed = events[-1]["type"] == "response.failed"
            reasoning = event["item"]["type"] == "reasoning"
            return () if failed and reasoning else (Rule.ALL_CLOSED, Rule.OUTPUT)
        case "content_part.done" | "reasoning_summary_part.done":
            return () if open_at_end else (Rule.ALL_CLOSED,)
        case "function_call_arguments.done":
            return () if open_at_end else (Rule.ALL_CLOSED,)
        case other if other.endswith("done"):
            return (Rule.OPENED_FIRST,)
        case _:
            return (Rule.HAS_END,)


def repeated(event: Event) -> tuple[Rule, ...]:
    """The rules that name an event that comes twice."""
    match event["type"].removeprefix("response."):
        case "created" | "in_progress" | "error":
            return (Rule.ORDER,)
        case "output_text.annotation.added":
            return (Rule.INDEX_ORDER,)
        case other if other.endswith("added"):
            return (Rule.OPENED_ONCE,)
        case other if other.endswith("delta"):
            return WORDS
        case other if other.endswith("done"):
            return (Rule.CLOSED_LAST,)
        case _:
            return (Rule.ONE_END,)


def commute(one: Event, two: Event) -> bool:
    """Whether two neighbours may stand either way."""
    first, second = path(one), path(two)
    if not (first and second):
        return False
    depth = min(len(first), len(second))
    if first[:depth] != second[:depth]:
        opening = one["type"].endswith("added") and two["type"].endswith("added")
        return not (opening and first[:-1] == second[:-1])
    kinds = {one["type"], two["type"]}
    if kinds == {"response.output_text.delta", "response.output_text.annotation.added"}:
        return True
    if len(kinds) > 1 or first != second:
        return False
    if "annotation" in one:
        return False
    return bool(one["delta"] + two["delta"] == two["delta"] + one["delta"])


def _turns(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """What is lost, said twice, or out of turn, with sound numbers and without."""
    event, kind = events[place], events[place]["type"]
    without = at(events, place)
    if rules := lost(events, event):
        yield seed(told, f"without {place}, {kind}", without, *rules)
    yield seed(told, f"{place} twice, {kind}", at(events, place, event, event), *repeated(event))
    if place + 1 < len(events):
        after = events[place + 1]
        swapped = [*events[:place], after, event, *events[place + 2 :]]
        if not commute(event, after):
            yield seed(told, f"{place} after {place + 1}, {kind}", swapped, *Rule)
        yield _raw(told, f"{place} after {place + 1} with its number", swapped, Rule.SEQUENCE)
        yield _raw(told, f"without {place} and its number", without, Rule.SEQUENCE)
    for number in (event["sequence_number"] + 1, -1, None, str(place)):
        other = at(events, place, {**event, "sequence_number": number})
        yield _raw(told, f"{place} with number {number}", other, Rule.SEQUENCE, Rule.FIELDS)
    stranger = {"type": "response.debug"}
    strange = at(events, place, stranger, event)
    yield seed(told, f"a stranger before {place}", strange, Rule.KNOWN_EVENT)
    if 1 < place < len(events) - 1:
        early = at(events, place, events[-1], event)
        yield seed(told, f"the end before {place}", early, Rule.ONE_END)
        error: Event = {"type": "error", "code": None, "message": "x", "param": None}
        error["error"] = {"type": "server_error", **error}
        yield seed(told, f"an error before {place}", at(events, place, error, event), Rule.ORDER)


def _keys(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """Keys that are missing or hold something else, at every depth."""
    event = events[place]
    kind = event["type"]
    for where, known in _objects(event):
        fields = FIELDS[kind] if not where else _fields_of(kind, where, known)
        for key, holds in fields.items():
            rules = (Rule.FIELDS, Rule.KIND, Rule.KNOWN_EVENT, Rule.SEQUENCE)
            gone = {name: value for name, value in known.items() if name != key}
            name = f"{'.'.join(map(str, (place, *where, key)))}"
            yield _at_object(told, events, place, where, gone, f"{name} left out", *rules)
            if holds is not Kind.ANY:
                bad = {**known, key: WRONG[holds]}
                yield _at_object(told, events, place, where, bad, f"{name} wrong", *rules)


def _fields_of(kind: str, where: tuple[Any, ...], found: Event) -> Mapping[str, Kind]:
    match where:
        case ("response",):
            return RESPONSE
        case ("item",):
            return {"type": Kind.TEXT, **ITEMS[found["type"]]}
        case ("part",):
            return PARTS[found["type"]].fields
        case _:
            return {}


def _words(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """One character of a text that is another, wherever the text stands."""
    event = events[place]
    for where, known in _objects(event):
        for key in ("delta", "text", "refusal", "arguments"):
            if not isinstance(said := known.get(key), str):
                continue
            rules = WORDS if said else (*WORDS, Rule.OPENED_EMPTY)
            for other in {said[:-1] + "~", said[:-1], said + "~"} - {said}:
                name = f"{'.'.join(map(str, (place, *where, key)))} other text"
                yield _at_object(told, events, place, where, {**known, key: other}, name, *rules)
        for key in ("annotations", "logprobs"):
            if (where and known.get(key)) and where[0] != "response":
                name = f"{'.'.join(map(str, (place, *where, key)))} empty"
                yield _at_object(told, events, place, where, {**known, key: []}, name, *WORDS)
    if "annotation" in event:
        other_note = {**event, "annotation": {**event["annotation"], "title": "~"}}
        yield seed(told, f"{place} another note", at(events, place, other_note), *WORDS)


def _identities(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """Ids and names that change."""
    event = events[place]
    both = (Rule.IDENTITY, Rule.OUTPUT)
    if "item_id" in event:
        other = {**event, "item_id": "another"}
        yield seed(told, f"{place} another item_id", at(events, place, other), Rule.IDENTITY)
    for key in ("id", "call_id", "role"):
        if key in event.get("item", {}):
            item = {**event["item"], key: "another"}
            yield _at_object(told, events, place, ("item",), item, f"{place} another {key}", *both)
    for key in ("id", "model", "created_at"):
        if "response" in event:
            changed = {**event["response"], key: 7}
            name = f"{place} another {key}"
            yield _at_object(told, events, place, ("response",), changed, name, Rule.IDENTITY)
    if event["type"].endswith("arguments.done"):
        other = {**event, "name": "another"}
        name = f"{place} another name"
        rules = (Rule.CALL_NAME, *((Rule.OUTPUT,) if _open_at_end(events, event) else ()))
        yield seed(told, name, at(events, place, other), *rules)
    if "name" in event.get("item", {}):
        item = {**event["item"], "name": "another"}
        rules = (Rule.CALL_NAME, Rule.OUTPUT)
        if not (event["type"].endswith("added") and _open_at_end(events, event)):
            name = f"{place} another name"
            yield _at_object(told, events, place, ("item",), item, name, *rules)


def _numbers(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """Indexes that point elsewhere."""
    event = events[place]
    for key in ("output_index", *AXES, "annotation_index"):
        if key not in event:
            continue
        for index in {event[key] + 1, max(0, event[key] - 1), 99} - {event[key]}:
            other = at(events, place, {**event, key: index})
            rules = (*PLACED, Rule.ALL_CLOSED, Rule.KIND)
            yield seed(told, f"{place} with {key} {index}", other, *rules)


def _responses(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """Response objects that say something else than their event, or than before."""
    event = events[place]
    if "response" not in event:
        return
    response, where = event["response"], ("response",)

    def other(name: str, changed: Event, *rules: Rule) -> Seeded:
        return _at_object(told, events, place, where, changed, f"{place} {name}", *rules)

    for key in RESPONSE.keys() - MOVING - {"metadata"}:
        changed = {**response, key: {"other": 1}}
        yield other(f"another {key}", changed, Rule.ECHO, Rule.IDENTITY)
    yield other("more metadata", {**response, "metadata": {"other": "x"}}, Rule.ECHO)
    for status in {"in_progress", "completed", "incomplete", "failed"} - {response["status"]}:
        yield other(f"is {status}", {**response, "status": status}, Rule.STATUS)
    error = None if response["error"] else {"code": "server_error", "message": "x"}
    yield other("another error", {**response, "error": error}, Rule.STATUS)
    at_ = None if response["completed_at"] else 7
    yield other("another completed_at", {**response, "completed_at": at_}, Rule.STATUS)
    cut = None if response["incomplete_details"] else {"reason": "max_output_tokens"}
    yield other("other details", {**response, "incomplete_details": cut}, Rule.STATUS)
    if response["incomplete_details"]:
        worse = {**response, "incomplete_details": {"reason": "new"}}
        yield other("a new reason", worse, Rule.STATUS)
    if response["status"] == "in_progress":
        yield other("early usage", {**response, "usage": {}}, Rule.USAGE)
        yield other("early output", {**response, "output": [{}]}, Rule.OPENED_EMPTY)


def _items(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    """Items and parts of another kind or status, and events of another kind of part."""
    event = events[place]
    kind = event["type"]
    for key in ("item", "part"):
        if key in event:
            changed = {**event[key], "type": "another"}
            yield _at_object(told, events, place, (key,), changed, f"{place} odd {key}", Rule.KIND)
    if "item" in event and "status" in event["item"]:
        done = kind.endswith("done")
        changed = {**event["item"], "status": "in_progress" if done else "completed"}
        rule = Rule.STATUS if done else Rule.OPENED_EMPTY
        yield _at_object(told, events, place, ("item",), changed, f"{place} status", rule)
    if kind.startswith("response.output_text.") and "annotation" not in kind:
        stem = kind.replace("output_text", "refusal")
        words = {"refusal": event["text"]} if "text" in event else {}
        other = {**event, "type": stem, **words}
        yield seed(told, f"{place} as a refusal", at(events, place, other), Rule.KIND)


def _endings(told: Told, events: list[Event]) -> Iterator[Seeded]:
    """Ends that are none, or another than they say."""
    last = events[-1]
    for kind in ENDS:
        if kind != last["type"]:
            other = {**last, "type": kind}
            yield seed(told, f"ends as {kind}", [*events[:-1], other], Rule.STATUS, Rule.ORDER)
    late = {**events[-1], "type": "response.in_progress"}
    yield seed(told, "goes on after its end", [*events, late], Rule.ONE_END)
    output = last["response"]["output"]
    for name, items in (("one less", output[:-1]), ("one more", [*output, *output[-1:]])):
        changed = {**last["response"], "output": items}
        ended = [*events[:-1], {**last, "response": changed}]
        yield seed(told, f"output has {name}", ended, Rule.OUTPUT)
    if len(output) > 1:
        changed = {**last["response"], "output": output[::-1]}
        ended = [*events[:-1], {**last, "response": changed}]
        yield seed(told, "output in another order", ended, Rule.OUTPUT)
    for place, event in enumerate(events):
        if event["type"] != "error":
            continue
        for key in ("code", "message", "param"):
            other = {**event, key: "another"}
            yield seed(told, f"the error's {key}", at(events, place, other), Rule.ERROR)
        for key in ("code", "message", "param", "type"):
            nested = {name: value for name, value in event["error"].items() if name != key}
            other = {**event, "error": nested}
            yield seed(told, f"the error without {key}", at(events, place, other), Rule.ERROR)


# --- about events ----------------------------------------------------------------------------


def _raw(told: Told, name: str, events: list[Event], *rules: Rule) -> Seeded:
    return Seeded(f"{told.name}: {name}", frozenset(rules), write(told.surface, events))


def _objects(value: object, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Event]]:
    """Give every object within an event, and the way to it."""
    if isinstance(value, dict):
        yield where, value
        for key, inner in value.items():
            yield from _objects(inner, (*where, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _objects(inner, (*where, number))


def _at_object(
    told: Told,
    events: list[Event],
    place: int,
    where: tuple[Any, ...],
    instead: Event,
    name: str,
    *rules: Rule,
) -> Seeded:
    """Put another object in the place of one that is within an event."""
    changed = at(events, place, _replaced(events[place], where, instead))
    if where:
        return seed(told, name, changed, *rules)
    return _raw(told, name, changed, *rules)


def _replaced(value: Any, where: tuple[Any, ...], instead: Event) -> Any:
    if not where:
        return instead
    key, rest = where[0], where[1:]
    if isinstance(value, list):
        return [
            _replaced(each, rest, instead) if number == key else each
            for number, each in enumerate(value)
        ]
    return {**value, key: _replaced(value[key], rest, instead)}


def _open_at_end(events: list[Event], event: Event) -> bool:
    """Whether the item of an event is never closed."""
    return not any(
        each["type"] == "response.output_item.done" and path(each) == path(event)[:1]
        for each in events
    )


def _followed(events: list[Event], event: Event) -> bool:
    """Whether anything is said later of what an event opens."""
    own = path(event)
    return any(path(each)[: len(own)] == own and each is not event for each in events)
