"""How does one HTTP exchange become a request of the flow, and a reply an answer?

Every keyed route goes through `Surface.admit`: credentials, then the body, then the flow, which
judges in the promised order, counts once and says how it ended. A route that only reads is a
request that the flow lets end once it is counted; what was to be read is read after that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias, TypeVar, assert_never

from attrs import evolve, frozen
from starlette.types import Receive, Scope

from astrolabe_core.access import admit as judge_caller
from astrolabe_core.codes import Refusal
from astrolabe_core.driver import run
from astrolabe_core.flow import STORAGE_UNAVAILABLE
from astrolabe_core.messages import (
    Abandoned,
    Admitted,
    Arrival,
    Previewed,
    Purpose,
    Refused,
    Reply,
    Served,
)
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.rendering import render
from astrolabe_core.requests import Malformed, Reading, Request
from astrolabe_core.requests import Surface as Format
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, Millis, RequestId, ResponseId
from astrolabe_http.auth import key_hash
from astrolabe_http.body import GONE, LARGEST_AT_ONCE, SMALL_BYTES, Body, Lease, Room, read_body
from astrolabe_http.connection import Connection, json_bytes
from astrolabe_http.conversations import (
    announce_keeping,
    find_earlier,
    find_items,
    keep_answer,
    keep_stream,
    pointing,
)
from astrolabe_http.errors import error_body, status_of
from astrolabe_http.gateway import Gateway
from astrolabe_http.headers import Header, trace_headers
from astrolabe_http.host import Host
from astrolabe_http.proofreading import proofreader
from astrolabe_http.strict_json import StrictObject, read_object
from astrolabe_http.tool_confirmations import with_confirmations, with_tokens
from astrolabe_http.vitals import Watched
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.kept import go_on, refer, references
from astrolabe_http.wire.translation import untranslatable

T = TypeVar("T")

STACK_HEADER: Final = b"x-astrolabe-stack"

Page: TypeAlias = bytes | Refusal
"""What a reading route answers: JSON, or why not."""

Reader: TypeAlias = Callable[[Caller], Awaitable[Page]]
"""Reads for a caller who has been admitted."""


@frozen(kw_only=True)
class Visit:
    """One exchange as it comes in."""

    id: RequestId
    at: Instant
    scope: Scope
    receive: Receive
    connection: Connection

    @property
    def headers(self) -> list[Header]:
        """The request's headers; names in lower case."""
        headers: list[Header] = self.scope["headers"]
        return headers

    def malformed(self, refusal: Refusal) -> Malformed:
        """Make of this a request that could not be read."""
        return Malformed(id=self.id, received_at=self.at, refusal=refusal)


