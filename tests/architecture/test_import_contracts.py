"""The import contracts of `.importlinter` hold, and each is broken by an import that it forbids."""

from __future__ import annotations

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.architecture.modules import PACKAGES, ROOT

# A contract, and a line at the end of a module that must break it.
FAULTS = [
    ("core-layers", "astrolabe_core/money.py", "import astrolabe_core.stacks"),
    ("core-layers", "astrolabe_core/stacks.py", "import astrolabe_core.ledger"),
    ("core-layers", "astrolabe_core/a_new_module.py", "PLACED = False"),
    ("packages", "astrolabe_core/money.py", "import astrolabe_http"),
    ("packages", "astrolabe_core/money.py", "import astrolabe_storage"),
    ("packages", "astrolabe_http/app.py", "import astrolabe_storage"),
    ("packages", "astrolabe_storage/memory.py", "import astrolabe_http"),
    ("wiring", "astrolabe_http/app.py", "import astrolabe_http.wiring"),
    ("acyclic", "astrolabe_core/money.py", "import astrolabe_core.catalog"),
    ("policy-through-the-flow", "astrolabe_http/app.py", "import astrolabe_core.decide"),
    ("policy-through-the-flow", "astrolabe_storage/memory.py", "import astrolabe_core.pricing"),
    ("core-externals", "astrolabe_core/stacks.py", "import httpx"),
    ("core-externals", "astrolabe_core/stacks.py", "import starlette.types"),
    ("core-externals", "astrolabe_core/stacks.py", "import sqlite3"),
    ("core-externals", "astrolabe_core/stacks.py", "import time"),
    ("core-externals", "astrolabe_core/driver.py", "import asyncio"),
    ("anyio-only-in-driver", "astrolabe_core/stacks.py", "import anyio"),
    ("cattrs-only-in-codec", "astrolabe_core/stacks.py", "import cattrs"),
    ("cattrs-only-in-codec", "astrolabe_http/app.py", "import cattrs"),
    ("hypothesis-only-in-testing", "astrolabe_core/stacks.py", "import hypothesis"),
    ("hypothesis-only-in-testing", "astrolabe_storage/memory.py", "import pytest"),
    ("httpx-only-in-upstream", "astrolabe_http/app.py", "import httpx"),
    ("jsonschema-rs-only-in-schemas", "astrolabe_http/surface.py", "import jsonschema_rs"),
    ("sqlite3-only-in-its-backend", "astrolabe_storage/memory.py", "import sqlite3"),
    ("sqlite3-only-in-its-backend", "astrolabe_http/app.py", "import sqlite3"),
    ("wire-sans-io", "astrolabe_http/sse.py", "import starlette.types"),
    ("wire-sans-io", "astrolabe_http/wire/chat.py", "import time"),
    ("wire-sans-io", "astrolabe_http/openapi/document.py", "import os"),
    ("storage-externals", "astrolabe_storage/memory.py", "import starlette.types"),
]


def lint_imports(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the packages that stand in the directory."""
    command = Path(sys.executable).with_name("lint-imports")
    limits = [f"--contract={contract}" for contract in contracts]
    return subprocess.run(
        [command, "--no-cache", "--no-logo", *limits],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def contracts() -> dict[str, str]:
    """Give the name of each contract by its id."""
    configuration = ConfigParser()
    configuration.read(ROOT / ".importlinter")
    marker = "importlinter:contract:"
    return {
        section.removeprefix(marker): configuration[section]["name"]
        for section in configuration.sections()
        if section.startswith(marker)
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the packages and their contracts to where a fault does no harm."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=lambda *_: {"__pycache__"})
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(("contract", "path", "line"), FAULTS)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, contract: str, path: str, line: str
) -> None:
    with (copy / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    run = lint_imports(copy, contract)
    assert f"{contracts()[contract]} BROKEN" in run.stdout, run.stdout + run.stderr
    assert run.returncode == 1


def test_every_contract_has_been_seen_to_break() -> None:
    assert {contract for contract, _, _ in FAULTS} == set(contracts())
