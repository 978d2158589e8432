"""One line an exchange, in the format that was asked for, and no word of a caller's choosing."""

from __future__ import annotations

import json

import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Malformed
from astrolabe_core.trace import Trace
from astrolabe_core.units import RequestId
from astrolabe_http.logbook import NO_ROUTE, Logbook
from astrolabe_http.settings import LogFormat
from tests.http.gateways import NOON, make_bench

pytestmark = pytest.mark.anyio

REFUSAL = Refusal(code=Code.NOT_FOUND, message="no")
TRACE = Trace(
    arrival=Malformed(id=RequestId("req_1"), received_at=NOON, refusal=REFUSAL), refusal=REFUSAL
)


async def written(log_format: LogFormat, method: str = "GET", fault: str | None = None) -> bytes:
    bench = await make_bench(log_format=log_format)
    bench.clock.at += 7  # type: ignore[assignment]
    Logbook(bench.gateway).note(TRACE, method=method, route=NO_ROUTE, status=404, fault=fault)
    return b"".join(bench.lines)


async def test_a_line_says_how_an_exchange_went() -> None:
    assert json.loads(await written(LogFormat.JSON)) == {
        "at": NOON,
        "request_id": "req_1",
        "method": "GET",
        "route": "-",
        "status": 404,
        "duration_ms": 7,
        "attempts": 0,
        "refusal": "not_found",
    }


async def test_a_bug_is_named() -> None:
    assert json.loads(await written(LogFormat.JSON, fault="KeyError"))["error"] == "KeyError"


async def test_people_get_text_and_nobody_gets_nothing() -> None:
    assert (await written(LogFormat.TEXT)).startswith(b"req_1 GET - 404 7 ms")
    assert await written(LogFormat.OFF) == b""


@pytest.mark.parametrize("method", ["get", "FOO", "GET\n", "", "\x1b[31m"])
@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.TEXT])
async def test_a_method_that_nobody_has_heard_of_is_not_written(
    method: str, log_format: LogFormat
) -> None:
    line = await written(log_format, method)
    assert b"OTHER" in line
    assert line.count(b"\n") == 1
