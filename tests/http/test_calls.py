from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Fault, FaultKind
from astrolabe_core.messages import CallModel
from astrolabe_core.requests import Request, Surface
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.stacks import Boundaries, DataRule
from astrolabe_core.units import Millis, RequestId, Tokens
from astrolabe_http.answer_bounds import HELD_FACTOR, STREAM_FACTOR
from astrolabe_http.calls import Event, Exchange
from astrolabe_http.transport import Unanswered
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation import Upstream
from tests.http.gateways import (
    CHAT,
    DONE,
    NOON,
    RESPONSES,
    WHOLE_STREAM,
    Script,
    ScriptedReply,
    ScriptedTransport,
    chat_chunk,
    chat_reply,
    json_reply,
    sse,
    stream_reply,
    whole_stream,
)

BREAK = Unanswered(Fault(kind=FaultKind.PROVIDER_ERROR, message="broken off"))


def command(*, relayed: bool = False, surface: Surface = Surface.CHAT, **body: Any) -> CallModel:
    base = CHAT if surface is Surface.CHAT else RESPONSES
    request = WIRES[surface].read_request(
        {**base, **body}, id=RequestId("req_1"), at=NOON, stack_header=None
    )
    assert isinstance(request, Request)
    model = shipped.catalog().model("openai/gpt-5.4-nano")
    assert model is not None
    layer = Layer(LayerName.STACK, Boundaries(data_policy=DataRule.NO_TRAINING))
    return CallModel(
        request=request,
        model=model,
        output_tokens_max=Tokens(100),
        layers=(layer,),
        relayed=relayed,
        time_left_ms=Millis(5_000),
    )


def streamed(*, relayed: bool = True) -> CallModel:
    return command(relayed=relayed, stream=True)


def exchange(
    script: Script, asked: CallModel, work: Callable[[Exchange], Awaitable[Any]], size: int = 10_000
) -> Any:
    async def run() -> Any:
        made = Exchange(asked, ScriptedTransport([script]), size)
        try:
            return await work(made)
        finally:
            await made.close()

    return anyio.run(run)


async def begin(made: Exchange) -> Answer | Fault | None:
    return await made.begin()


async def everything(made: Exchange) -> tuple[list[Event], Answer | Fault]:
    """Begin, and read a stream to its end."""
    begun = await made.begin()
    if begun is not None:
        return made.pending, begun
    seen = list(made.pending)
    while True:
        events = await made.advance()
        if isinstance(events, Fault):
            return seen, events
        if events is None:
            return seen, made.conclude()
        seen += events


def test_the_provider_gets_the_model_the_priced_cap_and_the_rules() -> None:
    transport = ScriptedTransport()

    async def run() -> None:
        made = Exchange(command(), transport, 10_000)
        await made.begin()
        await made.close()

    anyio.run(run)
    path, body = transport.sent[0]
    assert path == "/chat/completions"
    assert body["model"] == "openai/gpt-5.4-nano"
    assert body["max_tokens"] == 100
    assert body["provider"] == {"data_collection": "deny"}


def test_responses_go_to_their_own_path() -> None:
    transport = ScriptedTransport([json_reply({}, 500)])

    async def run() -> None:
        await Exchange(command(surface=Surface.RESPONSES), transport, 10_000).begin()

    anyio.run(run)
    assert transport.sent[0][0] == "/responses"


def test_a_whole_answer_carries_usage_cost_and_generation() -> None:
    reply = chat_reply("Hi.")
    reply.headers = {"x-generation-id": "gen-header"}
    answer = exchange(reply, command(), begin)
    assert isinstance(answer, Answer)
    assert answer.text == "Hi."
    assert answer.receipt.usage is not None
    assert answer.receipt.cost == 7_000
    assert answer.receipt.generation == "gen-header"
    assert reply.closed.is_set()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (json_reply({"error": {"message": "m", "code": 429}}, 429), FaultKind.RATE_LIMITED),
        (json_reply({"error": {"message": "m", "code": 502}}, 200), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b"<html>"], 502), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b"{"], 200), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b"[]"], 200), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b"{}"], 200), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b'{"id"', BREAK], 200), FaultKind.PROVIDER_ERROR),
        (Unanswered(Fault(kind=FaultKind.UNREACHABLE, message="m")), FaultKind.UNREACHABLE),
        (ScriptedReply([b" " * 10_001], 200), FaultKind.PROVIDER_ERROR),
        (ScriptedReply([b" " * 10_001], 500), FaultKind.PROVIDER_ERROR),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_answer_is_a_fault(reply: Script, kind: FaultKind, stream: bool) -> None:
    asked = command(stream=stream, relayed=stream)
    if stream and isinstance(reply, ScriptedReply) and reply.status == 200:
        reply = ScriptedReply([b"data: ", *reply.chunks_, b"\n\n"])
    fault = exchange(reply, asked, begin)
    assert isinstance(fault, Fault)
    assert fault.kind is kind


