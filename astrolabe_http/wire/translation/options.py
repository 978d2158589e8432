"""How is everything of a request beside its conversation written in the other format?

`SAME` has one name and one meaning in both. The rest is renamed here: caps, reasoning, the form
of the answer, log probabilities, tools and how to choose among them. What is in neither table has
no other form: `refusals` refuses it by name, or `PASSED_OVER` says why it may be left out.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, object_of

SAME: Final = (
    "model",
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "parallel_tool_calls",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "cache_control",
    "metadata",
    "service_tier",
    "session_id",
    "provider",
)
PASSED_OVER: Final[Mapping[str, str]] = {
    "store": "nothing is kept upstream in either format",
    "truncation": "a permission to shorten the conversation; without it a request that is too long "
    "is refused",
    "max_tool_calls": "it counts calls of tools that run upstream, and there are none",
    "stream_options": "usage is always asked for",
    "usage": "usage is always asked for",
}
"""Fields that have no other form and can be left out, and why: the answer is the same."""

LOGPROBS: Final = "message.output_text.logprobs"
ENCRYPTED: Final = "reasoning.encrypted_content"
_REASONING: Final = ("effort", "summary", "enabled", "max_tokens")
"""The fields of `reasoning` that both have; the last two are OpenRouter's."""
_NO_PARAMETERS: Final[Mapping[str, object]] = {"type": "object", "properties": {}}


def chat_options(body: Object) -> dict[str, object]:
    """Write the options of a Responses body as Chat has them."""
    made = _same(body)
    cap, text = body.get("max_output_tokens"), object_of(body.get("text"))
    if cap is not None:
        made["max_tokens"] = cap
    reasoning = object_of(body.get("reasoning"))
    if kept := {key: reasoning[key] for key in _REASONING if reasoning.get(key) is not None}:
        made["reasoning"] = kept
    if text.get("verbosity") is not None:
        made["verbosity"] = text["verbosity"]
    form = object_of(text.get("format"))
    if form:
        made["response_format"] = _chat_form(form)
    if LOGPROBS in array_of(body.get("include")) or body.get("top_logprobs"):
        made["logprobs"] = True
    if made.get("logprobs") and body.get("top_logprobs") is not None:
        made["top_logprobs"] = body["top_logprobs"]
    tools, choice = _offered(body)
    if tools:
        made["tools"] = [_chat_tool(tool) for tool in tools]
        if choice is not None:
            made["tool_choice"] = _chat_choice(choice)
    return made


def responses_options(body: Object) -> dict[str, object]:
    """Write the options of a Chat body as Responses has them."""
    made = _same(body)
    caps = [body[key] for key in ("max_tokens", "max_completion_tokens") if body.get(key)]
    if caps:
        made["max_output_tokens"] = caps[0]
    wanted = object_of(body.get("reasoning"))
    reasoning = {key: wanted[key] for key in _REASONING if wanted.get(key) is not None}
    if body.get("reasoning_effort") is not None:
        reasoning.setdefault("effort", body["reasoning_effort"])
    if reasoning:
        made["reasoning"] = reasoning
    text: dict[str, object] = {}
    form = object_of(body.get("response_format"))
    if form:
        text["format"] = _responses_form(form)
    if body.get("verbosity") is not None:
        text["verbosity"] = body["verbosity"]
    if text:
        made["text"] = text
    include = []
    if reasoning and reasoning.get("effort") != "none":
        # Chat hands it out unasked, and whoever keeps no state needs it for the next turn.
        include.append(ENCRYPTED)
    if body.get("logprobs"):
        include.append(LOGPROBS)
        if body.get("top_logprobs") is not None:
            made["top_logprobs"] = body["top_logprobs"]
    if include:
        made["include"] = include
    tools = [_responses_tool(object_of(tool)) for tool in array_of(body.get("tools"))]
    if tools:
        made["tools"] = tools
        if body.get("tool_choice") is not None:
            made["tool_choice"] = _responses_choice(body["tool_choice"])
    return made


def _same(body: Object) -> dict[str, object]:
    return {name: body[name] for name in SAME if body.get(name) is not None}


# --- the form of the answer ------------------------------------------------------------------


def _chat_form(form: Object) -> dict[str, object]:
    if form.get("type") != "json_schema":
        return dict(form)
    inner = {key: value for key, value in form.items() if key != "type" and value is not None}
    return {"type": "json_schema", "json_schema": inner}


def _responses_form(form: Object) -> dict[str, object]:
    if form.get("type") != "json_schema":
        return dict(form)
    inner = {k: v for k, v in object_of(form.get("json_schema")).items() if v is not None}
    # Chat may leave the schema out, Responses may not.
    return {"type": "json_schema", "schema": {}, **inner}


# --- tools -----------------------------------------------------------------------------------


def _chat_tool(tool: Object) -> dict[str, object]:
    keys = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {k: tool[k] for k in keys if tool.get(k) is not None}}


def _responses_tool(tool: Object) -> dict[str, object]:
    function = object_of(tool.get("function"))
    made: dict[str, object] = {"type": "function", "name": function.get("name")}
    if function.get("description") is not None:
        made["description"] = function["description"]
    found = function.get("parameters")
    made["parameters"] = dict(_NO_PARAMETERS) if found is None else found
    # What is not said means no in Chat and yes in Responses.
    made["strict"] = function.get("strict") is True
    return made


def _offered(body: Object) -> tuple[list[Object], object]:
    """Give the tools, narrowed to those allowed: most Chat servers know no `allowed_tools`."""
    tools = [object_of(tool) for tool in array_of(body.get("tools"))]
    match body.get("tool_choice"):
        case {"type": "allowed_tools", "mode": str(mode), "tools": list(named)}:
            names = {object_of(tool).get("name") for tool in named}
            return [tool for tool in tools if tool.get("name") in names], mode
        case choice:
            return tools, choice


def _chat_choice(choice: object) -> object:
    match choice:
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case _:
            return choice


def _responses_choice(choice: object) -> object:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "function", "name": name}
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": list(named)}}:
            tools = [_named(object_of(tool)) for tool in named]
            return {"type": "allowed_tools", "mode": mode, "tools": tools}
        case _:
            return choice


def _named(tool: Object) -> dict[str, object]:
    return {"type": "function", "name": object_of(tool.get("function")).get("name")}
