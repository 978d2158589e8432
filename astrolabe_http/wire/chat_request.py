"""What does a body of `POST /v1/chat/completions` ask, and what of it goes to the provider?

`read_request` gives a `Request`, or says which field is wrong. `upstream_body` is made from
the fields that the provider takes; everything else stays here. `parallel_tool_calls: true` is
what SDKs send by default: a permission, never a demand for models that can.
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
from astrolabe_http.wire.chat_turns import read_messages
from astrolabe_http.wire.fields import (
    BOOLEAN,
    EFFORT,
    OBJECT,
    POSITIVE,
    STOP,
    VERBOSITY,
    WHOLE,
    Check,
    Object,
    array_of,
    described,
    first_wrong,
    invalid,
    object_of,
    unsupported,
    whole_between,
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

NAME_CHARS_MAX: Final = 64

CHECKS: Final[Mapping[str, Check]] = {
    **COMMON_CHECKS,
    "max_tokens": POSITIVE,
    "max_completion_tokens": POSITIVE,
    "n": whole_between(1, 128),
    "seed": WHOLE,
    "logprobs": BOOLEAN,
    "logit_bias": OBJECT,
    "stop": STOP,
    "response_format": OBJECT,
    "reasoning_effort": EFFORT,
    "verbosity": VERBOSITY,
}
UNSUPPORTED: Final[Mapping[str, str]] = {
    **COMMON_UNSUPPORTED,
    "functions": "it is the old form of tools; send tools",
    "function_call": "it is the old form of tool_choice; send tool_choice",
    "audio": "no model here answers with audio; leave it out",
    "web_search_options": "no model here searches the web by itself; offer a tool of your own",
}
_FORWARDED: Final = (
    "temperature",
    "top_p",
    "top_k",
    "top_a",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "reasoning",
    "reasoning_effort",
    "verbosity",
    "prediction",
    "user",
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
    if isinstance(turns := read_messages(body.get("messages")), Refusal):
        return turns
    if isinstance(tools := _tools(array_of(body.get("tools"))), Refusal):
        return tools
    if isinstance(choice := _choice(body.get("tool_choice"), tools), Refusal):
        return choice
    if isinstance(form := _form(object_of(body.get("response_format"))), Refusal):
        return form
    reasoning = object_of(body.get("reasoning"))
    wrong = first_wrong(reasoning, {"effort": EFFORT}, "reasoning.") or _modalities(body)
    if wrong is not None:
        return wrong
    count = body.get("n")
    return Request(
        id=request_id,
        received_at=at,
        surface=Surface.CHAT,
        model=taken.model,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        output_format=OutputFormat(form.kind),
        schema=form.schema,
        output_tokens_max=output_cap(body.get("max_tokens"), body.get("max_completion_tokens")),
        choices=count if isinstance(count, int) else 1,
        stream=body.get("stream") is True,
        reasoning=is_reasoning(reasoning, body.get("reasoning_effort")),
        overrides=taken.overrides,
        body=body,
    )


def upstream_body(command: CallModel, provider_rules: Object) -> dict[str, object]:
    """Write what is sent to the provider."""
    request, body = command.request, command.request.body
    made: dict[str, object] = {
        "model": command.model.id,
        "messages": [_message(message) for message in array_of(body.get("messages"))],
        "max_tokens": command.output_tokens_max,
        "usage": {"include": True},
    }
    for name in _FORWARDED:
        if body.get(name) is not None:
            made[name] = body[name]
    if request.choices != 1:
        made["n"] = request.choices
    made |= _toolkit(body)
    if request.stream:
        made["stream"] = True
        made["stream_options"] = {"include_usage": True}
    if provider_rules:
        made["provider"] = dict(provider_rules)
    return made


def wants_usage(request: Request) -> bool:
    """Whether a stream's caller asked for the usage chunk."""
    return object_of(request.body.get("stream_options")).get("include_usage") is True


def _message(message: object) -> object:
    if not isinstance(message, Mapping) or message.get("content", "") is not None:
        return message
    # Null is normal beside tool calls; from anybody else the provider wants a string.
    calls = message.get("role") == "assistant" and message.get("tool_calls")
    return message if calls else {**message, "content": ""}


def _toolkit(body: Object) -> dict[str, object]:
    """Give the functions, and how to choose among them; other types of tool stay behind."""
    tools = [tool for tool in array_of(body.get("tools")) if _is_function(tool)]
    choice = body.get("tool_choice")
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": list(named)}}:
            names = {_name_of(tool) for tool in named}
            tools, choice = [tool for tool in tools if _name_of(tool) in names], mode
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


def _is_function(tool: object) -> bool:
    return isinstance(tool, Mapping) and tool.get("type", "function") == "function"


def _name_of(tool: object) -> object:
    return object_of(object_of(tool).get("function")).get("name")


def _tools(declared: list[object]) -> tuple[Tool, ...] | Refusal:
    made: list[Tool] = []
    for place, tool in enumerate(declared):
        param = f"tools[{place}]"
        if not isinstance(tool, Mapping):
            return invalid(param, f"{param} must be an object, not {described(tool)}")
        if not _is_function(tool):
            continue
        function = tool.get("function")
        if not isinstance(function, Mapping):
            where = f"{param}.function"
            return invalid(where, f"{where} must be an object, not {described(function)}")
        read = read_function(
            function, param=f"{param}.function", outer=tool, name_chars_max=NAME_CHARS_MAX
        )
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
        case {"type": "function", "function": {"name": str(name)}}:
            found, wanted = ToolChoice.NAMED, name
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list()},
        }:
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
            inner = declared.get("json_schema")
            if not isinstance(inner, Mapping):
                where = "response_format.json_schema"
                return invalid(where, f"{where} must be an object, not {described(inner)}")
            return read_schema(inner, param="response_format.json_schema")
        case None if not declared:
            return Form("text")
        case _:
            message = "response_format.type must be text, json_object or json_schema"
            return invalid("response_format.type", f"{message}, not {described(kind)}")


def _modalities(body: Object) -> Refusal | None:
    wanted = body.get("modalities")
    if wanted in (None, [], ["text"]):
        return None
    return unsupported("modalities", 'models here answer with text; leave it out or send ["text"]')
