"""Which routes has the gateway, and what holds for all of them?

`create_app(gateway)` gives an ASGI app that may stand alone or be mounted in another one; nothing
needs its lifespan. Routes are ASGI class instances, so that a call costs no more than its work.
The guard stands before all of them and gives each exchange its id. An exchange is logged once, and
a bug in it is answered in the form of every other error and never in its own words.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Malformed
from astrolabe_core.requests import Surface as Format
from astrolabe_core.routing import near
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Trace
from astrolabe_core.units import RequestId
from astrolabe_http.connection import JSON_TYPE, Connection, json_bytes
from astrolabe_http.errors import DOCS_PATH, error_body
from astrolabe_http.gateway import Gateway
from astrolabe_http.guard import ENTRANCE, Door, Entrance, Guard
from astrolabe_http.headers import identity_headers, refusal_headers
from astrolabe_http.kept_pages import KeptPages
from astrolabe_http.listing import Listing, View
from astrolabe_http.logbook import NO_ROUTE, Logbook
from astrolabe_http.openapi import document_bytes
from astrolabe_http.reports import report_bug
from astrolabe_http.surface import Page, Reader, Surface, Visit
from astrolabe_http.usage_page import read_usage_query, usage_page

Work: TypeAlias = Callable[[Visit], Awaitable[Trace | None]]

_HEALTHY: Final = b'{"ok":true}'


def create_app(gateway: Gateway) -> Starlette:
    """Give the gateway as an ASGI app. Whoever made the gateway closes it."""
    surface = Surface(gateway)
    readings = Readings(gateway, surface)
    kept = KeptPages(gateway.store, surface)
    doors: dict[Door, ASGIApp] = {}

    def route(method: str, path: str, work: Work) -> Route:
        return Route(path, Endpoint(gateway, method, path, work), methods=[method])

    def hot(path: str, work: Work) -> Route:
        found = route("POST", path, work)
        doors["POST", path] = found.endpoint
        return found

    def many(path: str, works: dict[str, Work]) -> Route:
        ends = {each: Endpoint(gateway, each, path, work) for each, work in works.items()}
        return Route(path, ByMethod(ends), methods=list(ends))

    return Starlette(
        routes=[
            hot("/v1/chat/completions", lambda it: surface.serve(it, Format.CHAT)),
            hot("/v1/responses", lambda it: surface.serve(it, Format.RESPONSES)),
            many("/v1/responses/{response_id}", {"GET": kept.show, "DELETE": kept.forget}),
            route("GET", "/v1/responses/{response_id}/input_items", kept.items),
            route("POST", "/v1/route", surface.preview),
            route("GET", "/v1/models", readings.models),
            route("GET", "/v1/models/{id:path}", readings.model),
            route("GET", "/v1/lanes", readings.lanes),
            route("GET", "/v1/usage", readings.usage),
            route("GET", "/v1/traces/{request_id}", readings.trace),
            route("GET", "/health", _health),
            route("GET", "/openapi.json", _describe),
            route("GET", "/ready", lambda visit: _ready(gateway, visit)),
        ],
        middleware=[Middleware(Guard, gateway, doors)],
        exception_handlers={HTTPException: Lost(gateway)},
    )


class Endpoint:
    """One route: gives an exchange its id, has it worked on, and logs how it went."""

    def __init__(self, gateway: Gateway, method: str, path: str, work: Work) -> None:
        self._method = method
        self._path = path
        self._work = work
        self._logbook = Logbook(gateway)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one exchange."""
        connection = Connection(receive, send)
        entrance: Entrance = scope[ENTRANCE]
        visit = Visit(
            id=entrance.id,
            at=entrance.at,
            scope=scope,
            receive=receive,
            connection=connection,
        )
        trace: Trace | None = None
        fault: str | None = None
        try:
            trace = await self._work(visit)
        except Exception as error:  # noqa: BLE001 - the last place where a bug can be told
            fault = type(error).__name__
            report_bug(visit.id, error)
            await _fail(visit)
        finally:
            connection.close()
            self._log(visit, trace, fault)

    def _log(self, visit: Visit, trace: Trace | None, fault: str | None) -> None:
        if trace is None and fault is None:
            return
        known = trace or Trace(arrival=visit.malformed(_BUG))
        status = visit.connection.status
        self._logbook.note(known, method=self._method, route=self._path, status=status, fault=fault)


