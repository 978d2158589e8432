"""Habits of plain servers, each as it was seen, and what a caller makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish
from astrolabe_core.requests import Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation.plain_answers import PlainChunks, plain_answer

Body = dict[str, Any]
CHAT = WIRES[Surface.CHAT]
USED: Body = {"prompt_tokens": 3, "completion_tokens": 2}


def whole(message: Body, **choice: Any) -> Answer | Fault:
    found = {"index": 0, "message": {"role": "assistant", **message}, **choice}
    return CHAT.read_answer(plain_answer({"choices": [found], "usage": USED}))


def streamed(*chunks: Body, done: bool = True) -> Answer | Fault:
    made, reader = PlainChunks(), CHAT.StreamReader()
    told = [each for chunk in chunks for each in made.feed(chunk)]
    for each in [*told, *made.end(done=done)]:
        fault = reader.feed(each)
        if fault is not None:
            return fault
    return reader.answer()


def chunk(finish: str | None = None, **delta: Any) -> Body:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def answered(found: Answer | Fault) -> Answer:
    assert isinstance(found, Answer), found
    return found


COUNTED: Body = {"choices": [], "usage": USED}


# --- words -----------------------------------------------------------------------------------


def test_a_content_of_parts_is_joined_and_what_was_thought_is_reasoning() -> None:
    """Mistral's reasoning models."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]
    assert answered(whole({"content": parts}, finish_reason="stop")).text == "ab"
    made = plain_answer({"choices": [{"index": 0, "message": {"content": parts}}]})
    assert made["choices"][0]["message"] == {"content": "ab", "reasoning": "hm"}  # type: ignore[index]
    bare = [{"type": "thinking", "thinking": "hm"}]
    made = plain_answer({"choices": [{"index": 0, "message": {"content": bare}}]})
    assert made["choices"][0]["message"] == {"content": "", "reasoning": "hm"}  # type: ignore[index]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_goes_by_either_name(name: str) -> None:
    """vLLM #27755: `reasoning_content` became `reasoning`; llama.cpp and DeepSeek kept it."""
    (made,) = PlainChunks().feed(chunk(**{name: "hm"}))
    assert made["choices"][0]["delta"] == {"reasoning": "hm"}  # type: ignore[index]
    (null,) = PlainChunks().feed(chunk(content="a", reasoning_content=None))
    assert null["choices"][0]["delta"] == {"content": "a"}  # type: ignore[index]


def test_a_role_in_each_chunk_and_chunks_of_nothing_are_no_matter() -> None:
    found = streamed(
        {"choices": None},
        {"choices": []},
        chunk(role="assistant", content=""),
        chunk(role="assistant", content="a"),
        chunk(role="assistant", content="b"),
        {**chunk("stop", role="assistant", content=""), "usage": USED},
    )
    assert answered(found).text == "ab"
    assert answered(found).receipt.usage is not None


# --- calls -----------------------------------------------------------------------------------


def call(name: str, arguments: object = "{}", **more: Any) -> Body:
    return {"function": {"name": name, "arguments": arguments}, **more}


def calls_of(found: Answer | Fault) -> list[tuple[str, str]]:
    return [(each.name, each.arguments) for each in answered(found).tool_calls]


def test_arguments_may_be_an_object() -> None:
    """Ollama's own form; litellm #37792."""
    asked = call("f", {"a": 1})
    assert calls_of(whole({"content": "", "tool_calls": [asked]})) == [("f", '{"a":1}')]
    assert calls_of(streamed(chunk(tool_calls=[asked]), chunk("tool_calls"))) == [("f", '{"a":1}')]
    none = call("f", None)
    assert calls_of(whole({"content": "", "tool_calls": [none, None]})) == [("f", "")]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [chunk(tool_calls=[call("f", id="1", index=0), call("g", id="2", index=0)])],
            id="in one chunk, all 0",
        ),
        pytest.param(
            [
                chunk(tool_calls=[call("f", id="1", index=0)]),
                chunk(tool_calls=[call("g", id="2", index=0)]),
            ],
            id="in two chunks, all 0",
        ),
        pytest.param(
            [chunk(tool_calls=[call("f"), call("g")])], id="in one chunk, without numbers or ids"
        ),
        pytest.param(
            [chunk(tool_calls=[call("f")]), chunk(tool_calls=[call("g")])],
            id="in two chunks, without numbers or ids",
        ),
        pytest.param(
            [chunk(tool_calls=[call("f", id="1")]), chunk(tool_calls=[call("g", id="2")])],
            id="in two chunks, without numbers",
        ),
    ],
)
def test_calls_are_told_apart_however_they_are_numbered(chunks: list[Body]) -> None:
    """ollama #15457, #7881: every call has index 0, or none."""
    assert calls_of(streamed(*chunks, chunk("tool_calls"))) == [("f", "{}"), ("g", "{}")]


