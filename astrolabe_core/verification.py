"""Is this answer acceptable, and what follows where it is not?

The deterministic checks: finished, not empty, not cut short, tool arguments and promised JSON
parse. A check that fails names the trigger that a stack's fallback may act on. What a verifier
model thinks comes beside these, where the mode asks for one.
"""

import json
from enum import StrEnum
from typing import Final

from attrs import frozen

from astrolabe_core.answers import Answer, Finish
from astrolabe_core.codes import Code
from astrolabe_core.requests import Classification, Modifier, OutputFormat, Request
from astrolabe_core.stacks import Stack, Trigger, VerificationMode


class VerificationStatus(StrEnum):
    """How verification ended, as headers and traces say it."""

    SKIPPED = "skipped"
    PASSED = "passed"
    FAILED = "failed"


class Check(StrEnum):
    """One deterministic check, in the order in which they run."""

    FINISHED = "finished"
    NOT_TRUNCATED = "not_truncated"
    NOT_REFUSED = "not_refused"
    NOT_EMPTY = "not_empty"
    TOOL_ARGUMENTS_PARSE = "tool_arguments_parse"
    JSON_PARSES = "json_parses"


@frozen(kw_only=True)
class Finding:
    """A check that failed, what was found, and what it may trigger."""

    check: Check
    message: str
    trigger: Trigger


@frozen(kw_only=True)
class Verdict:
    """What verification made of one answer. `findings` are in the order of the checks."""

    mode: VerificationMode
    status: VerificationStatus
    findings: tuple[Finding, ...] = ()


def mode_for(stack: Stack, classification: Classification) -> VerificationMode:
    """Give the mode in force: that for high stakes, that for schemas, or the general one."""
    rules, found = stack.verification, classification.modifiers
    if rules.high_stakes_mode is not None and Modifier.HIGH_STAKES in found:
        return rules.high_stakes_mode
    if rules.schema_mode is not None and Modifier.NEEDS_STRICT_SCHEMA in found:
        return rules.schema_mode
    return rules.mode


def verify(answer: Answer, request: Request, mode: VerificationMode) -> Verdict:
    """Run every deterministic check that the mode asks for."""
    if mode is VerificationMode.OFF:
        return Verdict(mode=mode, status=VerificationStatus.SKIPPED)
    findings = tuple(
        finding
        for check in (_finish, _refusal, _emptiness, _arguments, _json)
        if (finding := check(answer, request)) is not None
    )
    status = VerificationStatus.FAILED if findings else VerificationStatus.PASSED
    return Verdict(mode=mode, status=status, findings=findings)


def serious(verdict: Verdict) -> Finding | None:
    """Give the finding that an answer may not be delivered with, or `None`.

    An answer that was cut at the caller's own cap, or in which the model declines, is still an
    answer: it is delivered as what it is. Broken JSON where JSON was promised, broken tool
    arguments and emptiness are not.
    """
    return next((finding for finding in verdict.findings if finding.check in _SERIOUS), None)


_SERIOUS: Final = frozenset(
    {Check.FINISHED, Check.NOT_EMPTY, Check.TOOL_ARGUMENTS_PARSE, Check.JSON_PARSES}
)


def failure_code(finding: Finding) -> Code:
    """Give the code under which a request ends that no candidate could answer acceptably."""
    if finding.trigger is Trigger.SCHEMA_FAILURE:
        return Code.STRUCTURED_OUTPUT_INVALID
    return Code.PROVIDER_ERROR


def _finish(answer: Answer, request: Request) -> Finding | None:
    match answer.finish:
        case Finish.ERROR | Finish.UNKNOWN:
            return Finding(
                check=Check.FINISHED,
                message="the provider did not say that the answer is finished",
                trigger=Trigger.PROVIDER_ERROR,
            )
        case Finish.LENGTH if request.output_tokens_max is None:
            return Finding(
                check=Check.NOT_TRUNCATED,
                message="the answer reached the output cap chosen by the gateway",
                trigger=Trigger.CONTEXT_LENGTH,
            )
        case _:
            return None


def _refusal(answer: Answer, _: Request) -> Finding | None:
    if answer.refusal is None and answer.finish is not Finish.CONTENT_FILTER:
        return None
    return Finding(
        check=Check.NOT_REFUSED, message="the model declined to answer", trigger=Trigger.REFUSAL
    )


def _emptiness(answer: Answer, _: Request) -> Finding | None:
    if answer.text.strip() or answer.tool_calls or answer.refusal is not None:
        return None
    if answer.finish in {Finish.LENGTH, Finish.CONTENT_FILTER}:
        return None
    return Finding(
        check=Check.NOT_EMPTY,
        message="the answer has neither text nor tool calls",
        trigger=Trigger.PROVIDER_ERROR,
    )


def _arguments(answer: Answer, request: Request) -> Finding | None:
    if answer.finish is Finish.LENGTH:
        return None
    for call in answer.tool_calls:
        if call.arguments and not _parses(call.arguments, as_object=True):
            # A name that the caller gave may be told; any other is a provider's words.
            offered = any(tool.name == call.name for tool in request.tools)
            which = f"tool {call.name}" if offered else "a tool that was not offered"
            return Finding(
                check=Check.TOOL_ARGUMENTS_PARSE,
                message=f"the arguments of {which} are not a JSON object",
                trigger=Trigger.SCHEMA_FAILURE,
            )
    return None


def _json(answer: Answer, request: Request) -> Finding | None:
    if request.output_format is OutputFormat.TEXT or answer.tool_calls:
        return None
    if answer.refusal is not None or answer.finish in {Finish.LENGTH, Finish.CONTENT_FILTER}:
        return None
    as_object = request.output_format is OutputFormat.JSON_OBJECT
    if all(_parses(text, as_object=as_object) for text in answer.texts):
        return None
    return Finding(
        check=Check.JSON_PARSES,
        message="JSON was promised and the answer does not parse as it",
        trigger=Trigger.SCHEMA_FAILURE,
    )


def _parses(text: str, *, as_object: bool) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or not as_object
