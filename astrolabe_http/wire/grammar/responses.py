"""Does a Responses stream keep its grammar, event by event?

The table says which event may stand where; here are the rules that need a memory: what was
opened, what was said of it, and that all of it is told again, the same, when it is closed and at
the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from astrolabe_http.wire.grammar.responses_table import (
    ARGUMENTS,
    AXES,
    EVERY,
    ITEM,
    ITEMS,
    MOVING,
    PART,
    PARTS,
    REASONS,
    RESPONSE,
    ROWS,
    STATUSES,
)
from astrolabe_http.wire.grammar.rules import Rule
from astrolabe_http.wire.grammar.states import Broken, Path, Row, State, States, misfits

Object: TypeAlias = Mapping[str, object]

_KEPT: Final = ("id", "type", "role", "call_id")
_ERROR: Final = ("message", "type", "param", "code")
_NOTHING: Final[Object] = {}


@dataclass(slots=True)
class _Thing:
    """What was told of an item, a part or a call's arguments since it was opened."""

    opened: Object
    deltas: list[str] = field(default_factory=list)
    logprobs: list[object] = field(default_factory=list)
    annotations: list[object] = field(default_factory=list)
    closed: Object | None = None

    @property
    def text(self) -> str:
        return "".join(self.deltas)


class ResponsesGrammar:
    """The grammar of one Responses stream."""

    def __init__(self) -> None:
        self._states = States(ROWS)
        self._number = 0
        self._created: Object = _NOTHING
        self._things: dict[Path, _Thing] = {}

    @property
    def over(self) -> bool:
        """Whether the stream has had its end."""
        return self._states[()] is State.OVER

    def read(self, event: Object) -> Iterator[Broken]:
        """Take one event and name the rules that it breaks."""
        kind = str(event.get("type"))
        number, self._number = self._number, self._number + 1
        if event.get("sequence_number") != number:
            yield Rule.SEQUENCE, f"sequence_number is not {number}"
        row = self._states.row(kind)
        if row is None:
            yield Rule.KNOWN_EVENT, "there is no such event"
            return
        wrong = [*misfits(event, EVERY, "the event"), *misfits(event, row.fields, "the event")]
        if wrong:
            yield from wrong
            return
        path = _path(row, event)
        yield from self._states.move(kind, path)
        match row.of:
            case "item":
                yield from self._item(kind, path, event)
            case "part" | "arguments":
                yield from self._inner(kind, path, event)
            case _:
                yield from self._stream(kind, event)

    # --- the stream ------------------------------------------------------------------------

    def _stream(self, kind: str, event: Object) -> Iterator[Broken]:
        if kind == "error":
            yield from _error(event)
            return
        response = _object(event["response"])
        yield from misfits(response, RESPONSE, "the response")
        yield from _status(kind, response)
        if STATUSES[kind] == "in_progress":
            if response.get("output"):
                yield Rule.OPENED_EMPTY, "output is not empty"
            if response.get("usage") is not None:
                yield Rule.USAGE, "usage is not null before the end"
        else:
            yield from self._output(response.get("output"), failed=kind == "response.failed")
        if kind == "response.created":
            self._created = response
        yield from self._echo(response, ended=STATUSES[kind] != "in_progress")

    def _echo(self, response: Object, *, ended: bool) -> Iterator[Broken]:
        before, after = dict(self._created), dict(response)
        if ended:
            after["metadata"] = {
                key: value
                for key, value in _object(response.get("metadata")).items()
                if key != "astrolabe" or key in _object(before.get("metadata"))
            }
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key) and not (ended and key in MOVING):
                known = key if key in RESPONSE else "another key"
                rule = Rule.IDENTITY if key in {"id", "model", "created_at"} else Rule.ECHO
                yield rule, f"{known} of the response is not what it was"

    def _output(self, output: object, *, failed: bool) -> Iterator[Broken]:
        paths = [path for path, _ in self._states.within(())]
        told = output if isinstance(output, list) else []
        if len(told) != len(paths):
            yield Rule.OUTPUT, f"output has {len(told)} items where {len(paths)} were opened"
            return
        for place, (path, found) in enumerate(zip(paths, told, strict=True)):
            item = self._things.get(path, _Thing(_NOTHING))
            if item.closed is None and failed:
                same = (
                    _kept(item.opened, found)
                    and _object(found).get("status", "in_progress") == "in_progress"
                    and not any(self._unlike(path, _object(found)))
                )
            else:
                same = found == item.closed
            if not same:
                yield Rule.OUTPUT, f"item {place} of output is not what was told"

    # --- items -----------------------------------------------------------------------------

    def _item(self, kind: str, path: Path, event: Object) -> Iterator[Broken]:
        item = _object(event["item"])
        named = item.get("type")
        fields = ITEMS.get(named) if isinstance(named, str) else None
        if fields is None:
            yield Rule.KIND, "there is no such type of item"
            return
        wrong = [*misfits(item, fields, "the item")]
        yield from wrong
        if kind == "response.output_item.added":
            yield from self._open_item(path, item)
        elif path in self._things and not wrong:
            yield from self._close_item(path, item)

    def _open_item(self, path: Path, item: Object) -> Iterator[Broken]:
        self._things[path] = _Thing(item)
        if any(item.get(key) for key in ("content", "summary", "arguments")):
            yield Rule.OPENED_EMPTY, "the item holds something"
        if item.get("status", "in_progress") != "in_progress":
            yield Rule.OPENED_EMPTY, "the item is not in progress"
        if item["type"] == "function_call":
            inner = (*path, ARGUMENTS, 0)
            self._states.open(inner)
            self._things[inner] = _Thing(_NOTHING)

    def _close_item(self, path: Path, item: Object) -> Iterator[Broken]:
        known = self._things[path]
        known.closed = item
        if not _kept(known.opened, item):
            yield Rule.IDENTITY, "id, type, role or call_id of the item is not what it was"
        if known.opened.get("name") not in ("", item.get("name")):
            yield Rule.CALL_NAME, "the item's name is not what it was"
        if item.get("status", "completed") not in ("completed", "incomplete"):
            yield Rule.STATUS, "the status of a closed item is completed or incomplete"
        yield from self._unlike(path, item)

    def _unlike(self, path: Path, item: Object) -> Iterator[Broken]:
        """Name where an item is not what its parts were, closed or as far as they have come."""
        told: dict[str, list[object]] = {axis: [] for axis in AXES}
        for inner, _ in self._states.within(path):
            thing = self._things.get(inner)
            if thing is None:
                continue
            if inner[-2] != ARGUMENTS:
                told[str(inner[-2])].append(thing.closed or thing.text)
            elif item.get("arguments") != thing.text:
                yield Rule.ARGUMENTS, "the item's arguments are not its deltas"
            elif thing.closed is not None and thing.closed.get("name") != item.get("name"):
                yield Rule.CALL_NAME, "the item's name is not that of its arguments"
        for axis, parts in told.items():
            found = item.get(AXES[axis]) or []
            if not (isinstance(found, list) and _same_parts(found, parts)):
                yield Rule.TEXT, f"the item's {AXES[axis]} is not its parts"

    # --- parts and arguments ---------------------------------------------------------------

    def _inner(self, kind: str, path: Path, event: Object) -> Iterator[Broken]:
        item = self._things.get(path[:2])
        if item is None:
            return
        if event["item_id"] != item.opened.get("id"):
            yield Rule.IDENTITY, "item_id is not the id of its item"
        if kind.endswith("_part.added"):
            yield from self._open_part(path, _object(event["part"]), item)
            return
        thing = self._things.get(path)
        if thing is None:
            return
        if path[-2] == ARGUMENTS:
            yield from _argue(kind, thing, event)
        elif kind.endswith("_part.done"):
            yield from _close_part(thing, _object(event["part"]))
        else:
            yield from _say(kind, thing, event)

    def _open_part(self, path: Path, part: Object, item: _Thing) -> Iterator[Broken]:
        named = part.get("type")
        known = PARTS.get(named) if isinstance(named, str) else None
        if known is None or known.item != item.opened.get("type") or known.axis != path[-2]:
            yield Rule.KIND, "the item has no parts of this type"
            return
        yield from misfits(part, known.fields, "the part")
        if any(part.get(key) for key in known.fields if key != "type"):
            yield Rule.OPENED_EMPTY, "the part holds something"
        self._things[path] = _Thing(part)


