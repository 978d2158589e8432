"""How is a model's reasoning written in the other format?

Responses has reasoning items: summaries, thoughts, and content that only the provider can read.
Chat as OpenRouter speaks it has `reasoning_details`, one for each of these, and `reasoning`, the
words alone. An `id` ties the details of one item together, and a provider checks it against the
encrypted content, so both pass as they are; so do `format` and `signature`, by which OpenRouter
tells whose reasoning it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, is_whole, object_of, text_of

TEXT: Final = "reasoning.text"
SUMMARY: Final = "reasoning.summary"
ENCRYPTED: Final = "reasoning.encrypted"
WORDS: Final[Mapping[str, str]] = {TEXT: "text", SUMMARY: "summary", ENCRYPTED: "data"}
"""Where each type of detail has what it says."""

_MARKS: Final = ("id", "format")


@dataclass(slots=True)
class Strand:
    """The details of one reasoning item as far as they have come: whose they are, and sealed."""

    id: str = ""
    sealed: bool = False

    def takes(self, detail: Object) -> bool:
        """Whether a detail belongs to this item; it does unless it says otherwise."""
        named = text_of(detail.get("id"))
        if named and self.id:
            return named == self.id
        # Content that is encrypted is an item's last word.
        return not self.sealed

    def add(self, detail: Object) -> None:
        """Learn from a detail."""
        self.id = self.id or text_of(detail.get("id"))
        self.sealed = self.sealed or detail.get("type") == ENCRYPTED


def details_of(message: Object) -> list[Object]:
    """Give the details of a message or delta; bare words are a thought."""
    found = [
        detail
        for detail in array_of(message.get("reasoning_details"))
        if isinstance(detail, Mapping) and text_of(detail.get("type")) in WORDS
    ]
    words = text_of(message.get("reasoning"))
    if not found and words:
        return [{"type": TEXT, "text": words}]
    return found


def block_of(detail: Object) -> tuple[object, object]:
    """Tell the block of which a detail is all or a piece: many clients hand back the pieces."""
    index = detail.get("index")
    return detail.get("type"), index if is_whole(index) else None


def responses_reasoning(message: Object, place: int) -> list[dict[str, object]]:
    """Write a message's reasoning as items; one that has no id is named by its `place`."""
    strands: list[tuple[Strand, list[Object]]] = []
    for detail in details_of(message):
        if not strands or not strands[-1][0].takes(detail):
            strands.append((Strand(), []))
        strand, found = strands[-1]
        strand.add(detail)
        found.append(detail)
    return [
        _item(found, strand.id or f"rs_{place}_{number}")
        for number, (strand, found) in enumerate(strands)
    ]


def chat_details(item: Object, first: int = 0) -> list[dict[str, object]]:
    """Write a reasoning item as details, numbered from `first`."""
    marks = {key: item[key] for key in _MARKS if item.get(key) is not None}
    signed = {"signature": item["signature"]} if item.get("signature") is not None else {}
    made: list[dict[str, object]] = []
    for kind, key, more in ((SUMMARY, "summary", {}), (TEXT, "content", signed)):
        for part in array_of(item.get(key)):
            words = text_of(object_of(part).get("text"))
            if words:
                made.append({"type": kind, WORDS[kind]: words, **more, **marks})
    if text_of(item.get("encrypted_content")):
        made.append({"type": ENCRYPTED, "data": item["encrypted_content"], **marks})
    return [{**detail, "index": first + number} for number, detail in enumerate(made)]


def merged(details: Iterable[object]) -> list[dict[str, object]]:
    """Put the pieces of each block together, as a whole answer has them."""
    blocks: dict[object, dict[str, object]] = {}
    for detail in map(object_of, details):
        known, key = blocks.get(block_of(detail)), WORDS[text_of(detail.get("type"))]
        said = "" if known is None else text_of(known.get(key))
        joined = {**detail, key: said + text_of(detail.get(key))}
        blocks[block_of(detail)] = joined if known is None else {**known, **joined}
    return list(blocks.values())


def words_of(details: Iterable[Object]) -> str:
    """Join what can be read of details."""
    return "".join(
        text_of(detail.get(WORDS[text_of(detail.get("type"))]))
        for detail in details
        if text_of(detail.get("type")) in {TEXT, SUMMARY}
    )


def _item(details: list[Object], named: str) -> dict[str, object]:
    made: dict[str, object] = {
        "type": "reasoning",
        "id": named,
        "summary": _parts(details, SUMMARY),
    }
    if content := _parts(details, TEXT):
        made["content"] = content
    for detail in details:
        if detail.get("type") == ENCRYPTED:
            made["encrypted_content"] = detail.get("data")
        for key in ("format", "signature"):
            if detail.get(key) is not None:
                made[key] = detail[key]
    return made


def _parts(details: list[Object], kind: str) -> list[dict[str, object]]:
    part = "summary_text" if kind == SUMMARY else "reasoning_text"
    blocks: dict[object, list[str]] = {}
    for detail in details:
        if detail.get("type") == kind:
            blocks.setdefault(block_of(detail), []).append(text_of(detail.get(WORDS[kind])))
    return [{"type": part, "text": "".join(words)} for words in blocks.values()]
