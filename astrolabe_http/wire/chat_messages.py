"""How are the messages of a Chat body sent to a provider?

In the form of OpenRouter's schema, whatever the caller's was: parts of either format become
Chat's, a refusal among the parts becomes the message's, null contents become empty where a
string is wanted, and keys that nobody reads stay here. The bodies were read by `chat_turns`, so
that whatever comes is what it seems.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.messages import Correction
from astrolabe_http.wire.correction import asked_again, failed_text
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.parts import chat_part, words_of

_ASSISTANT: Final = ("refusal", "reasoning", "reasoning_details", "images")


def shape_messages(messages: list[object]) -> list[dict[str, object]]:
    """Write the messages."""
    return [_shape(object_of(message)) for message in messages]


def corrective_messages(correction: Correction | None) -> list[dict[str, object]]:
    """Write what follows a conversation whose answer was not as it must be."""
    if correction is None:
        return []
    return [
        {"role": "assistant", "content": failed_text(correction)},
        {"role": "user", "content": asked_again(correction)},
    ]


def _shape(message: Object) -> dict[str, object]:
    role, content = message.get("role"), message.get("content")
    made: dict[str, object] = {"role": role, "content": _content(content)}
    if message.get("name") is not None and role != "tool":
        made["name"] = message["name"]
    if role == "tool":
        made["tool_call_id"] = message.get("tool_call_id")
    if role == "assistant":
        _shape_assistant(made, message)
    if made["content"] is None and not ("tool_calls" in made or "refusal" in made):
        # Null is normal beside tool calls; from anybody else the provider wants a string.
        made["content"] = ""
    return made


def _shape_assistant(made: dict[str, object], message: Object) -> None:
    for key in _ASSISTANT:
        if message.get(key) not in (None, [], ""):
            made[key] = message[key]
    if "reasoning" not in made and text_of(message.get("reasoning_content")):
        made["reasoning"] = message["reasoning_content"]
    parts = array_of(message.get("content"))
    if refusals := [words_of(part) for part in parts if _is_refusal(part)]:
        made.setdefault("refusal", "\n".join(refusals))
    if calls := array_of(message.get("tool_calls")):
        made["tool_calls"] = [_call(object_of(call)) for call in calls]


def _content(content: object) -> object:
    if not isinstance(content, list):
        return content
    parts = [chat_part(part) for part in content if not _is_refusal(part)]
    return parts or None


def _is_refusal(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "refusal"


def _call(call: Object) -> dict[str, object]:
    function = object_of(call.get("function"))
    told = {"name": function.get("name"), "arguments": function.get("arguments")}
    return {"id": call.get("id"), "type": "function", "function": told}
