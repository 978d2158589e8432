"""Whatever callers and providers write, the wire reads it or says what is wrong, and never breaks.

Sound bodies, answers and streams of every kind, spoiled in a few places, through the whole flow:
what is sent to the provider can be written and holds nothing of the routing; what a caller gets is
an answer, an error of ours, or a stream that keeps its grammar.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from astrolabe_core.answers import Answer, Fault
from astrolabe_core.flow import begin, step
from astrolabe_core.messages import (
    Arrival,
    CallModel,
    Hold,
    Ledgered,
    Load,
    Loaded,
    Record,
    Refused,
    Served,
)
from astrolabe_core.requests import Malformed, Request, Surface
from astrolabe_core.units import Millis
from astrolabe_http.errors import FORMS
from astrolabe_http.failures import classify
from astrolabe_http.sse import Decoder, Event, Mark, data_frame, read_object
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation import passage_for, untranslatable
from astrolabe_http.wire.translation.passage import Passage, Upstream
from tests.flow.world import NOW, books, snapshot
from tests.http.wire.corpus import SPOKEN, SURFACES, named_frame
from tests.http.wire.junk import JUNK, spoiled, spoiled_events
from tests.http.wire.play import ID, Body, Played, serve
from tests.http.wire.relaying import check, relay

CANARY = "canary-session"
ROUTING: Body = {
    "astrolabe": {"session_id": CANARY, "explain": True, "tool_capabilities": {"f": ["read"]}},
    "kept": "yes",
}
SCHEMA: Body = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
COMMON: Body = {
    "model": "auto",
    "metadata": ROUTING,
    "temperature": 0.5,
    "top_p": 0.9,
    "parallel_tool_calls": True,
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "service_tier": "auto",
    "store": False,
    "user": "u",
    "top_logprobs": 2,
    "reasoning": {"effort": "low", "summary": "auto"},
    "stream": True,
}
FUNCTION: Body = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
IMAGE = "https://x.test/a.png"
PDF = "data:application/pdf;base64,AAAA"
CHAT: Body = {
    **COMMON,
    "messages": [
        {"role": "developer", "content": "be kind"},
        {
            "role": "user",
            "name": "n",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "sealed"}],
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "refusal": "no"},
        {"role": "user", "content": "and?"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "max_completion_tokens": 100,
    "n": 1,
    "seed": 7,
    "stop": ["x"],
    "logprobs": True,
    "logit_bias": {"7": 1},
    "reasoning_effort": "low",
    "stream_options": {"include_usage": True},
    "prediction": {"type": "content", "content": "x"},
}
RESPONSES: Body = {
    **COMMON,
    "instructions": "be kind",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": IMAGE, "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "why"}],
            "encrypted_content": "sealed",
        },
        {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_text", "text": "done"}],
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "so", "annotations": []}],
        },
        {"role": "user", "content": "and?"},
    ],
    "tools": [{"type": "function", **FUNCTION}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {
        "format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True},
        "verbosity": "low",
    },
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 100,
    "max_tool_calls": 3,
    "truncation": "auto",
}
BODIES = {Surface.CHAT: CHAT, Surface.RESPONSES: RESPONSES}
STREAMS = {
    surface: [spoken for spoken in SPOKEN if spoken.surface is surface] for surface in SURFACES
}


def frames(surface: Surface, events: list[Body]) -> bytes:
    """Write what a provider says."""
    if surface is Surface.CHAT:
        return b"".join(map(data_frame, events)) or b"\n"
    named = [named_frame("x", each) for each in events]
    return b"".join(named) or b"\n"


def judge(surface: Surface, played: Played) -> None:
    """Fail unless what went out, both ways, is what may go out."""
    for sent in played.upstream.sent:
        assert CANARY not in orjson.dumps(sent).decode()
        assert not [key for key in sent.get("metadata", {}) if key.startswith("astrolabe")]
    if played.status != 200:
        assert played.json["error"]["code"] in {code.value for code in FORMS}
        return
    request = played.reply.trace.arrival
    assert isinstance(request, Request)
    if request.stream:
        options: Any = request.body.get("stream_options") or {}
        usage_wanted = options.get("include_usage") is True
        check(surface, played.sent, usage_wanted=usage_wanted)
    else:
        assert played.json["object"] in {"chat.completion", "response"}


@settings(max_examples=200)
@given(st.data())
def test_any_body_is_served_or_refused(data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(SURFACES))
    body = data.draw(spoiled(BODIES[surface]))
    found = WIRES[surface].read_request(body, id=ID, at=NOW, stack_header=None)
    event(f"{surface.value}: {type(found).__name__}")
    if isinstance(found, Malformed):
        assert found.refusal.message
        return
    spoken = data.draw(st.sampled_from(STREAMS[surface]))
    said = b"".join(spoken.frames) if found.stream else WHOLE[surface]
    played = serve(surface, body, said=said)
    event(f"{surface.value}: {played.status}")
    judge(surface, played)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_bodies_that_are_spoiled_are_sound(surface: Surface) -> None:
    """Nobody learns from a body that is refused before anything is read."""
    spoken = STREAMS[surface][0]
    played = serve(surface, BODIES[surface], said=b"".join(spoken.frames))
    assert isinstance(played.reply, Served)
    judge(surface, played)


@pytest.mark.parametrize(
    ("surface", "fields"),
    [
        (Surface.CHAT, {"response_format": {"type": []}}),
        (Surface.RESPONSES, {"text": {"format": {"type": {}}}}),
    ],
)
def test_an_array_where_a_word_should_be_is_refused(surface: Surface, fields: Body) -> None:
    """Found by these tests: an array is in no set of words, and asking that raises."""
    body = {**BODIES[surface], **fields}
    found = WIRES[surface].read_request(body, id=ID, at=NOW, stack_header=None)
    assert isinstance(found, Malformed)


# --- providers -------------------------------------------------------------------------------

USAGE: Body = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "cost": 0.000007,
    "prompt_tokens_details": {"cached_tokens": 1},
}
ANSWERS: dict[Surface, Body] = {
    Surface.CHAT: {
        "id": "gen-1",
        "provider": "OpenAI",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "logprobs": {"content": [{"token": "a", "logprob": -1.0}]},
                "message": {
                    "role": "assistant",
                    "content": "a",
                    "refusal": None,
                    "reasoning": "hm",
                    "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
                    ],
                },
            }
        ],
        "usage": USAGE,
    },
    Surface.RESPONSES: {
        "id": "gen-1",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "why"}],
                "content": [{"type": "reasoning_text", "text": "hm"}],
                "encrypted_content": "sealed",
            },
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {"type": "output_text", "text": "a", "annotations": [], "logprobs": []},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "cost": 0.1},
    },
}
PASSAGES = [
    Passage(spoken=spoken, path=path, plain=plain)
    for spoken in SURFACES
    for path in SURFACES
    for plain in (False, True)
]
WHOLE = {surface: orjson.dumps(answer) for surface, answer in ANSWERS.items()}


@settings(max_examples=200)
@given(st.data())
def test_any_answer_of_a_provider_is_told_or_refused(data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(SURFACES))
    answer = data.draw(spoiled(ANSWERS[surface]))
    body = {**BODIES[surface], "stream": False, "stream_options": None}
    played = serve(surface, body, said=orjson.dumps(answer))
    event(f"{surface.value}: {played.status}")
    assert isinstance(played.reply, Served | Refused)
    judge(surface, played)


@pytest.mark.parametrize("odd", [[], {}, ["failed"], 7])
def test_a_status_or_phase_that_is_no_word_is_none(odd: object) -> None:
    said = {**ANSWERS[Surface.RESPONSES]["output"][1], "phase": odd}
    answer = {**ANSWERS[Surface.RESPONSES], "output": [said]}
    body: Body = {"model": "auto", "input": "Hello"}
    played = serve(Surface.RESPONSES, body, said=orjson.dumps(answer))
    assert "phase" not in played.json["output"][0]
    unsaid = serve(Surface.RESPONSES, body, said=orjson.dumps({**answer, "status": odd}))
    assert unsaid.status == 502


@settings(max_examples=200)
@given(st.data())
def test_any_stream_of_a_provider_is_told_or_refused(data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(SURFACES))
    spoken = data.draw(st.sampled_from(STREAMS[surface]))
    events = data.draw(spoiled_events(spoken.events))
    found = relay(surface, events)
    event(f"{surface.value}: {type(found.result).__name__}")
    check(surface, found.sent)
    played = serve(surface, spoken.body, said=frames(surface, events))
    judge(surface, played)


@settings(max_examples=200)
@given(st.none() | st.integers(100, 599), st.data())
def test_any_error_of_a_provider_is_understood_in_our_words(
    status: int | None, data: st.DataObject
) -> None:
    word = "canary"
    body = {
        "error": {
            "code": word,
            "type": word,
            "message": word,
            "param": word,
            "metadata": {"error_type": word, "headers": {"Retry-After": "7"}, "reasons": [word]},
        }
    }
    headers = data.draw(st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text()))
    found = classify(status, data.draw(spoiled(body) | JUNK), headers)
    assert found.message
    assert word not in repr(found)


# --- upstreams that have one format, or are plain --------------------------------------------

UPSTREAMS = [
    Upstream(apis=frozenset(apis), plain=plain)
    for apis in ({Surface.CHAT}, {Surface.RESPONSES}, set(Surface))
    for plain in (False, True)
]


def commanded(request: Request) -> CallModel | None:
    """Give the call that the flow would make for a request, if any."""
    now = begin(Arrival(request=request, key_hash="hash", time_limit_ms=Millis(60_000)))
    world, rows = snapshot(), books()
    while now.command is not None:
        match now.command:
            case CallModel():
                return now.command
            case Load():
                now = step(now.state, Loaded(world))
            case Record(command=order) | Hold(command=order):
                now = step(now.state, Ledgered(rows.carry_out(order), NOW))
            case _:
                raise AssertionError(now.command)
    return None


@settings(max_examples=200)
@given(st.data())
def test_any_body_is_translated_or_refused(data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(SURFACES))
    upstream = data.draw(st.sampled_from(UPSTREAMS))
    body = data.draw(st.just(BODIES[surface]) | spoiled(BODIES[surface]))
    found = WIRES[surface].read_request(body, id=ID, at=NOW, stack_header=None)
    if isinstance(found, Malformed):
        return
    refusal = untranslatable(found, upstream)
    event(f"{surface.value}: {'said' if refusal is None else 'unsayable'}")
    if refusal is not None:
        assert refusal.message
        return
    command = commanded(found)
    if command is None:
        return
    made = WIRES[surface].upstream_body(command, {})
    sent = passage_for(found, upstream).request(made, found.body)
    assert CANARY not in orjson.dumps(sent).decode()


@settings(max_examples=200)
@given(st.data())
def test_any_answer_is_translated_or_a_fault(data: st.DataObject) -> None:
    passage = data.draw(st.sampled_from(PASSAGES))
    answer = data.draw(spoiled(ANSWERS[passage.path]))
    found = WIRES[passage.spoken].read_answer(passage.answer(answer))
    event(type(found).__name__)
    assert isinstance(found, Answer | Fault)


@settings(max_examples=200)
@given(st.data())
def test_any_stream_is_translated_or_ends_in_an_error(data: st.DataObject) -> None:
    passage = data.draw(st.sampled_from(PASSAGES))
    spoken = data.draw(st.sampled_from(STREAMS[passage.path]))
    done, translator = data.draw(st.booleans()), passage.stream()
    events = data.draw(st.just([*spoken.events]) | spoiled_events(spoken.events))
    if translator is not None:
        told = [each for said in events for each in translator.feed(said)]
        events = told + translator.end(done=done)
    found = relay(passage.spoken, events)
    event(f"{passage.spoken.value} by {passage.path.value}: {type(found.result).__name__}")
    check(passage.spoken, found.sent)


# --- bytes -----------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.binary(max_size=80), st.lists(st.integers(0, 5), max_size=40), st.integers(1, 40))
def test_any_bytes_are_events_however_they_come(
    raw: bytes, sizes: list[int], bytes_max: int
) -> None:
    def decode(pieces: list[bytes]) -> list[object]:
        decoder = Decoder(line_bytes_max=bytes_max, event_bytes_max=bytes_max)
        return [found for piece in pieces for found in decoder.feed(piece)]

    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    found = decode([*pieces, raw[at:]])
    assert found == decode([raw])
    for each in found:
        if isinstance(each, Event):
            assert len(each.data.encode("utf-8", "replace")) <= 3 * bytes_max
            assert isinstance(read_object(each.data), dict | Mark)


@given(st.text(st.characters()))
def test_any_text_is_an_object_the_end_or_rubbish(text: str) -> None:
    assert isinstance(read_object(text), dict | Mark)
