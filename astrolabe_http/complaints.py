"""What does the body of an error say, in whichever of its many forms?

OpenAI's is `{"error": {"message", "type", "param", "code"}}`; OpenRouter has numbers for codes and
`metadata.error_type`; plain servers leave out what they like, or the envelope. `read` makes one
record of all. In a stream that began with 200 the number in `error.code` takes the place of the
status. Pure; no word of a provider's goes further than the rules in `failures`.
"""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

NO_HEADERS: Final[Mapping[str, str]] = {}


@frozen(kw_only=True)
class Recorded:
    """An answer as it was seen on the wire, or stands in the provider's documentation."""

    status: int | None
    body: object
    source: str
    headers: Mapping[str, str] = field(default=NO_HEADERS, hash=False)


@frozen(kw_only=True)
class Said:
    """What an answer says of itself, once its many forms are one."""

    status: int | None = None
    error_type: str = ""
    message: str = field(default="", repr=False)
    moderated: bool = False
    readable: bool = True


def read(status: int | None, body: object) -> Said:
    """Bring the forms of an error body into one."""
    error = _error(body)
    if error is None:
        return Said(status=status, readable=isinstance(body, Mapping))
    code, metadata = error.get("code"), error.get("metadata")
    facts: Mapping[object, object] = metadata if isinstance(metadata, Mapping) else {}
    types = (facts.get("error_type"), error.get("error_type"), code, error.get("type"))
    # A proxy's status tells more than what is inside; a 200 tells nothing.
    inner = _number(code)
    known = inner if status in {None, 200} and inner is not None else status
    return Said(
        status=None if known == 200 else known,
        error_type=next((each for each in types if isinstance(each, str) and each), ""),
        message=str(error.get("message", "")).lower(),
        moderated=bool(facts.get("flagged_input") or facts.get("reasons")),
    )


def _error(body: object) -> Mapping[object, object] | None:
    """Give the object that says what is wrong, wherever it stands."""
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    if isinstance(error, Mapping):
        return error
    if isinstance(error, str):
        # Ollama, TGI, LM Studio: a text, with or without its type beside it.
        return {"message": error, "type": body.get("error_type")}
    if body.get("object") == "error":
        # vLLM before 0.10, SGLang: the body is the error.
        return body
    detail = body.get("detail")
    # FastAPI, and what is built on it.
    return {"message": detail} if isinstance(detail, str) else None


def _number(code: object) -> int | None:
    if isinstance(code, bool):
        return None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        return int(code)
    return code if isinstance(code, int) and 100 <= code <= 599 else None
