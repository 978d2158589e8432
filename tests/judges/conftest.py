"""One simulator and one gateway in debug mode, which others' programs judge over the wire.

With `JUDGE_STRAIGHT=1` in the environment the judges that are given a `Target` are pointed straight
at the simulator: what fails there too is not lost on the way through the gateway.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any, Final

import httpx
import orjson
import pytest
from attrs import frozen

from astrolabe_http.service import KeyTerms
from tests.http.server.conftest import Stack
from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
    start_simulator,
)
from tests.judges.loopback import confine

STRAIGHT = os.environ.get("JUDGE_STRAIGHT") == "1"
RATE_LIMIT = 1_000_000
NAMED = "openai/gpt-5.4-mini"
PIXEL: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
BREAKS: Final = ("error-mid", "cut", "end", "garbage+end-3")
"""Ways in which a provider's stream ends without being whole."""


@frozen
class Target:
    """Whom a judge is pointed at.

    `url` ends in `/v1`; `model` stands for any that may serve, `vision` for any that sees; `named`
    is one by its name, which judges take for one that reasons.
    """

    url: str
    key: str
    model: str = "astrolabe/auto"
    vision: str = "astrolabe/vision"
    named: str = NAMED


@frozen
class Provider:
    """The simulated provider behind the judged gateway. `control` is the URL of its controls."""

    control: str

    def order(self, fault: str) -> None:
        """Have every further call fail so, whichever model is asked."""
        rule = {"fault": fault, "times": None}
        httpx.post(f"{self.control}/faults", json=rule).raise_for_status()

    def calls(self) -> list[dict[str, Any]]:
        """What it was asked."""
        journal: dict[str, Any] = httpx.get(f"{self.control}/journal").json()
        asked: list[dict[str, Any]] = journal["calls"]
        return asked


def pytest_configure(config: pytest.Config) -> None:
    """Know the marks of others' suites."""
    config.addinivalue_line("markers", "benchmark: langchain-tests' own")
    config.addinivalue_line("markers", "vcr: langchain-tests' own")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """A suite of others skips only what its class here names in `exempt`, with the reason."""
    report = yield
    exempt = getattr(getattr(item, "cls", None), "exempt", None)
    if report.skipped and exempt is not None and getattr(item, "originalname", "") not in exempt:
        report.outcome = "failed"
        report.longrepr = f"skipped without being exempt: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def judged_simulator() -> Iterator[Process]:
    made = start_simulator()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def judged(judged_simulator: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The gateway in debug mode with a funded key that meets no rate limit."""
    home = tmp_path_factory.mktemp("judged")
    database, log = home / "gateway.db", home / "log"
    workspace, key = make_account(database, "10000", KeyTerms(rate_limit=RATE_LIMIT))
    upstream = f"{judged_simulator.url}/api/v1"
    gateway = start_gateway(database, upstream, log, ASTROLABE_DEBUG="1")
    try:
        yield Stack(judged_simulator, gateway, database, log, workspace, key)
        # Whatever the judges did: stopped in order, no bug, no stream against its grammar,
        # nothing held, the books are right.
        assert gateway.stop() == 0
        assert complaints(log.read_bytes()) == []
        assert balance(database, workspace).held == 0
        assert differences(database) == ()
    finally:
        gateway.stop()


def complaints(log: bytes) -> list[str]:
    """Everything in a gateway's log that is not the plain line of a request."""
    return [line.decode() for line in log.splitlines() if not _is_plain(line)]


def _is_plain(line: bytes) -> bool:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return {"request_id", "status"} <= said.keys() and "error" not in said


@pytest.fixture
def stack(judged: Stack) -> Stack:
    """The judged gateway, its simulator as new."""
    httpx.post(f"{judged.control}/reset").raise_for_status()
    return judged


@pytest.fixture
def target(stack: Stack) -> Target:
    """Whom to judge: the gateway, or straight the simulator."""
    if STRAIGHT:
        return Target(f"{stack.simulator.url}/api/v1", "any", NAMED, NAMED)
    return Target(f"{stack.gateway.url}/v1", stack.key)


@pytest.fixture
def provider(stack: Stack) -> Iterator[Provider]:
    yield Provider(stack.control)
    httpx.post(f"{stack.control}/reset").raise_for_status()


@pytest.fixture(autouse=True)
def only_loopback() -> Iterator[None]:
    """Nobody reports home."""
    with confine() as tried:
        yield
    assert tried == []
