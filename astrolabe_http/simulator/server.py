"""How is a simulator run by itself?

`serve(models, port=…)` runs until stopped, for the command line. `RunningSimulator` runs one in a
thread on a free port of this machine, for tests and the demo: `with RunningSimulator(models) as
simulator: simulator.url`.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import uvicorn

from astrolabe_http.simulator.app import DEFAULT_SETTINGS, create_simulator
from astrolabe_http.simulator.models import SimulatedModel
from astrolabe_http.simulator.provider import Provider
from astrolabe_http.simulator.settings import SimulatorSettings

_STARTUP_S = 10.0


def serve(
    models: Sequence[SimulatedModel],
    *,
    host: str = "127.0.0.1",
    port: int = 8090,
    settings: SimulatorSettings = DEFAULT_SETTINGS,
) -> None:
    """Serve at `http://host:port/api/v1` until interrupted, or at `/v1` where it is plain."""
    uvicorn.Server(_config(create_simulator(models, settings), host, port)).run()


class RunningSimulator:
    """A simulator in a thread of this process, over real HTTP."""

    def __init__(
        self,
        models: Sequence[SimulatedModel],
        settings: SimulatorSettings = DEFAULT_SETTINGS,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        app = create_simulator(models, settings)
        self.provider: Provider = app.state.provider
        self._socket = socket.create_server((host, port), backlog=2048)
        self.port: int = self._socket.getsockname()[1]
        self.origin = f"http://{host}:{self.port}"
        self.url = f"{self.origin}{settings.base}"
        self._server = uvicorn.Server(_config(app, host, self.port))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _STARTUP_S
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the simulator did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; open calls are broken off."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_STARTUP_S)
        with contextlib.suppress(OSError):
            self._socket.close()


def _config(app: object, host: str, port: int) -> uvicorn.Config:
    # A cut is a response that ends too early. uvicorn reports each as an error: it is meant.
    logging.getLogger("uvicorn.error").addFilter(_is_not_about_cuts)
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        backlog=2048,
    )


def _is_not_about_cuts(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not message.startswith("ASGI callable returned without")
