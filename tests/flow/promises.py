"""What holds of every history of a request that got as far as its hold, however it went.

Each promise takes one history and raises `AssertionError` where it is broken. They are held against
walked histories, against drawn ones, and against seeded faults, each of which one of them must see.
"""

import json
from collections import Counter as Tally
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from astrolabe_core import ledger
from astrolabe_core.codes import Unbillable
from astrolabe_core.fallback import WAIT_MAX_MS, Cause
from astrolabe_core.messages import (
    Abandoned,
    Answered,
    CallModel,
    Faulted,
    LookedUp,
    LookUp,
    Pause,
    Refused,
    Relay,
    Served,
)
from astrolabe_core.pricing import charge
from astrolabe_core.requests import Request
from astrolabe_core.routing import Routed
from astrolabe_core.stacks import FallbackMode, Trigger, VerificationMode
from astrolabe_core.states import (
    Calling,
    Inspecting,
    Kept,
    Pausing,
    Settling,
    State,
    Streaming,
    Verifying,
)
from astrolabe_core.tool_policy import Permission
from astrolabe_core.trace import Attempt, Flag
from astrolabe_core.verification import VerificationStatus, deliverable
from tests.flow.walk import History, is_verifiers

Promise = Callable[[History], None]
STRICT: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})


def routed(history: History) -> Routed:
    """Give the decision."""
    found = history.reply.trace.routed
    assert found is not None
    return found


def kept(state: State) -> Kept | None:
    """Give what a state holds that could be delivered."""
    return getattr(getattr(state, "route", None), "kept", None)


def paid(history: History) -> Attempt | None:
    """Give the attempt that the caller was charged for."""
    chosen = [one for one in history.reply.trace.attempts if one.unbillable is None]
    assert len(chosen) <= 1, history.story()
    return chosen[0] if chosen else None


# --- money --------------------------------------------------------------------------------
def a_hold_ends_once_and_the_books_agree(history: History) -> None:
    """litellm #27639 #30519 #40715, #35569: neither leaked nor debited twice."""
    postings = Tally(posting.kind for posting in history.books.postings)
    assert postings[ledger.PostingKind.RESERVE] == 1, history.story()
    ends = postings[ledger.PostingKind.CAPTURE] + postings[ledger.PostingKind.VOID]
    assert ends == 1, history.story()
    assert history.books.open_holds == [], history.story()
    assert history.books.differences() == ()
    assert history.books.wallet.available >= 0
    assert len(history.books.endings) == 1
    assert isinstance(history.states[-1], Settling)


def the_debit_is_the_price_of_the_one_paid_attempt(history: History) -> None:
    """Only the delivered answer is billed: its model's price, its own usage."""
    trace, one = history.reply.trace, paid(history)
    assert history.books.debited == trace.debit, history.story()
    assert (one is None) == (trace.unbillable is not None), history.story()
    if one is None:
        assert trace.debit == 0, history.story()
        return
    assert one.delivered
    assert one.receipt.usage is not None
    price = one.option.model.retail_price
    due = charge(one.receipt.usage, price, history.scenario.snapshot.at)
    assert trace.debit == due, history.story()
    assert (trace.debit > trace.hold) == (Flag.CHARGE_ABOVE_HOLD in trace.flags)


def the_served_answer_is_that_of_the_delivered_attempt(history: History) -> None:
    """No two answers of a history read alike."""
    if not isinstance(history.reply, Served):
        return
    trace, answer = history.reply.trace, history.reply.answer
    (served,) = [one for one in trace.attempts if one.delivered]
    (given,) = [
        event.answer
        for _, command, event in history.steps
        if isinstance(event, Answered)
        and not (isinstance(command, CallModel) and is_verifiers(command))
        and event.at == served.ended_at
    ]
    mended = answer.repaired and answer.texts[0] in given.texts[0]
    assert mended or answer.texts == given.texts, history.story()
    assert trace.verdict == served.verdict, history.story()
    assert served.option.model.id in answer.text or not answer.text.strip(), history.story()
    due = paid(history)
    assert due is None or due is served, history.story()


