"""What may stand in the content of a message, in either format?

Text, or parts of text and media. Each part is taken in the forms of both formats, as
`wire.parts` reads them. What it holds is opaque: nothing is fetched or opened.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.openapi.schema import (
    NULL,
    OBJECT,
    STRING,
    Schema,
    any_of,
    array,
    constant,
    nullable,
    ref,
    request_record,
    text,
    words,
)
from astrolabe_http.wire.parts import AUDIOS, DETAIL, FILES, IMAGES, TEXTS, VIDEOS

_SPOKEN: Final = words(sorted(kind for kind, key in TEXTS.items() if key == "text"))
_IMAGE: Final = words(sorted(IMAGES))
_VIDEO: Final = words(sorted(VIDEOS))
_FILE: Final = words(sorted(FILES))
_URL: Final = text("A URL; a `data:` URL holds the thing itself.", minLength=1)
_DETAIL: Final = nullable(DETAIL.schema, "How closely to look.")
_FILE_FIELDS: Final[dict[str, Schema]] = {
    "file_data": text("The content, as a `data:` URL.", minLength=1),
    "file_url": text("Where the content is.", minLength=1),
}


def _file_fields() -> list[Schema]:
    """Take the content itself or its URL; an id of a file means nothing here."""
    return [
        request_record({name: schema, "file_id": NULL}, required=[name])
        for name, schema in _FILE_FIELDS.items()
    ]


def _contents(parts: tuple[str, ...], says: str) -> Schema:
    held = array(any_of(*(ref(name) for name in parts), STRING))
    return any_of(STRING, held, NULL, description=says)


_TEXTS: Final = ("TextPart", "RefusalPart")
_SHOWN: Final = (*_TEXTS, "ImagePart", "FilePart")

CONTENT_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Content": _contents((*_SHOWN, "AudioPart", "VideoPart"), "Text, or parts of text and media."),
    "TextContent": _contents(_TEXTS, "Text, whole or in parts."),
    "ResultContent": _contents(_SHOWN, "Text, or parts of text, images and files."),
    "TextPart": request_record(
        {"type": _SPOKEN, "text": STRING}, "Words.", required=["type", "text"]
    ),
    "RefusalPart": request_record(
        {"type": constant("refusal"), "refusal": STRING},
        "Words with which the model declined.",
        required=["type", "refusal"],
    ),
    "ImagePart": any_of(
        request_record(
            {
                "type": _IMAGE,
                "image_url": request_record({"url": _URL, "detail": _DETAIL}, required=["url"]),
                "file_id": NULL,
            },
            "As Chat has it.",
            required=["type", "image_url"],
        ),
        request_record(
            {"type": _IMAGE, "image_url": _URL, "detail": _DETAIL, "file_id": NULL},
            "As Responses has it.",
            required=["type", "image_url"],
        ),
        description="An image.",
    ),
    "AudioPart": request_record(
        {
            "type": words(sorted(AUDIOS)),
            "input_audio": request_record(
                {"data": text("Base 64."), "format": text(examples=["wav"])},
                required=["data", "format"],
            ),
        },
        "Audio.",
        required=["type", "input_audio"],
    ),
    "VideoPart": request_record(
        {
            "type": _VIDEO,
            "video_url": any_of(_URL, request_record({"url": _URL}, required=["url"])),
        },
        "A video, for models that see it.",
        required=["type", "video_url"],
    ),
    "FilePart": any_of(
        request_record(
            {"type": _FILE, "file": any_of(*_file_fields())},
            "As Chat has it.",
            required=["type", "file"],
        ),
        {
            "allOf": [
                request_record(
                    {"type": _FILE, "file": {"not": OBJECT}, "filename": {}}, required=["type"]
                ),
                any_of(*_file_fields()),
            ],
            "description": "As Responses has it.",
        },
        description="A file, by its content or URL.",
    ),
}
