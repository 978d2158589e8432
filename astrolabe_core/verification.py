"""Is this answer acceptable, and what follows where it is not?

The deterministic checks come first: finished, not empty, not cut short, tools that were offered,
arguments and promised JSON that parse and have their schema. A check that fails names the trigger
that a stack's fallback may act on. What a verifier model thinks comes beside these, where the mode
asks for one; `astrolabe_core.verifier` knows whom to ask, and how.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Finish, Receipt
from astrolabe_core.catalog import Model
from astrolabe_core.codes import Code
from astrolabe_core.conformity import Claim, Conformity, claims
from astrolabe_core.repair import candidates
from astrolabe_core.requests import Classification, Modifier, OutputFormat, Request
from astrolabe_core.stacks import Stack, Trigger, Verification, VerificationMode
from astrolabe_core.units import Bps, Instant


class VerificationStatus(StrEnum):
    """How verification ended, as headers and traces say it.

    `low_confidence` is an answer that passed every check and that its verifier doubts;
    `unverified` one that a verifier was to look at and none could.
    """

    SKIPPED = "skipped"
    PASSED = "passed"
    FAILED = "failed"
    LOW_CONFIDENCE = "low_confidence"
    UNVERIFIED = "unverified"


class Check(StrEnum):
    """One deterministic check, in the order in which they run."""

    FINISHED = "finished"
    NOT_TRUNCATED = "not_truncated"
    NOT_REFUSED = "not_refused"
    NOT_EMPTY = "not_empty"
    TOOL_OFFERED = "tool_offered"
    TOOL_ARGUMENTS_PARSE = "tool_arguments_parse"
    TOOL_ARGUMENTS_CONFORM = "tool_arguments_conform"
    JSON_PARSES = "json_parses"
    JSON_CONFORMS = "json_conforms"
    SCHEMA_CHECKED = "schema_checked"


@frozen(kw_only=True)
class Finding:
    """A check that failed, what was found, and what it may trigger.

    `flaws` say where a schema is missed: JSON pointers and words of ours, none of the answer's.
    """

    check: Check
    message: str
    trigger: Trigger
    flaws: tuple[str, ...] = ()


class Concern(StrEnum):
    """What a verifier may hold against an answer: a closed list, so that none of it is quoted."""

    INCORRECT = "incorrect"
    INCOMPLETE = "incomplete"
    OFF_TOPIC = "off_topic"
    INSTRUCTIONS_IGNORED = "instructions_ignored"
    UNSUPPORTED_CLAIMS = "unsupported_claims"
    CONTRADICTS_ITSELF = "contradicts_itself"
    UNSAFE = "unsafe"
    MANIPULATED = "manipulated"
    UNREADABLE = "unreadable"


@frozen(kw_only=True)
class Grade:
    """What a verifier thinks of an answer: 1 (useless) to 5 (right and whole), and why."""

    score: int
    concerns: tuple[Concern, ...] = ()

    @property
    def confidence(self) -> Bps:
        """The score as a share: 1 is none, 5 is all."""
        return Bps((self.score - 1) * 2_500)


@frozen(kw_only=True)
class VerifierCall:
    """One call of a verifier model. No grade: it failed, or nobody can read what it said."""

    model: Model
    started_at: Instant
    ended_at: Instant
    grade: Grade | None = None
    fault: Fault | None = None
    receipt: Receipt = NO_RECEIPT


@frozen(kw_only=True)
class Verdict:
    """What verification made of one answer. `findings` are in the order of the checks."""

    mode: VerificationMode
    status: VerificationStatus
    findings: tuple[Finding, ...] = ()
    repaired: bool = False
    verifiers: tuple[VerifierCall, ...] = ()

    @property
    def grade(self) -> Grade | None:
        """What the last verifier thinks."""
        return self.verifiers[-1].grade if self.verifiers else None


@frozen(kw_only=True)
class Examination:
    """An answer after the checks that need no schema, and what of it must have one."""

    answer: Answer
    mode: VerificationMode
    findings: tuple[Finding, ...] = field(default=())
    claims: tuple[Claim, ...] = ()


def mode_for(stack: Stack, classification: Classification) -> VerificationMode:
    """Give the mode in force: that for high stakes, that for schemas, or the general one."""
    rules, found = stack.verification, classification.modifiers
    if rules.high_stakes_mode is not None and Modifier.HIGH_STAKES in found:
        return rules.high_stakes_mode
    if rules.schema_mode is not None and Modifier.NEEDS_STRICT_SCHEMA in found:
        return rules.schema_mode
    return rules.mode


def examine(
    answer: Answer, request: Request, mode: VerificationMode, *, mendable: bool
) -> Examination:
    """Run every check that needs no schema; `mendable` says that the caller saw nothing yet."""
    if mode is VerificationMode.OFF:
        return Examination(answer=answer, mode=mode)
    if mendable and request.output_format is OutputFormat.JSON_OBJECT:
        answer = _mended(answer)
    claimed = claims(answer, request, mendable=mendable)
    findings = tuple(
        finding
        for check in (_finish, _refusal, _emptiness, _offered, _arguments, _json)
        if (finding := check(answer, request)) is not None
    )
    return Examination(answer=answer, mode=mode, findings=findings, claims=claimed)


def conclude(examined: Examination, found: Sequence[Conformity] = ()) -> tuple[Answer, Verdict]:
    """Give the answer, mended where that helped, and the verdict of all deterministic checks."""
    answer, findings = examined.answer, list(examined.findings)
    texts = list(answer.texts)
    for claim, conformity in zip(examined.claims, found, strict=True):
        if claim.choice is not None and conformity.fitting:
            texts[claim.choice] = claim.texts[conformity.fitting]
        finding = _nonconformity(claim, conformity)
        if finding is not None:
            findings.append(finding)
    if tuple(texts) != answer.texts:
        answer = evolve(answer, texts=tuple(texts), repaired=True)
    if examined.mode is VerificationMode.OFF:
        status = VerificationStatus.SKIPPED
    else:
        status = VerificationStatus.FAILED if findings else VerificationStatus.PASSED
    return answer, Verdict(
        mode=examined.mode, status=status, findings=tuple(findings), repaired=answer.repaired
    )


def serious(verdict: Verdict) -> Finding | None:
    """Give the finding that an answer may not be delivered with, or `None`.

    An answer that was cut short, or in which the model declines, is still an answer: it is
    delivered as what it is where nothing better comes. Broken JSON where JSON was promised, broken
    tool calls and emptiness are not.
    """
    return next((finding for finding in verdict.findings if finding.check in _SERIOUS), None)


def doubt(verdict: Verdict) -> Trigger | None:
    """Give the trigger of a deliverable answer that another model might better, or `None`."""
    lighter = [found for found in verdict.findings if found.check in _LIGHTER]
    if lighter and verdict.grade is None:
        return lighter[0].trigger
    # What nobody could judge is not the answer's fault: another one would fare no better.
    low = verdict.status is VerificationStatus.LOW_CONFIDENCE
    return Trigger.VERIFIER_LOW_CONFIDENCE if low else None


STRONG_CONFIDENCE_MIN: Final = Bps(7_500)
"""What `strong` asks of a verifier at least, whatever the stack's threshold: a score of 4."""
ACCEPTABLE_CONFIDENCE_MIN: Final = Bps(5_000)
"""What `strict` delivers where nothing better came: a score of 3."""


