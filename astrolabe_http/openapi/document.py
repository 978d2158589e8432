"""What is the OpenAPI document of the gateway?

`document()` puts the tables of this package together. It depends on nothing but the code: not on
catalog, settings or caller, so that it is made once and told to everybody.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any, Final

import orjson

from astrolabe_http.openapi.bodies import BODY_SCHEMAS
from astrolabe_http.openapi.chat_answers import CHAT_ANSWER_SCHEMAS
from astrolabe_http.openapi.chat_body import CHAT_SCHEMAS
from astrolabe_http.openapi.contents import CONTENT_SCHEMAS
from astrolabe_http.openapi.errors import ERROR_SCHEMAS, ErrorAnswers
from astrolabe_http.openapi.headers import (
    ACCOUNT,
    DECISION,
    IDENTITY,
    STACK,
    header_components,
    pointing_at,
)
from astrolabe_http.openapi.operations import OPERATIONS, REFUSALS, TAGS, Operation
from astrolabe_http.openapi.pages import PAGE_SCHEMAS
from astrolabe_http.openapi.responses_answers import RESPONSES_ANSWER_SCHEMAS
from astrolabe_http.openapi.responses_body import RESPONSES_SCHEMAS
from astrolabe_http.openapi.routing import ROUTING_SCHEMAS
from astrolabe_http.openapi.schema import Schema

OPENAPI_VERSION: Final = "3.1.1"
API_VERSION: Final = "1"
"""That of the paths below `/v1`."""

_DESCRIPTION: Final = """An AI gateway that speaks OpenAI's formats.

Point any OpenAI client at this server with a base URL that ends in `/v1`. A **routing stack** (a
versioned policy) decides which models may serve a request and which one should; a **prepaid
ledger** sets money aside before any provider hears of it and debits the exact amount after; a
**route trace** explains every choice.

Every answer names its request in `x-request-id`. Errors have one form, in answers and in streams
alike. Where trying again cannot help the answer says `x-should-retry: false`; where waiting helps
it says for how long in `retry-after`.

The schema of `text/event-stream` describes each event of the stream, not the stream as a whole.
"""

SCHEMAS: Final[Mapping[str, Schema]] = dict(
    sorted(
        {
            **BODY_SCHEMAS,
            **CONTENT_SCHEMAS,
            **CHAT_SCHEMAS,
            **RESPONSES_SCHEMAS,
            **CHAT_ANSWER_SCHEMAS,
            **RESPONSES_ANSWER_SCHEMAS,
            **ROUTING_SCHEMAS,
            **PAGE_SCHEMAS,
            **ERROR_SCHEMAS,
        }.items()
    )
)

_ERRORS: Final = ErrorAnswers(REFUSALS)
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer astrolabe_live_…`, as OpenAI's clients send it.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same key in a header of its own. Two different keys are refused.",
    },
}


def document(server: str = "/") -> dict[str, Any]:
    """Write the document, all of it the caller's own to change.

    `server` is where the routes begin, as seen from the document's host.
    """
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    made = {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Astrolabe",
            "version": API_VERSION,
            "summary": "One gateway in front of many models.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server, "description": "This gateway."}],
        "security": [{name: []} for name in _SECURITY],
        "tags": [{"name": name, "description": says} for name, says in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": _ERRORS.components(),
            "headers": header_components(),
            "securitySchemes": _SECURITY,
        },
    }
    return deepcopy(made)


@lru_cache(maxsize=4)
def document_bytes(root_path: str) -> bytes:
    """Write the document for an app that is mounted at a path, or at none."""
    return orjson.dumps(document(root_path or "/"))


def _operation(of: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": of.id,
        "tags": [of.tag],
        "summary": of.summary,
        "description": of.says,
    }
    if not of.keyed:
        made["security"] = []
    if of.parameters:
        made["parameters"] = list(of.parameters)
    if of.body is not None:
        content = {"schema": of.body.schema, "examples": of.body.examples}
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    answers = {"200": _answer(of), **_ERRORS.of(of.refusals)}
    if of.unready is not None:
        answers["503"] = _answered("Not ready", of.unready)
    made["responses"] = dict(sorted(answers.items()))
    return made


def _answer(of: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": of.answer}}
    if of.events is not None:
        content["text/event-stream"] = {"schema": of.events}
    groups = [IDENTITY]
    if of.keyed:
        groups.append(ACCOUNT)
    if of.routed:
        groups += [STACK, DECISION]
    made: dict[str, Any] = {
        "description": "OK",
        "headers": pointing_at(*groups),
        "content": content,
    }
    if of.links:
        made["links"] = of.links
    return made


def _answered(says: str, schema: Schema) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"description": says, "headers": pointing_at(IDENTITY), "content": content}
