"""Which module speaks which of the two wire formats?

`DIALECTS` is the one place where a surface becomes code: everything above is written once for
both. A dialect is a module of `wire`; the protocols say what each of them gives.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from astrolabe_core.answers import Answer, Fault, Receipt
from astrolabe_core.codes import Refusal
from astrolabe_core.messages import CallModel, Served
from astrolabe_core.requests import Malformed, Request, Surface
from astrolabe_core.units import Instant, ModelId, RequestId
from astrolabe_http.wire import chat, responses


class Reader(Protocol):
    """Takes the events of a provider's stream, one by one."""

    def feed(self, event: dict[str, object]) -> Fault | None:
        """Take an event; a fault where the provider says that it failed."""
        ...

    @property
    def content(self) -> bool:
        """Whether anything of the answer itself has come."""
        ...

    @property
    def receipt(self) -> Receipt:
        """What is known of usage and cost so far."""
        ...

    def answer(self) -> Answer | Fault:
        """Reduce the stream once it has ended."""
        ...


class Writer(Protocol):
    """Makes a caller's stream of a provider's."""

    def feed(self, event: dict[str, object]) -> bytes:
        """Give the frames that an event becomes."""
        ...

    def finish(self, served: Served) -> bytes:
        """Give the frames that end a stream as it should."""
        ...

    def fail(self, refusal: Refusal) -> bytes:
        """Give the frames that say that the stream is broken."""
        ...


class ReaderType(Protocol):
    """Makes a reader."""

    def __call__(self) -> Reader:
        """Begin a stream."""
        ...


class WriterType(Protocol):
    """Makes a writer."""

    def __call__(self, request: Request, model: ModelId, id: RequestId) -> Writer:  # noqa: A002
        """Begin a stream of this model's answer."""
        ...


class Dialect(Protocol):
    """One wire format, both ways; pure."""

    @property
    def StreamReader(self) -> ReaderType:  # noqa: N802 - a class of the module
        """Reads a provider's stream."""
        ...

    @property
    def StreamWriter(self) -> WriterType:  # noqa: N802 - a class of the module
        """Writes a caller's stream."""
        ...

    def read_request(
        self,
        body: dict[str, object],
        *,
        id: RequestId,  # noqa: A002
        at: Instant,
        stack_header: str | None,
    ) -> Request | Malformed:
        """Read a caller's body."""
        ...

    def upstream_body(
        self, command: CallModel, provider_rules: dict[str, object]
    ) -> dict[str, object]:
        """Write the body that a provider gets."""
        ...

    def read_answer(self, payload: dict[str, object]) -> Answer | Fault:
        """Read a provider's whole answer."""
        ...

    def answer_body(self, served: Served) -> dict[str, object]:
        """Write a caller's whole answer."""
        ...


DIALECTS: Final[Mapping[Surface, Dialect]] = {
    Surface.CHAT: chat,
    Surface.RESPONSES: responses,
}
