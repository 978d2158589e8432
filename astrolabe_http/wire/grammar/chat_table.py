"""Which frames has a chat stream, and what may follow what?

A chunk is taken apart: each of its choices moves that choice, each tool call in a delta that
call. `ROWS` is the table that `States` interprets.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.wire.grammar.states import Kind, Row, State

STREAM: Final = "stream"
CHOICE: Final = "choice"
CALL: Final = "tool_call"

_CHUNK: Final = {
    "id": Kind.TEXT,
    "object": Kind.TEXT,
    "created": Kind.NUMBER,
    "model": Kind.TEXT,
    "choices": Kind.ARRAY,
}
_CHOICE: Final = {
    "index": Kind.INDEX,
    "delta": Kind.OBJECT,
    "finish_reason": Kind.TEXT_OR_NULL,
    "logprobs": Kind.ANY,
}
_CALL: Final = {"index": Kind.INDEX, "function": Kind.OBJECT}

ROWS: Final[tuple[Row, ...]] = (
    Row(
        event="chunk",
        of=STREAM,
        before=(State.NEW, State.RUNNING),
        after=State.RUNNING,
        fields=_CHUNK,
    ),
    Row(event="role", of=CHOICE, before=(State.NEW,), after=State.OPEN, fields=_CHOICE),
    Row(event="delta", of=CHOICE, before=(State.OPEN,), after=State.OPEN, fields=_CHOICE),
    Row(
        event="tool call",
        of=CALL,
        before=(State.NEW,),
        after=State.OPEN,
        counter="index",
        fields={**_CALL, "id": Kind.TEXT, "type": Kind.TEXT},
    ),
    Row(event="arguments", of=CALL, before=(State.OPEN,), after=State.OPEN, fields=_CALL),
    Row(event="finish", of=CHOICE, before=(State.OPEN,), after=State.CLOSED, fields=_CHOICE),
    Row(
        event="usage",
        of=STREAM,
        before=(State.RUNNING,),
        after=State.COUNTED,
        within=State.CLOSED,
        fields={**_CHUNK, "usage": Kind.OBJECT},
    ),
    Row(
        event="error",
        of=STREAM,
        before=(State.NEW, State.RUNNING),
        after=State.FAILING,
        fields={"error": Kind.OBJECT},
    ),
    Row(
        event="[DONE]",
        of=STREAM,
        before=(State.RUNNING, State.COUNTED),
        after=State.OVER,
        within=State.CLOSED,
    ),
    Row(event="[DONE]", of=STREAM, before=(State.FAILING,), after=State.OVER),
)
"""In the order of a stream."""

FUNCTION: Final[Mapping[str, Kind]] = {"arguments": Kind.TEXT}
USAGE: Final[Mapping[str, Kind]] = {
    "prompt_tokens": Kind.INDEX,
    "completion_tokens": Kind.INDEX,
    "total_tokens": Kind.INDEX,
}
KEPT: Final = ("id", "object", "created", "model")
"""What is the same on every chunk."""

FINISHES: Final = frozenset({"stop", "length", "tool_calls", "content_filter"})
