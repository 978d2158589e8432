from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from astrolabe_http.cli.sheet import Column, Sheet

ID = "req_01m7zgngsz93bv6hkrg8r2pk2c"


def drawn(sheet: Sheet, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width, highlight=False).print(sheet)
    return out.getvalue()


@pytest.fixture
def sheet() -> Sheet:
    made = Sheet.of(
        "ID",
        Column("Note", prose=True),
        Column("Stack", spare=1),
        Column("At", spare=2),
        Column("Debit", right=True),
    )
    made.add(ID, "a word or two about it", "default-optimizer", "2026-11-21", "$0.000076995")
    made.add("all", "", "", "", "$123456789.000000001", style="bold", sums=True)
    return made


@pytest.mark.parametrize("width", range(30, 141, 5))
def test_ids_and_amounts_are_whole_in_any_width(sheet: Sheet, width: int) -> None:
    text = drawn(sheet, width)
    assert ID in text or width < len(f"Debit  {ID}")
    assert "$0.000076995" in text
    assert "$123456789.000000001" in text
    assert max(map(len, text.splitlines())) <= width


def test_a_wide_terminal_shows_every_column(sheet: Sheet) -> None:
    text = drawn(sheet, 140)
    assert "not shown" not in text
    assert text.split() >= ["ID", "Note", "Stack", "At", "Debit"]


def test_spare_columns_leave_one_by_one_and_are_named(sheet: Sheet) -> None:
    assert "not shown in this width: At\n" in drawn(sheet, 100).replace("  \n", "\n")
    narrower = drawn(sheet, 75)
    assert "not shown in this width: Stack, At" in narrower
    assert "default-optimizer" not in narrower


def test_what_is_no_table_any_more_is_told_row_by_row(sheet: Sheet) -> None:
    lines = drawn(sheet, 40).splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["ID", "Note", "Stack", "At", "Debit"]
    assert "default-optimizer" in lines[2]


def test_a_row_has_as_many_cells_as_columns(sheet: Sheet) -> None:
    with pytest.raises(ValueError, match="2 cells for 5 columns"):
        sheet.add("one", "two")
