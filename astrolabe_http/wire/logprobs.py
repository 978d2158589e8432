"""How are log probabilities told, in either format?

Providers leave keys out that typed clients require. Every token is told whole or not at all:
with its log probability, its bytes and its alternatives.
"""

from astrolabe_http.wire.fields import Object, array_of, is_number, object_of


def chat_logprobs(found: object) -> dict[str, object] | None:
    """Write the `logprobs` of a choice; null where there are none."""
    if not found:
        return None
    said = object_of(found)
    told = {key: _tokens(said.get(key)) for key in ("content", "refusal")}
    if not any(told.values()):
        return None
    return {key: tokens or None for key, tokens in told.items()}


def responses_logprobs(found: object) -> list[object]:
    """Write the `logprobs` of a part of text, or of a piece of one."""
    return list(_tokens(found)) if found else []


def _tokens(found: object) -> list[dict[str, object]]:
    return [
        {**told, "top_logprobs": [each for other in _others(token) if (each := _token(other))]}
        for token in map(object_of, array_of(found))
        if (told := _token(token))
    ]


def _others(token: Object) -> list[Object]:
    return [object_of(other) for other in array_of(token.get("top_logprobs"))]


def _token(said: Object) -> dict[str, object]:
    token, logprob, own = said.get("token"), said.get("logprob"), said.get("bytes")
    if not isinstance(token, str) or not is_number(logprob):
        return {}
    spelt = own if isinstance(own, list) else list(token.encode("utf-8", "replace"))
    return {"token": token, "logprob": logprob, "bytes": spelt}