class Surface:
    """The keyed routes of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        # One at a time: reading keeps the interpreter, so a second one would gain nothing.
        self._beside = ThreadPoolExecutor(1, "astrolabe-reading")
        self._room = Room(LARGEST_AT_ONCE * gateway.settings.body_bytes_max)

    def serve(self, visit: Visit, spoken: Format) -> Awaitable[Trace | None]:
        """Answer a request for a completion."""
        return self._complete(visit, Purpose.SERVE, lambda _: spoken)

    def preview(self, visit: Visit) -> Awaitable[Trace | None]:
        """Answer what would be decided; the body is that of either format."""
        return self._complete(visit, Purpose.PREVIEW, _format_of)

    async def read(self, visit: Visit, reader: Reader | Refusal) -> Trace | None:
        """Answer a request that only reads; a refusal is of its query."""
        asked = (
            visit.malformed(reader)
            if isinstance(reader, Refusal)
            else Reading(id=visit.id, received_at=visit.at)
        )
        reply = await self.admit(visit, Host(self._gateway, visit.connection), asked, Purpose.SERVE)
        trace = reply.trace
        if not isinstance(reply, Admitted) or isinstance(reader, Refusal) or trace.caller is None:
            await self.refuse(visit, trace)
            return trace
        try:
            page = await reader(trace.caller)
        except StorageUnavailable:
            page = STORAGE_UNAVAILABLE
        if isinstance(page, Refusal):
            trace = evolve(trace, refusal=page)
            await self.refuse(visit, trace)
            return trace
        await visit.connection.answer(200, trace_headers(trace), page)
        return trace

    async def admit(
        self,
        visit: Visit,
        host: Host,
        request: Request
        | Malformed
        | Reading
        | Callable[[str], Awaitable[Request | Malformed | None]],
        purpose: Purpose,
    ) -> Reply:
        """Take a request through the flow. What needs the body is given the key's hash first."""
        settings = self._gateway.settings
        key = key_hash(visit.headers, settings.secret_key)
        if isinstance(key, Refusal):
            return Refused(Trace(arrival=visit.malformed(key), refusal=key))
        asked = await request(key) if callable(request) else request
        if asked is None:
            return Abandoned(Trace(arrival=Reading(id=visit.id, received_at=visit.at)))
        if isinstance(asked, Request):
            asked = await self._gateway.schemas.inspect(asked, lambda: self._may_act(key, visit.at))
        arrival = Arrival(
            request=asked,
            key_hash=key,
            purpose=purpose,
            time_limit_ms=settings.request_timeout_ms,
            jitter=self._gateway.ids.jitter(),
        )
        if not isinstance(asked, Request) or not settings.circuits:
            return await run(arrival, host)
        watched = Watched(host, self._gateway.vitals, probing=purpose is Purpose.SERVE)
        try:
            return await run(arrival, watched)
        finally:
            watched.let_go()

    async def _may_act(self, key: str, at: Instant) -> bool:
        return await self._actor(key, at) is not None

    async def _actor(self, key: str, at: Instant) -> Caller | None:
        """Give a caller whom the flow would let go on; it says so itself, this is only for us."""
        try:
            caller = await self._gateway.store.caller(key, at, None)
        except StorageUnavailable:
            return None
        if caller is None or judge_caller(caller.key, caller.workspace, at) is not None:
            return None
        return caller if caller.requests_used < caller.key.rate_limit else None

    async def refuse(self, visit: Visit, trace: Trace) -> None:
        """Tell a refusal."""
        refusal = trace.refusal
        if refusal is None:
            message = "a refused request has no refusal"
            raise ValueError(message)
        body = json_bytes(error_body(self._vouchable(refusal, trace), visit.id))
        await visit.connection.answer(status_of(refusal), trace_headers(trace), body)

    def _vouchable(self, refusal: Refusal, trace: Trace) -> Refusal:
        """Add what somebody must send back to vouch for the calls that a refusal names."""
        workspace = None if trace.caller is None else trace.caller.workspace.id
        return with_tokens(refusal, workspace, self._gateway.settings.secret_key)

    async def _complete(
        self, visit: Visit, purpose: Purpose, spoken: Callable[[Mapping[str, object]], Format]
    ) -> Trace | None:
        with self._room.lease() as lease:
            return await self._work(visit, purpose, spoken, lease)

    async def _work(
        self,
        visit: Visit,
        purpose: Purpose,
        spoken: Callable[[Mapping[str, object]], Format],
        lease: Lease,
    ) -> Trace | None:
        sent = StrictObject()

        async def request(key: str) -> Request | Malformed | None:
            raw = await self._receive(visit, key, lease)
            if raw == GONE:
                return None
            if isinstance(raw, Refusal):
                return visit.malformed(raw)
            body = await self._apart(len(raw), lambda: read_object(raw))
            if isinstance(body, Refusal):
                return visit.malformed(body)
            sent.update(body)
            return await self._compose(visit, key, spoken(body), sent, len(raw))

        host = Host(self._gateway, visit.connection)
        reply = await self.admit(visit, host, request, purpose)
        await visit.connection.quiet()
        match reply:
            case Served():
                return await self._deliver(visit, host, reply, sent)
            case Previewed(trace=trace):
                body = json_bytes(render(trace))
                await visit.connection.answer(200, trace_headers(trace), body)
            case Refused(trace=trace):
                if visit.connection.started:
                    await self._break_off(visit, host, trace)
                else:
                    await self.refuse(visit, trace)
            case Abandoned() | Admitted():
                pass
            case _:
                assert_never(reply)
        return reply.trace

    async def _break_off(self, visit: Visit, host: Host, trace: Trace) -> None:
        """Tell a refusal within a stream, which may have had nothing but comments so far."""
        request, refusal, routed = trace.arrival, trace.refusal, trace.routed
        if not isinstance(request, Request) or refusal is None or routed is None:
            message = "a stream has begun that was never routed, or never refused"
            raise TypeError(message)
        writer = host.writer
        if writer is None:
            model = routed.decision.selected.model.id
            writer = WIRES[request.surface].StreamWriter(request, model, request.id)
            announce_keeping(writer, trace)
            visit.connection.proofreader = proofreader(self._gateway, request)
        told = self._vouchable(refusal, trace)
        await visit.connection.write(writer.fail(told), more=False)

    async def _receive(self, visit: Visit, key: str, lease: Lease) -> Body:
        gateway, settings = self._gateway, self._gateway.settings
        left_ms = visit.at + settings.request_timeout_ms - gateway.clock.now()
        return await read_body(
            visit.receive,
            visit.headers,
            bytes_max=settings.body_bytes_max,
            time_ms=Millis(max(1, min(settings.body_timeout_ms, left_ms))),
            vouch=lambda: self._may_act(key, visit.at),
            lease=lease,
        )

    async def _apart(self, size: int, read: Callable[[], T]) -> T:
        """Read here and now, or beside the loop what would hold it up."""
        if size <= SMALL_BYTES:
            return read()
        return await asyncio.get_running_loop().run_in_executor(self._beside, read)

    def _understand(
        self, visit: Visit, spoken: Format, body: Mapping[str, object]
    ) -> Request | Malformed:
        """Read a body. What the upstream has no words for is refused before money moves."""
        found = WIRES[spoken].read_request(
            body, id=visit.id, at=visit.at, stack_header=_stack_named(visit.headers)
        )
        if isinstance(found, Malformed):
            return found
        refusal = untranslatable(found, self._gateway.upstream)
        if refusal is not None:
            return visit.malformed(refusal)
        return with_confirmations(found, self._gateway.settings.secret_key)

    async def _compose(
        self, visit: Visit, key: str, spoken: Format, body: dict[str, object], size: int
    ) -> Request | Malformed:
        """Read a body, with whatever of earlier answers it goes on from put into it."""
        wanted = references(body) if spoken is Format.RESPONSES else {}
        found: dict[int, object] | Refusal = {}
        if wanted and (caller := await self._actor(key, visit.at)) is not None:
            found = await find_items(
                self._gateway.store,
                caller,
                wanted,
                bytes_max=self._gateway.settings.body_bytes_max,
                bytes_used=size,
            )
        if isinstance(found, Refusal):
            return visit.malformed(found)
        if wanted:
            body.update(refer(body, found))
        pointed = pointing(wanted, found)
        request = await self._apart(size, lambda: self._understand(visit, spoken, body))
        if isinstance(request, Request) and request.continues is not None:
            request = await self._go_on(visit, key, request, body, size)
        if isinstance(request, Malformed) or pointed is None:
            return request
        known = request.continues if pointed.found else None
        return evolve(request, continues=known or pointed)

    async def _go_on(
        self,
        visit: Visit,
        key: str,
        request: Request,
        body: Mapping[str, object],
        size: int,
    ) -> Request | Malformed:
        """Read a body again with the conversation before it that it names, where that is there."""
        caller, continues = await self._actor(key, visit.at), request.continues
        if caller is None or continues is None:
            return request
        limit = self._gateway.settings.body_bytes_max
        earlier = await find_earlier(
            self._gateway.store,
            caller,
            ResponseId(continues.id),
            bytes_max=limit,
            bytes_used=size,
        )
        if isinstance(earlier, Refusal):
            return visit.malformed(earlier)
        if not earlier:
            return request
        whole = await self._apart(
            size + sum(kept.item_bytes for kept in earlier),
            lambda: self._understand(visit, request.surface, go_on(body, earlier)),
        )
        if isinstance(whole, Malformed):
            # Each part could be read: it is the two together that cannot be sent.
            return visit.malformed(evolve(whole.refusal, param=continues.param))
        return evolve(whole, continues=evolve(continues, found=True))

    async def _deliver(
        self, visit: Visit, host: Host, served: Served, sent: Mapping[str, object]
    ) -> Trace:
        """Send an answer, or the end of one, or a stream that was held back.

        What may be kept of the exchange is kept before the caller has all of it.
        """
        request = served.trace.arrival
        if not isinstance(request, Request):
            message = "what could not be read cannot be served"
            raise TypeError(message)
        wire, connection = WIRES[request.surface], visit.connection
        if not request.stream:
            answer = wire.answer_body(served)
            trace = await keep_answer(self._gateway.store, served, sent, answer)
            await connection.answer(200, trace_headers(served.trace), json_bytes(answer))
            return trace
        if host.writer is not None:
            held = host.release()
            trace = await keep_stream(self._gateway.store, served, sent, host.writer)
            await connection.write(held + host.writer.finish(served), more=False)
            return trace
        model = None if served.trace.served is None else served.trace.served.option.model.id
        if model is None:
            message = "an answer that was served comes from no model"
            raise TypeError(message)
        writer = wire.StreamWriter(request, model, request.id)
        announce_keeping(writer, served.trace)
        frames = [writer.feed(event) for event in wire.held_events(served.answer)]
        trace = await keep_stream(self._gateway.store, served, sent, writer)
        connection.proofreader = proofreader(self._gateway, request)
        await connection.start_stream(trace_headers(served.trace))
        await connection.write(b"".join([*frames, writer.finish(served)]), more=False)
        return trace


def _format_of(body: Mapping[str, object]) -> Format:
    """Tell the formats apart by the field in which each has its conversation.

    The other's, empty, is what each of them lets go.
    """
    if "messages" in body and (body["messages"] or "input" not in body):
        return Format.CHAT
    return Format.RESPONSES


def _stack_named(headers: list[Header]) -> str | None:
    for name, value in headers:
        if name == STACK_HEADER:
            return value.decode("latin-1")
    return None
