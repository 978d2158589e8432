"""What does a body of `POST /responses` ask?

`read_responses` gives an `Ask`, or the 400 OpenRouter's schema would give. The endpoint keeps no
state: `store: true` and `previous_response_id` are refused. Tools that are no functions are
tolerated and never called.
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
    STRINGS,
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
from astrolabe_http.simulator.sealing import refuse_foreign
from astrolabe_http.simulator.text import count_tokens

_ROLES = ("system", "developer", "user", "assistant")

RESPONSES_FIELDS: dict[str, Check] = {
    **COMMON_FIELDS,
    "instructions": STRING,
    "max_output_tokens": POSITIVE,
    "max_tool_calls": POSITIVE,
    "include": STRINGS,
    "background": BOOLEAN,
    "safety_identifier": STRING,
    "text": OBJECT,
    "truncation": (lambda value: value in ("auto", "disabled"), "auto or disabled"),
    "store": (lambda value: value is False, "false: this API keeps no state"),
    "previous_response_id": (lambda _: False, "absent: this API keeps no state"),
}


def read_responses(body: Mapping[str, object]) -> Ask | Refusal:
    """Check the body and make an `Ask` of it."""
    refusal = check_fields(body, RESPONSES_FIELDS)
    if refusal is not None:
        return refusal
    if isinstance(model := chosen_model(body), Refusal):
        return model
    if isinstance(turns := _turns(body), Refusal):
        return turns
    refusal = refuse_foreign(body, model)
    if refusal is not None:
        return refusal
    if isinstance(tools := _tools(body.get("tools")), Refusal):
        return tools
    if isinstance(choice := _choice(body.get("tool_choice")), Refusal):
        return choice
    if isinstance(form := _form(body.get("text")), Refusal):
        return form
    if isinstance(effort := effort_of(body), Refusal):
        return effort
    if isinstance(wanted := preferences.read(body.get("provider")), Refusal):
        return wanted
    output_max = body.get("max_output_tokens")
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
        effort=effort,
        cache_marked="cache_control" in body,
        parameters=_parameters(body, form[0]),
    )


def _turns(body: Mapping[str, object]) -> tuple[Turn, ...] | Refusal:
    instructions, given = body.get("instructions"), body.get("input")
    turns = [Turn("system", instructions)] if isinstance(instructions, str) else []
    if isinstance(given, str):
        return (*turns, Turn("user", given))
    if not isinstance(given, list) or not given:
        return refuse_request(
            "Invalid input: input must be a string or a list of items", path=["input"]
        )
    for place, item in enumerate(given):
        turn = _turn(item)
        if turn is None:
            return refuse_request(f"Invalid input: input[{place}]", path=["input", place])
        turns.append(turn)
    return tuple(turns)


def _turn(item: object) -> Turn | None:
    match item:
        case {
            "type": "function_call",
            "call_id": str(),
            "name": str(name),
            "arguments": str(arguments),
        }:
            return Turn("assistant", f"{name}{arguments}")
        case {"type": "function_call_output", "call_id": str(), "output": str(output)}:
            return Turn("tool", output)
        case {"type": "function_call_output", "call_id": str(), "output": list(parts)}:
            return _message("tool", parts)
        case {"type": "reasoning", **rest}:
            return Turn("assistant", orjson.dumps(rest.get("summary")).decode())
        case {"type": str(kind)} if kind != "message":
            return Turn(
                "tool" if kind.endswith("_output") else "assistant", orjson.dumps(item).decode()
            )
        case {"role": str(role), "content": content} if role in _ROLES:
            return _message(role, content)
        case _:
            return None


def _message(role: str, content: object) -> Turn | None:
    if isinstance(content, str):
        return Turn(role, content)
    if not isinstance(content, list):
        return Turn(role, "") if content is None else None
    words: list[str] = []
    images = media = 0
    for part in content:
        match part:
            case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
                words.append(text)
            case {"type": "refusal", "refusal": str(text)}:
                words.append(text)
            case {"type": "input_image"}:
                images += 1
            case {"type": "input_file" | "input_audio" | "input_video"}:
                media += 1
            case _:
                return None
    return Turn(role, "\n".join(words), images, media)


def _tools(value: object) -> tuple[Tool, ...] | Refusal:
    tools: list[Tool] = []
    for place, tool in enumerate(value if isinstance(value, list) else ()):
        match tool:
            case {"type": "function", "name": str(name)} if name:
                tools.append(
                    Tool(name, tool.get("parameters"), count_tokens(orjson.dumps(tool).decode()))
                )
            case {"type": str(kind)} if kind != "function":
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
        case {"type": "function", "name": str(name)}:
            return "named", name
        case {"type": "allowed_tools", "mode": "required"}:
            return "required", None
        case {"type": str()}:
            return "auto", None
        case _:
            return refuse_request("Invalid input: tool_choice", path=["tool_choice"])


def _form(text: object) -> tuple[Form, object, str] | Refusal:
    match text.get("format") if isinstance(text, Mapping) else None:
        case None | {"type": "text"}:
            return Form.TEXT, None, ""
        case {"type": "json_object"}:
            return Form.JSON, None, ""
        case {"type": "json_schema", "name": str(name), "schema": schema}:
            return Form.SCHEMA, schema, name
        case _:
            return refuse_request("Invalid input: text.format", path=["text", "format"])


def _parameters(body: Mapping[str, object], form: Form) -> frozenset[str]:
    asked = {
        name
        for name in ("tools", "tool_choice", "reasoning", "top_k")
        if body.get(name) not in (None, [], {})
    }
    if form is not Form.TEXT:
        asked.add("response_format")
    if form is Form.SCHEMA:
        asked.add("structured_outputs")
    return frozenset(asked)
