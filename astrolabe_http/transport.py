"""What is asked of whatever carries bytes to a provider?

The seam between the gateway and its HTTP client. Everything above it speaks of a `Transport` and
its `Reply`; which client runs below is nobody's business. What goes wrong on the way is raised as
`Unanswered`, with a fault that the flow understands.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from astrolabe_core.answers import Fault


class Unanswered(Exception):  # noqa: N818 - named by what is so
    """No usable bytes came, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Reply(Protocol):
    """An answer whose head is there. Must be closed, and may be closed at any time."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name."""
        ...

    def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body's bytes as they come. Raises `Unanswered` where they break off."""
        ...

    async def close(self) -> None:
        """Let go, at once; a body not read to its end is cancelled."""
        ...


class Transport(Protocol):
    """Carries requests to the provider."""

    async def post(self, path: str, body: bytes) -> Reply:
        """Send JSON and wait for the head of the answer. Raises `Unanswered`."""
        ...

    async def get(self, path: str, query: Mapping[str, str]) -> Reply:
        """Ask for a page and wait for the head of the answer. Raises `Unanswered`."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
