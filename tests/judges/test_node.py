"""openai-node and the AI SDK, over Chat and Responses: plain, streamed, tool, structured, cut."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.judges.conftest import BREAKS, Provider, Target

HERE: Final = Path(__file__).with_name("node")
LOCK: Final = HERE / "package-lock.json"
MODULES: Final = HERE / "node_modules"
CLIENTS: Final = ("openai", "ai")
APIS: Final = ("chat", "responses")
TURNS: Final = ("plain", "streamed", "tool", "tool_streamed", "structured", "structured_streamed")

Play = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The packages of the lock, installed once and again when the lock has changed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node here")
    stamp, wanted = MODULES / ".stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run(["npm", "ci", *quiet], cwd=HERE, check=True, timeout=110)
        stamp.write_text(wanted)
    return HERE


@pytest.fixture
def play(installed: Path, target: Target) -> Play:
    """Have a client take turns; what came of each."""

    def play(client: str, api: str, *turns: str) -> dict[str, Any]:
        done = subprocess.run(
            ["node", "--import", "./loopback.mjs", f"{client}.mjs", *turns],
            cwd=installed,
            env={
                "PATH": os.environ["PATH"],
                "API": api,
                "BASE_URL": target.url,
                "API_KEY": target.key,
                "MODEL": target.model,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return play


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_turn_is_taken(play: Play, client: str, api: str) -> None:
    told = play(client, api, *TURNS)
    assert {turn: said["error"] for turn, said in told.items() if "error" in said} == {}
    plain, streamed = told["plain"], told["streamed"]
    assert "ledger" in plain["text"]
    assert plain["tokens"] == streamed["tokens"] > 0
    assert len(streamed["pieces"]) > 1
    assert "".join(streamed["pieces"]) == streamed["text"] == plain["text"]
    for turn in ("tool", "tool_streamed"):
        assert told[turn]["called"] == [{"city": "Ulm"}]
        assert "It snows in Ulm." in told[turn]["text"]
    for turn in ("structured", "structured_streamed"):
        assert isinstance(told[turn]["score"], int | float)
        assert isinstance(told[turn]["reasons"], list)


@pytest.mark.parametrize("fault", BREAKS)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_that_breaks_raises(
    play: Play, provider: Provider, client: str, api: str, fault: str
) -> None:
    provider.order(fault)
    turns = ["streamed", "tool_streamed", "structured_streamed"]
    if (client, api) == ("openai", "responses"):
        turns.append("iterated")  # the events one by one, without the SDK's own assembling
    told = play(client, api, *turns)
    for turn, said in told.items():
        assert "error" in said, turn
        assert "the provider" in said["error"]["message"], turn


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK.read_text()


def test_a_program_that_leaves_the_machine_ends_in_failure(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "reports_home.mjs"
    home.write_text('await fetch("http://192.0.2.1/").catch(() => undefined);\n')
    done = subprocess.run(
        ["node", "--import", str(installed / "loopback.mjs"), str(home)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 97, done.stderr
    assert "192.0.2.1" in done.stderr
