"""What does a stream of chat chunks amount to, and how is it handed on?

The reader folds the provider's chunks into an answer; the writer turns each into a chunk of
OpenAI's form. One id for the whole stream; the role once a choice; a tool call's id and name
once, its arguments after. What ends a choice waits for `finish`, since only then is the answer
verified and paid for. Usage is always read, and sent where `stream_options` asks for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson
from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt, ToolCall
from astrolabe_core.codes import Refusal
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request
from astrolabe_core.units import ModelId, RequestId
from astrolabe_http.errors import error_body
from astrolabe_http.sse import DONE_FRAME, data_frame
from astrolabe_http.wire.chat_answer import (
    BROKEN_OFF,
    CROWDED,
    TOO_FEW,
    call_id,
    citations_of,
    gravest,
    head,
    read_fault,
    read_finish,
    reasoning_of,
    shown_finish,
    usage_json,
)
from astrolabe_http.wire.chat_fields import CHOICES_MAX, index_of
from astrolabe_http.wire.chat_request import wants_usage
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.inline import inline_metadata
from astrolabe_http.wire.intake import wants_one_call
from astrolabe_http.wire.logprobs import chat_logprobs
from astrolabe_http.wire.receipts import merge_receipt, read_chat_usage

CALLS_MAX: Final = 1_024
LOOKS_CHARS_MAX: Final = 4 * 1024 * 1024
"""How much of one call's arguments is read, all in all, to see whether they are whole."""
_USAGE_PENDING: Final[dict[str, object]] = {"usage": None}
_AFTER: Final = b',"finish_reason":null}]}\n\n'
_NOBODY: Final = RequestId("req_0")
"""The reader shows nobody the ids that it makes."""


@dataclass(slots=True)
class Call:
    """A tool call as far as it has come; `index` is its place among the choice's calls.

    `own` is the provider's id. A call beyond the one that the caller allows is not `shown`.
    """

    index: int
    own: str
    name: str
    arguments: list[str]
    shown: bool = True
    looked_at: int = 0

    def takes(self, own: str, name: str) -> bool:
        """Whether a delta with this id and this name may go on with this call."""
        if own and self.own and own != self.own:
            return False
        if not name or not self.name:
            return True
        # A name again: from some it comes with every delta, from others each delta is a call.
        return name == self.name and not self._is_whole()

    def _is_whole(self) -> bool:
        """Whether nothing can be added to the arguments; each look costs their length."""
        if not self.arguments[-1].endswith("}") or self.looked_at > LOOKS_CHARS_MAX:
            return False
        known = "".join(self.arguments)
        self.looked_at += len(known)
        return _is_whole(known)


