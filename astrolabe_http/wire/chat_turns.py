"""What was said so far, as a Chat body tells it?

Each message becomes a turn. Text of every kind is joined, media parts are counted and never
opened. Contents may be a string, parts, or null; a part of an unknown type is refused, since
the model would not see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.fields import Object, described, invalid, unsupported

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
IMAGES: Final = frozenset({"image_url", "input_image"})
AUDIOS: Final = frozenset({"input_audio"})
VIDEOS: Final = frozenset({"video_url", "input_video"})
FILES: Final = frozenset({"file", "input_file"})
TEXTS: Final[Mapping[str, str]] = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}


@dataclass(slots=True)
class Said:
    """The parts of one turn so far."""

    words: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    images: int = 0
    audios: int = 0
    videos: int = 0
    files: int = 0

    def turn(self, role: Role) -> Turn:
        """Put the turn together."""
        return Turn(
            role=role,
            text="\n".join(self.words),
            images=self.images,
            audios=self.audios,
            videos=self.videos,
            files=self.files,
            tool_calls=tuple(self.calls),
        )


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


def read_content(said: Said, content: object, param: str) -> Refusal | None:
    """Read a content in any of its forms: string, parts, null."""
    if content is None:
        return None
    if isinstance(content, str):
        said.words.append(content)
        return None
    if not isinstance(content, list):
        message = f"{param} must be a string or an array of parts, not {described(content)}"
        return invalid(param, message)
    for place, part in enumerate(content):
        wrong = _read_part(said, part, f"{param}[{place}]")
        if wrong is not None:
            return wrong
    return None


def _read_part(said: Said, part: object, param: str) -> Refusal | None:
    if isinstance(part, str):
        said.words.append(part)
        return None
    if not isinstance(part, Mapping):
        return invalid(param, f"{param} must be a part with a type, not {described(part)}")
    kind = part.get("type")
    if not isinstance(kind, str):
        return invalid(f"{param}.type", f"{param}.type must be a string, not {described(kind)}")
    if kind in TEXTS:
        text = part.get(TEXTS[kind])
        if not isinstance(text, str):
            where = f"{param}.{TEXTS[kind]}"
            return invalid(where, f"{where} must be a string, not {described(text)}")
        said.words.append(text)
    elif kind in IMAGES:
        said.images += 1
    elif kind in AUDIOS:
        said.audios += 1
    elif kind in VIDEOS:
        said.videos += 1
    elif kind in FILES:
        said.files += 1
    else:
        known = sorted({*TEXTS, *IMAGES, *AUDIOS, *VIDEOS, *FILES})
        message = f"no model would see a part of type {kind[:40]!r}; use one of {', '.join(known)}"
        return unsupported(f"{param}.type", message)
    return None


def _read_message(message: object, param: str) -> Turn | Refusal:
    if not isinstance(message, Mapping):
        return invalid(param, f"{param} must be an object, not {described(message)}")
    named = message.get("role")
    role = ROLES.get(named) if isinstance(named, str) else None
    if role is None:
        said_so = f"{param}.role must be one of {', '.join(ROLES)}, not {described(named)}"
        return invalid(f"{param}.role", said_so)
    said = Said()
    wrong = read_content(said, message.get("content"), f"{param}.content")
    if wrong is None and role is Role.TOOL and not isinstance(message.get("tool_call_id"), str):
        where = f"{param}.tool_call_id"
        wrong = invalid(where, f"{where} must be the id of the call that this answers")
    if wrong is None and role is Role.ASSISTANT:
        wrong = _read_assistant(said, message, param)
    return said.turn(role) if wrong is None else wrong


def _read_assistant(said: Said, message: Object, param: str) -> Refusal | None:
    refusal = message.get("refusal")
    if isinstance(refusal, str):
        said.words.append(refusal)
    calls = message.get("tool_calls")
    if calls is None:
        return None
    if not isinstance(calls, list):
        where = f"{param}.tool_calls"
        return invalid(where, f"{where} must be an array, not {described(calls)}")
    for place, call in enumerate(calls):
        match call:
            case {"function": {"name": str(name), "arguments": str(arguments)}}:
                said.calls.append(name)
                # What was said is what is sent and priced: arguments are most of an agent's turn.
                said.words.append(arguments)
            case _:
                where = f"{param}.tool_calls[{place}]"
                return invalid(
                    where, f"{where} must be a function call: id, function.name, function.arguments"
                )
    return None
