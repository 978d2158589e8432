"""What was said so far, as a Responses body tells it?

`instructions` and each item of `input` become a turn. Items may leave out `type`; contents may
be a string, parts or null. Calls, their outputs and past reasoning are turns too, with their
words, since they are sent and priced. An item that only points at stored state is refused.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.chat_turns import Said, read_content
from astrolabe_http.wire.fields import (
    Object,
    array_of,
    described,
    invalid,
    object_of,
    text_of,
    unsupported,
)

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}


def read_input(instructions: object, given: object) -> tuple[Turn, ...] | Refusal:
    """Read `instructions` and `input`."""
    turns = [Turn(role=Role.SYSTEM, text=instructions)] if isinstance(instructions, str) else []
    if isinstance(given, str):
        return (*turns, Turn(role=Role.USER, text=given))
    if not isinstance(given, list) or not given:
        message = f"input must be a string or an array of items, not {described(given)}"
        return invalid("input", message)
    for place, item in enumerate(given):
        turn = _read_item(item, f"input[{place}]")
        if isinstance(turn, Refusal):
            return turn
        turns.append(turn)
    return tuple(turns)


def _read_item(item: object, param: str) -> Turn | Refusal:
    if not isinstance(item, Mapping):
        return invalid(param, f"{param} must be an item with a type, not {described(item)}")
    kind = item.get("type", "message")
    if not isinstance(kind, str):
        return invalid(f"{param}.type", f"{param}.type must be a string, not {described(kind)}")
    match kind:
        case "message":
            return _read_message(item, param)
        case "function_call":
            return _read_call(item, param)
        case "function_call_output":
            return _read_output(item, param)
        case "reasoning":
            return _read_reasoning(item)
        case "item_reference":
            message = "no state is kept here; send the item itself"
            return unsupported(f"{param}.type", message)
        case _:
            # An item of a tool that is not a function: it is passed on, and sized by its words.
            role = Role.TOOL if kind.endswith("_output") else Role.ASSISTANT
            return Turn(role=role, text=orjson.dumps(item).decode())


def _read_message(item: Object, param: str) -> Turn | Refusal:
    named = item.get("role")
    role = ROLES.get(named) if isinstance(named, str) else None
    if role is None:
        message = f"{param}.role must be one of {', '.join(ROLES)}, not {described(named)}"
        return invalid(f"{param}.role", message)
    said = Said()
    wrong = read_content(said, item.get("content"), f"{param}.content")
    return said.turn(role) if wrong is None else wrong


def _read_call(item: Object, param: str) -> Turn | Refusal:
    for key in ("call_id", "name", "arguments"):
        if not isinstance(item.get(key), str):
            where = f"{param}.{key}"
            return invalid(where, f"{where} must be a string, not {described(item.get(key))}")
    return Turn(
        role=Role.ASSISTANT,
        text=text_of(item.get("arguments")),
        tool_calls=(text_of(item.get("name")),),
    )


def _read_output(item: Object, param: str) -> Turn | Refusal:
    if not isinstance(item.get("call_id"), str):
        where = f"{param}.call_id"
        return invalid(where, f"{where} must be the id of the call that this answers")
    said = Said()
    wrong = read_content(said, item.get("output"), f"{param}.output")
    return said.turn(Role.TOOL) if wrong is None else wrong


def _read_reasoning(item: Object) -> Turn:
    parts = [*array_of(item.get("summary")), *array_of(item.get("content"))]
    words = [text_of(object_of(part).get("text")) for part in parts]
    return Turn(role=Role.ASSISTANT, text="\n".join(word for word in words if word))
