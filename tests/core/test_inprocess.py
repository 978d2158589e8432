"""A whole request in one's own process: the same flow, the same money."""

import anyio
import pytest
from attrs import evolve, frozen

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Fault, Receipt
from astrolabe_core.checks import Check
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.conformity import Claim, Conformity
from astrolabe_core.driver import run
from astrolabe_core.inprocess import InProcess
from astrolabe_core.ledger import Command, Outcome
from astrolabe_core.messages import Arrival, CallModel, Refused, Relay, Served
from astrolabe_core.requests import OutputFormat, StackRef
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


def test_json_of_a_schema_is_held_against_it_by_whoever_knows_how() -> None:
    """Without a check it is said that there was none."""
    asked = evolve(request(), output_format=OutputFormat.JSON_SCHEMA, schema={"type": "object"})

    async def misses(claim: Claim) -> Conformity:
        assert claim.schema == {"type": "object"}
        return Conformity(flaws=("",))

    unchecked = anyio.run(run, arrival(asked), world(books(), answer(text="{}")))
    assert isinstance(unchecked, Served)
    assert unchecked.trace.verdict is not None
    assert [found.check for found in unchecked.trace.verdict.findings] == [Check.SCHEMA_CHECKED]
    checking = evolve(world(books(), answer(text="{}")), check=misses)
    checked = anyio.run(run, arrival(asked), checking)
    assert isinstance(checked, Refused)
    assert checked.trace.refusal is not None
    assert checked.trace.refusal.code is Code.STRUCTURED_OUTPUT_INVALID


def test_usage_that_a_model_did_not_tell_is_on_no_record_here() -> None:
    """The answer is served, and says why it is not paid for."""
    untold = evolve(answer(), receipt=Receipt(generation="gen-1"))
    rows = books()
    reply = anyio.run(run, arrival(), world(rows, untold))
    assert isinstance(reply, Served)
    assert reply.trace.unbillable is Unbillable.MISSING_PROVIDER_USAGE
    assert rows.open_holds == []


def test_who_is_cut_off_in_mid_call_pays_nothing() -> None:
    """Nothing is known here of a call under way."""
    rows = books()

    async def cut_off() -> None:
        async def for_ever(_: CallModel) -> Answer | Fault:
            scope.cancel()
            await anyio.sleep_forever()
            raise AssertionError

        with anyio.CancelScope() as scope:
            await run(arrival(), evolve(world(rows, answer()), ask=for_ever))

    anyio.run(cut_off)
    assert [hold.reason for hold in rows.holds.values()] == [Unbillable.CLIENT_DISCONNECTED]


def test_there_are_no_streams_to_relay_here() -> None:
    """Asking for one is a bug of the host."""
    relay = Relay(stream="s", trace=Trace(arrival=request()))
    with pytest.raises(TypeError, match="no stream was opened"):
        anyio.run(world(books(), answer()).relay, relay)