@dataclass(slots=True)
class Choice:
    """One choice as far as it has come. Reader and writer fold into it by one rule.

    `at` is keyed by the provider's number. Ours is the place in which a call was opened: some
    providers begin at 1, some number every call 0, and clients look for a call in a list.
    """

    index: int
    one_call: bool = False
    words: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    at: dict[int, Call] = field(default_factory=dict)
    citations: list[object] = field(default_factory=list)
    finish: str | None = None

    def take(self, found: Object, id: RequestId) -> dict[str, object]:  # noqa: A002
        """Take what a chunk says of this choice, and give the delta to show for it."""
        said = object_of(found.get("delta"))
        delta: dict[str, object] = {}
        if words := text_of(said.get("content")):
            self.words.append(words)
            delta["content"] = words
        # Of all that may be there nearly every delta has nothing: one look for each is enough.
        if said.get("refusal") and (words := text_of(said["refusal"])):
            self.refusal.append(words)
            delta["refusal"] = words
        if said.get("reasoning") or said.get("reasoning_details"):
            delta |= reasoning_of(said)
        if said.get("annotations"):
            self.citations += citations_of(said)
        if said.get("tool_calls") and (calls := self._called(array_of(said["tool_calls"]), id)):
            delta["tool_calls"] = calls
        self.finish = text_of(found.get("finish_reason")) or self.finish
        return delta

    def _called(self, several: list[object], id: RequestId) -> list[dict[str, object]]:  # noqa: A002
        return [
            told
            for place, call in enumerate(several)
            if isinstance(call, Mapping)
            and (told := self._call(_number_of(call, place, len(several)), call, id))
        ]

    def _call(self, number: int | None, call: Object, id: RequestId) -> dict[str, object]:  # noqa: A002
        function = object_of(call.get("function"))
        own, name = text_of(call.get("id")), text_of(function.get("name"))
        arguments = text_of(function.get("arguments"))
        known = self._known(number, own, name)
        if known is None:
            known = Call(len(self.calls), own, name, [arguments])
            known.shown = not (self.one_call and self.calls)
            self.calls.append(known)
            if number is not None:
                self.at[number] = known
            told: dict[str, object] = {"name": name, "arguments": arguments}
            shown_id = own or call_id(id, self.index, known.index)
            opened = {"index": known.index, "id": shown_id, "type": "function", "function": told}
            return opened if known.shown else {}
        known.arguments.append(arguments)
        told = {"arguments": arguments}
        if name and not known.name:
            # A name that came late: clients add it to the empty one that they have.
            known.name = name
            told["name"] = name
        return {"index": known.index, "function": told} if known.shown else {}

    def _known(self, number: int | None, own: str, name: str) -> Call | None:
        """Find the call that a delta goes on with: by its id, else by its number, else the last."""
        for call in self.calls:
            if own and call.own == own:
                return call
        last = self.calls[-1] if self.calls else None
        found = last if number is None else self.at.get(number)
        return found if found is not None and found.takes(own, name) else None


def _number_of(call: Object, place: int, several: int) -> int | None:
    """Give the provider's number of a call; without one, of several the place tells them apart."""
    number = call.get("index")
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    return place if several > 1 else None


def _is_whole(arguments: str) -> bool:
    """Whether arguments are a whole JSON object, to which nothing can be added."""
    try:
        return isinstance(orjson.loads(arguments), dict)
    except orjson.JSONDecodeError:
        return False


