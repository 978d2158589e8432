"""What may stand in the body of `POST /v1/responses`?

A string or items as input, functions as tools. As tolerant as the reader: a message may leave out
its type, items of known tools are let through, and tools that are no functions let go.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.openapi.bodies import (
    NOTES,
    SCHEMA_NAME,
    answer_format,
    choice_of_tool,
    declared,
    function_tool,
    ruled,
)
from astrolabe_http.openapi.schema import (
    ANYTHING,
    OBJECT,
    STRING,
    Schema,
    any_of,
    array,
    constant,
    described,
    nullable,
    ref,
    request_record,
    text,
    words,
)
from astrolabe_http.wire.responses_fields import RESPONSES_FIELDS, TEXT
from astrolabe_http.wire.responses_input import ITEMS
from astrolabe_http.wire.responses_request import NAME_CHARS_MAX
from astrolabe_http.wire.responses_turns import ROLES
from astrolabe_http.wire.rulings import Fate

_READ: Final = (
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call_output",
    "reasoning",
)
"""The items that are written out here."""

_NAMED_CHOICE: Final = request_record(
    {"type": constant("function"), "name": STRING}, "Call this function.", required=["type", "name"]
)
_ALLOWED_CHOICE: Final = request_record(
    {
        "type": constant("allowed_tools"),
        "mode": words(("auto", "required")),
        "tools": array(ANYTHING),
    },
    "Choose among these functions only.",
    required=["type", "mode", "tools"],
)


def _fields() -> dict[str, Schema]:
    form = answer_format(
        declared(
            {"name": SCHEMA_NAME, "schema": nullable(ref("JsonSchema"))},
            ("name",),
            "The schema that the answer must be valid against.",
        ),
        NOTES["response_format"],
    )
    written: dict[str, Schema] = {
        "model": ref("Model"),
        "input": any_of(
            STRING,
            array(ref("InputItem"), minItems=1),
            description="What the user says, or the conversation so far.",
        ),
        "tools": nullable(array(ref("ResponsesTool")), NOTES["tools"]),
        "tool_choice": choice_of_tool(_NAMED_CHOICE, _ALLOWED_CHOICE),
        "text": nullable(request_record({**ruled(TEXT, "text"), "format": form}), NOTES["text"]),
        "modalities": described(
            {"enum": [None, [], ["text"]]}, "What the answer is made of: text."
        ),
        "n": described({"enum": [None, 1]}, "How many answers to give: one."),
        "metadata": nullable(ref("RequestMetadata")),
    }
    # First those that matter most, and then what they say, whatever the table has of them.
    return {**written, **ruled(RESPONSES_FIELDS, ""), **written}


RESPONSES_SCHEMAS: Final[Mapping[str, Schema]] = {
    "CreateResponse": request_record(
        _fields(),
        "What OpenAI's Responses take. Fields that are not named here are let go.",
        required=["model", "input"],
    ),
    "InputItem": any_of(
        ref("InputMessage"),
        ref("InputCall"),
        ref("InputCallOutput"),
        ref("InputReasoning"),
        ref("InputOther"),
        description="One item of a conversation, by its type.",
    ),
    "InputMessage": request_record(
        {
            "type": nullable(constant("message")),
            "role": words(ROLES),
            "content": ref("Content"),
        },
        "What somebody said.",
        required=["role"],
    ),
    "InputCall": request_record(
        {
            "type": constant("function_call"),
            "call_id": STRING,
            "name": STRING,
            "arguments": text("JSON, as the model wrote it."),
        },
        "A function that the model called.",
        required=["type", "call_id", "name", "arguments"],
    ),
    "InputCallOutput": request_record(
        {
            "type": words(("function_call_output", "custom_tool_call_output")),
            "call_id": text("The id of the call that this answers."),
            "output": ref("ResultContent"),
        },
        "What a function gave.",
        required=["type", "call_id"],
    ),
    "InputReasoning": request_record(
        {
            "type": constant("reasoning"),
            "summary": described(ANYTHING, "What the model thought, in short."),
            "encrypted_content": described(ANYTHING, "The same, readable for its provider only."),
        },
        "What the model thought before, handed back as it came.",
        required=["type"],
    ),
    "InputOther": request_record(
        {
            "type": any_of(
                words(
                    kind
                    for kind, ruling in ITEMS.items()
                    if kind not in _READ and ruling.fate is not Fate.REFUSED
                ),
                text(pattern="^openrouter:"),
            )
        },
        "An item of a tool that is no function: the model reads what it says.",
        required=["type"],
    ),
    "ResponsesTool": any_of(
        declared(
            {"type": constant("function"), **function_tool(NAME_CHARS_MAX)},
            ("type", "name"),
            "A function that the model may call.",
        ),
        {
            **OBJECT,
            "properties": {"type": {**STRING, "not": {"const": "function"}}},
            "required": ["type"],
            "description": "A tool of another type: it is let go.",
        },
        description="A tool.",
    ),
}
