"""A stream means the same in the other format, however it is cut; what was cut off stays so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from astrolabe_core.answers import Answer, Fault, FaultKind
from astrolabe_core.requests import Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.responses_items import Items
from astrolabe_http.wire.translation.answers import chat_answer, responses_answer
from astrolabe_http.wire.translation.chunks import ChatChunks
from astrolabe_http.wire.translation.events import ResponsesEvents
from tests.http.wire.any_stream import (
    CHAT_ENDS,
    RESPONSE_ENDS,
    call_chunk,
    chunks,
    response_events,
)
from tests.http.wire.corpus import SPOKEN, Spoken
from tests.http.wire.relaying import Relayed, calls_in, check, relay, words_in
from tests.http.wire.translation.any_answer import (
    Cut,
    chat_answers,
    chat_stream,
    cuts,
    responses_answers,
    responses_stream,
)
from tests.http.wire.translation.any_said import Body
from tests.http.wire.translation.test_answers import known, only

CHAT, RESPONSES = Surface.CHAT, Surface.RESPONSES
OTHER = {CHAT: RESPONSES, RESPONSES: CHAT}


def translated(spoken: Surface, upstream: Iterable[Body]) -> list[Body]:
    """Give a provider's stream in the other format."""
    made = ResponsesEvents() if spoken is CHAT else ChatChunks()
    told = [each for one in upstream for each in made.feed(one)]
    return told + made.end()


def folded(surface: Surface, events: Iterable[Body]) -> Answer | Fault:
    """Give what the reader of a format makes of a stream."""
    reader = WIRES[surface].StreamReader()
    for one in events:
        fault = reader.feed(one)
        if fault is not None:
            return fault
    return reader.answer()


def carried(spoken: Surface, upstream: Iterable[Body]) -> Relayed:
    """Take a provider's stream to the caller who speaks the other format; it must be sound."""
    found = relay(OTHER[spoken], translated(spoken, upstream))
    check(OTHER[spoken], found.sent)
    return found


# --- the stream is the whole -----------------------------------------------------------------


@settings(max_examples=200)
@given(chat_answers(), cuts())
def test_chunks_in_any_pieces_are_the_whole_answer_as_a_response(answer: Body, cut: Cut) -> None:
    chunks = chat_stream(answer, cut)
    event(f"{min(len(chunks), 30) // 5 * 5} chunks")
    told = translated(CHAT, chunks)
    whole = WIRES[RESPONSES].read_answer(responses_answer(answer))
    assert known(folded(RESPONSES, told)) == known(whole)
    items = Items("0")
    for each in told:
        items.feed(each)
    items.close(completed=True)
    output = responses_answer(answer)["output"]
    assert isinstance(output, list)
    # What a caller is sent in the end, item by item.
    assert [plain(item.json()) for item in items.made] == [plain(item) for item in output]


def plain(item: Body) -> Body:
    """Leave out ids and states, which are told where it ends."""
    return {key: value for key, value in item.items() if key not in {"id", "status"}}


@settings(max_examples=200)
@given(responses_answers(), cuts(), st.booleans())
def test_events_in_any_pieces_are_the_whole_answer_as_chat(
    answer: Body, cut: Cut, sparing: bool
) -> None:
    events = responses_stream(answer, cut, sparing=sparing)
    event(f"{min(len(events), 60) // 10 * 10} events")
    told, whole = translated(RESPONSES, events), chat_answer(answer)
    assert known(folded(CHAT, told)) == known(WIRES[CHAT].read_answer(whole))
    choice = only(whole, "choices")
    tokens = [each for said in of(told, "logprobs") for each in said["content"]]
    assert tokens == (choice.get("logprobs") or {"content": []})["content"]
    deltas = list(of(told, "delta"))
    cited = [each for delta in deltas for each in delta.get("annotations", [])]
    # Citations that come with the whole item alone find their part closed.
    assert sparing or cited == choice["message"].get("annotations", [])
    thoughts = "".join(delta.get("reasoning", "") for delta in deltas)
    assert thoughts == choice["message"].get("reasoning", "")


def of(told: list[Body], key: str) -> Iterator[Body]:
    """Give what the choices of chunks have under a key."""
    for chunk in told:
        yield from (choice[key] for choice in chunk["choices"] if choice.get(key))


@settings(max_examples=100)
@given(chat_answers(), cuts())
def test_a_caller_of_responses_gets_a_sound_stream_of_chunks(answer: Body, cut: Cut) -> None:
    found = carried(CHAT, chat_stream(answer, cut))
    assert isinstance(found.result, Answer)
    output = found.events[-1]["response"]["output"]
    message = answer["choices"][0]["message"]
    assert words_in(output, "text") == (message["content"] or "")
    assert words_in(output, "refusal") == message.get("refusal", "")
    calls = [call["function"] for call in message.get("tool_calls", [])]
    assert calls_in(output) == [(call["name"], call["arguments"]) for call in calls]


