"""A caller of Responses gets the mended text once, and all else as the provider sent it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import ModelId
from astrolabe_http.wire import WIRES
from tests.http.wire.play import ID, Body, read_events, serve
from tests.http.wire.relaying import check

WIRE = WIRES[Surface.RESPONSES]
MENDED = '{"a":1}'
CITED = {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "u"}
LOGPROBS = [{"token": "`", "logprob": -1.0, "bytes": [96], "top_logprobs": []}]


def text(words: str) -> Body:
    return {"type": "output_text", "text": words, "annotations": [CITED], "logprobs": LOGPROBS}


def message(*parts: Body, **more: Any) -> Body:
    return {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [*parts],
        **more,
    }


REASONING: Body = {
    "type": "reasoning",
    "id": "rs_theirs",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "secret",
}
OUTPUT: list[Body] = [
    REASONING,
    message(text("I shall answer."), id="msg_a", phase="commentary"),
    message(text("Here it is:"), text('{"a":1}'), id="msg_b", phase="final_answer"),
]
ENDED: Body = {
    "status": "completed",
    "output": OUTPUT,
    "usage": {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12},
}
EVENTS: list[Body] = [
    {"type": "response.created", "response": {"status": "in_progress", "output": []}},
    {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
    {
        "type": "response.output_text.delta",
        "output_index": 1,
        "content_index": 0,
        "delta": "I shall answer.",
    },
    {"type": "response.completed", "response": ENDED},
]


def served() -> tuple[Served, Request]:
    reply = serve(Surface.RESPONSES, {"model": "auto", "input": "Hello", "stream": True}).reply
    assert isinstance(reply, Served)
    assert isinstance(reply.trace.arrival, Request)
    return reply, reply.trace.arrival


def whole(output: list[Body]) -> Answer:
    answer = WIRE.read_answer({**ENDED, "output": output})
    assert isinstance(answer, Answer)
    return evolve(answer, texts=(MENDED,), repaired=True)


def body_of(answer: Answer) -> Any:
    return WIRE.answer_body(Served(answer, served()[0].trace))


def assert_mended(output: Any) -> None:
    reasoning, said = output
    assert reasoning["summary"] == REASONING["summary"]
    assert reasoning["encrypted_content"]
    assert (said["phase"], said["status"]) == ("final_answer", "completed")
    assert said["content"] == [
        {"type": "output_text", "text": MENDED, "annotations": [], "logprobs": []}
    ]


def test_a_whole_answer_has_the_mended_text_as_its_only_one() -> None:
    answer = whole(OUTPUT)
    body = body_of(answer)
    assert_mended(body["output"])
    assert body["usage"]["input_tokens"] == 7
    assert [item["id"].rpartition("_")[2] for item in body["output"]] == ["0", "1"]


def test_what_only_its_provider_can_read_is_sealed_as_ever() -> None:
    """Mending folds the output once more; the provider's own id must come through."""
    mended = body_of(whole(OUTPUT))["output"][0]
    as_it_came = body_of(evolve(whole(OUTPUT), repaired=False))["output"][0]
    assert mended == as_it_came


def test_calls_and_refusals_stay() -> None:
    call: Body = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    refusal: Body = {"type": "refusal", "refusal": "no"}
    output = body_of(whole([message(refusal, text("x")), call]))["output"]
    assert [part["type"] for part in output[0]["content"]] == ["refusal", "output_text"]
    assert (output[1]["call_id"], output[1]["arguments"]) == ("c1", "{}")


def held(events: list[Body]) -> Answer:
    reader = WIRE.StreamReader()
    for each in events:
        assert reader.feed(each) is None
    answer = reader.answer()
    assert isinstance(answer, Answer)
    return evolve(answer, payload=tuple(events))


def test_a_held_stream_tells_the_mended_text_alone() -> None:
    answer = held(EVENTS)
    assert answer.text == 'I shall answer.Here it is:{"a":1}'
    answer = evolve(answer, texts=(MENDED,), repaired=True)
    reply, request = served()
    writer = WIRE.StreamWriter(request, ModelId("a/b"), ID)
    sent = b"".join(writer.feed(event) for event in WIRE.held_events(answer))
    sent += writer.finish(Served(answer, reply.trace))
    check(Surface.RESPONSES, sent)
    events = list(read_events(sent))
    deltas = [each["delta"] for each in events if each["type"] == "response.output_text.delta"]
    assert deltas == [MENDED]
    assert events[-1]["type"] == "response.completed"
    assert_mended(events[-1]["response"]["output"])
    assert held([*WIRE.held_events(answer)]).texts == (MENDED,)  # type: ignore[list-item]


def test_a_held_stream_that_needed_no_mending_is_told_as_it_came() -> None:
    answer = held(EVENTS)
    assert list(WIRE.held_events(answer)) == EVENTS
    with pytest.raises(TypeError, match="held back"):
        WIRE.held_events(evolve(answer, payload={}))
