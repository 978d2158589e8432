"""What was said so far, as a Responses body tells it?

`instructions` and each item of `input` become a turn. Items may leave out `type`; contents may
be a string, parts or null. Calls, their outputs and past reasoning are turns too, with their
words, since they are sent and priced. An item of which a provider would see nothing is refused.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.fields import (
    Object,
    array_of,
    described,
    invalid,
    object_of,
    text_of,
    unsupported,
)
from astrolabe_http.wire.parts import AUDIOS, FILES, IMAGES, VIDEOS, Said, read_content
from astrolabe_http.wire.responses_input import ITEMS, ruling_on
from astrolabe_http.wire.rulings import Fate
from astrolabe_http.wire.sealing import sealed_bytes

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_NO_WORDS: Final = frozenset({"type", "id", "call_id", "status", "role"})


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
    kind = "message" if item.get("type") is None else item["type"]
    if not isinstance(kind, str):
        return invalid(f"{param}.type", f"{param}.type must be a string, not {described(kind)}")
    match kind:
        case "message":
            return _read_message(item, param)
        case "function_call":
            return _read_call(item, param)
        case "function_call_output" | "custom_tool_call_output":
            return _read_output(item, param)
        case "reasoning":
            return _read_reasoning(item)
        case _:
            return _read_other(item, kind, param)


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
    if wrong is not None:
        return wrong
    if said.audios or said.videos:
        where = f"{param}.output"
        return unsupported(where, f"{where} takes text, images and files; describe the rest")
    return said.turn(Role.TOOL)


def _read_reasoning(item: Object) -> Turn:
    parts = [*array_of(item.get("summary")), *array_of(item.get("content"))]
    words = [text_of(object_of(part).get("text")) for part in parts]
    text = "\n".join(word for word in words if word)
    return Turn(role=Role.ASSISTANT, text=text, sealed_bytes=sealed_bytes(item))


def _read_other(item: Object, kind: str, param: str) -> Turn | Refusal:
    """Read an item of a tool that no model here is offered: what was said by it stands."""
    ruling = ruling_on(kind)
    if ruling is None or ruling.fate is Fate.REFUSED:
        known = [name for name, each in ITEMS.items() if each.fate is not Fate.REFUSED]
        advice = f"send one of {', '.join(known)}" if ruling is None else ruling.note
        message = f"an item of type {kind[:40]!r} is not supported: {advice}"
        return unsupported(f"{param}.type", message)
    said = Said(sealed_bytes=sealed_bytes(item))
    _survey(said, item)
    return said.turn(Role.TOOL if kind.endswith("_output") else Role.ASSISTANT)


def _survey(said: Said, value: object) -> None:
    """Count words and media, wherever in an item they stand."""
    if isinstance(value, str):
        said.words.append(value)
    elif isinstance(value, list):
        for each in value:
            _survey(said, each)
    elif isinstance(value, Mapping):
        _survey_object(said, value)


def _survey_object(said: Said, value: Object) -> None:
    kind = text_of(value.get("type"))
    if kind in IMAGES:
        said.images += 1
    elif kind in AUDIOS:
        said.audios += 1
    elif kind in VIDEOS:
        said.videos += 1
    elif kind in FILES:
        said.files += 1
    else:
        for key, each in value.items():
            if key == "result" and kind == "image_generation_call":
                said.images += bool(each)
            elif key not in _NO_WORDS and key != "encrypted_content":
                _survey(said, each)
