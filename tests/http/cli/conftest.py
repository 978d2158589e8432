from __future__ import annotations

from pathlib import Path

import pytest

from tests.http.cli.running import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder without anything in it."""
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def workspace(shell: Shell) -> str:
    """The only workspace of that folder's database."""
    return str(shell.told("workspaces", "create", "ours")["id"])
