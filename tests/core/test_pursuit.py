"""Who is asked next, and that nobody is asked once it is over."""

from attrs import evolve

from astrolabe_core.pursuit import following
from astrolabe_core.stacks import Trigger
from astrolabe_core.states import Calling
from astrolabe_core.units import Instant, Millis
from tests.core.test_flow import calling
from tests.flow.world import NOW


def test_nobody_is_asked_once_the_time_is_over() -> None:
    now = calling()
    assert isinstance(now.state, Calling)
    route = now.state.route
    assert following(route, Trigger.TIMEOUT, Instant(NOW + 59_999)) is not None
    assert following(route, Trigger.TIMEOUT, Instant(NOW + 60_000)) is None


def test_what_was_found_out_about_the_last_answer_is_no_word_on_the_next() -> None:
    now = calling()
    assert isinstance(now.state, Calling)
    route = evolve(now.state.route, waited_ms=Millis(5))
    moved = following(route, Trigger.TIMEOUT, NOW)
    assert moved is not None
    assert (moved.trace.verdict, moved.trace.tools, moved.waited_ms) == (None, (), 0)
