"""Run a soak: `python -m tests.soak --minutes 5`; exits 1 where anything is wrong."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from tests.soak.soaking import soak


def _say(to: TextIO, line: str) -> None:
    to.write(f"{line}\n")
    to.flush()


def main() -> int:
    """Run it, show how it goes, and tell what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=5.0)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    seconds = asked.minutes * 60 if asked.seconds is None else asked.seconds
    report = soak(seconds, asked.seed, lambda line: _say(sys.stderr, line))
    _say(sys.stdout, "\n".join(report.lines()))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
