"""A whole request in one's own process: the same flow, the same money."""

import anyio
import pytest
from attrs import frozen

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Fault
from astrolabe_core.driver import run
from astrolabe_core.inprocess import InProcess
from astrolabe_core.ledger import Command, Outcome
from astrolabe_core.messages import Arrival, CallModel, Refused, Relay, Served
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant
from tests.flow.world import NOW, Books, answer, arrival, books, fault, request, snapshot


@frozen
class Bank:
    """Rows, and one known key."""

    rows: Books

    async def caller(self, key_hash: str, _: Instant, __: StackRef | None) -> Caller | None:
        """Know one hash."""
        return snapshot().caller if key_hash == "hash" else None

    async def submit(self, command: Command) -> Outcome:
        """Carry out."""
        return self.rows.carry_out(command)


@frozen
class Still:
    """A clock that stands still."""

    def now(self) -> Instant:
        """Give the one instant."""
        return NOW


def world(rows: Books, given: Answer | Fault) -> InProcess:
    """A world in which every model gives the same."""

    async def ask(_: CallModel) -> Answer | Fault:
        return given

    return InProcess(
        bank=Bank(rows),
        ask=ask,
        clock=Still(),
        catalog=shipped.catalog(),
        virtual_models=shipped.virtual_models(),
    )


def test_an_answer_is_served_and_paid() -> None:
    """One call, one debit."""
    rows = books()
    reply = anyio.run(run, arrival(), world(rows, answer()))
    assert isinstance(reply, Served)
    assert rows.debited == reply.trace.debit > 0
    assert rows.open_holds == []


def test_a_fault_of_every_model_is_refused_and_free() -> None:
    """The plan is worked through and the hold given back."""
    rows = books()
    reply = anyio.run(run, arrival(), world(rows, fault()))
    assert isinstance(reply, Refused)
    assert len(reply.trace.attempts) == 3
    assert rows.debited == 0
    assert rows.open_holds == []


def test_a_key_that_the_bank_does_not_know_is_refused() -> None:
    """As at the gateway."""
    stranger = Arrival(request=request(), key_hash="other")
    assert isinstance(anyio.run(run, stranger, world(books(), answer())), Refused)


def test_there_are_no_streams_to_relay_here() -> None:
    """Asking for one is a bug of the host."""
    relay = Relay(stream="s", trace=Trace(arrival=request()))
    with pytest.raises(TypeError, match="no stream was opened"):
        anyio.run(world(books(), answer()).relay, relay)
