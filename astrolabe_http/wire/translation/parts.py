"""How is one part of a message's content written in the other format?

Chat has `text`, `image_url`, `input_audio`, `video_url`, `file` and `refusal`; Responses has
`input_text` or `output_text`, `input_image`, `input_audio`, `input_video`, `input_file` and
`refusal`. A content may be a string, parts or null in both. What is written in the other format
already, as tolerant upstreams take it, stays as it is.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of

_TEXTS: Final = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})
_CACHE_MARKS: Final = ("cache_control", "prompt_cache_breakpoint")
_FILE_KEYS: Final = ("file_data", "file_id", "filename")
_PAGES: Final = ("http://", "https://")


def chat_content(content: object) -> object:
    """Write a Responses content as Chat has it; parts that say no more than a string become one."""
    if not isinstance(content, list):
        return content
    parts = [chat_part(part) for part in content]
    match parts:
        case [{"type": "text", "text": str(text), **more}] if not more:
            return text
        case _:
            return parts


def chat_part(part: object) -> object:
    """Write one Responses part as Chat has it."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    said = object_of(part)
    kind = said.get("type")
    if kind in _TEXTS:
        marks = {key: said[key] for key in _CACHE_MARKS if said.get(key) is not None}
        return {"type": "text", "text": said.get("text"), **marks}
    match kind:
        case "refusal":
            return {"type": "text", "text": said.get("refusal")}
        case "input_image":
            image = {"url": said.get("image_url")}
            if said.get("detail") is not None:
                image["detail"] = said["detail"]
            return {"type": "image_url", "image_url": image}
        case "input_video":
            return {"type": "video_url", "video_url": {"url": _address(said.get("video_url"))}}
        case "input_file":
            file = {key: said[key] for key in _FILE_KEYS if said.get(key) is not None}
            # OpenRouter's Chat takes an address where OpenAI's takes the data.
            if said.get("file_url") is not None:
                file["file_data"] = said["file_url"]
            return {"type": "file", "file": file}
        case _:
            return part


def responses_content(content: object, *, own: bool = False) -> object:
    """Write a Chat content as Responses has it; `own` words are those of the model."""
    if not isinstance(content, list):
        return content
    return [responses_part(part, own=own) for part in content]


def responses_part(part: object, *, own: bool = False) -> object:
    """Write one Chat part as Responses has it."""
    said: Object = {"type": "text", "text": part} if isinstance(part, str) else object_of(part)
    match said.get("type"):
        case str(kind) if kind in _TEXTS:
            return responses_text(said, own=own)
        case "image_url":
            # A few clients leave the address bare.
            image = said.get("image_url")
            detail = object_of(image).get("detail")
            return {
                "type": "input_image",
                "image_url": _address(image),
                "detail": "auto" if detail is None else detail,
            }
        case "video_url" | "input_video":
            return {"type": "input_video", "video_url": _address(said.get("video_url"))}
        case "file":
            return _file(object_of(said.get("file")))
        case _:
            return part


def responses_text(part: Object, *, own: bool) -> dict[str, object]:
    """Write a part of text: what the model said, or what it was told."""
    text = text_of(part.get("text"))
    if own:
        return {"type": "output_text", "text": text, "annotations": []}
    # `cache_control` has no place on a part here; it changes the price and not the answer.
    made: dict[str, object] = {"type": "input_text", "text": text}
    if part.get("prompt_cache_breakpoint") is not None:
        made["prompt_cache_breakpoint"] = part["prompt_cache_breakpoint"]
    return made


def split_refusal(content: object) -> tuple[object, str]:
    """Take the refusals out of an assistant's content; Chat has a field of its own for them."""
    parts = array_of(content)
    refused = [text_of(object_of(part).get("refusal")) for part in parts if _refuses(part)]
    if not refused:
        return content, ""
    return [part for part in parts if not _refuses(part)], "".join(refused)


def _refuses(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "refusal"


def _address(value: object) -> object:
    return value.get("url") if isinstance(value, Mapping) else value


def _file(file: Object) -> dict[str, object]:
    made: dict[str, object] = {"type": "input_file"}
    made |= {key: file[key] for key in _FILE_KEYS if file.get(key) is not None}
    if text_of(made.get("file_data")).startswith(_PAGES):
        made["file_url"] = made.pop("file_data")
    return made
