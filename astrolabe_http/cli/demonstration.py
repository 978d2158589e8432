"""What does a demonstration consist of?

A simulated provider and a gateway, each on a port of this machine, in threads of this process; a
workspace with play credit and a key; one request from outside, over HTTP like anybody's.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from attrs import field, frozen

from astrolabe_core import shipped
from astrolabe_core.accounts import Workspace
from astrolabe_core.money import NanoUsd, usd, usd_text
from astrolabe_core.ports import StorageUnavailable
from astrolabe_http.cli.errand import Answer, NoAnswer, send
from astrolabe_http.cli.frame import Problem
from astrolabe_http.cli.session import existing
from astrolabe_http.gateway import Gateway
from astrolabe_http.keys import KeyMode
from astrolabe_http.server import RunningGateway
from astrolabe_http.service import KeyTerms, Service
from astrolabe_http.settings import Settings
from astrolabe_http.simulator import RunningSimulator
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.wiring import OpeningError, open_gateway

T = TypeVar("T")

PLAY_CREDIT: Final[NanoUsd] = usd("25")
TIMEOUT_S: Final = 60.0


@frozen(kw_only=True)
class Demonstration:
    """A demonstration that runs."""

    url: str
    upstream_url: str
    workspace: Workspace
    key: str = field(repr=False)
    service: Service
    loop: asyncio.AbstractEventLoop

    def balance_usd(self) -> str:
        """Say what the workspace can spend now."""
        return usd_text(existing(self._inside(self.service.balance(self.workspace.id))).available)

    def ask(self, prompt: str, *, model: str, stack: str) -> "Exchange":
        """Send one request from outside, and fetch its trace and its usage row likewise."""
        body: dict[str, object] = {
            "model": model,
            "input": prompt,
            "metadata": {"astrolabe": {"stack": stack}},
        }
        answer, request_id = self._call("/v1/responses", body)
        trace, _ = self._call(f"/v1/traces/{request_id}")
        usage, _ = self._call("/v1/usage?limit=1")
        return Exchange(prompt=prompt, answer=answer, trace=trace, usage=usage["data"][0])

    def _call(self, path: str, body: object = None) -> tuple[Any, str | None]:
        match send(self.url + path, body=body, key=self.key, timeout_s=TIMEOUT_S):
            case Answer(status=200, body=found, request_id=request_id) if isinstance(found, dict):
                return found, request_id
            case Answer(status=status, body=found):
                told = found.get("error", {}).get("message") if isinstance(found, dict) else None
                raise Problem(f"{path} answered {status}: {told or 'not in our words'}")
            case NoAnswer(message=message):
                raise Problem(f"{path} did not answer: {message}")

    def _inside(self, work: Awaitable[T]) -> T:
        """Work on the gateway's own store, in its loop: a store may be in memory."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(TIMEOUT_S)


@frozen(kw_only=True)
class Exchange:
    """A request that was answered, and what the gateway tells of it."""

    prompt: str
    answer: Mapping[str, Any]
    trace: Mapping[str, Any]
    usage: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The words of the answer."""
        return "".join(
            part["text"]
            for item in self.answer["output"]
            if item["type"] == "message"
            for part in item["content"]
            if part["type"] == "output_text"
        )


@contextlib.contextmanager
def demonstrate(
    settings_for: Callable[[str], Settings], *, host: str, port: int, log: Callable[[bytes], None]
) -> Iterator[tuple[Demonstration, RunningGateway]]:
    """Start everything, and stop it at the end. Raises `OSError` where the port is taken."""
    made: list[tuple[Service, asyncio.AbstractEventLoop, Workspace, str]] = []
    with RunningSimulator(from_catalog(shipped.catalog())) as simulator:
        settings = settings_for(simulator.url)

        async def opener() -> Gateway:
            gateway = await open_gateway(settings, log)
            service = Service(
                store=gateway.store,
                clock=gateway.clock,
                ids=gateway.ids,
                secret_key=settings.secret_key,
                key_mode=KeyMode.TEST,
            )
            workspace = existing(await service.create_workspace("demo"))
            existing(await service.grant_credit(workspace.id, PLAY_CREDIT, note="play credit"))
            key = existing(await service.create_key(workspace.id, KeyTerms(name="demo")))
            made.append((service, asyncio.get_running_loop(), workspace, key.secret))
            return gateway

        with _begun(RunningGateway(opener, host=host, port=port)) as gateway:
            service, loop, workspace, secret = made[0]
            yield (
                Demonstration(
                    url=gateway.url,
                    upstream_url=simulator.url,
                    workspace=workspace,
                    key=secret,
                    service=service,
                    loop=loop,
                ),
                gateway,
            )


@contextlib.contextmanager
def _begun(gateway: RunningGateway) -> Iterator[RunningGateway]:
    """Run a gateway; a database that cannot be opened is told as such, and not as our bug."""
    with contextlib.ExitStack() as parts:
        try:
            parts.enter_context(gateway)
        except RuntimeError as error:
            if isinstance(error.__cause__, OpeningError | StorageUnavailable):
                raise error.__cause__ from None
            raise
        yield gateway
