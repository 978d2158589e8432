"""A plain run fails for a core not covered, for a warning, and for a test that hangs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.modules import ROOT

PLACE = "tests/core/test_signs.py"
ALONE = "-n0"
"""One process is enough to see the rest, and takes less time."""
CORE = """
def sign(x: int) -> int:
    if x < 0:
        return -1
    return 1
"""
TESTS = """
from astrolabe_core.signs import sign

def test_positive():
    assert sign(1) == 1
"""
TESTS_OF_THE_REST = """
def test_negative():
    assert sign(-1) == -1
"""
TESTS_WITH_A_WARNING = """
import warnings

def test_warns():
    warnings.warn("old", DeprecationWarning)
"""
TESTS_THAT_TELL = """
import os, sys
from astrolabe_core.signs import sign

def test_is_shared_out():
    assert os.environ["PYTEST_XDIST_WORKER"]

def test_is_traced():
    assert sys.gettrace() is not None
"""
TESTS_THAT_ARE_NOT_TRACED = """
import sys

def test_is_not_traced():
    assert sys.gettrace() is None
"""
TESTS_WITH_ADDRESSES = """
import pytest

@pytest.mark.parametrize("thing", [object()], ids=repr)
def test_nobody_knows(thing):
    assert thing
"""
TESTS_THAT_HANG = """
import threading

def test_hangs():
    threading.Event().wait(30)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Lay out a small project under the configuration of this one."""
    (tmp_path / "tests/core").mkdir(parents=True)
    (tmp_path / "astrolabe_core").mkdir()
    (tmp_path / "astrolabe_core/__init__.py").touch()
    (tmp_path / "astrolabe_core/signs.py").write_text(CORE)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    return tmp_path


def run(project: Path, tests: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (project / PLACE).write_text(tests)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # All that is installed takes 2 s to load, in each process.
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = ("-p", "pytest_cov.plugin", "-p", "pytest_timeout", "-p", "xdist.plugin")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_branch_of_the_core_that_no_test_takes_fails_the_plain_run(project: Path) -> None:
    result = run(project, TESTS)
    assert "Required test coverage of 100% not reached" in result.stdout, result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED


def test_naming_the_whole_suite_is_a_plain_run(project: Path) -> None:
    assert run(project, TESTS, "tests/", ALONE).returncode == pytest.ExitCode.TESTS_FAILED


def test_a_covered_core_passes_the_plain_run(project: Path) -> None:
    result = run(project, TESTS + TESTS_OF_THE_REST)
    assert "Required test coverage of 100% reached" in result.stdout, result.stdout
    assert result.returncode == pytest.ExitCode.OK


def test_only_the_core_s_own_tests_answer_for_it(project: Path) -> None:
    (project / "tests/http").mkdir()
    elsewhere = TESTS.splitlines()[1] + TESTS_OF_THE_REST
    (project / "tests/http/test_more_signs.py").write_text(elsewhere)
    assert "not reached" in run(project, TESTS, ALONE).stdout


@pytest.mark.parametrize("arguments", [["-k", "positive"], [PLACE], ["--no-cov"]], ids=" ".join)
def test_a_part_of_the_suite_need_not_cover_the_core(project: Path, arguments: list[str]) -> None:
    result = run(project, TESTS, *arguments, ALONE)
    assert result.returncode == pytest.ExitCode.OK, result.stdout + result.stderr


def test_a_plain_run_is_shared_out_and_traces_the_core_s_own_tests_alone(project: Path) -> None:
    """A second tracer in the workers, which nothing paused, once took half as much time again."""
    (project / "tests/http").mkdir()
    (project / "tests/http/test_quick.py").write_text(TESTS_THAT_ARE_NOT_TRACED)
    told = TESTS + TESTS_OF_THE_REST + TESTS_THAT_TELL
    result = run(project, told)
    assert result.returncode == pytest.ExitCode.OK, result.stdout
    alone = run(project, told, "-n", "0")
    assert "test_is_shared_out" in alone.stdout
    assert alone.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_name_that_is_another_one_in_each_process_is_refused_by_name(project: Path) -> None:
    result = run(project, TESTS_WITH_ADDRESSES, "-k", "nobody", ALONE)
    assert "an address is in its name" in result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR


def test_a_warning_fails_the_run(project: Path) -> None:
    result = run(project, TESTS + TESTS_OF_THE_REST + TESTS_WITH_A_WARNING, ALONE)
    assert "DeprecationWarning: old" in result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_test_that_hangs_fails_the_run(project: Path) -> None:
    result = run(project, TESTS_THAT_HANG, "-k", "hangs", "--timeout=1", ALONE)
    assert "Timeout" in result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