def graded(verdict: Verdict, rules: Verification) -> Verdict:
    """Weigh what the verifiers said; without a grade the answer is unverified."""
    grade = verdict.grade
    if grade is None:
        return evolve(verdict, status=VerificationStatus.UNVERIFIED)
    enough = rules.confidence_threshold
    if verdict.mode is VerificationMode.STRONG:
        enough = max(enough, STRONG_CONFIDENCE_MIN)
    if grade.confidence >= enough:
        return verdict
    return evolve(verdict, status=VerificationStatus.LOW_CONFIDENCE)


def deliverable(verdict: Verdict) -> bool:
    """Whether an answer may be delivered where nothing better comes.

    `strict` never delivers what no verifier could judge, nor what one thinks poor; `strong`
    nothing below its bar. The other modes report and deliver.
    """
    if serious(verdict) is not None:
        return False
    match verdict.mode:
        case VerificationMode.STRONG:
            return verdict.status not in _UNPROVEN
        case VerificationMode.STRICT:
            if verdict.status not in _UNPROVEN:
                return True
            grade = verdict.grade
            return grade is not None and grade.confidence >= ACCEPTABLE_CONFIDENCE_MIN
        case _:
            return True


def failure_code(trigger: Trigger) -> Code:
    """Give the code under which a request ends that no candidate could answer acceptably."""
    match trigger:
        case Trigger.SCHEMA_FAILURE:
            return Code.STRUCTURED_OUTPUT_INVALID
        case Trigger.VERIFIER_LOW_CONFIDENCE:
            return Code.VERIFICATION_FAILED
        case _:
            return Code.PROVIDER_ERROR


_UNPROVEN: Final = frozenset({VerificationStatus.LOW_CONFIDENCE, VerificationStatus.UNVERIFIED})
_LIGHTER: Final = frozenset({Check.NOT_TRUNCATED, Check.NOT_REFUSED})
_SERIOUS: Final = frozenset(Check) - _LIGHTER - {Check.SCHEMA_CHECKED}


def _mended(answer: Answer) -> Answer:
    texts = tuple(
        next((made for made in candidates(text) if _parses(made, as_object=True)), text)
        for text in answer.texts
    )
    return answer if texts == answer.texts else evolve(answer, texts=texts, repaired=True)


def _nonconformity(claim: Claim, found: Conformity) -> Finding | None:
    if not found.checked:
        return Finding(
            check=Check.SCHEMA_CHECKED,
            message="the answer could not be held against its schema in time",
            trigger=Trigger.SCHEMA_FAILURE,
        )
    if found.fitting is not None:
        return None
    of_call = claim.call is not None
    return Finding(
        check=Check.TOOL_ARGUMENTS_CONFORM if of_call else Check.JSON_CONFORMS,
        message=(
            "the arguments of a tool call do not have the tool's declared schema"
            if of_call
            else "the answer does not have the JSON schema that was asked for"
        ),
        trigger=Trigger.SCHEMA_FAILURE,
        flaws=found.flaws,
    )


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


def _offered(answer: Answer, request: Request) -> Finding | None:
    del answer, request
    return None


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
    if request.output_format is OutputFormat.JSON_SCHEMA and request.schema is not None:
        return None  # held against its schema, mended or not
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
