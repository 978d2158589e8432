"""Which events has a Responses stream, and what may follow what?

`ROWS` is the table that `States` interprets. The other tables say which keys a response, an item
and a part have, and which kind of part goes with which item and events.
"""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from astrolabe_http.wire.grammar.states import Kind, Row, State

STREAM: Final = "stream"
ITEM: Final = "item"
ARGUMENTS: Final = "arguments"
PART: Final = "part"

_RESPONSE: Final = {"response": Kind.OBJECT}
_ITEM: Final = {"output_index": Kind.INDEX, "item": Kind.OBJECT}
_CALL: Final = {"item_id": Kind.TEXT, "output_index": Kind.INDEX}
_CONTENT: Final = {**_CALL, "content_index": Kind.INDEX}
_SUMMARY: Final = {**_CALL, "summary_index": Kind.INDEX}
_OPEN: Final = (State.OPEN,)


def _stream(event: str, before: State, after: State, within: State | None = None) -> Row:
    return Row(
        event=event, of=STREAM, before=(before,), after=after, within=within, fields=_RESPONSE
    )


def _opens(event: str, fields: Mapping[str, Kind], counter: str) -> Row:
    fields = {**fields, "part": Kind.OBJECT}
    return Row(
        event=event, of=PART, before=(State.NEW,), after=State.OPEN, counter=counter, fields=fields
    )


def _fills(event: str, fields: Mapping[str, Kind], **more: Kind) -> Row:
    return Row(event=event, of=PART, before=_OPEN, after=State.OPEN, fields={**fields, **more})


def _ends(event: str, fields: Mapping[str, Kind], **more: Kind) -> Row:
    return Row(event=event, of=PART, before=_OPEN, after=State.FILLED, fields={**fields, **more})


def _shuts(event: str, fields: Mapping[str, Kind]) -> Row:
    fields = {**fields, "part": Kind.OBJECT}
    return Row(event=event, of=PART, before=(State.FILLED,), after=State.CLOSED, fields=fields)


ROWS: Final[tuple[Row, ...]] = (
    _stream("response.created", State.NEW, State.CREATED),
    _stream("response.in_progress", State.CREATED, State.RUNNING),
    Row(
        event="response.output_item.added",
        of=ITEM,
        before=(State.NEW,),
        after=State.OPEN,
        counter="output_index",
        fields=_ITEM,
    ),
    _opens("response.content_part.added", _CONTENT, "content_index"),
    _fills("response.output_text.delta", _CONTENT, delta=Kind.TEXT, logprobs=Kind.ARRAY),
    _fills(
        "response.output_text.annotation.added",
        _CONTENT,
        annotation_index=Kind.INDEX,
        annotation=Kind.OBJECT,
    ),
    _ends("response.output_text.done", _CONTENT, text=Kind.TEXT, logprobs=Kind.ARRAY),
    _fills("response.refusal.delta", _CONTENT, delta=Kind.TEXT),
    _ends("response.refusal.done", _CONTENT, refusal=Kind.TEXT),
    _fills("response.reasoning_text.delta", _CONTENT, delta=Kind.TEXT),
    _ends("response.reasoning_text.done", _CONTENT, text=Kind.TEXT),
    _shuts("response.content_part.done", _CONTENT),
    _opens("response.reasoning_summary_part.added", _SUMMARY, "summary_index"),
    _fills("response.reasoning_summary_text.delta", _SUMMARY, delta=Kind.TEXT),
    _ends("response.reasoning_summary_text.done", _SUMMARY, text=Kind.TEXT),
    _shuts("response.reasoning_summary_part.done", _SUMMARY),
    Row(
        event="response.function_call_arguments.delta",
        of=ARGUMENTS,
        before=_OPEN,
        after=State.OPEN,
        fields={**_CALL, "delta": Kind.TEXT},
    ),
    Row(
        event="response.function_call_arguments.done",
        of=ARGUMENTS,
        before=_OPEN,
        after=State.CLOSED,
        fields={**_CALL, "name": Kind.TEXT, "arguments": Kind.TEXT},
    ),
    Row(
        event="response.output_item.done",
        of=ITEM,
        before=_OPEN,
        after=State.CLOSED,
        within=State.CLOSED,
        fields=_ITEM,
    ),
    _stream("response.completed", State.RUNNING, State.OVER, State.CLOSED),
    _stream("response.incomplete", State.RUNNING, State.OVER, State.CLOSED),
    Row(
        event="error",
        of=STREAM,
        before=(State.RUNNING,),
        after=State.FAILING,
        fields={
            "code": Kind.TEXT_OR_NULL,
            "message": Kind.TEXT,
            "param": Kind.TEXT_OR_NULL,
            "error": Kind.OBJECT,
        },
    ),
    _stream("response.failed", State.FAILING, State.OVER),
)
"""In the order of a stream. Each carries `type` and `sequence_number` besides."""

