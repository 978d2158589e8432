"""What do plain OpenAI-compatible servers answer, brought into the form that readers know?

Each habit stands with the server that was seen to have it. `PlainChunks` does it for a stream,
`plain_answer` for a whole answer; both only reword, and what cannot be understood stays as it is
for the reader to judge. Nothing here invents an end: a stream without a finish reason has one only
where the server counted its tokens and said that it was done.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import orjson

from astrolabe_http.wire.chat_fields import index_of
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of

Chunk: TypeAlias = dict[str, object]

_FINISHES: Final = {
    # TGI
    "eos_token": "stop",
    "stop_sequence": "stop",
    # vLLM, where the engine gave the request up
    "abort": "error",
    # vLLM and others, where a request was cancelled
    "cancelled": "error",
}
_DONE_WITHOUT_REASON: Final = "stop"


class PlainChunks:
    """Rewords the chunks of one stream."""

    def __init__(self) -> None:
        self._ended: dict[int, bool] = {}
        self._counted = False

    def feed(self, event: Object) -> list[Chunk]:
        """Give one chunk as the readers know it."""
        made = _reworded(event)
        if "choices" not in made:
            return [made]
        self._counted = self._counted or isinstance(made.get("usage"), Mapping)
        choices = array_of(made["choices"])
        made["choices"] = [self._choice(object_of(choice)) for choice in choices]
        return [made]

    def end(self, *, done: bool = True) -> list[Chunk]:
        """End the choices of a server that names no reason, but has counted and is done."""
        open_choices = [index for index, ended in self._ended.items() if not ended]
        if not (done and self._counted and open_choices):
            return []
        choices = [
            {"index": index, "delta": {}, "finish_reason": _DONE_WITHOUT_REASON}
            for index in open_choices
        ]
        return [{"choices": choices}]

    def _choice(self, said: Object) -> dict[str, object]:
        made = {**said, "delta": _message(object_of(said.get("delta")))}
        made["finish_reason"] = _finish(said)
        index = index_of(said)
        self._ended[index] = self._ended.get(index, False) or bool(made["finish_reason"])
        return made


def plain_answer(payload: Object) -> dict[str, object]:
    """Give a whole answer as the readers know it."""
    made = _reworded(payload)
    if "choices" in made:
        made["choices"] = [
            {
                **choice,
                "message": _message(object_of(choice.get("message"))),
                # The body is whole, and so is its answer.
                "finish_reason": _finish(choice) or _DONE_WITHOUT_REASON,
            }
            for choice in map(object_of, array_of(made["choices"]))
        ]
    return made


def _finish(choice: Object) -> str | None:
    found = text_of(choice.get("finish_reason"))
    return _FINISHES.get(found, found) or None


def _message(said: Object) -> dict[str, object]:
    """Bring a message, or a piece of one, into the usual form."""
    made = dict(said)
    thoughts = [made.pop("reasoning_content", None), made.get("reasoning")]
    if isinstance(made.get("content"), list):
        made["content"], thought = _words(array_of(made["content"]))
        thoughts.append(thought)
    thought = next((text for text in thoughts if isinstance(text, str) and text), "")
    if thought:
        made["reasoning"] = thought
    calls = [call for call in array_of(said.get("tool_calls")) if isinstance(call, Mapping)]
    if calls:
        made["tool_calls"] = [_call(call) for call in calls]
    return made


def _call(call: Object) -> dict[str, object]:
    function = object_of(call.get("function"))
    return {**call, "function": {**function, "arguments": _arguments(function.get("arguments"))}}


def _reworded(event: Object) -> dict[str, object]:
    """Bring the top of a body or chunk into the usual form."""
    if event.get("object") == "error" and not event.get("error"):
        # vLLM before 0.10, SGLang: the error is the body.
        return {"error": {key: value for key, value in event.items() if key != "object"}}
    made = dict(event)
    usage = made.get("usage")
    if isinstance(usage, Mapping):
        made["usage"] = _usage(usage)
    return made


def _usage(usage: Object) -> dict[str, object]:
    cached, details = usage.get("prompt_cache_hit_tokens"), usage.get("prompt_tokens_details")
    if cached is None or details is not None:
        return dict(usage)
    # DeepSeek
    return {**usage, "prompt_tokens_details": {"cached_tokens": cached}}


def _words(parts: list[object]) -> tuple[str, str]:
    """Join a content of parts: what is said, and what is thought (Mistral)."""
    said: list[str] = []
    thought: list[str] = []
    for part in map(object_of, parts):
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thought += [inner] if isinstance(inner, str) else [_words(array_of(inner))[0]]
        else:
            said.append(text_of(part.get("text")))
    return "".join(said), "".join(thought)


def _arguments(value: object) -> str:
    """Give arguments as text; Ollama's own form has an object."""
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()
