"""A state holds everything known so far."""

from astrolabe_core.states import Reserving
from tests.core.test_flow import load
from tests.flow.world import arrival, request


def test_the_identity_of_a_hold_is_that_of_its_request() -> None:
    """A repeat of the same request finds the same hold."""
    now = load(arrival())
    assert isinstance(now.state, Reserving)
    assert str(now.state.route.hold) == str(request().id)
