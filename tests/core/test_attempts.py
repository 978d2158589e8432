"""What follows from one attempt: a few that tell most; `tests/flow` walks them all."""

from typing import Any

from attrs import evolve

from astrolabe_core.answers import Answer, FaultKind, Finish, Receipt
from astrolabe_core.codes import Code, Refusal, Unbillable
from astrolabe_core.conformity import Conformity
from astrolabe_core.flow import step
from astrolabe_core.messages import (
    Answered,
    CallModel,
    Event,
    Faulted,
    Inspected,
    Left,
    Pause,
    Paused,
    Refused,
    Served,
)
from astrolabe_core.rendering import render
from astrolabe_core.requests import Request
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Fallback, FallbackMode
from astrolabe_core.states import Calling, Done, Pausing, Settling, Step, Verifying
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, Millis
from tests.core.test_flow import carry, load
from tests.flow.scenarios import ASKED, EVERY, LIGHT, SCHEMA, STREAMED, STRICT, pinned, world
from tests.flow.world import NOW, USAGE, answer, arrival, books, fault

LATE = Instant(NOW + 60_000)
UPWARDS = Fallback(mode=FallbackMode.ESCALATE_QUALITY, triggers=EVERY)


def calling(asked: Request = ASKED, snapshot: Snapshot | None = None, at: Instant = NOW) -> Step:
    return carry(load(arrival(asked), snapshot or world(**LIGHT)), books(), at)


def after(now: Step, *events: Event) -> Step:
    for event in events:
        now = step(now.state, event)
    return now


def graded(score: int) -> Answered:
    return Answered(answer(text=f'{{"score": {score}, "concerns": []}}'), NOW)


def trace(now: Step) -> Trace:
    assert isinstance(now.state, Settling | Done)
    return now.state.reply.trace


def refusal(now: Step) -> Refusal:
    found = trace(now).refusal
    assert found is not None
    return found


# --- the total deadline -------------------------------------------------------------------
def test_a_hold_that_took_all_the_time_is_given_back_before_anybody_is_asked() -> None:
    now = calling(at=LATE)
    assert refusal(now).code is Code.PROVIDER_TIMEOUT
    assert "before a provider was asked" in refusal(now).message
    assert trace(now).unbillable is Unbillable.PROVIDER_TIMEOUT
    assert trace(now).attempts == ()


def test_a_wait_that_ended_too_late_is_told_as_the_fault_before_it() -> None:
    waiting = after(calling(), Faulted(fault(FaultKind.UNREACHABLE), NOW))
    assert isinstance(waiting.state, Pausing)
    assert refusal(after(waiting, Paused(LATE))).code is Code.ORIGIN_UNREACHABLE


def test_a_recovery_that_ran_out_of_time_is_told_as_the_schema_that_was_missed() -> None:
    missed = (Answered(answer(text="{}"), NOW), Inspected((Conformity(flaws=("/a",)),), NOW))
    second = after(calling(SCHEMA), *missed)
    assert isinstance(second.command, CallModel)
    waiting = after(second, Faulted(fault(FaultKind.UNREACHABLE), NOW))
    assert isinstance(waiting.command, Pause)
    assert refusal(after(waiting, Paused(LATE))).code is Code.STRUCTURED_OUTPUT_INVALID


def test_the_time_that_is_left_for_a_call_is_that_of_the_whole_request() -> None:
    waiting = after(calling(), Faulted(fault(), Instant(NOW + 1_000)))
    again = after(waiting, Paused(Instant(NOW + 5_000)))
    assert isinstance(again.command, CallModel)
    assert again.command.time_left_ms == 55_000


# --- an answer that is kept ---------------------------------------------------------------
def test_a_failed_escalation_delivers_the_answer_that_was_kept() -> None:
    """At its own price."""
    now = after(calling(snapshot=world(fallback=UPWARDS, **STRICT)), Answered(answer(), NOW))
    assert isinstance(now.state, Verifying)
    now = after(now, graded(3))
    assert isinstance(now.state, Calling)
    assert now.state.route.kept is not None
    now = after(now, Faulted(fault(), NOW))
    assert isinstance(now.state, Settling)
    assert isinstance(now.state.reply, Served)
    kept, failed = trace(now).attempts
    assert (kept.delivered, kept.unbillable) == (True, None)
    assert (failed.delivered, failed.unbillable) == (False, Unbillable.PROVIDER_ERROR)