def _path(row: Row, event: Object) -> Path:
    """Give the way to the thing that an event moves."""
    if row.of not in {ITEM, ARGUMENTS, PART}:
        return ()
    item = (ITEM, _index(event["output_index"]))
    if row.of == ITEM:
        return item
    if row.of == ARGUMENTS:
        return (*item, ARGUMENTS, 0)
    axis = next(axis for axis in AXES if axis in row.fields)
    return (*item, axis, _index(event[axis]))


def _argue(kind: str, thing: _Thing, event: Object) -> Iterator[Broken]:
    if kind.endswith(".delta"):
        thing.deltas.append(str(event["delta"]))
        return
    thing.closed = {"name": event["name"]}
    if event["arguments"] != thing.text:
        yield Rule.ARGUMENTS, "the arguments are not their deltas"


def _say(kind: str, thing: _Thing, event: Object) -> Iterator[Broken]:
    part = PARTS[str(thing.opened["type"])]
    if not kind.startswith(f"{part.stem}."):
        yield Rule.KIND, "the event is of another kind of part"
    elif kind.endswith(".delta"):
        thing.deltas.append(str(event["delta"]))
        thing.logprobs += _array(event.get("logprobs"))
    elif kind.endswith(".annotation.added"):
        if event["annotation_index"] != len(thing.annotations):
            yield Rule.INDEX_ORDER, f"annotation_index is not {len(thing.annotations)}"
        thing.annotations.append(event["annotation"])
    else:
        if event[part.key] != thing.text:
            yield Rule.TEXT, "the text is not its deltas"
        yield from _unsure(thing, event)


