"""What a caller gets of whatever a provider streams, and how it reads that: without a flow.

`relay` does what host and surface do with a stream, by the rules of the wire alone; what comes out
has to keep the grammar, always.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from astrolabe_core.answers import Answer, Fault
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import ModelId, RequestId
from astrolabe_http.wire import WIRES, Writer
from astrolabe_http.wire.grammar import Checker
from tests.http.wire.corpus import BODIES
from tests.http.wire.play import ID, Body, read_events, serve

LOST = Refusal(code=Code.PROVIDER_ERROR, message="the provider failed; nothing was charged")


@cache
def ended(surface: Surface) -> Served:
    """A served request, for its trace. No fixture: Hypothesis would print all of it."""
    reply = serve(surface, BODIES[surface]).reply
    assert isinstance(reply, Served)
    return reply


def writer(surface: Surface, served: Served) -> Writer:
    request = served.trace.arrival
    assert isinstance(request, Request)
    return WIRES[surface].StreamWriter(request, ModelId("a/b"), RequestId(ID))


@dataclass
class Relayed:
    """How a stream went: what the reader made of it, and what the caller was sent."""

    result: Answer | Fault
    content: bool
    sent: bytes

    @property
    def events(self) -> list[Body]:
        return list(read_events(self.sent))


def relay(surface: Surface, upstream: Iterable[Body]) -> Relayed:
    """Feed events to reader and writer up to the first fault, and end the stream as it ended."""
    served = ended(surface)
    reader, made = WIRES[surface].StreamReader(), writer(surface, served)
    sent, fault = b"", None
    for event in upstream:
        fault = reader.feed(event)
        if fault is not None:
            break
        sent += made.feed(event)
    result = fault or reader.answer()
    if isinstance(result, Fault):
        return Relayed(result, reader.content, sent + made.fail(LOST))
    return Relayed(result, reader.content, sent + made.finish(Served(result, served.trace)))


def check(surface: Surface, sent: bytes, *, usage_wanted: bool = True) -> None:
    """Fail unless a stream keeps the grammar."""
    checker = Checker(surface, usage_wanted=usage_wanted)
    broken = [*checker.feed(sent), *checker.end()]
    assert not broken, "; ".join(map(str, broken))


# --- a caller's reading ----------------------------------------------------------------------


@dataclass
class Heard:
    """What a caller has of one choice: it joins what it reads, as OpenAI's clients do."""

    text: str = ""
    refusal: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)


def heard(sent: bytes) -> list[Heard]:
    """Read a chat stream: every choice in the order of their indexes."""
    found: dict[int, Heard] = {}
    for chunk in read_events(sent):
        for choice in chunk.get("choices", []):
            hear(found.setdefault(choice["index"], Heard()), choice["delta"])
    return [known for _, known in sorted(found.items())]


def hear(known: Heard, delta: Body) -> None:
    """Join a delta to what was heard before it."""
    known.text += delta.get("content") or ""
    known.refusal += delta.get("refusal") or ""
    for call in delta.get("tool_calls", []):
        place, function = call["index"], call["function"]
        if "id" in call:
            known.calls.append(("", ""))
        name, arguments = known.calls[place]
        known.calls[place] = name + function.get("name", ""), arguments + function["arguments"]


def words_of(events: list[Body], kind: str) -> str:
    """What a caller has read of one kind, its items and parts in the order of their numbers."""
    read: dict[tuple[int, int], str] = {}
    for found in events:
        if found["type"] == f"response.{kind}.delta":
            place = found["output_index"], found["content_index"]
            read[place] = read.get(place, "") + found["delta"]
    return "".join(text for _, text in sorted(read.items()))


def words_in(output: list[Body], key: str) -> str:
    """What the messages of an output hold of one kind."""
    contents = [item["content"] for item in output if item["type"] == "message"]
    return "".join(part.get(key, "") for content in contents for part in content)


def calls_in(output: list[Body]) -> list[tuple[str, str]]:
    """The calls of an output."""
    calls = [item for item in output if item["type"] == "function_call"]
    return [(call["name"], call["arguments"]) for call in calls]


def said(events: list[Body]) -> str:
    """What a caller of Responses was told in words, in the order in which it came."""
    spoken = ("response.output_text.delta", "response.refusal.delta")
    return "".join(event["delta"] for event in events if event.get("type") in spoken)
