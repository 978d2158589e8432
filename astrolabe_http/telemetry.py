"""What is logged of a request?

One line, of an allow-list: identities, what was decided, what it cost, how long it took. No
prompt, no answer, no key, no path or model as the caller wrote it, no header. What is not in
`Line` cannot be logged. A circuit that opens or closes has a line of its own. In debugging another
line tells where a stream broke its grammar.
"""

from collections.abc import Callable
from typing import Final

import orjson
from attrs import asdict, frozen

from astrolabe_core.health import Change
from astrolabe_core.money import usd_text
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, RequestId, seconds_until
from astrolabe_http.settings import LogFormat
from astrolabe_http.wire.grammar import Violation


@frozen(kw_only=True)
class Line:
    """What is logged of one request. `route` is the route's template."""

    at: Instant
    request_id: RequestId
    method: str
    route: str
    status: int
    duration_ms: int
    workspace: str | None = None
    key: str | None = None
    stack: str | None = None
    decision: str | None = None
    model: str | None = None
    attempts: int = 0
    debit_usd: str | None = None
    unbillable: str | None = None
    refusal: str | None = None
    flags: tuple[str, ...] = ()
    error: str | None = None


def line(trace: Trace, *, method: str, route: str, status: int, ended_at: Instant) -> Line:
    """Say how a request went."""
    caller, served, stack = trace.caller, trace.served, trace.stack
    return Line(
        at=trace.arrival.received_at,
        request_id=trace.arrival.id,
        method=method,
        route=route,
        status=status,
        duration_ms=ended_at - trace.arrival.received_at,
        workspace=None if caller is None else caller.workspace.id,
        key=None if caller is None else caller.key.id,
        stack=None if stack is None else stack.slug,
        decision=None if trace.kind is None else trace.kind.value,
        model=None if served is None else served.option.model.id,
        attempts=len(trace.attempts),
        debit_usd=usd_text(trace.debit) if trace.debit else None,
        unbillable=None if trace.unbillable is None else trace.unbillable.value,
        refusal=None if trace.refusal is None else trace.refusal.code.value,
        flags=tuple(flag.value for flag in trace.flags),
    )


def write_json(said: Line) -> bytes:
    """Write a line as one JSON object; what is not known is left out."""
    known = {
        name: value
        for name, value in asdict(said, recurse=False).items()
        if value is not None and value != ()
    }
    return orjson.dumps(known, option=orjson.OPT_APPEND_NEWLINE)


def write_text(said: Line) -> bytes:
    """Write a line for people."""
    parts = [
        said.request_id,
        said.method,
        said.route,
        str(said.status),
        f"{said.duration_ms} ms",
        *(
            f"{name}={value}"
            for name, value in (
                ("workspace", said.workspace),
                ("model", said.model),
                ("debit", said.debit_usd),
                ("refusal", said.refusal),
                ("unbillable", said.unbillable),
                ("error", said.error),
            )
            if value is not None
        ),
    ]
    return (" ".join(parts) + "\n").encode()


def write_violation(request_id: RequestId, violation: Violation) -> bytes:
    """Say which rule a stream of ours broke; in JSON whatever else is logged, or not."""
    told = {
        "request_id": request_id,
        "violation": violation.rule,
        "where": violation.where,
        "message": violation.message,
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def write_circuit(log_format: LogFormat, change: Change, at: Instant) -> bytes:
    """Say that a circuit opened, and until when, or that it closed; nothing where logs are off."""
    state = "closed" if change.until is None else "open"
    match log_format:
        case LogFormat.JSON:
            told = {"at": at, "circuit": change.name, "state": state}
            if change.until is not None:
                told["until"] = change.until
            return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
        case LogFormat.TEXT:
            wait = "" if change.until is None else f" for {seconds_until(change.until, at)} s"
            return f"circuit {change.name} {state}{wait}\n".encode()
        case LogFormat.OFF:
            return b""


WRITERS: Final[dict[LogFormat, Callable[[Line], bytes]]] = {
    LogFormat.JSON: write_json,
    LogFormat.TEXT: write_text,
}
"""How each format writes a line; `off` writes none."""
