"""How does a plain OpenAI-compatible server answer, in the manner of vLLM and llama-server?

A dialect put over one of OpenRouter's: fields that OpenAI does not have are refused, and so is a
system message in any place but the first; answers lose what is OpenRouter's own, and keep a
sparse usage, on the chunk that ends and only where it was asked for. Errors are in vLLM's form.
Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from astrolabe_http.simulator.answers import Answer
from astrolabe_http.simulator.asks import Ask
from astrolabe_http.simulator.errors import Refusal, refuse_request
from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.frames import DONE, Frame
from astrolabe_http.simulator.provider import CHAT, RESPONSES, Dialect

Json = dict[str, Any]

_COMMON: Final = frozenset(
    {
        *("model", "stream", "temperature", "top_p", "top_k", "top_logprobs", "tools"),
        *("tool_choice", "parallel_tool_calls", "user", "service_tier", "store"),
        *("prompt_cache_key", "safety_identifier", "presence_penalty", "frequency_penalty"),
    }
)
CHAT_TAKES: Final = _COMMON | {
    *("messages", "max_tokens", "max_completion_tokens", "n", "seed", "stop", "logprobs"),
    *("logit_bias", "response_format", "reasoning_effort", "stream_options", "verbosity"),
    *("prediction", "min_p", "repetition_penalty"),
}
RESPONSES_TAKES: Final = _COMMON | {
    *("input", "instructions", "max_output_tokens", "max_tool_calls", "include", "text"),
    *("reasoning", "truncation", "metadata"),
}
"""What the two endpoints take; everything else is 400, by its name."""

_INCLUDED: Final = frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})
_TYPES: Final = {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError"}
_OPENROUTERS: Final = frozenset(
    {"provider", "native_finish_reason", "reasoning_details", "error_type", "user_id"}
)
_COUNTS: Final = frozenset(
    {"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"}
)


def complain(refusal: Refusal) -> bytes:
    """Write an error as vLLM does."""
    return orjson.dumps({"error": _complaint(refusal)})


def _complaint(refusal: Refusal) -> Json:
    kind = _TYPES.get(refusal.status, "InternalServerError")
    return {"message": refusal.message, "type": kind, "param": None, "code": refusal.status}


# --- what is taken ---------------------------------------------------------------------------


def _read_chat(body: Mapping[str, object]) -> Ask | Refusal:
    return _unknown(body, CHAT_TAKES) or _unfit_roles(body) or CHAT.read(body)


def _read_responses(body: Mapping[str, object]) -> Ask | Refusal:
    included = body.get("include")
    for word in included if isinstance(included, list) else []:
        if word not in _INCLUDED:
            return refuse_request(f"Input should be one of {', '.join(sorted(_INCLUDED))}")
    return _unknown(body, RESPONSES_TAKES) or RESPONSES.read(body)


def _unknown(body: Mapping[str, object], taken: frozenset[str]) -> Refusal | None:
    unknown = sorted(body.keys() - taken)
    if not unknown:
        return None
    return refuse_request(f"Extra inputs are not permitted: {', '.join(unknown)}")


def _unfit_roles(body: Mapping[str, object]) -> Refusal | None:
    """Refuse what chat templates do."""
    messages = body.get("messages")
    for place, message in enumerate(messages if isinstance(messages, list) else []):
        role = message.get("role") if isinstance(message, Mapping) else None
        if role == "developer":
            return refuse_request("Unexpected message role.")
        if role == "system" and place:
            return refuse_request("System message must be at the beginning.")
    return None


# --- what is answered ------------------------------------------------------------------------


def _bare(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out what is OpenRouter's own, at any depth."""
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _bare(each) for key, each in value.items() if key not in _OPENROUTERS}
    if "usage" in made and isinstance(made["usage"], dict):
        made["usage"] = {key: each for key, each in made["usage"].items() if key in _COUNTS}
    if isinstance(made.get("reasoning"), str):
        made["reasoning_content"] = made.pop("reasoning")
    elif "reasoning" in made and made["reasoning"] is None:
        del made["reasoning"]
    return made


def _body(dialect: Dialect) -> Callable[[Ask, Answer, Faults], Json]:
    def body(ask: Ask, answer: Answer, faults: Faults) -> Json:
        # Amounts are written with all their digits; here none is shown.
        made: Json = _bare(orjson.loads(orjson.dumps(dialect.body(ask, answer, faults))))
        return made

    return body


def _failure_body(dialect: Dialect) -> Callable[[Ask, Answer, Refusal], Json]:
    def failure_body(ask: Ask, answer: Answer, error: Refusal) -> Json:
        if dialect is CHAT:
            return {"error": _complaint(error)}
        made: Json = _bare(dialect.failure_body(ask, answer, error))
        return made

    return failure_body


def _frames(dialect: Dialect) -> Callable[[Ask, Answer, Faults, int], list[Frame]]:
    def frames(ask: Ask, answer: Answer, faults: Faults, words: int) -> list[Frame]:
        made = [_reworded(frame) for frame in dialect.frames(ask, answer, faults, words)]
        return _counted_at_the_end(made, ask) if dialect is CHAT else made

    return frames


def _failure_frames(dialect: Dialect) -> Callable[[Ask, Answer, Refusal, int], list[Frame]]:
    def failure_frames(ask: Ask, answer: Answer, error: Refusal, sent: int) -> list[Frame]:
        if dialect is CHAT:
            return [Frame(b"data: " + complain(error) + b"\n\n"), DONE]
        return [_reworded(each) for each in dialect.failure_frames(ask, answer, error, sent)]

    return failure_frames


def _reworded(frame: Frame) -> Frame:
    head, separator, data = frame.data.partition(b"data: ")
    if not data.startswith(b"{"):
        return frame
    told = orjson.dumps(_bare(orjson.loads(data)))
    return Frame(head + separator + told + b"\n\n", frame.content)


def _counted_at_the_end(frames: list[Frame], ask: Ask) -> list[Frame]:
    """Put the usage on the last chunk that ends a choice, where it was asked for."""
    options = ask.body.get("stream_options")
    wanted = isinstance(options, Mapping) and options.get("include_usage") is True
    kept: list[Frame] = []
    for frame in frames:
        data = frame.data.removeprefix(b"data: ")
        told: Json = orjson.loads(data) if data.startswith(b"{") else {}
        if not told.get("usage"):
            kept.append(frame)
        elif wanted and kept:
            last = orjson.loads(kept[-1].data.removeprefix(b"data: "))
            counted = orjson.dumps({**last, "usage": told["usage"]})
            kept[-1] = Frame(b"data: " + counted + b"\n\n", kept[-1].content)
    return kept


def _plainly(dialect: Dialect, read: Callable[[Mapping[str, object]], Ask | Refusal]) -> Dialect:
    return Dialect(
        read,
        _body(dialect),
        _failure_body(dialect),
        _frames(dialect),
        _failure_frames(dialect),
        complain,
    )


PLAIN_CHAT: Final = _plainly(CHAT, _read_chat)
PLAIN_RESPONSES: Final = _plainly(RESPONSES, _read_responses)
