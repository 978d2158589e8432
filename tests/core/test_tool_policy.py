"""Which tool calls of an answer may reach the caller."""

from astrolabe_core.tool_policy import refuse_calls
from astrolabe_core.units import Instant


def test_where_nothing_is_ruled_nothing_is_refused() -> None:
    assert refuse_calls((), (), Instant(0)) is None
