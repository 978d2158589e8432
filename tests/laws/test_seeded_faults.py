"""Each seeded fault of `faults.py` makes a test of the suite fail, and without it they pass.

A suite that looks sensible may catch two faults of ten; so that is measured. Each fault is put into
a copy of the core, and the tests that it names run over that copy in a process of their own, two at
a time, with fewer examples and without shrinking.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.architecture.modules import ROOT
from tests.laws.faults import FAULTS, Fault

AT_ONCE = 2
SECONDS_MAX = 60
PASSED, FAILED = 0, 1  # pytest's exit codes; a module that does not import is another one
COPIED = ("astrolabe_core", "tests/core", "tests/laws", "tests/oracle", "tests/flow")
HASTE = """
from hypothesis import Phase, settings

settings.register_profile(
    "haste", settings.get_profile("suite"), max_examples=40, phases=[Phase.explicit, Phase.generate]
)
"""

Verdict = tuple[int, str]
"""An exit code of pytest and what it said."""


def copied(into: Path) -> Path:
    """Copy what the tests of the laws need, so that they import the copy and nothing else."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, into / name)  # compiled modules are welcome
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, into / name)
    with (into / "tests/conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(HASTE)
    return into


def seeded(into: Path, fault: Fault) -> Path:
    """Copy, and put the fault into the copy."""
    file = copied(into) / fault.module
    source = file.read_text("utf-8")
    assert source.count(fault.old) == 1, f"{fault.module}: not exactly once: {fault.old}"
    file.write_text(source.replace(fault.old, fault.new), "utf-8")
    return into


def judged(runs: Sequence[tuple[Path, Sequence[str]]]) -> list[Verdict]:
    """Run tests over each tree, up to the first that fails."""
    said = ["-x", "-q", "--no-header", "--tb=short", "--hypothesis-profile=haste"]
    said.append("--assert=plain")  # plugins that are loaded already cannot be rewritten
    asked = {
        "at_once": AT_ONCE,
        "seconds_max": SECONDS_MAX,
        "runs": [{"root": str(root), "args": [*said, *tests]} for root, tests in runs],
    }
    nursery = subprocess.run(
        [sys.executable, ROOT / "tests/laws/nursery.py"],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS_MAX * (1 + len(runs)),
    )
    return [(code, output) for code, output in json.loads(nursery.stdout)]


@pytest.fixture(scope="module")
def verdicts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Verdict]:
    """Judge every fault that this session asks for."""
    asked = {item.name for item in request.session.items}
    wanted = [fault for fault in FAULTS if f"test_the_suite_catches[{fault.name}]" in asked]
    trees = [seeded(tmp_path_factory.mktemp("fault"), fault) for fault in wanted]
    found = judged([(tree, fault.caught_by) for tree, fault in zip(trees, wanted, strict=True)])
    for tree in trees:
        shutil.rmtree(tree)
    return {fault.name: verdict for fault, verdict in zip(wanted, found, strict=True)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_suite_catches(fault: Fault, verdicts: dict[str, Verdict]) -> None:
    code, output = verdicts[fault.name]
    assert code == FAILED, output


def test_without_a_fault_the_same_tests_pass(tmp_path: Path) -> None:
    tests = sorted({test for fault in FAULTS for test in fault.caught_by})
    ((code, output),) = judged([(copied(tmp_path), tests)])
    assert code == PASSED, output


def test_the_tests_over_a_copy_import_the_copy(tmp_path: Path) -> None:
    (copied(tmp_path) / "astrolabe_core/money.py").write_text("NONE_OF_OURS = True\n", "utf-8")
    ((code, output),) = judged([(tmp_path, ["tests/core/test_money.py"])])
    assert code not in {PASSED, FAILED}
    assert "cannot import name" in output


def test_no_two_faults_have_the_same_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
