"""What may stand in a content, and how does each format write it?

A content is made of parts: text, images, audio, video, files. Both formats have them under other
names, and clients send those of one format in the other; each is read once (`read_part`) and
written in the provider's form (`chat_part`, `responses_part`). URLs and data are opaque: nothing
is fetched or decoded here. A part that the model would not see is refused, never left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Role, Turn
from astrolabe_http.wire.fields import (
    Object,
    described,
    invalid,
    object_of,
    one_of,
    text_of,
    unsupported,
)
from astrolabe_http.wire.rulings import Rulings, refused, reshaped

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
DETAIL: Final = one_of("auto", "low", "high", "original")
_NO_FILES: Final = "no files are kept here; send the content itself"
_MARKS: Final = ("cache_control", "prompt_cache_breakpoint")

PARTS: Final[Rulings] = {
    "text": reshaped("Chat's; `input_text` in Responses"),
    "input_text": reshaped("Responses'; `text` in Chat"),
    "output_text": reshaped("what a model said; `text` in Chat"),
    "summary_text": reshaped("of reasoning"),
    "reasoning_text": reshaped("of reasoning"),
    "refusal": reshaped("the message's `refusal` in Chat"),
    "image_url": reshaped("demands `vision`; `input_image` in Responses"),
    "input_image": reshaped("demands `vision`; `image_url` in Chat"),
    "input_audio": reshaped("demands `audio`"),
    "video_url": reshaped("OpenRouter's; demands `video`; `input_video` in Responses"),
    "input_video": reshaped("OpenRouter's; demands `video`; `video_url` in Chat"),
    "file": reshaped("demands `file`; `input_file` in Responses"),
    "input_file": reshaped("demands `file`; `file` in Chat"),
    "computer_screenshot": refused("send an image"),
    "encrypted_content": refused("send what it says"),
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
    sealed_bytes: int = 0

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
            sealed_bytes=self.sealed_bytes,
        )


# --- reading ------------------------------------------------------------------------------


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
        wrong = read_part(said, part, f"{param}[{place}]")
        if wrong is not None:
            return wrong
    return None


def read_part(said: Said, part: object, param: str) -> Refusal | None:
    """Read one part, and see that there is something in it."""
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
        return None
    if kind in IMAGES:
        said.images += 1
        return _against_image(part, param)
    if kind in AUDIOS:
        said.audios += 1
        return _against_audio(part, param)
    if kind in VIDEOS:
        said.videos += 1
        return None if _video_url(part) else _without(param, "video_url", "the URL of the video")
    if kind in FILES:
        said.files += 1
        return _against_file(part, param)
    known = sorted({*TEXTS, *IMAGES, *AUDIOS, *VIDEOS, *FILES})
    message = f"no model would see a part of type {kind[:40]!r}; use one of {', '.join(known)}"
    return unsupported(f"{param}.type", message)


def _without(param: str, name: str, wanted: str) -> Refusal:
    where = f"{param}.{name}"
    return invalid(where, f"{where} must be {wanted}")


def _against_image(part: Object, param: str) -> Refusal | None:
    if part.get("file_id") is not None:
        return unsupported(f"{param}.file_id", f"{param}.file_id: {_NO_FILES} as image_url")
    url, detail = _image(part)
    if not url:
        return _without(param, "image_url", "the URL of the image; a data: URL holds it itself")
    if detail is not None and not DETAIL.passes(detail):
        where = f"{param}.detail"
        return invalid(where, f"{where} must be {DETAIL.expected}, not {described(detail)}")
    return None


def _against_audio(part: Object, param: str) -> Refusal | None:
    audio = object_of(part.get("input_audio"))
    if isinstance(audio.get("data"), str) and isinstance(audio.get("format"), str):
        return None
    return _without(param, "input_audio", "an object of data (base64) and format")


def _against_file(part: Object, param: str) -> Refusal | None:
    given = _file(part)
    if given.get("file_id") is not None:
        return unsupported(f"{param}.file_id", f"{param}.file_id: {_NO_FILES} as file_data")
    if text_of(given.get("file_data")) or text_of(given.get("file_url")):
        return None
    return _without(param, "file_data", "the content of the file as a data: URL")


# --- where each form has what -------------------------------------------------------------


def _image(part: Object) -> tuple[str, object]:
    """Give URL and detail: Chat has an object around them, Responses has not."""
    found = part.get("image_url")
    if isinstance(found, Mapping):
        return text_of(found.get("url")), found.get("detail")
    return text_of(found), part.get("detail")


def _video_url(part: Object) -> str:
    found = part.get("video_url")
    return text_of(found.get("url")) if isinstance(found, Mapping) else text_of(found)


def _file(part: Object) -> Object:
    """Give the fields of a file: Chat has an object around them, Responses has not."""
    found = part.get("file")
    return found if isinstance(found, Mapping) else part


def _named(given: Object) -> dict[str, object]:
    name = text_of(given.get("filename"))
    return {"filename": name} if name else {}


def _marks(part: Object) -> dict[str, object]:
    """Give what a part says of prompt caches."""
    return {name: part[name] for name in _MARKS if part.get(name) is not None}


# --- writing ------------------------------------------------------------------------------


def words_of(part: object) -> str:
    """Give the words of a part that has any."""
    if isinstance(part, str):
        return part
    found = object_of(part)
    return text_of(found.get(TEXTS.get(text_of(found.get("type")), "")))


def chat_part(part: object) -> dict[str, object]:
    """Write a part as Chat has it."""
    found = object_of(part)
    kind = text_of(found.get("type"))
    if kind in IMAGES:
        url, detail = _image(found)
        image: dict[str, object] = (
            {"url": url} if detail is None else {"url": url, "detail": detail}
        )
        return {"type": "image_url", "image_url": image, **_marks(found)}
    if kind in AUDIOS:
        return {"type": "input_audio", "input_audio": _audio(found), **_marks(found)}
    if kind in VIDEOS:
        return {"type": "video_url", "video_url": {"url": _video_url(found)}, **_marks(found)}
    if kind in FILES:
        given = _file(found)
        # OpenRouter takes a URL in the place of the data.
        content = text_of(given.get("file_data")) or text_of(given.get("file_url"))
        file = {**_named(given), "file_data": content}
        return {"type": "file", "file": file, **_marks(found)}
    return {"type": "text", "text": words_of(part), **_marks(found)}


def responses_part(part: object) -> dict[str, object]:
    """Write a part as Responses has it in an input."""
    found = object_of(part)
    kind = text_of(found.get("type"))
    if kind in IMAGES:
        url, detail = _image(found)
        shown = "auto" if detail is None else detail
        return {"type": "input_image", "image_url": url, "detail": shown, **_marks(found)}
    if kind in AUDIOS:
        return {"type": "input_audio", "input_audio": _audio(found), **_marks(found)}
    if kind in VIDEOS:
        return {"type": "input_video", "video_url": _video_url(found), **_marks(found)}
    if kind in FILES:
        return {"type": "input_file", **_responses_file(_file(found)), **_marks(found)}
    return {"type": "input_text", "text": words_of(part), **_marks(found)}


def _audio(part: Object) -> dict[str, object]:
    audio = object_of(part.get("input_audio"))
    return {"data": audio.get("data"), "format": audio.get("format")}


def _responses_file(given: Object) -> dict[str, object]:
    data, url = text_of(given.get("file_data")), text_of(given.get("file_url"))
    if data.startswith(("https://", "http://")):
        data, url = "", data
    content = {"file_data": data} if data else {"file_url": url}
    return {**_named(given), **content}
