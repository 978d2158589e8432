"""How are server-sent events read from bytes and written to bytes?

Sans I/O, both ways. Lines end in LF, CRLF or CR and in nothing else: U+2028 and its kin are
text. Chunks may end anywhere, inside a line end or a character too. Comments and the fields
`id` and `retry` are ignored; an event that the stream's end cuts off is dropped, as the
standard says. A line or an event beyond its bound ends the reading with `Oversized`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

import orjson

from astrolabe_http.answer_bounds import read_json

LINE_BYTES_MAX: Final = 8 * 1024 * 1024
EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
DONE_FRAME: Final = b"data: [DONE]\n\n"
_LINE_ENDS: Final = (b"\n", b"\r")
_BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
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
        "_between",
        "_data",
        "_dead",
        "_event_bytes",
        "_event_bytes_max",
        "_line_bytes_max",
        "_name",
        "_plain_bytes_max",
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
        self._between = False
        self._plain_bytes_max = min(line_bytes_max, event_bytes_max)
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
        if self._between and len(chunk) < self._plain_bytes_max and b"\r" not in chunk:
            return self._frames(chunk)
        return self._lines(chunk)

    def _frames(self, chunk: bytes) -> list[Event | Oversized]:
        """Take a chunk that begins with a frame. What is no plain frame is read line by line."""
        found: list[Event | Oversized] = []
        frames = chunk.split(b"\n\n")
        rest = frames.pop()
        for frame in frames:
            event = _plain(frame)
            if event is None:
                found += self._lines(frame + b"\n\n")
            else:
                found.append(event)
        return found + self._lines(rest) if rest else found

    def _lines(self, chunk: bytes) -> list[Event | Oversized]:
        found: list[Event | Oversized] = []
        lines = chunk.splitlines(keepends=True)
        rest = lines.pop() if not lines[-1].endswith(_LINE_ENDS) else b""
        for piece in lines:
            line = (self._joined(piece) if self._tail else piece).rstrip(b"\r\n")
            if len(line) > self._line_bytes_max:
                return [*found, self._die(self._line_bytes_max)]
            if not self._begun:
                self._begun = True
                line = line.removeprefix(_BOM)
            if line:
                beyond = self._field(line)
                if beyond is not None:
                    return [*found, beyond]
                continue
            if self._data:
                found.append(Event(self._name, "\n".join(self._data)))
                self._data.clear()
                self._event_bytes = 0
            self._name = ""
        self._after_cr = chunk.endswith(b"\r")
        self._between = not (rest or self._name or self._data)
        if rest:
            self._tail.append(rest)
            self._tail_bytes += len(rest)
            if self._tail_bytes > self._line_bytes_max:
                found.append(self._die(self._line_bytes_max))
        return found

    def _joined(self, end: bytes) -> bytes:
        line = b"".join([*self._tail, end])
        self._tail.clear()
        self._tail_bytes = 0
        return line

    def _field(self, line: bytes) -> Oversized | None:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b" ", 5) else line[5:]
            self._event_bytes += len(value) + 1
            if self._event_bytes > self._event_bytes_max:
                return self._die(self._event_bytes_max)
            self._data.append(value.decode("utf-8", "replace"))
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"data":
            self._event_bytes += 1
            self._data.append("")
        elif line == b"event":
            self._name = ""
        return None

    def _die(self, bytes_max: int) -> Oversized:
        self._dead = True
        self._tail.clear()
        self._data.clear()
        return Oversized(bytes_max)


def _plain(frame: bytes) -> Event | None:
    """Read what nearly every frame is: one line of data, maybe after a name."""
    name, data = "", frame
    if frame.startswith(b"event: "):
        line, _, data = frame.partition(b"\n")
        name = line[7:].decode("utf-8", "replace")
    if not data.startswith(b"data: ") or b"\n" in data:
        return None
    return Event(name, data[6:].decode("utf-8", "replace"))


def read_object(data: str) -> dict[str, object] | Mark:
    """Read an event's data as a JSON object, or say what it is instead."""
    if data.strip() == "[DONE]":
        return Mark.DONE
    value = read_json(data)
    return value if isinstance(value, dict) else Mark.UNREADABLE


def data_frame(payload: Mapping[str, object]) -> bytes:
    """Write an object as an event without a name, as Chat has it."""
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def event_frame(name: str, number: int, fields: Mapping[str, object]) -> bytes:
    """Write an event as Responses has it: with its type, which is its name, and its number.

    There is always a field more; they are not put into one object first, since this is done for
    every chunk.
    """
    said, kind = orjson.dumps(fields), name.encode("ascii")
    return b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b\n\n' % (
        kind,
        kind,
        number,
        said[1:],
    )


def comment_frame(text: str = "") -> bytes:
    """Write a comment: it keeps a connection alive and every client ignores it."""
    kept = "".join(text.splitlines())
    return f": {kept}\n\n".encode()
