"""What does a request ask that its upstream has no words for?

`untranslatable` refuses by name what would change the answer's meaning and can be said neither in
the upstream's format nor in its dialect, before any money moves. What may be left out because the
answer stays the same is in `options.PASSED_OVER` and `plain.UNSENT`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Request, Surface
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of, unsupported
from astrolabe_http.wire.parts import AUDIOS, FILES, TEXTS, VIDEOS
from astrolabe_http.wire.translation.conversation import ITEM_TYPES

NOT_IN_RESPONSES: Final[Mapping[str, tuple[object, ...]]] = {
    "n": (1,),
    "stop": ([], ""),
    "seed": (),
    "logit_bias": ({},),
    "prediction": (),
    "min_p": (0,),
    "top_a": (0,),
    "repetition_penalty": (1,),
}
"""Chat's fields that Responses has no form for, each with the values that ask for nothing."""

NOT_IN_CHAT_REASONING: Final[Mapping[str, tuple[object, ...]]] = {
    "context": ("auto",),
    "mode": ("standard",),
}
"""Fields of a Responses body's `reasoning` that Chat has no form for, likewise."""

_RULERS: Final = frozenset({"system", "developer"})
_ONLY_CHAT: Final = "this upstream has only /chat/completions"
_ONLY_RESPONSES: Final = "this upstream has only /responses"
_PLAIN: Final = "this upstream is a plain OpenAI-compatible server"


def unsaid_in_responses(request: Request) -> Refusal | None:
    """Refuse what a Chat request asks that Responses cannot say."""
    body = request.body
    for name, neutral in NOT_IN_RESPONSES.items():
        value = body.get(name)
        if value is not None and value not in neutral:
            return unsupported(name, f"{name} has no form there, and {_ONLY_RESPONSES}")
    for place, message in enumerate(map(object_of, array_of(body.get("messages")))):
        where = f"messages[{place}]"
        if message.get("audio") is not None:
            said = "an answer in audio has no form there"
            return unsupported(f"{where}.audio", f"{said}, and {_ONLY_RESPONSES}")
        if message.get("role") != "tool":
            continue
        for number, part in enumerate(map(object_of, array_of(message.get("content")))):
            if part.get("type") in AUDIOS | VIDEOS:
                at = f"{where}.content[{number}].type"
                said = "the output of a tool is text, images or files there"
                return unsupported(at, f"{said}, and {_ONLY_RESPONSES}")
    return None


def unsaid_in_chat(request: Request) -> Refusal | None:
    """Refuse what a Responses request asks that Chat cannot say."""
    for place, item in enumerate(map(object_of, array_of(request.body.get("input")))):
        kind = item.get("type") or "message"
        if kind not in ITEM_TYPES:
            where, said = f"input[{place}].type", f"an item of type {str(kind)[:40]!r}"
            return unsupported(where, f"{said} has no form in Chat, and {_ONLY_CHAT}")
    reasoning = object_of(request.body.get("reasoning"))
    for name, neutral in NOT_IN_CHAT_REASONING.items():
        value = reasoning.get(name)
        if value is not None and value not in neutral:
            where = f"reasoning.{name}"
            return unsupported(where, f"{where} has no form in Chat, and {_ONLY_CHAT}")
    for where, role, part in _parts(request):
        if role in _RULERS and text_of(part.get("type")) not in TEXTS:
            said = f"what the {role} says is text in Chat"
            return unsupported(f"{where}.type", f"{said}, and {_ONLY_CHAT}")
    return None


def unsaid_plainly(request: Request, *, path: Surface) -> Refusal | None:
    """Refuse what only OpenRouter understands."""
    body = request.body
    if body.get("top_a"):
        return unsupported("top_a", f"top_a is OpenRouter's own, and {_PLAIN}")
    if object_of(body.get("reasoning")).get("max_tokens"):
        message = f"a budget for reasoning is OpenRouter's own, and {_PLAIN}; send an effort"
        return unsupported("reasoning.max_tokens", message)
    if request.surface is Surface.RESPONSES and path is Surface.CHAT:
        for where, _, part in _parts(request):
            if part.get("type") in FILES and part.get("file_url") is not None:
                message = f"a file by URL has no form in OpenAI's Chat, and {_PLAIN}"
                return unsupported(f"{where}.file_url", f"{message}; send file_data")
    return None


def _parts(request: Request) -> Iterator[tuple[str, object, Object]]:
    """Give every part of a Responses input: where it stands, who says it, and the part."""
    for place, item in enumerate(map(object_of, array_of(request.body.get("input")))):
        for key in ("content", "output"):
            for number, part in enumerate(array_of(item.get(key))):
                at = f"input[{place}].{key}[{number}]"
                yield (
                    at,
                    item.get("role"),
                    {"type": "text"} if isinstance(part, str) else object_of(part),
                )
