"""HTTP as an attacker writes it: bytes on a socket, and what came back; a probe, and a scale."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import define, field

PROBE = b"GET /health HTTP/1.1\r\nhost: probe\r\n\r\n"


@define
class Answer:
    """What came back. `closed` says that the server left by itself."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]


def connect(url: str, timeout_s: float = 20) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout_s)


def exchange(url: str, *parts: bytes, gap_s: float = 0, wait_s: float = 20) -> Answer:
    """Send bytes, part by part, and read one answer and how it ended."""
    with connect(url, wait_s) as line:
        # Who is refused may be cut off while sending; what counts is what was answered.
        with contextlib.suppress(OSError):
            for place, part in enumerate(parts):
                time.sleep(gap_s if place else 0)
                line.sendall(part)
        return read_answer(line)


def read_answer(line: socket.socket) -> Answer:
    read = line.makefile("rb")
    status = read.readline()
    while status.startswith(b"HTTP/1.1 100 "):
        assert read.readline() == b"\r\n"
        status = read.readline()
    assert status.startswith(b"HTTP/1.1 "), status
    headers: dict[str, str] = {}
    while (header := read.readline()) not in {b"\r\n", b""}:
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = read.read(int(headers.get("content-length", 0)))
    closed = False
    if headers.get("connection") == "close":
        closed = read.read(1) == b""
    return Answer(int(status.split()[1]), headers, body, closed)


@define
class Probe:
    """Asks for /health again and again, and keeps the longest time that an answer took."""

    url: str
    worst_s: float = 0
    _stop: threading.Event = field(factory=threading.Event, init=False)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with connect(self.url) as line:
            while not self._stop.wait(0.003):
                begun = time.perf_counter()
                line.sendall(PROBE)
                assert read_answer(line).status == 200
                self.worst_s = max(self.worst_s, time.perf_counter() - begun)


def resident_mb(process: int) -> float:
    """Give the memory that a process has now, where the system tells."""
    return _status(process, "VmRSS")


def peak_mb(process: int) -> float:
    """Give the most memory that a process ever had."""
    return _status(process, "VmHWM")


def _status(process: int, name: str) -> float:
    text = Path(f"/proc/{process}/status").read_text()
    (line,) = [each for each in text.splitlines() if each.startswith(f"{name}:")]
    return int(line.split()[1]) / 1_024
