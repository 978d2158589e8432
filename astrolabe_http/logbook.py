"""Who writes down how an exchange went?

One line each, in the format of the settings; `telemetry` says what may stand in it. The method
comes from the caller: one that nobody has heard of is not written down.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.trace import Trace
from astrolabe_http.gateway import Gateway
from astrolabe_http.telemetry import WRITERS, line

NO_ROUTE: Final = "-"
"""Stands for the route where none was found, or none was looked for."""

_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)


class Logbook:
    """Writes one gateway's lines."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._write = WRITERS.get(gateway.settings.log_format)

    def note(
        self, trace: Trace, *, method: str, route: str, status: int, fault: str | None = None
    ) -> None:
        """Write a line; `fault` names a bug."""
        if self._write is None:
            return
        said = line(
            trace,
            method=method if method in _METHODS else "OTHER",
            route=route,
            status=status,
            ended_at=self._gateway.clock.now(),
        )
        self._gateway.log(self._write(said if fault is None else evolve(said, error=fault)))
