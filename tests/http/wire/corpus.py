"""A corpus of streams: what providers send of every kind, and what the gateway makes of it.

`SPOKEN` holds upstream streams, written here in few words; `told` sends them through the wire of
a whole request; `corpus` is all of it together with the simulator's own streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from astrolabe_core.requests import Surface
from astrolabe_http.sse import DONE_FRAME, data_frame
from tests.http.wire.play import Body, serve

CHAT: Body = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
RESPONSES: Body = {"model": "auto", "input": "Hello", "stream": True}
BODIES = {Surface.CHAT: CHAT, Surface.RESPONSES: RESPONSES}
SURFACES = list(Surface)

CITED: Body = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 1,
    "title": "t",
    "url": "https://x.test",
}
LOGPROBS: list[Body] = [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]
SEALED: Body = {"include": ["reasoning.encrypted_content"]}


def named_frame(name: str, event: Body) -> bytes:
    """Write an event with a name, whatever is in it."""
    return b"event: " + name.encode() + b"\n" + data_frame(event)


@dataclass(frozen=True)
class Spoken:
    """What a provider streams, event by event, to a body with these fields more."""

    name: str
    surface: Surface
    events: tuple[Body, ...]
    fields: tuple[tuple[str, object], ...] = ()

    @property
    def body(self) -> Body:
        return {**BODIES[self.surface], **dict(self.fields)}

    @property
    def frames(self) -> list[bytes]:
        if self.surface is Surface.CHAT:
            return [*map(data_frame, self.events), DONE_FRAME]
        return [named_frame(event["type"], event) for event in self.events]


@dataclass(frozen=True)
class Told:
    """What a caller was sent."""

    name: str
    surface: Surface
    sent: bytes
    usage_wanted: bool = True


# --- what providers send: Responses ----------------------------------------------------------

USED: Body = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def response(status: str, **fields: object) -> Body:
    made: Body = {"id": "gen-upstream", "status": status, "output": [], "usage": USED, **fields}
    return {"type": f"response.{status}", "response": made}


BEGUN: Body = {"type": "response.created", "response": {"id": "gen-upstream", "output": []}}
COMPLETED = response("completed")
CUT_SHORT = response("incomplete", incomplete_details={"reason": "max_output_tokens"})


def event(kind: str, place: int, **fields: object) -> Body:
    return {"type": f"response.{kind}", "output_index": place, **fields}


def text(place: int, number: int, *words: str, **more: object) -> Iterator[Body]:
    for word in words:
        yield event("output_text.delta", place, content_index=number, delta=word, **more)


def added(place: int, kind: str, **fields: object) -> Body:
    return event("output_item.added", place, item={"type": kind, "id": f"up_{place}", **fields})


def closed(place: int, kind: str, **fields: object) -> Body:
    return event("output_item.done", place, item={"type": kind, "id": f"up_{place}", **fields})


def call(place: int, name: str, *fragments: str) -> Iterator[Body]:
    yield added(place, "function_call", name=name, call_id=f"call_{place}", arguments="")
    for fragment in fragments:
        yield event("function_call_arguments.delta", place, delta=fragment)
    arguments = "".join(fragments)
    yield event("function_call_arguments.done", place, name=name, arguments=arguments)
    yield closed(place, "function_call", name=name, arguments=arguments)


def thought(place: int) -> Iterator[Body]:
    yield added(place, "reasoning", summary=[])
    for number, word in enumerate(("why", "not")):
        yield event("reasoning_summary_text.delta", place, summary_index=number, delta=word)
    yield event("reasoning_text.delta", place, content_index=0, delta="hm")
    yield event("reasoning_text.delta", place, content_index=0, delta="m")
    yield closed(place, "reasoning", encrypted_content="sealed")


def cited(place: int, *, annotations: list[Body]) -> Body:
    part = {"type": "output_text", "text": "", "annotations": annotations}
    return event("content_part.done", place, content_index=0, part=part)


def annotated(place: int) -> Body:
    return event(
        "output_text.annotation.added",
        place,
        content_index=0,
        annotation_index=0,
        annotation=CITED,
    )


def _responses() -> Iterator[Spoken]:
    def spoken(name: str, *events: Body, **fields: object) -> Spoken:
        return Spoken(name, Surface.RESPONSES, (BEGUN, *events), tuple(fields.items()))

    yield spoken("a text in three words", *text(0, 0, "a", "b", "c"), COMPLETED)
    yield spoken("two parts of text", *text(0, 0, "a", "b"), *text(0, 1, "c"), COMPLETED)
    yield spoken(
        "a text with annotations",
        *text(0, 0, "a", "b"),
        annotated(0),
        annotated(0),
        cited(0, annotations=[CITED] * 3),
        COMPLETED,
    )
    yield spoken("log probabilities", *text(0, 0, "a", "b", logprobs=LOGPROBS), COMPLETED)
    yield spoken("a thought, then a text", *thought(0), *text(1, 0, "a"), COMPLETED, **SEALED)
    yield spoken(
        "two calls, one after the other",
        *call(0, "f", '{"a"', ":1}"),
        *call(1, "g", "{}"),
        COMPLETED,
    )
    yield spoken(
        "two calls at once",
        added(0, "function_call", name="f", call_id="call_0"),
        added(1, "function_call", name="g", call_id="call_1"),
        event("function_call_arguments.delta", 1, delta="{}"),
        event("function_call_arguments.delta", 0, delta="[]"),
        COMPLETED,
    )
    yield spoken("a call without arguments", *call(0, "f"), COMPLETED)
    yield spoken(
        "a text, then a refusal",
        *text(0, 0, "a"),
        event("refusal.delta", 0, content_index=1, delta="no"),
        event("refusal.delta", 0, content_index=1, delta="."),
        COMPLETED,
    )
    yield spoken("cut short", *text(0, 0, "a", "b"), CUT_SHORT)
    yield spoken("broken off", *text(0, 0, "a", "b"))
    yield spoken("broken off in the second call", *call(0, "f", "{}"), *[*call(1, "g", "1")][:2])
    yield spoken("broken off in a thought", *[*thought(0)][:4])
    yield spoken("failed after a text", *text(0, 0, "a"), response("failed", error={"code": 500}))


# --- what providers send: Chat ---------------------------------------------------------------

COUNTED: Body = {
    "id": "gen-upstream",
    "choices": [],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


def chunk(index: int = 0, finish: str | None = None, **delta: object) -> Body:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "gen-upstream", "model": "up/stream", "choices": [choice]}


def called(place: int, fragment: str, name: str | None = None, *, index: int = 0) -> Body:
    function: Body = {"arguments": fragment} | ({} if name is None else {"name": name})
    opening: Body = {} if name is None else {"id": f"call_{place}", "type": "function"}
    return chunk(index, tool_calls=[{"index": place, **opening, "function": function}])


def _chat() -> Iterator[Spoken]:
    def spoken(name: str, *events: Body, **fields: object) -> Spoken:
        return Spoken(name, Surface.CHAT, events, tuple(fields.items()))

    def words(*said: str, index: int = 0) -> list[Body]:
        return [chunk(index, content=word) for word in said]

    stop, calls = chunk(finish="stop"), chunk(finish="tool_calls")
    yield spoken("a text in three words", *words("a", "b", "c"), stop, COUNTED)
    yield spoken("without usage", *words("a"), stop)
    yield spoken(
        "two choices, word by word",
        *words("a"),
        *words("b", index=1),
        *words("c"),
        stop,
        chunk(1, "length"),
        COUNTED,
        n=2,
    )
    yield spoken(
        "two calls, one after the other",
        called(0, "", "f"),
        called(0, "{"),
        called(0, "}"),
        called(1, "{}", "g"),
        calls,
        COUNTED,
    )
    yield spoken(
        "two calls at once",
        called(0, "", "f"),
        called(1, "", "g"),
        called(1, "{}"),
        called(0, "[]"),
        calls,
        COUNTED,
    )
    yield spoken("a text, then a call", *words("a"), called(0, "{}", "f"), calls, COUNTED)
    yield spoken("a thought, then a text", chunk(reasoning="hm"), *words("a"), stop, COUNTED)
    yield spoken("a refusal", chunk(refusal="n"), chunk(refusal="o"), stop, COUNTED)
    yield spoken("cut short", *words("a"), chunk(finish="length"), COUNTED)
    yield spoken("filtered", *words("a"), chunk(finish="content_filter"), COUNTED)
    yield spoken("broken off", *words("a", "b"))
    yield spoken("broken off in a call", called(0, "", "f"), called(0, "{"))
    yield spoken("failed after a text", *words("a"), {"error": {"code": 500, "message": "x"}})


SPOKEN: tuple[Spoken, ...] = (*_responses(), *_chat())


# --- what the gateway makes of it ------------------------------------------------------------

FAULTS = [
    *("", "no-done", "crlf", "separators", "unknown-events", "double-usage", "refusal"),
    *("truncated", "filtered", "drip-1"),
]
ASKS: list[Body] = [
    {},
    {"reasoning": {"effort": "low"}},
    {"parallel_tool_calls": True, "metadata": {"astrolabe.verification": "strict"}},
]


def with_tools(surface: Surface) -> Body:
    function: Body = {"name": "get_weather", "parameters": {"type": "object"}}
    inner = {"function": function} if surface is Surface.CHAT else function
    return {"tools": [{"type": "function", **inner}]}


def told(spoken: Spoken) -> Told:
    """Give what a caller is sent of what a provider says."""
    played = serve(spoken.surface, spoken.body, said=b"".join(spoken.frames))
    assert played.status == 200, (spoken.name, played.sent)
    return Told(f"{spoken.surface.value}: {spoken.name}", spoken.surface, played.sent)


def simulated() -> Iterator[Told]:
    """Give what a caller is sent of the simulator's streams."""
    for surface in SURFACES:
        for fault in FAULTS:
            for fields in (*ASKS, with_tools(surface)):
                played = serve(surface, {**BODIES[surface], **fields}, fault=fault)
                name = f"{surface.value}: the simulator, {fault or 'sound'}, {sorted(fields)}"
                yield Told(name, surface, played.sent)


@cache
def corpus() -> tuple[Told, ...]:
    """Give every stream that a caller is sent: those of `SPOKEN`, and the simulator's."""
    return (*map(told, SPOKEN), *simulated())
