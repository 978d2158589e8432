"""What did a provider answer in Responses' format, and how is it shown to the caller?

Every key that clients read is always there, null or default where nothing is known; settings
are told back as the caller sent them. `metadata.astrolabe` says how the answer was routed, as a
JSON string: typed clients take nothing else for a metadata value.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, FaultKind, Finish, Receipt, ToolCall
from astrolabe_core.catalog import provider_of
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request
from astrolabe_core.units import Instant, ModelId, RequestId
from astrolabe_http.failures import classify
from astrolabe_http.wire.fields import Object, object_of, text_of
from astrolabe_http.wire.inline import answered_by, inline_text
from astrolabe_http.wire.intake import request_of, wants_one_call
from astrolabe_http.wire.receipts import merge_receipt, read_responses_usage
from astrolabe_http.wire.responses_items import Items
from astrolabe_http.wire.responses_mending import mended_output
from astrolabe_http.wire.responses_output import CALL, REFUSAL, TEXT, Item
from astrolabe_http.wire.responses_request import functions_of

NO_OUTPUT: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer has no output"
)
CROWDED: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer has more parts than are read"
)
REASONS: Final[Mapping[Finish, str]] = {
    Finish.LENGTH: "max_output_tokens",
    Finish.CONTENT_FILTER: "content_filter",
}
_FINISHES: Final = {reason: finish for finish, reason in REASONS.items()}
_ERROR_CODES: Final[Mapping[Code, str]] = {
    Code.RATE_LIMITED: "rate_limit_exceeded",
    Code.INVALID_REQUEST: "invalid_prompt",
    Code.CONTEXT_LENGTH_EXCEEDED: "invalid_prompt",
}
_DEFAULTS: Final[Mapping[str, object]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "truncation": "disabled",
    "user": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
}


def read_answer(payload: Object, *, choices: int = 1) -> Answer | Fault:  # noqa: ARG001
    """Reduce a 200's body; one that failed after all is a fault. Responses knows one choice."""
    receipt = read_receipt(NO_RECEIPT, payload)
    fault = read_fault(payload)
    if fault is not None:
        return evolve(fault, receipt=receipt)
    if not isinstance(payload.get("output"), list):
        return evolve(NO_OUTPUT, receipt=receipt)
    items = Items("0")
    items.take(payload["output"])
    if items.crowded:
        return evolve(CROWDED, receipt=receipt)
    return summed_up(items.made, payload, receipt, payload)


def read_receipt(before: Receipt, response: Object) -> Receipt:
    """Add what a response object says of usage and cost."""
    usage = response.get("usage")
    return merge_receipt(before, response, read_responses_usage(usage), usage)


def read_fault(response: Object) -> Fault | None:
    """Find the error in a response object; one that is neither done nor cut short failed."""
    error = response.get("error")
    if error or text_of(response.get("status")) in {"failed", "cancelled"}:
        found = object_of(error)
        kind = response.get("error_type") or found.get("code")
        metadata = {**object_of(found.get("metadata")), "error_type": kind}
        inner = {**found, "metadata": metadata} if isinstance(kind, str) else dict(found)
        return classify(None, {"error": inner})
    return None


def summed_up(made: Sequence[Item], response: Object, receipt: Receipt, payload: object) -> Answer:
    """Make an answer of items and of the response that ended them."""
    calls = tuple(
        ToolCall(name=item.name, arguments="".join(item.arguments))
        for item in made
        if item.kind == CALL
    )
    return Answer(
        finish=read_finish(response, called=bool(calls)),
        texts=("".join(item.words(TEXT) for item in made),),
        tool_calls=calls,
        refusal="".join(item.words(REFUSAL) for item in made) or None,
        receipt=receipt,
        payload=payload,
    )


def read_finish(response: Object, *, called: bool) -> Finish:
    """Read why the model stopped."""
    match response.get("status"):
        case "completed":
            return Finish.TOOL_CALLS if called else Finish.STOP
        case "incomplete":
            reason = object_of(response.get("incomplete_details")).get("reason")
            return _FINISHES.get(text_of(reason), Finish.UNKNOWN)
        case _:
            return Finish.UNKNOWN


