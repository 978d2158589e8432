"""How are server-sent events read from bytes and written to bytes?

Sans I/O, both ways. Lines end in LF, CRLF or CR and in nothing else: U+2028 and its kin are
text. Chunks may end anywhere, inside a line end or a character too. Comments and the fields
`id` and `retry` are ignored; an event that the stream's end cuts off is dropped, as the
standard says. A line or an event beyond its bound ends the reading with `Oversized`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import orjson

from astrolabe_http.answer_bounds import read_json

LINE_BYTES_MAX: Final = 8 * 1024 * 1024
EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
DONE_FRAME: Final = b"data: [DONE]\n\n"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, empty where the stream gave none, and its data."""

    name: str
    data: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """A line or an event is longer than it may be. Nothing is read after this."""

    bytes_max: int


class Mark(Enum):
    """Data that is no JSON object: the end that OpenAI's formats announce, or rubbish."""

    DONE = "done"
    UNREADABLE = "unreadable"


class Decoder:
    """Takes bytes as they come and gives the events that they complete."""

    __slots__ = (
        "_after_cr",
        "_begun",
        "_data",
        "_dead",
        "_event_bytes",
        "_event_bytes_max",
        "_line_bytes_max",
        "_name",
        "_tail",
        "_tail_bytes",
    )

    def __init__(
        self, *, line_bytes_max: int = LINE_BYTES_MAX, event_bytes_max: int = EVENT_BYTES_MAX
    ) -> None:
        self._line_bytes_max = line_bytes_max
        self._event_bytes_max = event_bytes_max
        # The line that is not ended yet, in pieces: joined once, so that a line that comes in
        # single bytes does not cost the square of its length.
        self._tail: list[bytes] = []
        self._tail_bytes = 0
        self._after_cr = False
        self._begun = False
        self._dead = False
        self._name = ""
        self._data: list[str] = []
        self._event_bytes = 0

    def feed(self, chunk: bytes) -> list[Event | Oversized]:
        """Give the events that end within this chunk."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if self._dead or not chunk:
            return []
        found: list[Event | Oversized] = []
        lines = chunk.splitlines(keepends=True)
        for line in lines:
            self._tail_bytes += len(line)
            self._tail.append(line)
            ended = line.endswith((b"\n", b"\r"))
            whole = b"".join(self._tail).rstrip(b"\r\n") if ended else b""
            if (len(whole) if ended else self._tail_bytes) > self._line_bytes_max:
                return [*found, self._die(self._line_bytes_max)]
            if not ended:
                break
            self._tail.clear()
            self._tail_bytes = 0
            event = self._line(whole)
            if event is not None:
                found.append(event)
            if isinstance(event, Oversized):
                break
        self._after_cr = chunk.endswith(b"\r")
        return found

    def _line(self, line: bytes) -> Event | Oversized | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._event_bytes += len(value) + 1
            if self._event_bytes > self._event_bytes_max:
                return self._die(self._event_bytes_max)
            self._data.append(value.decode("utf-8", "replace"))
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._name, "\n".join(self._data)) if self._data else None
        self._name = ""
        self._data.clear()
        self._event_bytes = 0
        return event

    def _die(self, bytes_max: int) -> Oversized:
        self._dead = True
        self._tail.clear()
        self._data.clear()
        return Oversized(bytes_max)


def read_object(data: str) -> dict[str, object] | Mark:
    """Read an event's data as a JSON object, or say what it is instead."""
    if data.strip() == "[DONE]":
        return Mark.DONE
    value = read_json(data)
    return value if isinstance(value, dict) else Mark.UNREADABLE


def data_frame(payload: Mapping[str, object]) -> bytes:
    """Write an object as an event without a name, as Chat has it."""
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def event_frame(name: str, payload: Mapping[str, object]) -> bytes:
    """Write an object as an event with a name, as Responses has it."""
    return b"event: " + name.encode("ascii") + b"\ndata: " + orjson.dumps(payload) + b"\n\n"


def comment_frame(text: str = "") -> bytes:
    """Write a comment: it keeps a connection alive and every client ignores it."""
    kept = "".join(text.splitlines())
    return f": {kept}\n\n".encode()
