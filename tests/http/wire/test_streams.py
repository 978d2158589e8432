"""Streams keep their grammar whatever the provider leaves out, says twice or gets wrong."""

from __future__ import annotations

from functools import cache

import pytest
from attrs import evolve
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import ModelId, RequestId
from astrolabe_http.wire import WIRES, Writer
from astrolabe_http.wire.chat_answer import shown_finish
from tests.http.simulator.grammar import check_responses_order
from tests.http.wire.any_stream import (
    call_chunk,
    check_any_order,
    check_chat,
    chunks,
    items,
    part_event,
    response_events,
    words_in,
    words_of,
)
from tests.http.wire.play import ID, Body, read_events, serve

CHAT: Body = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
RESPONSES: Body = {"model": "auto", "input": "Hello", "stream": True}
BODIES = {Surface.CHAT: CHAT, Surface.RESPONSES: RESPONSES}
SURFACES = list(Surface)
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


# --- what the simulator sends ----------------------------------------------------------------

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


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("ask", [*ASKS, None])
def test_chat_s_grammar_holds(fault: str, ask: Body | None) -> None:
    fields = with_tools(Surface.CHAT) if ask is None else ask
    played = serve(Surface.CHAT, {**CHAT, **fields}, fault=fault)
    heard = check_chat(played.sent).values()
    reply = played.reply
    assert isinstance(reply, Served)
    assert tuple(choice.text for choice in heard) == reply.answer.texts
    told = [call for choice in heard for call in choice.calls]
    assert told == [(call.name, call.arguments) for call in reply.answer.tool_calls]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("ask", [*ASKS, None])
def test_the_grammar_of_responses_holds(fault: str, ask: Body | None) -> None:
    fields = with_tools(Surface.RESPONSES) if ask is None else ask
    played = serve(Surface.RESPONSES, {**RESPONSES, **fields}, fault=fault)
    check_responses_order(played.events)
    reply = played.reply
    assert isinstance(reply, Served)
    final = played.events[-1]["response"]
    assert said(played.events) == "".join(reply.answer.texts) + (reply.answer.refusal or "")
    assert final["status"] == played.events[-1]["type"].removeprefix("response.")
    calls = [item for item in final["output"] if item["type"] == "function_call"]
    assert [c["arguments"] for c in calls] == [c.arguments for c in reply.answer.tool_calls]


def said(events: list[Body]) -> str:
    spoken = ("response.output_text.delta", "response.refusal.delta")
    return "".join(event["delta"] for event in events if event.get("type") in spoken)


def test_two_choices_come_with_one_id_and_end_each_for_itself() -> None:
    heard = check_chat(serve(Surface.CHAT, {**CHAT, "n": 2}).sent)
    assert set(heard) == {0, 1}
    assert all(choice.text for choice in heard.values())


def test_usage_is_told_only_where_it_was_asked_for() -> None:
    quiet = serve(Surface.CHAT, {**CHAT, "stream_options": None})
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
    st.lists(items(), max_size=3),
    st.booleans(),
    st.lists(response_events(), max_size=2),
)
@example(
    # The second part comes first, and is read first.
    [part_event("content_part.done", 1, "1"), part_event("output_text.delta", 0, "0")],
    [],
    False,
    [],
)
@example(
    [part_event("output_text.delta", 0, "a")], [], True, [part_event("output_text.delta", 0, "b")]
)
def test_any_events_at_all_become_a_sound_response(
    upstream: list[Body], output: list[Body], whole: bool, late: list[Body]
) -> None:
    served = ended(Surface.RESPONSES)
    finish = Finish.STOP if whole else Finish.LENGTH
    served = Served(evolve(served.answer, finish=finish), served.trace)
    status = "completed" if whole else "incomplete"
    last: Body = {"type": f"response.{status}", "response": {"output": output, "status": status}}
    wire = WIRES[Surface.RESPONSES]
    reader, made = wire.StreamReader(), writer(Surface.RESPONSES, served)
    sent = b""
    for each in [*upstream, last, *late]:
        assert reader.feed(each) is None
        sent += made.feed(each)
    events = list(read_events(sent + made.finish(served)))
    event(f"{min(len(events), 12)} events")
    check_any_order(events)
    answer = reader.answer()
    assert isinstance(answer, Answer)
    # What is verified and paid for is what the caller was sent.
    output_items = events[-1]["response"]["output"]
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [
        (item["name"], item["arguments"])
        for item in output_items
        if item["type"] == "function_call"
    ]
    assert (
        "".join(answer.texts) == words_of(events, "output_text") == words_in(output_items, "text")
    )
    refused = words_of(events, "refusal")
    assert (answer.refusal or "") == refused == words_in(output_items, "refusal")
    called = bool(answer.tool_calls)
    assert reader.content == (called or any(each["type"].endswith(".delta") for each in events))
    assert b"upstream" not in sent


@settings(max_examples=200)
@given(st.lists(chunks(), max_size=25))
@example([call_chunk(1, None), call_chunk(0, "f"), call_chunk(1, "g")])
def test_any_chunks_at_all_become_a_sound_chat(upstream: list[Body]) -> None:
    served = ended(Surface.CHAT)
    reader, made = WIRES[Surface.CHAT].StreamReader(), writer(Surface.CHAT, served)
    sent = b""
    for each in upstream:
        assert reader.feed(each) is None
        sent += made.feed(each)
    heard = [choice for _, choice in sorted(check_chat(sent + made.finish(served)).items())]
    answer = reader.answer()
    event(type(answer).__name__)
    if isinstance(answer, Answer):
        assert tuple(choice.text for choice in heard) == answer.texts
        assert answer.refusal == next((each.refusal for each in heard if each.refusal), None)
        told = [call for choice in heard for call in choice.calls]
        assert told == [(call.name, call.arguments) for call in answer.tool_calls]
        assert not told or reader.content
    # No text that is drawn is as long as these.
    assert b"gen-upstream" not in sent
    assert b"native_finish" not in sent


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
    # A provider that has counted has nothing more to say.
    reader.feed({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    assert isinstance(reader.answer(), Answer)


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
    events = list(read_events(made.feed(last) + made.finish(served)))
    check_responses_order(events)
    assert said(events) == "whole"


def test_citations_pass_whole_and_nothing_half_known_does() -> None:
    cited = {
        "type": "url_citation",
        "start_index": 0,
        "end_index": 1,
        "title": "t",
        "url": "https://x.test",
    }
    at = {"output_index": 0, "content_index": 0}
    added = "response.output_text.annotation.added"
    made = writer(Surface.RESPONSES, ended(Surface.RESPONSES))
    sent = made.feed({"type": "response.output_text.delta", "delta": "a", **at})
    for annotation in (cited, {**cited, "url": None}, {"type": "file_path"}, None):
        sent += made.feed({"type": added, **at, "annotation": annotation})
    events = list(read_events(sent + made.finish(ended(Surface.RESPONSES))))
    assert [e["annotation"] for e in events if e["type"] == added] == [cited]
    (part,) = events[-1]["response"]["output"][0]["content"]
    assert part["annotations"] == [cited]


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
