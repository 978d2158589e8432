"""Every fault that a chat stream can have, one at a time, and the rules that must name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astrolabe_http.wire.grammar import Rule
from tests.http.wire.corpus import Told
from tests.http.wire.grammar.seeded import (
    DONE,
    Event,
    Seeded,
    at,
    events_of,
    places,
    seed,
    write,
)

HEAD = ("id", "object", "created", "model")
CHOICE = ("index", "delta", "finish_reason", "logprobs")
ERROR = ("message", "type", "param", "code")


def kind_of(event: Event) -> str:
    """Name a frame by what it does."""
    if event is DONE:
        return "[DONE]"
    if "error" in event:
        return "error"
    if not event["choices"]:
        return "usage"
    (choice,) = event["choices"]
    delta = choice["delta"]
    if "role" in delta:
        return "role"
    if choice["finish_reason"] is not None:
        return "finish"
    if "tool_calls" in delta:
        return "tool call" if "id" in delta["tool_calls"][0] else "arguments"
    return "delta"


def index_of(event: Event) -> int | None:
    """The choice that a frame speaks of."""
    if event is DONE or not event.get("choices"):
        return None
    return int(event["choices"][0]["index"])


def faults(told: Told) -> Iterator[Seeded]:
    """Give every fault of one stream."""
    events = events_of(told)
    for place in places(events):
        yield from _turns(told, events, place)
        if events[place] is not DONE:
            yield from _keys(told, events, place)
            yield from _choices(told, events, place)
    yield from _usage(told, events)
    yield from _errors(told, events)


def _turns(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    event, kind = events[place], kind_of(events[place])
    if rules := _lost(events, place):
        yield seed(told, f"without {place}, {kind}", at(events, place), *rules)
    twice: dict[str, Rule] = {
        "role": Rule.OPENED_ONCE,
        "tool call": Rule.OPENED_ONCE,
        "finish": Rule.CLOSED_LAST,
        "usage": Rule.ORDER,
        "error": Rule.ORDER,
        "[DONE]": Rule.ONE_END,
    }
    if kind in twice:
        yield seed(told, f"{place} twice, {kind}", at(events, place, event, event), twice[kind])
    if place + 1 < len(events) and not _commute(event, events[place + 1]):
        swapped = [*events[:place], events[place + 1], event, *events[place + 2 :]]
        yield seed(told, f"{place} after {place + 1}, {kind}", swapped, *Rule)
    if kind != "[DONE]":
        yield seed(told, f"[DONE] before {place}", at(events, place, DONE, event), Rule.ONE_END)
    if kind in {"delta", "arguments", "tool call"}:
        # After its finish_reason nothing more may be said of a choice.
        late = [*events[:-1], event, DONE]
        rules = (Rule.CLOSED_LAST, Rule.ORDER)
        if event is not events[-2]:
            yield seed(told, f"{place} again at the end", late, *rules)


def _lost(events: list[Event], place: int) -> tuple[Rule, ...]:
    """The rules that name a frame that is left out; a text of Chat's is told only once."""
    event = events[place]
    broken = any("error" in each for each in events)
    match kind_of(event):
        case "role":
            return (Rule.OPENED_FIRST,)
        case "tool call":
            # The last call of several, said in one chunk, leaves a sound stream when it is lost.
            number, calls = _call(event)["index"], _later_calls(events, place)
            alone = number == 0 and not broken
            told = alone or any(call["index"] >= number for call in calls)
            return (Rule.OPENED_FIRST, Rule.INDEX_ORDER, Rule.KIND) if told else ()
        case "finish":
            return (Rule.ALL_CLOSED,)
        case "error":
            return (Rule.ALL_CLOSED,) if len(events) > 2 else (Rule.ORDER,)
        case "[DONE]":
            return (Rule.HAS_END,)
        case _:
            return ()


def _later_calls(events: list[Event], place: int) -> list[Event]:
    found = [each for each in events[place + 1 :] if index_of(each) == index_of(events[place])]
    return [_call(each) for each in found if kind_of(each) in {"tool call", "arguments"}]


def _commute(one: Event, two: Event) -> bool:
    first, second = index_of(one), index_of(two)
    if first is None or second is None:
        return False
    if first != second:
        return True
    kinds = kind_of(one), kind_of(two)
    if kinds == ("tool call", "arguments"):
        return bool(_call(one)["index"] != _call(two)["index"])
    return all(kind in {"delta", "arguments"} for kind in kinds) or (
        set(kinds) in ({"delta", "tool call"}, {"tool call", "arguments"})
    )


def _call(event: Event) -> Event:
    call: Event = event["choices"][0]["delta"]["tool_calls"][0]
    return call


