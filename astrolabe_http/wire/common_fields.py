"""What becomes of the fields that both formats have?

Top-level fields of OpenAI's two APIs, of OpenRouter's, and of servers whose dialect clients send
by habit. What would have someone else than the routing stack decide is refused, and so is what
no provider behind OpenRouter's schema can be made to honour.
"""

from collections.abc import Callable, Mapping
from typing import Final

from astrolabe_http.wire.fields import (
    ARRAY,
    BOOLEAN,
    OBJECT,
    STRING,
    WHOLE,
    between,
    one_of,
    text_up_to,
    whole_between,
)
from astrolabe_http.wire.rulings import (
    Fate,
    Rulings,
    carried,
    dropped,
    read,
    refused,
    reshaped,
)

NAMES_CHARS_MAX: Final = 256
"""How long a name of a user or a session may be: OpenRouter takes no more."""
TOP_LOGPROBS: Final = whole_between(0, 20)


_BUILT_IN: Final = dropped("no provider's own tool may see the prompt; the model is not offered it")
_HOSTED: Final = dropped("the model is not offered it; offer a function that does the same")

TOOLS: Final[Rulings] = {
    "function": reshaped("name, description, parameters and strictness"),
    "custom": _HOSTED,
    "namespace": _HOSTED,
    "shell": _HOSTED,
    "local_shell": _HOSTED,
    "apply_patch": _HOSTED,
    "computer": _HOSTED,
    "computer_use_preview": _HOSTED,
    "tool_search": _HOSTED,
    "programmatic_tool_calling": _HOSTED,
    "mcp": _BUILT_IN,
    "web_search": _BUILT_IN,
    "web_search_2025_08_26": _BUILT_IN,
    "web_search_preview": _BUILT_IN,
    "web_search_preview_2025_03_11": _BUILT_IN,
    "file_search": _BUILT_IN,
    "code_interpreter": _BUILT_IN,
    "image_generation": _BUILT_IN,
}
"""Tools by type. Clients offer what they have by habit, so that what is not known is let go, too;
a `tool_choice` that demands any but a function is refused."""


def is_offered(tool: object) -> bool:
    """Whether the model is offered a tool; the other types stay here."""
    if not isinstance(tool, Mapping):
        return False
    kind = tool.get("type", "function")
    ruling = TOOLS.get(kind) if isinstance(kind, str) else None
    return ruling is not None and ruling.fate is Fate.RESHAPED


def offers_function(tools: object) -> bool:
    """Whether a list of tools holds one that the model is offered."""
    return isinstance(tools, list) and any(map(is_offered, tools))


def other_than(nothing: object) -> Callable[[object], bool]:
    """Whether a value is another than the one that says nothing. `true` is no 1."""
    return lambda value: value is not None and (value != nothing or isinstance(value, bool))


CACHE_OPTIONS: Final[Rulings] = {
    "mode": reshaped("`explicit` passes", one_of("implicit", "explicit")),
    "ttl": carried(STRING),
    "prewarm": refused("a request without an answer cannot be routed; leave it out"),
    "comparison_response_id": dropped("usage tells how much of a prompt was cached", STRING),
}
STREAM_OPTIONS: Final[Rulings] = {
    "include_usage": read("adds the usage chunk, in Chat", BOOLEAN),
    "include_obfuscation": dropped("nothing is obfuscated", BOOLEAN),
}
COMMON_FIELDS: Final[Rulings] = {
    "model": reshaped("the model that was chosen; the one that answered is told back"),
    "stream": reshaped("the provider streams where the caller wants a stream", BOOLEAN),
    "metadata": reshaped("`metadata.astrolabe` stays here, the rest passes", told_back=True),
    "tools": reshaped(
        "functions pass and demand `tools`; tools of other types stay here",
        ARRAY,
        demands=offers_function,
        told_back=True,
    ),
    "tool_choice": reshaped(
        "`allowed_tools` becomes the list of tools; a tool that is no function cannot be demanded",
        told_back=True,
    ),
    "parallel_tool_calls": reshaped(
        "`false` is sent, and held to: an answer has one call at most. `true` is the default",
        BOOLEAN,
        told_back=True,
    ),
    "temperature": carried(between(0, 2), told_back=True),
    "top_p": carried(between(0, 1), told_back=True),
    "presence_penalty": carried(between(-2, 2), asks=other_than(0), told_back=True),
    "frequency_penalty": carried(between(-2, 2), asks=other_than(0), told_back=True),
    "top_k": carried(WHOLE, "OpenRouter's"),
    "user": carried(text_up_to(NAMES_CHARS_MAX), told_back=True),
    "prompt_cache_key": carried(STRING, told_back=True),
    "prompt_cache_options": reshaped(
        "explicit breakpoints pass; implicit is what there is without it",
        OBJECT,
        inner=CACHE_OPTIONS,
    ),
    "prompt_cache_retention": dropped(
        "how long a provider may keep anything is for the stack's `retentionPolicy`", STRING
    ),
    "cache_control": carried(OBJECT, "OpenRouter's"),
    "session_id": carried(text_up_to(NAMES_CHARS_MAX), "OpenRouter's: keeps to one host"),
    "service_tier": dropped("there is one tier, `default`", STRING, told_back=True),
    "store": read("in Responses kept where the stack keeps conversations", BOOLEAN, told_back=True),
    "stream_options": read("only what it holds", OBJECT, inner=STREAM_OPTIONS),
    "moderation": refused("nothing is moderated on request; choose a stack with verification"),
    # What would have someone else decide.
    "models": refused("the routing stack names the fallbacks; send one model"),
    "provider": refused(
        "the routing stack decides who may serve; choose one with metadata.astrolabe.stack"
    ),
    "plugins": refused("nothing may take the prompt past the routing stack; leave it out"),
    "preset": refused("use a routing stack in its place: metadata.astrolabe.stack"),
    "transforms": refused("prompts are never shortened silently; leave it out"),
    "astrolabe": refused("send it as metadata.astrolabe"),
    # OpenRouter's, without effect on the words of an answer.
    "route": dropped("OpenRouter gave it up"),
    "debug": dropped("nothing of a provider's own reaches a caller"),
    "trace": dropped("a trace is kept here: `GET /v1/traces/{request_id}`"),
    "image_config": dropped("without images in answers it says nothing"),
    "stop_server_tools_when": dropped("no tool of the provider's is offered"),
    "include_reasoning": dropped("reasoning comes with the answer where there is any"),
    # Of other servers: each changes the answer, and none has a place in OpenRouter's schema.
    "system": refused("send a message of the role system"),
    "thinking": refused("send reasoning"),
    "chat_template_kwargs": refused("send reasoning"),
    "grammar": refused("send a JSON schema for the answer"),
    "json_schema": refused("send a JSON schema for the answer"),
    "structured_outputs": refused("send a JSON schema for the answer"),
    "guided_json": refused("send a JSON schema for the answer"),
    "guided_regex": refused("send a JSON schema for the answer"),
    "guided_choice": refused("send a JSON schema for the answer"),
    "guided_grammar": refused("send a JSON schema for the answer"),
    "best_of": refused("ask for one answer"),
    "suffix": refused("send what follows within the prompt"),
    "echo": refused("answers do not repeat the prompt"),
}
