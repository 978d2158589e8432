"""What is turned away before anything looks at it?

The outermost layer of the app, in pure ASGI, so that it holds wherever the app is embedded. It
names each exchange, refuses a head that is too large, repeats what may be said once, or does not
say where it goes, and refuses work beyond what may run at once; `/health` and `/ready` always get
through. Where an answer goes out before its request was read to the end, the connection closes:
what is still on its way must not be taken for the next request.
"""

import re
from collections.abc import Awaitable, Mapping
from typing import Final, TypeAlias

from attrs import frozen
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Malformed
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.connection import Connection, json_bytes
from astrolabe_http.errors import error_body, status_of
from astrolabe_http.gateway import Gateway
from astrolabe_http.headers import Header, identity_headers, refusal_headers
from astrolabe_http.logbook import NO_ROUTE, Logbook
from astrolabe_http.settings import Settings

ENTRANCE: Final = "astrolabe.entrance"
"""Where in the scope an exchange has its `Entrance`."""
ALWAYS_ADMITTED: Final = frozenset({"/health", "/ready"})
RETRY_AFTER_S: Final = 1

_HEADER_FRAME: Final = len(": \r\n")
_ONCE: Final = frozenset(
    {
        *(b"host", b"authorization", b"x-api-key", b"content-type", b"content-length"),
        *(b"transfer-encoding", b"idempotency-key", b"x-astrolabe-stack"),
    }
)
_CLOSE: Final[Header] = (b"connection", b"close")
# RFC 3986: a registered name, an IPv4 address, or an IP literal; then a port.
_HOST: Final = re.compile(
    rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?"
)


Door: TypeAlias = tuple[str, str]
"""A method and a path."""
_NONE: Final[Mapping[Door, ASGIApp]] = {}


@frozen
class Entrance:
    """One exchange as it arrives: its name, and when."""

    id: RequestId
    at: Instant


class Guard:
    """Stands before an app. `running` is how many exchanges are inside.

    `hot` are the routes, by method and path, that nothing else stands before: each chunk of a
    stream would pass through all of it.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, hot: Mapping[Door, ASGIApp] = _NONE) -> None:
        self._app = app
        self._hot = hot
        self._gateway = gateway
        self._logbook = Logbook(gateway)
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an exchange in, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gateway = self._gateway
        entrance = Entrance(gateway.ids.request(), gateway.clock.now())
        scope[ENTRANCE] = entrance
        if _has_body(scope):
            passage = Passage(receive, send)
            receive, send = passage.receive, passage.send
        refusal = refuse_head(scope, gateway.settings)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        if refusal is None and path in ALWAYS_ADMITTED:
            await self._app(scope, receive, send)
            return
        if refusal is None and self.running >= gateway.settings.concurrency_max:
            refusal = _OVERLOADED
        if refusal is not None:
            await self._refuse(scope, Connection(receive, send), entrance, refusal)
            return
        self.running += 1
        try:
            await self._hot.get((scope["method"], path), self._app)(scope, receive, send)
        finally:
            self.running -= 1

    async def _refuse(
        self, scope: Scope, connection: Connection, entrance: Entrance, refusal: Refusal
    ) -> None:
        status = status_of(refusal)
        headers = [*identity_headers(entrance.id), *refusal_headers(refusal)]
        await connection.answer(status, headers, json_bytes(error_body(refusal, entrance.id)))
        arrival = Malformed(id=entrance.id, received_at=entrance.at, refusal=refusal)
        trace = Trace(arrival=arrival, refusal=refusal)
        self._logbook.note(trace, method=scope["method"], route=NO_ROUTE, status=status)


class Passage:
    """The two ways of an exchange that has a body. `unread` until its end was received."""

    __slots__ = ("_receive", "_send", "unread")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.unread = True

    async def receive(self) -> Message:
        """Hand a message in."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.unread = False
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Hand a message out; the head of an answer says whether the connection goes on."""
        if self.unread and message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], _CLOSE]}
        return self._send(message)


def refuse_head(scope: Scope, settings: Settings) -> Refusal | None:
    """Say what is wrong with the head of a request, or `None`."""
    headers: list[Header] = scope["headers"]
    target = scope.get("raw_path") or str(scope["path"]).encode()
    size = len(target) + len(scope.get("query_string", b""))
    once: dict[bytes, bytes] = {}
    repeated: bytes | None = None
    for name, value in headers:
        size += len(name) + len(value) + _HEADER_FRAME
        if name in _ONCE:
            repeated = name if name in once else repeated
            once[name] = value
    if len(headers) > settings.headers_max:
        return _too_large(f"more than {settings.headers_max} headers", settings)
    if size > settings.header_bytes_max:
        return _too_large(f"a head of more than {settings.header_bytes_max} bytes", settings)
    if repeated is not None:
        said = repeated.decode("ascii")
        return _invalid(f"the header {said!r} stands in the request twice; send it once", said)
    version = scope.get("http_version")
    return _refuse_host(once, version) or _refuse_framing(once, version)


def _refuse_host(once: Mapping[bytes, bytes], version: object) -> Refusal | None:
    host = once.get(b"host")
    if host is None and version == "1.1":
        return _invalid("there is no 'host' header; send one", "host")
    if host is not None and _HOST.fullmatch(host) is None:
        message = "the 'host' header is no host; send a name or an address, and a port if need be"
        return _invalid(message, "host")
    return None


def _refuse_framing(once: Mapping[bytes, bytes], version: object) -> Refusal | None:
    """Refuse what two servers in a row may take for two different bodies."""
    length, coding = once.get(b"content-length"), once.get(b"transfer-encoding")
    if length is not None and not length.isdigit():
        return _invalid("'content-length' is no number; send how many bytes follow")
    if coding is None:
        return None
    if length is not None:
        message = "'content-length' and 'transfer-encoding' contradict each other; send one"
        return _invalid(message)
    if version == "1.0" or coding.strip().lower() != b"chunked":
        return _invalid("no 'transfer-encoding' but 'chunked' is read, and that in HTTP/1.1 only")
    return None


def _has_body(scope: Scope) -> bool:
    """Whether a body is announced, where a connection carries one exchange after the other."""
    if not str(scope.get("http_version", "")).startswith("1"):
        return False
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )


def _too_large(what: str, settings: Settings) -> Refusal:
    return Refusal(
        code=Code.REQUEST_HEADERS_TOO_LARGE,
        message=f"the request has {what}; send fewer or shorter headers, or a shorter URL",
        details={
            "headers_max": settings.headers_max,
            "header_bytes_max": settings.header_bytes_max,
        },
    )


def _invalid(message: str, param: str | None = None) -> Refusal:
    return Refusal(code=Code.INVALID_REQUEST, message=message, param=param)


_OVERLOADED: Final = Refusal(
    code=Code.OVERLOADED,
    message="the gateway works on as many requests as it may; no provider was called; "
    "try again shortly",
    retry_after_s=RETRY_AFTER_S,
)