def _close_part(thing: _Thing, part: Object) -> Iterator[Broken]:
    known = PARTS[str(thing.opened["type"])]
    if part.get("type") != thing.opened["type"]:
        yield Rule.KIND, "the part is of another type than it was"
        return
    wrong = [*misfits(part, known.fields, "the part")]
    yield from wrong
    if part.get(known.key) != thing.text:
        yield Rule.TEXT, "the part is not its deltas"
    if _array(part.get("annotations")) != thing.annotations:
        yield Rule.TEXT, "the part's annotations are not those that were streamed"
    if not wrong:
        yield from _unsure(thing, part)
        thing.closed = part


def _unsure(thing: _Thing, said: Object) -> Iterator[Broken]:
    """Compare log probabilities; they may come with the deltas, or whole at the end."""
    found = _array(said.get("logprobs"))
    if thing.logprobs and found != thing.logprobs:
        yield Rule.TEXT, "the log probabilities are not those that were told before"
    thing.logprobs = found


def _same_parts(found: list[object], parts: list[object]) -> bool:
    """Compare an item's parts with what was told; of one still open its words are known."""
    return len(found) == len(parts) and all(
        told in (_object(part).get("text"), _object(part).get("refusal"))
        if isinstance(told, str)
        else part == told
        for part, told in zip(found, parts, strict=True)
    )


def _kept(opened: Object, item: object) -> bool:
    return all(opened.get(key) == _object(item).get(key) for key in _KEPT)


def _status(kind: str, response: Object) -> Iterator[Broken]:
    if response.get("status") != STATUSES[kind]:
        yield Rule.STATUS, f"status is not {STATUSES[kind]}"
    reason = _object(response.get("incomplete_details")).get("reason")
    cut = kind == "response.incomplete"
    if (isinstance(reason, str) and reason in REASONS) != cut or (
        response.get("incomplete_details") is not None
    ) != cut:
        yield Rule.STATUS, "incomplete_details are of another event"
    if (response.get("error") is not None) != (kind == "response.failed"):
        yield Rule.STATUS, "error is of another event"
    if (response.get("completed_at") is not None) != (kind == "response.completed"):
        yield Rule.STATUS, "completed_at is of another event"


def _error(event: Object) -> Iterator[Broken]:
    nested = _object(event["error"])
    for key in _ERROR:
        if key not in nested:
            yield Rule.ERROR, f"error has no {key}"
        elif key != "type" and nested[key] != event[key]:
            yield Rule.ERROR, f"{key} is another at the top than under error"


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else _NOTHING


def _array(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _index(value: object) -> int:
    return value if isinstance(value, int) else -1
