"""Answers of both formats, and streams that tell them, in pieces of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.http.wire.translation.any_said import JSON_TEXT, NAME, Body, called, details

WORDS = st.text(min_size=1, max_size=12)
CITED: Body = {"url": "https://x.test", "title": "t", "start_index": 0, "end_index": 1}
USAGE: Body = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 2},
    "cost": 0.000007,
}
RESPONSES_USAGE: Body = {
    "input_tokens": 10,
    "output_tokens": 4,
    "total_tokens": 14,
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
    "output_tokens_details": {"reasoning_tokens": 2},
    "cost": 0.000007,
}
SPARSE: Body = {"prompt_tokens": 10, "completion_tokens": 4}
ENDS = ("stop", "tool_calls", "length", "content_filter")


def token(text: str) -> Body:
    return {"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}


@st.composite
def chat_answers(draw: st.DrawFn) -> Body:
    """Draw a whole answer as OpenRouter has it in Chat."""
    message: Body = {"role": "assistant", "content": draw(st.none() | WORDS)}
    if draw(st.booleans()):
        message["refusal"] = draw(WORDS)
    found = draw(details())
    if found:
        message["reasoning_details"] = found
        readable = [detail.get("summary") or detail.get("text") or "" for detail in found]
        message["reasoning"] = "".join(readable)
    calls = draw(called())
    if calls:
        message["tool_calls"] = calls
    choice: Body = {"index": 0, "message": message, "finish_reason": draw(st.sampled_from(ENDS))}
    if message["content"] and draw(st.booleans()):
        choice["logprobs"] = {"content": [token(message["content"])], "refusal": None}
    if message["content"] and draw(st.booleans()):
        message["annotations"] = [{"type": "url_citation", "url_citation": CITED}]
    return {
        "id": "gen-1",
        "object": "chat.completion",
        "model": "a/b",
        "provider": "Host",
        "choices": [choice],
        "usage": draw(st.sampled_from([USAGE, SPARSE, None])),
    }


@st.composite
def responses_answers(draw: st.DrawFn) -> Body:
    """Draw a whole answer as OpenRouter has it in Responses."""
    output: list[Body] = []
    for number in range(draw(st.integers(0, 2))):
        thought: Body = {"type": "reasoning", "id": f"rs_{number}", "summary": []}
        thought["summary"] = [
            {"type": "summary_text", "text": word} for word in draw(st.lists(WORDS, max_size=2))
        ]
        if draw(st.booleans()):
            thought["content"] = [{"type": "reasoning_text", "text": draw(WORDS)}]
        if draw(st.booleans()):
            thought["encrypted_content"] = draw(WORDS)
        output.append(thought)
    for number in range(draw(st.integers(0, 2))):
        content: list[Body] = []
        if draw(st.booleans()):
            text = draw(WORDS)
            cited = draw(st.sampled_from([[], [{"type": "url_citation", **CITED}]]))
            logprobs = draw(st.sampled_from([[], [token(text)]]))
            content.append(
                {"type": "output_text", "text": text, "annotations": cited, "logprobs": logprobs}
            )
        if draw(st.booleans()):
            content.append({"type": "refusal", "refusal": draw(WORDS)})
        output.append(
            {
                "type": "message",
                "id": f"msg_{number}",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        )
    output += [
        {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": f"call_{number}",
            "name": draw(NAME),
            "arguments": draw(JSON_TEXT),
            "status": "completed",
        }
        for number in range(draw(st.integers(0, 3)))
    ]
    reason = draw(st.sampled_from([None, "max_output_tokens", "content_filter"]))
    return {
        "id": "gen-1",
        "object": "response",
        "model": "a/b",
        "provider": "Host",
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "error": None,
        "output": output,
        "usage": draw(st.sampled_from([RESPONSES_USAGE, None])),
    }


# --- streams ---------------------------------------------------------------------------------

Cut = Callable[[str], list[str]]
"""Divides a text into pieces that are not empty."""


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Draw sizes of pieces, used over and over."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))

    def cut(text: str) -> list[str]:
        pieces: list[str] = []
        while text:
            size = sizes[len(pieces) % len(sizes)]
            pieces.append(text[:size])
            text = text[size:]
        return pieces

    return cut


def chat_stream(answer: Body, cut: Cut) -> list[Body]:
    """Tell a Chat answer in chunks, as OpenRouter does."""
    head = {"id": "gen-1", "object": "chat.completion.chunk", "model": "a/b", "provider": "Host"}
    (choice,) = answer["choices"]
    message = choice["message"]
    deltas: list[Body] = [{"delta": {"role": "assistant", "content": ""}}]
    for detail in message.get("reasoning_details", []):
        key = {"reasoning.summary": "summary", "reasoning.text": "text"}.get(detail["type"])
        pieces = [detail] if key is None else [{**detail, key: each} for each in cut(detail[key])]
        for piece in pieces:
            words = piece.get("summary") or piece.get("text") or ""
            deltas.append({"delta": {"reasoning": words, "reasoning_details": [piece]}})
    spoken = [{"delta": {"content": piece}} for piece in cut(message["content"] or "")]
    if spoken and choice.get("logprobs"):
        spoken[0]["logprobs"] = choice["logprobs"]
    deltas += spoken
    if message.get("annotations"):
        deltas.append({"delta": {"annotations": message["annotations"]}})
    deltas += [{"delta": {"refusal": piece}} for piece in cut(message.get("refusal", ""))]
    for place, call in enumerate(message.get("tool_calls", [])):
        function = {"name": call["function"]["name"], "arguments": ""}
        opened = {"index": place, "id": call["id"], "type": "function", "function": function}
        deltas.append({"delta": {"tool_calls": [opened]}})
        for piece in cut(call["function"]["arguments"]):
            more = {"index": place, "function": {"arguments": piece}}
            deltas.append({"delta": {"tool_calls": [more]}})
    deltas.append({"delta": {"role": "assistant"}, "finish_reason": choice["finish_reason"]})
    chunks = [
        {**head, "choices": [{"index": 0, "finish_reason": None, **delta}]} for delta in deltas
    ]
    return [*chunks, {**head, "choices": [], "usage": answer["usage"]}]


def responses_stream(answer: Body, cut: Cut, *, sparing: bool = False) -> list[Body]:
    """Tell a Responses answer in events; `sparing` leaves out what can be known without."""
    begun = {"id": answer["id"], "model": "a/b", "provider": "Host", "status": "in_progress"}
    events: list[Body] = [{"type": "response.created", "response": begun}]
    for place, item in enumerate(answer["output"]):
        events += _item_events(item, {"output_index": place}, cut, sparing=sparing)
    events.append({"type": f"response.{answer['status']}", "response": answer})
    return events


def _item_events(item: Body, at: Body, cut: Cut, *, sparing: bool) -> list[Body]:
    empty = {**item, "status": "in_progress"}
    empty |= {key: [] for key in ("content", "summary") if key in item}
    empty |= {"arguments": ""} if "arguments" in item else {}
    empty.pop("encrypted_content", None)
    events: list[Body] = [{"type": "response.output_item.added", **at, "item": empty}]
    if item["type"] == "function_call":
        stem = "response.function_call_arguments"
        events += [
            {"type": f"{stem}.delta", **at, "delta": piece} for piece in cut(item["arguments"])
        ]
        if not sparing:
            events.append({"type": f"{stem}.done", **at, "arguments": item["arguments"]})
    for key, index in (("summary", "summary_index"), ("content", "content_index")):
        for number, part in enumerate(item.get(key, [])):
            events += _part_events(part, {**at, index: number}, cut, sparing=sparing)
    return [*events, {"type": "response.output_item.done", **at, "item": item}]


_STEMS = {
    "output_text": ("output_text", "text", "content_part"),
    "refusal": ("refusal", "refusal", "content_part"),
    "reasoning_text": ("reasoning_text", "text", "content_part"),
    "summary_text": ("reasoning_summary_text", "text", "reasoning_summary_part"),
}


def _part_events(part: Body, at: Body, cut: Cut, *, sparing: bool) -> list[Body]:
    stem, key, outer = _STEMS[part["type"]]
    deltas = [
        {"type": f"response.{stem}.delta", **at, "delta": piece, "logprobs": []}
        for piece in cut(part[key])
    ]
    if deltas and part.get("logprobs"):
        deltas[0]["logprobs"] = part["logprobs"]
    if sparing:
        return deltas
    empty: dict[str, Any] = {**part, key: "", "annotations": [], "logprobs": []}
    cited = "response.output_text.annotation.added"
    return [
        {"type": f"response.{outer}.added", **at, "part": empty},
        *deltas,
        *({"type": cited, **at, "annotation": each} for each in part.get("annotations", [])),
        {"type": f"response.{stem}.done", **at, key: part[key]},
        {"type": f"response.{outer}.done", **at, "part": part},
    ]
