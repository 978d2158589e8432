"""The table of faults as a page: `python -m tests.scenarios.page` writes docs/faults.md anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.scenarios.table import Row, retried, rows

PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
HEADINGS: Final = {
    "first": "The first candidate has it",
    "each": "Every candidate has it",
    "named": "A named model has it",
}
_OTHERS: Final = {
    "strict": "first, `strict`",
    "judge": "of verifiers, `strict`",
    "strong": "of verifiers, `strong`",
    "doubted": "once of a verifier, `strict`, `high-quality`",
    "left": "the caller leaves",
}
_INTRODUCTION: Final = """\
# Faults and what follows

What the gateway makes of every fault that the [simulator](simulator.md) knows. The page is written
from `tests/scenarios/faults.toml`, and a test plays each cell against the real server: whole and
streamed, over Chat and over Responses. Afterwards no hold is open, the ledger verifies, and the
next request is healthy.

A cell has the outcome, the attempts, and the money:

- **Outcome.** `ok`, the decision's kind and how verification ended; or the code of the error, with
  `cut` where it comes in a stream that has begun. [Errors](errors.md) has the codes.
- **Attempts.** How each call failed, `answered` where it did not, or the checks that the answer
  failed; before it why the model was asked, unless it was the first or follows by fallback.
  [Attempts](attempts.md) says what follows from what.
- **Money.** `paid`, or why not; after a + what is flagged about it.

Where nothing else is said verification is `light` and a stack tries three models. `strict` is left
out where it changes nothing. Whoever sends the same request again is told `x-should-retry: false`
where that cannot help:
%s.

"""


def page() -> str:
    """Write the whole page."""
    final = ", ".join(f"`{code}`" for code, (_, again) in retried().items() if not again)
    return _INTRODUCTION % final + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f"| Fault | What it does | {' | '.join(HEADINGS.values())} | Otherwise |"
    yield "| --- " * (len(HEADINGS) + 3) + "|"
    for row in rows():
        cells = [_cell(row.situations.get(situation)) for situation in HEADINGS]
        yield f"| `{row.name}` | {row.does} | {' | '.join(cells)} | {_others(row)} |"


def _others(row: Row) -> str:
    told = [
        (name, row.situations[each]) for each, name in _OTHERS.items() if each in row.situations
    ]
    return "<br>".join(f"{name}: {_cell(expected)}" for name, expected in told)


def _cell(told: object) -> str:
    if isinstance(told, Mapping):
        return "<br>".join(f"{words}: {text}" for words, text in told.items())
    return "" if told is None else str(told)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