@settings(max_examples=100)
@given(responses_answers(), cuts())
def test_a_caller_of_chat_gets_a_sound_stream_of_events(answer: Body, cut: Cut) -> None:
    found = carried(RESPONSES, responses_stream(answer, cut))
    assert isinstance(found.result, Answer)


# --- whatever comes --------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(chunks(), max_size=25), CHAT_ENDS)
@example([call_chunk(1, None), call_chunk(0, "f"), call_chunk(1, "g")], [])
def test_any_chunks_at_all_become_a_sound_response(upstream: list[Body], ends: list[Body]) -> None:
    found = carried(CHAT, [*upstream, *ends])
    event(type(found.result).__name__)
    assert b"gen-upstream" not in found.sent
    if isinstance(found.result, Fault):
        assert [each["type"] for each in found.events[-2:]] == ["error", "response.failed"]
        return
    output = found.events[-1]["response"]["output"]
    answer = found.result
    assert "".join(answer.texts) == words_in(output, "text")
    assert [(call.name, call.arguments) for call in answer.tool_calls] == calls_in(output)


@settings(max_examples=200)
@given(st.lists(response_events(), max_size=25), RESPONSE_ENDS)
def test_any_events_at_all_become_a_sound_chat(upstream: list[Body], ends: list[Body]) -> None:
    found = carried(RESPONSES, [*upstream, *ends])
    event(type(found.result).__name__)
    if isinstance(found.result, Fault):
        assert set(found.events[-1]) == {"error"}


@pytest.mark.parametrize(
    "spoken",
    [each for each in SPOKEN if not each.fields],
    ids=lambda spoken: f"{spoken.surface.value}, {spoken.name}",
)
def test_what_providers_send_means_the_same_to_a_caller_of_the_other_format(
    spoken: Spoken,
) -> None:
    found = carried(spoken.surface, spoken.events)
    direct = folded(spoken.surface, spoken.events)
    assert type(found.result) is type(direct)
    if isinstance(direct, Answer):
        assert known(found.result) == known(direct)
    elif isinstance(found.result, Fault):
        assert found.result.kind is direct.kind


# --- ends ------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(chat_answers(), cuts(), st.data())
def test_chunks_that_were_cut_off_are_never_whole(
    answer: Body, cut: Cut, data: st.DataObject
) -> None:
    """litellm #40404: an upstream cut mid-answer is closed cleanly and looks whole."""
    stream = chat_stream(answer, cut)
    # All but what names a finish reason, and what comes after it.
    kept = data.draw(st.integers(0, len(stream) - 2))
    found = carried(CHAT, stream[:kept])
    assert isinstance(found.result, Fault)
    assert found.result.kind is FaultKind.PROVIDER_ERROR
    assert b"response.completed" not in found.sent


@settings(max_examples=100)
@given(responses_answers(), cuts(), st.data())
def test_events_that_were_cut_off_are_never_whole(
    answer: Body, cut: Cut, data: st.DataObject
) -> None:
    """litellm #40404, the other way."""
    stream = responses_stream(answer, cut)
    found = carried(RESPONSES, stream[: data.draw(st.integers(0, len(stream) - 1))])
    assert isinstance(found.result, Fault)
    assert not any(
        choice["finish_reason"] for chunk in found.events for choice in chunk.get("choices", [])
    )


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"code": 429, "metadata": {}}, "choices": []},
        {"error": "text"},
        {"choices": [{"index": 0, "delta": {}, "error": {"code": 429}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]},
    ],
)
def test_an_error_among_chunks_is_the_fault_that_it_was(error: Body) -> None:
    word: Body = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    found, direct = carried(CHAT, [word, error]), folded(CHAT, [word, error])
    assert isinstance(found.result, Fault)
    assert isinstance(direct, Fault)
    assert found.result.kind is direct.kind


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "x"},
        {"type": "error", "error": {"code": 429}},
        {"error": {"code": 429}},
        {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded"}}},
        {"type": "response.failed", "response": {}},
        {"type": "response.failed"},
        {"type": "response.completed", "response": {"error": {"code": "server_error"}}},
    ],
)
def test_an_error_among_events_is_the_fault_that_it_was(error: Body) -> None:
    word: Body = {"type": "response.output_text.delta", "output_index": 0, "delta": "a"}
    found, direct = carried(RESPONSES, [word, error]), folded(RESPONSES, [word, error])
    assert isinstance(found.result, Fault)
    assert isinstance(direct, Fault)
    assert found.result.kind is direct.kind


