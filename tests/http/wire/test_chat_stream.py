"""Tool calls in chunks of every kind: no two become one, and none becomes two."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.answers import Answer
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import ModelId
from astrolabe_http.wire import WIRES
from tests.http.wire.play import ID, Body, read_events, serve
from tests.http.wire.relaying import check, heard

ASKED: Body = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
WHOLE = '{"a":1}'


def delta(*calls: Body) -> Body:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}}]}


def call(name: str | None = None, arguments: str = "", **more: Any) -> Body:
    function: Body = {"arguments": arguments}
    if name is not None:
        function["name"] = name
    return {"type": "function", "function": function, **more}


def run(chunks: list[Body], **fields: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the reader makes of chunks, and what a caller hears."""
    served = serve(Surface.CHAT, {**ASKED, **fields}).reply
    assert isinstance(served, Served)
    request = served.trace.arrival
    assert isinstance(request, Request)
    wire = WIRES[Surface.CHAT]
    reader, writer = wire.StreamReader(), wire.StreamWriter(request, ModelId("a/b"), ID)
    sent = b""
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    end: list[Body] = [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": usage},
    ]
    for chunk in [*chunks, *end]:
        assert reader.feed(chunk) is None
        sent += writer.feed(chunk)
    answer = reader.answer()
    assert isinstance(answer, Answer)
    sent += writer.finish(served)
    check(Surface.CHAT, sent)
    (choice,) = heard(sent)
    return [(each.name, each.arguments) for each in answer.tool_calls], choice.calls


F, G = ("f", WHOLE), ("g", WHOLE)


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        pytest.param(
            [
                delta(call("f", index=0, id="a")),
                delta(call(arguments=WHOLE, index=0)),
                delta(call("g", index=1, id="b")),
                delta(call(arguments=WHOLE, index=1)),
            ],
            [F, G],
            id="as OpenAI has it",
        ),
        pytest.param(
            [delta(call("f", WHOLE, index=0, id="a")), delta(call("g", WHOLE, index=0, id="b"))],
            [F, G],
            id="every call is number 0",
        ),
        pytest.param(
            [delta(call("f", WHOLE, index=0, id="a")), delta(call("f", WHOLE, index=0, id="b"))],
            [F, F],
            id="the same function, told apart by ids",
        ),
        pytest.param(
            [delta(call("f", WHOLE, id="a")), delta(call("g", WHOLE, id="b"))],
            [F, G],
            id="no number",
        ),
        pytest.param(
            [delta(call("f", WHOLE)), delta(call("f", WHOLE))],
            [F, F],
            id="neither number nor id, whole calls",
        ),
        pytest.param(
            [delta(call("f", WHOLE), call("g", WHOLE))], [F, G], id="neither, in one delta"
        ),
        pytest.param(
            [delta(call("f", id="a")), delta(call(arguments=WHOLE)), delta(call("g", WHOLE))],
            [F, G],
            id="no number, and arguments later",
        ),
        pytest.param(
            [
                delta(call("f", '{"a"', index=0, id="a")),
                delta(call("f", ":1}", index=0, id="a")),
            ],
            [F],
            id="name and id with every delta",
        ),
        pytest.param(
            [delta(call("f", '{"a"', index=0)), delta(call("f", ":1}", index=0))],
            [F],
            id="the name with every delta, without an id",
        ),
        pytest.param(
            [
                delta(call("f", '{"a"', index=0, id="a")),
                delta(call("g", '{"a"', index=0, id="b")),
                delta(call(None, ":1}", index=0, id="a")),
                delta(call(None, ":1}", index=0, id="b")),
            ],
            [F, G],
            id="one number, deltas in turns",
        ),
        pytest.param(
            [delta(call("", "", index=3)), delta(call("f", WHOLE, index=3, id="a"))],
            [F],
            id="name and id come late",
        ),
    ],
)
def test_tool_calls_are_told_apart(chunks: list[Body], calls: list[tuple[str, str]]) -> None:
    """litellm #20711: deltas of two calls under one number ended up in one."""
    read, shown = run(chunks)
    assert read == shown == calls


def test_who_wants_one_call_at_a_time_hears_the_first() -> None:
    chunks = [
        delta(call("f", '{"a"', index=0, id="a"), call("g", WHOLE, index=1, id="b")),
        delta(call(arguments=":1}", index=0)),
        delta(call(arguments="x", index=1)),
    ]
    read, shown = run(chunks, parallel_tool_calls=False)
    assert read == [F, ("g", f"{WHOLE}x")]
    assert shown == [F]


def test_usage_tells_the_details_that_nothing_is_charged_by() -> None:
    reported: Body = {
        "prompt_tokens": 9,
        "completion_tokens": 9,
        "prompt_tokens_details": {"audio_tokens": 3},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 4,
            "rejected_prediction_tokens": "5",
        },
    }
    served = serve(Surface.CHAT, ASKED).reply
    assert isinstance(served, Served)
    request = served.trace.arrival
    assert isinstance(request, Request)
    writer = WIRES[Surface.CHAT].StreamWriter(request, ModelId("a/b"), ID)
    writer.feed({"choices": [], "usage": reported})
    sent = writer.finish(served)
    assert b'"audio_tokens":3}' in sent
    assert b'"accepted_prediction_tokens":4,"rejected_prediction_tokens":0' in sent


CITED: Body = {"url": "https://x.test", "title": "X", "start_index": 0, "end_index": 1}


def test_citations_come_together_before_the_choice_ends() -> None:
    """openai-python cannot add to a list in a delta whose entries have no index."""
    found = [{"type": "url_citation", "url_citation": {**CITED, "content": "…"}}]
    holes = [{"type": "url_citation", "url_citation": {"url": "https://x.test"}}, {"type": "new"}]
    served = serve(Surface.CHAT, ASKED).reply
    assert isinstance(served, Served)
    request = served.trace.arrival
    assert isinstance(request, Request)
    writer = WIRES[Surface.CHAT].StreamWriter(request, ModelId("a/b"), ID)
    sent = b""
    for cited in (found, holes, found):
        delta_: Body = {"content": "a", "annotations": cited}
        sent += writer.feed({"choices": [{"index": 0, "delta": delta_}]})
    assert b"annotations" not in sent
    sent += writer.finish(served)
    check(Surface.CHAT, sent)
    shown = [
        chunk["choices"][0]["delta"]["annotations"]
        for chunk in read_events(sent)
        if chunk["choices"] and "annotations" in chunk["choices"][0]["delta"]
    ]
    assert shown == [[{"type": "url_citation", "url_citation": CITED}] * 2]
    whole = {"message": {"content": "a", "annotations": found + holes}, "finish_reason": "stop"}
    answer = WIRES[Surface.CHAT].read_answer({"choices": [whole]})
    assert isinstance(answer, Answer)
    body: Any = WIRES[Surface.CHAT].answer_body(Served(answer, served.trace))
    assert body["choices"][0]["message"]["annotations"] == shown[0][:1]
