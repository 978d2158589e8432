"""Each seeded fault of `faults.py` makes a test of the suite fail, and without it they pass.

A suite that looks sensible may catch two faults of ten; so that is measured. Each fault is put into
a copy of the core, and the tests that it names run over that copy in a process of their own, two at
a time, with fewer examples and without shrinking.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.architecture.modules import ROOT
from tests.laws.faults import FAULTS, Fault

AT_ONCE = 2
PASSED, FAILED = 0, 1  # pytest's exit codes; a module that does not import is another one
COPIED = ("astrolabe_core", "tests/core", "tests/laws", "tests/oracle", "tests/flow")
HASTE = """
from hypothesis import Phase, settings

settings.register_profile(
    "haste", settings.get_profile("suite"), max_examples=40, phases=[Phase.explicit, Phase.generate]
)
"""

Verdict = subprocess.CompletedProcess[str]


def copied(into: Path) -> Path:
    """Copy what the tests of the laws need, so that they import the copy and nothing else."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("test_seeded_faults.py")  # compiled modules are welcome
            shutil.copytree(ROOT / name, into / name, ignore=ignored)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, into / name)
    with (into / "tests/conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(HASTE)
    return into


def judged(root: Path, *tests: str) -> Verdict:
    """Run the tests over the copy, up to the first that fails."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no"),
            *("--hypothesis-profile=haste", *tests),
        ],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def seeded(root: Path, fault: Fault) -> Verdict:
    """Put the fault into a copy and run the tests that must catch it."""
    file = copied(root) / fault.module
    source = file.read_text("utf-8")
    assert source.count(fault.old) == 1, f"{fault.module}: not exactly once: {fault.old}"
    file.write_text(source.replace(fault.old, fault.new), "utf-8")
    verdict = judged(root, *fault.caught_by)
    shutil.rmtree(root)
    return verdict


@pytest.fixture(scope="module")
def verdicts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Verdict]]]:
    """Run every fault that this session asks for, a few at a time."""
    asked = {item.name for item in request.session.items}
    wanted = [fault for fault in FAULTS if f"test_the_suite_catches[{fault.name}]" in asked]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            fault.name: pool.submit(seeded, tmp_path_factory.mktemp("fault"), fault)
            for fault in wanted
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_suite_catches(fault: Fault, verdicts: dict[str, Future[Verdict]]) -> None:
    verdict = verdicts[fault.name].result()
    assert verdict.returncode == FAILED, verdict.stdout + verdict.stderr


def test_without_a_fault_the_same_tests_pass(tmp_path: Path) -> None:
    tests = sorted({test for fault in FAULTS for test in fault.caught_by})
    verdict = judged(copied(tmp_path), *tests)
    assert verdict.returncode == PASSED, verdict.stdout + verdict.stderr


def test_the_tests_over_a_copy_import_the_copy(tmp_path: Path) -> None:
    (copied(tmp_path) / "astrolabe_core/money.py").write_text("NONE_OF_OURS = True\n", "utf-8")
    verdict = judged(tmp_path, "tests/core/test_money.py")
    assert verdict.returncode not in {PASSED, FAILED}


def test_no_two_faults_have_the_same_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
