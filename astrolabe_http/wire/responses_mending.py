"""What does an answer in Responses' format hold once its text was mended here?

Clients join all parts of text, so that the mended one must be the only one: it takes the place of
the last, the final answer, and words before it go. What is told of each word, log probabilities and
annotations, goes with the words that it was about. Reasoning, calls and refusals stay as they came.
A stream that was held back is told as its whole items; what is made of those keeps the grammar.
"""

from collections.abc import Sequence
from typing import Final

from astrolabe_core.answers import Answer, Finish
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.responses_items import ENDINGS, Items
from astrolabe_http.wire.responses_output import MESSAGE, TEXT, own_json

_CUT: Final = frozenset({Finish.LENGTH, Finish.CONTENT_FILTER})


def mended_output(answer: Answer) -> object:
    """Give the items of a whole answer with the text that it has now."""
    output = object_of(answer.payload).get("output")
    if not answer.repaired:
        return output
    items = Items("0")
    items.take(output)
    return _mended(items, answer)


def held_events(answer: Answer) -> Sequence[Object]:
    """Give the events of a stream that was held back, with the text that its answer has now."""
    if not isinstance(answer.payload, tuple):
        message = "a stream that was held back has no events"
        raise TypeError(message)
    events: tuple[Object, ...] = answer.payload
    if not answer.repaired:
        return events
    items = Items("0")
    ending: Object = {}
    for event in events:
        items.feed(event)
        if text_of(event.get("type")) in ENDINGS:
            ending = event
    told: list[Object] = [
        {"type": "response.output_item.done", "output_index": place, "item": item}
        for place, item in enumerate(_mended(items, answer))
    ]
    return [*told, {**ending, "response": {**object_of(ending.get("response")), "output": []}}]


def _mended(items: Items, answer: Answer) -> list[dict[str, object]]:
    items.close(completed=answer.finish not in _CUT)
    speaking = [item for item in items.made if item.words(TEXT)]
    made: list[dict[str, object]] = []
    for item in items.made:
        told = own_json(item)
        if item.kind == MESSAGE and item in speaking:
            text = "".join(answer.texts) if item is speaking[-1] else None
            told["content"] = _content(array_of(told["content"]), text)
            if not told["content"]:
                continue
        made.append(told)
    return made


def _content(parts: list[object], text: str | None) -> list[object]:
    """Leave the texts out of a message's parts, and put the mended one in the place of the last."""
    places = [place for place, part in enumerate(parts) if _is_text(part)]
    whole: dict[str, object] = {"type": TEXT.part, "text": text, "annotations": [], "logprobs": []}
    return [
        whole if place == places[-1] and text is not None else part
        for place, part in enumerate(parts)
        if place not in places or (place == places[-1] and text is not None)
    ]


def _is_text(part: object) -> bool:
    return object_of(part).get("type") == TEXT.part