def test_each_end_of_a_verifier_s_call_has_its_own_word() -> None:
    verifying = after(calling(snapshot=world(**STRICT)), Answered(answer(), NOW))
    said = Answered(answer(text="Splendid!"), NOW)
    for events, outcomes in (
        ((graded(5),), ["graded"]),
        ((Faulted(fault(), NOW), graded(5)), ["provider_error", "graded"]),
        ((said, Left(NOW)), ["unreadable", "cut_off"]),
    ):
        told: Any = render(trace(after(verifying, *events)))
        (attempt,) = told["attempts"]
        assert [call["outcome"] for call in attempt["verification"]["verifiers"]] == outcomes


def test_a_better_answer_is_delivered_and_the_kept_one_is_not_paid_for() -> None:
    now = after(calling(snapshot=world(fallback=UPWARDS, **STRICT)), Answered(answer(), NOW))
    now = after(now, graded(3), Answered(answer(text="Better."), NOW), graded(5))
    assert isinstance(now.state, Settling)
    assert isinstance(now.state.reply, Served)
    assert now.state.reply.answer.text == "Better."
    kept, better = trace(now).attempts
    assert kept.unbillable is Unbillable.VERIFICATION_FAILED
    assert better.unbillable is None


def test_while_an_answer_is_kept_no_stream_is_relayed() -> None:
    """One that broke would take the kept answer with it."""
    refused = Answer(finish=Finish.STOP, refusal="no", receipt=Receipt(usage=USAGE))
    first = calling(STREAMED)
    assert isinstance(first.command, CallModel)
    assert first.command.relayed
    second = after(first, Answered(refused, NOW))
    assert isinstance(second.command, CallModel)
    assert not second.command.relayed


def test_a_poor_answer_is_no_answer_in_strict() -> None:
    one = evolve(Fallback(triggers=EVERY), max_attempts=1)
    now = calling(snapshot=world(fallback=one, **STRICT))
    now = after(now, Answered(answer(), NOW), graded(2))
    assert isinstance(now.state, Settling)
    assert isinstance(now.state.reply, Refused)
    assert refusal(now).code is Code.VERIFICATION_FAILED


# --- a missed schema ----------------------------------------------------------------------
def test_a_named_model_is_shown_what_is_wrong_before_anything_else() -> None:
    missed = Inspected((Conformity(flaws=("/by: is missing",)),), NOW)
    now = after(calling(pinned(SCHEMA)), Answered(answer(text='{"a": 1}'), NOW), missed)
    assert isinstance(now.command, CallModel)
    assert now.command.model.id == "acme/1"
    assert now.command.correction is not None
    assert now.command.correction.text == '{"a": 1}'
    assert now.command.correction.flaws == ("/by: is missing",)
    ended = after(now, Answered(answer(text="{}"), NOW), missed)
    assert refusal(ended).code is Code.STRUCTURED_OUTPUT_INVALID


def test_what_a_caller_is_told_holds_nothing_of_what_a_model_said() -> None:
    now = after(calling(pinned(SCHEMA)), Answered(answer(text="{canary"), NOW))
    while not isinstance(now.state, Settling):
        now = after(
            now,
            Answered(answer(text="{canary"), NOW)
            if isinstance(now.state, Calling)
            else Inspected((Conformity(flaws=("not JSON",)),), NOW),
        )
    assert "canary" not in repr(refusal(now))
    tried = refusal(now).details["attempts"]
    assert isinstance(tried, tuple)
    assert len(tried) == 2


def test_a_provider_that_fails_is_followed_by_a_short_wait() -> None:
    now = after(calling(), Faulted(fault(FaultKind.PROVIDER_ERROR), NOW))
    assert isinstance(now.state, Pausing)
    assert 50 <= now.state.route.waited_ms <= Millis(100)
