"""What does the body of an error say, in whichever of its many forms?

OpenAI's is `{"error": {"message", "type", "param", "code"}}`; OpenRouter has numbers for codes,
`metadata.error_type`, and what its host said in `metadata.raw`; plain servers and proxies leave
out what they like, or the envelope. `read` makes one record of all. In a stream that began with
200 the number in `error.code` takes the place of the status. Pure, never raises, and no word of a
provider's goes further than the rules in `failures`.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from attrs import field, frozen

from astrolabe_http.answer_bounds import read_json

Body: TypeAlias = Mapping[object, object]

NO_HEADERS: Final[Mapping[str, str]] = {}
NOTHING: Final[Body] = {}

_WORDS_MAX: Final = 4_000
"""How much is looked at of what a provider says in words."""
_RAW_MAX: Final = 64 * 1024


@frozen(kw_only=True)
class Recorded:
    """An answer as it was seen on the wire, or stands in the provider's documentation."""

    status: int | None
    body: object
    source: str
    headers: Mapping[str, str] = field(default=NO_HEADERS, hash=False)


@frozen(kw_only=True)
class Said:
    """What an answer says of itself, once its many forms are one.

    `types` are the words by which it names its kind of error, spelled as `plain` does, and `deep`
    those and the ones that a proxy hands on from the host behind it. `message` is all that is said
    in words, in lower case.
    """

    status: int | None = None
    types: frozenset[str] = frozenset()
    deep: frozenset[str] = frozenset()
    message: str = field(default="", repr=False)
    moderated: bool = False
    readable: bool = True


def plain(word: str) -> str:
    """Spell the name of an error in the one way that its many spellings have in common."""
    return "".join([char for char in word.lower() if char.isalnum()])


def read(status: int | None, body: object) -> Said:
    """Bring the forms of an error body into one."""
    error = error_in(body)
    if not error:
        return Said(status=status, readable=isinstance(body, Mapping))
    facts = _object(error.get("metadata"))
    inside = error_in(_parsed(facts.get("raw")))
    types = frozenset(_types(error, facts))
    # A proxy's status tells more than what is inside; a 200 tells nothing.
    inner = _number(error.get("code"))
    known = inner if status in {None, 200} and inner is not None else status
    return Said(
        status=None if known == 200 else known,
        types=types,
        deep=types | frozenset(_types(inside, NOTHING)),
        message=" ".join(_words(error, facts, inside))[:_WORDS_MAX].lower(),
        moderated=bool(facts.get("flagged_input") or facts.get("reasons")),
    )


def error_in(body: object) -> Body:
    """Give the object that says what is wrong, wherever it stands; empty where there is none."""
    if isinstance(body, list) and len(body) == 1:
        # Google's, behind its OpenAI form.
        body = body[0]
    if not isinstance(body, Mapping):
        return NOTHING
    error = body.get("error")
    if isinstance(error, Mapping):
        return error
    if isinstance(error, str):
        # Ollama, TGI, LM Studio, xAI: a text, with or without its type beside it.
        return {"message": error, "type": body.get("error_type"), "code": body.get("code")}
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        # Cloudflare's gateway.
        return errors[0]
    if "error" not in body and isinstance(body.get("message"), str):
        # vLLM before 0.10, SGLang, Bedrock, Azure's gateway: the body is the error.
        return body
    detail = body.get("detail")
    # FastAPI, and what is built on it.
    return {"message": detail} if isinstance(detail, str) else NOTHING


def _types(error: Body, facts: Body) -> Iterator[str]:
    named = (
        facts.get("error_type"),
        facts.get("provider_code"),
        error.get("error_type"),
        error.get("code"),
        error.get("type"),
        error.get("status"),
        error.get("__type"),
        _object(error.get("innererror")).get("code"),
    )
    for each in named:
        if isinstance(each, str) and each:
            yield plain(each[:_WORDS_MAX])


def _words(error: Body, facts: Body, inside: Body) -> Iterator[str]:
    for each in (error.get("message"), inside.get("message") or facts.get("raw")):
        if isinstance(each, str):
            yield each


def _parsed(raw: object) -> object:
    """Read what a proxy hands on of its host's body: its text, or an object around that."""
    if isinstance(raw, Mapping) and isinstance(raw.get("data"), str):
        raw = raw["data"]
    if not isinstance(raw, str):
        return raw
    return read_json(raw) if len(raw) <= _RAW_MAX else None


def _object(value: object) -> Body:
    return value if isinstance(value, Mapping) else NOTHING


def _number(code: object) -> int | None:
    if isinstance(code, bool):
        return None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    return code if isinstance(code, int) and 100 <= code <= 599 else None
