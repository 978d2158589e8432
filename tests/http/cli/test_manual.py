"""docs/cli.md says what the commands say of themselves, and getting-started.md works."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from astrolabe_http.settings import OPTIONS
from tests.docs.generated import embedded
from tests.http.cli.manual import MEANINGS, PAGE, help_of, parts, verbs
from tests.http.cli.running import ROOT

REMAKE = "run: uv run python -m tests.http.cli.manual"
PROMISED = {
    "demo",
    "serve",
    "simulator",
    "init",
    "doctor",
    "workspaces create",
    "workspaces list",
    "workspaces show",
    "workspaces suspend",
    "workspaces activate",
    "keys create",
    "keys list",
    "keys show",
    "keys revoke",
    "credits grant",
    "credits balance",
    "credits ledger",
    "route",
    "traces show",
    "usage",
    "models list",
    "models show",
    "ledger verify",
}


def test_the_page_says_what_the_commands_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == embedded(page, parts()), REMAKE


def test_every_promised_command_is_there() -> None:
    assert {" ".join(words) for words in verbs()} == PROMISED


@pytest.mark.parametrize("words", [*verbs()], ids=" ".join)
def test_every_command_takes_a_database_and_either_output(words: tuple[str, ...]) -> None:
    said = help_of(words)
    assert "--database URL" in said
    assert "-o, --output [table|json]" in said


def test_every_setting_has_its_meaning() -> None:
    assert MEANINGS.keys() == {option.field for option in OPTIONS}


SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STAYS = re.compile(r"^astrolabe (serve|simulator)$", re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page is written for curl")
@pytest.mark.timeout(180)
def test_the_first_steps_work_as_they_are_written(tmp_path: Path) -> None:
    """All shell blocks of the page in one shell; what stays is put into the background."""
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    blocks = [block for block in SHELL.findall(page) if "pip install" not in block]
    text = "\n".join(blocks).replace("uv run astrolabe", "astrolabe")
    assert len(STAYS.findall(text)) == 2
    text = STAYS.sub(r"astrolabe \1 & wait_for_\1", text)
    serving, simulating = free_port(), free_port()
    text = text.replace("8080", str(serving)).replace("8090", str(simulating))
    script = f"""
set -euo pipefail
up() {{ curl -s --retry 80 --retry-connrefused --retry-delay 1 -o /dev/null "$1"; }}
wait_for_serve() {{ up http://127.0.0.1:{serving}/health; }}
wait_for_simulator() {{ up http://127.0.0.1:{simulating}/api/v1/models; }}
{text}
echo all of it
kill -TERM $(jobs -p); wait
"""
    script = script.replace("astrolabe simulator &", f"astrolabe simulator --port {simulating} &")
    command = tmp_path / "bin" / "astrolabe"
    command.parent.mkdir()
    # A process and no function of the shell: what is put into the background is to be stopped.
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m astrolabe_http "$@"\n')
    command.chmod(0o755)
    environ = {
        "PATH": f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ASTROLABE_PORT": str(serving),
        "ASTROLABE_LOG_FORMAT": "off",
        "ASTROLABE_DEBUG": "1",
    }
    with subprocess.Popen(
        ["/bin/bash", "-c", script],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as ran:
        try:
            told, messages = ran.communicate(timeout=90)
        finally:
            # Whatever is left of its own group, and nothing else.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ran.pid, signal.SIGKILL)
    assert "all of it" in told, told + messages
    assert ran.returncode == 0, messages
    assert "Traceback" not in messages
    assert '"violation":' not in messages
    assert "ok: every balance is what its journal says" in told


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
