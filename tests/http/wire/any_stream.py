"""Upstream events of any kind in any order: what providers leave out, say twice and get wrong."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.http.wire.corpus import CITED, LOGPROBS
from tests.http.wire.play import Body

TEXT = st.text(max_size=6)
INDEX = st.integers(0, 3)
PLACES = INDEX | st.sampled_from([None, -1, True, "0", 10**30])
CHAT_PLACES = INDEX | st.sampled_from([None, -1, True, "0", 2**63])
CALLED = st.sampled_from(["f", "g", "", None])
NAMES = st.sampled_from(["message", "function_call", "reasoning", "web_search_call", ""])
PARTS = st.sampled_from(["output_text", "refusal", "reasoning_text", "summary_text", "new"])
NOTES = st.lists(st.sampled_from([CITED, {**CITED, "title": "u"}, {"type": "new"}]), max_size=2)
CHANCES = st.sampled_from([LOGPROBS, [], None, "new"])
JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, 0, -1, 1.5, True, "", "new", [], {}, [None], [[]], {"type": 7}]
)
"""What stands where something else should."""


@st.composite
def parts(draw: st.DrawFn) -> Body:
    kind, text = draw(PARTS), draw(TEXT)
    return {
        "type": kind,
        "text": text,
        "refusal": text,
        "annotations": draw(NOTES),
        "logprobs": draw(CHANCES),
    }


@st.composite
def items(draw: st.DrawFn) -> Body:
    found = st.lists(parts(), max_size=2)
    return {
        "type": draw(NAMES),
        "id": "msg_upstream",
        "call_id": draw(st.sampled_from(["call_1", "", None])),
        "name": draw(CALLED),
        "arguments": draw(TEXT),
        "content": draw(found),
        "summary": draw(found),
        "status": draw(st.sampled_from(["completed", "incomplete", "new"])),
        "encrypted_content": draw(st.sampled_from(["sealed", None])),
        "phase": draw(st.sampled_from(["commentary", "final_answer", None, "new"])),
    }


KINDS = [
    *("created", "in_progress", "debug", "output_item.added", "output_item.done"),
    *("content_part.added", "content_part.done", "output_text.delta"),
    *("output_text.done", "refusal.delta", "refusal.done", "reasoning.delta"),
    *("reasoning_text.delta", "reasoning_text.done", "output_text.annotation.added"),
    *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
    *("reasoning_summary_text.done", "reasoning_summary_part.done"),
    *("function_call_arguments.delta", "function_call_arguments.done"),
]


@st.composite
def response_events(draw: st.DrawFn) -> Body:
    """An event of any type, at any place: every order and every hole will come up."""
    text = draw(TEXT)
    return {
        "type": f"response.{draw(st.sampled_from(KINDS))}",
        "sequence_number": draw(st.integers()),
        "output_index": draw(PLACES),
        "content_index": draw(PLACES),
        "summary_index": draw(PLACES),
        "item_id": draw(st.sampled_from(["msg_upstream", "rs_upstream", None])),
        "item": draw(items()),
        "part": draw(parts()),
        "delta": text,
        "text": text,
        "refusal": text,
        "arguments": text,
        "annotation": draw(st.sampled_from([CITED, {"type": "new"}])),
        "logprobs": draw(CHANCES),
    }


@st.composite
def response_ends(draw: st.DrawFn) -> Body:
    """An end of any kind, with items that were streamed or were not."""
    kind = draw(
        st.sampled_from(["completed", "incomplete", "failed", "cancelled", "error", "debug"])
    )
    response = {
        "status": draw(st.sampled_from([kind, "completed", None])),
        "output": draw(st.lists(items(), max_size=3)),
        "error": draw(st.sampled_from([None, {"code": "server_error"}])),
        "incomplete_details": draw(
            st.sampled_from([None, {"reason": "content_filter"}, {"reason": "new"}])
        ),
        "usage": draw(st.sampled_from([None, {"input_tokens": 1, "output_tokens": 1}])),
    }
    return {"type": "error" if kind == "error" else f"response.{kind}", "response": response}


DONE: Body = {"type": "response.completed", "response": {"status": "completed"}}
RESPONSE_ENDS: st.SearchStrategy[list[Body]] = st.one_of(
    st.just([DONE]), st.lists(response_ends(), max_size=2)
)


def part_event(kind: str, number: int, text: str) -> Body:
    part = {"type": "output_text", "text": text}
    at = {"output_index": 0, "content_index": number}
    return {"type": f"response.{kind}", **at, "part": part, "delta": text, "text": text}


@st.composite
def called(draw: st.DrawFn) -> Body:
    function = {"name": draw(CALLED), "arguments": draw(st.none() | TEXT)}
    call_id = draw(st.sampled_from(["call_1", "", None]))
    return {"index": draw(CHAT_PLACES), "id": call_id, "function": function}


FINISHES = ["", "stop", "length", "tool_calls", "content_filter", "function_call", "new"]


@st.composite
def choices(draw: st.DrawFn) -> Body:
    delta = {
        "role": "assistant",
        "content": draw(st.none() | TEXT),
        "refusal": draw(st.none() | TEXT),
        "reasoning": draw(st.none() | TEXT),
        "tool_calls": draw(st.none() | st.lists(called() | st.none(), max_size=3)),
    }
    return {
        "index": draw(st.integers(0, 1) | st.none()),
        "delta": draw(st.none() | st.just(delta)),
        "finish_reason": draw(st.none() | st.sampled_from(FINISHES)),
        "native_finish_reason": "x",
    }


@st.composite
def chunks(draw: st.DrawFn) -> Body:
    """A chunk of any choices, with calls at any place and in any order."""
    return {"id": "gen-upstream", "choices": draw(st.none() | st.lists(choices(), max_size=2))}


STOPPED: Body = {
    "choices": [{"index": index, "delta": {}, "finish_reason": "stop"} for index in (0, 1)]
}
CHAT_ENDS: st.SearchStrategy[list[Body]] = st.sampled_from(
    [
        [STOPPED],
        [STOPPED],
        [],
        [{"error": {"code": 500, "message": "x"}}],
        [{"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}, STOPPED],
    ]
)
"""What chunks end in: an end for every choice, none, an error in either form."""


def call_chunk(place: int, name: str | None) -> Body:
    call = {"index": place, "id": "call_1", "function": {"name": name, "arguments": "1"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    return {"id": "gen-upstream", "choices": [choice]}
