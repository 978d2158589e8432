"""The ground that judges stand on: nobody leaves the machine, and the gateway's log is read."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.judges.conftest import complaints
from tests.judges.loopback import BeyondLoopbackError, confine

PROGRAM = Path(__file__).with_name("loopback.py")


def test_who_leaves_the_machine_is_refused_and_remembered() -> None:
    with confine() as tried:
        with pytest.raises(BeyondLoopbackError), socket.socket() as made:
            made.connect(("192.0.2.1", 9))
        with pytest.raises(httpx.ConnectError):
            httpx.get("http://telemetry.example/")
    assert tried == ["192.0.2.1", "telemetry.example"]


def test_loopback_is_open() -> None:
    with confine() as tried, socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert tried == []


def test_a_program_that_leaves_the_machine_ends_in_failure(tmp_path: Path) -> None:
    (tmp_path / "reports_home.py").write_text(
        "import contextlib, socket\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.create_connection(('192.0.2.1', 9), 1)\n"
    )
    ended = subprocess.run(
        [sys.executable, PROGRAM, "reports_home"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 97
    assert "192.0.2.1" in ended.stderr


def test_whatever_is_no_plain_line_of_a_request_is_a_complaint() -> None:
    plain = b'{"request_id":"req_1","status":200}\n'
    bug = b'{"request_id":"req_2","status":500,"error":"KeyError"}\n'
    broken = b'{"request_id":"req_3","violation":"sequence"}\n'
    assert complaints(plain) == []
    assert complaints(plain + bug + b"Traceback\n" + broken) == [
        bug.decode().strip(),
        "Traceback",
        broken.decode().strip(),
    ]
