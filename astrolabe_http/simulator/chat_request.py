"""What does a body of `POST /chat/completions` ask?

`read_chat` gives an `Ask`, or the 400 OpenRouter's schema would give. Unknown top-level fields are
tolerated, as there. Media parts are counted, never opened.
"""

from collections.abc import Mapping

import orjson

from astrolabe_http.simulator import preferences
from astrolabe_http.simulator.asks import (
    BOOLEAN,
    COMMON_FIELDS,
    OBJECT,
    POSITIVE,
    STRING,
    WHOLE,
    Ask,
    Check,
    Form,
    Tool,
    Turn,
    check_fields,
    chosen_model,
    effort_of,
)
from astrolabe_http.simulator.errors import Refusal, refuse_request
from astrolabe_http.simulator.text import count_tokens

_ROLES = ("system", "developer", "user", "assistant", "tool")
_FORMATS = ("text", "json_object", "json_schema", "grammar", "python")
_STOPS_MAX = 4


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list)
        and len(value) <= _STOPS_MAX
        and all(isinstance(stop, str) for stop in value)
    )


CHAT_FIELDS: dict[str, Check] = {
    **COMMON_FIELDS,
    "max_tokens": POSITIVE,
    "max_completion_tokens": POSITIVE,
    "n": (lambda value: POSITIVE[0](value) and value <= 128, "an integer from 1 to 128"),  # type: ignore[operator]
    "seed": WHOLE,
    "logprobs": BOOLEAN,
    "logit_bias": OBJECT,
    "stop": (_is_stop, "a string or an array of at most 4 strings"),
    "stream_options": OBJECT,
    "response_format": OBJECT,
    "reasoning_effort": STRING,
}


def read_chat(body: Mapping[str, object]) -> Ask | Refusal:
    """Check the body and make an `Ask` of it."""
    refusal = check_fields(body, CHAT_FIELDS)
    if refusal is not None:
        return refusal
    if isinstance(model := chosen_model(body), Refusal):
        return model
    if isinstance(turns := _turns(body.get("messages")), Refusal):
        return turns
    if isinstance(tools := _tools(body.get("tools")), Refusal):
        return tools
    if isinstance(choice := _choice(body.get("tool_choice")), Refusal):
        return choice
    if isinstance(form := _form(body.get("response_format")), Refusal):
        return form
    if isinstance(effort := effort_of(body), Refusal):
        return effort
    if isinstance(wanted := preferences.read(body.get("provider")), Refusal):
        return wanted
    stop = body.get("stop")
    output_max = body.get("max_completion_tokens") or body.get("max_tokens")
    count = body.get("n")
    return Ask(
        model=model,
        stream=body.get("stream") is True,
        turns=turns,
        preferences=wanted,
        body=body,
        tools=tools,
        tool_choice=choice[0],
        tool_named=choice[1],
        parallel_tools=body.get("parallel_tool_calls") is not False,
        output_max=output_max if isinstance(output_max, int) else None,
        form=form[0],
        schema=form[1],
        schema_name=form[2],
        count=count if isinstance(count, int) else 1,
        stops=(stop,) if isinstance(stop, str) else tuple(stop) if isinstance(stop, list) else (),
        effort=effort,
        cache_marked=_is_marked(body),
        parameters=_parameters(body),
    )


def _turns(messages: object) -> tuple[Turn, ...] | Refusal:
    if not isinstance(messages, list) or not messages:
        return refuse_request('Input required: specify "prompt" or "messages"', path=["messages"])
    turns: list[Turn] = []
    for place, message in enumerate(messages):
        turn = _turn(message)
        if turn is None:
            return refuse_request(f"Invalid input: messages[{place}]", path=["messages", place])
        turns.append(turn)
    return tuple(turns)


def _turn(message: object) -> Turn | None:
    if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
        return None
    role = str(message["role"])
    content = message.get("content")
    if content is None:
        read = ("", 0, 0) if role == "assistant" else None
    elif isinstance(content, str):
        read = (content, 0, 0)
    else:
        read = _parts(content)
    if read is None or (role == "tool" and not isinstance(message.get("tool_call_id"), str)):
        return None
    text, images, media = read
    calls = message.get("tool_calls")
    if calls is not None:
        if not isinstance(calls, list):
            return None
        text += "".join(
            orjson.dumps(call.get("function")).decode()
            for call in calls
            if isinstance(call, Mapping)
        )
    return Turn(role, text, images, media)


def _parts(content: object) -> tuple[str, int, int] | None:
    if not isinstance(content, list):
        return None
    words: list[str] = []
    images = media = 0
    for part in content:
        match part:
            case {"type": "text", "text": str(text)}:
                words.append(text)
            case {"type": "image_url", "image_url": {"url": str()}}:
                images += 1
            case {"type": "input_audio" | "file" | "input_file" | "input_video" | "video_url"}:
                media += 1
            case {"type": "refusal", "refusal": str(text)}:
                words.append(text)
            case _:
                return None
    return "\n".join(words), images, media


def _tools(value: object) -> tuple[Tool, ...] | Refusal:
    tools: list[Tool] = []
    for place, tool in enumerate(value if isinstance(value, list) else ()):
        match tool:
            case {"type": "function", "function": {"name": str(name)} as function} if (
                0 < len(name) <= 64
            ):
                tools.append(
                    Tool(
                        name,
                        function.get("parameters"),
                        count_tokens(orjson.dumps(function).decode()),
                    )
                )
            case {"type": str(kind)} if kind.startswith("openrouter:") or kind == "web_search":
                continue
            case _:
                return refuse_request(f"Invalid input: tools[{place}]", path=["tools", place])
    return tuple(tools)


def _choice(value: object) -> tuple[str, str | None] | Refusal:
    match value:
        case None:
            return "auto", None
        case "none" | "auto" | "required":
            return str(value), None
        case {"type": "function", "function": {"name": str(name)}}:
            return "named", name
        case {"type": str()}:
            return "auto", None
        case _:
            return refuse_request("Invalid input: tool_choice", path=["tool_choice"])


def _form(value: object) -> tuple[Form, object, str] | Refusal:
    match value:
        case None | {"type": "text" | "grammar" | "python"}:
            return Form.TEXT, None, ""
        case {"type": "json_object"}:
            return Form.JSON, None, ""
        case {"type": "json_schema", "json_schema": {"name": str(name), **inner}}:
            return Form.SCHEMA, inner.get("schema") or {}, name
        case _:
            return refuse_request(
                f"Invalid input: response_format must be one of {', '.join(_FORMATS)}",
                path=["response_format"],
            )


def _is_marked(body: Mapping[str, object]) -> bool:
    messages = body.get("messages")
    return "cache_control" in body or any(
        "cache_control" in part
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        for part in message["content"]
        if isinstance(part, Mapping)
    )


def _parameters(body: Mapping[str, object]) -> frozenset[str]:
    names = {
        "tools",
        "tool_choice",
        "response_format",
        "reasoning",
        "logprobs",
        "logit_bias",
        "seed",
        "stop",
        "top_k",
    }
    asked = {name for name in names if body.get(name) not in (None, [], {})}
    form = body.get("response_format")
    if isinstance(form, Mapping) and form.get("type") == "json_schema":
        asked.add("structured_outputs")
    if isinstance(form, Mapping) and form.get("type") == "text":
        asked.discard("response_format")
    return frozenset(asked)
