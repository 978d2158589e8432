"""What does a whole answer say in the other format?

Each is told as a stream of one piece, and folded: what is streamed and what comes whole are the
same answer by construction.
"""

from collections.abc import Mapping

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.responses_items import Items
from astrolabe_http.wire.responses_output import own_json
from astrolabe_http.wire.translation.chunks import ChatChunks
from astrolabe_http.wire.translation.events import ResponsesEvents
from astrolabe_http.wire.translation.particulars import chat_error, chat_usage, error_in
from astrolabe_http.wire.translation.thoughts import merged


def responses_answer(payload: Object) -> dict[str, object]:
    """Write a whole Chat answer as a response object."""
    error = error_in(payload)
    if error is not None:
        return {**_named(payload), "object": "response", "status": "failed", "error": error}
    choices = [each for each in array_of(payload.get("choices")) if isinstance(each, Mapping)]
    if not choices:
        # An answer without a choice is one without an output; the reader says so.
        return {**_named(payload), "object": "response", "usage": payload.get("usage")}
    told = ResponsesEvents()
    chunk = {
        **payload,
        "choices": [{**choice, "delta": choice.get("message")} for choice in choices],
    }
    items = Items("0")
    ending: Object = {}
    for event in [*told.feed(chunk), *told.end()]:
        items.feed(event)
        ending = object_of(event.get("response")) or ending
    items.close(completed=ending.get("status") == "completed")
    return {**ending, "output": [own_json(item) for item in items.made]}


def chat_answer(payload: Object) -> dict[str, object]:
    """Write a whole response object as a Chat answer."""
    error = chat_error(payload)
    if error is not None:
        return {**_named(payload), "error": error}
    output, usage = payload.get("output"), payload.get("usage")
    made: dict[str, object] = {**_named(payload), "object": "chat.completion"}
    if isinstance(output, list):
        made["choices"] = [_choice(payload, output)]
    if isinstance(usage, Mapping):
        made["usage"] = chat_usage(usage)
    return made


def _choice(payload: Object, output: list[object]) -> dict[str, object]:
    told = ChatChunks()
    events: list[Object] = [
        {"type": "response.output_item.done", "output_index": place, "item": item}
        for place, item in enumerate(output)
    ]
    if text_of(payload.get("status")) in {"completed", "incomplete"}:
        # One that is in no known state has no end either.
        events.append({"type": f"response.{payload['status']}", "response": payload})
    chunks = [chunk for event in events for chunk in told.feed(event)]
    said = [object_of(each) for chunk in chunks for each in array_of(chunk.get("choices"))]
    deltas = [object_of(choice.get("delta")) for choice in said]
    message: dict[str, object] = {"role": "assistant", "content": _words(deltas, "content") or None}
    for key in ("refusal", "reasoning"):
        if words := _words(deltas, key):
            message[key] = words
    if details := _all(deltas, "reasoning_details"):
        message["reasoning_details"] = merged(details)
    if citations := _all(deltas, "annotations"):
        message["annotations"] = citations
    if calls := _calls(deltas):
        message["tool_calls"] = calls
    made: dict[str, object] = {"index": 0, "message": message}
    if logprobs := _all([object_of(choice.get("logprobs")) for choice in said], "content"):
        made["logprobs"] = {"content": logprobs, "refusal": None}
    finishes = [choice["finish_reason"] for choice in said if choice["finish_reason"]]
    return {**made, "finish_reason": finishes[-1] if finishes else None}


def _words(deltas: list[Object], key: str) -> str:
    return "".join(text_of(delta.get(key)) for delta in deltas)


def _all(objects: list[Object], key: str) -> list[object]:
    return [each for found in objects for each in array_of(found.get(key))]


def _calls(deltas: list[Object]) -> list[dict[str, object]]:
    """Put calls together from their openings and their arguments."""
    made: list[dict[str, object]] = []
    words: list[list[str]] = []
    for call in map(object_of, _all(deltas, "tool_calls")):
        function = object_of(call.get("function"))
        if "id" in call:
            made.append({key: call[key] for key in ("id", "type", "function")})
            words.append([])
        place = call["index"]
        if isinstance(place, int):
            words[place].append(text_of(function.get("arguments")))
    return [
        {**call, "function": {**object_of(call["function"]), "arguments": "".join(said)}}
        for call, said in zip(made, words, strict=True)
    ]


def _named(payload: Object) -> dict[str, object]:
    """Give who answered."""
    return {key: payload[key] for key in ("id", "model", "provider") if payload.get(key)}
