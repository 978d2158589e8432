"""Every example runs offline and prints something worth reading."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_the_list_of_examples_is_the_folder() -> None:
    """The README names each file once."""
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for example in EXAMPLES:
        assert listed.count(f"]({example.name})") == 1, example.name
    assert listed.count(".py`](") == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_ends_with_something_to_read(example: Path, tmp_path: Path) -> None:
    """In a process and a folder of its own, with warnings as errors."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "CI": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.strip().splitlines()) >= 5
    assert ran.stderr == ""