EVERY: Final = {"type": Kind.TEXT, "sequence_number": Kind.INDEX}


@frozen(kw_only=True)
class PartKind:
    """One kind of part: the item that has it, where its words stand, the stem of its events."""

    item: str
    key: str
    stem: str
    axis: str
    fields: Mapping[str, Kind]


_WORDS: Final = {"type": Kind.TEXT, "text": Kind.TEXT}

PARTS: Final[Mapping[str, PartKind]] = {
    "output_text": PartKind(
        item="message",
        key="text",
        stem="response.output_text",
        axis="content_index",
        fields={**_WORDS, "annotations": Kind.ARRAY, "logprobs": Kind.ARRAY},
    ),
    "refusal": PartKind(
        item="message",
        key="refusal",
        stem="response.refusal",
        axis="content_index",
        fields={"type": Kind.TEXT, "refusal": Kind.TEXT},
    ),
    "reasoning_text": PartKind(
        item="reasoning",
        key="text",
        stem="response.reasoning_text",
        axis="content_index",
        fields=_WORDS,
    ),
    "summary_text": PartKind(
        item="reasoning",
        key="text",
        stem="response.reasoning_summary_text",
        axis="summary_index",
        fields=_WORDS,
    ),
}
"""By `type`."""

ITEMS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "message": {
        "id": Kind.TEXT,
        "role": Kind.TEXT,
        "status": Kind.TEXT,
        "content": Kind.ARRAY,
    },
    "function_call": {
        "id": Kind.TEXT,
        "call_id": Kind.TEXT,
        "name": Kind.TEXT,
        "arguments": Kind.TEXT,
        "status": Kind.TEXT,
    },
    "reasoning": {"id": Kind.TEXT, "summary": Kind.ARRAY},
}
"""The keys of an item besides its `type`."""

AXES: Final = {"content_index": "content", "summary_index": "summary"}
"""Where an item keeps the parts that an index numbers."""

RESPONSE: Final[Mapping[str, Kind]] = {
    "id": Kind.TEXT,
    "object": Kind.TEXT,
    "created_at": Kind.NUMBER,
    "created": Kind.NUMBER,
    "completed_at": Kind.ANY,
    "status": Kind.TEXT,
    "error": Kind.ANY,
    "incomplete_details": Kind.ANY,
    "instructions": Kind.ANY,
    "model": Kind.TEXT,
    "output": Kind.ARRAY,
    "previous_response_id": Kind.TEXT_OR_NULL,
    "tools": Kind.ARRAY,
    "tool_choice": Kind.ANY,
    "truncation": Kind.TEXT,
    "parallel_tool_calls": Kind.ANY,
    "text": Kind.OBJECT,
    "temperature": Kind.NUMBER,
    "top_p": Kind.NUMBER,
    "presence_penalty": Kind.NUMBER,
    "frequency_penalty": Kind.NUMBER,
    "top_logprobs": Kind.INDEX,
    "reasoning": Kind.ANY,
    "usage": Kind.ANY,
    "max_output_tokens": Kind.ANY,
    "max_tool_calls": Kind.ANY,
    "store": Kind.ANY,
    "background": Kind.ANY,
    "service_tier": Kind.TEXT,
    "metadata": Kind.OBJECT,
    "safety_identifier": Kind.TEXT_OR_NULL,
    "prompt_cache_key": Kind.TEXT_OR_NULL,
}
"""The keys that some client reads."""

MOVING: Final = frozenset(
    {
        "status",
        "output",
        "usage",
        "completed_at",
        "error",
        "incomplete_details",
        "service_tier",
        "store",
    }
)
"""Those that change on the way; in `metadata` only `astrolabe` is added.

`store` says at first what is meant to be, and at the end what was done.
"""

STATUSES: Final[Mapping[str, str]] = {
    "response.created": "in_progress",
    "response.in_progress": "in_progress",
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
REASONS: Final = frozenset({"max_output_tokens", "content_filter"})
