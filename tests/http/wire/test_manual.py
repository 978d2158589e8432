"""docs/wire.md says what becomes of every field."""

from __future__ import annotations

from tests.docs.generated import embedded
from tests.http.wire.manual import PAGE, parts

REMAKE = "run: uv run python -m tests.http.wire.manual"


def test_the_page_says_what_becomes_of_every_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == embedded(page, parts()), REMAKE
