"""The generated part of docs/wire.md: what becomes of every field, part, item and tool.

`uv run python -m tests.http.wire.manual` writes it anew; a test holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from astrolabe_http.wire.chat_fields import CHAT_FIELDS, CHAT_REASONING, MESSAGE_FIELDS
from astrolabe_http.wire.common_fields import CACHE_OPTIONS, COMMON_FIELDS, STREAM_OPTIONS, TOOLS
from astrolabe_http.wire.parts import PARTS
from astrolabe_http.wire.responses_fields import (
    INCLUDED,
    RESPONSES_FIELDS,
    RESPONSES_REASONING,
    TEXT,
)
from astrolabe_http.wire.responses_input import ITEMS
from astrolabe_http.wire.rulings import FATES, Fate, Ruling, Rulings
from tests.docs.generated import embedded

PAGE = Path(__file__).parents[3] / "docs" / "wire.md"
_ORDER = (Fate.CARRIED, Fate.RESHAPED, Fate.READ, Fate.DROPPED, Fate.REFUSED)


def parts() -> dict[str, str]:
    """Give each generated part of the page under its mark."""
    nested = {
        "prompt_cache_options": CACHE_OPTIONS,
        "stream_options": STREAM_OPTIONS,
        "reasoning": CHAT_REASONING,
    }
    return {
        "fates": "\n".join(_fates()),
        "common fields": "\n".join(_table(COMMON_FIELDS, _inner(nested, COMMON_FIELDS))),
        "chat fields": "\n".join(_table(_own(CHAT_FIELDS), _inner(nested, _own(CHAT_FIELDS)))),
        "messages": "\n".join(_table(MESSAGE_FIELDS)),
        "responses fields": "\n".join(
            _table(_own(RESPONSES_FIELDS), {"text": TEXT, "reasoning": RESPONSES_REASONING})
        ),
        "include": "\n".join(_table(INCLUDED)),
        "parts": "\n".join(_table(PARTS)),
        "items": "\n".join(_table(ITEMS)),
        "tools": "\n".join(_table(TOOLS)),
    }


def _own(table: Rulings) -> Rulings:
    """The fields that only one format has."""
    return {name: ruling for name, ruling in table.items() if COMMON_FIELDS.get(name) != ruling}


def _inner(nested: Mapping[str, Rulings], table: Rulings) -> Mapping[str, Rulings]:
    return {name: inner for name, inner in nested.items() if name in table}


def _fates() -> Iterator[str]:
    yield "| Fate | Means |"
    yield "| --- | --- |"
    for fate in _ORDER:
        yield f"| {fate} | {FATES[fate]} |"


def _table(table: Rulings, nested: Mapping[str, Rulings] | None = None) -> Iterator[str]:
    """Write a table, one line for all names that share a decision."""
    rows: dict[tuple[Fate, str], list[str]] = {}
    for name, ruling in _flat(table, nested or {}):
        rows.setdefault((ruling.fate, _said(ruling)), []).append(f"`{name}`")
    yield "| What | Fate | Why, or what to do |"
    yield "| --- | --- | --- |"
    for (fate, said), names in sorted(rows.items(), key=lambda row: _ORDER.index(row[0][0])):
        yield f"| {' '.join(names)} | {fate} | {said} |"


def _flat(table: Rulings, nested: Mapping[str, Rulings]) -> Iterator[tuple[str, Ruling]]:
    for name, ruling in table.items():
        yield name, ruling
        for inner, each in nested.get(name, {}).items():
            yield f"{name}.{inner}", each


def _said(ruling: Ruling) -> str:
    marks = []
    if ruling.demands is not None:
        marks.append("demanded of the host")
    if ruling.told_back:
        marks.append("told back")
    return "; ".join([part for part in (ruling.note, *marks) if part])


if __name__ == "__main__":
    PAGE.write_text(embedded(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")
