from __future__ import annotations

from tests.scenarios.page import PAGE, page
from tests.scenarios.table import Expected, read


def test_the_page_is_written_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.scenarios.page"


def test_what_is_expected_reads_as_it_is_written() -> None:
    text = "ok fallback, passed: rate_limited, recovery answered; paid + flagged"
    attempts = ("rate_limited", "recovery answered")
    assert read(text) == Expected("ok fallback", "passed", attempts, "paid + flagged")
    assert str(read(text)) == text
    assert read("code: 3 x timeout; why").attempts == ("timeout",) * 3
    assert str(read("code: 3 x timeout; why")) == "code: 3 x timeout; why"
