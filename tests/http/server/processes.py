"""A gateway and a simulator as processes of their own, started, asked and killed by tests."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
from attrs import define

from astrolabe_core import ledger
from astrolabe_core.accounts import Workspace
from astrolabe_core.grading import SCHEMA_NAME
from astrolabe_core.money import usd
from astrolabe_core.settlement import PATIENCE_LEFT_MS
from astrolabe_core.units import WorkspaceId
from astrolabe_http.service import KeyTerms, NewKey, Service
from astrolabe_http.settings import Settings
from astrolabe_http.wiring import open_service, verify_ledger

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
SECRET = "a server secret"

_GATEWAY = """
import os
from astrolabe_http.server import bind, serve
from astrolabe_http.settings import Settings, load_settings
from astrolabe_http.wiring import open_gateway
settings = load_settings({}, os.environ)
assert isinstance(settings, Settings), str(settings)
bound = bind(settings.host, settings.port)
serve(lambda: open_gateway(settings), bound, lambda url: print(url, flush=True))
"""
# It prints where it listens: a port that was looked for beforehand may be another's by then.
_SIMULATOR = """
import signal
from astrolabe_core import shipped
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.simulator.server import RunningSimulator
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with RunningSimulator(from_catalog(shipped.catalog())) as running:
    print(running.origin, flush=True)
    signal.sigwait({signal.SIGTERM})
"""


@define
class Process:
    """A server of ours. `url` is where it listens, `log` where it writes what it has to say."""

    process: subprocess.Popen[str]
    url: str
    log: Path | None = None

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """End it, and give its exit status; what it wrote must not be an error of ours."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        status = self.process.wait(20)
        if self.log is not None:
            assert b'"violation":' not in self.log.read_bytes(), self.log.read_text()
        return status


def start_simulator() -> Process:
    process = subprocess.Popen(
        [sys.executable, "-c", _SIMULATOR], cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as said:
        url = said.readline().strip()
    assert url.startswith("http://"), process.wait(20)
    return Process(process, url)


def start_gateway(database: Path, upstream_url: str, log: Path, **environ: str) -> Process:
    """Start a gateway that proofreads what it streams; its log goes to a file."""
    given = {
        "PATH": os.environ["PATH"],
        "ASTROLABE_SECRET_KEY": SECRET,
        "ASTROLABE_DATABASE_URL": f"sqlite:///{database}",
        "ASTROLABE_UPSTREAM_URL": upstream_url,
        "ASTROLABE_PORT": "0",
        "ASTROLABE_DEBUG": "1",
        # Here one model fails again and again, on purpose.
        "ASTROLABE_CIRCUITS": "off",
        "OPENROUTER_API_KEY": "canary-provider-key",
        **environ,
    }
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _GATEWAY],
            cwd=ROOT,
            env=given,
            text=True,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    with process.stdout as said:
        url = said.readline().strip()
    assert url.startswith("http://"), log.read_text()
    return Process(process, url, log)


def questions(control: str) -> list[Any]:
    """Give the calls of a provider's journal that were a caller's: no look-up, no verifier's."""
    found: list[Any] = httpx.get(f"{control}/journal").json()["calls"]
    return [
        call
        for call in found
        if call["method"] == "POST" and SCHEMA_NAME not in json.dumps(call["body"])
    ]


def settings_of(database: Path) -> Settings:
    return Settings(secret_key=SECRET, database_url=f"sqlite:///{database}")


def with_service(database: Path, work: Callable[[Service], Awaitable[T]]) -> T:
    """Do something with the accounts of a database, as a command would."""

    async def run() -> T:
        service = await open_service(settings_of(database))
        try:
            return await work(service)
        finally:
            await service.close()

    return anyio.run(run)


def make_account(
    database: Path, credit: str, terms: KeyTerms | None = None
) -> tuple[WorkspaceId, str]:
    """Make a workspace with credit and a key; give its id and the key's secret."""

    async def work(service: Service) -> tuple[WorkspaceId, str]:
        workspace = await service.create_workspace("test")
        assert isinstance(workspace, Workspace)
        if usd(credit):
            await service.grant_credit(workspace.id, usd(credit))
        key = await service.create_key(workspace.id, terms)
        assert isinstance(key, NewKey)
        return workspace.id, key.secret

    return with_service(database, work)


def balance(database: Path, workspace: WorkspaceId) -> ledger.Wallet:
    async def work(service: Service) -> ledger.Wallet:
        wallet = await service.balance(workspace)
        assert isinstance(wallet, ledger.Wallet)
        return wallet

    return with_service(database, work)


def wait_until_settled(database: Path) -> None:
    """Wait until nothing is held: a caller who left before may be settled by its provider's record.

    As long as such a record is waited for, and a little; what is held then is a matter of the test.
    """
    deadline = time.monotonic() + PATIENCE_LEFT_MS / 1_000 + 5
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        while time.monotonic() < deadline:
            (held,) = connection.execute("SELECT total(held) FROM wallets").fetchone()
            if not held:
                return
            time.sleep(0.05)


def differences(database: Path) -> Any:
    """Recompute the ledger of a database from its journal."""
    return anyio.run(verify_ledger, settings_of(database))
