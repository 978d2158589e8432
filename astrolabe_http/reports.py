"""What is logged beside requests?

What our own code and the libraries below it report through `logging`, from warnings upwards, as
one line each, of an allow-list like that of requests. The words of an exception are never in it,
nor those that a library put together itself: they may quote a prompt. Where it was, is.
"""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final

import orjson
from attrs import asdict, frozen

from astrolabe_core.units import RequestId
from astrolabe_http.settings import LogFormat

OWN_LOGGER: Final = "astrolabe"
_LOGGER: Final = logging.getLogger(OWN_LOGGER)

_LIBRARY: Final = "uvicorn"
"""Its messages are constants of its code; what is filled into them is left out."""


@frozen(kw_only=True)
class Report:
    """What is logged of one report. `trail` is where an exception went by, the last place first."""

    at: int
    level: str
    logger: str
    place: str
    message: str | None = None
    fault: str | None = None
    trail: tuple[str, ...] = ()


class Reporter(logging.Handler):
    """Hands each report on as a finished line."""

    def __init__(self, log: Callable[[bytes], None], log_format: LogFormat) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._write = _write_text if log_format is LogFormat.TEXT else _write_json

    def emit(self, record: logging.LogRecord) -> None:
        """Write a report."""
        self._log(self._write(report(record)))


def report(record: logging.LogRecord) -> Report:
    """Say what may be said of a record."""
    family = record.name.partition(".")[0]
    message = None
    if family == OWN_LOGGER:
        message = record.getMessage()
    elif family == _LIBRARY and isinstance(record.msg, str):
        message = record.msg.strip()
    kind, _, trace = record.exc_info or (None, None, None)
    return Report(
        at=int(record.created * 1_000),
        level=record.levelname.lower(),
        logger=record.name,
        place=f"{record.module}:{record.lineno} {record.funcName}",
        message=message,
        fault=None if kind is None else kind.__name__,
        trail=trail(trace),
    )


def report_bug(request_id: RequestId, error: Exception) -> None:
    """Log where a bug is, without the words of the exception: they may quote a prompt."""
    name, places = type(error).__name__, " < ".join(trail(error.__traceback__))
    _LOGGER.error("%s: %s at %s", request_id, name, places)


def trail(trace: TracebackType | None) -> tuple[str, ...]:
    """Say where an exception went by, without its words; the last place first."""
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return tuple(reversed(places))


def _write_json(said: Report) -> bytes:
    known = {
        name: value
        for name, value in asdict(said, recurse=False).items()
        if value is not None and value != ()
    }
    return orjson.dumps(known, option=orjson.OPT_APPEND_NEWLINE)


def _write_text(said: Report) -> bytes:
    parts = (said.level, said.logger, said.place, said.message or "", said.fault or "", *said.trail)
    line = " ".join(part for part in parts if part)
    # Nothing may begin a line of its own, or speak to a terminal.
    return b"%b\n" % "".join(each if each.isprintable() else "?" for each in line).encode()
