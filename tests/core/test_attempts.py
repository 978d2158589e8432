"""What follows from one attempt."""

from astrolabe_core.answers import FaultKind
from astrolabe_core.flow import step
from astrolabe_core.messages import Faulted
from astrolabe_core.states import Pausing
from tests.core.test_flow import calling
from tests.flow.world import NOW, fault


def test_a_provider_that_fails_is_followed_by_a_short_wait() -> None:
    now = step(calling().state, Faulted(fault(FaultKind.PROVIDER_ERROR), NOW))
    assert isinstance(now.state, Pausing)
    assert 0 < now.state.route.waited_ms <= 100