class StreamReader:
    """Folds chunks into an answer. `choices` is how many were asked for."""

    def __init__(self, *, choices: int = 1) -> None:
        self.content = False
        self.called = False
        # Usage may follow what ends the last choice: only `[DONE]` is the end.
        self.over = False
        self.receipt: Receipt = NO_RECEIPT
        self._wanted = choices
        self._choices: dict[int, Choice] = {}
        self._counted = False
        self._named = False

    def feed(self, event: Object) -> Fault | None:
        """Take one chunk; an error within it is a fault."""
        usage = event.get("usage")
        # The first chunk names generation and host; after it only usage says anything new.
        if usage is not None or not self._named:
            self.receipt = merge_receipt(self.receipt, event, read_chat_usage(usage), usage)
            self._named = self.receipt != NO_RECEIPT
            self._counted = self._counted or isinstance(usage, Mapping)
        fault = read_fault(event)
        if fault is not None:
            return evolve(fault, receipt=self.receipt)
        for each in array_of(event.get("choices")):
            if found := object_of(each):
                index = index_of(found)
                choice = self._choices.get(index)
                if choice is None:
                    choice = self._choices[index] = Choice(index)
                if choice.take(found, _NOBODY):
                    self.content = True
                    if choice.calls:
                        self.called = True
                if len(self._choices) > CHOICES_MAX or len(choice.calls) > CALLS_MAX:
                    return evolve(CROWDED, receipt=self.receipt)
        return None

    def answer(self) -> Answer | Fault:
        """Give the whole, once the stream has ended; one that was cut short is a fault."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        short = len(choices) < self._wanted
        cut = not choices or any(choice.finish is None for choice in choices)
        if cut or (short and not self._counted):
            return evolve(BROKEN_OFF, receipt=self.receipt)
        if short:
            # The provider has counted, and has nothing more to say.
            return evolve(TOO_FEW, receipt=self.receipt)
        refusals = ["".join(choice.refusal) for choice in choices if choice.refusal]
        return Answer(
            finish=gravest(read_finish(choice.finish) for choice in choices),
            texts=tuple("".join(choice.words) for choice in choices),
            tool_calls=tuple(
                ToolCall(name=call.name, arguments="".join(call.arguments))
                for choice in choices
                for call in choice.calls
            ),
            refusal=refusals[0] if refusals else None,
            receipt=self.receipt,
        )


class StreamWriter:
    """Turns the provider's chunks into frames for the caller."""

    def __init__(self, request: Request, model: ModelId, id: RequestId) -> None:  # noqa: A002
        self._id = id
        self._request = request
        self._head = head(request, model, "chat.completion.chunk")
        self._usage_wanted = wants_usage(request)
        if self._usage_wanted:
            self._head |= _USAGE_PENDING
        self._before = b'data: %b,"choices":[{"index":' % orjson.dumps(self._head)[:-1]
        self._one_call = wants_one_call(request.body)
        self._reported: object = None
        self._told: dict[int, Choice] = {}

    def feed(self, event: Object) -> bytes:
        """Give the frames of one chunk, all but what ends a choice."""
        usage, choices = event.get("usage"), array_of(event.get("choices"))
        if usage is not None and isinstance(usage, Mapping):
            self._reported = usage
        return b"".join([self._relay(found) for each in choices if (found := object_of(each))])

    def finish(self, served: Served) -> bytes:
        """End every choice, tell usage where it was asked for, and `[DONE]`."""
        opening = b"" if self._told else self._open(0)
        chunks = [chunk for _, told in sorted(self._told.items()) for chunk in self._ending(told)]
        receipt = served.answer.receipt
        usage = usage_json(receipt, self._reported) if self._usage_wanted else None
        if usage is not None:
            chunks.append({**self._head, "choices": [], "usage": usage})
        inline = inline_metadata(served.trace, explain=self._request.overrides.explain)
        if inline is not None:
            chunks[-1]["astrolabe"] = inline
        return opening + b"".join(map(data_frame, chunks)) + DONE_FRAME

    def fail(self, refusal: Refusal) -> bytes:
        """Say that the answer is lost: a frame of nothing but the error, and `[DONE]`."""
        return data_frame(error_body(refusal, self._id)) + DONE_FRAME

    def _open(self, index: int) -> bytes:
        self._told[index] = Choice(index, one_call=self._one_call)
        opening = {"role": "assistant", "content": "", "refusal": None}
        return self._frame(index, opening, None)

    def _relay(self, choice: Object) -> bytes:
        index = index_of(choice)
        frames = b"" if index in self._told else self._open(index)
        delta = self._told[index].take(choice, self._id)
        logprobs = chat_logprobs(choice.get("logprobs"))
        if delta or logprobs is not None:
            frames += self._frame(index, delta, logprobs)
        return frames

    def _frame(self, index: int, delta: Object, logprobs: object) -> bytes:
        """Write a chunk as `_chunk` makes it. What is the same in all of them is written once."""
        told = b"null" if logprobs is None else orjson.dumps(logprobs)
        said = orjson.dumps(delta)
        return b'%b%d,"delta":%b,"logprobs":%b%b' % (self._before, index, said, told, _AFTER)

    def _chunk(self, index: int, delta: Object, logprobs: object) -> dict[str, object]:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        return {**self._head, "choices": [choice]}

    def _ending(self, told: Choice) -> Iterator[dict[str, object]]:
        if told.citations:
            # All at once: clients cannot add to a list whose entries have no index.
            yield self._chunk(told.index, {"annotations": told.citations}, None)
        finish = shown_finish(told.finish, called=bool(told.calls))
        choice = {"index": told.index, "delta": {}, "logprobs": None, "finish_reason": finish}
        yield {**self._head, "choices": [choice]}
