"""How are the items of a Responses input sent to a provider?

In the form of OpenRouter's schema, whatever the caller's was. `ITEMS` rules on every type of
item. A message may leave out its type, its content may be a string, parts or null; what an
assistant said is sent as the output that it was, and for that needs an id. Sealed reasoning goes
as its provider wrote it. The items were read by `responses_turns`, so that whatever comes is
what it seems.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.messages import Correction
from astrolabe_http.wire.correction import asked_again, failed_text
from astrolabe_http.wire.fields import OBJECT, Object, array_of, object_of, text_of
from astrolabe_http.wire.intake import without_nulls
from astrolabe_http.wire.parts import TEXTS, responses_part, words_of
from astrolabe_http.wire.rulings import Ruling, Rulings, carried, refused, reshaped
from astrolabe_http.wire.sealing import unseal

_KNOWN: Final = carried(OBJECT, "as the model is to read it; its words and images count")

ITEMS: Final[Rulings] = {
    "message": reshaped("without a type, too; its parts are brought into form"),
    "function_call": reshaped("`call_id`, `name`, `arguments`"),
    "function_call_output": reshaped("a string, or parts of text, images and files"),
    "reasoning": reshaped("as its provider wrote it, encrypted content included"),
    "custom_tool_call": _KNOWN,
    "custom_tool_call_output": reshaped("as `function_call_output`"),
    "web_search_call": _KNOWN,
    "file_search_call": _KNOWN,
    "computer_call": _KNOWN,
    "code_interpreter_call": _KNOWN,
    "image_generation_call": _KNOWN,
    "local_shell_call": _KNOWN,
    "local_shell_call_output": _KNOWN,
    "shell_call": _KNOWN,
    "shell_call_output": _KNOWN,
    "apply_patch_call": _KNOWN,
    "apply_patch_call_output": _KNOWN,
    "mcp_list_tools": _KNOWN,
    "mcp_call": _KNOWN,
    "mcp_approval_request": _KNOWN,
    "mcp_approval_response": _KNOWN,
    "compaction": _KNOWN,
    "context_compaction": _KNOWN,
    "agent_message": _KNOWN,
    "item_reference": refused(
        "what it points at takes its place where the stack keeps conversations; "
        "else send the item itself"
    ),
    "additional_tools": refused("offer them in tools"),
    "configuration_update": refused("send reasoning and text with the request"),
    "compaction_trigger": refused("prompts are never shortened silently; leave it out"),
    "computer_call_output": refused("send an image in a message"),
    "tool_search_call": refused("no tools are searched for here; offer them in tools"),
    "tool_search_output": refused("no tools are searched for here; offer them in tools"),
    "program": refused("no programs are run here; leave it out"),
    "program_output": refused("no programs are run here; leave it out"),
}
"""OpenRouter's own, `openrouter:…`, are carried like those that the provider ran itself."""

_MESSAGE: Final = ("id", "status", "phase")
_CALL: Final = ("id", "call_id", "name", "arguments", "status", "namespace")
_OUTPUT: Final = ("id", "call_id", "status")
_REASONING: Final = ("id", "encrypted_content", "status", "format", "signature")


def ruling_on(kind: str) -> Ruling | None:
    """Give the decision about a type of item."""
    return _KNOWN if kind.startswith("openrouter:") else ITEMS.get(kind)


def shape_input(given: object, correction: Correction | None = None) -> object:
    """Write `input`, and behind it what is said of an answer that was not as it must be."""
    if not isinstance(given, list):
        if correction is None:
            return given
        given = [{"role": "user", "content": given}]
    items = given if correction is None else [*given, *_corrective(correction)]
    return [_shape(object_of(item), place) for place, item in enumerate(items)]


def _corrective(correction: Correction) -> list[object]:
    said = {"type": "output_text", "text": failed_text(correction)}
    return [
        {"role": "assistant", "content": [said]},
        {"role": "user", "content": asked_again(correction)},
    ]


def _shape(item: Object, place: int) -> dict[str, object]:
    match item.get("type") or "message":
        case "message":
            return _message(item, place)
        case "function_call":
            return {"type": "function_call", **_some(item, _CALL)}
        case "function_call_output" | "custom_tool_call_output" as kind:
            content = _content(item.get("output"))
            return {"type": kind, "output": content, **_some(item, _OUTPUT)}
        case "reasoning":
            return _reasoning(object_of(unseal(item)), place)
        case _:
            return without_nulls(object_of(unseal(item)))


def _some(item: Object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: item[name] for name in names if item.get(name) is not None}


def _content(content: object) -> object:
    if content is None:
        return ""
    return [responses_part(part) for part in content] if isinstance(content, list) else content


def _message(item: Object, place: int) -> dict[str, object]:
    role, content = item.get("role"), item.get("content")
    made: dict[str, object] = {"type": "message", "role": role}
    if role == "assistant" and isinstance(content, list) and all(map(_is_spoken, content)):
        known = {"id": f"msg_{place}", "status": "completed", **_some(item, _MESSAGE)}
        return {**made, **known, "content": [_spoken(part) for part in content]}
    if item.get("phase") is not None:
        made["phase"] = item["phase"]
    return {**made, "content": _content(content)}


def _is_spoken(part: object) -> bool:
    return isinstance(part, str) or text_of(object_of(part).get("type")) in TEXTS


def _spoken(part: object) -> dict[str, object]:
    if isinstance(part, Mapping) and part.get("type") == "refusal":
        return {"type": "refusal", "refusal": words_of(part)}
    return {"type": "output_text", "text": words_of(part), "annotations": []}


def _reasoning(item: Object, place: int) -> dict[str, object]:
    made: dict[str, object] = {
        "type": "reasoning",
        "summary": _thoughts(item.get("summary"), "summary_text"),
        **_some(item, _REASONING),
    }
    if thoughts := _thoughts(item.get("content"), "reasoning_text"):
        made["content"] = thoughts
    # OpenRouter wants an id. Content that we sealed brings its own, which OpenAI checks against it.
    made.setdefault("id", f"rs_{place}")
    return made


def _thoughts(parts: object, kind: str) -> list[dict[str, object]]:
    return [{"type": kind, "text": words_of(part)} for part in array_of(parts)]
