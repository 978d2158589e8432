"""How do callers and providers write what the core calls requests and answers?

Pure: JSON objects in, JSON objects and frames out. `WIRES` gives the two formats under one set
of names, so that whoever serves a request need not know which one it came in.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from attrs import frozen

from astrolabe_core.answers import Answer, Fault, Receipt
from astrolabe_core.codes import Refusal
from astrolabe_core.messages import CallModel, Served
from astrolabe_core.requests import Malformed, Request, Surface
from astrolabe_core.units import Instant, ModelId, RequestId
from astrolabe_http.wire import chat, responses
from astrolabe_http.wire.fields import Object


class ReadRequest(Protocol):
    """Reads a caller's body."""

    def __call__(
        self,
        body: Object,
        *,
        id: RequestId,  # noqa: A002
        at: Instant,
        stack_header: str | None,
    ) -> Request | Malformed:
        """Give the request, or what is wrong with the body."""
        ...


class ReadAnswer(Protocol):
    """Reduces the body of a provider's 200."""

    def __call__(self, payload: Object, *, choices: int = 1) -> Answer | Fault:
        """Give the answer, of so many choices, or why it is none."""
        ...


class Reader(Protocol):
    """Folds a provider's stream into an answer."""

    @property
    def content(self) -> bool:
        """Whether any content was seen: text, reasoning, a refusal, a tool call."""
        ...

    @property
    def called(self) -> bool:
        """Whether a tool call was seen, or begun."""
        ...

    @property
    def over(self) -> bool:
        """Whether the provider has said all that it had to say, before the stream is ended."""
        ...

    @property
    def receipt(self) -> Receipt:
        """What the provider has said so far of usage and cost."""
        ...

    def feed(self, event: Object) -> Fault | None:
        """Take one event."""
        ...

    def answer(self) -> Answer | Fault:
        """Give the whole once the stream has ended; a stream that was cut short is a fault."""
        ...


class MakeReader(Protocol):
    """Makes a reader for the number of answers that were asked for."""

    def __call__(self, *, choices: int = 1) -> Reader:
        """Make the reader of one stream."""
        ...


class Writer(Protocol):
    """Turns a provider's stream into the caller's. `finish` and `fail` end it."""

    def feed(self, event: Object) -> bytes:
        """Give the frames of one event, all but the terminal ones."""
        ...

    def finish(self, served: Served) -> bytes:
        """Give the terminal frames of a stream that was served."""
        ...

    def fail(self, refusal: Refusal) -> bytes:
        """Give the frames that end a stream in an explicit error."""
        ...


@frozen(kw_only=True)
class Wire:
    """One wire format, in both directions."""

    read_request: ReadRequest
    upstream_body: Callable[[CallModel, Object], dict[str, object]]
    read_answer: ReadAnswer
    answer_body: Callable[[Served], dict[str, object]]
    held_events: Callable[[Answer], Sequence[Object]]
    StreamReader: MakeReader
    StreamWriter: Callable[[Request, ModelId, RequestId], Writer]


WIRES: Final[Mapping[Surface, Wire]] = {
    Surface.CHAT: Wire(
        read_request=chat.read_request,
        upstream_body=chat.upstream_body,
        read_answer=chat.read_answer,
        answer_body=chat.answer_body,
        held_events=chat.held_events,
        StreamReader=chat.StreamReader,
        StreamWriter=chat.StreamWriter,
    ),
    Surface.RESPONSES: Wire(
        read_request=responses.read_request,
        upstream_body=responses.upstream_body,
        read_answer=responses.read_answer,
        answer_body=responses.answer_body,
        held_events=responses.held_events,
        StreamReader=responses.StreamReader,
        StreamWriter=responses.StreamWriter,
    ),
}
