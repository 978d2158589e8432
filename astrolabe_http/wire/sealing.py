"""Whose is a piece of reasoning that only its provider can read?

Encrypted reasoning goes to the caller and comes back in a later request, at any gateway, which
has kept nothing. So in Responses it is tagged with who made it before it goes out, and the tag
comes off on the way in: the provider gets its own bytes. The tag also holds what typed clients
lose: the item's `id`, which OpenAI checks against the content, and OpenRouter's `format` and
`signature`. Chat hands all of these back in `reasoning_details`, so nothing is tagged there and
the format tells the provider.

A tag is no secret and is not signed: who forges one sends its content to fewer models, or to a
provider that cannot read it. What has no tag and no known format passes and pins nobody.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import orjson
from attrs import field, frozen

from astrolabe_core.codes import Refusal
from astrolabe_core.units import ProviderId
from astrolabe_http.wire.fields import Object, array_of, invalid, object_of, text_of

TAG: Final = "astrolabe1"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

FORMATS: Final[Mapping[str, ProviderId]] = {
    "openai-responses-v1": ProviderId("openai"),
    "azure-openai-responses-v1": ProviderId("openai"),
    "bedrock-openai-responses-v1": ProviderId("openai"),
    "xai-responses-v1": ProviderId("x-ai"),
    "bedrock-xai-responses-v1": ProviderId("x-ai"),
    "anthropic-claude-v1": ProviderId("anthropic"),
    "google-gemini-v1": ProviderId("google"),
}
"""OpenRouter's names for how reasoning is written down, and whose models can read it.

Source: OpenRouter's schema of August 2026, `ReasoningFormat`. Its `meta-responses-v1` is left out
until a model of that vendor is in a catalog and its prefix known.
"""

Found: TypeAlias = Iterable[tuple[str, ProviderId]]
"""Where reasoning stands that only one provider can read, and which."""


@frozen(kw_only=True)
class Seal:
    """A provider's reasoning as that provider wrote it, and who that is."""

    provider: ProviderId
    content: str = field(default="", repr=False)
    id: str = ""
    format: str = ""
    signature: str = field(default="", repr=False)


UNSEALED: Final = Seal(provider=ProviderId(""))
"""Of a provider that is not named: nobody else will see it."""


def learn(seal: Seal, said: Object) -> Seal:
    """Take over what a provider's item says; what it leaves out stays."""
    return Seal(
        provider=seal.provider,
        content=text_of(said.get("encrypted_content")) or seal.content,
        id=text_of(said.get("id")) or seal.id,
        format=text_of(said.get("format")) or seal.format,
        signature=text_of(said.get("signature")) or seal.signature,
    )


def write_seal(seal: Seal) -> str:
    """Tag reasoning with its provider."""
    marks = {"provider": seal.provider, "id": seal.id, "format": seal.format}
    head = {**marks, "signature": seal.signature}
    told = orjson.dumps({name: value for name, value in head.items() if value})
    return f"{TAG}.{base64.urlsafe_b64encode(told).decode().rstrip('=')}.{seal.content}"


def tell(seal: Seal) -> dict[str, object]:
    """Give the fields of a reasoning item: sealed for its provider, or all as they came."""
    if not seal.provider:
        own = {"encrypted_content": seal.content, "format": seal.format}
        return {key: value for key, value in {**own, "signature": seal.signature}.items() if value}
    # What anybody can read needs no seal.
    return {"encrypted_content": write_seal(seal)} if seal.content or seal.signature else {}


def read_seal(text: object) -> Seal | None:
    """Read a tag of ours; `None` for anything else."""
    tag, _, rest = text_of(text).partition(".")
    if tag != TAG:
        return None
    head, dot, content = rest.partition(".")
    try:
        told = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return None
    marks = object_of(told)
    provider = text_of(marks.get("provider"))
    if not dot or _NAME.fullmatch(provider) is None:
        return None
    return Seal(
        provider=ProviderId(provider),
        content=content,
        id=text_of(marks.get("id")),
        format=text_of(marks.get("format")),
        signature=text_of(marks.get("signature")),
    )


def unseal(item: object) -> object:
    """Give an input item as its provider wrote it; one without a tag as it is."""
    seal = read_seal(object_of(item).get("encrypted_content"))
    if seal is None:
        return item
    known = {key: value for key, value in object_of(item).items() if key != "encrypted_content"}
    own = {
        "id": seal.id,
        "encrypted_content": seal.content,
        "format": seal.format,
        "signature": seal.signature,
    }
    return {**known, **{key: value for key, value in own.items() if value}}


def sealed_bytes(item: Object) -> int:
    """Give the size of what only the provider can read in an item or a detail."""
    own = object_of(unseal(item))
    said = (text_of(own.get(key)) for key in ("encrypted_content", "signature", "data"))
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in said)


def reader_of_input(items: object) -> ProviderId | Refusal | None:
    """Find the provider that alone can read what the items of a Responses input hold."""
    return _only(_sealed_items(array_of(items)))


def reader_of_messages(messages: object) -> ProviderId | Refusal | None:
    """Find the provider that alone can read what the messages of a chat hold."""
    return _only(_sealed_details(array_of(messages)))


def _sealed_items(items: list[object]) -> Iterator[tuple[str, ProviderId]]:
    for place, item in enumerate(items):
        said = object_of(item)
        content = said.get("encrypted_content")
        if content is None and "format" not in said:
            continue
        seal = read_seal(content)
        provider = _by_format(said) if seal is None else seal.provider
        if provider is not None:
            yield f"input[{place}].encrypted_content", provider


def _sealed_details(messages: list[object]) -> Iterator[tuple[str, ProviderId]]:
    for place, message in enumerate(messages):
        for number, detail in enumerate(array_of(object_of(message).get("reasoning_details"))):
            provider = _by_format(object_of(detail))
            if provider is not None:
                yield f"messages[{place}].reasoning_details[{number}]", provider


def _by_format(said: Object) -> ProviderId | None:
    provider = FORMATS.get(text_of(said.get("format")))
    return provider if provider is not None and sealed_bytes(said) else None


def _only(found: Found) -> ProviderId | Refusal | None:
    only: ProviderId | None = None
    for param, provider in found:
        if only is not None and provider != only:
            message = (
                f"the conversation holds reasoning that only {only} can read, and here reasoning "
                f"that only {provider} can read; send that of one of them"
            )
            return invalid(param, message)
        only = provider
    return only