def answer_body(served: Served) -> dict[str, object]:
    """Write the caller's body."""
    request = request_of(served.trace.arrival)
    items = items_of(request, answered_by(served))
    items.take(mended_output(served.answer))
    items.close(completed=served.answer.finish not in REASONS)
    output = [item.json() for item in items.made]
    return ended_body(request, answered_by(served), output, served)


def ended_body(
    request: Request, model: str, output: list[dict[str, object]], served: Served
) -> dict[str, object]:
    """Write a response that is over: complete, or cut short and told so."""
    reason = REASONS.get(served.answer.finish)
    made = response_body(request, model, "completed" if reason is None else "incomplete", output)
    if reason is None:
        made["completed_at"] = _seconds(served.trace.ended_at or request.received_at)
    else:
        made["incomplete_details"] = {"reason": reason}
    made["usage"] = usage_json(served.answer.receipt)
    inline = inline_text(served.trace, explain=request.overrides.explain)
    if inline is not None:
        made["metadata"] = {**object_of(made["metadata"]), "astrolabe": inline}
    return made


def failed_body(
    request: Request, model: str, output: list[dict[str, object]], refusal: Refusal
) -> dict[str, object]:
    """Write a response that failed after it had begun."""
    code = _ERROR_CODES.get(refusal.code, "server_error")
    return {
        **response_body(request, model, "failed", output),
        "error": {"code": code, "message": refusal.message},
    }


def response_body(
    request: Request, model: str, status: str, output: list[dict[str, object]]
) -> dict[str, object]:
    """Write a response object with every key that clients read."""
    body = request.body
    created = _seconds(request.received_at)
    echoed = {
        key: default if body.get(key) is None else body[key] for key, default in _DEFAULTS.items()
    }
    return {
        "id": f"resp_{suffix_of(request.id)}",
        "object": "response",
        "created_at": created,
        "created": created,
        "completed_at": None,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": output,
        "previous_response_id": body.get("previous_response_id"),
        **echoed,
        "tools": [_tool(tool) for tool in functions_of(body)],
        "tool_choice": _tool_choice(body),
        "text": _text(object_of(body.get("text"))),
        "reasoning": _reasoning(object_of(body.get("reasoning"))),
        "usage": None,
        "store": False,
        "background": False,
        "service_tier": "default",
        "metadata": dict(object_of(body.get("metadata"))),
    }


def items_of(request: Request, model: ModelId) -> Items:
    """Make the empty output of a request's answer by a model."""
    return Items(
        suffix_of(request.id),
        provider=provider_of(model),
        one_call=wants_one_call(request.body),
    )


def suffix_of(request_id: RequestId) -> str:
    """Give the part of a request's id that its response and items share."""
    return request_id.removeprefix("req_")


def usage_json(receipt: Receipt) -> dict[str, object] | None:
    """Write usage with all its details; one that cannot be true is not shown."""
    usage = receipt.usage
    if usage is None or usage.flaw() is not None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _seconds(at: Instant) -> int:
    return at // 1_000


def _tool(declared: Object) -> dict[str, object]:
    return {
        "type": "function",
        "name": declared.get("name"),
        "description": declared.get("description"),
        "parameters": declared.get("parameters"),
        "strict": declared.get("strict"),
    }


def _tool_choice(body: Object) -> object:
    choice = body.get("tool_choice")
    if choice is None or not functions_of(body):
        return "none" if choice == "none" else "auto"
    return choice


def _text(said: Object) -> dict[str, object]:
    form = object_of(said.get("format"))
    told: dict[str, object] = {"type": "text"}
    match form.get("type"):
        case "json_object":
            told = {"type": "json_object"}
        case "json_schema":
            told = {
                "type": "json_schema",
                "name": form.get("name"),
                "description": form.get("description"),
                "schema": form.get("schema") or {},
                "strict": form.get("strict") is True,
            }
        case _:
            pass
    return {"format": told, "verbosity": text_of(said.get("verbosity")) or "medium"}


def _reasoning(said: Object) -> dict[str, object]:
    return {"effort": said.get("effort"), "summary": said.get("summary")}
