"""An answer is finished, whole, not empty, and what it promised to be; where not, it is said."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer, Finish, ToolCall
from astrolabe_core.codes import Code
from astrolabe_core.requests import Classification, Modifier, OutputFormat, Request, Tool, ask
from astrolabe_core.stacks import Stack, Trigger, Verification, VerificationMode
from astrolabe_core.verification import (
    Check,
    Verdict,
    VerificationStatus,
    conclude,
    examine,
    failure_code,
    mode_for,
    serious,
)
from tests.core.market import profile, stack

PLAIN = ask("hello")
CAPPED = ask("hello", output_tokens_max=5)
OBJECT = evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT)
SCHEMA = evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA)


def said(text: str = "fine", **others: Any) -> Answer:
    return Answer(**({"finish": Finish.STOP, "texts": (text,)} | others))


def called(arguments: str, **others: Any) -> Answer:
    return said("", tool_calls=(ToolCall(name="send", arguments=arguments),), **others)


def verify(answer: Answer, request: Request, mode: VerificationMode) -> Verdict:
    """Run every check that needs no schema."""
    examined = examine(answer, request, mode, mendable=False)
    return conclude(examined)[1]


def checks(answer: Answer, request: Request = PLAIN) -> list[Check]:
    verdict = verify(answer, request, VerificationMode.LIGHT)
    failed = verdict.status is VerificationStatus.FAILED
    assert failed is bool(verdict.findings)
    return [finding.check for finding in verdict.findings]


@pytest.mark.parametrize(
    ("answer", "request_", "found"),
    [
        (said(), PLAIN, []),
        (said(finish=Finish.TOOL_CALLS), PLAIN, []),
        (said(finish=Finish.ERROR), PLAIN, [Check.FINISHED]),
        (said(finish=Finish.UNKNOWN), PLAIN, [Check.FINISHED]),
        (said(finish=Finish.LENGTH), PLAIN, [Check.NOT_TRUNCATED]),
        (said(finish=Finish.LENGTH), CAPPED, []),
        (said("", finish=Finish.LENGTH), CAPPED, []),
        (said(refusal="I will not"), PLAIN, [Check.NOT_REFUSED]),
        (said("", refusal="I will not"), OBJECT, [Check.NOT_REFUSED]),
        (said("", finish=Finish.CONTENT_FILTER), OBJECT, [Check.NOT_REFUSED]),
        (said(" \n"), PLAIN, [Check.NOT_EMPTY]),
        (said("", texts=()), PLAIN, [Check.NOT_EMPTY]),
        (said("", texts=("", "fine")), PLAIN, []),
        (called("{}"), PLAIN, []),
        (called(""), PLAIN, []),
        (called('{"to": '), PLAIN, [Check.TOOL_ARGUMENTS_PARSE]),
        (called("[1]"), PLAIN, [Check.TOOL_ARGUMENTS_PARSE]),
        (called('{"to": ', finish=Finish.LENGTH), CAPPED, []),
        (called("{}"), SCHEMA, []),
        (said('{"a": 1}'), OBJECT, []),
        (said("[1]"), OBJECT, [Check.JSON_PARSES]),
        (said("[1]"), SCHEMA, []),
        (said("```json\n{}\n```"), SCHEMA, [Check.JSON_PARSES]),
        (said("{}", texts=("{}", "{")), SCHEMA, [Check.JSON_PARSES]),
        (said("{", finish=Finish.LENGTH), evolve(CAPPED, output_format=SCHEMA.output_format), []),
        (said("[" * 100_000), SCHEMA, [Check.JSON_PARSES]),
        (
            said("", finish=Finish.ERROR),
            OBJECT,
            [Check.FINISHED, Check.NOT_EMPTY, Check.JSON_PARSES],
        ),
    ],
)
def test_each_check_finds_what_it_is_for(
    answer: Answer, request_: Request, found: list[Check]
) -> None:
    assert checks(answer, request_) == found


def test_nothing_is_checked_where_verification_is_off() -> None:
    verdict = verify(said(""), PLAIN, VerificationMode.OFF)
    assert (verdict.status, verdict.findings) == (VerificationStatus.SKIPPED, ())


@pytest.mark.parametrize("mode", tuple(VerificationMode)[1:])
def test_every_other_mode_runs_the_same_checks(mode: VerificationMode) -> None:
    verdict = verify(said(""), PLAIN, mode)
    assert (verdict.mode, verdict.status) == (mode, VerificationStatus.FAILED)


@pytest.mark.parametrize(
    ("answer", "request_", "check"),
    [
        (said(finish=Finish.LENGTH), PLAIN, None),
        (said(refusal="no"), PLAIN, None),
        (said(""), PLAIN, Check.NOT_EMPTY),
        (said(finish=Finish.UNKNOWN), PLAIN, Check.FINISHED),
        (called("{"), PLAIN, Check.TOOL_ARGUMENTS_PARSE),
        (said("{"), OBJECT, Check.JSON_PARSES),
        (said(), PLAIN, None),
    ],
)
def test_what_is_cut_or_declined_is_delivered_and_what_is_broken_is_not(
    answer: Answer, request_: Request, check: Check | None
) -> None:
    found = serious(verify(answer, request_, VerificationMode.LIGHT))
    assert (None if found is None else found.check) is check


@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        (Trigger.SCHEMA_FAILURE, Code.STRUCTURED_OUTPUT_INVALID),
        (Trigger.PROVIDER_ERROR, Code.PROVIDER_ERROR),
    ],
)
def test_a_broken_promise_has_a_code_of_its_own(trigger: Trigger, code: Code) -> None:
    assert failure_code(trigger) is code


RULES = Verification(
    mode=VerificationMode.LIGHT,
    schema_mode=VerificationMode.STRICT,
    high_stakes_mode=VerificationMode.STRONG,
)


def classified(*modifiers: Modifier) -> Classification:
    return evolve(profile().classification, modifiers=frozenset(modifiers))


@pytest.mark.parametrize(
    ("modifiers", "rules", "mode"),
    [
        ((), RULES, VerificationMode.LIGHT),
        ((Modifier.NEEDS_STRICT_SCHEMA,), RULES, VerificationMode.STRICT),
        ((Modifier.HIGH_STAKES, Modifier.NEEDS_STRICT_SCHEMA), RULES, VerificationMode.STRONG),
        (
            (Modifier.HIGH_STAKES, Modifier.NEEDS_STRICT_SCHEMA),
            evolve(RULES, high_stakes_mode=None),
            VerificationMode.STRICT,
        ),
        ((Modifier.HIGH_STAKES,), Verification(), VerificationMode.AUTO),
        ((Modifier.NEEDS_STRICT_SCHEMA,), Verification(), VerificationMode.AUTO),
    ],
)
def test_high_stakes_come_before_schemas_and_those_before_the_rest(
    modifiers: tuple[Modifier, ...], rules: Verification, mode: VerificationMode
) -> None:
    governing: Stack = stack(verification=rules)
    assert mode_for(governing, classified(*modifiers)) is mode


@pytest.mark.parametrize("offered", [True, False])
def test_a_finding_names_no_tool_that_was_not_offered(offered: bool) -> None:
    """A name that nobody offered is a provider's words, of any length."""
    asked = evolve(PLAIN, tools=(Tool(name="send_mail"),) if offered else ())
    call = ToolCall(name="send_mail", arguments="{")
    verdict = verify(said(tool_calls=(call,)), asked, VerificationMode.LIGHT)
    (finding,) = verdict.findings
    assert ("send_mail" in finding.message) is offered
