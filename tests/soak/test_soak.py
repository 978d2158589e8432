"""A soak of seconds: that the command works. `python -m tests.soak --minutes 5` is the real one."""

from __future__ import annotations

from tests.soak.soaking import soak


def test_a_short_soak_is_well() -> None:
    said: list[str] = []
    report = soak(3, 7, said.append)
    assert report.faults == [], "\n".join(report.lines())
    assert report.tally.outcomes["ok"] > 20
    assert report.tally.left > 0
    assert report.usage_rows >= len(report.tally.answered) > 20
    assert report.debited > 0
    assert report.failed_calls > 0
    assert all(line for line in report.lines())
