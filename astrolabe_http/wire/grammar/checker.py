"""Does a stream keep its grammar, as bytes on their way to a caller?

`Checker` reads server-sent events strictly, as we write them: what a tolerant decoder would
forgive is a fault here. It holds the texts of the stream to compare them, so it is for tests
and for debugging and not for every day.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import orjson

from astrolabe_core.requests import Surface
from astrolabe_http.wire.grammar.chat import ChatGrammar
from astrolabe_http.wire.grammar.responses import ResponsesGrammar
from astrolabe_http.wire.grammar.responses_table import ROWS
from astrolabe_http.wire.grammar.rules import Rule, Violation
from astrolabe_http.wire.grammar.states import Broken

_END: Final = b"\n\n"
_NAMES: Final = frozenset(row.event for row in ROWS)


class Checker:
    """Follows one stream. Of a dialect that is known not to keep some rules these are `waived`."""

    def __init__(
        self,
        surface: Surface,
        *,
        usage_wanted: bool = False,
        waived: AbstractSet[Rule] = frozenset(),
    ) -> None:
        self._grammar: ChatGrammar | ResponsesGrammar = (
            ChatGrammar(usage_wanted=usage_wanted)
            if surface is Surface.CHAT
            else ResponsesGrammar()
        )
        self._waived = waived
        self._rest = b""
        self._events = 0

    def feed(self, data: bytes) -> list[Violation]:
        """Take bytes, which may end anywhere, and name what the frames in them break."""
        *frames, self._rest = (self._rest + data).split(_END)
        return [found for frame in frames for found in self._told(frame)]

    def end(self) -> list[Violation]:
        """Take the end of the bytes, and name what is missing."""
        broken: list[Broken] = []
        if self._rest:
            broken.append((Rule.FRAMING, "the last frame is not whole"))
        if not self._grammar.over:
            broken.append((Rule.HAS_END, "the stream has no end"))
        return self._kept("the end", broken)

    def _told(self, frame: bytes) -> list[Violation]:
        lines = [line for line in frame.split(b"\n") if not line.startswith(b":")]
        if not lines and frame:
            return []
        number, self._events = self._events, self._events + 1
        return self._kept(f"event {number}{_name(lines)}", list(self._frame(lines)))

    def _kept(self, where: str, broken: list[Broken]) -> list[Violation]:
        return [
            Violation(rule, where, message) for rule, message in broken if rule not in self._waived
        ]

    def _frame(self, lines: list[bytes]) -> Iterator[Broken]:
        named, grammar = isinstance(self._grammar, ResponsesGrammar), self._grammar
        starts = [b"event: ", b"data: "] if named else [b"data: "]
        if named and len(lines) == 1 and lines[0].startswith(b"data: "):
            yield Rule.EVENT_NAME, "the event has no name"
            starts = [b"data: "]
        elif not named and lines and lines[0].startswith(b"event:"):
            yield Rule.EVENT_NAME, "the event has a name"
            lines = lines[1:]
        whole = len(lines) == len(starts) and all(map(bytes.startswith, lines, starts))
        if not whole or any(b"\r" in line for line in lines):
            yield Rule.FRAMING, "the frame is not what a frame is made of"
            return
        data = lines[-1].removeprefix(b"data: ")
        if data == b"[DONE]" and isinstance(grammar, ChatGrammar):
            yield from grammar.done()
            return
        event = _parsed(data)
        if event is None:
            yield Rule.DATA, "data is no JSON object"
            return
        if len(lines) == 2 and lines[0].removeprefix(b"event: ") != _type(event):
            yield Rule.EVENT_NAME, "the event's name is not its type"
        yield from grammar.read(event)


def _parsed(data: bytes) -> Mapping[str, object] | None:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _type(event: Mapping[str, object]) -> bytes:
    return str(event.get("type")).encode()


def _name(lines: list[bytes]) -> str:
    """Name the event, where it has a name of ours: a stranger's may be anything."""
    named = next((line.removeprefix(b"event: ") for line in lines if line[:6] == b"event:"), b"")
    name = named.decode("ascii", "replace")
    return f", {name}" if name in _NAMES else ""
