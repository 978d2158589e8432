"""A caller of Chat gets the mended text, and all else as the provider sent it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import ModelId
from astrolabe_http.wire import WIRES
from tests.http.wire.play import ID, Body, serve
from tests.http.wire.relaying import check, heard

WIRE = WIRES[Surface.CHAT]
ASKED: Body = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream_options": {"include_usage": True},
}
FENCED, MENDED = '```json\n{"a":1}\n```', '{"a":1}'
CITED = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"},
}
LOGPROBS = {"content": [{"token": "`", "logprob": -1.0, "bytes": [96], "top_logprobs": []}]}
USAGE = {"prompt_tokens": 7, "completion_tokens": 5}


def served() -> tuple[Served, Request]:
    reply = serve(Surface.CHAT, {**ASKED, "stream": True}).reply
    assert isinstance(reply, Served)
    assert isinstance(reply.trace.arrival, Request)
    return reply, reply.trace.arrival


def choice(index: int, content: str, **more: Any) -> Body:
    message = {"content": content, "annotations": [CITED], "reasoning": "hm", **more}
    return {"index": index, "message": message, "logprobs": LOGPROBS, "finish_reason": "stop"}


def test_a_whole_answer_has_the_mended_text_in_its_choice() -> None:
    payload = {"choices": [choice(0, "fine"), choice(1, FENCED)], "usage": USAGE}
    read = WIRE.read_answer(payload, choices=2)
    assert isinstance(read, Answer)
    answer = evolve(read, texts=("fine", MENDED), repaired=True)
    body: Any = WIRE.answer_body(Served(answer, served()[0].trace))
    fine, mended = body["choices"]
    assert fine["message"]["content"] == "fine"
    assert fine["message"]["annotations"]
    assert fine["logprobs"]
    assert mended["message"]["content"] == MENDED
    assert mended["message"]["annotations"] == []
    assert mended["message"]["reasoning"] == "hm"
    assert mended["logprobs"] is None
    assert mended["finish_reason"] == "stop"
    assert body["usage"]["prompt_tokens"] == 7
    assert read.payload == payload


def chunk(index: int, finish: str | None = None, **delta: Any) -> Body:
    told: Body = {"index": index, "delta": delta, "finish_reason": finish}
    if delta.get("content"):
        told["logprobs"] = LOGPROBS
    return {"choices": [told]}


CHUNKS: list[Body] = [
    chunk(0, role="assistant", content=""),
    chunk(0, reasoning="hm"),
    chunk(0, content="```json\n"),
    chunk(1, content="fine"),
    chunk(0, content='{"a":1}', annotations=[CITED]),
    chunk(0, content="\n```"),
    chunk(0, "stop"),
    chunk(1, "stop"),
    {"choices": [], "usage": USAGE},
]


def read(chunks: list[Body]) -> Answer:
    reader = WIRE.StreamReader(choices=2)
    for each in chunks:
        assert reader.feed(each) is None
    answer = reader.answer()
    assert isinstance(answer, Answer)
    return evolve(answer, payload=tuple(chunks))


def written(answer: Answer) -> bytes:
    reply, request = served()
    writer = WIRE.StreamWriter(request, ModelId("a/b"), ID)
    frames = b"".join(writer.feed(event) for event in WIRE.held_events(answer))
    return frames + writer.finish(Served(answer, reply.trace))


def test_a_held_stream_tells_the_mended_text_at_once_where_the_first_of_it_stood() -> None:
    answer = evolve(read(CHUNKS), texts=(MENDED, "fine"), repaired=True)
    sent = written(answer)
    check(Surface.CHAT, sent)
    first, second = heard(sent)
    assert (first.text, second.text) == (MENDED, "fine")
    told: Any = list(WIRE.held_events(answer))
    assert read([*told]).texts == (MENDED, "fine")
    assert [each["choices"][0]["delta"].get("content") for each in told[1:4]] == [
        None,
        MENDED,
        "fine",
    ]
    assert told[1]["choices"][0]["delta"]["reasoning"] == "hm"
    assert told[2]["choices"][0]["logprobs"] is None
    assert told[3]["choices"][0]["logprobs"] == LOGPROBS
    assert told[-1]["usage"] == USAGE
    assert b"url_citation" not in sent


def test_a_held_stream_that_needed_no_mending_is_told_as_it_came() -> None:
    answer = read(CHUNKS)
    assert list(WIRE.held_events(answer)) == CHUNKS
    with pytest.raises(TypeError, match="held back"):
        WIRE.held_events(evolve(answer, payload={}))
