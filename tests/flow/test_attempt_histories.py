"""Every history of fallback, recovery, verification, tools and leaving keeps its promises.

Each scenario is walked whole: some 6,000 histories, over all of which each rule is held.
"""

import json
from collections import Counter as Tally
from collections.abc import Iterator

import pytest

from astrolabe_core import ledger
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.fallback import WAIT_MAX_MS, Cause
from astrolabe_core.messages import (
    Abandoned,
    Answered,
    CallModel,
    Faulted,
    LookUp,
    Pause,
    Refused,
    Relay,
    Served,
)
from astrolabe_core.pricing import charge
from astrolabe_core.rendering import render_text
from astrolabe_core.routing import Routed
from astrolabe_core.stacks import VerificationMode
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
from astrolabe_core.trace import Attempt
from astrolabe_core.verification import VerificationStatus, deliverable
from tests.flow.scenarios import SCENARIOS
from tests.flow.walk import History, is_verifiers, walk


@pytest.fixture(scope="module")
def every() -> list[History]:
    """All histories of all scenarios."""
    return [history for scenario in SCENARIOS for history in walk(scenario)]


def routed(history: History) -> Routed:
    found = history.reply.trace.routed
    assert found is not None
    return found


def kept(state: State) -> Kept | None:
    """What a state holds that could be delivered."""
    return getattr(getattr(state, "route", None), "kept", None)


def paid(history: History) -> Attempt | None:
    """The attempt that the caller was charged for."""
    chosen = [one for one in history.reply.trace.attempts if one.unbillable is None]
    assert len(chosen) <= 1, history.story()
    return chosen[0] if chosen else None


def test_the_scenarios_reach_what_they_are_to_judge(every: list[History]) -> None:
    """A rule that is never tried holds for nothing."""
    causes = Tally(one.cause for found in every for one in found.reply.trace.attempts)
    assert set(causes) == set(Cause)
    codes = {found.reply.trace.refusal.code for found in every if found.reply.trace.refusal}
    assert codes == {
        Code.INVALID_REQUEST,
        Code.PROVIDER_ERROR,
        Code.ORIGIN_UNREACHABLE,
        Code.PROVIDER_TIMEOUT,
        Code.PROVIDER_AUTH_ERROR,
        Code.CONTEXT_LENGTH_EXCEEDED,
        Code.STRUCTURED_OUTPUT_INVALID,
        Code.VERIFICATION_FAILED,
        Code.TOOL_CALL_BLOCKED,
        Code.TOOL_CALL_CONFIRMATION_REQUIRED,
    }
    verdicts = (found.reply.trace.verdict for found in every if isinstance(found.reply, Served))
    assert {verdict.status for verdict in verdicts if verdict} == set(VerificationStatus)
    gone = {type(found.states[-2]) for found in every if isinstance(found.reply, Abandoned)}
    assert {state.__name__ for state in gone} == {
        "Reserving",
        "Calling",
        "Inspecting",
        "Verifying",
        "Pausing",
        "Streaming",
        "Reviewing",
        "Consulting",
    }
    assert 4_000 < len(every) < 20_000


def test_each_hold_ends_exactly_once_and_the_books_agree(every: list[History]) -> None:
    """litellm #27639 #30519 #40715, #35569: neither leaked nor debited twice."""
    for history in every:
        postings = Tally(posting.kind for posting in history.books.postings)
        assert postings[ledger.PostingKind.RESERVE] == 1, history.story()
        ends = postings[ledger.PostingKind.CAPTURE] + postings[ledger.PostingKind.VOID]
        assert ends == 1, history.story()
        assert history.books.open_holds == [], history.story()
        assert history.books.differences() == ()
        assert len(history.books.endings) == 1
        assert isinstance(history.states[-1], Settling)


def test_what_is_debited_is_the_price_of_the_one_paid_attempt(every: list[History]) -> None:
    """Only the delivered answer is billed: its model's price, its own usage."""
    debits = 0
    for history in every:
        trace, one = history.reply.trace, paid(history)
        assert history.books.debited == trace.debit, history.story()
        assert (trace.debit > 0) == (one is not None), history.story()
        assert (trace.debit > 0) == (trace.unbillable is None), history.story()
        if one is not None:
            debits += 1
            assert one.delivered
            assert one.receipt.usage is not None
            at = history.scenario.snapshot.at
            price = one.option.model.retail_price
            assert trace.debit == charge(one.receipt.usage, price, at), history.story()
    assert debits > 1_000


def test_the_answer_that_is_served_is_that_of_the_attempt_that_is_paid(
    every: list[History],
) -> None:
    """No two answers of a history read alike."""
    for history in every:
        if not isinstance(history.reply, Served):
            continue
        trace, answer = history.reply.trace, history.reply.answer
        (served,) = [one for one in trace.attempts if one.delivered]
        (given,) = [
            event.answer
            for state, command, event in history.steps
            if isinstance(event, Answered)
            and not (isinstance(command, CallModel) and is_verifiers(command))
            and event.at == served.ended_at
        ]
        assert answer.payload is given.payload
        mended = answer.repaired and answer.texts[0] in given.texts[0]
        assert mended or answer.texts == given.texts, history.story()
        assert trace.verdict == served.verdict
        assert served.option.model.id in "".join(answer.texts) or not answer.text.strip()


