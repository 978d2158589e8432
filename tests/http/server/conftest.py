"""One simulator process and one gateway process in front of it, for the whole directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from attrs import define

from astrolabe_core.units import WorkspaceId
from tests.http.server.processes import (
    Process,
    differences,
    make_account,
    start_gateway,
    start_simulator,
    wait_until_settled,
)


@define
class Stack:
    """Everything that is running, and an account with credit."""

    simulator: Process
    gateway: Process
    database: Path
    log: Path
    workspace: WorkspaceId
    key: str

    @property
    def control(self) -> str:
        return f"{self.simulator.url}/_control"

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.gateway.url, headers=headers, timeout=20)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Process]:
    made = start_simulator()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def running(simulator: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("gateway")
    database, log = home / "gateway.db", home / "log"
    workspace, key = make_account(database, "50")
    gateway = start_gateway(database, f"{simulator.url}/api/v1", log)
    try:
        yield Stack(simulator, gateway, database, log, workspace, key)
        # Whatever the tests did: stopped in order, nothing open, the books are right.
        assert gateway.stop() == 0
        assert differences(database) == ()
    finally:
        gateway.stop()


@pytest.fixture
def stack(running: Stack) -> Stack:
    # In this order: the provider forgets its records.
    wait_until_settled(running.database)
    httpx.post(f"{running.control}/reset").raise_for_status()
    return running


@pytest.fixture
def sdk(stack: Stack) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{stack.gateway.url}/v1",
        api_key=stack.key,
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        yield made
