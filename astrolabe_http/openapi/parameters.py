"""What stands in paths, queries and headers of requests?

Query filters are those that `usage_page` and `listing` read; a test holds them together.
"""

from typing import Any, Final

from astrolabe_core.usage import PAGE_MAX, UsageGrouping
from astrolabe_http.ids import REQUEST_ID_PATTERN
from astrolabe_http.listing import View
from astrolabe_http.openapi.headers import REQUEST_ID
from astrolabe_http.openapi.schema import BOOLEAN, Schema, any_of, ref, text, whole, words
from astrolabe_http.usage_page import PAGE_DEFAULT, TEXT_CHARS_MAX
from astrolabe_http.wire.kept import ITEMS_DEFAULT, ITEMS_MAX

_MOMENT: Final = any_of(
    text(format="date-time", examples=["2026-11-21T12:00:00Z"]),
    text(format="date", examples=["2026-11-21"]),
    whole(minimum=0, maximum=99_999_999_999, examples=[1_795_262_400]),
    description="ISO 8601 (UTC where it names no zone), or Unix seconds.",
)


def _parameter(place: str, name: str, schema: Schema, says: str, **more: object) -> dict[str, Any]:
    return {"name": name, "in": place, "description": says, "schema": schema, **more}


def _name(says: str) -> tuple[Schema, str]:
    return text(minLength=1, maxLength=TEXT_CHARS_MAX), says


MODEL_ID: Final = _parameter(
    "path",
    "id",
    text(minLength=1, examples=["astrolabe/auto"]),
    "The id of a model. Its slash may stand as it is or as `%2F`; a virtual model has a short "
    "form without `astrolabe/`.",
    required=True,
    example="astrolabe/auto",
)
TRACE_ID: Final = _parameter(
    "path", "request_id", REQUEST_ID, "The id of a request, from `x-request-id`.", required=True
)
RESPONSE_ID: Final = _parameter(
    "path",
    "response_id",
    text(
        pattern=f"^resp_{REQUEST_ID_PATTERN.removeprefix('req_')}$",
        examples=["resp_01kahm4jm0g5q2x9w7d3n8b1cv"],
    ),
    "The `id` of a response.",
    required=True,
)
STREAM: Final = _parameter(
    "query",
    "stream",
    any_of({"const": False}, {"const": 0}, {"const": ""}),
    "A kept response is not streamed again.",
)
ITEM_FILTERS: Final = (
    _parameter(
        "query",
        "order",
        words(("asc", "desc"), default="desc"),
        "Newest first, or oldest.",
    ),
    _parameter(
        "query",
        "limit",
        whole(minimum=1, maximum=ITEMS_MAX, default=ITEMS_DEFAULT),
        "How many items to list, at most.",
    ),
    _parameter("query", "after", text(), "The `last_id` of the page before."),
)
STACK_HEADER: Final = _parameter(
    "header",
    "x-astrolabe-stack",
    ref("StackRef"),
    "The routing stack for this request, as `metadata.astrolabe.stack` would name it.",
)
VIEW: Final = _parameter(
    "query",
    "view",
    {**words(View), "default": View.ALL.value},
    "Which of both kinds to list.",
)
_FILTERS: Final[dict[str, tuple[Schema, str]]] = {
    "since": (_MOMENT, "From this moment on."),
    "until": (_MOMENT, "Until this moment, itself not included."),
    "key": _name("Requests of this key, by its id."),
    "model": _name("Requests that this model answered."),
    "stack": _name("Requests that this stack governed, by its slug."),
    "billable": (BOOLEAN, "Requests that were paid for, or those that were not."),
    "before": (REQUEST_ID, "The `next_cursor` of the page before."),
    "limit": (
        whole(minimum=1, maximum=PAGE_MAX, default=PAGE_DEFAULT),
        "How many rows to list, at most.",
    ),
    "group_by": (words(UsageGrouping), "Sums for each of these, in place of rows."),
}
FILTERS: Final = tuple(
    _parameter("query", name, schema, says) for name, (schema, says) in _FILTERS.items()
)
