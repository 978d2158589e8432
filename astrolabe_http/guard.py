"""What of a body is let in?

At most so many bytes, of type JSON, and one strict JSON object: no NaN, no broken UTF-8, nothing
after it. What is not let in is a refusal; it is told only once the caller is known. Reading stops
at the limit: what lies behind is never held in memory.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import orjson
from starlette.types import Receive

from astrolabe_core.codes import Code, Refusal

GONE: Final = "gone"
"""The caller left before its body was there."""

Body: TypeAlias = dict[str, object] | Refusal | Literal["gone"]


async def read_body(
    receive: Receive, headers: Iterable[tuple[bytes, bytes]], bytes_max: int
) -> Body:
    """Read a JSON object from the connection."""
    named = dict(headers)
    refusal = _refuse_type(named)
    announced = named.get(b"content-length", b"")
    if refusal is None and announced.isdigit() and int(announced) > bytes_max:
        refusal = _too_large(bytes_max)
    if refusal is not None:
        return refusal
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return GONE
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > bytes_max:
            return _too_large(bytes_max)
        parts.append(part)
        if not message.get("more_body", False):
            return read_object(parts[0] if len(parts) == 1 else b"".join(parts))


def read_object(raw: bytes) -> dict[str, object] | Refusal:
    """Read one strict JSON object."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return _invalid(f"the body is not valid JSON at {where}; send one JSON object in UTF-8")
    if not isinstance(body, dict):
        return _invalid("the body is JSON but not an object; send one JSON object")
    return body


def _refuse_type(named: Mapping[bytes, bytes]) -> Refusal | None:
    media = named.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    # `application/vnd.acme+json` is JSON too.
    if media != b"application/json" and not (
        media.startswith(b"application/") and media.endswith(b"+json")
    ):
        return Refusal(
            code=Code.UNSUPPORTED_MEDIA_TYPE,
            message="the body must be JSON; send 'content-type: application/json'",
        )
    coding = named.get(b"content-encoding", b"identity").strip().lower()
    if coding not in {b"identity", b""}:
        return Refusal(
            code=Code.UNSUPPORTED_MEDIA_TYPE,
            message="compressed bodies are not read; send the body without 'content-encoding'",
        )
    return None


def _too_large(bytes_max: int) -> Refusal:
    return Refusal(
        code=Code.PAYLOAD_TOO_LARGE,
        message=f"the body is larger than {bytes_max} bytes; send a smaller one",
        details={"bytes_max": bytes_max},
    )


def _invalid(message: str) -> Refusal:
    return Refusal(code=Code.INVALID_REQUEST, message=message)
