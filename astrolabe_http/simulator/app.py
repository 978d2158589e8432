"""The simulated provider as an ASGI app: OpenRouter's API at /api/v1, its controls at /_control.

A plain one has OpenAI's API at /v1. `create_simulator(models, settings)` makes it. Routes are ASGI
class instances, so that a call costs no more than its work. `app.state.provider` gives tests in the
same process the journal without HTTP.
"""

import hmac
import time
from collections.abc import Mapping, Sequence

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from astrolabe_http.simulator import frames
from astrolabe_http.simulator.control import control_routes
from astrolabe_http.simulator.delivery import (
    JSON_TYPE,
    Connection,
    Header,
    Progress,
    before_headers,
    deliver_json,
    deliver_stream,
)
from astrolabe_http.simulator.errors import Refusal, refuse_status
from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.journal import CallRecord
from astrolabe_http.simulator.listing import list_models, show_credits, show_key
from astrolabe_http.simulator.models import SimulatedModel
from astrolabe_http.simulator.plain import PLAIN_CHAT, PLAIN_RESPONSES
from astrolabe_http.simulator.provider import CHAT, RESPONSES, Dialect, Exchange, Provider
from astrolabe_http.simulator.settings import SimulatorSettings

DEFAULT_SETTINGS = SimulatorSettings()
PATHS = {"chat": "/chat/completions", "responses": "/responses"}
OPENROUTER = {"chat": CHAT, "responses": RESPONSES}
PLAIN = {"chat": PLAIN_CHAT, "responses": PLAIN_RESPONSES}
_NO_CODE = b'{"error":{"message":"Internal error"}}'
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>\n"


def create_simulator(
    models: Sequence[SimulatedModel], settings: SimulatorSettings = DEFAULT_SETTINGS
) -> Starlette:
    """The whole simulator, with its own state."""
    provider = Provider(models, settings)
    base, dialects = settings.base, PLAIN if settings.plain else OPENROUTER
    pages = ("models",) if settings.plain else ("models", "generation", "key", "credits")
    app = Starlette(
        routes=[
            *(
                Route(base + PATHS[api], Completions(provider, dialects[api]), methods=["POST"])
                for api in sorted(settings.apis)
            ),
            *(Route(f"{base}/{page}", Listing(provider, page), methods=["GET"]) for page in pages),
            *control_routes(provider),
        ],
        exception_handlers={HTTPException: _lack_route if settings.plain else _refuse_route},
    )
    app.state.provider = provider
    return app


