"""Streams keep their grammar whatever the provider leaves out, says twice or gets wrong."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from astrolabe_core.answers import Answer, Fault, FaultKind
from astrolabe_core.messages import Served
from astrolabe_core.requests import Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.chat_answer import shown_finish
from tests.http.wire.any_stream import (
    CHAT_ENDS,
    DONE,
    RESPONSE_ENDS,
    call_chunk,
    chunks,
    part_event,
    response_events,
)
from tests.http.wire.corpus import (
    ASKS,
    BODIES,
    CHAT,
    CITED,
    FAULTS,
    RESPONSES,
    SURFACES,
    corpus,
    with_tools,
)
from tests.http.wire.play import Body, read_events, serve
from tests.http.wire.relaying import (
    LOST,
    calls_in,
    check,
    ended,
    heard,
    relay,
    said,
    words_in,
    words_of,
    writer,
)

# --- what the simulator sends ----------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("ask", [*ASKS, None])
def test_chat_s_grammar_holds(fault: str, ask: Body | None) -> None:
    fields = with_tools(Surface.CHAT) if ask is None else ask
    played = serve(Surface.CHAT, {**CHAT, **fields}, fault=fault)
    check(Surface.CHAT, played.sent)
    reply, choices = played.reply, heard(played.sent)
    assert isinstance(reply, Served)
    assert tuple(choice.text for choice in choices) == reply.answer.texts
    told = [call for choice in choices for call in choice.calls]
    assert told == [(call.name, call.arguments) for call in reply.answer.tool_calls]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("ask", [*ASKS, None])
def test_the_grammar_of_responses_holds(fault: str, ask: Body | None) -> None:
    fields = with_tools(Surface.RESPONSES) if ask is None else ask
    played = serve(Surface.RESPONSES, {**RESPONSES, **fields}, fault=fault)
    check(Surface.RESPONSES, played.sent)
    reply = played.reply
    assert isinstance(reply, Served)
    assert said(played.events) == "".join(reply.answer.texts) + (reply.answer.refusal or "")
    told = calls_in(played.events[-1]["response"]["output"])
    assert told == [(call.name, call.arguments) for call in reply.answer.tool_calls]


def test_two_choices_come_with_one_id_and_end_each_for_itself() -> None:
    sent = serve(Surface.CHAT, {**CHAT, "n": 2}).sent
    check(Surface.CHAT, sent)
    assert [bool(choice.text) for choice in heard(sent)] == [True, True]


def test_usage_is_told_only_where_it_was_asked_for() -> None:
    quiet = serve(Surface.CHAT, {**CHAT, "stream_options": None})
    check(Surface.CHAT, quiet.sent, usage_wanted=False)
    assert all("usage" not in chunk for chunk in quiet.events)
    assert quiet.events[-1]["choices"][0]["finish_reason"] == "stop"
    assert "astrolabe" in quiet.events[-1]
    assert quiet.books.debited > 0
    told = serve(Surface.CHAT, CHAT)
    assert told.events[-1]["usage"]["total_tokens"] > 0
    assert [chunk for chunk in told.events if "astrolabe" in chunk] == [told.events[-1]]


def test_the_last_usage_wins() -> None:
    for surface in SURFACES:
        twice = serve(surface, BODIES[surface], fault="double-usage")
        once = serve(surface, BODIES[surface])
        assert twice.books.debited == once.books.debited > 0


@pytest.mark.parametrize("surface", SURFACES)
def test_a_stream_that_was_held_back_is_the_same_stream(surface: Surface) -> None:
    held = {**BODIES[surface], "metadata": {"astrolabe": {"verification": "strict"}}}
    late, live = serve(surface, held), serve(surface, BODIES[surface])
    assert said(late.events) == said(live.events)
    assert late.events[:-1] == live.events[:-1]


# --- ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["error-mid-2", "end-2", "end-1"])
def test_a_broken_chat_ends_in_a_frame_of_nothing_but_the_error(fault: str) -> None:
    played = serve(Surface.CHAT, CHAT, fault=fault)
    *chunks, last = played.events
    assert chunks
    assert set(last) == {"error"}
    assert last["error"].keys() >= {"message", "type", "param", "code", "requestId"}
    assert played.sent.endswith(b"\n\ndata: [DONE]\n\n")
    assert not any(c["finish_reason"] for chunk in chunks for c in chunk["choices"])
    assert played.books.debited == 0


@pytest.mark.parametrize("fault", ["error-mid-2", "end-2", "end-1"])
def test_a_broken_response_ends_in_error_and_failed(fault: str) -> None:
    played = serve(Surface.RESPONSES, RESPONSES, fault=fault)
    *_, error, failed = played.events
    assert [event["sequence_number"] for event in played.events] == list(range(len(played.events)))
    assert error["type"] == "error"
    for key in ("code", "message", "param"):
        assert error[key] == error["error"][key]
    assert error["error"]["type"] == "server_error"
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == "server_error"
    assert failed["response"]["usage"] is None
    assert b"response.completed" not in played.sent
    assert played.books.debited == 0


@pytest.mark.parametrize("surface", SURFACES)
def test_an_error_in_the_first_frame_is_a_status(surface: Surface) -> None:
    played = serve(surface, BODIES[surface], fault="error-200")
    assert played.status == 502
    assert played.json["error"]["code"] == "provider_error"


@pytest.mark.parametrize("surface", SURFACES)
def test_a_stream_may_fail_before_anything_was_told(surface: Surface) -> None:
    events = list(read_events(writer(surface, ended(surface)).fail(LOST)))
    if surface is Surface.CHAT:
        assert [set(event) for event in events] == [{"error"}]
    else:
        assert [event["type"] for event in events] == [
            "response.created",
            "response.in_progress",
            "error",
            "response.failed",
        ]


# --- whatever comes --------------------------------------------------------------------------


@settings(max_examples=200)
@given(
    st.lists(response_events(), max_size=25),
    RESPONSE_ENDS,
    st.lists(response_events(), max_size=2),
)
@example(
    # The second part comes first, and is read first.
    [part_event("content_part.done", 1, "1"), part_event("output_text.delta", 0, "0")],
    [DONE],
    [],
)
@example(
    [part_event("output_text.delta", 0, "a")],
    [DONE],
    [part_event("output_text.delta", 0, "b")],
)
def test_any_events_at_all_become_a_sound_response(
    upstream: list[Body], ends: list[Body], late: list[Body]
) -> None:
    found = relay(Surface.RESPONSES, [*upstream, *ends, *late])
    check(Surface.RESPONSES, found.sent)
    event(f"{type(found.result).__name__}, {min(len(found.events), 12)} events")
    assert b"upstream" not in found.sent
    told = [each["type"] for each in found.events]
    output = found.events[-1]["response"]["output"]
    assert found.content == (
        bool(calls_in(output)) or any(each.endswith(".delta") for each in told)
    )
    if not isinstance(found.result, Answer):
        assert told[-2:] == ["error", "response.failed"]
        return
    # What is verified and paid for is what the caller was sent.
    answer, events = found.result, found.events
    assert [(call.name, call.arguments) for call in answer.tool_calls] == calls_in(output)
    assert "".join(answer.texts) == words_of(events, "output_text") == words_in(output, "text")
    refused = words_of(events, "refusal")
    assert (answer.refusal or "") == refused == words_in(output, "refusal")


@settings(max_examples=200)
@given(st.lists(chunks(), max_size=25), CHAT_ENDS)
@example([call_chunk(1, None), call_chunk(0, "f"), call_chunk(1, "g")], [])
def test_any_chunks_at_all_become_a_sound_chat(upstream: list[Body], ends: list[Body]) -> None:
    found = relay(Surface.CHAT, [*upstream, *ends])
    check(Surface.CHAT, found.sent)
    event(type(found.result).__name__)
    # No text that is drawn is as long as these.
    assert b"gen-upstream" not in found.sent
    assert b"native_finish" not in found.sent
    if not isinstance(found.result, Answer):
        assert set(found.events[-1]) == {"error"}
        return
    choices, answer = heard(found.sent), found.result
    assert tuple(choice.text for choice in choices) == answer.texts
    assert answer.refusal == next((each.refusal for each in choices if each.refusal), None)
    told = [call for choice in choices for call in choice.calls]
    assert told == [(call.name, call.arguments) for call in answer.tool_calls]
    assert not told or found.content


def test_what_is_written_in_pieces_is_what_would_be_written_whole() -> None:
    for told in corpus():
        for frame in told.sent.split(b"\n\n")[:-1]:
            data = frame.rpartition(b"data: ")[2]
            if data != b"[DONE]":
                assert data == orjson.dumps(orjson.loads(data)), told.name


# --- readers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_a_reader_that_saw_nothing_saw_no_answer(surface: Surface) -> None:
    reader = WIRES[surface].StreamReader()
    assert not reader.content
    found = reader.answer()
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.PROVIDER_ERROR


def test_content_is_the_first_word_thought_refusal_or_call() -> None:
    def content(delta: Body) -> bool:
        reader = WIRES[Surface.CHAT].StreamReader()
        reader.feed({"choices": [{"index": 0, "delta": delta}]})
        return reader.content

    assert not content({"role": "assistant", "content": ""})
    assert content({"content": "a"})
    assert content({"reasoning": "a"})
    assert content({"refusal": "a"})
    assert content({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]})


def test_of_two_choices_that_were_asked_for_one_is_not_the_whole() -> None:
    whole: Body = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    reader = WIRES[Surface.CHAT].StreamReader(choices=2)
    reader.feed(whole)
    assert isinstance(reader.answer(), Fault)
    # A provider that has counted has nothing more to say: it knows no `n`, as OpenRouter does not
    # (openrouter-runner #99), and the caller is told instead of being given one answer of two.
    reader.feed({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    short = reader.answer()
    assert isinstance(short, Fault)
    assert short.kind is FaultKind.REJECTED
    assert "n asks" in short.message


@pytest.mark.parametrize(
    ("surface", "error"),
    [
        (Surface.CHAT, {"error": {"code": 429, "metadata": {}}, "choices": []}),
        (Surface.CHAT, {"choices": [{"index": 0, "delta": {}, "error": {"code": 429}}]}),
        (Surface.RESPONSES, {"type": "error", "code": "rate_limit_exceeded", "message": "x"}),
        (Surface.RESPONSES, {"type": "error", "error": {"code": 429}}),
        (
            Surface.RESPONSES,
            {
                "type": "response.failed",
                "response": {"error": {"code": "rate_limit_exceeded"}, "status": "failed"},
            },
        ),
    ],
)
def test_an_error_in_the_stream_is_the_fault_that_it_names(surface: Surface, error: Body) -> None:
    found = WIRES[surface].StreamReader().feed(error)
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.RATE_LIMITED


@pytest.mark.parametrize("index", [-1, 128, 10**30, True, "0", None])
def test_a_choice_at_a_place_that_no_choice_can_have_is_the_first(index: object) -> None:
    choice = {"index": index, "delta": {"content": "a"}, "finish_reason": "stop"}
    found = relay(Surface.CHAT, [{"choices": [choice]}])
    check(Surface.CHAT, found.sent)
    assert [each["choices"][0]["index"] for each in found.events if each["choices"]] == [0] * 3


def test_a_response_that_fails_without_a_word_is_a_fault_too() -> None:
    for last in ({"type": "response.failed"}, {"type": "response.failed", "response": {}}):
        found = WIRES[Surface.RESPONSES].StreamReader().feed(last)
        assert isinstance(found, Fault)


def test_items_that_were_never_streamed_are_streamed_at_the_end() -> None:
    served = serve(Surface.RESPONSES, RESPONSES).reply
    assert isinstance(served, Served)
    made = writer(Surface.RESPONSES, served)
    text = {"type": "output_text", "text": "whole"}
    output = [{"type": "message", "content": [text]}]
    last = {"type": "response.completed", "response": {"output": output, "status": "completed"}}
    sent = made.feed(last) + made.finish(served)
    check(Surface.RESPONSES, sent)
    assert said(list(read_events(sent))) == "whole"


def test_citations_pass_whole_and_nothing_half_known_does() -> None:
    at = {"output_index": 0, "content_index": 0}
    added = "response.output_text.annotation.added"
    made = writer(Surface.RESPONSES, ended(Surface.RESPONSES))
    sent = made.feed({"type": "response.output_text.delta", "delta": "a", **at})
    for annotation in (CITED, {**CITED, "url": None}, {"type": "file_path"}, None):
        sent += made.feed({"type": added, **at, "annotation": annotation})
    events = list(read_events(sent + made.finish(ended(Surface.RESPONSES))))
    assert [e["annotation"] for e in events if e["type"] == added] == [CITED]
    (part,) = events[-1]["response"]["output"][0]["content"]
    assert part["annotations"] == [CITED]


@pytest.mark.parametrize("reason", ["stop", "new", "tool_calls"])
def test_who_calls_a_tool_has_stopped_for_that_whatever_the_provider_says(reason: str) -> None:
    made = writer(Surface.CHAT, ended(Surface.CHAT))
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": reason}
    sent = made.feed({"choices": [choice]}) + made.finish(ended(Surface.CHAT))
    told = [c["finish_reason"] for e in read_events(sent) for c in e["choices"]]
    assert told == [None, None, "tool_calls"]
    assert shown_finish(reason, called=True) == "tool_calls"
    assert shown_finish("length", called=True) == "length"
    assert shown_finish("new", called=False) == "stop"
    assert shown_finish("tool_calls", called=False) == "stop"
