"""How do bytes reach a provider?  The only module that knows httpx.

HTTP/1.1 with a bounded pool, no redirects, nothing taken from the environment, and answers asked
for uncompressed: a small gzip bomb is a large body. The read timeout is the silence that is borne
between two bytes; the deadline of the whole call is the caller's. Of what went wrong only our own
words are told: an exception's text may hold URLs and keys.
"""

from collections.abc import AsyncGenerator, Mapping

import anyio
import httpx

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_http.settings import Settings
from astrolabe_http.transport import Unanswered


class HttpxTransport:
    """One pool of connections to one upstream."""

    def __init__(self, settings: Settings) -> None:
        silence_s = settings.upstream_silence_ms / 1_000
        self._base = settings.upstream_url
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(silence_s, connect=settings.upstream_connect_ms / 1_000),
            limits=httpx.Limits(
                max_connections=settings.upstream_connections_max,
                max_keepalive_connections=settings.upstream_connections_max,
                keepalive_expiry=30,
            ),
            http1=True,
            http2=False,
            follow_redirects=False,
            trust_env=False,
        )
        self._urls: dict[str, httpx.URL] = {}
        self._headers = httpx.Headers(
            {
                "accept": "application/json, text/event-stream",
                "accept-encoding": "identity",
                "authorization": f"Bearer {settings.upstream_key or 'none'}",
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
        request = self._client.build_request("POST", url, content=body, headers=self._headers)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise Unanswered(fault_of(error, begun=False)) from None
        return HttpxReply(response)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()


class HttpxReply:
    """An answer of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body's bytes as they come."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.HTTPError as error:
            raise Unanswered(fault_of(error, begun=True)) from None

    async def close(self) -> None:
        """Let go; the connection goes back only where the body was read to its end."""
        with anyio.CancelScope(shield=True):
            await self._response.aclose()


def fault_of(error: httpx.HTTPError, *, begun: bool) -> Fault:
    """Say in our words what went wrong; `begun` where the head of an answer had come."""
    match error:
        case httpx.PoolTimeout():
            kind, message = FaultKind.UNREACHABLE, "all connections to the provider are busy"
        case httpx.ConnectTimeout() | httpx.ConnectError() | httpx.ProxyError():
            kind, message = FaultKind.UNREACHABLE, "the provider cannot be reached"
        case httpx.TimeoutException():
            kind, message = FaultKind.TIMEOUT, "the provider fell silent"
        case _ if begun:
            kind, message = FaultKind.PROVIDER_ERROR, "the provider broke off its answer"
        case _:
            kind, message = FaultKind.UNREACHABLE, "the provider closed the connection"
    return Fault(kind=kind, message=message)