def test_a_fault_keeps_the_wait_that_the_provider_asks_for() -> None:
    fault = exchange(json_reply({}, 429, retry_after="9"), command(), begin)
    assert fault.retry_after_s == 9


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_beyond_the_bound_is_not_read_and_one_at_it_is(stream: bool) -> None:
    asked = command(stream=stream, relayed=stream)

    def reply() -> ScriptedReply:
        return whole_stream() if stream else chat_reply()

    size = sum(map(len, reply().chunks_))
    factor = STREAM_FACTOR if stream else 1
    assert isinstance(exchange(reply(), asked, everything, -(-size // factor))[1], Answer)
    _, fault = exchange(reply(), asked, everything, (size - len(DONE) - 1) // factor)
    assert isinstance(fault, Fault)
    assert "larger" in fault.message


def test_a_stream_that_is_held_back_may_be_less_long() -> None:
    size = sum(map(len, whole_stream().chunks_))
    asked = streamed(relayed=False)
    assert isinstance(exchange(whole_stream(), asked, begin, -(-size // HELD_FACTOR)), Answer)
    assert isinstance(exchange(whole_stream(), asked, begin, size // STREAM_FACTOR), Fault)


def test_a_relayed_stream_is_opened_at_its_first_content() -> None:
    reply = stream_reply(
        b": OPENROUTER PROCESSING\n\n", sse(WHOLE_STREAM[0]), sse(*WHOLE_STREAM[1:3]), BREAK
    )

    async def work(made: Exchange) -> None:
        assert await made.begin() is None
        assert made.pending == list(WHOLE_STREAM[:3])
        assert isinstance(await made.advance(), Fault)

    exchange(reply, streamed(), work)


def test_a_stream_is_whole_when_all_its_events_came() -> None:
    seen, answer = exchange(whole_stream(), streamed(), everything)
    assert seen == list(WHOLE_STREAM)
    assert isinstance(answer, Answer)
    assert answer.text == "Hello there."
    assert answer.receipt.usage is not None


def test_a_stream_that_is_held_back_is_read_to_its_end_and_kept() -> None:
    answer = exchange(whole_stream(), streamed(relayed=False), begin)
    assert isinstance(answer, Answer)
    assert answer.payload == WHOLE_STREAM


def test_a_relayed_stream_without_content_is_an_answer_without_a_relay() -> None:
    events = (chat_chunk(""), chat_chunk(finish="stop"), WHOLE_STREAM[-1])
    answer = exchange(stream_reply(sse(*events), DONE), streamed(), begin)
    assert isinstance(answer, Answer)
    assert answer.text == ""
    assert answer.payload == events


def test_an_error_frame_behind_a_200_is_a_fault_before_any_content() -> None:
    """claude-code-router #1759: 200, then the error is the first frame."""
    error = {"error": {"code": 502, "message": "overloaded"}, "choices": []}
    fault = exchange(stream_reply(sse(error), DONE), streamed(), begin)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.PROVIDER_ERROR


def test_what_came_before_an_error_frame_is_still_handed_on() -> None:
    error = {**chat_chunk(), "error": {"code": 502, "message": "overloaded"}}
    seen, fault = exchange(stream_reply(sse(*WHOLE_STREAM[:3], error)), streamed(), everything)
    assert seen == list(WHOLE_STREAM[:3])
    assert isinstance(fault, Fault)


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param([], id="ends early"),
        pytest.param([DONE], id="says that it is done"),
        pytest.param([BREAK], id="breaks"),
        pytest.param([b"data: {\x00]\n\n", sse(*WHOLE_STREAM[3:]), DONE], id="garbage"),
        pytest.param([b"data: " + b"x" * 20_000], id="a line without end"),
    ],
)
def test_a_stream_cut_short_is_never_whole(rest: list[Any]) -> None:
    """litellm #40404: an upstream cut mid-answer looked whole."""
    reply = stream_reply(sse(*WHOLE_STREAM[:3]), *rest)
    seen, fault = exchange(reply, streamed(), everything)
    assert seen == list(WHOLE_STREAM[:3])
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.PROVIDER_ERROR


def test_usage_seen_before_a_break_is_in_the_fault() -> None:
    early = {**chat_chunk("Hello"), "usage": WHOLE_STREAM[-1]["usage"]}
    reply = stream_reply(sse(early), BREAK, x_generation_id="gen-header")
    _, fault = exchange(reply, streamed(), everything)
    assert isinstance(fault, Fault)
    assert fault.receipt.usage is not None
    assert fault.receipt.generation == "gen-header"


def test_a_stream_may_come_in_single_bytes() -> None:
    raw = sse(*WHOLE_STREAM) + DONE
    reply = stream_reply(*(raw[place : place + 1] for place in range(len(raw))))
    _, answer = exchange(reply, streamed(), everything)
    assert isinstance(answer, Answer)
    assert answer.text == "Hello there."


def test_separators_of_unicode_end_no_line() -> None:
    text = "a\u2028b\u0085c"
    raw = f'data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}\n\n'.encode()
    reply = stream_reply(raw, sse(*WHOLE_STREAM[3:]), DONE)
    _, answer = exchange(reply, streamed(), everything)
    assert isinstance(answer, Answer)
    assert answer.text == text


def test_a_provider_that_never_hangs_up_does_not_delay_the_end() -> None:
    reply = stream_reply(sse(*WHOLE_STREAM), DONE, anyio.Event().wait)

    async def run() -> float:
        made = Exchange(streamed(), ScriptedTransport([reply]), 10_000)
        await everything(made)
        begun = anyio.current_time()
        await made.close()
        return anyio.current_time() - begun

    assert anyio.run(run) < 1
    assert reply.closed.is_set()


# --- calls that are held back ----------------------------------------------------------------


def chat_call(**function: str) -> dict[str, Any]:
    chunk = chat_chunk()
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    chunk["choices"][0]["delta"] = {"role": "assistant", "tool_calls": [call]}
    return chunk


CALLED = (chat_call(name="tell", arguments='{"a":'), chat_call(arguments=" 1}"))
ENDED = (chat_chunk(finish="tool_calls"), WHOLE_STREAM[-1])


def holding(surface: Surface = Surface.CHAT) -> CallModel:
    return evolve(command(surface=surface, stream=True, relayed=True), holds_calls=True)


@pytest.mark.parametrize("together", [False, True])
def test_from_the_first_call_on_everything_is_held(together: bool) -> None:
    events = (*WHOLE_STREAM[:3], *CALLED, *ENDED)
    chunks = [sse(*events)] if together else [sse(event) for event in events]
    told: list[bool] = []

    async def run() -> None:
        reply = stream_reply(*chunks, DONE)
        made = Exchange(
            holding(),
            ScriptedTransport([reply]),
            10_000,
            on_hold=lambda: told.append(True),
        )
        assert await made.begin() is None
        seen = list(made.pending)
        while isinstance(more := await made.advance(), list):
            seen += more
        assert seen == [*WHOLE_STREAM[:3]]
        assert made.held == [*CALLED, *ENDED]
        answer = made.conclude()
        assert isinstance(answer, Answer)
        assert [call.arguments for call in answer.tool_calls] == ['{"a": 1}']
        await made.close()

    anyio.run(run)
    assert told == [True]


@pytest.mark.parametrize("relayed", [False, True])
def test_a_call_that_comes_first_is_read_to_its_end(relayed: bool) -> None:
    events = (WHOLE_STREAM[0], *CALLED, *ENDED)
    reply = stream_reply(*map(sse, events), DONE)
    answer = exchange(reply, evolve(holding(), relayed=relayed), begin)
    assert isinstance(answer, Answer)
    assert answer.payload == events


def test_words_and_a_call_in_one_event_are_held_together() -> None:
    both = chat_call(name="tell", arguments="{}")
    both["choices"][0]["delta"]["content"] = "Let me"
    answer = exchange(stream_reply(sse(both, *ENDED), DONE), holding(), begin)
    assert isinstance(answer, Answer)
    assert answer.payload == (both, *ENDED)


def test_a_stream_that_breaks_behind_its_first_call_is_a_fault_before_any_content() -> None:
    fault = exchange(stream_reply(sse(*CALLED), BREAK), holding(), begin)
    assert isinstance(fault, Fault)


def test_where_nobody_asks_for_it_no_call_is_held() -> None:
    events = (*WHOLE_STREAM[:3], *CALLED, *ENDED)
    seen, answer = exchange(stream_reply(sse(*events), DONE), streamed(), everything)
    assert seen == [*events]
    assert isinstance(answer, Answer)


CALL_ITEM = {"type": "function_call", "name": "tell", "call_id": "call_1", "arguments": ""}
SPOKEN_CALL = (
    {"type": "response.output_item.added", "output_index": 1, "item": CALL_ITEM},
    {
        "type": "response.function_call_arguments.delta",
        "output_index": 1,
        "delta": '{"a": 1}',
    },
)


@pytest.mark.parametrize("spoken", list(Surface))
@pytest.mark.parametrize("words", [True, False])
def test_a_translated_call_is_held_too(spoken: Surface, words: bool) -> None:
    """The reader is fed events of the caller's format, whatever came from the provider."""
    if spoken is Surface.RESPONSES:
        chat = (*(WHOLE_STREAM[:3] if words else WHOLE_STREAM[:1]), *CALLED, *ENDED)
        raw, upstream = sse(*chat) + DONE, CHAT_ONLY
    else:
        said = SPOKEN_RESPONSE[:3] if words else SPOKEN_RESPONSE[:1]
        raw, upstream = sse(*said, *SPOKEN_CALL, SPOKEN_RESPONSE[-1]), RESPONSES_ONLY

    async def run() -> None:
        transport = ScriptedTransport([stream_reply(raw)])
        made = Exchange(holding(spoken), transport, 10_000, upstream)
        begun = await made.begin()
        seen = list(made.pending)
        while begun is None and isinstance(more := await made.advance(), list):
            seen += more
        answer = made.conclude() if begun is None else begun
        assert (begun is None) is words
        assert isinstance(answer, Answer)
        assert [call.name for call in answer.tool_calls] == ["tell"]
        assert made.held
        assert "tell" not in repr(seen)
        assert "tell" in repr(made.held)
        await made.close()

    anyio.run(run)


# --- upstreams that have one format, or are plain --------------------------------------------

CHAT_ONLY = Upstream(apis=frozenset({Surface.CHAT}))
RESPONSES_ONLY = Upstream(apis=frozenset({Surface.RESPONSES}))
SPOKEN_RESPONSE = (
    {"type": "response.created", "response": {"id": "resp-1", "status": "in_progress"}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"},
    {"type": "response.output_text.delta", "output_index": 0, "delta": " there."},
    {
        "type": "response.completed",
        "response": {
            "id": "resp-1",
            "status": "completed",
            "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
        },
    },
)


def across(
    reply: ScriptedReply, asked: CallModel, upstream: Upstream
) -> tuple[list[Event], Answer | Fault, str, dict[str, Any]]:
    """Ask an upstream of some kind; give what came, and what it was sent."""
    transport = ScriptedTransport([reply])

    async def run() -> tuple[list[Event], Answer | Fault]:
        made = Exchange(asked, transport, 10_000, upstream)
        try:
            return await everything(made)
        finally:
            await made.close()

    events, result = anyio.run(run)
    path, body = transport.sent[0]
    return events, result, path, body


def test_a_response_is_had_from_an_upstream_that_has_only_chat() -> None:
    asked = command(surface=Surface.RESPONSES)
    _, answer, path, body = across(chat_reply("Hi."), asked, CHAT_ONLY)
    assert path == "/chat/completions"
    assert body["messages"] == [{"role": "user", "content": "Say hello."}]
    assert body["max_tokens"] == 100
    assert body["provider"] == {"data_collection": "deny"}
    assert isinstance(answer, Answer)
    assert answer.text == "Hi."
    assert answer.receipt.cost == 7_000
    assert isinstance(answer.payload, dict)
    assert answer.payload["object"] == "response"


def test_chat_is_had_from_an_upstream_that_has_only_responses() -> None:
    text = {"type": "output_text", "text": "Hi."}
    output = [{"type": "message", "role": "assistant", "content": [text]}]
    whole = json_reply({"id": "resp-1", "status": "completed", "output": output})
    _, answer, path, body = across(whole, command(), RESPONSES_ONLY)
    assert path == "/responses"
    assert body["input"] == [{"type": "message", "role": "user", "content": "Say hello."}]
    assert isinstance(answer, Answer)
    assert answer.text == "Hi."


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("relayed", [True, False])
@pytest.mark.parametrize("spoken", list(Surface))
def test_a_translated_stream_is_whole_with_and_without_a_mark_of_its_end(
    spoken: Surface, relayed: bool, done: bool
) -> None:
    asked = command(surface=spoken, stream=True, relayed=relayed)
    frames, upstream = WHOLE_STREAM, CHAT_ONLY
    if spoken is Surface.CHAT:
        frames, upstream = SPOKEN_RESPONSE, RESPONSES_ONLY
    reply = stream_reply(sse(*frames), *([DONE] if done else []))
    events, answer, _, body = across(reply, asked, upstream)
    assert body["stream"] is True
    assert isinstance(answer, Answer)
    assert answer.text == "Hello there."
    assert answer.receipt.usage is not None
    # What is kept, or handed on, is in the caller's format.
    named = [str(each.get("type")).startswith("response.") for each in events]
    assert all(named) == (spoken is Surface.RESPONSES)
    if not relayed:
        assert answer.payload == tuple(events)


@pytest.mark.parametrize("rest", [[], [DONE], [BREAK], [b"data: {\x00]\n\n"]])
@pytest.mark.parametrize("spoken", list(Surface))
def test_a_translated_stream_that_was_cut_is_never_whole(spoken: Surface, rest: list[Any]) -> None:
    """litellm #40404, across formats."""
    asked = command(surface=spoken, stream=True, relayed=True)
    frames, upstream = WHOLE_STREAM, CHAT_ONLY
    if spoken is Surface.CHAT:
        frames, upstream = SPOKEN_RESPONSE, RESPONSES_ONLY
    events, fault, _, _ = across(stream_reply(sse(*frames[:3]), *rest), asked, upstream)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.PROVIDER_ERROR
    assert not any(event.get("type") == "response.completed" for event in events)


@pytest.mark.parametrize("spoken", list(Surface))
def test_an_error_in_a_translated_stream_comes_after_what_came_before(spoken: Surface) -> None:
    asked = command(surface=spoken, stream=True, relayed=True)
    if spoken is Surface.RESPONSES:
        error: dict[str, Any] = {**chat_chunk(" there."), "error": {"code": 429, "message": "x"}}
        frames, upstream = WHOLE_STREAM[:2], CHAT_ONLY
    else:
        failed = {"status": "failed", "error": {"code": "rate_limit_exceeded"}}
        error = {"type": "response.failed", "response": failed}
        frames, upstream = SPOKEN_RESPONSE[:2], RESPONSES_ONLY
    events, fault, _, _ = across(stream_reply(sse(*frames, error)), asked, upstream)
    assert events
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.RATE_LIMITED


def test_an_error_in_the_first_frame_of_a_translated_stream_is_a_fault_before_any_content() -> None:
    """claude-code-router #1759, across formats."""
    error = {"error": {"code": 502, "message": "overloaded"}}
    asked = command(surface=Surface.RESPONSES, stream=True, relayed=True)

    async def run() -> Answer | Fault | None:
        made = Exchange(asked, ScriptedTransport([stream_reply(sse(error))]), 10_000, CHAT_ONLY)
        return await made.begin()

    assert isinstance(anyio.run(run), Fault)


def test_a_plain_server_is_sent_nothing_of_openrouter_s() -> None:
    plain = Upstream(plain=True)
    sent = {"choices": [{"message": {"role": "assistant", "content": "Hi."}}]}
    _, answer, path, body = across(json_reply(sent), command(), plain)
    assert path == "/chat/completions"
    assert body == {
        "model": "openai/gpt-5.4-nano",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 100,
    }
    assert isinstance(answer, Answer)
    assert answer.text == "Hi."
    assert answer.receipt.usage is None


def test_a_plain_server_s_stream_may_end_as_such_servers_do() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi."}}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
    raw = sse(first, last).replace(b"\n", b"\r\n")
    _, answer, _, body = across(stream_reply(raw), streamed(), Upstream(plain=True))
    assert body["stream_options"] == {"include_usage": True}
    assert isinstance(answer, Answer)
    assert answer.text == "Hi."
    assert answer.receipt.usage is not None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": 400, "type": "exceed_context_size_error"}}, FaultKind.CONTEXT_LENGTH),
        ({"choices": []}, FaultKind.PROVIDER_ERROR),
    ],
)
def test_json_in_place_of_a_stream_is_a_complaint_or_nothing(body: Any, kind: FaultKind) -> None:
    """textgen #7257: llama.cpp complains behind a 200."""
    reply = json_reply(body, content_type="application/json; charset=utf-8")
    fault = exchange(reply, streamed(), begin)
    assert isinstance(fault, Fault)
    assert fault.kind is kind


@pytest.mark.parametrize("done", [True, False])
def test_a_plain_server_that_names_no_end_has_one_where_it_counted_and_is_done(done: bool) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    word = {"choices": [{"index": 0, "delta": {"content": "Hi."}}], "usage": usage}
    reply = stream_reply(sse(word), *([DONE] if done else []))
    _, found, _, _ = across(reply, streamed(), Upstream(plain=True))
    assert isinstance(found, Answer if done else Fault)


def test_fewer_answers_than_were_asked_for_are_a_fault() -> None:
    assert isinstance(exchange(chat_reply("Hi."), command(n=2), begin), Fault)
    assert isinstance(exchange(chat_reply("Hi."), command(n=1), begin), Answer)