def test_who_is_refused_pays_nothing_and_learns_what_was_tried(every: list[History]) -> None:
    """And reads nothing of what any model said."""
    refused = 0
    for history in every:
        if isinstance(history.reply, Refused):
            refused += 1
            trace = history.reply.trace
            assert history.books.debited == 0
            assert all(one.unbillable is not None for one in trace.attempts)
            assert trace.refusal is not None
            tried = trace.refusal.details["attempts"]
            assert isinstance(tried, tuple)
            assert len(tried) == len(trace.attempts)
            assert " at " not in json.dumps(tried), history.story()
    assert refused > 500


def test_nothing_that_a_model_said_is_in_a_trace(every: list[History]) -> None:
    """litellm #18731: prompts and answers echoed."""
    for history in every[::7]:
        assert f"at {history.reply.trace.arrival.received_at // 10**6}" not in render_text(
            history.reply.trace
        )


def test_every_call_is_an_attempt_and_every_attempt_a_call(every: list[History]) -> None:
    """Each call of a provider is a record with its cost."""
    for history in every:
        trace = history.reply.trace
        asked = [call.model.id for call in history.calls]
        assert asked == [one.option.model.id for one in trace.attempts], history.story()
        verifiers = [
            call.model.id for one in trace.attempts if one.verdict for call in one.verdict.verifiers
        ]
        calls = [one for one in history.commands if isinstance(one, CallModel)]
        assert Tally(verifiers) == Tally(c.model.id for c in calls if is_verifiers(c))
        said = [event for _, _, event in history.steps if isinstance(event, Answered)]
        costs = sum(event.answer.receipt.cost or 0 for event in said)
        assert (trace.provider_cost or 0) == costs
        assert history.books.endings[0].attempts == len(trace.attempts)


def test_no_attempt_is_outside_the_plan_or_above_the_cap(every: list[History]) -> None:
    """litellm PR #38572: every attempt is inside boundaries and envelopes."""
    for history in every:
        plan = [option.model.id for option in routed(history).plan.options]
        rules = routed(history).resolved.stack.fallback
        asked = [call.model.id for call in history.calls]
        assert len(asked) <= (rules.max_attempts if rules.enabled else 1), history.story()
        places = [plan.index(model) for model in asked]
        assert places == sorted(places), history.story()
        corrected = [call for call in history.calls if call.correction is not None]
        assert len(asked) - len(set(asked)) == len(corrected) <= 1, history.story()
        if corrected:
            assert history.calls.index(corrected[0]) == 1
            assert history.scenario.arrival.request.model == asked[0] == asked[1]  # type: ignore[union-attr]


def test_nobody_is_asked_after_the_first_content_reached_the_caller(every: list[History]) -> None:
    """litellm PR #32835: a retry in mid-stream repeats content."""
    relayed = 0
    for history in every:
        kinds = [type(command) for command in history.commands]
        if Relay in kinds:
            relayed += 1
            assert CallModel not in kinds[kinds.index(Relay) :]
            assert history.steps[kinds.index(Relay) - 1][1].relayed  # type: ignore[union-attr]
    assert relayed > 100


def test_strict_modes_relay_nothing(every: list[History]) -> None:
    """Their content reaches the caller verified, or not at all."""
    for history in every:
        if routed(history).verification in {VerificationMode.STRICT, VerificationMode.STRONG}:
            assert not any(isinstance(state, Streaming) for state in history.states)


def test_a_kept_answer_is_never_lost(every: list[History]) -> None:
    """A failed escalation never discards an acceptable answer; who leaves then pays for it."""
    kept_at_all = 0
    for history in every:
        last = next((one for one in map(kept, reversed(history.states)) if one), None)
        if last is None:
            continue
        kept_at_all += 1
        assert not isinstance(history.reply, Refused), history.story()
        assert history.reply.trace.served is not None
        if isinstance(history.reply, Abandoned):
            assert history.reply.trace.attempts[last.attempt].delivered, history.story()
    assert kept_at_all > 500


def test_what_is_served_may_be_served_in_its_mode(every: list[History]) -> None:
    """Nothing below its bar goes out in `strong`, nothing poor or unproven in `strict`."""
    graded = Tally[VerificationMode]()
    for history in every:
        verdict = history.reply.trace.verdict
        if not isinstance(history.reply, Served) or verdict is None:
            continue
        if not any(isinstance(state, Streaming) for state in history.states):
            assert deliverable(verdict), history.story()
        strict = verdict.mode in {VerificationMode.STRICT, VerificationMode.STRONG}
        if strict and not verdict.hollow:
            least = 4 if verdict.mode is VerificationMode.STRONG else 3
            assert verdict.grade is not None, history.story()
            assert verdict.grade.score >= least, history.story()
            graded[verdict.mode] += 1
    assert min(graded[VerificationMode.STRICT], graded[VerificationMode.STRONG]) > 50


