"""How does an answer look on `POST /chat/completions`?

Bodies and chunks in OpenRouter's dress: `gen-` ids, `provider`, `native_finish_reason`, null
`system_fingerprint` and `service_tier`, usage always on the last chunk. Pure.
"""

from collections.abc import Mapping

import orjson

from astrolabe_http.simulator import text
from astrolabe_http.simulator.answers import Answer, Choice
from astrolabe_http.simulator.asks import Ask
from astrolabe_http.simulator.errors import Refusal
from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.frames import DONE, Frame, data_frame
from astrolabe_http.simulator.logprobs import chat_wants, logprobs
from astrolabe_http.simulator.usage import chat_usage, half


def body(ask: Ask, answer: Answer, faults: Faults) -> dict[str, object]:
    """The JSON answer."""
    made: dict[str, object] = {
        **_head(answer, "chat.completion"),
        "choices": [
            _choice(ask, answer, index, choice) for index, choice in enumerate(answer.choices)
        ],
    }
    usage = chat_usage(answer.tokens, answer.bill, faults)
    if usage is not None:
        made["usage"] = usage
    if "unknown-events" in faults:
        made["x_undocumented"] = {"note": "new"}
    return made


def failure_body(_: Ask, __: Answer, error: Refusal) -> dict[str, object]:
    """200, and then an error after all."""
    return {"error": error.error(), "user_id": None}


def frames(ask: Ask, answer: Answer, faults: Faults, words: int) -> list[Frame]:
    """The stream: role, reasoning, content of each choice, finish, usage, `[DONE]`."""
    head = _head(answer, "chat.completion.chunk")
    made = [_chunk(head, 0, {"role": "assistant", "content": ""})]
    if answer.reasoning:
        made.append(
            _chunk(head, 0, {"role": "assistant", "content": "", **_reasoning(answer.reasoning)})
        )
    for index, choice in enumerate(answer.choices):
        made += _content(ask, head, index, choice, words)
    if "double-usage" in faults:
        running = chat_usage(half(answer.tokens), answer.bill, faults)
        made.append(data_frame(orjson.dumps({**head, "choices": [], "usage": running})))
    for index, choice in enumerate(answer.choices):
        made.append(
            _chunk(
                head,
                index,
                {"role": "assistant", "content": ""},
                choice.finish,
                answer.native_finish,
            )
        )
    usage = chat_usage(answer.tokens, answer.bill, faults)
    if usage is not None:
        made.append(data_frame(orjson.dumps({**head, "choices": [], "usage": usage})))
    made.append(DONE)
    return made


def failure_frames(_: Ask, answer: Answer, error: Refusal, __: int) -> list[Frame]:
    """OpenRouter's error chunk: `error` at the top and a choice that finished with error."""
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": ""},
        "finish_reason": "error",
        "native_finish_reason": "error",
        "logprobs": None,
    }
    head = _head(answer, "chat.completion.chunk")
    return [data_frame(orjson.dumps({**head, "error": error.error(), "choices": [choice]})), DONE]


def _head(answer: Answer, kind: str) -> dict[str, object]:
    return {
        "id": answer.id,
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "provider": answer.host,
        "system_fingerprint": None,
        "service_tier": None,
    }


def _choice(ask: Ask, answer: Answer, index: int, choice: Choice) -> dict[str, object]:
    message: dict[str, object] = {
        "role": "assistant",
        "content": choice.text or None if choice.calls or choice.refusal else choice.text,
        "refusal": choice.refusal or None,
        "reasoning": answer.reasoning or None,
    }
    if answer.reasoning:
        message |= _reasoning(answer.reasoning)
    if choice.calls:
        message["tool_calls"] = [
            {
                "index": place,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for place, call in enumerate(choice.calls)
        ]
    return {
        "index": index,
        "logprobs": _logprobs(ask, choice.text),
        "finish_reason": choice.finish,
        "native_finish_reason": answer.native_finish,
        "message": message,
    }


def _reasoning(said: str) -> dict[str, object]:
    detail = {"type": "reasoning.text", "text": said, "format": "unknown", "index": 0}
    return {"reasoning": said, "reasoning_details": [detail]}


def _chunk(
    head: dict[str, object],
    index: int,
    delta: Mapping[str, object],
    finish: str | None = None,
    native: str | None = None,
    content: int = 0,
    logprobs: object = None,
) -> Frame:
    choice = {
        "index": index,
        "delta": delta,
        "finish_reason": finish,
        "native_finish_reason": native,
        "logprobs": logprobs,
    }
    return data_frame(orjson.dumps({**head, "choices": [choice]}), content)


def _logprobs(ask: Ask, said: str) -> dict[str, object] | None:
    if not chat_wants(ask) or not said:
        return None
    return {"content": logprobs(ask, said), "refusal": None}


def _content(
    ask: Ask, head: dict[str, object], index: int, choice: Choice, words: int
) -> list[Frame]:
    spoken = [("content", piece) for piece in text.pieces(choice.text, words)]
    spoken += [("refusal", piece) for piece in text.pieces(choice.refusal, words)]
    made = [
        _chunk(
            head,
            index,
            {"role": "assistant", key: piece},
            content=len(piece.encode()),
            logprobs=_logprobs(ask, piece) if key == "content" else None,
        )
        for key, piece in spoken
    ]
    for place, call in enumerate(choice.calls):
        opening = {
            "index": place,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        named: dict[str, object] = {"role": "assistant", "content": None, "tool_calls": [opening]}
        made.append(_chunk(head, index, named, content=len(call.name)))
        for fragment in text.fragments(call.arguments):
            more = {"index": place, "type": "function", "function": {"arguments": fragment}}
            made.append(_chunk(head, index, {"tool_calls": [more]}, content=len(fragment.encode())))
    return made
