"""What may follow what, as data, and the one interpreter of it?

A stream is a tree of things that are opened, filled and closed: the stream itself, its items or
choices, their parts or calls. A `Row` says of one event whose state it moves, from where to where,
and which fields it carries. `States` knows where each thing of one stream is and names the rule
that a move breaks. A thing's path is the way to it from the stream: `()`, `("item", 0)`,
`("item", 0, "content_index", 1)`.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

from astrolabe_http.wire.grammar.rules import Rule

Path: TypeAlias = tuple[str | int, ...]
Broken: TypeAlias = tuple[Rule, str]
"""A rule that broke, and how."""


class State(StrEnum):
    """Where a thing is."""

    NEW = "new"
    CREATED = "created"
    RUNNING = "running"
    COUNTED = "counted"
    FAILING = "failing"
    OPEN = "open"
    FILLED = "filled"
    CLOSED = "closed"
    OVER = "over"


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    TEXT_OR_NULL = "text or null"
    INDEX = "index"
    NUMBER = "number"
    OBJECT = "object"
    ARRAY = "array"
    ANY = "anything"


@frozen(kw_only=True)
class Row:
    """One event: whose state it moves (`of`), from which states and to which, and its fields.

    `counter` is the field that numbers what the event opens. `within` is the state in which all
    that is within has to be. An event may have several rows, for different states before.
    """

    event: str
    of: str
    before: tuple[State, ...]
    after: State
    counter: str | None = None
    within: State | None = None
    fields: Mapping[str, Kind] = field(factory=dict, hash=False)


_HOLDS: Final[Mapping[Kind, Callable[[object], bool]]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.TEXT_OR_NULL: lambda value: value is None or isinstance(value, str),
    Kind.INDEX: lambda value: type(value) is int and value >= 0,
    Kind.NUMBER: lambda value: type(value) in {int, float},
    Kind.OBJECT: lambda value: isinstance(value, Mapping),
    Kind.ARRAY: lambda value: isinstance(value, list),
    Kind.ANY: lambda _: True,
}


def misfits(found: Mapping[str, object], fields: Mapping[str, Kind], of: str) -> Iterator[Broken]:
    """Name the fields that are missing, or hold something else."""
    for name, kind in fields.items():
        if name not in found:
            yield Rule.FIELDS, f"{of} has no {name}"
        elif not _HOLDS[kind](found[name]):
            yield Rule.FIELDS, f"{name} of {of} is no {kind}"


class States:
    """Where each thing of one stream is."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self._rows: dict[str, list[Row]] = {}
        for row in rows:
            self._rows.setdefault(row.event, []).append(row)
        self._states: dict[Path, State] = {(): State.NEW}
        self._opened: dict[Path, int] = {}

    def __getitem__(self, path: Path) -> State:
        return self._states.get(path, State.NEW)

    def row(self, event: str, path: Path = ()) -> Row | None:
        """Give the row of an event that fits where the thing is, or else the first one."""
        rows = self._rows.get(event, [])
        fitting = (row for row in rows if self[path] in row.before)
        return next(fitting, rows[0] if rows else None)

    def move(self, event: str, path: Path) -> Iterator[Broken]:
        """Move one thing; name what this breaks. It is moved all the same."""
        row = self.row(event, path)
        if row is None:
            yield Rule.KNOWN_EVENT, "there is no such event"
            return
        before = self[path]
        outer = next((path[:end] for end in range(0, len(path), 2) if self._shut(path[:end])), None)
        if outer is not None:
            yield _misplaced(outer, self[outer], (State.OPEN,))
        elif before not in row.before:
            yield _misplaced(path, before, row.before)
        if before is State.NEW and path:
            yield from self._count(row, path)
        if row.within is not None:
            yield from self._unfinished(path, row.within)
        self._states[path] = row.after

    def open(self, path: Path) -> None:
        """Open a thing that comes with the one around it."""
        self._states[path] = State.OPEN

    def within(self, path: Path) -> Iterator[tuple[Path, State]]:
        """Give all that is directly within a thing, in the order in which it was opened."""
        depth = len(path) + 2
        for inner, state in self._states.items():
            if len(inner) == depth and inner[:-2] == path:
                yield inner, state

    def _shut(self, path: Path) -> bool:
        return self[path] is not (State.OPEN if path else State.RUNNING)

    def _count(self, row: Row, path: Path) -> Iterator[Broken]:
        expected = self._opened.get(path[:-1], 0)
        self._opened[path[:-1]] = expected + 1
        if row.counter is not None and path[-1] != expected and State.NEW in row.before:
            yield Rule.INDEX_ORDER, f"{row.counter} is {path[-1]} where {expected} is next"

    def _unfinished(self, path: Path, wanted: State) -> Iterator[Broken]:
        for inner, state in self.within(path):
            if state is not wanted:
                yield Rule.ALL_CLOSED, f"{named(inner)} is {state}"


def named(path: Path) -> str:
    """Name a thing in words: `item 0, content_index 1`."""
    pairs = [f"{path[place]} {path[place + 1]}" for place in range(0, len(path), 2)]
    return ", ".join(pairs) or "the stream"


def _misplaced(path: Path, state: State, wanted: tuple[State, ...]) -> Broken:
    """Name the rule that an event breaks where its thing, or one around it, is in this state."""
    said = f"{named(path)} is {state}"
    if not path:
        return (Rule.ONE_END if state is State.OVER else Rule.ORDER), said
    if State.NEW in wanted:
        return Rule.OPENED_ONCE, said
    early = state is State.NEW or (state is State.OPEN and State.OPEN not in wanted)
    return (Rule.OPENED_FIRST if early else Rule.CLOSED_LAST), said
