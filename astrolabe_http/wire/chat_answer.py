"""What did a provider answer in Chat's format, and how is it shown to the caller?

Everything of the provider's own (ids, fingerprints, `native_finish_reason`) stays behind. A
tool call's id and a model's reasoning pass, because the caller sends them back in the next
turn. `astrolabe` at the top says how the answer was routed.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, FaultKind, Finish, Receipt, ToolCall
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request
from astrolabe_core.units import RequestId
from astrolabe_core.usage import Usage
from astrolabe_http.failures import classify
from astrolabe_http.wire.chat_mending import mended_choices
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.inline import answered_by, inline_metadata
from astrolabe_http.wire.intake import request_of, wants_one_call
from astrolabe_http.wire.logprobs import chat_logprobs
from astrolabe_http.wire.receipts import merge_receipt, read_chat_usage
from astrolabe_http.wire.responses_output import CITED

FINISHES: Final[Mapping[str, Finish]] = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
    "error": Finish.ERROR,
}
_GRAVEST_FIRST: Final = (
    Finish.ERROR,
    Finish.LENGTH,
    Finish.CONTENT_FILTER,
    Finish.UNKNOWN,
    Finish.TOOL_CALLS,
    Finish.STOP,
)
_SHOWN: Final[Mapping[Finish, str]] = {
    Finish.LENGTH: "length",
    Finish.CONTENT_FILTER: "content_filter",
    Finish.TOOL_CALLS: "tool_calls",
}
_DETAILS: Final = ("audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
NO_CHOICES: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer holds no choice"
)
CROWDED: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer has more parts than are read"
)
BROKEN_OFF: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer broke off before its end"
)


TOO_FEW: Final = Fault(
    kind=FaultKind.REJECTED,
    message="the provider gave fewer answers than n asks for; send a request for each",
)
"""No other model would fare better: it is the provider that knows no `n`."""


def read_answer(payload: Object, *, choices: int = 1) -> Answer | Fault:
    """Reduce a 200's body; one that holds an error after all, or too little, is a fault."""
    usage = payload.get("usage")
    receipt = merge_receipt(NO_RECEIPT, payload, read_chat_usage(usage), usage)
    fault = read_fault(payload)
    if fault is not None:
        return evolve(fault, receipt=receipt)
    found = [choice for choice in array_of(payload.get("choices")) if isinstance(choice, Mapping)]
    if len(found) < choices:
        return evolve(TOO_FEW if found else NO_CHOICES, receipt=receipt)
    messages = [object_of(choice.get("message")) for choice in found]
    calls = [call for message in messages for call in _calls(message)]
    refusals = [text for message in messages if (text := text_of(message.get("refusal")))]
    return Answer(
        finish=gravest(read_finish(choice.get("finish_reason")) for choice in found),
        texts=tuple(text_of(message.get("content")) for message in messages),
        tool_calls=tuple(
            ToolCall(
                name=text_of(object_of(call.get("function")).get("name")),
                arguments=text_of(object_of(call.get("function")).get("arguments")),
            )
            for call in calls
        ),
        refusal=refusals[0] if refusals else None,
        receipt=receipt,
        payload=payload,
    )


def read_fault(payload: Object) -> Fault | None:
    """Find the error that a 200's body or a chunk may hold, at its top or in a choice."""
    if payload.get("error"):
        return classify(None, payload)
    for choice in array_of(payload.get("choices")):
        found = object_of(choice)
        if found.get("error"):
            return classify(None, {"error": found["error"]})
        if found.get("finish_reason") == "error":
            return BROKEN_OFF
    return None


def read_finish(value: object) -> Finish:
    """Read a finish reason; one that nobody knows is unknown."""
    return FINISHES.get(value, Finish.UNKNOWN) if isinstance(value, str) else Finish.UNKNOWN


def gravest(finishes: Iterable[Finish]) -> Finish:
    """Give the finish that says most against an answer, of all its choices."""
    found = set(finishes)
    return next((finish for finish in _GRAVEST_FIRST if finish in found), Finish.UNKNOWN)


def shown_finish(value: object, *, called: bool) -> str:
    """Write a finish reason as OpenAI has it: `tool_calls` where there are some, and only there."""
    finish = read_finish(value)
    if called and finish in {Finish.STOP, Finish.UNKNOWN}:
        finish = Finish.TOOL_CALLS
    if finish is Finish.TOOL_CALLS and not called:
        # A client would look for calls that are not there.
        finish = Finish.STOP
    return _SHOWN.get(finish, "stop")


