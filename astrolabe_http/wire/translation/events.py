"""How does a stream of Chat chunks sound as a stream of Responses events?

`ResponsesEvents` gives the least that says it: items opened, deltas, items closed where the next
one begins, one terminal event. `responses_items` makes the whole grammar of that. What ends an
answer is told by `end`, since usage may come after a finish reason, and only where a finish
reason came: a stream that was cut has no terminal event here either.

Calls are closed one by one, as OpenAI has them, where their arguments are whole when the next
begins; a provider that sends several at once has them open beside one another, and nothing is
lost. Of several choices the first is taken: Responses has one.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import orjson

from astrolabe_core.units import RequestId
from astrolabe_http.wire.chat_stream import Choice
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.logprobs import responses_logprobs
from astrolabe_http.wire.translation.particulars import (
    error_in,
    responses_citation,
    responses_usage,
)
from astrolabe_http.wire.translation.thoughts import (
    ENCRYPTED,
    SUMMARY,
    WORDS,
    Strand,
    block_of,
    details_of,
)

Event: TypeAlias = dict[str, object]

_STATUSES: Final = {
    "stop": ("completed", None),
    "tool_calls": ("completed", None),
    "function_call": ("completed", None),
    "length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
}
_NOBODY: Final = RequestId("req_0")
"""Ids that are made for calls without one are not told: those are made for the caller."""
_UNKNOWN: Final = ("incomplete", None)
"""What is said of an end that nobody knows: that it was none, and not why."""


@dataclass(slots=True)
class _Message:
    """The message that is open. Words and refusals are parts of their own, in turn."""

    place: int
    kind: str = ""
    part: int = -1

    def at(self, kind: str) -> dict[str, object]:
        """Say where words of this kind go now."""
        if self.kind != kind:
            self.kind, self.part = kind, self.part + 1
        return {"output_index": self.place, "content_index": self.part}


@dataclass(slots=True)
class _Thought:
    """The reasoning item that is open."""

    place: int
    strand: Strand
    blocks: dict[object, tuple[str, int]] = field(default_factory=dict)
    marks: dict[str, object] = field(default_factory=dict)

    def at(self, detail: Object) -> tuple[str, dict[str, object]]:
        """Say by which event words of this detail go now, and where to."""
        block = block_of(detail)
        axis = "summary_index" if detail.get("type") == SUMMARY else "content_index"
        if block not in self.blocks:
            number = sum(known == axis for known, _ in self.blocks.values())
            self.blocks[block] = axis, number
        kind = "reasoning_summary_text" if axis == "summary_index" else "reasoning_text"
        place: dict[str, object] = {"output_index": self.place, axis: self.blocks[block][1]}
        return f"response.{kind}.delta", place


@dataclass(slots=True)
class _Call:
    """A call that is open, or that waits for its name; `place` is known once it was told."""

    place: int | None = None
    name: str = ""
    words: list[str] = field(default_factory=list)

    def whole(self) -> bool:
        """Whether nothing can follow: JSON that ends in its own brace."""
        said = "".join(self.words).strip()
        if not said.endswith("}"):
            return False
        try:
            return isinstance(orjson.loads(said), dict)
        except orjson.JSONDecodeError:
            return False


class ResponsesEvents:
    """Turns the chunks of one stream into events."""

    def __init__(self) -> None:
        self._head: dict[str, object] = {}
        self._index: object = None
        self._places = 0
        self._message: _Message | None = None
        self._thought: _Thought | None = None
        self._choice = Choice(0)
        self._calls: list[_Call] = []
        self._open_calls: list[_Call] = []
        self._usage: dict[str, object] | None = None

    def feed(self, event: Object) -> list[Event]:
        """Give the events of one chunk, all but the terminal one."""
        told = self._preamble(event)
        error = error_in(event)
        if error is not None:
            return [*told, {"type": "error", "error": error}]
        for choice in map(object_of, array_of(event.get("choices"))):
            if self._index is None:
                self._index = choice.get("index")
            if choice.get("index") == self._index:
                told += self._take(choice)
        return told

    def end(self, *, done: bool = True) -> list[Event]:  # noqa: ARG002 - as all translators have it
        """Give what ends the answer, where the provider said that it ended."""
        waiting = [number for number, call in enumerate(self._calls) if call.place is None]
        told = [each for number in waiting for each in self._name(number)]
        told += self._close_thought()
        if not self._choice.finish:
            return told
        status, reason = _STATUSES.get(self._choice.finish, _UNKNOWN)
        response = {
            **self._head,
            "status": status,
            "error": None,
            "incomplete_details": None if status == "completed" else {"reason": reason},
            "output": [],
            "usage": self._usage,
        }
        return [*told, {"type": f"response.{status}", "response": response}]

    def _preamble(self, chunk: Object) -> list[Event]:
        """Tell who answers, once, and each count as it comes: a caller may leave at any moment."""
        kind = "" if self._head else "response.created"
        if not self._head:
            named = {key: chunk[key] for key in ("id", "model", "provider") if chunk.get(key)}
            self._head = {"object": "response", **named}
        if isinstance(chunk.get("usage"), dict):
            self._usage = responses_usage(object_of(chunk["usage"]))
            kind = kind or "response.in_progress"
        if not kind:
            return []
        usage = {} if self._usage is None else {"usage": self._usage}
        return [{"type": kind, "response": {**self._head, "status": "in_progress", **usage}}]

    def _take(self, choice: Object) -> list[Event]:
        # Which call a piece belongs to, and what is told of it once, is known there.
        delta = self._choice.take(choice, _NOBODY)
        told = [each for detail in details_of(delta) for each in self._think(detail)]
        if words := text_of(delta.get("content")):
            tokens = object_of(choice.get("logprobs")).get("content")
            told += self._say("output_text", words, {"logprobs": responses_logprobs(tokens)})
        for annotation in array_of(object_of(choice.get("delta")).get("annotations")):
            told += self._cite(responses_citation(annotation))
        if words := text_of(delta.get("refusal")):
            told += self._say("refusal", words, {})
        for call in map(object_of, array_of(delta.get("tool_calls"))):
            told += self._call(call)
        return told

    # --- reasoning -------------------------------------------------------------------------

    def _think(self, detail: Object) -> list[Event]:
        named, thought = text_of(detail.get("id")), self._thought
        told: list[Event] = []
        if thought is None or not thought.strand.takes(detail):
            told = [*self._close_thought(), *self._close_message()]
            thought = self._thought = _Thought(self._new_place(), Strand())
            item: Event = {"type": "reasoning", "summary": []}
            if named:
                item["id"] = named
            told.append(_added(thought.place, item))
        thought.strand.add(detail)
        for key in ("id", "format", "signature"):
            if detail.get(key) is not None:
                thought.marks[key] = detail[key]
        if detail.get("type") == ENCRYPTED:
            thought.marks["encrypted_content"] = text_of(detail.get("data"))
            return told
        words = text_of(detail.get(WORDS[text_of(detail.get("type"))]))
        if words:
            kind, at = thought.at(detail)
            told.append({"type": kind, **at, "delta": words})
        return told

    def _close_thought(self) -> list[Event]:
        thought, self._thought = self._thought, None
        if thought is None:
            return []
        item = {"type": "reasoning", "summary": [], **thought.marks}
        return [_done(thought.place, item)]

    # --- words -----------------------------------------------------------------------------

    def _say(self, kind: str, words: str, more: Event) -> list[Event]:
        told = self._open_message()
        if self._message is None:
            return told
        at = self._message.at(kind)
        return [*told, {"type": f"response.{kind}.delta", **at, "delta": words, **more}]

    def _cite(self, citation: Event) -> list[Event]:
        if self._message is None or self._message.kind != "output_text":
            # A citation points into words, and there are none.
            return []
        at = self._message.at("output_text")
        kind = "response.output_text.annotation.added"
        return [{"type": kind, **at, "annotation": citation}]

    def _open_message(self) -> list[Event]:
        if self._message is not None:
            return []
        told = [*self._close_thought(), *self._close_calls()]
        self._message = _Message(self._new_place())
        item: Event = {"type": "message", "role": "assistant", "content": []}
        return [*told, _added(self._message.place, item)]

    def _close_message(self) -> list[Event]:
        message, self._message = self._message, None
        if message is None:
            return []
        return [_done(message.place, {"type": "message"})]

    # --- calls -----------------------------------------------------------------------------

    def _call(self, said: Object) -> list[Event]:
        function, number = object_of(said.get("function")), said["index"]
        if not isinstance(number, int):
            return []
        while len(self._calls) <= number:
            self._calls.append(_Call())
        call, words = self._calls[number], text_of(function.get("arguments"))
        call.words.append(words)
        call.name = call.name or text_of(function.get("name"))
        if call.place is None:
            return self._name(number) if call.name else []
        return [_argued(call.place, words)] if words else []

    def _name(self, number: int) -> list[Event]:
        """Open a call, once its name is known or will never be."""
        call, own = self._calls[number], self._choice.calls[number].own
        told = [*self._close_thought(), *self._close_message(), *self._close_calls()]
        place = call.place = self._new_place()
        item: Event = {"type": "function_call", "name": call.name, "arguments": ""}
        if own:
            item["call_id"] = own
        told.append(_added(place, item))
        self._open_calls.append(call)
        words = "".join(call.words)
        return [*told, _argued(place, words)] if words else told

    def _close_calls(self) -> list[Event]:
        over = [call for call in self._open_calls if call.whole()]
        self._open_calls = [call for call in self._open_calls if call not in over]
        return [_done(call.place, {"type": "function_call"}) for call in over]

    def _new_place(self) -> int:
        self._places += 1
        return self._places - 1


def _added(place: int, item: dict[str, object]) -> Event:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def _done(place: int | None, item: dict[str, object]) -> Event:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def _argued(place: int, words: str) -> Event:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": place, "delta": words}
