"""Bodies that use every feature of the two APIs, each as a caller may write it."""

from __future__ import annotations

from typing import Any, Final

from tests.judges.conftest import PIXEL

PDF: Final = "data:application/pdf;base64,JVBERi0xLjQK"
NOTHING: Final = {"type": "object", "properties": {}}
VERDICT: Final = {
    "type": "object",
    "properties": {"score": {"type": "number"}, "why": {"anyOf": [{"$ref": "#/$defs/Why"}]}},
    "required": ["score", "why"],
    "additionalProperties": False,
    "$defs": {"Why": {"type": "string", "title": "Why"}},
}
ASKED: Final[dict[str, Any]] = {"role": "user", "content": "Hello"}
SAMPLING: Final[dict[str, Any]] = {
    "temperature": 0.3,
    "top_p": 0.9,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "top_logprobs": 2,
    "metadata": {"trace": "t-1"},
    "user": "somebody",
    "safety_identifier": "s-1",
    "prompt_cache_key": "k-1",
    "store": False,
}


def chat_tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


CHAT: Final[dict[str, dict[str, Any]]] = {
    "every role": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Really."}]},
            {**ASKED, "name": "ada"},
        ]
    },
    "sampling": {
        **SAMPLING,
        "messages": [ASKED],
        "seed": 7,
        "stop": ["you", "they"],
        "n": 2,
        "logit_bias": {"50": -100},
        "logprobs": True,
        "verbosity": "low",
        "prediction": {"type": "content", "content": "Hello"},
        "reasoning_effort": "low",
    },
    "a cap, as it was": {"messages": [ASKED], "max_tokens": 300},
    "a cap, as it is": {"messages": [ASKED], "max_completion_tokens": 300},
    "one stop": {"messages": [ASKED], "stop": "you"},
    "parts": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
                    {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
                ],
            }
        ]
    },
    "a talk": {
        "messages": [
            ASKED,
            {
                "role": "assistant",
                "content": None,
                "reasoning": "Hm.",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "Hm.", "index": 0, "format": "unknown"},
                    {"type": "reasoning.encrypted", "data": "abc", "index": 1, "id": "r_1"},
                ],
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "look", "arguments": "{}"},
                    },
                    {
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "look", "arguments": '{"again": true}'},
                    },
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "Nothing."},
            {
                "role": "tool",
                "tool_call_id": "call_2",
                "content": [
                    {"type": "text", "text": "This:"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ],
            },
            {
                "role": "assistant",
                "name": "bot",
                "content": [{"type": "text", "text": "I see."}],
                "refusal": "I do not say what.",
            },
            ASKED,
        ],
        "tools": [chat_tool("look", description="Look.", parameters=NOTHING, strict=True)],
        "parallel_tool_calls": False,
    },
    "tools": {
        "messages": [ASKED],
        "tools": [chat_tool("look", parameters=NOTHING), chat_tool("hear")],
        "tool_choice": {"type": "function", "function": {"name": "hear"}},
    },
    "a forced tool": {
        "messages": [ASKED],
        "tools": [chat_tool("look", parameters=NOTHING)],
        "tool_choice": "required",
    },
    "no tool": {
        "messages": [ASKED],
        "tools": [chat_tool("look", parameters=NOTHING)],
        "tool_choice": "none",
    },
    "a schema": {
        "messages": [ASKED],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "verdict",
                "description": "What you think.",
                "strict": True,
                "schema": VERDICT,
            },
        },
    },
    "an object": {
        "messages": [{"role": "user", "content": "In JSON."}],
        "response_format": {"type": "json_object"},
    },
}


RESPONSES: Final[dict[str, dict[str, Any]]] = {
    "every role": {
        "instructions": "Be brief.",
        "input": [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": [{"type": "input_text", "text": "Really."}]},
            ASKED,
        ],
    },
    "sampling": {
        **SAMPLING,
        "input": "Hello",
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "max_output_tokens": 300,
        "max_tool_calls": 2,
        "truncation": "auto",
        "background": False,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
    },
    "parts": {
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "See"},
                    {"type": "input_image", "image_url": PIXEL, "detail": "low"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
                ],
            }
        ]
    },
    "a talk": {
        "input": [
            ASKED,
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm."}],
                "encrypted_content": "abc",
            },
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "look",
                "arguments": "{}",
                "status": "completed",
            },
            {
                "type": "function_call_output",
                "call_id": "call_1",
                "output": [
                    {"type": "input_text", "text": "This:"},
                    {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
                ],
            },
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "phase": "final_answer",
                "content": [
                    {"type": "output_text", "text": "I see.", "annotations": [], "logprobs": []},
                    {"type": "refusal", "refusal": "I do not say what."},
                ],
            },
            ASKED,
        ],
        "tools": [
            {
                "type": "function",
                "name": "look",
                "description": "Look.",
                "parameters": NOTHING,
                "strict": True,
            }
        ],
        "parallel_tool_calls": False,
    },
    "tools": {
        "input": "Hello",
        "tools": [
            {
                "type": "function",
                "name": "look",
                "description": "Look.",
                "parameters": NOTHING,
                "strict": False,
            },
            {
                "type": "function",
                "name": "hear",
                "description": "Listen.",
                "parameters": NOTHING,
                "strict": True,
            },
        ],
        "tool_choice": {"type": "function", "name": "hear"},
    },
    "a forced tool": {
        "input": "Hello",
        "tools": [{"type": "function", "name": "look", "parameters": NOTHING}],
        "tool_choice": "required",
    },
    "a schema": {
        "input": "Hello",
        "text": {
            "format": {
                "type": "json_schema",
                "name": "verdict",
                "description": "What you think.",
                "strict": True,
                "schema": VERDICT,
            }
        },
    },
    "an object": {"input": "In JSON.", "text": {"format": {"type": "json_object"}}},
}
