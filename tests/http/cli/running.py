"""The command line as its users run it: in this process, as a process, and as one that stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from click.testing import CliRunner, Result

from astrolabe_http.cli.root import astrolabe

ROOT = Path(__file__).parents[3]
SECRET = "a secret of thirty-two characters"
TIMEOUT_S = 60


@define
class Shell:
    """A folder with a database of its own, and nothing of the machine's environment."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'accounts.db'}"

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "ASTROLABE_DATABASE_URL": self.database,
            "ASTROLABE_SECRET_KEY": SECRET,
            "ASTROLABE_LOG_FORMAT": "off",
            "ASTROLABE_DEBUG": "1",
            **more,
        }

    def run(self, *words: str, stdin: str | None = None, **more: str) -> Result:
        """Run a command in this process."""
        with self.monkeypatch.context() as patched:
            for name in list(os.environ):
                if name.startswith(("ASTROLABE_", "OPENROUTER_")) or name == "COLUMNS":
                    patched.delenv(name)
            for name, value in self.environment(**more).items():
                patched.setenv(name, value)
            patched.chdir(self.folder)
            return CliRunner().invoke(astrolabe, list(words), input=stdin, prog_name="astrolabe")

    def told(self, *words: str, stdin: str | None = None, **more: str) -> Any:
        """Run a command that is to be done, and give its one object."""
        result = self.run(*words, "-o", "json", stdin=stdin, **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def process(
        self, *words: str, stdin: str | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own."""
        ran = subprocess.run(
            [sys.executable, "-m", "astrolabe_http", *words],
            cwd=self.folder,
            env=self.environment(**more),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert '"violation":' not in ran.stderr, ran.stderr
        return ran

    @contextlib.contextmanager
    def staying(self, *words: str, **more: str) -> Iterator[Staying]:
        """Run a command that stays, from its first object on; it must end well."""
        with subprocess.Popen(
            [sys.executable, "-m", "astrolabe_http", *words, "-o", "json"],
            cwd=self.folder,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            staying = Staying(process)
            try:
                yield staying
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                try:
                    _, staying.messages = process.communicate(timeout=TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
        assert process.returncode == 0, staying.messages
        assert '"violation":' not in staying.messages, staying.messages


@define
class Staying:
    """A command that stays."""

    process: subprocess.Popen[str]
    messages: str = ""

    def first(self) -> Any:
        """Read the one object that it prints."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("}"):
                return json.loads("".join(lines))
        raise AssertionError("".join(lines) or "it printed nothing")
