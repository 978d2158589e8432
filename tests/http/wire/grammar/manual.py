"""The generated part of docs/wire.md: the grammar of streams.

`uv run python -m tests.http.wire.grammar.manual` writes it anew; a test holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from astrolabe_http.wire.grammar import SAYS, chat_table, responses_table
from astrolabe_http.wire.grammar.states import Row
from tests.docs.generated import embedded

PAGE = Path(__file__).parents[4] / "docs" / "wire.md"


def parts() -> dict[str, str]:
    """Give each generated part of the page under its mark."""
    return {
        "responses": "\n".join(_table(responses_table.ROWS)),
        "chat": "\n".join(_table(chat_table.ROWS)),
        "rules": "\n".join(_rules()),
    }


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    yield "| Event | Moves | From | To | Carries |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        before = " or ".join(row.before)
        after = row.after if row.within is None else f"{row.after}, with all within {row.within}"
        carries = ", ".join(f"`{name}`" for name in row.fields) or "nothing"
        yield f"| `{row.event}` | {row.of} | {before} | {after} | {carries} |"


def _rules() -> Iterator[str]:
    yield "| Rule | Says |"
    yield "| --- | --- |"
    for rule, says in SAYS.items():
        yield f"| `{rule}` | {says} |"


if __name__ == "__main__":
    PAGE.write_text(embedded(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")
