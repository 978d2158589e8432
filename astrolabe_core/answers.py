"""What did a provider give back: an answer, or a fault?

The upstream adapter reduces whatever arrived to one of these. `payload` is what arrived,
carried for the wire to re-shape and never read by the core.
"""

from enum import StrEnum

from attrs import field, frozen

from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.money import NanoUsd
from astrolabe_core.stacks import Trigger
from astrolabe_core.usage import Usage


class Finish(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class ToolCall:
    """A tool that the model wants called; `arguments` is JSON text as the model wrote it."""

    name: str
    arguments: str = field(default="", repr=False)


@frozen(kw_only=True)
class Receipt:
    """What the provider says of a call beside its content, as far as it said anything.

    `host` is who really served; `cost` is what the provider charged for the call.
    """

    usage: Usage | None = None
    cost: NanoUsd | None = None
    generation: str | None = None
    host: str | None = None


NO_RECEIPT = Receipt()


@frozen(kw_only=True)
class Answer:
    """A whole answer. `texts` has one entry for each choice.

    `repaired` says that the texts were mended here and are no longer what `payload` holds.
    """

    finish: Finish
    texts: tuple[str, ...] = field(default=(), repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = field(default=None, repr=False)
    repaired: bool = False
    receipt: Receipt = NO_RECEIPT
    payload: object = field(default=None, eq=False, repr=False)

    @property
    def text(self) -> str:
        """All choices joined, for checks that need only know whether there is any."""
        return "".join(self.texts)


class FaultKind(StrEnum):
    """Why a provider gave no answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    CONTEXT_LENGTH = "context_length"
    REFUSED = "refused"
    AUTH = "auth"
    REJECTED = "rejected"
    PROVIDER_ERROR = "provider_error"
    UNSUPPORTED = "unsupported"

    @property
    def trigger(self) -> Trigger | None:
        """The fallback trigger that this is, or `None` where no other model would fare better.

        A provider's `auth` fault is ours and a `rejected` request would be rejected again. What
        is `unsupported` is a field that this model cannot honour, and another one may.
        """
        return _TRIGGERS.get(self)

    @property
    def code(self) -> Code:
        """The code under which a request ends for which this was the last fault."""
        return _CODES[self]

    @property
    def unbillable(self) -> Unbillable:
        """Why the hold of such a request is voided."""
        return _UNBILLABLE.get(self, Unbillable.PROVIDER_ERROR)


_TRIGGERS = {
    FaultKind.UNREACHABLE: Trigger.PROVIDER_ERROR,
    FaultKind.TIMEOUT: Trigger.TIMEOUT,
    FaultKind.RATE_LIMITED: Trigger.RATE_LIMITED,
    FaultKind.CONTEXT_LENGTH: Trigger.CONTEXT_LENGTH,
    FaultKind.REFUSED: Trigger.REFUSAL,
    FaultKind.PROVIDER_ERROR: Trigger.PROVIDER_ERROR,
    FaultKind.UNSUPPORTED: Trigger.PROVIDER_ERROR,
}
_CODES = {
    FaultKind.UNREACHABLE: Code.ORIGIN_UNREACHABLE,
    FaultKind.TIMEOUT: Code.PROVIDER_TIMEOUT,
    FaultKind.RATE_LIMITED: Code.PROVIDER_ERROR,
    FaultKind.CONTEXT_LENGTH: Code.CONTEXT_LENGTH_EXCEEDED,
    FaultKind.REFUSED: Code.PROVIDER_ERROR,
    FaultKind.AUTH: Code.PROVIDER_AUTH_ERROR,
    FaultKind.REJECTED: Code.INVALID_REQUEST,
    FaultKind.PROVIDER_ERROR: Code.PROVIDER_ERROR,
    FaultKind.UNSUPPORTED: Code.UNSUPPORTED_PARAMETER,
}
_UNBILLABLE = {
    FaultKind.UNREACHABLE: Unbillable.ORIGIN_UNREACHABLE,
    FaultKind.TIMEOUT: Unbillable.PROVIDER_TIMEOUT,
}


@frozen(kw_only=True)
class Fault:
    """A call that gave no answer. `message` is ours: no provider's text, no secret.

    `status` is the provider's HTTP status, or its numeric error code, where there was one.
    """

    kind: FaultKind
    message: str
    status: int | None = None
    retry_after_s: int | None = None
    receipt: Receipt = NO_RECEIPT
