"""Every history of one request, enumerated and not sampled.

From the first command on, every event that the world could answer with is tried, at every
step, down to the reply. The ledger is the real one; a store that fails has lost the command or
has carried it out, and both are tried. What may come of an attempt beyond an answer and a fault is
walked in `test_attempt_histories`.
"""

from collections.abc import Iterator
from typing import get_args

import pytest
from attrs import evolve, field, frozen

from astrolabe_core import ledger
from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.answers import FaultKind, Receipt
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.flow import begin, step
from astrolabe_core.messages import (
    Abandoned,
    Admitted,
    Answered,
    Arrival,
    CallModel,
    Command,
    Event,
    Faulted,
    Hold,
    Inspect,
    Ledgered,
    Left,
    Load,
    Loaded,
    LookUp,
    NoCaller,
    Opened,
    Pause,
    Paused,
    Purpose,
    Record,
    Refused,
    Relay,
    Reply,
    Served,
    Settle,
    StorageFailed,
)
from astrolabe_core.requests import Malformed, Reading
from astrolabe_core.states import Done, Step
from astrolabe_core.units import RequestId
from tests.flow.world import (
    IMPOSSIBLE,
    NOW,
    USAGE,
    Books,
    answer,
    arrival,
    fault,
    request,
    seen,
    snapshot,
    worlds,
)


@frozen
class History:
    """One way that a request can go, from arrival to reply."""

    arrival: Arrival
    commands: tuple[Command, ...]
    events: tuple[Event, ...]
    pairs: tuple[tuple[type, type], ...]
    reply: Reply
    books: Books = field(eq=False)
    lost: bool

    @property
    def calls(self) -> list[CallModel]:
        """The provider calls, in order."""
        return [command for command in self.commands if isinstance(command, CallModel)]


MALFORMED = Malformed(
    id=RequestId("req_bad"),
    received_at=NOW,
    refusal=Refusal(code=Code.INVALID_REQUEST, message="no"),
)
ARRIVALS = {
    "plain": arrival(),
    "streamed": arrival(request(stream=True)),
    "preview": arrival(purpose=Purpose.PREVIEW),
    "malformed": arrival(MALFORMED),
    "reading": arrival(Reading(id=RequestId("req_read"), received_at=NOW)),
}


_Pending = tuple[
    Step,
    Books,
    tuple[Command, ...],
    tuple[Event, ...],
    tuple[tuple[type, type], ...],
    bool,
]


def histories(begun: Arrival, rows: Books) -> Iterator[History]:
    """Walk every history that begins with this arrival on these rows."""
    first = begin(begun)
    pending: list[_Pending] = [(first, rows, (), (), (), False)]
    while pending:
        now, then, commands, events, pairs, lost = pending.pop()
        if now.command is None:
            assert isinstance(now.state, Done)
            yield History(begun, commands, events, pairs, now.state.reply, then, lost)
            continue
        for event, after, gone in answers(now.command, then):
            following: Step = step(now.state, event)
            pending.append(
                (
                    following,
                    after,
                    (*commands, now.command),
                    (*events, event),
                    (*pairs, (type(now.state), type(event))),
                    lost or gone,
                )
            )


def answers(command: Command, rows: Books) -> Iterator[tuple[Event, Books, bool]]:
    """Give every event that may follow a command, the rows after it, and whether it was lost."""
    match command:
        case Load():
            yield from ((event, rows, False) for event in _loads())
        case Record(command=order):
            yield from _carried(order, rows)
            yield Left(NOW), rows, False
        case Hold(command=order):
            yield from _carried(order, rows)
            placed = rows.copy()
            placed.carry_out(order)
            yield Left(NOW), placed, False
            yield Left(NOW), rows, False
        case Settle(command=order):
            yield from _carried(order, rows)
        case CallModel(relayed=relayed):
            yield from ((event, rows, False) for event in _outcomes())
            if relayed:
                yield Opened(object(), NOW), rows, False
        case Relay():
            yield from ((event, rows, False) for event in _outcomes())
        case Pause():
            yield Paused(NOW), rows, False
            yield Left(NOW), rows, False
        case Inspect() | LookUp():  # pragma: no cover - see test_attempt_histories
            raise AssertionError(command)


def _loads() -> Iterator[Event]:
    good = snapshot()
    key, workspace = good.caller.key, good.caller.workspace

    yield Loaded(good)
    yield Loaded(seen(key=evolve(key, status=KeyStatus.REVOKED)))
    yield Loaded(seen(workspace=evolve(workspace, status=WorkspaceStatus.SUSPENDED)))
    yield Loaded(seen(requests_used=key.rate_limit))
    yield NoCaller(NOW)
    yield StorageFailed(NOW)
    yield Left(NOW)


def _carried(order: ledger.Command, rows: Books) -> Iterator[tuple[Event, Books, bool]]:
    after = rows.copy()
    outcome = after.carry_out(order)
    yield Ledgered(outcome, NOW), after, False
    yield StorageFailed(NOW), after, False
    yield StorageFailed(NOW), rows, True


def _outcomes() -> Iterator[Event]:
    yield Answered(answer(), NOW)
    yield Answered(answer(None), NOW)
    yield Answered(answer(IMPOSSIBLE), NOW)
    yield Answered(answer(text="  "), NOW)
    yield Faulted(fault(), NOW)
    yield Faulted(fault(FaultKind.AUTH), NOW)
    yield Left(NOW)
    yield Left(NOW, Receipt(usage=USAGE))


