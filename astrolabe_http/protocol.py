"""What does a connection have to keep to before there is a request?

uvicorn's httptools protocol, with bounds in time and size for what it reads without any: a head
that never ends, trailers that never end, a body that goes on after its answer, requests sent ahead
without limit. Trailers are no headers. An upgrade that is offered, as HTTP clients of Java do, is
declined by serving the request. What is no HTTP is answered in the form of every other error, and
in its own place: never within an answer, or as the answer to what came before.

llhttp refuses the rest: both kinds of framing at once, folded lines, bare line feeds, NUL.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final, Literal, TypeAlias

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Malformed
from astrolabe_core.trace import Trace
from astrolabe_http.connection import JSON_TYPE, json_bytes
from astrolabe_http.errors import error_body, status_of
from astrolabe_http.gateway import Gateway
from astrolabe_http.headers import identity_headers, refusal_headers
from astrolabe_http.logbook import NO_ROUTE, Logbook

AHEAD_MAX: Final = 32
"""Requests of one connection that may wait for the answer to another one."""
FRAMING_BYTES_MAX: Final = 256 * 1024
"""Sizes of chunks and trailers, beside half of what they frame."""
LINGER_S: Final = 5.0
"""How long a caller who is still sending may take to notice that it was answered and left."""

Phase: TypeAlias = Literal["idle", "head", "rest", "answering"]


class StrictProtocol(HttpToolsProtocol):
    """One connection. `gateway` and `logbook` are set by `protocol_of`."""

    gateway: ClassVar[Gateway]
    logbook: ClassVar[Logbook]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self._heads = 0
        self._head_bytes = 0
        self._framing_bytes = 0
        self._in_head = False
        self._in_body = False
        self._upgrading = False
        self._deaf = False
        self._phase: Phase = "answering"
        self._timer: asyncio.TimerHandle | None = None

    # --- the connection -------------------------------------------------------------------
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin: somebody who says nothing is waited for as for a head."""
        super().connection_made(Leaving(transport, self))
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.stop_listening()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        heads, was_in_body = self._heads, self._in_body
        if was_in_body:
            self._framing_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            bytes_max = self.gateway.settings.header_bytes_max
            long = not self._in_body and len(self.url) > bytes_max
            self._reject(_endless_head(bytes_max) if long else _NO_HTTP)
            return
        if self._in_body and self._framing_bytes > FRAMING_BYTES_MAX:
            self._reject(_ENDLESS_FRAMING)
            return
        if not self._in_body:
            begun_before = heads == self._heads and not was_in_body
            self._head_bytes = self._head_bytes + len(data) if begun_before else 0
            bytes_max = self.gateway.settings.header_bytes_max
            if self._head_bytes > bytes_max:
                self._reject(_endless_head(bytes_max))
                return
        self._watch()

    def _feed(self, data: bytes) -> None:
        left = data
        while left:
            try:
                self.parser.feed_data(left)
            except httptools.HttpParserUpgrade as offered:
                left = self._without_upgrade() + left[offered.args[0] :]
            else:
                return

    def _without_upgrade(self) -> bytes:
        """Write the head again without the offer; the parser would not read on past it."""
        method: bytes = self.parser.get_method()
        version = self.parser.get_http_version().encode("ascii")
        if method == b"CONNECT":
            raise httptools.HttpParserError
        self._upgrading = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        kept = [(name, value) for name, value in self.headers if name != b"upgrade"]
        lines = [b"%b: %b\r\n" % header for header in kept]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(lines))

    # --- what the parser finds ------------------------------------------------------------
    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the body may not pass for one."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin a request, unless its head will be read again without an upgrade."""
        if self.parser.should_upgrade():
            self._upgrading = True
            return
        if self.parser.get_http_version() not in {"1.0", "1.1"} or len(self.pipeline) >= AHEAD_MAX:
            raise httptools.HttpParserError
        super().on_headers_complete()
        self._heads += 1
        self._in_head, self._in_body = False, True
        self._head_bytes = self._framing_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._framing_bytes -= len(body) + len(body) // 2
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if not self._upgrading:
            self._in_body = False
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer."""
        super().on_response_complete()
        self._watch()

    # --- deadlines ------------------------------------------------------------------------
    def _watch(self) -> None:
        """Keep one deadline, that of the phase; what a caller sends does not put it off."""
        phase = self._phase_now()
        if phase == self._phase and phase != "idle":
            return
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if phase == "head":
            wait_s = self.gateway.settings.head_timeout_ms / 1_000
            self._timer = self.loop.call_later(wait_s, self._on_late_head)
        elif phase == "rest":
            self._timer = self.loop.call_later(LINGER_S, self.transport.abort)
        elif phase == "idle" and self.timeout_keep_alive_task is None:
            self._timer = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _phase_now(self) -> Phase:
        if self._deaf or self._is_answering():
            return "answering"
        if self._in_body:
            return "rest"
        return "head" if self._in_head or not self._heads else "idle"

    def _is_answering(self) -> bool:
        return self._heads > 0 and (bool(self.pipeline) or not self.cycle.response_complete)

    def _on_late_head(self) -> None:
        if self._head_bytes:
            self._reject(_LATE_HEAD)
        else:
            self.transport.close()

    # --- refusals -------------------------------------------------------------------------
    def _reject(self, refusal: Refusal) -> None:
        """Answer what is no request, where there is a place for an answer, and hear no more."""
        answering, in_body = self._is_answering(), self._in_body
        self.stop_listening()
        if self.transport.is_closing():
            return
        if not answering and not in_body:
            self._answer(refusal)
        elif not in_body:
            # It follows a request whose answer may go out whole.
            self.cycle.keep_alive = False
            return
        elif answering and not self.pipeline and not self.cycle.response_started:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._answer(refusal)
        self.transport.close()

    def _answer(self, refusal: Refusal) -> None:
        gateway = self.gateway
        request_id, at = gateway.ids.request(), gateway.clock.now()
        status = status_of(refusal)
        trace = Trace(
            arrival=Malformed(id=request_id, received_at=at, refusal=refusal), refusal=refusal
        )
        self.logbook.note(trace, method="-", route=NO_ROUTE, status=status)
        body = json_bytes(error_body(refusal, request_id))
        headers = [
            JSON_TYPE,
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *identity_headers(request_id),
            *refusal_headers(refusal),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        phrase = HTTPStatus(status).phrase.encode("ascii")
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, phrase, head, body))

    @property
    def is_sending(self) -> bool:
        """Whether the caller may still be sending what nobody will read."""
        return self._in_body or self._deaf

    def stop_listening(self) -> None:
        """Take nothing more for a request."""
        self._deaf = True
        self._watch()


class Leaving(asyncio.Transport):
    """A transport that stays until the caller has heard the last answer.

    To close a connection on which bytes are coming in resets it, and the reset takes away what
    the caller has not read yet: so the other way is closed first, and what comes is let fall.
    """

    __slots__ = ("_leaving", "_owner", "_transport")

    def __init__(self, transport: asyncio.Transport, owner: StrictProtocol) -> None:
        super().__init__()
        self._transport = transport
        self._owner = owner
        self._leaving = False

    def get_extra_info(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - its own type
        """Tell of the socket."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Let the caller wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Let the caller go on."""
        self._transport.resume_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, unless the last was sent."""
        if not self._leaving:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Say whether nothing more can be sent."""
        return self._leaving or self._transport.is_closing()

    def abort(self) -> None:
        """Cut."""
        self._transport.abort()

    def close(self) -> None:
        """Close; while the caller is sending, our own way first."""
        if self._transport.is_closing() or self._leaving:
            return
        if not self._owner.is_sending or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._leaving = True
        self._owner.stop_listening()
        self._owner.flow.resume_reading()
        self._transport.write_eof()
        self._owner.loop.call_later(LINGER_S, self._transport.close)


def protocol_of(gateway: Gateway) -> type[asyncio.Protocol]:
    """Give the protocol that uvicorn is to speak for a gateway."""
    bound = {"gateway": gateway, "logbook": Logbook(gateway)}
    return type("GatewayProtocol", (StrictProtocol,), bound)


def _endless_head(bytes_max: int) -> Refusal:
    return Refusal(
        code=Code.REQUEST_HEADERS_TOO_LARGE,
        message=f"the request has a head of more than {bytes_max} bytes; send fewer or shorter "
        "headers, or a shorter URL",
        details={"header_bytes_max": bytes_max},
    )


_NO_HTTP: Final = Refusal(
    code=Code.INVALID_REQUEST,
    message="what was sent is no HTTP/1.1 request; send one as RFC 9112 has it, with one of "
    "'content-length' and 'transfer-encoding: chunked' where it has a body",
)
_ENDLESS_FRAMING: Final = Refusal(
    code=Code.INVALID_REQUEST,
    message="the body consists of little but sizes of chunks, or of trailers; send larger chunks",
)
_LATE_HEAD: Final = Refusal(
    code=Code.REQUEST_TIMEOUT,
    message="the head of the request did not arrive in time; send it again, faster",
)
