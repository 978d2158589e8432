"""How a trace looks as JSON."""

from astrolabe_core.rendering import attempts_json
from tests.core.test_trace import served


def test_what_was_tried_is_told_in_short() -> None:
    trace, _ = served()
    outcomes = [told["outcome"] for told in attempts_json(trace.attempts)]  # type: ignore[index,call-overload]
    assert outcomes == ["rate_limited", "answered"]