def who_is_refused_pays_nothing_and_learns_what_was_tried(history: History) -> None:
    """And reads nothing of what any model said."""
    if isinstance(history.reply, Refused):
        trace = history.reply.trace
        assert history.books.debited == 0, history.story()
        assert all(one.unbillable is not None for one in trace.attempts), history.story()
        assert trace.refusal is not None
        tried = trace.refusal.details["attempts"]
        assert isinstance(tried, tuple)
        assert len(tried) == len(trace.attempts)
        assert " at " not in json.dumps(tried), history.story()


def every_call_is_recorded_with_its_cost(history: History) -> None:
    """Each call of a provider is a record, and no verifier is ever billed."""
    trace = history.reply.trace
    asked = [call.model.id for call in history.calls]
    assert asked == [one.option.model.id for one in trace.attempts], history.story()
    verifiers = Tally(
        call.model.id for one in trace.attempts if one.verdict for call in one.verdict.verifiers
    )
    calls = [one for one in history.commands if isinstance(one, CallModel)]
    assert verifiers == Tally(one.model.id for one in calls if is_verifiers(one)), history.story()
    said = [event for _, _, event in history.steps if isinstance(event, Answered)]
    costs = sum(event.answer.receipt.cost or 0 for event in said)
    assert (trace.provider_cost or 0) == costs, history.story()
    assert history.books.endings[0].attempts == len(trace.attempts)


def usage_is_asked_for_once_and_only_where_nobody_saw_it(history: History) -> None:
    """llmgateway #3486, litellm #40100: neither free nor full by guess."""
    asked = [one for one in history.commands if isinstance(one, LookUp)]
    assert len(asked) <= 1, history.story()
    delivered = history.reply.trace.served
    if delivered is None or delivered.receipt.generation is None:
        assert not asked, history.story()
        return
    for _, _, event in history.steps:
        if isinstance(event, LookedUp) and event.receipt is not None:
            usage = event.receipt.usage
            assert usage is None or delivered.receipt.usage == usage, history.story()
    seen = Flag.USAGE_FROM_PROVIDER_RECORD not in history.reply.trace.flags
    believed = seen and delivered.unbillable is None
    assert bool(asked) != believed, history.story()


def who_leaves_pays_for_what_was_done(history: History) -> None:
    """one-switch #3, sub2api #4408: who leaves gets it neither free nor at a guess."""
    if isinstance(history.reply, Abandoned):
        one = history.reply.trace.served
        known = None if one is None else one.receipt.usage
        believable = known is not None and known.flaw() is None
        assert (paid(history) is not None) == believable, history.story()
        if not believable:
            assert history.reply.trace.unbillable is Unbillable.CLIENT_DISCONNECTED


# --- who is asked -------------------------------------------------------------------------
def no_attempt_is_outside_the_plan_or_above_the_cap(history: History) -> None:
    """litellm PR #38572: every attempt is inside boundaries and envelopes."""
    plan = [option.model.id for option in routed(history).plan.options]
    rules = routed(history).resolved.stack.fallback
    asked = [call.model.id for call in history.calls]
    assert len(asked) <= (rules.max_attempts if rules.enabled else 1), history.story()
    places = [plan.index(model) for model in asked]
    assert places == sorted(places), history.story()
    corrected = [call for call in history.calls if call.correction is not None]
    assert len(asked) - len(set(asked)) == len(corrected) <= 1, history.story()
    if corrected:
        request = history.scenario.arrival.request
        assert isinstance(request, Request)
        assert history.calls.index(corrected[0]) == 1
        assert request.model == asked[0] == asked[1]


def nobody_is_asked_after_the_first_content(history: History) -> None:
    """litellm PR #32835: a retry in mid-stream repeats content."""
    kinds = [type(command) for command in history.commands]
    if Relay in kinds:
        assert CallModel not in kinds[kinds.index(Relay) :], history.story()
        before = history.commands[kinds.index(Relay) - 1]
        assert isinstance(before, CallModel)
        assert before.relayed
        assert kept(history.states[kinds.index(Relay)]) is None, history.story()


def strict_modes_relay_nothing(history: History) -> None:
    """Their content reaches the caller verified, or not at all."""
    if routed(history).verification in STRICT:
        assert not any(isinstance(state, Streaming) for state in history.states), history.story()