class ByMethod:
    """One path with several methods: `allow` names all of them."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one exchange; HEAD as GET."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._endpoints[method](scope, receive, send)


class Readings:
    """The routes that only read."""

    def __init__(self, gateway: Gateway, surface: Surface) -> None:
        self._gateway = gateway
        self._surface = surface
        self._listing = Listing(gateway.catalog, gateway.virtual_models)

    async def models(self, visit: Visit) -> Trace | None:
        """List models; `view` narrows."""
        query = visit.scope["query_string"].decode("latin-1")
        given = dict(parse_qsl(query, keep_blank_values=True))
        try:
            page = self._listing.pages[View(given.get("view", View.ALL))]
        except ValueError:
            message = f"view must be one of {', '.join(View)}"
            refusal = Refusal(code=Code.INVALID_REQUEST, message=message, param="view")
            return await self._surface.read(visit, refusal)
        return await self._surface.read(visit, _known(page))

    async def model(self, visit: Visit) -> Trace | None:
        """Show one model."""
        name = str(visit.scope["path_params"]["id"])
        found = self._listing.model(name)
        return await self._surface.read(visit, _known(found or self._no_model(name)))

    async def lanes(self, visit: Visit) -> Trace | None:
        """List the lanes."""
        return await self._surface.read(visit, _known(self._listing.lanes))

    async def usage(self, visit: Visit) -> Trace | None:
        """List or sum usage."""
        asked = read_usage_query(visit.scope["query_string"])
        if isinstance(asked, Refusal):
            return await self._surface.read(visit, asked)

        async def read(caller: Caller) -> Page:
            return orjson.dumps(await usage_page(self._gateway.store, asked, caller.workspace.id))

        return await self._surface.read(visit, read)

    async def trace(self, visit: Visit) -> Trace | None:
        """Show a trace to any key of its workspace."""
        wanted = RequestId(str(visit.scope["path_params"]["request_id"]))

        async def read(caller: Caller) -> Page:
            found = await self._gateway.store.trace(caller.workspace.id, wanted)
            return _NO_TRACE if found is None else found.encode()

        return await self._surface.read(visit, read)

    def _no_model(self, name: str) -> Refusal:
        close = near(name, self._gateway.catalog, self._gateway.virtual_models)
        return Refusal(
            code=Code.UNKNOWN_MODEL,
            message=f"there is no model {name[:120]!r}; GET /v1/models lists them",
            param="model",
            details={"near": close},
        )


class Lost:
    """What is said where no route is, or not for this method."""

    def __init__(self, gateway: Gateway) -> None:
        self._logbook = Logbook(gateway)

    def __call__(self, request: Request, error: Exception) -> Response:
        """Answer in the form of every other error, and log it like one."""
        entrance: Entrance = request.scope[ENTRANCE]
        status = error.status_code if isinstance(error, HTTPException) else 500
        allowed = _header_of(error, "Allow")
        if request.url.path.endswith(_NOT_OFFERED):
            status, allowed = 404, None
        refusal = _WRONG_METHOD if status == 405 else _NO_ROUTE
        response = Response(json_bytes(error_body(refusal, entrance.id)), status)
        named = [JSON_TYPE, *identity_headers(entrance.id), *refusal_headers(refusal)]
        if allowed is not None:
            named.append((b"allow", allowed.encode("ascii")))
        response.raw_headers += named
        arrival = Malformed(id=entrance.id, received_at=entrance.at, refusal=refusal)
        trace = Trace(arrival=arrival, refusal=refusal)
        self._logbook.note(trace, method=request.method, route=NO_ROUTE, status=status)
        return response


def _header_of(error: Exception, name: str) -> str | None:
    headers = error.headers if isinstance(error, HTTPException) else None
    return None if headers is None else headers.get(name)


def _known(page: Page) -> Reader:
    async def read(_: Caller) -> Page:
        return page

    return read


async def _health(visit: Visit) -> Trace | None:
    await visit.connection.answer(200, identity_headers(visit.id), _HEALTHY)
    return None


async def _describe(visit: Visit) -> Trace | None:
    """Tell the API itself; the server's path is that under which the app is mounted."""
    described = document_bytes(str(visit.scope.get("root_path", "")))
    await visit.connection.answer(200, identity_headers(visit.id), described)
    return None


async def _ready(gateway: Gateway, visit: Visit) -> Trace | None:
    issues = await gateway.issues()
    body = {
        "ok": not issues,
        "service": "gateway",
        "mode": gateway.mode,
        "issues": issues,
    }
    status = 503 if issues else 200
    await visit.connection.answer(status, identity_headers(visit.id), orjson.dumps(body))
    return None


async def _fail(visit: Visit) -> None:
    """Answer a bug; a stream that has begun is left broken, so that nobody takes it for whole."""
    if visit.connection.started:
        return
    body = {
        "error": {
            "code": "internal_error",
            "message": "the gateway failed; nothing more is known to you than this request id: "
            "tell it to the operator",
            "type": "server_error",
            "param": None,
            "requestId": visit.id,
            "docs_url": f"{DOCS_PATH}#internal_error",
        }
    }
    await visit.connection.answer(500, identity_headers(visit.id), orjson.dumps(body))


_BUG: Final = Refusal(code=Code.OVERLOADED, message="the gateway failed")
_NO_TRACE: Final = Refusal(
    code=Code.NOT_FOUND,
    message="there is no trace with this request id in your workspace",
    param="request_id",
)
_NOT_OFFERED: Final = ("/v1/responses/compact",)
"""Paths of OpenAI's that would pass for the id of a response, of the wrong method."""
_NO_ROUTE: Final = Refusal(
    code=Code.NOT_FOUND, message="there is no such path; the API is below /v1"
)
_WRONG_METHOD: Final = Refusal(
    code=Code.INVALID_REQUEST, message="this path does not take this method; 'allow' says which"
)
