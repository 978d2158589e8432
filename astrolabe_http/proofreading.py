"""Is every stream that goes out grammatical, where the settings ask for that?

With `debug` each stream is read again on its way to the caller (`wire.grammar`). A rule that breaks
is a bug of ours: it is logged, without a word of the answer, and the stream is left broken before
the bytes at fault, so that nobody takes it for whole. Without `debug` there is no proofreader.
"""

from collections.abc import Callable

from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import RequestId
from astrolabe_http.gateway import Gateway
from astrolabe_http.telemetry import write_violation
from astrolabe_http.wire.chat_request import wants_usage
from astrolabe_http.wire.grammar import Checker, Violation


class Ungrammatical(Exception):  # noqa: N818 - named by what is so
    """A stream of ours broke a rule of its grammar."""


class Proofreader:
    """Reads one stream before its caller does."""

    def __init__(self, request: Request, log: Callable[[bytes], None]) -> None:
        self._checker = Checker(request.surface, usage_wanted=_counts(request))
        self._request: RequestId = request.id
        self._log = log
        self._broken = False

    def read(self, data: bytes, *, more: bool) -> None:
        """Take bytes before they are sent. Raises `Ungrammatical`, and from then on always."""
        found: list[Violation] = [] if self._broken else self._checker.feed(data)
        if not (self._broken or found or more):
            found = self._checker.end()
        for violation in found:
            self._log(write_violation(self._request, violation))
        self._broken = self._broken or bool(found)
        if self._broken:
            raise Ungrammatical


def proofreader(gateway: Gateway, request: Request) -> Proofreader | None:
    """Give whoever reads a stream before its caller does, if anybody."""
    return Proofreader(request, gateway.log) if gateway.settings.debug else None


def _counts(request: Request) -> bool:
    return request.surface is Surface.CHAT and wants_usage(request)