class Completions:
    """`POST /chat/completions` or `POST /responses`."""

    def __init__(self, provider: Provider, dialect: Dialect) -> None:
        self._provider = provider
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer or refuse, and write down how it ended."""
        provider = self._provider
        record = provider.journal.open(
            provider.settings.clock(), scope["method"], scope["path"], scope["headers"]
        )
        begun = time.perf_counter()
        connection = Connection(receive, send, provider.holds)
        try:
            record.raw_body = await connection.body()
            if connection.gone.is_set():
                record.outcome = "disconnected"
            else:
                await self._answer(scope, record, connection)
        finally:
            connection.close()
            record.ended_ms = int((time.perf_counter() - begun) * 1000)
            if record.outcome == "disconnected":
                record.disconnected, record.disconnected_ms = True, record.ended_ms

    async def _answer(self, scope: Scope, record: CallRecord, connection: Connection) -> None:
        refusal = _authenticate(scope, self._provider.settings)
        if refusal is not None:
            await self._refuse(connection, record, refusal, ())
            return
        record.authorized = True
        exchange = self._provider.prepare(self._dialect, record)
        faults = exchange.faults if isinstance(exchange, Exchange) else exchange[1]
        early = await before_headers(connection, faults, self._provider.settings.latency_ms)
        if early is not None:
            record.outcome = early
            if isinstance(exchange, Exchange):
                self._provider.settle(record, exchange, chunks=0, content_bytes=0)
        elif not isinstance(exchange, Exchange):
            await self._refuse(connection, record, exchange[0], ())
        elif not await self._refuse_by_fault(connection, record, exchange):
            await self._serve(connection, record, exchange)

    async def _refuse_by_fault(
        self, connection: Connection, record: CallRecord, exchange: Exchange
    ) -> bool:
        """Answer with the status a fault asks for; False where none does."""
        faults = exchange.faults
        headers = self._headers(exchange)
        status = faults.status()
        if status is not None:
            retry_after = self._provider.retry_after(faults)
            if retry_after is not None:
                headers.append((b"retry-after", retry_after.encode()))
            error = refuse_status(int(status.name))
            error.metadata["provider_name"] = exchange.answer.host
            await self._refuse(connection, record, error, headers)
        elif "no-code" in faults:
            await _send_error(connection, record, 500, _NO_CODE, JSON_TYPE, *headers)
        elif "html" in faults:
            await _send_error(connection, record, 502, _HTML, (b"content-type", b"text/html"))
        else:
            return False
        return True

    async def _serve(self, connection: Connection, record: CallRecord, exchange: Exchange) -> None:
        record.status = 200
        headers = self._headers(exchange)
        deliver = self._stream if exchange.ask.stream else self._json
        progress = Progress("disconnected")
        try:
            progress = await deliver(connection, headers, exchange)
        finally:
            broken = "error-200" in exchange.faults or "error-mid" in exchange.faults
            failed = broken and progress.outcome == "completed"
            record.outcome = "failed" if failed else progress.outcome
            self._provider.settle(
                record, exchange, chunks=progress.chunks, content_bytes=progress.content_bytes
            )

    async def _stream(
        self, connection: Connection, headers: list[Header], exchange: Exchange
    ) -> Progress:
        ask, made, faults = exchange.ask, exchange.answer, exchange.faults
        settings = self._provider.settings
        error = refuse_status(502)

        def fail(sent: int) -> list[frames.Frame]:
            return self._dialect.failure_frames(ask, made, error, sent)

        rendered = self._dialect.frames(ask, made, faults, settings.chunk_words)
        sent = frames.disturb(rendered, faults, fail)
        comment = b"" if settings.plain else frames.COMMENT
        return await deliver_stream(
            connection, headers, sent, faults, settings.chunk_delay_ms, comment=comment
        )

    def _headers(self, exchange: Exchange) -> list[Header]:
        if self._provider.settings.plain:
            return []
        return [(b"x-generation-id", exchange.answer.id.encode())]

    async def _refuse(
        self,
        connection: Connection,
        record: CallRecord,
        refusal: Refusal,
        headers: Sequence[Header],
    ) -> None:
        body = self._dialect.complain(refusal)
        await _send_error(connection, record, refusal.status, body, JSON_TYPE, *headers)

    async def _json(
        self, connection: Connection, headers: list[Header], exchange: Exchange
    ) -> Progress:
        ask, made, faults = exchange.ask, exchange.answer, exchange.faults
        if "error-200" in faults or "error-mid" in faults:
            body = self._dialect.failure_body(ask, made, refuse_status(502))
        else:
            body = self._dialect.body(ask, made, faults)
        return await deliver_json(connection, 200, headers, orjson.dumps(body), faults)


class Listing:
    """The `GET` endpoints. `GET /models` needs no key, as at OpenRouter."""

    def __init__(self, provider: Provider, subject: str) -> None:
        self._provider = provider
        self._subject = subject
        self._models = orjson.dumps(list_models(tuple(provider.models.values())))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is known."""
        provider = self._provider
        record = provider.journal.open(
            provider.settings.clock(), scope["method"], scope["path"], scope["headers"]
        )
        connection = Connection(receive, send, provider.holds)
        refusal = _authenticate(scope, provider.settings)
        record.authorized = refusal is None
        if refusal is not None and self._subject != "models":
            await _refuse(connection, record, refusal, ())
            return
        body = self._body(scope)
        if isinstance(body, Refusal):
            await _refuse(connection, record, body, ())
            return
        record.status = 200
        record.outcome = (await deliver_json(connection, 200, (), body, Faults())).outcome

    def _body(self, scope: Scope) -> bytes | Refusal:
        provider = self._provider
        match self._subject:
            case "models":
                return self._models
            case "generation":
                wanted = Request(scope).query_params.get("id", "")
                found = provider.journal.generations.get(wanted)
                if found is None or found.ready_at > provider.settings.clock():
                    return Refusal(404, f"Generation {wanted} not found", "not_found")
                return orjson.dumps({"data": found.describe()})
            case "key":
                return orjson.dumps(show_key("simulated", provider.journal.spent))
            case _:
                return orjson.dumps(show_credits(provider.settings.credits, provider.journal.spent))


def _authenticate(scope: Mapping[str, object], settings: SimulatorSettings) -> Refusal | None:
    key = settings.key
    if settings.plain and key is None:
        return None
    headers = scope["headers"]
    given = next((v for n, v in headers if n == b"authorization"), b"")  # type: ignore[attr-defined]
    scheme, _, token = given.partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        return Refusal(401, "No auth credentials found", "authentication")
    if key is not None and not hmac.compare_digest(token.strip(), key.encode()):
        return Refusal(401, "User not found.", "authentication")
    return None


async def _refuse(
    connection: Connection, record: CallRecord, refusal: Refusal, headers: Sequence[Header]
) -> None:
    await _send_error(connection, record, refusal.status, refusal.body(), JSON_TYPE, *headers)


async def _send_error(
    connection: Connection, record: CallRecord, status: int, body: bytes, *headers: Header
) -> None:
    record.status, record.outcome = status, "refused"
    await connection.start(status, [*headers, (b"content-length", str(len(body)).encode())])
    await connection.write(body, more=False)


async def _refuse_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = Refusal(status, str(getattr(error, "detail", error)), "not_found")
    return Response(refusal.body(), status, media_type="application/json")


async def _lack_route(_: Request, error: Exception) -> Response:
    """Say as FastAPI does, on which vLLM is built, that there is no such page."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = orjson.dumps({"detail": str(getattr(error, "detail", error))})
    return Response(detail, status, media_type="application/json")