def answer_body(served: Served) -> dict[str, object]:
    """Write the caller's body."""
    trace, payload = served.trace, object_of(served.answer.payload)
    request = request_of(trace.arrival)
    made: dict[str, object] = {
        **head(request, answered_by(served), "chat.completion"),
        "choices": [
            _choice(object_of(choice), place, request)
            for place, choice in enumerate(mended_choices(served.answer))
        ],
        "usage": usage_json(served.answer.receipt, payload.get("usage")),
    }
    if request.body.get("metadata"):
        made["metadata"] = request.body["metadata"]
    inline = inline_metadata(trace, explain=request.overrides.explain)
    if inline is not None:
        made["astrolabe"] = inline
    return made


def completion_id(request_id: RequestId) -> str:
    """Give the id under which Chat shows a request."""
    return f"chatcmpl-{request_id.removeprefix('req_')}"


def call_id(request_id: RequestId, choice: int, place: int) -> str:
    """Give an id to a tool call that the provider left without one."""
    return f"call_{request_id.removeprefix('req_')}_{choice}_{place}"


def head(request: Request, model: str, kind: str) -> dict[str, object]:
    """Give what a body and every chunk begin with."""
    return {
        "id": completion_id(request.id),
        "object": kind,
        "created": request.received_at // 1_000,
        "model": model,
        "service_tier": "default",
    }


def usage_json(receipt: Receipt, reported: object) -> dict[str, object] | None:
    """Write usage with all its details; one that cannot be true is not shown.

    `reported` is the provider's own, for the details that nothing here is charged by.
    """
    usage: Usage | None = receipt.usage
    if usage is None or usage.flaw() is not None:
        return None
    sent = object_of(object_of(reported).get("prompt_tokens_details"))
    made = object_of(object_of(reported).get("completion_tokens_details"))
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": _count(sent.get("audio_tokens")),
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            **{name: _count(made.get(name)) for name in _DETAILS},
        },
    }


def _count(value: object) -> int:
    """Give a count that is told on and not charged for; what cannot be one is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def reasoning_of(message: Object) -> dict[str, object]:
    """Give what a model thought, in OpenRouter's fields: OpenAI's Chat has none for it."""
    made: dict[str, object] = {}
    if text_of(message.get("reasoning")):
        made["reasoning"] = message["reasoning"]
    if array_of(message.get("reasoning_details")):
        made["reasoning_details"] = message["reasoning_details"]
    return made


def citations_of(message: Object) -> list[object]:
    """Give the annotations that typed clients can read: whole citations of a page."""
    found = map(object_of, array_of(message.get("annotations")))
    return [
        {"type": "url_citation", "url_citation": {key: cited[key] for key in CITED}}
        for each in found
        if (cited := object_of(each.get("url_citation")))
        and all(isinstance(cited.get(key), kind) for key, kind in CITED.items())
    ]


def _choice(choice: Object, place: int, request: Request) -> dict[str, object]:
    said = object_of(choice.get("message"))
    refusal = text_of(said.get("refusal")) or None
    calls = _calls(said)[: 1 if wants_one_call(request.body) else None]
    content = text_of(said.get("content"))
    message: dict[str, object] = {
        "role": "assistant",
        "content": content if content or not (calls or refusal) else None,
        "refusal": refusal,
        "annotations": citations_of(said),
        **reasoning_of(said),
    }
    if calls:
        message["tool_calls"] = [
            {
                "id": text_of(call.get("id")) or call_id(request.id, place, index),
                "type": "function",
                "function": {
                    "name": text_of(object_of(call.get("function")).get("name")),
                    "arguments": text_of(object_of(call.get("function")).get("arguments")),
                },
            }
            for index, call in enumerate(calls)
        ]
    return {
        "index": place,
        "message": message,
        "logprobs": chat_logprobs(choice.get("logprobs")),
        "finish_reason": shown_finish(choice.get("finish_reason"), called=bool(calls)),
    }


def _calls(message: Object) -> list[Object]:
    return [call for call in array_of(message.get("tool_calls")) if isinstance(call, Mapping)]