def only_a_trigger_of_the_stack_moves_on(history: History) -> None:
    """But for doubt in the strict modes, and for what happens in the course of a recovery."""
    rules, mode = routed(history).resolved.stack.fallback, routed(history).verification
    attempts = history.reply.trace.attempts
    for one, after in pairwise(attempts):
        triggers = set() if one.fault is None else {one.fault.kind.trigger}
        if one.verdict is not None:
            triggers |= {finding.trigger for finding in one.verdict.findings}
            if one.verdict.status is VerificationStatus.LOW_CONFIDENCE:
                triggers.add(Trigger.VERIFIER_LOW_CONFIDENCE)
        allowed = rules.triggers | (
            {Trigger.VERIFIER_LOW_CONFIDENCE} if mode in STRICT else frozenset()
        )
        assert after.cause is Cause.RECOVERY or triggers & allowed, history.story()
        if after.cause is Cause.ESCALATION:
            assert rules.mode is FallbackMode.ESCALATE_QUALITY


def a_recovery_goes_through_all_that_is_left(history: History) -> None:
    """The ancestor: one failing recovery model ends the recovery."""
    trace = history.reply.trace
    recovering = any(
        isinstance(state, Calling | Inspecting) and state.route.recovering is not None
        for state in history.states[-3:]
    )
    if not isinstance(history.reply, Refused) or not recovering or trace.tools:
        return
    if any(isinstance(state, Streaming) for state in history.states):
        return  # the caller has a broken stream
    if trace.verdict is not None and trace.verdict.verifiers:
        return  # it has its schema: what it lacks is a grade
    plan = routed(history).plan.options
    limit = history.scenario.arrival.time_limit_ms
    over = (trace.ended_at or 0) - trace.arrival.received_at >= limit
    spent = len(trace.attempts) == routed(history).resolved.stack.fallback.max_attempts
    assert over or spent or trace.attempts[-1].option == plan[-1], history.story()
    assert trace.unbillable is Unbillable.STRUCTURED_OUTPUT_INVALID, history.story()


def a_doubt_moves_on_once(history: History) -> None:
    """Escalation is tried once in all."""
    attempts = history.reply.trace.attempts
    assert Tally(one.cause for one in attempts)[Cause.ESCALATION] <= 1, history.story()
    doubted = [
        one
        for one in attempts[:-1]
        if one.verdict is not None
        and one.verdict.status is VerificationStatus.LOW_CONFIDENCE
        and not one.verdict.findings
    ]
    assert len(doubted) <= 1, history.story()


def verifiers_are_few_and_of_another_provider_in_strong(history: History) -> None:
    """The verifier is asked again only where it gave no grade."""
    for one in history.reply.trace.attempts:
        verifiers = one.verdict.verifiers if one.verdict else ()
        assert len(verifiers) <= 2, history.story()
        assert all(call.grade is None for call in verifiers[:-1]), history.story()
        if one.verdict is not None and one.verdict.mode is VerificationMode.STRONG:
            assert all(call.model.provider != one.option.model.provider for call in verifiers)


# --- what is delivered --------------------------------------------------------------------
def a_kept_answer_is_never_lost(history: History) -> None:
    """A failed escalation never discards an acceptable answer; who leaves then pays for it."""
    if isinstance(history.reply, Refused):
        for one in history.reply.trace.attempts:
            passed_over = one.unbillable is Unbillable.VERIFICATION_FAILED
            assert not (passed_over and one.verdict and deliverable(one.verdict)), history.story()
    last = next((one for one in map(kept, reversed(history.states)) if one), None)
    if last is None:
        return
    assert not isinstance(history.reply, Refused), history.story()
    assert history.reply.trace.served is not None
    if isinstance(history.reply, Abandoned):
        assert history.reply.trace.attempts[last.attempt].delivered, history.story()


