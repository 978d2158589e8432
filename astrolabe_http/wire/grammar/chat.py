"""Does a chat stream keep its grammar, chunk by chunk?

The table says which move may stand where; here are the rules that need a memory. What a choice
said can be compared with nothing: Chat never tells it again.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from astrolabe_http.wire.grammar.chat_table import (
    CALL,
    CHOICE,
    FINISHES,
    FUNCTION,
    KEPT,
    ROWS,
    USAGE,
)
from astrolabe_http.wire.grammar.rules import Rule
from astrolabe_http.wire.grammar.states import Broken, Path, State, States, misfits

Object: TypeAlias = Mapping[str, object]

_SPOKEN: Final = ("content", "refusal")
_ERROR: Final = ("message", "type", "param", "code")
_NOTHING: Final[Object] = {}


class ChatGrammar:
    """The grammar of one chat stream; `usage_wanted` where its caller asked for usage."""

    def __init__(self, *, usage_wanted: bool) -> None:
        self._usage_wanted = usage_wanted
        self._states = States(ROWS)
        self._first: Object = _NOTHING
        self._names: dict[Path, str] = {}
        self._last_word = False

    @property
    def over(self) -> bool:
        """Whether the stream has had its end."""
        return self._states[()] is State.OVER

    def done(self) -> Iterator[Broken]:
        """Take `[DONE]`."""
        yield from self._states.move("[DONE]", ())

    def read(self, chunk: Object) -> Iterator[Broken]:
        """Take one chunk and name the rules that it breaks."""
        if "error" in chunk:
            yield from self._error(chunk)
            return
        event = "usage" if chunk.get("choices") == [] else "chunk"
        row = self._states.row(event)
        wrong = [] if row is None else [*misfits(chunk, row.fields, "the chunk")]
        yield from self._states.move(event, ())
        yield from wrong
        yield from self._identity(chunk)
        yield from self._usage(chunk, counts=event == "usage")
        if self._last_word:
            yield Rule.LAST_WORD, "astrolabe was told before"
        self._last_word = "astrolabe" in chunk
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            yield from self._choice(choice if isinstance(choice, Mapping) else _NOTHING)

    def _error(self, chunk: Object) -> Iterator[Broken]:
        yield from self._states.move("error", ())
        if len(chunk) > 1:
            yield Rule.ERROR, "the frame holds more than the error"
        error = _object(chunk["error"])
        for key in _ERROR:
            if key not in error:
                yield Rule.ERROR, f"error has no {key}"

    def _identity(self, chunk: Object) -> Iterator[Broken]:
        if not self._first:
            self._first = chunk
            if chunk.get("object") != "chat.completion.chunk":
                yield Rule.KIND, "object is not chat.completion.chunk"
        for key in KEPT:
            if chunk.get(key) != self._first.get(key):
                yield Rule.IDENTITY, f"{key} is not what it was"

    def _usage(self, chunk: Object, *, counts: bool) -> Iterator[Broken]:
        if not self._usage_wanted:
            if "usage" in chunk:
                yield Rule.USAGE, "usage was not asked for"
        elif counts:
            yield from misfits(_object(chunk.get("usage")), USAGE, "usage")
        elif "usage" not in chunk or chunk["usage"] is not None:
            yield Rule.USAGE, "usage is null on every chunk but its own"

    def _choice(self, choice: Object) -> Iterator[Broken]:
        row = self._states.row("delta")
        wrong = [] if row is None else [*misfits(choice, row.fields, "the choice")]
        if wrong:
            yield from wrong
            return
        path: Path = (CHOICE, _index(choice))
        delta, finish = _object(choice["delta"]), choice["finish_reason"]
        if "role" in delta:
            yield from self._states.move("role", path)
            if delta["role"] != "assistant":
                yield Rule.KIND, "the role is not assistant"
        elif finish is None:
            yield from self._states.move("delta", path)
        for key in _SPOKEN:
            if not (delta.get(key) is None or isinstance(delta[key], str)):
                yield Rule.FIELDS, f"{key} is no text"
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            yield from self._call(path, _object(call))
        if finish is not None:
            yield from self._finish(path, delta, str(finish))

    def _finish(self, path: Path, delta: Object, reason: str) -> Iterator[Broken]:
        yield from self._states.move("finish", path)
        if delta:
            yield Rule.CLOSED_LAST, "the delta beside a finish_reason is not empty"
        if reason not in FINISHES:
            yield Rule.KIND, "there is no such finish_reason"
        called = any(self._states.within(path))
        if (reason == "tool_calls" and not called) or (reason == "stop" and called):
            yield Rule.KIND, "finish_reason does not go with the tool calls"

    def _call(self, choice: Path, call: Object) -> Iterator[Broken]:
        if _index(call) < 0:
            yield Rule.FIELDS, "a tool call has no index"
            return
        path = (*choice, CALL, _index(call))
        event = "tool call" if "id" in call or "type" in call else "arguments"
        row = self._states.row(event, path)
        function = _object(call.get("function"))
        if row is not None:
            yield from misfits(call, row.fields, "the tool call")
        yield from misfits(function, FUNCTION, "the function")
        yield from self._states.move(event, path)
        name = function.get("name")
        if event == "tool call":
            if not isinstance(name, str):
                yield Rule.CALL_NAME, "the tool call has no name"
        elif "name" in function and self._names.get(path):
            yield Rule.CALL_NAME, "the name is told again"
        self._names[path] = self._names.get(path) or (name if isinstance(name, str) else "")


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else _NOTHING


def _index(said: Object) -> int:
    index = said.get("index")
    return index if type(index) is int else -1
