from __future__ import annotations

from pathlib import Path

import pytest

from astrolabe_http.simulator.faults import FAULTS, Fault, FaultKind, Faults, UnknownFault, parse

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def row(kind: FaultKind) -> str:
    forms = " ".join(f"`{form}`" for form in kind.forms)
    amount = "" if kind.number is None else f" (N is {kind.number} where not written)"
    return f"| {forms} | {kind.meaning}{amount} | {kind.wire} |"


def test_the_page_lists_every_fault_as_the_table_does_and_no_other() -> None:
    written = PAGE.read_text(encoding="utf-8").split("| Fault | Meaning | On the wire |\n")[1]
    rows = written.split("\n\n")[0].splitlines()[1:]
    assert rows == [row(kind) for kind in FAULTS]


def test_names_are_unique() -> None:
    names = [kind.name for kind in FAULTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name)
def test_every_form_of_every_fault_is_read(kind: FaultKind) -> None:
    for form in kind.forms:
        found = parse(form.replace("-N", "-5"))
        assert isinstance(found, Faults)
        assert kind.name in found


def test_a_number_a_word_and_several_are_read() -> None:
    assert parse("drip-50+429-date+false-usage-text") == Faults(
        (Fault("drip", 50, given=True), Fault("429", 1, "date"), Fault("false-usage", 0, "text"))
    )


@pytest.mark.parametrize("text", ["", "nonsense", "418", "cut-x", "empty-3", "cut-3+", "-3"])
def test_anything_else_is_unknown(text: str) -> None:
    assert isinstance(parse(text), UnknownFault)


def test_a_fault_is_written_as_it_is_read() -> None:
    found = parse("cut-3+false-usage-null+empty")
    assert str(found) == "cut-3+false-usage-null+empty"
