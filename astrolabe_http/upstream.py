"""How do bytes reach a provider?  The only module that knows httpx.

HTTP/1.1 with a bounded pool, no redirects, no cookies, nothing taken from the environment, and
answers asked for uncompressed: a small gzip bomb is a large body. The read timeout is the silence
that is borne between two bytes; the deadline of the whole call is the caller's. Of what went wrong
only our own words are told: an exception's text may hold URLs and keys.

Below httpx's interface runs aiohttp, whose connections and parser cost a quarter of httpcore's
processor time, and requests go straight to that transport: what `httpx.AsyncClient` adds to it
(cookies, redirects, authentication) is just what must not happen here.
"""

import asyncio
import functools
from collections.abc import AsyncGenerator, Mapping
from email.utils import formatdate
from typing import Final

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from httpx_aiohttp import AiohttpTransport

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_http.settings import Settings
from astrolabe_http.transport import Unanswered
from astrolabe_http.waits import WAIT_HEADERS

HEADERS_READ: Final = ("content-encoding", "content-type", "x-generation-id")
"""All that is ever looked at of the head of an answer. None of it is passed on."""
FAILED_HEADERS_READ: Final = (*HEADERS_READ, *WAIT_HEADERS)
"""And of the head of a failure."""
_KEEPALIVE_S: Final = 30.0
_PIECE_BYTES: Final = 4_096
_INTERIM_MAX: Final = 16


class HttpxTransport:
    """One pool of connections to one upstream."""

    def __init__(self, settings: Settings) -> None:
        silence_s = settings.upstream_silence_ms / 1_000
        self._base = settings.upstream_url
        self._transport = AiohttpTransport(client=lambda: _session(settings), trust_env=False)
        connect_s = settings.upstream_connect_ms / 1_000
        timeout = httpx.Timeout(silence_s, connect=connect_s)
        self._extensions = {"timeout": timeout.as_dict()}
        self._urls: dict[str, httpx.URL] = {}
        self._headers = httpx.Headers(
            {
                "accept": "application/json, text/event-stream",
                "accept-encoding": "identity",
                **_authorization(settings),
                "content-type": "application/json",
                "user-agent": "astrolabe",
                "x-title": "Astrolabe",
            }
        )

    async def post(self, path: str, body: bytes) -> "HttpxReply":
        """Send JSON and wait for the head of the answer."""
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(self._base + path)
        return await self._send(
            httpx.Request(
                "POST", url, content=body, headers=self._headers, extensions=self._extensions
            )
        )

    async def get(self, path: str, query: Mapping[str, str]) -> "HttpxReply":
        """Ask for a page and wait for the head of the answer."""
        url = httpx.URL(self._base + path, params=query)
        return await self._send(
            httpx.Request("GET", url, headers=self._headers, extensions=self._extensions)
        )

    async def _send(self, request: httpx.Request) -> "HttpxReply":
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise Unanswered(fault_of(error, begun=False)) from None
        return HttpxReply(response)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._transport.aclose()


def _authorization(settings: Settings) -> dict[str, str]:
    """Give the credential; where none is set none is sent. The simulator takes any."""
    key = settings.upstream_key or ("simulated" if settings.simulated else "")
    return {"authorization": f"Bearer {key}"} if key else {}


def _session(settings: Settings) -> aiohttp.ClientSession:
    """Open the pool; what a provider sets as a cookie is never kept, nor sent to another call."""
    connector = _Connector(limit=settings.upstream_connections_max, keepalive_timeout=_KEEPALIVE_S)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class _Connector(aiohttp.TCPConnector):
    """aiohttp's pool, with connections that do not listen to everything."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._factory = functools.partial(_listener, loop=self._loop)


def _listener(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Listener(loop)


class _Listener(ResponseHandler):
    """aiohttp's protocol, but for heads without end.

    Interim answers (1xx) are read for as long as they come, all that is there at once: a flood of
    them held the loop for 5.8 s. A head is read in pieces, and only so many before the last.
    """

    def data_received(self, data: bytes) -> None:
        if len(data) <= _PIECE_BYTES or self._payload not in {None, EMPTY_PAYLOAD}:
            super().data_received(data)
            return
        for start in range(0, len(data), _PIECE_BYTES):
            super().data_received(data[start : start + _PIECE_BYTES])
            if len(self._buffer) > _INTERIM_MAX:
                if self.transport is not None:
                    self.transport.close()
                self.set_exception(HttpProcessingError(message="too many interim answers"))
                return


class HttpxReply:
    """An answer of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._stream = _async_stream(response)
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = _head(response)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body's bytes as they come."""
        try:
            async for chunk in self._stream:
                yield chunk
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise Unanswered(fault_of(error, begun=True)) from None

    async def close(self) -> None:
        """Let go; the connection goes back only where the body was read to its end."""
        await self._stream.aclose()


def _head(response: httpx.Response) -> Mapping[str, str]:
    """Keep what is looked at; of a failure also how long to wait, and from when on."""
    failed = response.status_code != 200
    names = FAILED_HEADERS_READ if failed else HEADERS_READ
    head = {name: response.headers[name] for name in names if name in response.headers}
    if failed and "date" not in head:
        head["date"] = formatdate(usegmt=True)
    return head


def _async_stream(response: httpx.Response) -> httpx.AsyncByteStream:
    """Give the body of a response that an async transport made."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        message = f"{type(response.stream).__name__} is no stream of an async transport"
        raise TypeError(message)
    return response.stream


def fault_of(error: Exception, *, begun: bool) -> Fault:
    """Say in our words what went wrong; `begun` where the head of an answer had come."""
    match error:
        case httpx.ReadTimeout():
            kind, message = FaultKind.TIMEOUT, "the provider fell silent"
        case _ if begun:
            # The adapter below tells every broken connection as one that was never made.
            kind, message = FaultKind.PROVIDER_ERROR, "the provider broke off its answer"
        case httpx.PoolTimeout():
            kind, message = FaultKind.UNREACHABLE, "all connections to the provider are busy"
        case httpx.ConnectTimeout() | httpx.ConnectError() | httpx.ProxyError():
            kind, message = FaultKind.UNREACHABLE, "the provider cannot be reached"
        case httpx.TimeoutException():
            kind, message = FaultKind.TIMEOUT, "the provider fell silent"
        case aiohttp.ClientResponseError():
            # A head that is no HTTP: the one error that the adapter below lets through.
            kind, message = FaultKind.PROVIDER_ERROR, "the provider's answer is no HTTP"
        case _:
            kind, message = FaultKind.UNREACHABLE, "the provider closed the connection"
    return Fault(kind=kind, message=message)
