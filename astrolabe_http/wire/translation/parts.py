"""How is a message's content written in the other format?

Each part by the rules of `wire.parts`, which know both formats. What the model itself said has a
form of its own in Responses, and its refusal a field of its own in Chat.
"""

from collections.abc import Mapping

from astrolabe_http.wire.fields import array_of, object_of, text_of
from astrolabe_http.wire.parts import chat_part, responses_part, words_of


def chat_content(content: object) -> object:
    """Write a Responses content as Chat has it; parts that say no more than a string become one."""
    if not isinstance(content, list):
        return content
    return simplest([chat_part(part) for part in content])


def responses_content(content: object) -> object:
    """Write a Chat content as Responses has it."""
    return [responses_part(part) for part in content] if isinstance(content, list) else content


def own_content(content: object, refusal: str) -> list[dict[str, object]]:
    """Write what the model said, in Responses: words, then a refusal."""
    parts = [content] if isinstance(content, str) else array_of(content)
    made: list[dict[str, object]] = [
        {"type": "output_text", "text": words_of(part), "annotations": []}
        for part in parts
        if words_of(part)
    ]
    return [*made, {"type": "refusal", "refusal": refusal}] if refusal else made


def split_refusal(content: object) -> tuple[object, str]:
    """Take the refusals out of an assistant's content; Chat has a field of its own for them."""
    parts = array_of(content)
    refused = [text_of(object_of(part).get("refusal")) for part in parts if _refuses(part)]
    if not refused:
        return content, ""
    return [part for part in parts if not _refuses(part)], "".join(refused)


def simplest(parts: list[dict[str, object]]) -> object:
    """Give a string for a lone part of plain text."""
    match parts:
        case [{"type": "text", "text": str(text), **more}] if not more:
            return text
        case _:
            return parts


def _refuses(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "refusal"
