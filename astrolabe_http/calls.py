"""How is one model asked, over whatever carries the bytes?

An `Exchange` is one attempt: a body is sent, the answer is read within bounds and reduced to an
`Answer` or a `Fault`. A stream to be relayed is looked at until its first content: an error frame
behind a 200 is a fault like any other then, and the next candidate may be asked. Where the command
holds calls, nothing from the first tool call on is given out: it waits in `held`, and where nothing
was said before it the whole answer is read. What a provider said of usage and cost so far can be
had at any moment, since a caller may leave at any moment.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Final, TypeAlias

import anyio
import anyio.lowlevel
import orjson
from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, FaultKind, Receipt
from astrolabe_core.messages import CallModel
from astrolabe_core.requests import OutputFormat, Surface
from astrolabe_http import sse
from astrolabe_http.answer_bounds import (
    ERROR_BYTES_MAX,
    ERROR_WAIT_S,
    HELD_FACTOR,
    STREAM_FACTOR,
    is_bulky,
    read_json,
)
from astrolabe_http.failures import classify
from astrolabe_http.provider_rules import name_parameters, provider_rules
from astrolabe_http.transport import Reply, Transport, Unanswered
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation import OPENROUTER, Upstream, passage_for

Event: TypeAlias = dict[str, object]

PATHS: Final[Mapping[Surface, str]] = {
    Surface.CHAT: "/chat/completions",
    Surface.RESPONSES: "/responses",
}
_LINGER_S: Final = 0.05
"""How long the end of a body is waited for after its last event: the connection is kept then."""

_CROWD_BYTES: Final = 4_096
"""A chunk above which everybody else is let run first."""

_GARBLED: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider sent something that cannot be read"
)
_PACKED: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer is compressed; nobody asked it to"
)
_TOO_LARGE: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer is larger than is read"
)


def _unheard() -> None:
    """Tell nobody."""


class Exchange:
    """One call of one model, from its body to its last event.

    `on_hold` is told once, when events of a stream to be relayed begin to be held back.
    """

    def __init__(
        self,
        command: CallModel,
        transport: Transport,
        bytes_max: int,
        upstream: Upstream = OPENROUTER,
        on_hold: Callable[[], None] = _unheard,
    ) -> None:
        self.command = command
        self.pending: list[Event] = []
        self.held: list[Event] = []
        self._on_hold = on_hold
        self._held_bytes_max = bytes_max * HELD_FACTOR
        self._holds = command.relayed and command.holds_calls
        self._spoken = False
        self.deadline = anyio.current_time() + command.time_left_ms / 1_000
        self._transport = transport
        if command.request.stream:
            bytes_max *= STREAM_FACTOR if command.relayed else HELD_FACTOR
        self._bytes_left = bytes_max
        self._wire = WIRES[command.request.surface]
        self._reader = self._wire.StreamReader(choices=command.request.choices)
        self._passage = passage_for(command.request, upstream)
        self._translator = self._passage.stream() if command.request.stream else None
        self._decoder = sse.Decoder()
        self._reply: Reply | None = None
        self._chunks: AsyncGenerator[bytes] | None = None
        self._ended = False
        self._fault: Fault | None = None

    @property
    def receipt(self) -> Receipt:
        """What the provider has said of this call so far."""
        if not self.command.request.stream:
            return self._marked(NO_RECEIPT)
        return self._marked(self._reader.receipt)

    async def begin(self) -> Answer | Fault | None:
        """Send the request; give the whole answer, or why there is none.

        `None` where a stream is to be relayed and its first content is there: it is in
        `pending`, and `advance` gives what follows.
        """
        try:
            result = await self._begin()
        except Unanswered as error:
            return self._failed(error.fault)
        return self._failed(result) if isinstance(result, Fault) else result

    async def advance(self) -> list[Event] | Fault | None:
        """Give the next events of a stream, a fault, or `None` at its end."""
        # Entered for each chunk: nothing is awaited in between but the transport itself.
        try:
            while self._fault is None and not self._ended:
                if self._chunks is None:
                    events = self._end(done=False)
                else:
                    chunk = self._counted(await anext(self._chunks, None))
                    if chunk is not None and len(chunk) > _CROWD_BYTES:
                        # More than is said at once: bytes wait, and come without a pause.
                        await anyio.lowlevel.checkpoint()
                    events = self._end(done=False) if chunk is None else self._take(chunk)
                if events:
                    return events
        except Unanswered as error:
            return self._failed(error.fault)
        return None if self._fault is None else self._failed(self._fault)

    def conclude(self) -> Answer | Fault:
        """Reduce a stream that has ended."""
        answer = self._reader.answer()
        if isinstance(answer, Fault):
            return self._failed(answer)
        return self._weighed(answer)

    async def close(self) -> None:
        """Let go of the connection, whatever state it is in; what still comes is cancelled."""
        if self._chunks is None and self._reply is not None:
            # Read to its end: nothing is waited for, and most calls end so.
            await self._reply.close()
            return
        with anyio.CancelScope(shield=True):
            if self._ended and self._chunks is not None:
                with anyio.move_on_after(_LINGER_S):
                    await self._drain()
            if self._chunks is not None:
                await self._chunks.aclose()
            if self._reply is not None:
                await self._reply.close()

    async def _begin(self) -> Answer | Fault | None:
        command = self.command
        rules = provider_rules((layer.boundaries for layer in command.layers), command.request)
        made = self._wire.upstream_body(command, rules)
        body = orjson.dumps(self._passage.request(made, command.request.body))
        reply = self._reply = await self._transport.post(PATHS[self._passage.path], body)
        self._chunks = reply.chunks()
        coding = reply.headers.get("content-encoding", "identity").strip().lower()
        packed = coding not in {"", "identity"}
        if reply.status != 200:
            told = None if packed else await self._read_error()
            return name_parameters(classify(reply.status, told, reply.headers), made)
        if packed:
            return _PACKED
        if not command.request.stream:
            return self._whole(await self._read_all())
        if reply.headers.get("content-type", "").startswith("application/json"):
            return _no_stream(_parsed(await self._read_all()))
        return await self._first_content()

    async def _read_error(self) -> object:
        """Read the body of an error, as far as it comes soon and is of a sensible size."""
        parts: list[bytes] = []
        left = ERROR_BYTES_MAX
        try:
            with anyio.move_on_after(ERROR_WAIT_S):
                while left >= 0 and (chunk := await self._next_chunk()) is not None:
                    parts.append(chunk)
                    left -= len(chunk)
        except Unanswered:
            pass
        return read_json(b"".join(parts)) if left >= 0 else None

    def _whole(self, raw: bytes) -> Answer | Fault:
        payload = read_json(raw)
        if not isinstance(payload, dict):
            return _GARBLED
        told = self._passage.answer(payload)
        answer = self._wire.read_answer(told, choices=self.command.request.choices)
        if isinstance(answer, Fault):
            return answer
        return self._weighed(answer)

    def _weighed(self, answer: Answer) -> Answer | Fault:
        """Give an answer whose words can be verified: arguments, and JSON where it is promised."""
        words = [call.arguments for call in answer.tool_calls]
        if self.command.request.output_format is not OutputFormat.TEXT:
            words += answer.texts
        marked = self._marked(answer.receipt)
        if any(map(is_bulky, words)):
            return evolve(_TOO_LARGE, receipt=marked)
        return evolve(answer, receipt=marked)

    async def _first_content(self) -> Answer | Fault | None:
        """Read on until a relayed stream has content, and else to the end."""
        while not self._may_open():
            events = await self.advance()
            if isinstance(events, Fault):
                return events
            if events is None:
                answer = self.conclude()
                if isinstance(answer, Fault):
                    return answer
                return evolve(answer, payload=(*self.pending, *self.held))
            self.pending += events
        return None

    def _may_open(self) -> bool:
        if not self.command.relayed:
            return False
        return self._spoken if self._holds else self._reader.content

    def _holds_back(self, event: Event) -> bool:
        """Keep an event, from the first tool call on; what is kept must be of a sensible size."""
        if not self.held:
            if not self._reader.called:
                self._spoken = self._reader.content
                return False
            self._bytes_left = min(self._bytes_left, self._held_bytes_max)
            self._on_hold()
        self.held.append(event)
        return True

    def _take(self, chunk: bytes) -> list[Event]:
        """Take the events of a chunk; what comes before a fault is still given out."""
        events: list[Event] = []
        for found in self._decoder.feed(chunk):
            if isinstance(found, sse.Oversized):
                self._fault = _TOO_LARGE
                break
            event = sse.read_object(found.data)
            if event is sse.Mark.DONE:
                return events + self._end(done=True)
            if isinstance(event, sse.Mark):
                # A frame that cannot be read may have been content: nothing after it is whole.
                self._fault = _GARBLED
                break
            if self._translator is not None:
                events += self._hear(self._translator.feed(event))
            elif (fault := self._reader.feed(event)) is not None:
                self._fault = fault
            elif not (self._holds and self._holds_back(event)):
                events.append(event)
            if self._fault is not None:
                break
            if self._reader.over:
                # What a broken connection could still take away is not needed.
                self._ended = True
                break
        return events

    def _end(self, *, done: bool) -> list[Event]:
        """Take the end of the stream; `done` where the provider said that it is one."""
        self._ended = True
        return [] if self._translator is None else self._hear(self._translator.end(done=done))

    def _hear(self, events: list[Event]) -> list[Event]:
        """Fold events in the caller's format, up to a fault; give those that may go out."""
        given: list[Event] = []
        for event in events:
            self._fault = self._reader.feed(event)
            if self._fault is not None:
                break
            if not (self._holds and self._holds_back(event)):
                given.append(event)
        return given

    async def _next_chunk(self) -> bytes | None:
        return None if self._chunks is None else self._counted(await anext(self._chunks, None))

    def _counted(self, chunk: bytes | None) -> bytes | None:
        if chunk is None:
            self._chunks = None
            return None
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            raise Unanswered(_TOO_LARGE)
        return chunk

    async def _read_all(self) -> bytes:
        parts: list[bytes] = []
        while (chunk := await self._next_chunk()) is not None:
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _drain(self) -> None:
        try:
            while await self._next_chunk() is not None:
                pass
        except Unanswered:
            pass

    def _failed(self, fault: Fault) -> Fault:
        receipt = self._reader.receipt if fault.receipt == NO_RECEIPT else fault.receipt
        return evolve(fault, receipt=self._marked(receipt))

    def _marked(self, receipt: Receipt) -> Receipt:
        """Add the generation's id from the head of the answer: OpenRouter's record of the call.

        A body's own `id` is that id in Chat only.
        """
        generation = None if self._reply is None else self._reply.headers.get("x-generation-id")
        if not generation:
            return receipt
        return evolve(receipt, generation=generation[:200])


def _no_stream(payload: object) -> Fault:
    """Say why JSON came in place of a stream: llama.cpp complains so, behind a 200."""
    complains = isinstance(payload, dict) and bool(payload.get("error"))
    return classify(None, payload) if complains else _GARBLED


def _parsed(raw: bytes) -> object:
    """Read JSON, or give `None` for what is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
