"""Every history of fallback, recovery, verification, tools and leaving keeps its promises.

Each scenario is walked whole: some 6,500 histories, over all of which each promise is held.
"""

from collections import Counter as Tally

import pytest

from astrolabe_core.codes import Code
from astrolabe_core.fallback import Cause
from astrolabe_core.messages import Abandoned, LookUp, Pause, Refused, Relay, Served
from astrolabe_core.rendering import render_text
from astrolabe_core.stacks import VerificationMode
from astrolabe_core.verification import VerificationStatus
from tests.flow.promises import PROMISES, Promise, kept, paid, routed
from tests.flow.scenarios import SCENARIOS
from tests.flow.walk import History, walk


@pytest.fixture(scope="module")
def every() -> list[History]:
    """All histories of all scenarios."""
    return [history for scenario in SCENARIOS for history in walk(scenario)]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_history_keeps(promise: Promise, every: list[History]) -> None:
    for history in every:
        promise(history)


def test_the_scenarios_reach_what_they_are_to_judge(every: list[History]) -> None:
    """A promise that is never tried holds for nothing."""
    assert 4_000 < len(every) < 20_000
    causes = Tally(one.cause for found in every for one in found.reply.trace.attempts)
    assert set(causes) == set(Cause)
    verdicts = (found.reply.trace.verdict for found in every if isinstance(found.reply, Served))
    assert {verdict.status for verdict in verdicts if verdict} == set(VerificationStatus)
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


def test_callers_leave_wherever_a_hold_is_open(every: list[History]) -> None:
    """But for the settlement itself, which nobody can leave."""
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


@pytest.mark.parametrize(
    ("what", "least"),
    [
        ("paid", 2_000),
        ("refused", 1_000),
        ("relayed", 100),
        ("kept", 1_500),
        ("waited", 1_000),
        ("asked for usage", 200),
        ("served in strict", 500),
        ("served in strong", 100),
        ("served with calls of tools", 100),
    ],
)
def test_there_are_enough_histories_that_are(what: str, least: int, every: list[History]) -> None:
    found = {
        "paid": lambda one: paid(one) is not None,
        "refused": lambda one: isinstance(one.reply, Refused),
        "relayed": lambda one: any(isinstance(each, Relay) for each in one.commands),
        "kept": lambda one: any(map(kept, one.states)),
        "waited": lambda one: any(isinstance(each, Pause) for each in one.commands),
        "asked for usage": lambda one: any(isinstance(each, LookUp) for each in one.commands),
        "served in strict": lambda one: _serves(one, VerificationMode.STRICT),
        "served in strong": lambda one: _serves(one, VerificationMode.STRONG),
        "served with calls of tools": lambda one: (
            isinstance(one.reply, Served) and bool(one.reply.answer.tool_calls)
        ),
    }[what]
    assert sum(map(found, every)) >= least


def _serves(history: History, mode: VerificationMode) -> bool:
    return isinstance(history.reply, Served) and routed(history).verification is mode


def test_nothing_that_a_model_said_is_in_a_trace(every: list[History]) -> None:
    """litellm #18731: prompts and answers echoed. Each answer tells the instant that it ends at."""
    for history in every[::7]:
        trace = history.reply.trace
        text = render_text(trace)
        assert not any(f" at {one.ended_at}" in text for one in trace.attempts), history.story()
