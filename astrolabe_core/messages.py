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
from astrolabe_core.conformity import Claim, Conformity
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
    """A request as it comes in: with which key, what for, and how long it may take in all.

    `jitter` is drawn by the host, from 0 to below 2**32: all the chance there is in a request.
    """

    request: Incoming
    key_hash: str = field(repr=False)
    purpose: Purpose = Purpose.SERVE
    time_limit_ms: Millis = Millis(600_000)
    jitter: int = 0


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
class Correction:
    """A failed answer that its model is shown again, and what is wrong with it."""

    text: str = field(repr=False)
    flaws: tuple[str, ...]


@frozen(kw_only=True)
class CallModel:
    """Ask one model.

    `relayed` says that a stream may be opened and handed to the caller as it comes; otherwise
    the whole answer is awaited. Where `holds_calls`, no tool call is handed on before the flow
    has seen all of them. `layers` are the boundaries, to be enforced upstream as well. `correction`
    goes after the conversation. `time_left_ms` is what remains of the total deadline. `trace` is
    what is known by now, for a caller who is kept waiting; the call of a verifier has none.
    """

    request: Request
    model: Model
    output_tokens_max: Tokens
    layers: tuple[Layer, ...]
    relayed: bool
    time_left_ms: Millis
    holds_calls: bool = False
    correction: Correction | None = None
    trace: Trace | None = None


@frozen(kw_only=True)
class Relay:
    """Hand an open stream to the caller until it ends, all but its last event.

    What `CallModel.holds_calls` told to hold back is held back still.
    """

    stream: object
    trace: Trace


@frozen(kw_only=True)
class Inspect:
    """Hold texts against their schemas: `Inspected` has one `Conformity` for each claim.

    A schema may take as long as its author likes. What is not told in time is not `checked`.
    """

    claims: tuple[Claim, ...]
    time_left_ms: Millis


@frozen
class Pause:
    """Wait before the next attempt."""

    wait_ms: Millis


@frozen(kw_only=True)
class LookUp:
    """Ask the provider for its own record of a call whose usage nobody has seen.

    The record may appear some seconds late: it is asked for again until `patience_ms` are over.
    """

    generation: str
    patience_ms: Millis


@frozen
class Settle:
    """End the hold: capture what is due, or void it."""

    command: ledger.Capture | ledger.Void


Command: TypeAlias = Load | Record | Hold | CallModel | Inspect | Pause | Relay | LookUp | Settle


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
class Inspected:
    """What became of the claims, in their order."""

    found: tuple[Conformity, ...]
    at: Instant


@frozen
class Paused:
    """The wait is over."""

    at: Instant


@frozen
class LookedUp:
    """The provider's record of a call, `None` where it has none."""

    receipt: Receipt | None
    at: Instant


@frozen
class Left:
    """The caller is gone. `receipt` is what the provider had said by then."""

    at: Instant
    receipt: Receipt = NO_RECEIPT


Event: TypeAlias = (
    Loaded
    | NoCaller
    | StorageFailed
    | Ledgered
    | Opened
    | Answered
    | Faulted
    | Inspected
    | Paused
    | LookedUp
    | Left
)


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