def test_no_better_answer_that_was_there_is_passed_over(every: list[History]) -> None:
    """Of what may be delivered, the best grade is."""
    for history in every:
        trace = history.reply.trace
        if isinstance(history.reply, Served) and trace.verdict is not None:
            served = trace.verdict.grade
            rivals = [
                one.verdict.grade.score
                for one in trace.attempts
                if one.verdict is not None
                and one.verdict.grade is not None
                and one.verdict.status is trace.verdict.status
                and all(ruling.permission is Permission.ALLOWED for ruling in trace.tools)
                and one.unbillable is Unbillable.VERIFICATION_FAILED
                and deliverable(one.verdict)
            ]
            if served is not None and rivals:
                assert served.score >= max(rivals), history.story()


def test_a_doubt_moves_on_once(every: list[History]) -> None:
    """Escalation is tried once in all."""
    for history in every:
        attempts = history.reply.trace.attempts
        causes = Tally(one.cause for one in attempts)
        assert causes[Cause.ESCALATION] <= 1, history.story()
        doubted = [
            one
            for one in attempts[:-1]
            if one.verdict is not None
            and one.verdict.status is VerificationStatus.LOW_CONFIDENCE
            and not one.verdict.findings
        ]
        assert len(doubted) <= 1, history.story()


def test_strong_is_judged_by_another_provider_and_nobody_by_more_than_two(
    every: list[History],
) -> None:
    """The verifier is asked again only where it gave no grade."""
    for history in every:
        for one in history.reply.trace.attempts:
            verifiers = one.verdict.verifiers if one.verdict else ()
            assert len(verifiers) <= 2
            assert all(call.grade is None for call in verifiers[:-1])
            if one.verdict is not None and one.verdict.mode is VerificationMode.STRONG:
                assert all(c.model.provider != one.option.model.provider for c in verifiers)


def test_no_call_of_a_tool_goes_out_that_is_not_allowed(every: list[History]) -> None:
    """A blocked call is never emitted, nor delivered for want of a better answer."""
    ruled = 0
    for history in every:
        if isinstance(history.reply, Served) and history.reply.answer.tool_calls:
            rulings = history.reply.trace.tools
            assert len(rulings) == len(history.reply.answer.tool_calls)
            assert {ruling.permission for ruling in rulings} == {Permission.ALLOWED}
            ruled += 1
    assert ruled > 20


def test_no_call_begins_once_the_time_is_over(every: list[History]) -> None:
    """One total deadline over all attempts, waits and verifiers."""
    for history in every:
        limit = history.scenario.arrival.time_limit_ms
        begun = history.scenario.arrival.request.received_at
        for state, command, _ in history.steps:
            if isinstance(command, CallModel):
                assert isinstance(state, Calling | Verifying)
                left = limit - (state.since - begun)
                assert 0 < command.time_left_ms <= left, history.story()
            if isinstance(command, Pause):
                assert isinstance(state, Pausing)
                at = state.route.trace.attempts[-1].ended_at
                assert 0 < command.wait_ms <= min(WAIT_MAX_MS, limit - (at - begun))


def test_a_wait_follows_a_fault_and_stands_in_the_trace(every: list[History]) -> None:
    """And nothing else is waited for."""
    waited = 0
    for history in every:
        before: Iterator[object] = iter([None, *(event for _, _, event in history.steps)])
        for (_, command, _), event in zip(history.steps, before, strict=False):
            if isinstance(command, Pause):
                assert isinstance(event, Faulted)
        waits = [one.wait_ms for one in history.commands if isinstance(one, Pause)]
        told = [one.waited_ms for one in history.reply.trace.attempts if one.waited_ms]
        assert told == waits[: len(told)]
        assert len(waits) - len(told) <= 1, history.story()  # who left, or whose time was over
        waited += len(waits)
    assert waited > 500


def test_usage_is_asked_for_only_where_nobody_saw_it(every: list[History]) -> None:
    """llmgateway #3486, litellm #40100: neither free nor full by guess."""
    asked = 0
    for history in every:
        for command in history.commands:
            if isinstance(command, LookUp):
                asked += 1
                assert command.generation == "gen-1"
                assert history.commands.count(command) == 1
    assert asked > 50


def test_who_leaves_while_an_answer_is_looked_at_pays_for_what_was_done(
    every: list[History],
) -> None:
    """one-switch #3, sub2api #4408: who leaves gets it neither free nor at a guess."""
    for history in every:
        state, _, _ = history.steps[-2]
        if isinstance(history.reply, Abandoned) and isinstance(state, Inspecting | Verifying):
            assert history.reply.trace.debit > 0, history.story()
