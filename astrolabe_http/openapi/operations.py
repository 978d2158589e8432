"""Which routes are there, what does each take, and what may it answer?

One `Operation` a method and path: the whole of the document's `paths` is made from this table. A
test compares it with the routes of the app, both ways.
"""

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from astrolabe_core.codes import Code
from astrolabe_http.openapi.errors import Refusals
from astrolabe_http.openapi.examples import (
    CHAT_EXAMPLES,
    RESPONSES_EXAMPLES,
    ROUTE_EXAMPLES,
    Examples,
)
from astrolabe_http.openapi.parameters import (
    FILTERS,
    ITEM_FILTERS,
    MODEL_ID,
    RESPONSE_ID,
    STACK_HEADER,
    STREAM,
    TRACE_ID,
    VIEW,
)
from astrolabe_http.openapi.schema import Schema, any_of, ref


@frozen(kw_only=True)
class Body:
    """What a request carries: a schema, and examples of it."""

    schema: Schema
    examples: Examples


@frozen(kw_only=True)
class Operation:
    """One method of one path.

    `answer` is the JSON of a 200, `events` one event of the same as a stream, `unready` the JSON
    of a 503 that is no error. `links` name what an answer leads to.
    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    says: str
    answer: Schema
    refusals: Refusals
    keyed: bool = True
    routed: bool = False
    parameters: tuple[Mapping[str, Any], ...] = ()
    body: Body | None = None
    events: Schema | None = None
    unready: Schema | None = None
    links: Mapping[str, Mapping[str, Any]] = field(factory=dict)


TAGS: Final[Mapping[str, str]] = {
    "Completions": "Answers of models. Both formats run through the same routing and the same "
    "ledger: money is held before a provider hears of a request, and the exact amount is paid "
    "after.",
    "Responses": "Responses that were kept, to be gone on from with `previous_response_id`.",
    "Routing": "What was decided, what would be, and why. Nothing here calls a provider.",
    "Models": "Which models and lanes there are.",
    "Usage": "What was used and paid.",
    "Service": "The gateway itself. These need no key.",
}


def _refusals(name: str, *codes: Code, above: Refusals | None = None) -> Refusals:
    return Refusals(name, frozenset(codes) | (above.codes if above is not None else frozenset()))


PROBE: Final = _refusals(
    "Probe", Code.REQUEST_HEADERS_TOO_LARGE, Code.REQUEST_TIMEOUT, Code.INVALID_REQUEST
)
"""What may be refused of any head, even of a probe."""

EDGE: Final = _refusals("Edge", Code.OVERLOADED, above=PROBE)
"""What may be refused before anything is known of a request."""

KEYED: Final = _refusals(
    "Keyed",
    Code.UNAUTHORIZED,
    Code.WORKSPACE_PENDING,
    Code.WORKSPACE_SUSPENDED,
    Code.FORBIDDEN,
    Code.RATE_LIMITED,
    Code.STORAGE_UNAVAILABLE,
    above=EDGE,
)
"""What any route with a key may refuse with."""

NAMED: Final = _refusals("Named", Code.NOT_FOUND, above=KEYED)
"""What a route to one thing may refuse with."""

KEPT: Final = _refusals("Kept", Code.UNSUPPORTED_PARAMETER, above=NAMED)
"""What a route to a kept response may refuse with."""

ITEMS: Final = _refusals("Items", Code.PAYLOAD_TOO_LARGE, above=NAMED)
"""What a route to a kept conversation may refuse with."""

MODEL: Final = _refusals("Model", Code.UNKNOWN_MODEL, above=NAMED)
"""What a route to one model may refuse with."""

ROUTED: Final = _refusals(
    "Routed",
    Code.PAYLOAD_TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE,
    Code.INVALID_ROUTING_OVERRIDE,
    Code.UNSUPPORTED_PARAMETER,
    Code.UNKNOWN_MODEL,
    Code.ROUTING_STACK_NOT_FOUND,
    Code.ROUTING_STACK_RESOLUTION_FAILED,
    above=NAMED,
)
"""What a route that reads a body and decides may refuse with. That nobody may serve is told too."""

SERVED: Final = _refusals(
    "Served",
    Code.CONTEXT_LENGTH_EXCEEDED,
    Code.ROUTING_POLICY_BLOCKED,
    Code.IDEMPOTENCY_CONFLICT,
    Code.BUDGET_EXCEEDED,
    Code.PAYMENT_REQUIRED,
    Code.TOOL_CALL_BLOCKED,
    Code.TOOL_CALL_CONFIRMATION_REQUIRED,
    Code.UNKNOWN_PRICING_MODEL,
    Code.PROVIDER_AUTH_ERROR,
    Code.PROVIDER_ERROR,
    Code.ORIGIN_UNREACHABLE,
    Code.PROVIDER_TIMEOUT,
    Code.STRUCTURED_OUTPUT_INVALID,
    Code.VERIFICATION_FAILED,
    above=ROUTED,
)
"""What a route that answers with a model may refuse with."""

REFUSALS: Final = (PROBE, EDGE, KEYED, NAMED, KEPT, ITEMS, MODEL, ROUTED, SERVED)


def _link(operation: str, name: str, value: str, says: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {name: value}, "description": says}


_TO_TRACE: Final = {
    "trace": _link(
        "getTrace", "request_id", "$response.header.x-request-id", "The trace of this request."
    )
}
_TO_RESPONSE: Final = {
    "response": _link(
        "getResponse", "response_id", "$response.body#/id", "The response, where it was kept."
    ),
    "items": _link(
        "listInputItems", "response_id", "$response.body#/id", "What it was given, likewise."
    ),
    "deletion": _link("deleteResponse", "response_id", "$response.body#/id", "Its end."),
}

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="POST",
        path="/v1/responses",
        id="createResponse",
        tag="Completions",
        summary="Answer, in OpenAI's Responses format",
        says="The primary API: JSON, or server-sent events with `stream: true`. A stream that "
        "breaks ends in an `error` event and `response.failed`.",
        answer=ref("Response"),
        events=ref("ResponsesEvent"),
        refusals=SERVED,
        routed=True,
        parameters=(STACK_HEADER,),
        body=Body(schema=ref("CreateResponse"), examples=RESPONSES_EXAMPLES),
        links=_TO_TRACE | _TO_RESPONSE,
    ),
    Operation(
        method="GET",
        path="/v1/responses/{response_id}",
        id="getResponse",
        tag="Responses",
        summary="Show a kept response",
        says="Responses are kept where the stack's memory has `rawPromptStorage` and "
        "`rawOutputStorage`, and the request did not say `store: false`.",
        answer=ref("Response"),
        refusals=KEPT,
        parameters=(RESPONSE_ID, STREAM),
    ),
    Operation(
        method="DELETE",
        path="/v1/responses/{response_id}",
        id="deleteResponse",
        tag="Responses",
        summary="Delete a kept response",
        says="What went on from it can be gone on from no longer.",
        answer=ref("DeletedResponse"),
        refusals=NAMED,
        parameters=(RESPONSE_ID,),
    ),
    Operation(
        method="GET",
        path="/v1/responses/{response_id}/input_items",
        id="listInputItems",
        tag="Responses",
        summary="List what a kept response was given",
        says="The conversation before it, and its own input.",
        answer=ref("InputItemList"),
        refusals=ITEMS,
        parameters=(RESPONSE_ID, *ITEM_FILTERS),
    ),
    Operation(
        method="POST",
        path="/v1/chat/completions",
        id="createChatCompletion",
        tag="Completions",
        summary="Answer, in OpenAI's Chat format",
        says="The same runtime in the Chat wire format. A stream that breaks ends in a frame that "
        "holds nothing but the error, and `[DONE]`.",
        answer=ref("ChatCompletion"),
        events=ref("ChatEvent"),
        refusals=SERVED,
        routed=True,
        parameters=(STACK_HEADER,),
        body=Body(schema=ref("CreateChatCompletion"), examples=CHAT_EXAMPLES),
        links=_TO_TRACE,
    ),
    Operation(
        method="POST",
        path="/v1/route",
        id="previewRoute",
        tag="Routing",
        summary="Decide without serving",
        says="Takes the body of either format, calls no provider and holds no money. Answers with "
        "the whole decision: every candidate, accepted with its score or rejected with all its "
        "reasons. A decision that admits nobody is one, too.",
        answer=ref("Trace"),
        refusals=ROUTED,
        routed=True,
        parameters=(STACK_HEADER,),
        body=Body(
            schema=any_of(ref("CreateChatCompletion"), ref("CreateResponse")),
            examples=ROUTE_EXAMPLES,
        ),
    ),
    Operation(
        method="GET",
        path="/v1/traces/{request_id}",
        id="getTrace",
        tag="Routing",
        summary="Show why a request went where it went",
        says="To any key of the same workspace. Another workspace's trace is not there.",
        answer=ref("Trace"),
        refusals=NAMED,
        parameters=(TRACE_ID,),
    ),
    Operation(
        method="GET",
        path="/v1/models",
        id="listModels",
        tag="Models",
        summary="List models",
        says="Virtual models, which choose, and serving models, which answer.",
        answer=ref("ModelList"),
        refusals=KEYED,
        parameters=(VIEW,),
    ),
    Operation(
        method="GET",
        path="/v1/models/{id}",
        id="getModel",
        tag="Models",
        summary="Show one model",
        says="Prices are what you pay.",
        answer=any_of(ref("VirtualModel"), ref("ServingModel")),
        refusals=MODEL,
        parameters=(MODEL_ID,),
    ),
    Operation(
        method="GET",
        path="/v1/lanes",
        id="listLanes",
        tag="Models",
        summary="List lanes",
        says="What stands behind each virtual model.",
        answer=ref("LaneList"),
        refusals=KEYED,
    ),
    Operation(
        method="GET",
        path="/v1/usage",
        id="listUsage",
        tag="Usage",
        summary="List or sum usage",
        says="Rows of the key's workspace, newest first, or sums with `group_by`.",
        answer=ref("UsagePage"),
        refusals=KEYED,
        parameters=FILTERS,
    ),
    Operation(
        method="GET",
        path="/health",
        id="getHealth",
        tag="Service",
        summary="Say that the process lives",
        says="200 as long as it does.",
        answer=ref("Health"),
        refusals=PROBE,
        keyed=False,
    ),
    Operation(
        method="GET",
        path="/ready",
        id="getReadiness",
        tag="Service",
        summary="Say whether the gateway can serve",
        says="503 names what is missing, all at once.",
        answer=ref("Readiness"),
        unready=ref("Readiness"),
        refusals=PROBE,
        keyed=False,
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        id="getOpenApi",
        tag="Service",
        summary="Describe the API",
        says="This document.",
        answer=ref("OpenApi"),
        refusals=EDGE,
        keyed=False,
    ),
)
