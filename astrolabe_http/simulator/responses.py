"""How does an answer look on `POST /responses`?

Bodies and the whole event grammar: created, in_progress, items opened, filled and closed, one
terminal event, with `sequence_number` from 0 by 1. Settings of the request are echoed. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from astrolabe_http.simulator import text
from astrolabe_http.simulator.answers import Answer, Call
from astrolabe_http.simulator.asks import Ask
from astrolabe_http.simulator.errors import Refusal
from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.frames import DONE, Frame, event_frame
from astrolabe_http.simulator.logprobs import logprobs, responses_wants
from astrolabe_http.simulator.sealing import seal
from astrolabe_http.simulator.usage import half, responses_usage

Json = dict[str, object]

_ECHOED: Json = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "tool_choice": "auto",
    "tools": [],
    "truncation": "disabled",
    "user": None,
    "background": False,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
}
_ENCRYPTED = "reasoning.encrypted_content"
_SHOWN = {"deepseek", "minimax", "moonshotai", "qwen", "xiaomi", "z-ai"}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def body(ask: Ask, answer: Answer, faults: Faults) -> Json:
    """The JSON answer."""
    made = _response(ask, answer, _status(answer), _items(ask, answer))
    usage = responses_usage(answer.tokens, answer.bill, faults)
    if usage is None:
        del made["usage"]
    else:
        made["usage"] = usage
    if "unknown-events" in faults:
        made["x_undocumented"] = {"note": "new"}
    return made


def failure_body(ask: Ask, answer: Answer, error: Refusal) -> Json:
    """200, and then a failed response after all."""
    made = _response(ask, answer, "failed", [])
    made["error"] = {"code": "server_error", "message": error.message}
    made["error_type"] = error.error_type
    return made


def frames(ask: Ask, answer: Answer, faults: Faults, words: int) -> list[Frame]:
    """The stream of a sound answer."""
    stream = _Stream()
    begun = _response(ask, answer, "in_progress", [])
    stream.add("response.created", {"response": begun})
    if "double-usage" in faults:
        begun = {**begun, "usage": responses_usage(half(answer.tokens), answer.bill, faults)}
    stream.add("response.in_progress", {"response": begun})
    for place, item in enumerate(_items(ask, answer)):
        match item["type"]:
            case "reasoning":
                _stream_reasoning(stream, place, item, answer.reasoning)
            case "message":
                _stream_message(ask, stream, place, item, words)
            case _:
                _stream_call(stream, place, item)
    terminal = "response.completed" if _status(answer) == "completed" else "response.incomplete"
    stream.add(terminal, {"response": body(ask, answer, faults)})
    return [*stream.frames, DONE]


def failure_frames(ask: Ask, answer: Answer, error: Refusal, sent: int) -> list[Frame]:
    """An `error` event where nothing was sent yet; `response.failed` once it had begun."""
    stream = _Stream(sent)
    if sent == 0:
        flat: Json = {"code": error.error_type, "message": error.message, "param": None}
        stream.add("error", flat)
    else:
        stream.add("response.failed", {"response": failure_body(ask, answer, error)})
    return [*stream.frames, DONE]


@dataclass(slots=True)
class _Stream:
    """Frames so far; numbers them."""

    sequence: int = 0
    frames: list[Frame] = field(default_factory=list)

    def add(self, event: str, fields: Json, content: int = 0) -> None:
        payload = {"type": event, **fields, "sequence_number": self.sequence}
        self.frames.append(event_frame(event, orjson.dumps(payload), content))
        self.sequence += 1

    def open(self, place: int, item: Json) -> None:
        """Begin an output item."""
        self.add("response.output_item.added", {"output_index": place, "item": item})

    def close(self, place: int, item: Json) -> None:
        """End an output item."""
        self.add("response.output_item.done", {"output_index": place, "item": item})


def _status(answer: Answer) -> str:
    return "incomplete" if answer.finish in _INCOMPLETE else "completed"


def _response(ask: Ask, answer: Answer, status: str, output: list[Json]) -> Json:
    echoed = {
        key: default if ask.body.get(key) is None else ask.body[key]
        for key, default in _ECHOED.items()
    }
    settings = ask.body.get("text")
    wanted = ask.body.get("reasoning")
    reasoning = wanted if isinstance(wanted, Mapping) else {}
    reason = _INCOMPLETE.get(answer.finish) if status == "incomplete" else None
    return {
        "id": answer.id,
        "object": "response",
        "created_at": answer.created,
        "completed_at": answer.created if status == "completed" else None,
        "status": status,
        "model": answer.model,
        "provider": answer.host,
        "output": output,
        "error": None,
        "incomplete_details": None if reason is None else {"reason": reason},
        **echoed,
        "text": {"format": {"type": "text"}, **(settings if isinstance(settings, Mapping) else {})},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "service_tier": None,
        "store": False,
        "usage": None,
    }


def _items(ask: Ask, answer: Answer) -> list[Json]:
    choice = answer.choices[0]
    number = answer.id.rpartition("-")[2]
    done = _status(answer)
    made: list[Json] = []
    if answer.reasoning:
        made.append(_thought(ask, answer, f"rs_{number}"))
    if choice.refusal:
        made.append(_message(number, done, {"type": "refusal", "refusal": choice.refusal}))
    elif choice.text or not choice.calls:
        said = logprobs(ask, choice.text) if responses_wants(ask) else []
        part: Json = {"type": "output_text", "text": choice.text, "annotations": []}
        part["logprobs"] = said
        made.append(_message(number, done, part if choice.text else None))
    made += [_call(number, place, call, done) for place, call in enumerate(choice.calls)]
    return made


def _thought(ask: Ask, answer: Answer, id: str) -> Json:  # noqa: A002
    """Reasoning, summed up by most vendors and shown by those who publish their weights."""
    said = answer.reasoning
    made: Json = {"type": "reasoning", "id": id, "summary": []}
    if answer.model.partition("/")[0] in _SHOWN:
        made["content"] = [{"type": "reasoning_text", "text": said}]
    else:
        made["summary"] = [{"type": "summary_text", "text": said}]
    included = ask.body.get("include")
    if isinstance(included, list) and _ENCRYPTED in included:
        made["encrypted_content"] = seal(answer.model, id, said)
    return made


def _message(number: str, status: str, part: Json | None) -> Json:
    return {
        "type": "message",
        "id": f"msg_{number}",
        "status": status,
        "role": "assistant",
        "content": [] if part is None else [part],
    }


def _call(number: str, place: int, call: Call, status: str) -> Json:
    return {
        "type": "function_call",
        "id": f"fc_{number}_{place}",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": status,
    }


def _stream_reasoning(stream: _Stream, place: int, item: Json, said: str) -> None:
    at: Json = {"item_id": item["id"], "output_index": place}
    begun: Json = {key: value for key, value in item.items() if key != "encrypted_content"}
    if "content" in item:
        at["content_index"] = 0
        stream.open(place, {**begun, "content": []})
        stream.add("response.reasoning_text.delta", {**at, "delta": said})
        stream.add("response.reasoning_text.done", {**at, "text": said})
    else:
        at["summary_index"] = 0
        part: Json = {"type": "summary_text", "text": said}
        event = "response.reasoning_summary"
        stream.open(place, {**begun, "summary": []})
        stream.add(f"{event}_part.added", {**at, "part": {**part, "text": ""}})
        stream.add(f"{event}_text.delta", {**at, "delta": said})
        stream.add(f"{event}_text.done", {**at, "text": said})
        stream.add(f"{event}_part.done", {**at, "part": part})
    stream.close(place, item)


def _stream_message(ask: Ask, stream: _Stream, place: int, item: Json, words: int) -> None:
    stream.open(place, {**item, "status": "in_progress", "content": []})
    content = item["content"]
    for part in content if isinstance(content, list) else []:
        at: Json = {"item_id": item["id"], "output_index": place, "content_index": 0}
        refused = part["type"] == "refusal"
        key, event = (
            ("refusal", "response.refusal") if refused else ("text", "response.output_text")
        )
        empty: Json = {} if refused else {"logprobs": []}
        stream.add("response.content_part.added", {**at, "part": {**part, key: "", **empty}})
        for piece in text.pieces(part[key], words):
            more = _logprobs(ask, piece, refused=refused)
            stream.add(f"{event}.delta", {**at, "delta": piece, **more}, len(piece.encode()))
        more = _logprobs(ask, part[key], refused=refused)
        stream.add(f"{event}.done", {**at, key: part[key], **more})
        stream.add("response.content_part.done", {**at, "part": part})
    stream.close(place, item)


def _logprobs(ask: Ask, said: str, *, refused: bool) -> Json:
    if refused:
        return {}
    return {"logprobs": logprobs(ask, said) if responses_wants(ask) else []}


def _stream_call(stream: _Stream, place: int, item: Json) -> None:
    at: Json = {"item_id": item["id"], "output_index": place}
    arguments = str(item["arguments"])
    event = "response.function_call_arguments"
    stream.open(place, {**item, "arguments": "", "status": "in_progress"})
    for fragment in text.fragments(arguments):
        stream.add(f"{event}.delta", {**at, "delta": fragment}, len(fragment.encode()))
    stream.add(f"{event}.done", {**at, "name": item["name"], "arguments": arguments})
    stream.close(place, item)
