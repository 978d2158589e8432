"""An answer is finished, whole, not empty, and what it promised to be; where not, it is said."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer, Finish, Receipt, ToolCall
from astrolabe_core.checks import Check, check, hollow
from astrolabe_core.requests import (
    OutputFormat,
    Request,
    Role,
    Tool,
    ToolChoice,
    Turn,
    ask,
)
from astrolabe_core.stacks import Trigger
from astrolabe_core.units import Tokens
from astrolabe_core.usage import Usage

PLAIN = evolve(ask("hello"), tools=(Tool(name="send"),))
CAPPED = evolve(PLAIN, output_tokens_max=Tokens(1_000))
OBJECT = evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT)
LOOSE = evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA)
SCHEMA = evolve(LOOSE, schema={"type": "object"})
REQUIRED = evolve(PLAIN, tool_choice=ToolChoice.REQUIRED)
NAMED = evolve(PLAIN, tool_choice=ToolChoice.NAMED)
FORBIDDEN = evolve(PLAIN, tool_choice=ToolChoice.NONE)
SEEN = evolve(PLAIN, turns=(Turn(role=Role.ASSISTANT, tool_calls=("apply_patch",)), *PLAIN.turns))


def said(text: str = "fine", *, tokens: int | None = None, **others: Any) -> Answer:
    usage = None if tokens is None else Usage(input_tokens=Tokens(9), output_tokens=Tokens(tokens))
    given: dict[str, Any] = {
        "finish": Finish.STOP,
        "texts": (text,),
        "receipt": Receipt(usage=usage),
    }
    return Answer(**(given | others))


def called(arguments: str = "{}", name: str = "send", **others: Any) -> Answer:
    calls = (ToolCall(name=name, arguments=arguments),)
    return said("", **({"tool_calls": calls, "finish": Finish.TOOL_CALLS} | others))


def found(answer: Answer, request: Request) -> list[Check]:
    return [finding.check for finding in check(answer, request)]


@pytest.mark.parametrize(
    ("answer", "request_", "expected"),
    [
        # finished
        (said(), PLAIN, []),
        (said(finish=Finish.TOOL_CALLS), PLAIN, []),
        (said(finish=Finish.ERROR), PLAIN, [Check.FINISHED]),
        (said(finish=Finish.UNKNOWN), PLAIN, [Check.FINISHED]),
        # truncated: by the gateway's cap, by the caller's, or before either
        (said(finish=Finish.LENGTH), PLAIN, [Check.NOT_TRUNCATED]),
        (said(finish=Finish.LENGTH, tokens=16_384), PLAIN, [Check.NOT_TRUNCATED]),
        (said(finish=Finish.LENGTH), CAPPED, []),
        (said(finish=Finish.LENGTH, tokens=1_000), CAPPED, []),
        (said(finish=Finish.LENGTH, tokens=900), CAPPED, []),
        (said(finish=Finish.LENGTH, tokens=899), CAPPED, [Check.NOT_TRUNCATED]),
        (said("", finish=Finish.LENGTH), CAPPED, []),
        # refused
        (said(refusal="I will not"), PLAIN, [Check.NOT_REFUSED]),
        (said("", refusal="I will not"), OBJECT, [Check.NOT_REFUSED]),
        (said("", refusal="I will not"), REQUIRED, [Check.NOT_REFUSED]),
        (said("", finish=Finish.CONTENT_FILTER), OBJECT, [Check.NOT_REFUSED]),
        (said("half", finish=Finish.CONTENT_FILTER), OBJECT, [Check.NOT_REFUSED]),
        (said("half", finish=Finish.CONTENT_FILTER), REQUIRED, [Check.NOT_REFUSED]),
        # empty
        (said(" \n"), PLAIN, [Check.NOT_EMPTY]),
        (said("", texts=()), PLAIN, [Check.NOT_EMPTY]),
        (said("", texts=("", "fine")), PLAIN, []),
        # the choice of tools
        (said(), REQUIRED, [Check.TOOL_CHOICE]),
        (said(), NAMED, [Check.TOOL_CHOICE]),
        (said(finish=Finish.LENGTH), evolve(CAPPED, tool_choice=ToolChoice.REQUIRED), []),
        (called(), REQUIRED, []),
        (called(), FORBIDDEN, [Check.TOOL_CHOICE]),
        (said(), FORBIDDEN, []),
        # offered: functions have names, other types of tool have none here
        (called(name="not_a_tool"), PLAIN, [Check.TOOL_OFFERED]),
        (called(name="send"), evolve(PLAIN, tools=()), [Check.TOOL_OFFERED]),
        (called("", name=""), PLAIN, []),
        (called(name="apply_patch"), SEEN, []),
        (called(name="not_a_tool"), SEEN, [Check.TOOL_OFFERED]),
        # arguments
        (called(""), PLAIN, []),
        (called('{"to": '), PLAIN, [Check.TOOL_ARGUMENTS_PARSE]),
        (called("[1]"), PLAIN, [Check.TOOL_ARGUMENTS_PARSE]),
        (called('{"to": NaN}'), PLAIN, [Check.TOOL_ARGUMENTS_PARSE]),
        (called('{"to": ', finish=Finish.LENGTH), CAPPED, []),
        (called("{", name="x"), PLAIN, [Check.TOOL_OFFERED, Check.TOOL_ARGUMENTS_PARSE]),
        # JSON, where no schema holds it
        (said('{"a": 1}'), OBJECT, []),
        (said("[1]"), OBJECT, [Check.JSON_PARSES]),
        (said("[1]"), LOOSE, []),
        (said("```json\n{}\n```"), LOOSE, [Check.JSON_PARSES]),
        (said("not JSON"), SCHEMA, []),  # its schema says so
        (said("{}", texts=("{}", "{")), LOOSE, [Check.JSON_PARSES]),
        (said("{", finish=Finish.LENGTH), evolve(OBJECT, output_tokens_max=Tokens(5)), []),
        (said("[" * 100_000), LOOSE, [Check.JSON_PARSES]),
        (said("NaN"), LOOSE, [Check.JSON_PARSES]),
        (called(), OBJECT, []),
        (said("", texts=("{}", ""), refusal="no"), OBJECT, [Check.NOT_REFUSED]),
        (said("", texts=("{", ""), refusal="no"), OBJECT, [Check.NOT_REFUSED, Check.JSON_PARSES]),
        (
            said("", finish=Finish.ERROR),
            OBJECT,
            [Check.FINISHED, Check.NOT_EMPTY, Check.JSON_PARSES],
        ),
    ],
)
def test_each_check_finds_what_it_is_for(
    answer: Answer, request_: Request, expected: list[Check]
) -> None:
    assert found(answer, request_) == expected


def test_findings_come_in_the_order_of_the_checks() -> None:
    broken = called("{", name="x", finish=Finish.ERROR, refusal="no", texts=("[",))
    order = list(Check)
    places = [order.index(each) for each in found(broken, FORBIDDEN)]
    assert places == sorted(places)
    assert len(places) == 5


@pytest.mark.parametrize(
    ("answer", "request_", "trigger"),
    [
        (said(finish=Finish.UNKNOWN), PLAIN, Trigger.PROVIDER_ERROR),
        (said(finish=Finish.LENGTH), PLAIN, Trigger.CONTEXT_LENGTH),
        (said(refusal="no"), PLAIN, Trigger.REFUSAL),
        (said(""), PLAIN, Trigger.PROVIDER_ERROR),
        (said(), REQUIRED, Trigger.SCHEMA_FAILURE),
        (called(name="x"), PLAIN, Trigger.SCHEMA_FAILURE),
        (called("{"), PLAIN, Trigger.SCHEMA_FAILURE),
        (said("{"), OBJECT, Trigger.SCHEMA_FAILURE),
    ],
)
def test_each_finding_names_its_trigger(
    answer: Answer, request_: Request, trigger: Trigger
) -> None:
    (finding,) = check(answer, request_)
    assert finding.trigger is trigger


SECRET = "drop_table_users"


@pytest.mark.parametrize(
    "answer",
    [
        called("{", name=SECRET),
        called(f'{{"{SECRET}": ', name="send"),
        said(f"{{{SECRET}"),
        said("", refusal=SECRET),
    ],
)
def test_no_finding_says_a_word_of_the_answer(answer: Answer) -> None:
    """A provider chooses a call's name and its words freely; refusals and traces show findings."""
    shown = [(each.message, each.flaws) for each in check(answer, OBJECT)]
    assert shown
    assert SECRET not in repr(shown)


def test_a_broken_call_of_an_offered_tool_is_told_by_its_name() -> None:
    (finding,) = check(called("{"), PLAIN)
    assert finding.message == "the arguments of tool send are not a JSON object"


@pytest.mark.parametrize(
    ("answer", "nothing"),
    [
        (said(), False),
        (called(), False),
        (said("", refusal="no"), True),
        (said("\n", finish=Finish.LENGTH), True),
        (said("half", finish=Finish.CONTENT_FILTER), False),
        (said("", texts=("", "one"), refusal="no"), False),
    ],
)
def test_an_answer_without_text_and_call_is_hollow(answer: Answer, nothing: bool) -> None:
    assert hollow(answer) is nothing
