"""Who pays for what."""

from astrolabe_core.flow import step
from astrolabe_core.messages import Answered, Settle
from astrolabe_core.states import Settling
from tests.core.test_flow import calling
from tests.flow.world import NOW, answer


def test_the_answer_that_is_delivered_is_the_one_that_is_paid_for() -> None:
    now = step(calling().state, Answered(answer(), NOW))
    assert isinstance(now.state, Settling)
    assert isinstance(now.command, Settle)
    (attempt,) = now.state.reply.trace.attempts
    assert attempt.delivered
    assert attempt.unbillable is None
