"""What does a body of `POST /v1/chat/completions` ask, and what of it goes to the provider?

`read_request` gives a `Request`, or says which field is wrong. `upstream_body` is made from
the fields that the provider takes; everything else stays here. What becomes of each field
stands in `chat_fields`. `parallel_tool_calls: true` is what SDKs send by default: a permission,
never a demand for models that can, and not sent, since OpenRouter would take it for one.
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
from astrolabe_http.wire.chat_fields import CHAT_FIELDS
from astrolabe_http.wire.chat_messages import corrective_messages, shape_messages
from astrolabe_http.wire.chat_turns import read_messages
from astrolabe_http.wire.fields import (
    Object,
    array_of,
    described,
    invalid,
    object_of,
    unsupported,
)
from astrolabe_http.wire.intake import (
    Form,
    Intake,
    cache_options,
    check_choice,
    is_reasoning,
    output_cap,
    read_function,
    read_schema,
    refused,
    take_in,
    wants_one_call,
    without_nulls,
)
from astrolabe_http.wire.rulings import carry, checks_of, refusals_of
from astrolabe_http.wire.sealing import reader_of_messages

NAME_CHARS_MAX: Final = 64

CHECKS: Final = checks_of(CHAT_FIELDS)
UNSUPPORTED: Final = refusals_of(CHAT_FIELDS)


def read_request(
    body: Object,
    *,
    id: RequestId,  # noqa: A002
    at: Instant,
    stack_header: str | None,
) -> Request | Malformed:
    """Read a body, in whatever of its many forms."""
    taken = take_in(body, rulings=CHAT_FIELDS, stack_header=stack_header)
    if isinstance(taken, Refusal):
        return refused(taken, id, at)
    read = _read(taken, id, at)
    return refused(read, id, at) if isinstance(read, Refusal) else read


def _read(taken: Intake, request_id: RequestId, at: Instant) -> Request | Refusal:
    body = taken.body
    if isinstance(turns := read_messages(body.get("messages")), Refusal):
        return turns
    if isinstance(reader := reader_of_messages(body.get("messages")), Refusal):
        return reader
    if isinstance(tools := _tools(array_of(body.get("tools"))), Refusal):
        return tools
    if isinstance(choice := _choice(body.get("tool_choice"), tools), Refusal):
        return choice
    if isinstance(form := _form(object_of(body.get("response_format"))), Refusal):
        return form
    reasoning = object_of(body.get("reasoning"))
    wrong = _contradiction(body, reasoning)
    if wrong is not None:
        return wrong
    count = body.get("n")
    return Request(
        id=request_id,
        received_at=at,
        surface=Surface.CHAT,
        model=taken.model,
        turns=turns,
        tools=_allowed(tools, body.get("tool_choice")),
        tool_choice=choice,
        output_format=OutputFormat(form.kind),
        schema=form.schema,
        output_tokens_max=output_cap(body.get("max_tokens"), body.get("max_completion_tokens")),
        choices=count if isinstance(count, int) else 1,
        stream=body.get("stream") is True,
        reasoning=is_reasoning(reasoning, body.get("reasoning_effort")),
        overrides=taken.overrides,
        pinned_provider=reader,
        body=body,
    )


def _contradiction(body: Object, reasoning: Object) -> Refusal | None:
    """Refuse two fields of which each would have something else."""
    short, long = body.get("reasoning_effort"), reasoning.get("effort")
    if short is not None and long is not None and short != long:
        message = f"reasoning_effort says {short} and reasoning.effort {long}: say it once"
        return invalid("reasoning_effort", message)
    if body.get("top_logprobs") and body.get("logprobs") is not True:
        return invalid("top_logprobs", "top_logprobs takes logprobs: true beside it")
    return None


def upstream_body(command: CallModel, provider_rules: Object) -> dict[str, object]:
    """Write what is sent to the provider."""
    request, body = command.request, command.request.body
    made: dict[str, object] = {
        "model": command.model.id,
        "messages": [
            *shape_messages(array_of(body.get("messages"))),
            *corrective_messages(command.correction),
        ],
        "max_tokens": command.output_tokens_max,
        "usage": {"include": True},
    }
    made |= carry(body, CHAT_FIELDS)
    if body.get("metadata"):
        made["metadata"] = body["metadata"]
    if request.choices != 1:
        made["n"] = request.choices
    named = body.get("safety_identifier")
    if named is not None and "user" not in made:
        made["user"] = named
    form = _shaped_form(object_of(body.get("response_format")))
    if form is not None:
        made["response_format"] = form
    made |= cache_options(body) | _toolkit(body)
    if request.stream:
        made["stream"] = True
        made["stream_options"] = {"include_usage": True}
    if provider_rules:
        made["provider"] = dict(provider_rules)
    return made


def wants_usage(request: Request) -> bool:
    """Whether a stream's caller asked for the usage chunk."""
    return object_of(request.body.get("stream_options")).get("include_usage") is True


# --- tools --------------------------------------------------------------------------------


def _toolkit(body: Object) -> dict[str, object]:
    """Give the functions, and how to choose among them; other types of tool stay behind."""
    choice = body.get("tool_choice")
    names = _allowed_names(choice)
    tools = [
        _shaped_tool(object_of(tool))
        for tool in array_of(body.get("tools"))
        if _is_function(tool) and (names is None or _name_of(tool) in names)
    ]
    if not tools:
        return {}
    made: dict[str, object] = {"tools": tools}
    match choice:
        case None:
            pass
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode}}:
            made["tool_choice"] = mode
        case {"type": "function", "function": {"name": name}}:
            made["tool_choice"] = {"type": "function", "function": {"name": name}}
        case _:
            made["tool_choice"] = choice
    if wants_one_call(body):
        made["parallel_tool_calls"] = False
    return made


def _shaped_tool(tool: Object) -> dict[str, object]:
    function = without_nulls(object_of(tool.get("function")))
    made: dict[str, object] = {"type": "function", "function": function}
    if tool.get("cache_control") is not None:
        made["cache_control"] = tool["cache_control"]
    return made


def _is_function(tool: object) -> bool:
    return isinstance(tool, Mapping) and tool.get("type", "function") == "function"


def _name_of(tool: object) -> object:
    return object_of(object_of(tool).get("function")).get("name")


def _allowed_names(choice: object) -> list[object] | None:
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(named)}}:
            # Some name them as Responses does, without a function around the name.
            return [_name_of(tool) or object_of(tool).get("name") for tool in named]
        case _:
            return None


def _allowed(tools: tuple[Tool, ...], choice: object) -> tuple[Tool, ...]:
    names = _allowed_names(choice)
    return tools if names is None else tuple(tool for tool in tools if tool.name in names)


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
    return check_choice(found, wanted, _allowed(tools, value))


# --- the form of the answer ---------------------------------------------------------------


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


def _shaped_form(declared: Object) -> dict[str, object] | None:
    """Give what is said of the answer's form; text is the form of whoever says nothing."""
    match declared.get("type"):
        case "json_object":
            return {"type": "json_object"}
        case "json_schema":
            schema = without_nulls(object_of(declared.get("json_schema")))
            return {"type": "json_schema", "json_schema": schema}
        case _:
            return None
