"""What was said so far, as a Chat body tells it?

Each message becomes a turn. Text of every kind is joined, media parts are counted and never
opened. Contents may be a string, parts, or null. What a model once thought or called is sent
again, so that it is read and priced like everything else.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.chat_fields import MESSAGE_FIELDS
from astrolabe_http.wire.fields import (
    Object,
    array_of,
    described,
    invalid,
    object_of,
    text_of,
    unsupported,
)
from astrolabe_http.wire.parts import Said, read_content
from astrolabe_http.wire.rulings import first_against
from astrolabe_http.wire.sealing import sealed_bytes

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}


def read_messages(messages: object) -> tuple[Turn, ...] | Refusal:
    """Read `messages`."""
    if not isinstance(messages, list) or not messages:
        message = f"messages must be an array of at least one message, not {described(messages)}"
        return invalid("messages", message)
    turns: list[Turn] = []
    for place, message in enumerate(messages):
        turn = _read_message(message, f"messages[{place}]")
        if isinstance(turn, Refusal):
            return turn
        turns.append(turn)
    return tuple(turns)


def _read_message(message: object, param: str) -> Turn | Refusal:
    if not isinstance(message, Mapping):
        return invalid(param, f"{param} must be an object, not {described(message)}")
    named = message.get("role")
    if named == "function":
        advice = "function is the old form; send role tool with a tool_call_id"
        return unsupported(f"{param}.role", f"{param}.role {advice}")
    role = ROLES.get(named) if isinstance(named, str) else None
    if role is None:
        said_so = f"{param}.role must be one of {', '.join(ROLES)}, not {described(named)}"
        return invalid(f"{param}.role", said_so)
    said = Said()
    wrong = first_against(message, MESSAGE_FIELDS, f"{param}.")
    wrong = wrong or read_content(said, message.get("content"), f"{param}.content")
    if wrong is None and role is Role.SYSTEM:
        wrong = _against_media(said, param)
    if wrong is None and role is Role.TOOL and not isinstance(message.get("tool_call_id"), str):
        where = f"{param}.tool_call_id"
        wrong = invalid(where, f"{where} must be the id of the call that this answers")
    if wrong is None and role is Role.ASSISTANT:
        wrong = _read_assistant(said, message, param)
    return said.turn(role) if wrong is None else wrong


def _against_media(said: Said, param: str) -> Refusal | None:
    if said.images or said.audios or said.videos or said.files:
        where = f"{param}.content"
        return invalid(where, f"{where} must be text: OpenAI's system messages take nothing else")
    return None


def _read_assistant(said: Said, message: Object, param: str) -> Refusal | None:
    if refusal := text_of(message.get("refusal")):
        said.words.append(refusal)
    said.images += len(array_of(message.get("images")))
    _read_reasoning(said, message)
    for place, call in enumerate(array_of(message.get("tool_calls"))):
        wrong = _read_call(said, call, f"{param}.tool_calls[{place}]")
        if wrong is not None:
            return wrong
    return None


def _read_call(said: Said, call: object, param: str) -> Refusal | None:
    match call:
        case {"id": str(), "function": {"name": str(name), "arguments": str(arguments)}}:
            said.calls.append(name)
            # What was said is what is sent and priced: arguments are most of an agent's turn.
            said.words.append(arguments)
            return None
        case {"type": "custom"}:
            message = "no model here is offered tools that are no functions; leave the call out"
            return unsupported(f"{param}.type", message)
        case _:
            message = f"{param} must be a function call: id, function.name, function.arguments"
            return invalid(param, message)


def _read_reasoning(said: Said, message: Object) -> None:
    """Read what a model thought: in whole, or in details, which hold the same and more."""
    details = array_of(message.get("reasoning_details"))
    if not details:
        thought = text_of(message.get("reasoning")) or text_of(message.get("reasoning_content"))
        if thought:
            said.words.append(thought)
    for detail in map(object_of, details):
        words = text_of(detail.get("text")) or text_of(detail.get("summary"))
        if words:
            said.words.append(words)
        said.sealed_bytes += sealed_bytes(detail)
