"""How are usage, citations and errors written in the other format?

Names change, values do not: a count that is no count stays one, so that whoever reads it judges
it as if it had come in the caller's own format.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of

_COUNTS: Final = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "prompt_tokens_details": "input_tokens_details",
    "completion_tokens_details": "output_tokens_details",
}
_COUNTS_BACK: Final = {there: here for here, there in _COUNTS.items()}
_CITED: Final = ("url", "title", "start_index", "end_index", "content")


def responses_usage(usage: Object) -> dict[str, object]:
    """Write a Chat usage as Responses has it."""
    return {_COUNTS.get(name, name): value for name, value in usage.items()}


def chat_usage(usage: Object) -> dict[str, object]:
    """Write a Responses usage as Chat has it."""
    return {_COUNTS_BACK.get(name, name): value for name, value in usage.items()}


def responses_citation(annotation: object) -> dict[str, object]:
    """Write a citation flat, as Responses has it."""
    said = object_of(annotation)
    inner = said.get("url_citation")
    if not isinstance(inner, Mapping):
        return dict(said)
    return {"type": "url_citation", **{key: inner[key] for key in _CITED if key in inner}}


def chat_citation(annotation: Object) -> dict[str, object]:
    """Write a citation in its own object, as Chat has it."""
    inner = {key: annotation[key] for key in _CITED if key in annotation}
    return {"type": "url_citation", "url_citation": inner}


def chat_error(response: Object) -> dict[str, object] | None:
    """Give the error of a response object as Chat has it, or `None` where none is told.

    The type stands beside the error there, or as a word in its code.
    """
    error = response.get("error")
    if not error and text_of(response.get("status")) not in {"failed", "cancelled"}:
        return None
    found = object_of(error)
    kind = response.get("error_type") or found.get("code")
    made: dict[str, object] = {"message": "", **found}
    if isinstance(kind, str):
        made["metadata"] = {**object_of(found.get("metadata")), "error_type": kind}
    return made


def event_error(event: Object) -> dict[str, object]:
    """Give the error of an `error` event, nested or flat, as Chat has it."""
    nested = object_of(event.get("error"))
    if nested:
        return dict(nested)
    code, message = event.get("code"), event.get("message")
    return chat_error({"error": {"code": code, "message": message}}) or {}


def error_in(payload: Object) -> dict[str, object] | None:
    """Find the error that a Chat body or chunk may hold, at its top or in a choice."""
    found = payload.get("error")
    for choice in map(object_of, array_of(payload.get("choices"))):
        if choice.get("finish_reason") == "error":
            found = found or {"message": "the provider's answer broke off before its end"}
        found = found or choice.get("error")
    if not found:
        return None
    return dict(found) if isinstance(found, Mapping) else {"message": text_of(found)}
