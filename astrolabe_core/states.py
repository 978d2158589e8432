"""Where can a request stand, and what is known there?

Each state holds everything known so far and nothing else. `Step` is a state and the one
command that it waits for.
"""

from typing import TypeAlias

from attrs import frozen

from astrolabe_core.fallback import Plan
from astrolabe_core.messages import Arrival, Command, Reply
from astrolabe_core.requests import Request
from astrolabe_core.routing import Routed
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.trace import Trace
from astrolabe_core.units import HoldId, Instant


@frozen
class Loading:
    """Waiting for the snapshot."""

    arrival: Arrival


@frozen(kw_only=True)
class Recording:
    """Waiting for a request without a hold to be counted."""

    reply: Reply


@frozen(kw_only=True)
class Route:
    """A request on its way to a provider: what every later step needs."""

    arrival: Arrival
    request: Request
    routed: Routed
    snapshot: Snapshot
    plan: Plan
    trace: Trace

    @property
    def hold(self) -> HoldId:
        """The identity of this request's hold."""
        return HoldId(self.request.id)


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
class Streaming:
    """Content is reaching the caller: there is no way back to `Calling`."""

    route: Route
    since: Instant


@frozen(kw_only=True)
class Settling:
    """Waiting for the hold to end. The reply is decided."""

    reply: Reply


@frozen
class Done:
    """The request has ended."""

    reply: Reply


State: TypeAlias = Loading | Recording | Reserving | Calling | Streaming | Settling | Done


@frozen
class Step:
    """Where the flow stands and what is to be done next; no command when it is done."""

    state: State
    command: Command | None


class IllegalEventError(Exception):
    """The driver fed an event that this state cannot meet: a bug, never an outcome."""
