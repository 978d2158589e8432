"""How do bytes reach a provider?  The only module that knows a client library.

aiohttp's connections and parser: HTTP/1.1 with a bounded pool, no redirects, no cookies, nothing
taken from the environment, and answers asked for uncompressed and never unpacked: a small gzip
bomb is a large body. The read timeout is the silence that is borne between two bytes; the deadline
of the whole call is the caller's. Of what went wrong only our own words are told: an exception's
text may hold URLs and keys.

One call costs 165 us of processor time here, 220 with httpx's types around it and 1,100 with
`httpx.AsyncClient` (client's side alone, 8 at once against the simulator).
"""

from collections.abc import AsyncGenerator, Mapping

import aiohttp

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_http.settings import Settings
from astrolabe_http.transport import Unanswered

_KEEPALIVE_S = 30.0


class HttpTransport:
    """One pool of connections to one upstream."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = settings.upstream_url
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes) -> "HttpReply":
        """Send JSON and wait for the head of the answer."""
        if self._session is None:
            # Not before: a session belongs to the loop in which it is made.
            self._session = _session(self._settings)
        try:
            response = await self._session.post(self._base + path, data=body, allow_redirects=False)
        except aiohttp.ClientError as error:
            raise Unanswered(fault_of(error, begun=False)) from None
        return HttpReply(response)

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session is not None:
            await self._session.close()


def _session(settings: Settings) -> aiohttp.ClientSession:
    """Open the pool; what a provider sets as a cookie is never kept, nor sent to another call."""
    silence_s = settings.upstream_silence_ms / 1_000
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.upstream_connections_max, keepalive_timeout=_KEEPALIVE_S
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(
            total=None,
            connect=silence_s,
            sock_connect=settings.upstream_connect_ms / 1_000,
            sock_read=silence_s,
        ),
        headers={
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "authorization": f"Bearer {settings.upstream_key or 'none'}",
            "content-type": "application/json",
            "user-agent": "astrolabe",
            "x-title": "Astrolabe",
        },
    )


class HttpReply:
    """An answer of the upstream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body's bytes as they come."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except aiohttp.ClientError as error:
            raise Unanswered(fault_of(error, begun=True)) from None

    async def close(self) -> None:
        """Let go; the connection went back already where the body was read to its end."""
        self._response.close()


def fault_of(error: Exception, *, begun: bool) -> Fault:
    """Say in our words what went wrong; `begun` where the head of an answer had come."""
    match error:
        case aiohttp.ConnectionTimeoutError() | aiohttp.ClientConnectorError():
            kind, message = FaultKind.UNREACHABLE, "the provider cannot be reached"
        case aiohttp.ServerTimeoutError():
            kind, message = FaultKind.TIMEOUT, "the provider fell silent"
        case aiohttp.ClientResponseError():
            kind, message = FaultKind.PROVIDER_ERROR, "the provider's answer is no HTTP"
        case _ if begun:
            kind, message = FaultKind.PROVIDER_ERROR, "the provider broke off its answer"
        case _:
            kind, message = FaultKind.UNREACHABLE, "the provider closed the connection"
    return Fault(kind=kind, message=message)