def _keys(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    event, kind = events[place], kind_of(events[place])
    if kind == "error":
        return

    def other(name: str, changed: Event, *rules: Rule) -> Seeded:
        return seed(told, f"{place} {name}, {kind}", at(events, place, changed), *rules)

    only = sum("choices" in each for each in events) == 1
    for key in (*HEAD, "choices"):
        gone = {name: value for name, value in event.items() if name != key}
        yield other(f"without {key}", gone, Rule.FIELDS)
        yield other(f"with a wrong {key}", {**event, key: {}}, Rule.FIELDS)
    for key, value in (("id", "x"), ("object", "x"), ("created", 7), ("model", "x")):
        if not only:
            yield other(f"with another {key}", {**event, key: value}, Rule.IDENTITY)
    unasked = {name: value for name, value in event.items() if name != "usage"}
    yield other("without usage", unasked, Rule.USAGE, Rule.FIELDS)
    if kind != "usage":
        yield other("with usage", {**event, "usage": {"total_tokens": 1}}, Rule.USAGE)
    if event is not [each for each in events if "choices" in each][-1]:
        yield other("with a last word", {**event, "astrolabe": {}}, Rule.LAST_WORD)


def _choices(told: Told, events: list[Event], place: int) -> Iterator[Seeded]:
    event, kind = events[place], kind_of(events[place])
    if not event.get("choices"):
        return
    (choice,) = event["choices"]

    def other(name: str, changed: Event, *rules: Rule) -> Seeded:
        made = at(events, place, {**event, "choices": [changed]})
        return seed(told, f"{place} {name}, {kind}", made, *rules)

    def said(name: str, delta: Event, *rules: Rule) -> Seeded:
        return other(name, {**choice, "delta": delta}, *rules)

    for key in CHOICE:
        gone = {name: value for name, value in choice.items() if name != key}
        yield other(f"a choice without {key}", gone, Rule.FIELDS)
    for key, value in (("index", "0"), ("index", -1), ("delta", "x"), ("finish_reason", 1)):
        yield other(f"a choice with {key} {value}", {**choice, key: value}, Rule.FIELDS)
    moved = (Rule.OPENED_FIRST, Rule.ALL_CLOSED)
    yield other("of another choice", {**choice, "index": 99}, *moved)
    if kind != "finish":
        ended = {**choice, "finish_reason": "stop"}
        yield other("with a finish", ended, Rule.CLOSED_LAST, Rule.KIND)
    yield said("with odd content", {**choice["delta"], "content": 1}, Rule.FIELDS)
    if kind == "role":
        yield said("of another role", {**choice["delta"], "role": "user"}, Rule.KIND)
    else:
        named = {**choice["delta"], "role": "assistant"}
        yield said("with a role", named, Rule.OPENED_ONCE)
    if kind == "finish":
        yield said("with words", {"content": "x"}, Rule.CLOSED_LAST)
        yield other("with a new reason", {**choice, "finish_reason": "new"}, Rule.KIND)
        reason = "stop" if choice["finish_reason"] == "tool_calls" else "tool_calls"
        yield other(f"ends in {reason}", {**choice, "finish_reason": reason}, Rule.KIND)
    if "tool_calls" in choice["delta"]:
        yield from _calls(said, kind, _call(event))


def _calls(said: Any, kind: str, call: Event) -> Iterator[Seeded]:
    def other(name: str, changed: Event, *rules: Rule) -> Seeded:
        made: Seeded = said(name, {"tool_calls": [changed]}, *rules)
        return made

    def without(key: str) -> Event:
        return {name: value for name, value in call.items() if name != key}

    yield other("a call without an index", without("index"), Rule.FIELDS)
    yield other("a call without a function", without("function"), Rule.FIELDS)
    elsewhere = (Rule.INDEX_ORDER, Rule.OPENED_FIRST)
    yield other("a call far away", {**call, "index": 99}, *elsewhere)
    bare = {**call, "function": {"name": "f"}}
    yield other("a call without arguments", bare, Rule.FIELDS)
    if kind == "tool call":
        yield other("a call without an id", without("id"), Rule.FIELDS)
        yield other("a call without a type", without("type"), Rule.FIELDS)
        yield other("a call of nobody", without("id") | {"type": None}, Rule.FIELDS)
        nameless = {**call, "function": {"arguments": ""}}
        yield other("a call without a name", nameless, Rule.CALL_NAME)
    else:
        yield other("an id again", {**call, "id": "call_1"}, Rule.OPENED_ONCE)
        again = {**call, "function": {**call["function"], "name": "f"}}
        yield other("a name again", again, Rule.CALL_NAME)


def _usage(told: Told, events: list[Event]) -> Iterator[Seeded]:
    """Usage where it was not asked for, and in another form."""
    rules = frozenset({Rule.USAGE})
    if any("usage" in event for event in events):
        yield Seeded(f"{told.name}: unasked", rules, write(told.surface, events), False)
    for place, event in enumerate(events):
        if kind_of(event) != "usage":
            continue
        for key in ("prompt_tokens", "completion_tokens", "total_tokens"):
            counted = {name: value for name, value in event["usage"].items() if name != key}
            other = at(events, place, {**event, "usage": counted})
            yield seed(told, f"usage without {key}", other, Rule.FIELDS)


def _errors(told: Told, events: list[Event]) -> Iterator[Seeded]:
    for place, event in enumerate(events):
        if kind_of(event) != "error":
            continue
        more = at(events, place, {**event, "id": "x"})
        yield seed(told, "an error and more", more, Rule.ERROR)
        chunk = next(each for each in events if "choices" in each)
        late = at(events, place, event, chunk)
        yield seed(told, "a chunk after the error", late, Rule.ORDER)
        for key in ERROR:
            known = {name: value for name, value in event["error"].items() if name != key}
            other = at(events, place, {"error": known})
            yield seed(told, f"an error without {key}", other, Rule.ERROR)
        yield seed(told, "an error in words", at(events, place, {"error": "x"}), Rule.ERROR)
