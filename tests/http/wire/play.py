"""A whole gateway without sockets: the real flow, the real simulator, the wire between them.

`serve` takes a caller's body to the bytes that it gets back. `client` is openai-python with strict
validation in front of it, a caller that we did not write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx  # the client that openai-python is built on
import openai
import orjson
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Fault
from astrolabe_core.conformity import Conformity
from astrolabe_core.flow import begin, step
from astrolabe_core.messages import (
    Answered,
    Arrival,
    CallModel,
    Command,
    Event,
    Faulted,
    Hold,
    Inspect,
    Inspected,
    Ledgered,
    Load,
    Loaded,
    LookedUp,
    LookUp,
    Opened,
    Pause,
    Paused,
    Record,
    Refused,
    Relay,
    Reply,
    Served,
    Settle,
)
from astrolabe_core.requests import Surface
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.states import Done
from astrolabe_core.units import Millis, RequestId
from astrolabe_http import sse
from astrolabe_http.errors import error_body, status_of
from astrolabe_http.headers import trace_headers
from astrolabe_http.simulator import SimulatorSettings, frames
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.simulator.errors import refuse_status
from astrolabe_http.simulator.provider import CHAT, RESPONSES, Exchange, Provider
from astrolabe_http.wire import WIRES, Wire, Writer
from tests.flow.world import NOW, Books, books, snapshot

Body = dict[str, Any]
ID = RequestId("req_01test")
PATHS = {"/v1/chat/completions": Surface.CHAT, "/v1/responses": Surface.RESPONSES}
DIALECTS = {Surface.CHAT: CHAT, Surface.RESPONSES: RESPONSES}


@dataclass
class Upstream:
    """The simulated provider, asked directly. `fault` is what it is told to do wrong.

    `said` is what it says in place of an answer of its own: a stream, or a body.
    """

    surface: Surface
    fault: str = ""
    said: bytes = b""
    sent: list[Body] = field(default_factory=list)
    provider: Provider = field(
        default_factory=lambda: Provider(from_catalog(shipped.catalog()), SimulatorSettings())
    )

    def _exchange(self, body: Body) -> Exchange:
        self.sent.append(body)
        record = self.provider.journal.open(0.0, "POST", "/", [])
        faulty = body if not self.fault else {**body, "model": f"{body['model']}#{self.fault}"}
        record.raw_body = orjson.dumps(faulty)
        exchange = self.provider.prepare(DIALECTS[self.surface], record)
        assert isinstance(exchange, Exchange), exchange
        return exchange

    def body(self, body: Body) -> Body:
        """The JSON answer."""
        if self.said:
            self.sent.append(body)
            read = orjson.loads(self.said)
            assert isinstance(read, dict)
            return read
        exchange = self._exchange(body)
        dialect, faults = DIALECTS[self.surface], exchange.faults
        if "error-200" in faults:
            made = dialect.failure_body(exchange.ask, exchange.answer, refuse_status(502))
        else:
            made = dialect.body(exchange.ask, exchange.answer, faults)
        read = orjson.loads(orjson.dumps(made))
        assert isinstance(read, dict)
        return read

    def stream(self, body: Body) -> bytes:
        """The bytes of the stream."""
        if self.said:
            self.sent.append(body)
            return self.said
        exchange = self._exchange(body)
        dialect, ask, made = DIALECTS[self.surface], exchange.ask, exchange.answer

        def fail(sent: int) -> list[frames.Frame]:
            return dialect.failure_frames(ask, made, refuse_status(502), sent)

        rendered = dialect.frames(ask, made, exchange.faults, 2)
        return b"".join(frame.data for frame in frames.disturb(rendered, exchange.faults, fail))


@dataclass
class Played:
    """How a request went: its reply, and what the caller gets."""

    reply: Reply
    status: int
    headers: list[tuple[bytes, bytes]]
    sent: bytes
    upstream: Upstream
    books: Books

    @property
    def json(self) -> Body:
        """The body of an answer that is no stream."""
        body: Body = orjson.loads(self.sent)
        return body

    @property
    def events(self) -> list[Body]:
        """The events of a stream, without `[DONE]`."""
        return list(read_events(self.sent))


def read_events(sent: bytes) -> Iterator[Body]:
    """Give the JSON events of a stream."""
    for event in sse.Decoder().feed(sent):
        assert isinstance(event, sse.Event)
        read = sse.read_object(event.data)
        if isinstance(read, dict):
            assert event.name == read.get("type", "")
            yield read


@dataclass
class _Stream:
    """A stream that was opened: its events, of which the first few were looked at."""

    events: list[Body]
    result: Answer | Fault


@dataclass
class _Play:
    surface: Surface
    body: Body
    upstream: Upstream
    world: Snapshot
    rows: Books = field(default_factory=books)
    writer: Writer | None = None
    written: bytes = b""

    @property
    def wire(self) -> Wire:
        return WIRES[self.surface]

    def run(self, stack_header: str | None) -> Played:
        request = self.wire.read_request(self.body, id=ID, at=NOW, stack_header=stack_header)
        now = begin(Arrival(request=request, key_hash="hash", time_limit_ms=Millis(60_000)))
        while now.command is not None:
            now = step(now.state, self._perform(now.command))
        assert isinstance(now.state, Done)
        reply = now.state.reply
        status, sent = self._ended(reply)
        assert isinstance(reply, Served | Refused)
        return Played(reply, status, trace_headers(reply.trace), sent, self.upstream, self.rows)

    def _perform(self, command: Command) -> Event:
        match command:
            case Load():
                return Loaded(self.world)
            case Record(command=order) | Hold(command=order) | Settle(command=order):
                return Ledgered(self.rows.carry_out(order), NOW)
            case CallModel():
                return self._call(command)
            case Relay(stream=stream):
                assert isinstance(stream, _Stream)
                request, model = self._called.request, self._called.model
                self.writer = self.wire.StreamWriter(request, model.id, request.id)
                self.written += b"".join(map(self.writer.feed, stream.events))
                if isinstance(stream.result, Fault):
                    return Faulted(stream.result, NOW)
                return Answered(stream.result, NOW)
            case Inspect(claims=claims):
                return Inspected(tuple(Conformity(fitting=0) for _ in claims), NOW)
            case Pause():
                return Paused(NOW)
            case LookUp():
                return LookedUp(None, NOW)

    def _call(self, command: CallModel) -> Event:
        if command.trace is None:
            return self._judge(command)
        self._called = command
        body = self.wire.upstream_body(command, {})
        if not command.request.stream:
            result = self.wire.read_answer(self.upstream.body(body))
            return Faulted(result, NOW) if isinstance(result, Fault) else Answered(result, NOW)
        events, fault, content = self._read(body)
        if content and command.relayed:
            return Opened(_Stream(events, fault), NOW)
        if isinstance(fault, Fault):
            return Faulted(fault, NOW)
        return Answered(evolve(fault, payload=tuple(events)), NOW)

    def _judge(self, command: CallModel) -> Event:
        """Ask a verifier: a request of ours, always in Chat, whatever the caller speaks."""
        wire = WIRES[command.request.surface]
        body = Upstream(command.request.surface).body(wire.upstream_body(command, {}))
        result = wire.read_answer(body)
        return Faulted(result, NOW) if isinstance(result, Fault) else Answered(result, NOW)

    def _read(self, body: Body) -> tuple[list[Body], Answer | Fault, bool]:
        reader = self.wire.StreamReader(choices=self._called.request.choices)
        events: list[Body] = []
        for event in read_all(self.upstream.stream(body)):
            fault = reader.feed(event)
            if fault is not None:
                return events, fault, reader.content
            events.append(event)
        return events, reader.answer(), reader.content

    def _ended(self, reply: Reply) -> tuple[int, bytes]:
        match reply:
            case Served(answer=answer, trace=trace):
                if not self.body.get("stream"):
                    return 200, orjson.dumps(self.wire.answer_body(reply))
                if self.writer is None:
                    request = self._called.request
                    assert trace.served is not None
                    model = trace.served.option.model.id
                    self.writer = self.wire.StreamWriter(request, model, request.id)
                    self.written += b"".join(map(self.writer.feed, self.wire.held_events(answer)))
                return 200, self.written + self.writer.finish(reply)
            case Refused(trace=trace):
                assert trace.refusal is not None
                if self.writer is not None:
                    return 200, self.written + self.writer.fail(trace.refusal)
                refusal = trace.refusal
                return status_of(refusal), orjson.dumps(error_body(refusal, ID))
            case _:
                raise AssertionError(reply)


def read_all(raw: bytes) -> Iterator[Body]:
    """Give what a provider's stream holds, up to `[DONE]`."""
    for event in sse.Decoder().feed(raw):
        assert isinstance(event, sse.Event)
        read = sse.read_object(event.data)
        if read is sse.Mark.DONE:
            return
        if isinstance(read, dict):
            yield read


def serve(
    surface: Surface,
    body: Body,
    *,
    fault: str = "",
    said: bytes = b"",
    stack_header: str | None = None,
    world: Snapshot | None = None,
) -> Played:
    """Take a caller's body to the bytes that it gets back."""
    play = _Play(surface, body, Upstream(surface, fault, said), world or snapshot())
    return play.run(stack_header)


def client(fault: str = "", *, seen: Callable[[Played], None] = lambda _: None) -> openai.OpenAI:
    """openai-python with strict validation, in front of `serve`."""

    def handle(request: httpx.Request) -> httpx.Response:
        played = serve(PATHS[request.url.path], json.loads(request.content), fault=fault)
        seen(played)
        streamed = played.sent.startswith((b"data:", b"event:"))
        kind = "text/event-stream" if streamed else "application/json"
        headers = [(b"content-type", kind.encode()), *played.headers]
        return httpx.Response(played.status, headers=headers, content=played.sent)

    return openai.OpenAI(
        base_url="http://gateway.test/v1",
        api_key="any",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(handle)),
        _strict_response_validation=True,
    )
