"""Does anything reach beyond this machine?

`confine()` makes Python's sockets refuse to look up or connect to anything but loopback, and keeps
what was tried: a client that reports home and swallows the error is noticed all the same. As a
program it confines itself and then runs a module: `python tests/judges/loopback.py llm models`.
"""

from __future__ import annotations

import runpy
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HERE = frozenset({"127.0.0.1", "::1", "localhost", "", None})


class BeyondLoopbackError(OSError):
    """Somebody wanted to leave this machine."""


@contextmanager
def confine() -> Iterator[list[str]]:
    """Refuse the world; give the list of what was tried."""
    tried: list[str] = []
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def check(host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in HERE:
            tried.append(str(name))
            raise BeyondLoopbackError(f"{name} is not this machine")

    def check_address(made: socket.socket, address: Any) -> None:
        if made.family in {socket.AF_INET, socket.AF_INET6}:
            check(address[0])

    def confined_connect(self: socket.socket, address: Any) -> None:
        check_address(self, address)
        connect(self, address)

    def confined_connect_ex(self: socket.socket, address: Any) -> int:
        check_address(self, address)
        return connect_ex(self, address)

    def confined_look_up(host: Any, *args: Any, **named: Any) -> Any:
        check(host)
        return look_up(host, *args, **named)

    socket.socket.connect = confined_connect  # type: ignore[assignment,method-assign]
    socket.socket.connect_ex = confined_connect_ex  # type: ignore[assignment,method-assign]
    socket.getaddrinfo = confined_look_up
    try:
        yield tried
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = look_up


def main() -> None:
    """Run a module confined; having tried to leave is exit status 97."""
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    with confine() as tried:
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        finally:
            if tried:
                sys.stderr.write(f"reached beyond loopback: {', '.join(tried)}\n")
                sys.exit(97)


if __name__ == "__main__":
    main()
