"""Run benchmarks: `python -m tests.bench [NAME ...] [-o json]`; all of them without a name.

Prints each ratio beside its bar and exits 1 where one does not hold. Each pair is measured in
turn in this run, so that a busy machine slows both.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from tests.bench.report import Measured

HELPERS = {"__init__", "__main__", "passthrough", "processes", "relay", "report", "streamer"}


def main() -> int:
    """Run what was asked for and tell it."""
    known = sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in HELPERS
    )
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(known)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    found: list[Measured] = []
    for name in asked.names or known:
        print(f"measuring {name} ...", file=sys.stderr)
        found.extend(importlib.import_module(f"tests.bench.{name}").run())
    print(_json(found) if asked.output == "json" else "\n\n".join(map(_told, found)))
    return 0 if all(measured.holds for measured in found) else 1


def _told(measured: Measured) -> str:
    side = "at most" if measured.at_most else "at least"
    verdict = "holds" if measured.holds else "DOES NOT HOLD"
    lines = [
        f"{measured.name}: {measured.ratio:.2f} x ({side} {measured.bar:g}): {verdict}",
        f"  {measured.claim}",
    ]
    return "\n".join(lines + [f"  {label}: {figure}" for label, figure in measured.figures])


def _json(found: list[Measured]) -> str:
    return json.dumps(
        [
            {
                "name": measured.name,
                "claim": measured.claim,
                "ratio": round(measured.ratio, 3),
                "bar": measured.bar,
                "at_most": measured.at_most,
                "holds": measured.holds,
                "figures": dict(measured.figures),
            }
            for measured in found
        ],
        indent=2,
    )


if __name__ == "__main__":
    sys.exit(main())
