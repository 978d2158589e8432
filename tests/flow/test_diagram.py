"""The diagram in the docs is the table in the code."""

from pathlib import Path

from astrolabe_core.flow import TRANSITIONS
from tests.flow.diagram import arrows, diagram

PAGE = Path(__file__).parents[2] / "docs" / "flow.md"


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    """Run `python -m tests.flow.diagram` and paste what it prints."""
    assert diagram() in PAGE.read_text(encoding="utf-8")


def test_the_diagram_shows_every_transition() -> None:
    """No entry of the table is left out."""
    shown = {(state, event) for state, event, _ in arrows()}
    assert shown == {(state.__name__, event.__name__) for state, event in TRANSITIONS}


def test_no_arrow_leads_from_streaming_to_calling() -> None:
    """Once content reached the caller nothing falls back."""
    after = {"Streaming"}
    while after != (reached := after | {to for state, _, to in arrows() if state in after}):
        after = reached
    assert after == {"Streaming", "Reviewing", "Consulting", "Settling", "Done"}
