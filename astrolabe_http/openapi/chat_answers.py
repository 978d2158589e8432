"""What does `POST /v1/chat/completions` answer: whole, and chunk by chunk?

OpenAI's objects with every key always there, and `astrolabe`, which says how the answer was
routed. A stream is told as the events it is made of: each has `data` alone, JSON or `[DONE]`.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.openapi.schema import (
    OBJECT,
    STRING,
    Schema,
    any_of,
    array,
    constant,
    count,
    nullable,
    record,
    ref,
    text,
    words,
)

_FINISHES: Final = ("stop", "length", "tool_calls", "content_filter")
_REASONING: Final[dict[str, Schema]] = {
    "reasoning": text("What the model thought: a field of OpenRouter's."),
    "reasoning_details": array({}, "The same in parts, to be handed back in the next turn."),
}
_LOGPROBS: Final = nullable(OBJECT, "Log probabilities, where they were asked for.")


def _head(kind: str) -> dict[str, Schema]:
    return {
        "id": text("One for the whole stream.", pattern="^chatcmpl-[0-9a-z]+$"),
        "object": constant(kind),
        "created": count("Unix seconds."),
        "model": text("The model that answered."),
        "service_tier": STRING,
    }


def event(data: Schema, name: str | None = None) -> Schema:
    """Write a server-sent event; one without a name is a `message` for whoever reads it."""
    fields = {"event": constant("message" if name is None else name), "data": data}
    return record(fields, optional=["event"] if name is None else [])


def json_text(schema: Schema) -> Schema:
    """Write text that is JSON of a schema."""
    return {**STRING, "contentMediaType": "application/json", "contentSchema": schema}


CHAT_ANSWER_SCHEMAS: Final[Mapping[str, Schema]] = {
    "ChatCompletion": record(
        {
            **_head("chat.completion"),
            "choices": array(ref("ChatChoice")),
            "usage": nullable(ref("ChatUsage"), "Null where the provider told none credibly."),
            "metadata": {**OBJECT, "description": "As it was sent, without the routing part."},
            "astrolabe": ref("RoutingReport"),
        },
        "A whole answer.",
        optional=["metadata", "astrolabe"],
    ),
    "ChatChoice": record(
        {
            "index": count(),
            "message": ref("ChatAnswer"),
            "logprobs": _LOGPROBS,
            "finish_reason": words(_FINISHES),
        },
        "One of the `n` answers.",
    ),
    "ChatAnswer": record(
        {
            "role": constant("assistant"),
            "content": nullable(STRING),
            "refusal": nullable(STRING),
            "annotations": array({}),
            **_REASONING,
            "tool_calls": array(ref("ChatToolCall")),
        },
        "What the model said.",
        optional=[*_REASONING, "tool_calls"],
    ),
    "ChatToolCall": record(
        {
            "id": text("To be named by the message with the result."),
            "type": constant("function"),
            "function": record({"name": STRING, "arguments": text("JSON, as the model wrote it.")}),
        },
        "A function that the model wants called.",
    ),
    "ChatUsage": record(
        {
            "prompt_tokens": count(),
            "completion_tokens": count(),
            "total_tokens": count(),
            "prompt_tokens_details": record(
                {
                    "cached_tokens": count(),
                    "cache_write_tokens": count(),
                    "audio_tokens": count(),
                }
            ),
            "completion_tokens_details": record(
                {
                    "reasoning_tokens": count(),
                    "audio_tokens": count(),
                    "accepted_prediction_tokens": count(),
                    "rejected_prediction_tokens": count(),
                }
            ),
        },
        "What was counted; the details are parts of the whole.",
    ),
    "ChatChunk": record(
        {
            **_head("chat.completion.chunk"),
            "choices": array(ref("ChatChunkChoice"), "Empty in the chunk of usage."),
            "usage": nullable(
                ref("ChatUsage"), "Only where `stream_options.include_usage` asks: null until then."
            ),
            "astrolabe": ref("RoutingReport", "On the last chunk."),
        },
        "A piece of an answer.",
        optional=["usage", "astrolabe"],
    ),
    "ChatChunkChoice": record(
        {
            "index": count(),
            "delta": ref("ChatDelta"),
            "logprobs": _LOGPROBS,
            "finish_reason": nullable(words(_FINISHES)),
        },
        "A piece of one choice.",
    ),
    "ChatDelta": record(
        {
            "role": constant("assistant"),
            "content": STRING,
            "refusal": nullable(STRING),
            **_REASONING,
            "tool_calls": array(ref("ChatDeltaCall")),
        },
        "What is new; the role comes first, alone.",
        optional=["role", "content", "refusal", *_REASONING, "tool_calls"],
    ),
    "ChatDeltaCall": record(
        {
            "index": count("Which of the calls."),
            "id": STRING,
            "type": constant("function"),
            "function": record(
                {"name": STRING, "arguments": text("The next piece of the JSON.")},
                optional=["name"],
            ),
        },
        "A piece of a tool call; id and name come first.",
        optional=["id", "type"],
    ),
    "ChatEvent": any_of(
        event(json_text(ref("ChatChunk"))),
        event(json_text(ref("Error"))),
        event(constant("[DONE]", "The end.")),
        description="One event of a stream: a chunk, an error that ends it, or its end.",
    ),
}
