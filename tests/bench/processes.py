"""How much processor time did another process use, and how is one started for measuring?"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process so far, user and system, from the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


@contextmanager
def running(
    command: list[str], ready: str, environ: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run `python -m …` until the block ends; begins when `ready` answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(ready, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"the process for {url} ended with {process.returncode}"
            raise RuntimeError(message)
        try:
            httpx.get(url, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    message = f"{url} did not answer within 30 s"
    raise TimeoutError(message)