def test_usage_is_known_as_soon_as_it_was_told() -> None:
    """A caller may leave at any moment."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    running: Body = {"id": "gen-1", "provider": "Host", "choices": [], "usage": usage}
    reader = WIRES[RESPONSES].StreamReader()
    for each in ResponsesEvents().feed(running):
        assert reader.feed(each) is None
    assert reader.receipt.usage is not None
    assert (reader.receipt.generation, reader.receipt.host) == ("gen-1", "Host")
    counted: Body = {"id": "r", "usage": {"input_tokens": 3, "output_tokens": 2}}
    chat = WIRES[CHAT].StreamReader()
    for each in ChatChunks().feed({"type": "response.in_progress", "response": counted}):
        assert chat.feed(each) is None
    assert chat.receipt.usage is not None


# --- items one after the other ---------------------------------------------------------------


def kinds(upstream: list[Body]) -> list[str]:
    """Name what a translated stream opens and closes, in its order."""
    told = translated(CHAT, upstream)
    found = [each for each in told if each["type"].startswith("response.output_item.")]
    return [f"{each['type'][21:]} {each['output_index']}" for each in found]


def said(**delta: object) -> Body:
    return {"choices": [{"index": 0, "delta": delta}]}


def called(place: int, arguments: str, name: str | None = None) -> Body:
    function: Body = {"arguments": arguments} | ({} if name is None else {"name": name})
    opening: Body = {} if name is None else {"id": f"call_{place}"}
    return said(tool_calls=[{"index": place, **opening, "function": function}])


def test_one_item_is_closed_before_the_next_is_opened() -> None:
    upstream = [
        said(reasoning="hm"),
        said(content="a"),
        called(0, "", "f"),
        called(0, "{}"),
        called(1, "{}", "g"),
        said(content="b"),
    ]
    assert kinds(upstream) == [
        "added 0",
        "done 0",
        "added 1",
        "done 1",
        "added 2",
        "done 2",
        "added 3",
        "done 3",
        "added 4",
    ]


def test_calls_that_come_at_once_are_open_at_once_and_lose_nothing() -> None:
    """litellm #20711: deltas of parallel calls were dropped."""
    upstream = [called(0, "", "f"), called(1, "", "g"), called(0, '{"a":'), called(1, "{}")]
    upstream += [called(0, "1}"), {"choices": [{"index": 0, "finish_reason": "tool_calls"}]}]
    assert kinds(upstream) == ["added 0", "added 1"]
    answer = folded(RESPONSES, translated(CHAT, upstream))
    assert isinstance(answer, Answer)
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("f", '{"a":1}'), ("g", "{}")]


def test_a_call_waits_for_its_name_and_without_one_is_told_at_the_end() -> None:
    late = [called(0, "{"), called(0, "}", "f")]
    assert kinds(late) == ["added 0"]
    never = [called(0, "{}"), {"choices": [{"index": 0, "finish_reason": "stop"}]}]
    answer = folded(RESPONSES, translated(CHAT, never))
    assert isinstance(answer, Answer)
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("", "{}")]


def test_a_call_without_an_id_gets_one_of_the_caller_s_request() -> None:
    upstream = said(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{}"}}])
    (added, _) = (each for each in translated(CHAT, [upstream]) if "output_index" in each)
    assert "call_id" not in added["item"]


def test_words_after_a_refusal_are_a_part_of_their_own() -> None:
    upstream = [said(content="a"), said(refusal="no"), said(content="b")]
    upstream.append({"choices": [{"index": 0, "finish_reason": "stop"}]})
    found = carried(CHAT, upstream)
    (item,) = found.events[-1]["response"]["output"]
    assert [part["type"] for part in item["content"]] == ["output_text", "refusal", "output_text"]
    assert words_in([item], "text") == "ab"


def test_a_citation_without_words_points_nowhere() -> None:
    cited = {"type": "url_citation", "url": "https://x.test", "title": "t"}
    told = translated(CHAT, [said(annotations=[cited])])
    assert not any("annotation" in each for each in told)


def test_other_choices_than_the_first_are_left_out() -> None:
    other: Body = {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}
    first: Body = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    answer = folded(RESPONSES, translated(CHAT, [first, other]))
    assert isinstance(answer, Answer)
    assert answer.text == "a"


def test_sealed_reasoning_comes_sealed_in_a_stream() -> None:
    marks = {"id": "rs_1", "format": "openai-responses-v1"}
    upstream = [
        said(
            reasoning_details=[{"type": "reasoning.summary", "summary": "I ", "index": 0, **marks}]
        ),
        said(reasoning_details=[{"type": "reasoning.summary", "summary": "see", "index": 0}]),
        said(reasoning_details=[{"type": "reasoning.encrypted", "data": "xyz", **marks}]),
        said(content="a"),
    ]
    told = translated(CHAT, upstream)
    (closed,) = (each for each in told if each["type"] == "response.output_item.done")
    assert closed["item"] == {
        "type": "reasoning",
        "summary": [],
        **marks,
        "encrypted_content": "xyz",
    }
    back = ChatChunks()
    details = [
        detail
        for each in told
        for chunk in back.feed(each)
        for choice in chunk["choices"]  # type: ignore[attr-defined]
        for detail in choice["delta"].get("reasoning_details", [])
    ]
    assert details[-1] == {"type": "reasoning.encrypted", "data": "xyz", "index": 1, **marks}
