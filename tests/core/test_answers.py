"""A fault says by itself what may follow, under which code a request ends, and what is owed."""

from __future__ import annotations

import pytest

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish, Receipt, ToolCall
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.stacks import Trigger

MEANING = {
    FaultKind.UNREACHABLE: (
        Trigger.PROVIDER_ERROR,
        Code.ORIGIN_UNREACHABLE,
        Unbillable.ORIGIN_UNREACHABLE,
    ),
    FaultKind.TIMEOUT: (Trigger.TIMEOUT, Code.PROVIDER_TIMEOUT, Unbillable.PROVIDER_TIMEOUT),
    FaultKind.RATE_LIMITED: (
        Trigger.RATE_LIMITED,
        Code.PROVIDER_ERROR,
        Unbillable.PROVIDER_ERROR,
    ),
    FaultKind.CONTEXT_LENGTH: (
        Trigger.CONTEXT_LENGTH,
        Code.CONTEXT_LENGTH_EXCEEDED,
        Unbillable.PROVIDER_ERROR,
    ),
    FaultKind.REFUSED: (Trigger.REFUSAL, Code.PROVIDER_ERROR, Unbillable.PROVIDER_ERROR),
    FaultKind.AUTH: (None, Code.PROVIDER_AUTH_ERROR, Unbillable.PROVIDER_ERROR),
    FaultKind.REJECTED: (None, Code.INVALID_REQUEST, Unbillable.PROVIDER_ERROR),
    FaultKind.UNSUPPORTED: (
        Trigger.PROVIDER_ERROR,
        Code.UNSUPPORTED_PARAMETER,
        Unbillable.PROVIDER_ERROR,
    ),
    FaultKind.PROVIDER_ERROR: (
        Trigger.PROVIDER_ERROR,
        Code.PROVIDER_ERROR,
        Unbillable.PROVIDER_ERROR,
    ),
}


@pytest.mark.parametrize("kind", FaultKind)
def test_each_fault_has_its_trigger_its_code_and_its_reason(kind: FaultKind) -> None:
    assert (kind.trigger, kind.code, kind.unbillable) == MEANING[kind]


def test_the_text_of_an_answer_is_that_of_all_its_choices() -> None:
    assert Answer(finish=Finish.STOP, texts=("a", "", "b")).text == "ab"
    assert Answer(finish=Finish.STOP).text == ""


def test_what_a_model_wrote_is_in_no_repr() -> None:
    answer = Answer(
        finish=Finish.STOP,
        texts=("canary",),
        refusal="canary",
        tool_calls=(ToolCall(name="send", arguments="canary"),),
        payload="canary",
    )
    assert "canary" not in repr(answer)
    assert "send" in repr(answer)


def test_nothing_is_known_of_a_call_until_the_provider_says_it() -> None:
    receipt = Fault(kind=FaultKind.TIMEOUT, message="late").receipt
    assert receipt == Receipt(usage=None, cost=None, generation=None, host=None)


def test_two_answers_are_equal_whatever_they_arrived_as() -> None:
    assert Answer(finish=Finish.STOP, payload={"a": 1}) == Answer(finish=Finish.STOP, payload=2)
