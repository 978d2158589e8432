"""What does `POST /v1/responses` answer: whole, and event by event?

OpenAI's response object with every key always there. The events and their fields are those of the
stream grammar, so that they stand once; here is only what the objects in them look like.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.openapi.chat_answers import event, json_text
from astrolabe_http.openapi.schema import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
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
from astrolabe_http.wire.grammar.responses_table import EVERY, REASONS, ROWS, STATUSES
from astrolabe_http.wire.grammar.states import Kind

_ITEM_STATUS: Final = words(("in_progress", "completed", "incomplete"))
_KINDS: Final[Mapping[Kind, Schema]] = {
    Kind.TEXT: STRING,
    Kind.TEXT_OR_NULL: nullable(STRING),
    Kind.INDEX: count(),
    Kind.NUMBER: NUMBER,
    Kind.OBJECT: OBJECT,
    Kind.ARRAY: array(OBJECT),
    Kind.ANY: ANYTHING,
}
_FIELDS: Final[Mapping[str, Schema]] = {
    "response": ref("Response"),
    "item": ref("OutputItem"),
    "part": ref("OutputPart"),
    "annotation": ref("UrlCitation"),
    "error": ref("ErrorObject"),
    "sequence_number": count("From 0 by 1."),
}
"""What a field holds, where its kind alone says too little."""

_RESPONSE: Final[dict[str, Schema]] = {
    "id": text(pattern="^resp_[0-9a-z]+$"),
    "object": constant("response"),
    "created_at": count("Unix seconds."),
    "created": count("The same."),
    "completed_at": nullable(count()),
    "status": words(sorted(set(STATUSES.values()))),
    "error": nullable(
        record({"code": STRING, "message": STRING}), "Why it failed after it had begun."
    ),
    "incomplete_details": nullable(record({"reason": words(sorted(REASONS))})),
    "instructions": nullable(STRING),
    "model": text("The model that answered."),
    "output": array(ref("OutputItem")),
    "previous_response_id": nullable(STRING),
    "tools": array(
        record(
            {
                "type": constant("function"),
                "name": STRING,
                "description": nullable(STRING),
                "parameters": nullable(OBJECT),
                "strict": nullable(BOOLEAN),
            }
        )
    ),
    "tool_choice": any_of(STRING, OBJECT),
    "truncation": STRING,
    "parallel_tool_calls": BOOLEAN,
    "text": record({"format": ref("AnswerFormat"), "verbosity": STRING}),
    "temperature": NUMBER,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "top_logprobs": count(),
    "reasoning": record({"effort": nullable(STRING), "summary": nullable(STRING)}),
    "usage": nullable(ref("ResponsesUsage"), "Null until the end, or where it is not credible."),
    "max_output_tokens": nullable(count()),
    "max_tool_calls": nullable(count()),
    "store": BOOLEAN,
    "background": BOOLEAN,
    "service_tier": STRING,
    "metadata": {
        **OBJECT,
        "additionalProperties": STRING,
        "description": "As it was sent; `astrolabe` says how the answer was routed, as JSON text "
        "of a `RoutingReport`.",
    },
    "safety_identifier": nullable(STRING),
    "prompt_cache_key": nullable(STRING),
    "user": nullable(STRING),
}

_ITEMS: Final[Mapping[str, Schema]] = {
    "OutputMessage": record(
        {
            "id": STRING,
            "type": constant("message"),
            "role": constant("assistant"),
            "status": _ITEM_STATUS,
            "content": array(any_of(ref("OutputText"), ref("OutputRefusal"))),
            "phase": words(("commentary", "final_answer")),
        },
        "What the model said.",
        optional=["phase"],
    ),
    "OutputCall": record(
        {
            "id": STRING,
            "type": constant("function_call"),
            "call_id": text("To be named by the item with the result."),
            "name": STRING,
            "arguments": text("JSON, as the model wrote it."),
            "status": _ITEM_STATUS,
        },
        "A function that the model wants called.",
    ),
    "OutputReasoning": record(
        {
            "id": STRING,
            "type": constant("reasoning"),
            "summary": array(ref("SummaryText")),
            "content": array(ref("ReasoningText")),
            "encrypted_content": text("To be handed back: readable for its provider only."),
        },
        "What the model thought.",
        optional=["content", "encrypted_content"],
    ),
}
_PARTS: Final[Mapping[str, Schema]] = {
    "OutputText": record(
        {
            "type": constant("output_text"),
            "text": STRING,
            "annotations": array(ref("UrlCitation")),
            "logprobs": array(OBJECT),
        },
        "Words.",
    ),
    "OutputRefusal": record(
        {"type": constant("refusal"), "refusal": STRING}, "Words with which the model declined."
    ),
    "ReasoningText": record({"type": constant("reasoning_text"), "text": STRING}, "A thought."),
    "SummaryText": record(
        {"type": constant("summary_text"), "text": STRING}, "Thoughts, in short."
    ),
}


def event_name(name: str) -> str:
    """Give the name of an event's schema: `response.output_text.done` is `ResponseOutputTextDone`.

    `error` becomes `ResponseError`, since `Error` is the body of an answer.
    """
    stem = name.removeprefix("response.")
    return "Response" + "".join(word.capitalize() for word in stem.replace(".", "_").split("_"))


def _events() -> dict[str, Schema]:
    made: dict[str, Schema] = {}
    for row in ROWS:
        fields = {
            name: _FIELDS.get(name, _KINDS[kind]) for name, kind in {**EVERY, **row.fields}.items()
        }
        made[event_name(row.event)] = record({**fields, "type": constant(row.event)})
    return made


_EVENTS: Final = _events()

RESPONSES_ANSWER_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Response": record(_RESPONSE, "An answer with all its settings."),
    "OutputItem": any_of(*(ref(name) for name in _ITEMS), description="An item, by its type."),
    **_ITEMS,
    "OutputPart": any_of(*(ref(name) for name in _PARTS), description="A part, by its type."),
    **_PARTS,
    "UrlCitation": record(
        {
            "type": constant("url_citation"),
            "start_index": {"type": "integer"},
            "end_index": {"type": "integer"},
            "title": STRING,
            "url": STRING,
        },
        "Where words come from.",
    ),
    "AnswerFormat": any_of(
        record({"type": words(("text", "json_object"))}),
        record(
            {
                "type": constant("json_schema"),
                "name": STRING,
                "description": nullable(STRING),
                "schema": OBJECT,
                "strict": BOOLEAN,
            }
        ),
        description="The form of the answer, as it was asked for.",
    ),
    "ResponsesUsage": record(
        {
            "input_tokens": count(),
            "input_tokens_details": record(
                {"cached_tokens": count(), "cache_write_tokens": count()}
            ),
            "output_tokens": count(),
            "output_tokens_details": record({"reasoning_tokens": count()}),
            "total_tokens": count(),
        },
        "What was counted; the details are parts of the whole.",
    ),
    "DeletedResponse": record(
        {"id": STRING, "object": constant("response"), "deleted": {"const": True}},
        "A response that is gone.",
    ),
    "InputItemList": record(
        {
            "object": constant("list"),
            "data": array(ref("KeptItem")),
            "first_id": text("Empty where nothing is listed."),
            "last_id": text("What `after` takes for the next page."),
            "has_more": BOOLEAN,
        },
        "A page of items.",
    ),
    "KeptItem": record(
        {"id": STRING, "type": STRING},
        "An item as it was given, with an id, and with a status where its type has one.",
        optional=["type"],
        additionalProperties=True,
    ),
    **_EVENTS,
    "ResponsesEvent": any_of(
        *(event(json_text(ref(event_name(row.event))), row.event) for row in ROWS),
        description="One event of a stream.",
    ),
}
