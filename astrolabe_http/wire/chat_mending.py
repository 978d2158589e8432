"""What does an answer in Chat's format hold once its texts were mended here?

The mended text takes the place of what the provider sent; of a stream that was held back, all of it
stands where the first of it stood. What is told of each word, log probabilities and citations, is
told no more for a text that changed: it is about other words. All else stays as it came.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from astrolabe_core.answers import Answer
from astrolabe_http.wire.chat_fields import index_of
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of

_OF_WORDS: Final = frozenset({"content", "annotations"})


def mended_choices(answer: Answer) -> list[object]:
    """Give the choices of a whole answer with the texts that it has now."""
    choices = array_of(object_of(answer.payload).get("choices"))
    if not answer.repaired:
        return choices
    found = [choice for choice in choices if isinstance(choice, Mapping)]
    return [_mended(choice, text) for choice, text in zip(found, answer.texts, strict=True)]


def _mended(choice: Object, text: str) -> Object:
    said = object_of(choice.get("message"))
    if text_of(said.get("content")) == text:
        return choice
    kept = {key: value for key, value in said.items() if key not in _OF_WORDS}
    return {**choice, "message": {**kept, "content": text}, "logprobs": None}


def held_chunks(answer: Answer) -> Sequence[Object]:
    """Give the chunks of a stream that was held back, with the texts that its answer has now."""
    if not isinstance(answer.payload, tuple):
        message = "a stream that was held back has no chunks"
        raise TypeError(message)
    chunks: tuple[Object, ...] = answer.payload
    if not answer.repaired:
        return chunks
    said: dict[int, list[str]] = {}
    for chunk in chunks:
        for choice in filter(None, map(object_of, array_of(chunk.get("choices")))):
            words = said.setdefault(index_of(choice), [])
            words.append(text_of(object_of(choice.get("delta")).get("content")))
    texts = dict(zip(sorted(said), answer.texts, strict=True))
    changed: dict[int, str | None] = {
        index: text for index, text in texts.items() if "".join(said[index]) != text
    }
    return [_retold(chunk, changed) for chunk in chunks]


def _retold(chunk: Object, waiting: dict[int, str | None]) -> Object:
    """Write a chunk without the words of what changed; the first of them are the whole text."""
    if not chunk.get("choices"):
        return chunk
    choices: list[object] = []
    for choice in map(object_of, array_of(chunk.get("choices"))):
        index = index_of(choice)
        if index not in waiting:
            choices.append(choice)
            continue
        delta = object_of(choice.get("delta"))
        kept = {key: value for key, value in delta.items() if key not in _OF_WORDS}
        text = waiting[index]
        if text is not None and text_of(delta.get("content")):
            kept["content"], waiting[index] = text, None
        choices.append({**choice, "delta": kept, "logprobs": None})
    return {**chunk, "choices": choices}
