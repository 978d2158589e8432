"""What may stand in the body of `POST /v1/chat/completions`?

Messages by role, contents as a string or as parts, functions as tools. As tolerant as the reader:
what a role has no use for is let go, and so are tools that are no functions.
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
from astrolabe_http.wire.chat_fields import CHAT_FIELDS, MESSAGE_FIELDS
from astrolabe_http.wire.chat_request import NAME_CHARS_MAX

_NAMED_CHOICE: Final = request_record(
    {
        "type": constant("function"),
        "function": request_record({"name": STRING}, required=["name"]),
    },
    "Call this function.",
    required=["type", "function"],
)
_ALLOWED_CHOICE: Final = request_record(
    {
        "type": constant("allowed_tools"),
        "allowed_tools": request_record(
            {"mode": words(("auto", "required")), "tools": array(ANYTHING)},
            required=["mode", "tools"],
        ),
    },
    "Choose among these functions only.",
    required=["type", "allowed_tools"],
)
_MESSAGE: Final = ruled(MESSAGE_FIELDS, "messages")


def _message(role: Schema, says: str, *, content: str = "Content", **more: Schema) -> Schema:
    """Write the message of a role. What only other roles have is let go."""
    fields = {**_MESSAGE, "role": role, "content": ref(content), **more}
    needed = [name for name in ("role", "tool_call_id") if name == "role" or name in more]
    return request_record(fields, says, required=needed)


def _fields() -> dict[str, Schema]:
    schema = declared(
        {"name": SCHEMA_NAME, "schema": nullable(ref("JsonSchema"))},
        ("name",),
        "The schema that the answer must be valid against.",
    )
    written: dict[str, Schema] = {
        "model": ref("Model"),
        "messages": array(ref("ChatMessage"), "The conversation so far.", minItems=1),
        "tools": nullable(array(ref("ChatTool")), NOTES["tools"]),
        "tool_choice": choice_of_tool(_NAMED_CHOICE, _ALLOWED_CHOICE),
        "response_format": answer_format({"json_schema": schema}, NOTES["response_format"]),
        "modalities": described(
            {"enum": [None, [], ["text"]]}, "What the answer is made of: text."
        ),
        "metadata": nullable(ref("RequestMetadata")),
    }
    # First those that matter most, and then what they say, whatever the table has of them.
    return {**written, **ruled(CHAT_FIELDS, ""), **written}


CHAT_SCHEMAS: Final[Mapping[str, Schema]] = {
    "CreateChatCompletion": request_record(
        _fields(),
        "What OpenAI's Chat Completions take. Fields that are not named here are let go.",
        required=["model", "messages"],
    ),
    "ChatMessage": any_of(
        ref("InstructionMessage"),
        ref("UserMessage"),
        ref("AssistantMessage"),
        ref("ToolMessage"),
        description="One message, by its role.",
    ),
    "InstructionMessage": _message(
        words(("system", "developer")), "What the model is to keep to.", content="TextContent"
    ),
    "UserMessage": _message(constant("user"), "What the user said."),
    "AssistantMessage": _message(
        constant("assistant"),
        "What the model answered before.",
        tool_calls=nullable(array(ref("CalledFunction")), NOTES["messages.tool_calls"]),
    ),
    "ToolMessage": _message(
        constant("tool"), "What a function gave.", tool_call_id=text(NOTES["messages.tool_call_id"])
    ),
    "CalledFunction": request_record(
        {
            "id": text("Which a tool's message names."),
            "type": described(ANYTHING, "`function`."),
            "function": request_record(
                {"name": STRING, "arguments": text("JSON, as the model wrote it.")},
                required=["name", "arguments"],
            ),
        },
        "A function that the model called.",
        required=["id", "function"],
    ),
    "ChatTool": any_of(
        request_record(
            {
                "type": constant("function"),
                "function": declared(function_tool(NAME_CHARS_MAX), ("name",), "The function."),
            },
            "A function that the model may call.",
            required=["function"],
        ),
        {
            **OBJECT,
            "properties": {"type": {"not": {"const": "function"}}},
            "required": ["type"],
            "description": "A tool of another type: it is let go.",
        },
        description="A tool.",
    ),
}
