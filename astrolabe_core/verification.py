"""Is this answer acceptable, and what follows where it is not?

The deterministic checks come first (`checks`, and `conformity` for what has a schema), then what a
verifier model thinks, where the mode asks for one (`verifier` knows whom to ask, and how).

What follows for an answer that the caller does not have yet; a relayed stream is only reported on:

| Found | `light`, `auto` | `strict` | `strong` |
| --- | --- | --- | --- |
| serious: not finished, empty, broken | rejected | rejected | rejected |
| lighter: cut short, declined, no such call | `failed`, may go | `failed`, as graded | as graded |
| hollow: a refusal, nothing to judge | `failed`, may go | `failed`, may go | `failed`, may go |
| a schema took too long | `unverified`, may go | never | never |
| no grade that can be read | `unverified`, may go | never | never |
| a grade below the threshold | `low_confidence`, may go | may go from 3 on | never |
| a grade at the threshold | `passed` | `passed` | `passed` from 4 on, else never |

What may go is kept while another model is asked, once for each doubt, and goes where nothing better
comes. `off` looks at nothing; `light` asks no verifier, and `auto` only where that is warranted.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt
from astrolabe_core.catalog import Model
from astrolabe_core.checks import NO_JSON, Check, Finding, check, hollow, is_json, is_loose
from astrolabe_core.codes import Code
from astrolabe_core.conformity import Claim, Conformity, claims, promised
from astrolabe_core.repair import candidates, parses
from astrolabe_core.requests import Classification, Modifier, Request
from astrolabe_core.stacks import Stack, Trigger, Verification, VerificationMode
from astrolabe_core.units import Bps, Instant


class VerificationStatus(StrEnum):
    """How verification ended, as headers and traces say it.

    `failed`: a check found something; what is delivered so was cut short, declined, or did
    otherwise with tools than it was told. `low_confidence`: its verifier doubts it. `unverified`:
    a verifier was to look at it and none could, or a schema took too long.
    """

    SKIPPED = "skipped"
    PASSED = "passed"
    FAILED = "failed"
    LOW_CONFIDENCE = "low_confidence"
    UNVERIFIED = "unverified"


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
        """The score as a share: 1 is none, 5 is all.

        An answer that tries to steer its judge is never trusted, whatever score it got that way.
        """
        score = 1 if Concern.MANIPULATED in self.concerns else self.score
        return Bps((score - 1) * 2_500)


PROMPT_VERSION: Final = 1
"""Of what verifiers are told: grades of one version are comparable."""


@frozen(kw_only=True)
class VerifierCall:
    """One call of a verifier model.

    No grade: it failed, nobody can read what it said, or it was `cut_off` by a caller who left.
    """

    model: Model
    started_at: Instant
    ended_at: Instant
    prompt_version: int = PROMPT_VERSION
    grade: Grade | None = None
    fault: Fault | None = None
    cut_off: bool = False
    receipt: Receipt = NO_RECEIPT


@frozen(kw_only=True)
class Verdict:
    """What verification made of one answer. `findings` are in the order of the checks.

    `hollow` says that nothing is there to be judged: no text and no call, but a refusal, say.
    """

    mode: VerificationMode
    status: VerificationStatus
    findings: tuple[Finding, ...] = ()
    repaired: bool = False
    hollow: bool = False
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
    if mendable and is_loose(request):
        answer = _mended(answer, request)
    claimed = claims(answer, request, mendable=mendable)
    found = check(answer, request)
    return Examination(answer=answer, mode=mode, findings=found, claims=claimed)


def conclude(examined: Examination, found: Sequence[Conformity] = ()) -> tuple[Answer, Verdict]:
    """Give the answer, mended where that helped, and the verdict of all deterministic checks."""
    answer = examined.answer
    if examined.mode is VerificationMode.OFF:
        return answer, Verdict(mode=examined.mode, status=VerificationStatus.SKIPPED)
    texts, findings = list(answer.texts), list(examined.findings)
    for claim, conformity in zip(examined.claims, found, strict=True):
        place = _first_json(claim) if not conformity.checked else conformity.fitting
        if claim.choice is not None and place is not None:
            texts[claim.choice] = claim.texts[place]
        finding = _nonconformity(claim, conformity)
        if finding is not None:
            findings.append(finding)
    if tuple(texts) != answer.texts:
        answer = evolve(answer, texts=tuple(texts), repaired=True)
    return answer, Verdict(
        mode=examined.mode,
        status=_status_of(findings),
        findings=tuple(findings),
        repaired=answer.repaired,
        hollow=hollow(answer),
    )


def _status_of(findings: Sequence[Finding]) -> VerificationStatus:
    if not findings:
        return VerificationStatus.PASSED
    if all(finding.check is Check.SCHEMA_CHECKED for finding in findings):
        return VerificationStatus.UNVERIFIED
    return VerificationStatus.FAILED


def serious(verdict: Verdict) -> Finding | None:
    """Give the finding that an answer may not be delivered with, or `None`.

    An answer that was cut short, or in which the model declines, is still an answer: it is
    delivered as what it is where nothing better comes, and so is one without the call that was
    asked for. Broken JSON where JSON was promised, broken tool calls and emptiness are not.
    """
    return next((finding for finding in verdict.findings if finding.check in _SERIOUS), None)


def doubts(verdict: Verdict) -> tuple[Trigger, ...]:
    """Give the triggers of a deliverable answer that another model might better.

    What was found for certain comes before what a verifier thinks.
    """
    certain = [found.trigger for found in verdict.findings if found.check in _LIGHTER]
    # What nobody could judge is not the answer's fault: another one would fare no better.
    if verdict.status is VerificationStatus.LOW_CONFIDENCE:
        certain.append(Trigger.VERIFIER_LOW_CONFIDENCE)
    return tuple(dict.fromkeys(certain))


STRONG_CONFIDENCE_MIN: Final = Bps(7_500)
"""What `strong` asks of a verifier at least, whatever the stack's threshold: a score of 4."""
ACCEPTABLE_CONFIDENCE_MIN: Final = Bps(5_000)
"""What `strict` delivers where nothing better came: a score of 3."""


