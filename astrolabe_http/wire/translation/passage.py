"""By which format does a request travel to its upstream, and who turns it into that and back?

A caller's own format where the upstream has it, else the other one. `Passage` says the path and
holds what is done to the request, to a whole answer and to a stream; nothing at all where caller
and OpenRouter speak the same. Everything above and below it is the same for all of them.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from attrs import field, frozen

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Request, Surface
from astrolabe_http.wire.fields import Object, array_of
from astrolabe_http.wire.translation.answers import chat_answer, responses_answer
from astrolabe_http.wire.translation.chunks import ChatChunks
from astrolabe_http.wire.translation.events import ResponsesEvents
from astrolabe_http.wire.translation.options import LOGPROBS
from astrolabe_http.wire.translation.plain import plain_chat_request, plain_responses_request
from astrolabe_http.wire.translation.plain_answers import PlainChunks, plain_answer
from astrolabe_http.wire.translation.refusals import (
    unsaid_in_chat,
    unsaid_in_responses,
    unsaid_plainly,
)
from astrolabe_http.wire.translation.requests import chat_request, responses_request


class Translator(Protocol):
    """Turns the events of one stream."""

    def feed(self, event: Object) -> list[dict[str, object]]:
        """Give what one event is in the other form."""
        ...

    def end(self, *, done: bool = True) -> list[dict[str, object]]:
        """Give what the end of the stream says; `done` where the provider said that it is one."""
        ...


@frozen(kw_only=True)
class Upstream:
    """What an upstream understands: which formats, and whether none of OpenRouter's own fields.

    `names` are what it calls models, by their ids, where that is something else.
    """

    apis: frozenset[Surface] = frozenset(Surface)
    plain: bool = False
    names: Mapping[str, str] = field(factory=dict, hash=False)


OPENROUTER: Final = Upstream()


@frozen(kw_only=True)
class Passage:
    """The way of one request: the format it goes by, and what is done on the way."""

    spoken: Surface
    path: Surface
    plain: bool
    names: Mapping[str, str] = field(factory=dict, hash=False)

    def request(self, body: dict[str, object], asked: Object) -> dict[str, object]:
        """Give the body to send; `asked` is the caller's own."""
        if self.names:
            model = str(body.get("model"))
            body = {**body, "model": self.names.get(model, model)}
        if self.path is not self.spoken or self.plain:
            # What may be asked for beside the answer differs by upstream, and is judged here.
            body = {**body, **_included(asked)}
        if self.path is not self.spoken:
            body = (chat_request if self.path is Surface.CHAT else responses_request)(body)
        if not self.plain:
            return body if self.path is self.spoken else _for_openrouter(body)
        if self.path is Surface.CHAT:
            return plain_chat_request(body, asked)
        return plain_responses_request(body)

    def answer(self, payload: Object) -> Object:
        """Give a whole answer in the caller's format."""
        if self.plain and self.path is Surface.CHAT:
            payload = plain_answer(payload)
        if self.path is self.spoken:
            return payload
        return (responses_answer if self.path is Surface.CHAT else chat_answer)(payload)

    def stream(self) -> Translator | None:
        """Make what gives a stream in the caller's format, where anything is to be done."""
        steps: list[Translator] = []
        if self.plain and self.path is Surface.CHAT:
            steps.append(PlainChunks())
        if self.path is not self.spoken:
            steps.append(ResponsesEvents() if self.path is Surface.CHAT else ChatChunks())
        if len(steps) == 2:
            return _Chain(*steps)
        return steps[0] if steps else None


class _Chain:
    """Two translators, one after the other."""

    def __init__(self, first: Translator, second: Translator) -> None:
        self._first = first
        self._second = second

    def feed(self, event: Object) -> list[dict[str, object]]:
        """Give what one event is in the end."""
        return [told for each in self._first.feed(event) for told in self._second.feed(each)]

    def end(self, *, done: bool = True) -> list[dict[str, object]]:
        """Give what the end of the stream says in the end."""
        last = [told for each in self._first.end(done=done) for told in self._second.feed(each)]
        return last + self._second.end(done=done)


def passage_for(request: Request, upstream: Upstream) -> Passage:
    """Choose the way of a request."""
    return Passage(
        spoken=request.surface,
        path=_path(request, upstream),
        plain=upstream.plain,
        names=upstream.names,
    )


def untranslatable(request: Request, upstream: Upstream) -> Refusal | None:
    """Refuse by name what cannot be said to the upstream and would change the answer."""
    path, refusal = _path(request, upstream), None
    if path is not request.surface:
        find = unsaid_in_chat if path is Surface.CHAT else unsaid_in_responses
        refusal = find(request)
    if refusal is None and upstream.plain:
        refusal = unsaid_plainly(request, path=path)
    return refusal


def _path(request: Request, upstream: Upstream) -> Surface:
    """Name the caller's own format where the upstream has it, else the one that it has."""
    if request.surface in upstream.apis:
        return request.surface
    return next(iter(upstream.apis))


def _for_openrouter(body: dict[str, object]) -> dict[str, object]:
    """Ask for log probabilities by number: OpenRouter's Responses refuses the word for them."""
    words = array_of(body.get("include"))
    if LOGPROBS not in words:
        return body
    made = {"top_logprobs": 1, **body, "include": [word for word in words if word != LOGPROBS]}
    return {key: value for key, value in made.items() if value != []}


def _included(asked: Object) -> dict[str, object]:
    found = [each for each in array_of(asked.get("include")) if isinstance(each, str)]
    return {"include": found} if found else {}
