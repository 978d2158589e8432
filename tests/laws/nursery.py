"""How do many short runs of pytest, each over a tree of its own, start quickly?

A script. It imports pytest and its plugins once and forks a child for each run: 0.3 s in place of
1.3 s. It imports nothing of the project, so that each child imports what stands in its own tree.
Standard input is JSON: `{"at_once": 2, "seconds_max": 60, "runs": [{"root": "…", "args": []}]}`;
standard output is JSON: `[exit code, output]` for each run, in order. A child that was killed, by
its own alarm too, has the negative number of the signal.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import pytest

PRELOADED = (
    *("_hypothesis_pytestplugin", "anyio.pytest_plugin", "hypothesis.stateful"),
    *("pytest_cov.plugin", "pytest_timeout"),
)


def born(root: str, args: list[str], output: Path, seconds_max: int) -> int:
    """Fork a child that runs pytest over the tree, and give its process id."""
    child = os.fork()
    if child:
        return child
    code = -1
    try:  # whatever happens, the child ends here and never in the parent's code
        signal.alarm(seconds_max)
        os.chdir(root)
        sys.path[0] = root
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = int(pytest.main(args))
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_all(runs: list[dict[str, Any]], at_once: int, seconds_max: int) -> list[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as kept:
        outputs = [Path(kept) / str(number) for number in range(len(runs))]
        waiting, alive, codes = list(range(len(runs))), dict[int, int](), dict[int, int]()
        while waiting or alive:
            while waiting and len(alive) < at_once:
                number = waiting.pop(0)
                run = runs[number]
                alive[born(run["root"], run["args"], outputs[number], seconds_max)] = number
            child, status = os.wait()
            codes[alive.pop(child)] = os.waitstatus_to_exitcode(status)
        return [
            (codes[number], output.read_text("utf-8", "replace"))
            for number, output in enumerate(outputs)
        ]


if __name__ == "__main__":
    for plugin in PRELOADED:
        importlib.import_module(plugin)
    asked = json.load(sys.stdin)
    json.dump(run_all(asked["runs"], asked["at_once"], asked["seconds_max"]), sys.stdout)