# --- counts ----------------------------------------------------------------------------------


def test_usage_may_be_null_and_stand_on_the_chunk_that_ends() -> None:
    first = {**chunk(content="a"), "usage": None}
    found = answered(streamed(first, {**chunk("stop"), "usage": USED}, done=False))
    assert found.receipt.usage is not None
    assert found.receipt.usage.cached_input_tokens == 0
    assert found.receipt.cost is None


def test_usage_on_every_chunk_is_a_running_count() -> None:
    """vLLM's continuous_usage_stats."""
    running = {**chunk(content="a"), "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    found = answered(streamed(running, {**chunk("stop"), "usage": USED}))
    assert found.receipt.usage is not None
    assert found.receipt.usage.output_tokens == 2


def test_cached_tokens_may_stand_at_the_top() -> None:
    """DeepSeek."""
    found = {**USED, "prompt_cache_hit_tokens": 2, "prompt_cache_miss_tokens": 1}
    made = plain_answer({"choices": [], "usage": found})
    assert made["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}  # type: ignore[index]
    both = {**found, "prompt_tokens_details": {"cached_tokens": 1}}
    assert plain_answer({"usage": both})["usage"] == both


# --- ends ------------------------------------------------------------------------------------


def test_a_whole_body_without_a_finish_reason_is_a_whole_answer() -> None:
    assert answered(whole({"content": "a"})).finish is Finish.STOP
    assert answered(whole({"content": "a"}, finish_reason="")).finish is Finish.STOP
    assert answered(whole({"content": "a"}, finish_reason="length")).finish is Finish.LENGTH


@pytest.mark.parametrize("reason", ["eos_token", "stop_sequence"])
def test_other_words_for_an_end_are_one(reason: str) -> None:
    assert answered(whole({"content": "a"}, finish_reason=reason)).finish is Finish.STOP


@pytest.mark.parametrize("reason", ["abort", "cancelled"])
def test_a_request_that_the_engine_gave_up_is_a_fault(reason: str) -> None:
    """vllm #57082: an abort is told as a finish reason, and `[DONE]` follows as ever."""
    assert isinstance(whole({"content": "a"}, finish_reason=reason), Fault)
    found = streamed(chunk(content="a"), chunk(reason), COUNTED)
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.PROVIDER_ERROR


def test_a_stream_without_a_finish_reason_is_whole_where_it_was_counted_and_done() -> None:
    assert answered(streamed(chunk(content="a"), COUNTED)).finish is Finish.STOP
    called = streamed(chunk(tool_calls=[call("f", index=0)]), COUNTED)
    assert calls_of(called) == [("f", "{}")]


@pytest.mark.parametrize(
    ("chunks", "done"),
    [
        ([chunk(content="a")], True),
        ([chunk(content="a"), COUNTED], False),
        ([chunk(content="a"), {**COUNTED, "usage": None}], True),
        ([COUNTED], True),
        ([], True),
    ],
)
def test_one_mark_of_an_end_is_not_enough(chunks: list[Body], done: bool) -> None:
    """litellm #40404: cut mid-answer, closed cleanly. vLLM says `[DONE]` after an error too."""
    assert isinstance(streamed(*chunks, done=done), Fault)


def test_every_choice_has_its_end() -> None:
    made = PlainChunks()
    made.feed({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USED})
    made.feed({"choices": [{"index": 1, "delta": {"content": "b"}}]})
    (last,) = made.end(done=True)
    assert [choice["index"] for choice in last["choices"]] == [1]  # type: ignore[attr-defined]


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"object": "error", "message": "maximum context length", "code": 400}, "context_length"),
        ({"error": "text"}, "provider_error"),
        ({"error": {"code": 500, "type": "exceed_context_size_error"}}, "context_length"),
        ({"error": {"message": "x", "type": "InternalServerError", "code": 500}}, "provider_error"),
    ],
)
def test_an_error_in_any_form_is_one(error: Body, kind: str) -> None:
    for found in (streamed(chunk(content="a"), error), CHAT.read_answer(plain_answer(error))):
        assert isinstance(found, Fault)
        assert found.kind == kind
