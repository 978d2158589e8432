"""What does a request look like that works?

Every example is sent to a gateway in front of the simulator by a test, and must be answered 2xx.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Examples: TypeAlias = Mapping[str, Mapping[str, Any]]

_AUTO: Final = "astrolabe/auto"
_ASKED: Final = "Explain binary search in two sentences."
_WEATHER: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_VERDICT: Final = {
    "type": "object",
    "properties": {"sentiment": {"enum": ["good", "bad"]}, "why": {"type": "string"}},
    "required": ["sentiment", "why"],
    "additionalProperties": False,
}
_IMAGE: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)

CHAT_EXAMPLES: Final[Examples] = {
    "plain": {
        "summary": "One question",
        "value": {"model": _AUTO, "messages": [{"role": "user", "content": _ASKED}]},
    },
    "streamed": {
        "summary": "Streamed, with usage at the end",
        "value": {
            "model": _AUTO,
            "messages": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": _ASKED},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens": 200,
        },
    },
    "tool": {
        "summary": "A function to call, and its result",
        "value": {
            "model": "astrolabe/coding",
            "messages": [
                {"role": "user", "content": "What is the weather in Oslo?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees, rain"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "weather", "parameters": _WEATHER}}
            ],
        },
    },
    "structured": {
        "summary": "JSON that is valid against a schema",
        "value": {
            "model": "astrolabe/strict-json",
            "messages": [{"role": "user", "content": "Judge: the food was cold."}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "schema": _VERDICT, "strict": True},
            },
        },
    },
    "image": {
        "summary": "A picture",
        "value": {
            "model": "astrolabe/vision",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is in this picture?"},
                        {"type": "image_url", "image_url": {"url": _IMAGE}},
                    ],
                }
            ],
        },
    },
    "steered": {
        "summary": "Under another routing stack, with the candidates told",
        "value": {
            "model": _AUTO,
            "messages": [{"role": "user", "content": _ASKED}],
            "metadata": {"astrolabe": {"stack": "high-quality", "explain": True}},
        },
    },
}

RESPONSES_EXAMPLES: Final[Examples] = {
    "plain": {"summary": "One question", "value": {"model": _AUTO, "input": _ASKED}},
    "streamed": {
        "summary": "Streamed",
        "value": {
            "model": _AUTO,
            "instructions": "Answer in one sentence.",
            "input": [{"role": "user", "content": _ASKED}],
            "stream": True,
            "max_output_tokens": 200,
        },
    },
    "tool": {
        "summary": "A function to call, and its result",
        "value": {
            "model": "astrolabe/coding",
            "input": [
                {"role": "user", "content": "What is the weather in Oslo?"},
                {
                    "type": "function_call",
                    "call_id": "call_1",
                    "name": "weather",
                    "arguments": '{"city": "Oslo"}',
                },
                {
                    "type": "function_call_output",
                    "call_id": "call_1",
                    "output": "4 degrees, rain",
                },
            ],
            "tools": [{"type": "function", "name": "weather", "parameters": _WEATHER}],
        },
    },
    "structured": {
        "summary": "JSON that is valid against a schema",
        "value": {
            "model": "astrolabe/strict-json",
            "input": "Judge: the food was cold.",
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "verdict",
                    "schema": _VERDICT,
                    "strict": True,
                }
            },
        },
    },
    "image": {
        "summary": "A picture",
        "value": {
            "model": "astrolabe/vision",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is in this picture?"},
                        {"type": "input_image", "image_url": _IMAGE, "detail": "auto"},
                    ],
                }
            ],
        },
    },
    "steered": {
        "summary": "Under another routing stack; all values strings, for typed clients",
        "value": {
            "model": _AUTO,
            "input": _ASKED,
            "metadata": {"astrolabe.stack": "low-cost", "ticket": "4711"},
        },
    },
}

ROUTE_EXAMPLES: Final[Examples] = {
    "chat": CHAT_EXAMPLES["plain"],
    "responses": RESPONSES_EXAMPLES["plain"],
    "critical": {
        "summary": "What critical quality would choose",
        "value": {
            "model": _AUTO,
            "input": "Draft the board's answer to the regulator.",
            "metadata": {"astrolabe": {"quality": "critical"}},
        },
    },
}
