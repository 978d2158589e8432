"""Where can a request stand, and what is known there?

Each state holds everything known so far and nothing else. `Step` is a state and the one
command that it waits for.
"""

from typing import TypeAlias

from attrs import frozen

from astrolabe_core.answers import Answer
from astrolabe_core.catalog import Model
from astrolabe_core.checks import Finding
from astrolabe_core.codes import Unbillable
from astrolabe_core.fallback import Plan
from astrolabe_core.messages import Arrival, Command, Correction, Reply
from astrolabe_core.requests import Request
from astrolabe_core.routing import Routed
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.tool_policy import CallRuling
from astrolabe_core.trace import Trace
from astrolabe_core.units import HoldId, Instant, Millis
from astrolabe_core.verification import Examination, Verdict


@frozen
class Loading:
    """Waiting for the snapshot."""

    arrival: Arrival


@frozen(kw_only=True)
class Recording:
    """Waiting for a request without a hold to be counted."""

    reply: Reply


@frozen(kw_only=True)
class Draft:
    """An answer that the caller does not have, and what was found out about it."""

    answer: Answer
    verdict: Verdict
    since: Instant
    until: Instant
    tools: tuple[CallRuling, ...] = ()


@frozen(kw_only=True)
class Kept:
    """The best answer so far that may be delivered, while a better one is looked for.

    `attempt` is its place among the trace's attempts.
    """

    answer: Answer
    verdict: Verdict
    tools: tuple[CallRuling, ...]
    attempt: int


@frozen(kw_only=True)
class Route:
    """A request on its way to a provider: what every later step needs.

    `plan` begins with the model to be asked now, `trace.cause` says why it is asked, `waited_ms`
    how long that was put off and `correction` what it is shown of its last answer. `recovering` is
    the missed schema that began a recovery. One escalation is all there is: `escalated`.
    """

    arrival: Arrival
    request: Request
    routed: Routed
    snapshot: Snapshot
    plan: Plan
    trace: Trace
    waited_ms: Millis = Millis(0)
    correction: Correction | None = None
    recovering: Finding | None = None
    escalated: bool = False
    kept: Kept | None = None

    @property
    def hold(self) -> HoldId:
        """The identity of this request's hold."""
        return HoldId(self.request.id)

    def time_left_ms(self, at: Instant) -> Millis:
        """What remains of the total deadline."""
        return Millis(max(0, self.arrival.time_limit_ms - (at - self.request.received_at)))


@frozen
class Reserving:
    """Waiting for the hold."""

    route: Route


@frozen(kw_only=True)
class Calling:
    """Waiting for a provider; no content has reached the caller."""

    route: Route
    since: Instant


@frozen(kw_only=True)
class Inspecting:
    """Waiting to hear whether a whole answer has its schemas; the caller has none of it."""

    route: Route
    examined: Examination
    since: Instant
    until: Instant


@frozen(kw_only=True)
class Verifying:
    """Waiting for the grade of a whole answer from `model`; the caller has none of it."""

    route: Route
    draft: Draft
    model: Model
    since: Instant


@frozen
class Pausing:
    """Waiting before the next attempt."""

    route: Route


@frozen(kw_only=True)
class Streaming:
    """Content is reaching the caller: there is no way back to `Calling`."""

    route: Route
    since: Instant


@frozen(kw_only=True)
class Reviewing:
    """Waiting to hear whether a streamed answer has its schemas: the caller has it already."""

    route: Route
    examined: Examination
    since: Instant
    until: Instant


@frozen(kw_only=True)
class Consulting:
    """Waiting for the provider's own record of a call whose usage nobody has seen.

    `attempt` is that call's place among the attempts. `answer` is to be served once it is paid
    for; without one the caller is gone. `otherwise` is why nothing is due where there is no record.
    """

    route: Route
    attempt: int
    answer: Answer | None
    otherwise: Unbillable


@frozen(kw_only=True)
class Settling:
    """Waiting for the hold to end. The reply is decided."""

    reply: Reply


@frozen
class Done:
    """The request has ended."""

    reply: Reply


State: TypeAlias = (
    Loading
    | Recording
    | Reserving
    | Calling
    | Inspecting
    | Verifying
    | Pausing
    | Streaming
    | Reviewing
    | Consulting
    | Settling
    | Done
)


@frozen
class Step:
    """Where the flow stands and what is to be done next; no command when it is done."""

    state: State
    command: Command | None


class IllegalEventError(Exception):
    """The driver fed an event that this state cannot meet: a bug, never an outcome."""