def what_is_served_may_be_served_in_its_mode(history: History) -> None:
    """Nothing below its bar goes out in `strong`, nothing poor or unproven in `strict`."""
    verdict = history.reply.trace.verdict
    if not isinstance(history.reply, Served) or verdict is None:
        return
    if not any(isinstance(state, Streaming) for state in history.states):
        assert deliverable(verdict), history.story()
    if verdict.mode in STRICT and not verdict.hollow:
        assert verdict.grade is not None, history.story()
        if verdict.mode is VerificationMode.STRONG or verdict.status is not (
            VerificationStatus.PASSED
        ):
            least = 4 if verdict.mode is VerificationMode.STRONG else 3
            assert verdict.grade.score >= least, history.story()


def no_better_answer_that_was_there_is_passed_over(history: History) -> None:
    """Of what may be delivered, the best graded is."""
    trace = history.reply.trace
    if not isinstance(history.reply, Served) or trace.verdict is None:
        return
    served = trace.verdict.grade
    rivals = [
        one.verdict.grade.confidence
        for one in trace.attempts
        if one.verdict is not None
        and one.verdict.grade is not None
        and one.verdict.status is trace.verdict.status
        and one.unbillable is Unbillable.VERIFICATION_FAILED
        and deliverable(one.verdict)
    ]
    if served is not None and rivals:
        assert served.confidence >= max(rivals), history.story()


def no_call_of_a_tool_goes_out_that_is_not_allowed(history: History) -> None:
    """A blocked call is never delivered, not even for want of a better answer."""
    if isinstance(history.reply, Served) and history.reply.answer.tool_calls:
        rulings = history.reply.trace.tools
        assert len(rulings) == len(history.reply.answer.tool_calls), history.story()
        assert {ruling.permission for ruling in rulings} == {Permission.ALLOWED}, history.story()


# --- time ---------------------------------------------------------------------------------
def no_call_begins_once_the_time_is_over(history: History) -> None:
    """One total deadline over all attempts, waits and verifiers."""
    limit = history.scenario.arrival.time_limit_ms
    begun = history.scenario.arrival.request.received_at
    for state, command, _ in history.steps:
        if isinstance(command, CallModel):
            assert isinstance(state, Calling | Verifying)
            assert 0 < command.time_left_ms <= limit - (state.since - begun), history.story()
        if isinstance(command, Pause):
            assert isinstance(state, Pausing)
            at = state.route.trace.attempts[-1].ended_at
            assert 0 < command.wait_ms <= min(WAIT_MAX_MS, limit - (at - begun)), history.story()


def a_wait_follows_a_fault_and_stands_in_the_trace(history: History) -> None:
    """And nothing else is waited for."""
    waits: list[int] = []
    event: object = None
    for _, command, follows in history.steps:
        if isinstance(command, Pause):
            assert isinstance(event, Faulted), history.story()
            waits.append(command.wait_ms)
            fault = event.fault
            assert fault.kind.trigger in {
                Trigger.PROVIDER_ERROR,
                Trigger.TIMEOUT,
                Trigger.RATE_LIMITED,
            }
        event = follows
    told = [one.waited_ms for one in history.reply.trace.attempts if one.waited_ms]
    assert told == waits[: len(told)], history.story()
    assert len(waits) - len(told) <= 1, history.story()  # who left, or whose time was over


PROMISES: Final[tuple[Promise, ...]] = (
    a_hold_ends_once_and_the_books_agree,
    the_debit_is_the_price_of_the_one_paid_attempt,
    the_served_answer_is_that_of_the_delivered_attempt,
    who_is_refused_pays_nothing_and_learns_what_was_tried,
    every_call_is_recorded_with_its_cost,
    usage_is_asked_for_once_and_only_where_nobody_saw_it,
    who_leaves_pays_for_what_was_done,
    no_attempt_is_outside_the_plan_or_above_the_cap,
    nobody_is_asked_after_the_first_content,
    strict_modes_relay_nothing,
    only_a_trigger_of_the_stack_moves_on,
    a_recovery_goes_through_all_that_is_left,
    a_doubt_moves_on_once,
    verifiers_are_few_and_of_another_provider_in_strong,
    a_kept_answer_is_never_lost,
    what_is_served_may_be_served_in_its_mode,
    no_better_answer_that_was_there_is_passed_over,
    no_call_of_a_tool_goes_out_that_is_not_allowed,
    no_call_begins_once_the_time_is_over,
    a_wait_follows_a_fault_and_stands_in_the_trace,
)
