"""What may a plain OpenAI-compatible server be sent?

llama-server, vLLM, Ollama and their like know OpenAI's own fields, and none of OpenRouter's. What
is of OpenRouter alone is said in OpenAI's words where those exist, and else left out where the
answer stays the same; where it would not, `refusals` has refused it by name before.

`top_k`, `min_p` and `repetition_penalty` are not OpenAI's either, yet vLLM and llama-server
document them, and a server that does not know them says so: they are sent.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, object_of
from astrolabe_http.wire.translation.parts import simplest
from astrolabe_http.wire.translation.thoughts import details_of, words_of

UNSENT: Final[Mapping[str, str]] = {
    "provider": "it chooses among OpenRouter's hosts, and here is one",
    "usage": "stream_options asks for usage in a stream; a whole answer has it",
    "cache_control": "these servers cache prefixes by themselves; it changes no answer",
    "prompt_cache_options": "as cache_control",
    "session_id": "it keeps a conversation with one of OpenRouter's hosts",
    "metadata": "it stays with the gateway, which tells it back; OpenAI takes it in Chat only "
    "beside store",
}
"""Fields that change no answer and that such a server may refuse; why each is left out."""

_UNSENT_RESPONSES: Final = UNSENT.keys() - {"metadata"}
_CACHE_MARKS: Final = frozenset({"cache_control", "prompt_cache_breakpoint"})
_OPENROUTERS: Final = frozenset({"reasoning", "reasoning_details"})


def plain_chat_request(body: Object, asked: Object) -> dict[str, object]:
    """Write a Chat body for a plain server; `asked` is the caller's own."""
    made = {name: value for name, value in body.items() if name not in UNSENT}
    reasoning = object_of(made.pop("reasoning", None))
    effort = effort_of(reasoning)
    if effort is not None:
        made.setdefault("reasoning_effort", effort)
    if asked.get("max_completion_tokens") is not None and "max_tokens" in made:
        # Under the caller's own name: OpenAI's reasoning models refuse the older one.
        made["max_completion_tokens"] = made.pop("max_tokens")
    made["messages"] = _messages(array_of(body.get("messages")))
    if "tools" in made:
        made["tools"] = [_unmarked(tool) for tool in array_of(made["tools"])]
    return made


def plain_responses_request(body: Object) -> dict[str, object]:
    """Write a Responses body for a plain server."""
    made = {name: value for name, value in body.items() if name not in _UNSENT_RESPONSES}
    reasoning = object_of(made.pop("reasoning", None))
    kept = {key: reasoning[key] for key in ("effort", "summary") if reasoning.get(key) is not None}
    effort = effort_of(reasoning)
    if effort is not None:
        kept["effort"] = effort
    if kept:
        made["reasoning"] = kept
    return made


def effort_of(reasoning: Object) -> object:
    """Give how hard to think: the effort, or what OpenRouter takes `enabled` to mean."""
    if reasoning.get("effort") is not None:
        return reasoning["effort"]
    match reasoning.get("enabled"):
        case True:
            return "medium"
        case False:
            return "none"
        case _:
            return None


def _messages(messages: list[object]) -> list[object]:
    """Write the messages; what begins a conversation is one system message.

    Many chat templates know no developer, and take a system message in the first place only.
    """
    made = [_message(object_of(message)) for message in messages]
    opening = [*takewhile(lambda message: message.get("role") == "system", made)]
    if len(opening) < 2:
        return [*made]
    contents = [message.get("content") for message in opening]
    told = {**opening[0], "content": _joined(contents)}
    return [told, *made[len(opening) :]]


def _joined(contents: list[object]) -> object:
    """Put contents into one: a string, or parts where any has those."""
    texts = [content for content in contents if isinstance(content, str)]
    if len(texts) == len(contents):
        return "\n\n".join(texts)
    return [
        part
        for content in contents
        for part in (
            [{"type": "text", "text": content}] if isinstance(content, str) else array_of(content)
        )
    ]


def _message(message: Object) -> dict[str, object]:
    made = {key: value for key, value in message.items() if key not in _OPENROUTERS}
    if made.get("role") == "developer":
        made["role"] = "system"
    content = made.get("content")
    if isinstance(content, list):
        made["content"] = simplest([_unmarked(part) for part in content])
    thoughts = words_of(details_of(message))
    if thoughts:
        # vLLM and Ollama read the first, llama-server and DeepSeek the second; both let the
        # other be.
        made["reasoning"] = made["reasoning_content"] = thoughts
    return made


def _unmarked(part: object) -> dict[str, object]:
    return {key: value for key, value in object_of(part).items() if key not in _CACHE_MARKS}