def graded(verdict: Verdict, rules: Verification) -> Verdict:
    """Weigh what the verifiers said; without a grade the answer is unverified.

    A grade does not lift what a check found: an answer that was cut short stays `failed`, and one
    whose schema took too long `unverified`.
    """
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
    if verdict.mode not in _GRADING or verdict.hollow:
        return True
    grade = verdict.grade
    if grade is None or unchecked(verdict):
        return False
    doubted = verdict.status is VerificationStatus.LOW_CONFIDENCE
    if verdict.mode is VerificationMode.STRONG:
        return not doubted and grade.confidence >= STRONG_CONFIDENCE_MIN
    return not doubted or grade.confidence >= ACCEPTABLE_CONFIDENCE_MIN


def unchecked(verdict: Verdict) -> bool:
    """Whether it could not be told in time if the answer has its schema."""
    return any(finding.check is Check.SCHEMA_CHECKED for finding in verdict.findings)


def failure_code(trigger: Trigger) -> Code:
    """Give the code under which a request ends that no candidate could answer acceptably."""
    match trigger:
        case Trigger.SCHEMA_FAILURE:
            return Code.STRUCTURED_OUTPUT_INVALID
        case Trigger.VERIFIER_LOW_CONFIDENCE:
            return Code.VERIFICATION_FAILED
        case _:
            return Code.PROVIDER_ERROR


_GRADING: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})
"""Modes that deliver nothing without a grade."""
_LIGHTER: Final = frozenset({Check.NOT_TRUNCATED, Check.NOT_REFUSED, Check.TOOL_CHOICE})
_SERIOUS: Final = frozenset(Check) - _LIGHTER - {Check.SCHEMA_CHECKED}


def _mended(answer: Answer, request: Request) -> Answer:
    texts = list(answer.texts)
    for place, text in promised(answer):
        if not is_json(text, request):
            made = candidates(text)
            texts[place] = next((each for each in made if is_json(each, request)), text)
    if tuple(texts) == answer.texts:
        return answer
    return evolve(answer, texts=tuple(texts), repaired=True)


def _first_json(claim: Claim) -> int | None:
    """Give the place of the first text that is JSON at all."""
    return next((place for place, text in enumerate(claim.texts) if parses(text)), None)


def _nonconformity(claim: Claim, found: Conformity) -> Finding | None:
    if found.checked and found.fitting is not None:
        return None
    if _first_json(claim) is None:
        return evolve(NO_JSON, flaws=found.flaws)
    if not found.checked:
        return Finding(
            check=Check.SCHEMA_CHECKED,
            message="the answer could not be held against its schema in time",
            trigger=Trigger.SCHEMA_FAILURE,
        )
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
