"""Who pays for what, once a request has its answer or has lost its caller."""

import pytest
from attrs import evolve

from astrolabe_core import ledger
from astrolabe_core.answers import Receipt
from astrolabe_core.codes import Unbillable
from astrolabe_core.flow import step
from astrolabe_core.messages import (
    Abandoned,
    Answered,
    Left,
    LookedUp,
    LookUp,
    Opened,
    Served,
    Settle,
)
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.settlement import PATIENCE_LEFT_MS, PATIENCE_SERVED_MS
from astrolabe_core.states import Consulting, Settling, Step
from astrolabe_core.trace import Flag, Trace
from tests.core.test_flow import calling
from tests.flow.world import IMPOSSIBLE, NOW, USAGE, answer, arrival, request

UNSEEN = Receipt(generation="gen-1")


def trace(now: Step) -> Trace:
    assert isinstance(now.state, Settling)
    return now.state.reply.trace


def answered(receipt: Receipt) -> Step:
    return step(calling().state, Answered(evolve(answer(), receipt=receipt), NOW))


def test_the_answer_that_is_delivered_is_the_one_that_is_paid_for() -> None:
    now = answered(Receipt(usage=USAGE))
    assert isinstance(now.command, Settle)
    assert isinstance(now.command.command, ledger.Capture)
    (attempt,) = trace(now).attempts
    assert (attempt.delivered, attempt.unbillable) == (True, None)


@pytest.mark.parametrize("seen", [UNSEEN, evolve(UNSEEN, usage=IMPOSSIBLE)])
def test_a_usage_that_nobody_saw_is_asked_for_and_paid(seen: Receipt) -> None:
    """litellm #35525 #40100: released at $0 in silence."""
    asking = answered(seen)
    assert asking.command == LookUp(generation="gen-1", patience_ms=PATIENCE_SERVED_MS)
    record = Receipt(usage=USAGE, cost=NanoUsd(9), host="host")
    now = step(asking.state, LookedUp(record, NOW))
    assert isinstance(now.state, Settling)
    assert isinstance(now.state.reply, Served)
    (attempt,) = trace(now).attempts
    assert attempt.receipt == evolve(record, generation="gen-1")
    assert trace(now).debit > 0
    odd = (Flag.PROVIDER_USAGE_IMPOSSIBLE,) if seen.usage else ()
    assert trace(now).flags == (*odd, Flag.USAGE_FROM_PROVIDER_RECORD)


def test_what_a_provider_said_first_of_cost_and_host_stays() -> None:
    asking = answered(evolve(UNSEEN, cost=NanoUsd(5), host="first"))
    now = step(asking.state, LookedUp(Receipt(usage=USAGE, cost=ZERO, host="other"), NOW))
    (attempt,) = trace(now).attempts
    assert (attempt.receipt.cost, attempt.receipt.host) == (5, "first")


@pytest.mark.parametrize("record", [None, Receipt(), Receipt(usage=IMPOSSIBLE)])
def test_without_a_believable_record_the_answer_is_free_and_says_why(
    record: Receipt | None,
) -> None:
    now = step(answered(UNSEEN).state, LookedUp(record, NOW))
    assert isinstance(now.command, Settle)
    assert isinstance(now.command.command, ledger.Void)
    assert trace(now).unbillable is Unbillable.MISSING_PROVIDER_USAGE
    (attempt,) = trace(now).attempts
    assert attempt.unbillable is Unbillable.MISSING_PROVIDER_USAGE
    flags = [] if record is None or record.usage is None else [Flag.PROVIDER_USAGE_IMPOSSIBLE]
    assert set(flags) <= set(trace(now).flags)


def test_without_a_generation_there_is_nobody_to_ask() -> None:
    now = answered(Receipt())
    assert trace(now).unbillable is Unbillable.MISSING_PROVIDER_USAGE


def test_who_leaves_is_waited_for_longer_than_who_waits() -> None:
    """one-switch #3: neither free nor full by guess."""
    opened = step(calling(arrival(request(stream=True))).state, Opened("stream", NOW))
    asking = step(opened.state, Left(NOW, UNSEEN))
    assert asking.command == LookUp(generation="gen-1", patience_ms=PATIENCE_LEFT_MS)
    paid = step(asking.state, LookedUp(Receipt(usage=USAGE), NOW))
    assert isinstance(paid.state, Settling)
    assert isinstance(paid.state.reply, Abandoned)
    assert trace(paid).debit > 0
    unknown = step(asking.state, LookedUp(None, NOW))
    assert trace(unknown).unbillable is Unbillable.CLIENT_DISCONNECTED


def test_an_oddity_is_told_once() -> None:
    asking = answered(evolve(UNSEEN, usage=IMPOSSIBLE))
    assert isinstance(asking.state, Consulting)
    now = step(asking.state, LookedUp(Receipt(usage=IMPOSSIBLE), NOW))
    assert trace(now).flags.count(Flag.PROVIDER_USAGE_IMPOSSIBLE) == 1
