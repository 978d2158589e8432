"""docs/wire.md says the grammar that streams are held to."""

from __future__ import annotations

from tests.docs.generated import embedded
from tests.http.wire.grammar.manual import PAGE, parts

REMAKE = "run: uv run python -m tests.http.wire.grammar.manual"


def test_the_page_says_the_grammar() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == embedded(page, parts()), REMAKE
