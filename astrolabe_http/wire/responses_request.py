"""What does a body of `POST /v1/responses` ask, and what of it goes to the provider?

`read_request` gives a `Request`, or says which field is wrong. What becomes of each field stands
in `responses_fields`. What `previous_response_id` names is found elsewhere, and comes here as part
of the input. `parallel_tool_calls: true` is what SDKs send by default: a permission, never a
demand, and not sent, since OpenRouter would take it for one.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.messages import CallModel
from astrolabe_core.requests import (
    Continuation,
    Malformed,
    OutputFormat,
    Request,
    Surface,
    Tool,
    ToolChoice,
)
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.wire.fields import (
    Object,
    array_of,
    described,
    invalid,
    is_whole,
    object_of,
    text_of,
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
from astrolabe_http.wire.responses_fields import (
    INCLUDED,
    LOGPROBS,
    PREVIOUS,
    RESPONSES_FIELDS,
    RESPONSES_REASONING,
)
from astrolabe_http.wire.responses_input import shape_input
from astrolabe_http.wire.responses_turns import read_input
from astrolabe_http.wire.rulings import Fate, carry, checks_of, refusals_of
from astrolabe_http.wire.sealing import reader_of_input

NAME_CHARS_MAX: Final = 128

CHECKS: Final = checks_of(RESPONSES_FIELDS)
UNSUPPORTED: Final = refusals_of(RESPONSES_FIELDS)
REASONING_CHECKS: Final = checks_of(RESPONSES_REASONING)
_NO_PARAMETERS: Final[Object] = {"type": "object", "properties": {}}
"""What a function takes that declares nothing; OpenRouter wants it said."""


def read_request(
    body: Object,
    *,
    id: RequestId,  # noqa: A002
    at: Instant,
    stack_header: str | None,
) -> Request | Malformed:
    """Read a body, in whatever of its many forms."""
    taken = take_in(body, rulings=RESPONSES_FIELDS, stack_header=stack_header)
    if isinstance(taken, Refusal):
        return refused(taken, id, at)
    read = _read(taken, id, at)
    return refused(read, id, at) if isinstance(read, Refusal) else read


def _read(taken: Intake, request_id: RequestId, at: Instant) -> Request | Refusal:
    body = taken.body
    text, reasoning = object_of(body.get("text")), object_of(body.get("reasoning"))
    if isinstance(turns := read_input(body.get("instructions"), body.get("input")), Refusal):
        return turns
    if isinstance(reader := reader_of_input(body.get("input")), Refusal):
        return reader
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
        tools=_allowed(tools, body.get("tool_choice")),
        tool_choice=choice,
        output_format=OutputFormat(form.kind),
        schema=form.schema,
        output_tokens_max=output_cap(body.get("max_output_tokens")),
        stream=body.get("stream") is True,
        reasoning=is_reasoning(reasoning, None),
        overrides=taken.overrides,
        continues=_continuation(body),
        storable=body.get("store") is not False,
        pinned_provider=reader,
        body=body,
    )


def _continuation(body: Object) -> Continuation | None:
    named = text_of(body.get(PREVIOUS))
    return Continuation(id=named, param=PREVIOUS) if named else None


def upstream_body(command: CallModel, provider_rules: Object) -> dict[str, object]:
    """Write what is sent to the provider."""
    request, body = command.request, command.request.body
    made: dict[str, object] = {
        "model": command.model.id,
        "input": shape_input(body.get("input"), command.correction),
        "max_output_tokens": command.output_tokens_max,
        "store": False,
        **carry(body, RESPONSES_FIELDS),
    }
    if body.get("metadata"):
        made["metadata"] = body["metadata"]
    if text := _shaped_text(object_of(body.get("text"))):
        made["text"] = text
    if reasoning := _shaped_reasoning(object_of(body.get("reasoning"))):
        made["reasoning"] = reasoning
    made |= _shaped_include(body) | cache_options(body) | _toolkit(body)
    if request.stream:
        made["stream"] = True
    if provider_rules:
        made["provider"] = dict(provider_rules)
    return made


def _shaped_include(body: Object) -> dict[str, object]:
    """Say what to add to the answer, in the words that OpenRouter knows."""
    wanted = array_of(body.get("include"))
    known = [
        word
        for word in wanted
        if isinstance(word, str) and word in INCLUDED and INCLUDED[word].fate is Fate.CARRIED
    ]
    made: dict[str, object] = {"include": known} if known else {}
    if LOGPROBS in wanted:
        # The number is the only way to ask OpenRouter for log probabilities at all.
        many = body.get("top_logprobs")
        made["top_logprobs"] = many if is_whole(many) and many else 1
    return made


def _shaped_reasoning(said: Object) -> dict[str, object]:
    made = carry(said, RESPONSES_REASONING)
    if said.get("generate_summary") is not None:
        made.setdefault("summary", said["generate_summary"])
    return made


def _shaped_text(said: Object) -> dict[str, object]:
    """Give what is said of the answer's text; plain is the form of whoever says nothing."""
    made: dict[str, object] = {}
    form = object_of(said.get("format"))
    match form.get("type"):
        case "json_object":
            made["format"] = {"type": "json_object"}
        case "json_schema":
            made["format"] = {"schema": {}, **without_nulls(form)}
        case _:
            pass
    if said.get("verbosity") is not None:
        made["verbosity"] = said["verbosity"]
    return made


# --- tools --------------------------------------------------------------------------------


def functions_of(body: Object) -> list[Object]:
    """Give the functions among the tools; other types stay behind."""
    return [
        tool
        for tool in array_of(body.get("tools"))
        if isinstance(tool, Mapping) and tool.get("type") == "function"
    ]


def _toolkit(body: Object) -> dict[str, object]:
    choice = body.get("tool_choice")
    names = _allowed_names(choice)
    tools = [
        _shaped_tool(tool)
        for tool in functions_of(body)
        if names is None or tool.get("name") in names
    ]
    if not tools:
        return {}
    made: dict[str, object] = {"tools": tools}
    match choice:
        case None:
            pass
        case {"type": "allowed_tools", "mode": mode}:
            made["tool_choice"] = mode
        case {"type": "function", "name": name}:
            made["tool_choice"] = {"type": "function", "name": name}
        case _:
            made["tool_choice"] = choice
    if wants_one_call(body):
        made["parallel_tool_calls"] = False
    return made


def _shaped_tool(tool: Object) -> dict[str, object]:
    kept = {name: tool[name] for name in ("description", "strict") if tool.get(name) is not None}
    parameters = tool.get("parameters")
    return {
        "type": "function",
        "name": tool.get("name"),
        "parameters": _NO_PARAMETERS if parameters is None else parameters,
        **kept,
    }


def _allowed_names(choice: object) -> list[object] | None:
    match choice:
        case {"type": "allowed_tools", "tools": list(named)}:
            return [object_of(tool).get("name") for tool in named]
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
    return check_choice(found, wanted, _allowed(tools, value))


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
