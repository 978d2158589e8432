"""How does a gateway run as a process, and how does it stop?

uvicorn with httptools and uvloop on a socket that is bound first, so that the port is known. On
SIGTERM or SIGINT no new connection is taken, running requests get a time to end, what is left is
cancelled and settled, and only then are store and connections let go.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Final, Self

import uvicorn
import uvloop

from astrolabe_http.app import create_app
from astrolabe_http.gateway import Gateway
from astrolabe_http.protocol import protocol_of
from astrolabe_http.reports import Reporter

GRACE_S: Final = 30
_SETTLE_S: Final = 10.0
_STARTUP_S: Final = 20.0
_BACKLOG: Final = 2_048
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Opener = Callable[[], Awaitable[Gateway]]


def bind(host: str, port: int) -> socket.socket:
    """Take a port, any free one for 0. Raises `OSError` where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def url_of(bound: socket.socket) -> str:
    """Give the URL under which a bound socket is reached."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(opener: Opener, bound: socket.socket, started: Callable[[str], None]) -> None:
    """Serve until a signal comes. `started` is told the URL once requests are taken."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(opener, bound, lambda _: started(url_of(bound)), reporting=True))


def log_line(line: bytes) -> None:
    """Write a finished line where messages go."""
    sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()


class RunningGateway:
    """A gateway in a thread of this process, over real HTTP: for the demo and for tests."""

    def __init__(self, opener: Opener, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._bound = bind(host, port)
        self.url = url_of(self._bound)
        self._opener = opener
        self._server: _Server | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_STARTUP_S) or self._failure is not None:
            raise RuntimeError("the gateway did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving, and wait until all is settled."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_SETTLE_S + GRACE_S)
        with contextlib.suppress(OSError):
            self._bound.close()

    def wait(self) -> None:
        """Wait until the server has stopped, in steps, so that signals are noticed."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(self._opener, self._bound, self._note))
        except BaseException as error:  # noqa: BLE001 - told in the thread that waits for it
            self._failure = error
        finally:
            self._started.set()

    def _note(self, server: "_Server") -> None:
        self._server = server
        self._started.set()


async def _serve(
    opener: Opener,
    bound: socket.socket,
    started: Callable[["_Server"], None],
    *,
    reporting: bool = False,
) -> None:
    gateway = await opener()
    if reporting:
        # A process of its own: what is there now stays. Not looked at again and again for what may
        # be let go, it costs nothing when much is made at once: 374,000 lists took 0.2 s, not 0.02.
        gc.collect()
        gc.freeze()
    try:
        server = _Server(_config(gateway), started)
        with _stopped_by_signals(server), _reported(gateway, reporting=reporting):
            await server.serve(sockets=[bound])
            await _settle(server)
            await gateway.close()
    finally:
        await gateway.close()


@contextlib.contextmanager
def _stopped_by_signals(server: "_Server") -> Iterator[None]:
    """Let a signal stop the server, and no second one interrupt the closing of the store."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, server.handle_exit) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def _reported(gateway: Gateway, *, reporting: bool) -> Iterator[None]:
    """Let whatever is reported in this process go where the gateway's lines go, as such a line."""
    reporter = Reporter(gateway.log, gateway.settings.log_format)
    if reporting:
        logging.getLogger().addHandler(reporter)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(reporter)


async def _settle(server: "_Server") -> None:
    """Wait for requests that were cancelled: each ends its hold before it goes."""
    cancelled = set(server.server_state.tasks)
    if cancelled:
        await asyncio.wait(cancelled, timeout=_SETTLE_S)


class _Server(uvicorn.Server):
    """uvicorn's server; it says when it serves, and leaves the ending to its caller."""

    def __init__(self, config: uvicorn.Config, started: Callable[["_Server"], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_started(self)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal anew when it is done, which would end the process before
        # the store is closed: `_stopped_by_signals` does it instead.
        yield


def _config(gateway: Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(gateway),
        http=protocol_of(gateway),
        ws="none",
        lifespan="off",
        # Its reports go the way of all others.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Who is behind a proxy is nobody's business here: nothing depends on a caller's address.
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
    )
