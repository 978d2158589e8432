"""What does the flow ask of the world, what may the world answer, and what comes out?

The glossary of one request. A command is one thing that the driver must do; an event is how
that went; a reply is how the request ended. One command is outstanding at a time.
"""

from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from astrolabe_core import ledger
from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt
from astrolabe_core.catalog import Model
from astrolabe_core.requests import Incoming, Request, StackRef
from astrolabe_core.resolve import Layer
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, Millis, Tokens


class Purpose(StrEnum):
    """Whether a request is to be served, or only decided."""

    SERVE = "serve"
    PREVIEW = "preview"


@frozen(kw_only=True)
class Arrival:
    """A request as it comes in: with which key, what for, and how long it may take in all."""

    request: Incoming
    key_hash: str = field(repr=False)
    purpose: Purpose = Purpose.SERVE
    time_limit_ms: Millis = Millis(600_000)


# --- commands: what the driver must do next -----------------------------------------------
@frozen(kw_only=True)
class Load:
    """Take one snapshot of everything that the decision may depend on."""

    key_hash: str = field(repr=False)
    at: Instant
    stack: StackRef | None


@frozen
class Record:
    """Count a request that ends before any hold, and keep how it ended."""

    command: ledger.Count


@frozen
class Hold:
    """Set money aside before any provider hears of the request."""

    command: ledger.Reserve


@frozen(kw_only=True)
class CallModel:
    """Ask one model.

    `relayed` says that a stream may be opened and handed to the caller as it comes; otherwise
    the whole answer is awaited. `layers` are the boundaries, to be enforced upstream as well.
    `time_left_ms` is what remains of the total deadline.
    """

    request: Request
    model: Model
    output_tokens_max: Tokens
    layers: tuple[Layer, ...]
    relayed: bool
    time_left_ms: Millis


@frozen(kw_only=True)
class Relay:
    """Hand an open stream to the caller until it ends, all but its last event."""

    stream: object
    trace: Trace


@frozen
class Settle:
    """End the hold: capture what is due, or void it."""

    command: ledger.Capture | ledger.Void


Command: TypeAlias = Load | Record | Hold | CallModel | Relay | Settle


# --- events: how that went ----------------------------------------------------------------
@frozen
class Loaded:
    """The snapshot. `at` is the snapshot's own instant."""

    snapshot: Snapshot


@frozen
class NoCaller:
    """No key has this hash."""

    at: Instant


@frozen
class StorageFailed:
    """The store could not be reached; what was asked of it may or may not have happened."""

    at: Instant


@frozen
class Ledgered:
    """The ledger carried a command out, or declined it."""

    outcome: ledger.Outcome
    at: Instant


@frozen
class Opened:
    """The first content of a stream is there. From here nothing falls back."""

    stream: object = field(eq=False, repr=False)
    at: Instant


@frozen
class Answered:
    """A whole answer is there, or a relayed stream has ended as it should."""

    answer: Answer
    at: Instant


@frozen
class Faulted:
    """There is no answer, or a relayed stream broke."""

    fault: Fault
    at: Instant


@frozen
class Left:
    """The caller is gone. `receipt` is what the provider had said by then."""

    at: Instant
    receipt: Receipt = NO_RECEIPT


Event: TypeAlias = Loaded | NoCaller | StorageFailed | Ledgered | Opened | Answered | Faulted | Left


# --- replies: how the request ended -------------------------------------------------------
@frozen
class Served:
    """An answer for the caller. A relayed stream still lacks its last event."""

    answer: Answer
    trace: Trace


@frozen
class Previewed:
    """The decision of a request that was only to be decided; it may be blocked."""

    trace: Trace


@frozen
class Admitted:
    """A reading call may go on: its caller is known and the call is counted."""

    trace: Trace


@frozen
class Refused:
    """No answer; `trace.refusal` says why."""

    trace: Trace


@frozen
class Abandoned:
    """The caller left; there is nobody to tell."""

    trace: Trace


Reply: TypeAlias = Served | Previewed | Admitted | Refused | Abandoned
