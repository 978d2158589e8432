"""What was promised as JSON has the schema that it was promised in."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer, Finish, ToolCall
from astrolabe_core.conformity import Claim, claims, promised
from astrolabe_core.requests import OutputFormat, Tool, ask

SHAPE = {"type": "object"}
ARGUMENTS = {"type": "object", "required": ["to"]}
ASKED = evolve(
    ask("hello"),
    output_format=OutputFormat.JSON_SCHEMA,
    schema=SHAPE,
    tools=(
        Tool(name="send", parameters=ARGUMENTS),
        Tool(name="free"),
        Tool(name="open", parameters={}),
    ),
)


def said(*texts: str, **others: Any) -> Answer:
    return Answer(**({"finish": Finish.STOP, "texts": texts} | others))


def calls(*made: tuple[str, str], **others: Any) -> Answer:
    called = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in made)
    return said("", **({"tool_calls": called, "finish": Finish.TOOL_CALLS} | others))


def shown(found: tuple[Claim, ...]) -> list[tuple[tuple[str, ...], int | None, int | None]]:
    return [(claim.texts, claim.choice, claim.call) for claim in found]


@pytest.mark.parametrize(
    ("answer", "claimed"),
    [
        (said("{}"), [(("{}",), 0, None)]),
        (said("{}", "no"), [(("{}",), 0, None), (("no",), 1, None)]),
        (said("```\n{}\n```"), [(("```\n{}\n```", "{}"), 0, None)]),
        (said(), []),
        (said("{", finish=Finish.LENGTH), []),
        (said("{", finish=Finish.CONTENT_FILTER), []),
        (said("", refusal="no"), []),
        (said("but", refusal="no"), []),
        (said("", "{}", refusal="no"), [(("{}",), 1, None)]),
        (calls(("send", '{"to": 1}')), [(('{"to": 1}',), None, 0)]),
        (calls(("free", "{}"), ("send", "")), [(("{}",), None, 1)]),
        (calls(("open", "{}")), []),
        (calls(("not_a_tool", "{}")), []),
        (calls(("send", '{"to": ')), []),
        (calls(("send", "[1]")), []),
        (calls(("send", '{"to": 1}'), finish=Finish.LENGTH), []),
        (calls(("send", "{}"), texts=("I will send it.",)), [(("{}",), None, 0)]),
    ],
)
def test_each_text_and_each_call_with_a_schema_is_one_claim(
    answer: Answer, claimed: list[tuple[tuple[str, ...], int | None, int | None]]
) -> None:
    assert shown(claims(answer, ASKED, mendable=True)) == claimed


def test_a_claim_holds_the_schema_that_was_declared() -> None:
    (of_text,) = claims(said("{}"), ASKED, mendable=True)
    (of_call,) = claims(calls(("send", "{}")), ASKED, mendable=True)
    assert (of_text.schema, of_call.schema) == (SHAPE, ARGUMENTS)


def test_what_the_caller_has_already_is_not_mended() -> None:
    (claim,) = claims(said("```\n{}\n```"), ASKED, mendable=False)
    assert claim.texts == ("```\n{}\n```",)


@pytest.mark.parametrize("form", [OutputFormat.TEXT, OutputFormat.JSON_OBJECT])
def test_without_a_promised_schema_no_text_is_claimed(form: OutputFormat) -> None:
    assert claims(said("{}"), evolve(ASKED, output_format=form), mendable=True) == ()
    unsaid = evolve(ASKED, schema=None)
    assert claims(said("{}"), unsaid, mendable=True) == ()


def test_a_schema_that_allows_everything_is_still_one() -> None:
    """JSON must come, whatever it holds."""
    (claim,) = claims(said("no"), evolve(ASKED, schema={}), mendable=True)
    assert claim.texts == ("no",)


def test_beside_a_call_a_text_promises_nothing() -> None:
    assert promised(calls(("send", "{}"), texts=("I will send it.",))) == ()
