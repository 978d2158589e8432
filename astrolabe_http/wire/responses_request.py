"""What does a body of `POST /v1/responses` ask, and what of it goes to the provider?

`read_request` gives a `Request`, or says which field is wrong. Nothing is kept between
requests: `previous_response_id` is refused by name, `store: true` is taken and told as false.
`parallel_tool_calls: true` is what SDKs send by default: a permission, never a demand.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.messages import CallModel
from astrolabe_core.requests import (
    Malformed,
    OutputFormat,
    Request,
    Surface,
    Tool,
    ToolChoice,
)
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.wire.fields import (
    EFFORT,
    OBJECT,
    POSITIVE,
    STRING,
    STRINGS,
    VERBOSITY,
    Check,
    Object,
    array_of,
    described,
    first_wrong,
    invalid,
    object_of,
    one_of,
    unsupported,
)
from astrolabe_http.wire.intake import (
    COMMON_CHECKS,
    COMMON_UNSUPPORTED,
    Form,
    Intake,
    check_choice,
    is_reasoning,
    output_cap,
    read_function,
    read_schema,
    refused,
    take_in,
)
from astrolabe_http.wire.responses_turns import read_input

NAME_CHARS_MAX: Final = 128

CHECKS: Final[Mapping[str, Check]] = {
    **COMMON_CHECKS,
    "instructions": STRING,
    "max_output_tokens": POSITIVE,
    "max_tool_calls": POSITIVE,
    "include": STRINGS,
    "text": OBJECT,
    "truncation": one_of("auto", "disabled"),
}
UNSUPPORTED: Final[Mapping[str, str]] = {
    **COMMON_UNSUPPORTED,
    "previous_response_id": "no state is kept here; send the whole conversation as input",
    "conversation": "no state is kept here; send the whole conversation as input",
    "background": "answers come with the request; leave it out",
    "prompt": "no prompts are kept here; send instructions and input",
}
REASONING_CHECKS: Final[Mapping[str, Check]] = {
    "effort": EFFORT,
    "summary": one_of("auto", "concise", "detailed"),
}
ENCRYPTED: Final = "reasoning.encrypted_content"
INCLUDED: Final = frozenset({ENCRYPTED, "message.input_image.image_url"})
"""What may be asked for beside the answer; OpenRouter refuses every other word."""
_FORWARDED: Final = (
    "input",
    "instructions",
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "max_tool_calls",
    "text",
    "reasoning",
    "truncation",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "cache_control",
    "metadata",
)


def read_request(
    body: Object,
    *,
    id: RequestId,  # noqa: A002
    at: Instant,
    stack_header: str | None,
) -> Request | Malformed:
    """Read a body, in whatever of its many forms."""
    taken = take_in(body, checks=CHECKS, unsupported=UNSUPPORTED, stack_header=stack_header)
    if isinstance(taken, Refusal):
        return refused(taken, id, at)
    read = _read(taken, id, at)
    return refused(read, id, at) if isinstance(read, Refusal) else read


def _read(taken: Intake, request_id: RequestId, at: Instant) -> Request | Refusal:
    body = taken.body
    text, reasoning = object_of(body.get("text")), object_of(body.get("reasoning"))
    wrong = first_wrong(text, {"format": OBJECT, "verbosity": VERBOSITY}, "text.") or first_wrong(
        reasoning, REASONING_CHECKS, "reasoning."
    )
    if wrong is not None:
        return wrong
    if isinstance(turns := read_input(body.get("instructions"), body.get("input")), Refusal):
        return turns
    if isinstance(tools := _tools(array_of(body.get("tools"))), Refusal):
        return tools
    if isinstance(choice := _choice(body.get("tool_choice"), tools), Refusal):
        return choice
    if isinstance(form := _form(object_of(text.get("format"))), Refusal):
        return form
    return Request(
        id=request_id,
        received_at=at,
        surface=Surface.RESPONSES,
        model=taken.model,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        output_format=OutputFormat(form.kind),
        schema=form.schema,
        output_tokens_max=output_cap(body.get("max_output_tokens")),
        stream=body.get("stream") is True,
        reasoning=is_reasoning(reasoning, None),
        overrides=taken.overrides,
        body=body,
    )


def upstream_body(command: CallModel, provider_rules: Object) -> dict[str, object]:
    """Write what is sent to the provider."""
    request, body = command.request, command.request.body
    made: dict[str, object] = {
        "model": command.model.id,
        "max_output_tokens": command.output_tokens_max,
        "store": False,
    }
    for name in _FORWARDED:
        if body.get(name) is not None:
            made[name] = body[name]
    if included := [each for each in array_of(body.get("include")) if each in INCLUDED]:
        made["include"] = included
    made |= _toolkit(body)
    if request.stream:
        made["stream"] = True
    if provider_rules:
        made["provider"] = dict(provider_rules)
    return made


def encrypts_reasoning(body: Object) -> bool:
    """Whether the caller will hand reasoning back in a form that only its provider can read."""
    return ENCRYPTED in array_of(body.get("include"))


def functions_of(body: Object) -> list[Object]:
    """Give the functions among the tools; other types stay behind."""
    return [
        tool
        for tool in array_of(body.get("tools"))
        if isinstance(tool, Mapping) and tool.get("type") == "function"
    ]


def _toolkit(body: Object) -> dict[str, object]:
    tools, choice = functions_of(body), body.get("tool_choice")
    match choice:
        case {"type": "allowed_tools", "mode": str(mode), "tools": list(named)}:
            names = {object_of(tool).get("name") for tool in named}
            tools, choice = [tool for tool in tools if tool.get("name") in names], mode
        case _:
            pass
    if not tools:
        return {}
    made: dict[str, object] = {"tools": tools}
    if choice is not None:
        made["tool_choice"] = choice
    if body.get("parallel_tool_calls") is not None:
        made["parallel_tool_calls"] = body["parallel_tool_calls"]
    return made


def _tools(declared: list[object]) -> tuple[Tool, ...] | Refusal:
    made: list[Tool] = []
    for place, tool in enumerate(declared):
        param = f"tools[{place}]"
        if not isinstance(tool, Mapping):
            return invalid(param, f"{param} must be an object, not {described(tool)}")
        kind = tool.get("type")
        if not isinstance(kind, str):
            return invalid(f"{param}.type", f"{param}.type must be a string, such as function")
        if kind != "function":
            continue
        read = read_function(tool, param=param, outer=tool, name_chars_max=NAME_CHARS_MAX)
        if isinstance(read, Refusal):
            return read
        made.append(read)
    return tuple(made)


def _choice(value: object, tools: tuple[Tool, ...]) -> ToolChoice | Refusal:
    match value:
        case None:
            return ToolChoice.AUTO
        case "auto" | "none":
            return ToolChoice(value)
        case "required":
            found, wanted = ToolChoice.REQUIRED, None
        case {"type": "function", "name": str(name)}:
            found, wanted = ToolChoice.NAMED, name
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list()}:
            found, wanted = ToolChoice(mode), None
        case {"type": str(kind)} if kind not in {"function", "allowed_tools"}:
            message = f"no model can be made to use a tool of type {kind[:40]!r}; name a function"
            return unsupported("tool_choice", message)
        case _:
            message = "tool_choice must be none, auto, required or a function by name"
            return invalid("tool_choice", f"{message}, not {described(value)}")
    return check_choice(found, wanted, tools)


def _form(declared: Object) -> Form | Refusal:
    kind = declared.get("type")
    match kind:
        case "text" | "json_object":
            return Form(str(kind))
        case "json_schema":
            return read_schema(declared, param="text.format")
        case None if not declared:
            return Form("text")
        case _:
            message = "text.format.type must be text, json_object or json_schema"
            return invalid("text.format.type", f"{message}, not {described(kind)}")