@pytest.fixture(scope="module")
def every() -> list[History]:
    """All histories of all arrivals on all rows."""
    return [
        history
        for begun in ARRIVALS.values()
        for rows in worlds()
        for history in histories(begun, rows)
    ]


def test_the_enumeration_reaches_what_it_is_to_judge(every: list[History]) -> None:
    """That every transition is met is for `test_diagram` to say."""
    assert {len(history.calls) for history in every} == {0, 1, 2, 3}
    assert {type(history.reply) for history in every} == set(get_args(Reply))


def test_each_history_closes_its_hold_exactly_once(every: list[History]) -> None:
    """litellm #27639 #30519 #40715: a client that leaves must not leak the hold."""
    for history in every:
        if not history.lost:
            assert history.books.open_holds == [], history.events
        assert len(history.books.open_holds) <= 1
        ends = [posting.kind.value for posting in history.books.postings].count("reserve")
        assert ends <= 1


def test_a_hold_that_a_lost_settlement_left_open_can_still_be_expired(
    every: list[History],
) -> None:
    """A crash of the store leaves a hold that the sweeper ends."""
    left = [history for history in every if history.books.open_holds]
    assert left
    for history in left:
        rows = history.books.copy()  # histories share the rows that they have in common
        (hold,) = rows.open_holds
        rows.carry_out(ledger.Expire(hold=hold.id, workspace=hold.workspace, at=NOW))
        assert rows.open_holds == []
        assert rows.differences() == ()


def test_the_journal_agrees_with_the_balances_after_every_history(every: list[History]) -> None:
    """Money is conserved whatever happened."""
    for history in every:
        assert history.books.differences() == (), history.events
        assert history.books.wallet.available >= 0


def test_no_provider_is_called_after_the_first_content_byte(every: list[History]) -> None:
    """litellm PR #32835: a retry in mid-stream repeats content."""
    opened = 0
    for history in every:
        kinds = [type(command) for command in history.commands]
        if Relay in kinds:
            opened += 1
            assert CallModel not in kinds[kinds.index(Relay) :]
    assert opened > 20


def test_no_provider_is_called_before_the_hold_is_confirmed(every: list[History]) -> None:
    """litellm #34732: balance read, then spent."""
    for history in every:
        for position, command in enumerate(history.commands):
            if isinstance(command, CallModel):
                held = [
                    event
                    for event in history.events[:position]
                    if isinstance(event, Ledgered) and isinstance(event.outcome, ledger.Reserved)
                ]
                assert len(held) == 1


def test_every_call_is_of_a_model_of_the_plan_in_its_order_and_once(
    every: list[History],
) -> None:
    """litellm PR #38572: the fallback must not reach a model outside policy."""
    for history in every:
        if history.calls:
            routed = history.reply.trace.routed
            assert routed is not None
            planned = [option.model.id for option in routed.plan.options]
            called = [call.model.id for call in history.calls]
            assert called == planned[: len(called)]


def test_only_a_believable_usage_is_debited_and_only_once(every: list[History]) -> None:
    """One debit at most, and the trace says the same figure as the ledger."""
    debits = 0
    for history in every:
        captured = [p for p in history.books.postings if p.kind is ledger.PostingKind.CAPTURE]
        assert len(captured) <= 1
        if captured:
            debits += 1
            assert history.books.debited == history.reply.trace.debit > 0
        if isinstance(history.reply, Refused):
            assert history.books.debited == 0
    assert debits > 50


def test_a_served_answer_without_a_debit_says_why(every: list[History]) -> None:
    """litellm #35525: released at $0 in silence."""
    for history in every:
        if isinstance(history.reply, Served):
            trace = history.reply.trace
            assert (trace.debit > 0) != (trace.unbillable is not None)


def test_a_request_without_money_reaches_no_provider(every: list[History]) -> None:
    """No credit: 402, or something that comes before it, and no call."""
    poor = [history for history in every if history.books.wallet.sequence == 0]
    assert poor
    assert all(not history.calls for history in poor)
    codes = {history.reply.trace.refusal and history.reply.trace.refusal.code for history in poor}
    assert Code.PAYMENT_REQUIRED in codes


def test_a_preview_touches_no_money_and_no_provider(every: list[History]) -> None:
    """A dry run decides and does nothing else."""
    previews = [h for h in every if h.arrival.purpose is Purpose.PREVIEW]
    assert previews
    for history in previews:
        assert not any(isinstance(c, Hold | CallModel | Settle) for c in history.commands)


def test_a_reading_call_is_counted_and_leaves_nothing_behind(every: list[History]) -> None:
    """One request is one count, whatever it is for."""
    admitted = [h for h in every if isinstance(h.reply, Admitted)]
    assert admitted
    for history in admitted:
        assert [type(command) for command in history.commands] == [Load, Record]
        assert history.books.endings == []


def test_who_leaves_is_abandoned_and_pays_for_what_was_seen(every: list[History]) -> None:
    """one-switch #3, sub2api #4408: neither free nor full by guess."""
    seen = 0
    for history in every:
        if isinstance(history.reply, Abandoned) and history.reply.trace.attempts:
            usage = history.reply.trace.attempts[-1].receipt.usage
            seen += usage is not None
            assert (history.reply.trace.debit > 0) == (usage is not None)
    assert seen > 10


def test_every_history_that_held_money_leaves_one_usage_row(every: list[History]) -> None:
    """One request is one row, written with the money."""
    for history in every:
        assert len(history.books.endings) <= 1
        if history.calls and not history.lost:
            assert len(history.books.endings) == 1
            assert history.books.endings[0].debit == history.books.debited
