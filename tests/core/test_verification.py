"""What may go to the caller, what never may, and what another model is asked for."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Answer, Finish, ToolCall
from astrolabe_core.checks import Check, Finding
from astrolabe_core.codes import Code
from astrolabe_core.conformity import Conformity
from astrolabe_core.requests import Classification, Modifier, OutputFormat, Request, Tool, ask
from astrolabe_core.stacks import Stack, Trigger, Verification, VerificationMode
from astrolabe_core.units import Bps, Instant
from astrolabe_core.verification import (
    Concern,
    Grade,
    Verdict,
    VerificationStatus,
    VerifierCall,
    conclude,
    deliverable,
    doubts,
    examine,
    failure_code,
    graded,
    mode_for,
    serious,
    unchecked,
)
from tests.core.market import model, profile, stack

PLAIN = ask("hello")
OBJECT = evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT)
LOOSE = evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA)
SCHEMA = evolve(LOOSE, schema={"type": "object"})
FENCED = "```json\n{}\n```"
LIGHT, AUTO = VerificationMode.LIGHT, VerificationMode.AUTO
STRICT, STRONG = VerificationMode.STRICT, VerificationMode.STRONG
PASSED, FAILED = VerificationStatus.PASSED, VerificationStatus.FAILED
LOW, UNVERIFIED = VerificationStatus.LOW_CONFIDENCE, VerificationStatus.UNVERIFIED


def said(text: str = "fine", **others: Any) -> Answer:
    return Answer(**({"finish": Finish.STOP, "texts": (text,)} | others))


def held(
    answer: Answer, request: Request, *found: Conformity, mendable: bool = True
) -> tuple[Answer, Verdict]:
    return conclude(examine(answer, request, LIGHT, mendable=mendable), found)


def checks(verdict: Verdict) -> list[Check]:
    return [finding.check for finding in verdict.findings]


# --- the whole table ----------------------------------------------------------------------
SERIOUS = Finding(check=Check.NOT_EMPTY, message="", trigger=Trigger.PROVIDER_ERROR)
CUT = Finding(check=Check.NOT_TRUNCATED, message="", trigger=Trigger.CONTEXT_LENGTH)
DECLINED = Finding(check=Check.NOT_REFUSED, message="", trigger=Trigger.REFUSAL)
OVERDUE = Finding(check=Check.SCHEMA_CHECKED, message="", trigger=Trigger.SCHEMA_FAILURE)
SPENT = Trigger.VERIFIER_LOW_CONFIDENCE
NEVER = False
GOES = True

# findings, hollow, score (0: asked and unreadable, None: nobody was asked): then for each mode the
# status, whether it may go to the caller, and for what another model is asked meanwhile.
Row = tuple[tuple[Finding, ...], bool, int | None]
Fate = tuple[VerificationStatus, bool, tuple[Trigger, ...]]


def low(score: int) -> tuple[Row, dict[VerificationMode, Fate]]:
    fates: dict[VerificationMode, Fate] = {
        AUTO: (LOW, GOES, (SPENT,)),
        STRICT: (LOW, score == 3, (SPENT,)),
        STRONG: (LOW, NEVER, (SPENT,)),
    }
    return ((), False, score), fates


SOUND: Fate = (PASSED, GOES, ())
TABLE: list[tuple[Row, dict[VerificationMode, Fate]]] = [
    (
        ((), False, None),
        {
            LIGHT: (PASSED, GOES, ()),
            AUTO: (PASSED, GOES, ()),
            STRICT: (PASSED, NEVER, ()),
            STRONG: (PASSED, NEVER, ()),
        },
    ),
    (
        ((SERIOUS,), False, None),
        dict.fromkeys((LIGHT, AUTO, STRICT, STRONG), (FAILED, NEVER, ())),
    ),
    (
        ((SERIOUS,), False, 5),
        dict.fromkeys((AUTO, STRICT, STRONG), (FAILED, NEVER, ())),
    ),
    (
        ((CUT,), False, None),
        dict.fromkeys((LIGHT, AUTO), (FAILED, GOES, (Trigger.CONTEXT_LENGTH,))),
    ),
    (
        ((CUT,), False, 5),
        dict.fromkeys((AUTO, STRICT, STRONG), (FAILED, GOES, (Trigger.CONTEXT_LENGTH,))),
    ),
    (
        ((CUT,), False, 3),
        {
            AUTO: (LOW, GOES, (Trigger.CONTEXT_LENGTH, SPENT)),
            STRICT: (LOW, GOES, (Trigger.CONTEXT_LENGTH, SPENT)),
            STRONG: (LOW, NEVER, (Trigger.CONTEXT_LENGTH, SPENT)),
        },
    ),
    (
        ((CUT,), False, 0),
        {
            AUTO: (UNVERIFIED, GOES, (Trigger.CONTEXT_LENGTH,)),
            STRICT: (UNVERIFIED, NEVER, (Trigger.CONTEXT_LENGTH,)),
            STRONG: (UNVERIFIED, NEVER, (Trigger.CONTEXT_LENGTH,)),
        },
    ),
    (
        ((DECLINED,), True, None),
        dict.fromkeys((LIGHT, AUTO, STRICT, STRONG), (FAILED, GOES, (Trigger.REFUSAL,))),
    ),
    (
        ((), True, None),  # cut by its caller before the first word
        dict.fromkeys((LIGHT, AUTO, STRICT, STRONG), (PASSED, GOES, ())),
    ),
    (
        ((OVERDUE,), False, None),
        {
            LIGHT: (UNVERIFIED, GOES, ()),
            AUTO: (UNVERIFIED, GOES, ()),
            STRICT: (UNVERIFIED, NEVER, ()),
            STRONG: (UNVERIFIED, NEVER, ()),
        },
    ),
    (
        ((OVERDUE,), False, 5),
        {
            AUTO: (UNVERIFIED, GOES, ()),
            STRICT: (UNVERIFIED, NEVER, ()),
            STRONG: (UNVERIFIED, NEVER, ()),
        },
    ),
    (
        ((), False, 0),
        {
            AUTO: (UNVERIFIED, GOES, ()),
            STRICT: (UNVERIFIED, NEVER, ()),
            STRONG: (UNVERIFIED, NEVER, ()),
        },
    ),
    *(low(score) for score in (1, 2, 3)),
    *((((), False, score), dict.fromkeys((AUTO, STRICT, STRONG), SOUND)) for score in (4, 5)),
]


def asked(score: int, *concerns: Concern) -> VerifierCall:
    grade = Grade(score=score, concerns=concerns) if score else None
    return VerifierCall(model=model(), started_at=Instant(0), ended_at=Instant(9), grade=grade)


def judged(row: Row, mode: VerificationMode, rules: Verification) -> Verdict:
    """Bring a verdict as far as the flow does."""
    findings, is_hollow, score = row
    status = UNVERIFIED if findings == (OVERDUE,) else FAILED if findings else PASSED
    verdict = Verdict(mode=mode, status=status, findings=findings, hollow=is_hollow)
    if score is None:
        return verdict
    return graded(evolve(verdict, verifiers=(asked(score),)), rules)


@pytest.mark.parametrize(
    ("row", "mode", "fate"),
    [(row, mode, fate) for row, fates in TABLE for mode, fate in fates.items()],
)
def test_what_follows_from_a_verdict(row: Row, mode: VerificationMode, fate: Fate) -> None:
    verdict = judged(row, mode, Verification())
    assert (verdict.status, deliverable(verdict), doubts(verdict)) == fate


FOUND = (SERIOUS, CUT, DECLINED, OVERDUE)
FINDINGS = [(), *((each,) for each in FOUND), *product(FOUND, repeat=2)]
ROWS: list[Row] = list(product(FINDINGS, (False, True), (None, *range(6))))
THRESHOLDS = [Bps(each) for each in (0, 2_500, 5_000, 7_000, 7_500, 8_500, 10_000)]


def test_strong_delivers_nothing_that_no_verifier_trusts() -> None:
    """A refusal is delivered as one: there is nothing in it that could be believed."""
    delivered = 0
    for row, threshold in product(ROWS, THRESHOLDS):
        verdict = judged(row, STRONG, Verification(confidence_threshold=threshold))
        if deliverable(verdict) and not verdict.hollow:
            delivered += 1
            assert verdict.grade is not None
            assert verdict.grade.score >= 4
            assert verdict.grade.confidence >= threshold
            assert not unchecked(verdict)
    assert delivered


def test_what_a_stricter_mode_delivers_every_looser_one_does() -> None:
    for row, threshold in product(ROWS, THRESHOLDS):
        rules = Verification(confidence_threshold=threshold)
        goes = [deliverable(judged(row, mode, rules)) for mode in (STRONG, STRICT, AUTO)]
        assert goes == sorted(goes)


@pytest.mark.parametrize(
    ("threshold", "passing"), [(0, 1), (2_500, 2), (5_000, 3), (7_000, 4), (7_501, 5)]
)
def test_a_stack_says_how_much_is_enough_and_strong_never_takes_less_than_a_4(
    threshold: int, passing: int
) -> None:
    rules = Verification(confidence_threshold=Bps(threshold))
    for mode, least in ((STRICT, passing), (STRONG, max(passing, 4))):
        scores = [n for n in range(1, 6) if judged(((), False, n), mode, rules).status is PASSED]
        assert scores == list(range(least, 6))


def test_an_answer_that_steers_its_judge_is_not_trusted_however_good_its_score() -> None:
    caught = Grade(score=5, concerns=(Concern.INCOMPLETE, Concern.MANIPULATED))
    assert caught.confidence == 0
    verdict = Verdict(mode=STRICT, status=PASSED, verifiers=(asked(5, Concern.MANIPULATED),))
    assert not deliverable(graded(verdict, Verification()))


def test_scores_become_shares() -> None:
    assert [Grade(score=n).confidence for n in range(1, 6)] == [0, 2_500, 5_000, 7_500, 10_000]


def test_the_last_verifier_counts() -> None:
    """The second is asked where the first one failed."""
    verdict = Verdict(mode=STRONG, status=PASSED, verifiers=(asked(0), asked(5)))
    assert deliverable(graded(verdict, Verification()))
    assert verdict.grade == Grade(score=5)


def test_every_check_is_serious_lighter_or_about_time() -> None:
    serious_ones = {
        check
        for check in Check
        if serious(
            Verdict(mode=LIGHT, status=FAILED, findings=(evolve(SERIOUS, check=check),)),
        )
    }
    lighter = {Check.NOT_TRUNCATED, Check.NOT_REFUSED, Check.TOOL_CHOICE}
    assert serious_ones == set(Check) - lighter - {Check.SCHEMA_CHECKED}


# --- examined and concluded ---------------------------------------------------------------
def test_nothing_is_checked_where_verification_is_off() -> None:
    examined = examine(said(""), SCHEMA, VerificationMode.OFF, mendable=True)
    answer, verdict = conclude(examined)
    assert (verdict.status, verdict.findings) == (VerificationStatus.SKIPPED, ())
    assert (answer, examined.claims, deliverable(verdict)) == (said(""), (), True)


@pytest.mark.parametrize("mode", tuple(VerificationMode)[1:])
def test_every_other_mode_runs_the_same_checks(mode: VerificationMode) -> None:
    _, verdict = conclude(examine(said(""), PLAIN, mode, mendable=True))
    assert (verdict.mode, verdict.status) == (mode, FAILED)
    assert checks(verdict) == [Check.NOT_EMPTY]
    assert verdict.hollow


@pytest.mark.parametrize("request_", [OBJECT, LOOSE])
def test_json_without_a_schema_is_mended_at_once(request_: Request) -> None:
    answer, verdict = held(said(FENCED), request_)
    assert (answer.texts, answer.repaired) == (("{}",), True)
    assert (verdict.status, verdict.repaired) == (PASSED, True)


def test_what_its_caller_has_already_is_only_reported_on() -> None:
    answer, verdict = held(said(FENCED), OBJECT, mendable=False)
    assert (answer.texts, answer.repaired) == ((FENCED,), False)
    assert (verdict.status, checks(verdict)) == (FAILED, [Check.JSON_PARSES])


def test_each_choice_is_mended_by_itself() -> None:
    broken = said("", texts=("{}", FENCED, "[{}]", "no"))
    answer, verdict = held(broken, OBJECT)
    assert answer.texts == ("{}", "{}", "{}", "no")
    assert checks(verdict) == [Check.JSON_PARSES]


def test_beside_a_tool_call_no_text_is_mended() -> None:
    calls = (ToolCall(name="send", arguments="{}"),)
    asked_ = evolve(OBJECT, tools=(Tool(name="send"),))
    answer, verdict = held(said("Sure: {}", tool_calls=calls), asked_)
    assert (answer.texts, verdict.status) == (("Sure: {}",), PASSED)


@pytest.mark.parametrize(
    ("text", "found", "texts", "expected"),
    [
        ("{}", Conformity(fitting=0), "{}", []),
        (FENCED, Conformity(fitting=1), "{}", []),
        ("[]", Conformity(flaws=("/: not an object",)), "[]", [Check.JSON_CONFORMS]),
        ("no", Conformity(flaws=("not JSON",)), "no", [Check.JSON_PARSES]),
        ("{}", Conformity(checked=False), "{}", [Check.SCHEMA_CHECKED]),
        (FENCED, Conformity(checked=False), "{}", [Check.SCHEMA_CHECKED]),
        ("no", Conformity(checked=False), "no", [Check.JSON_PARSES]),
    ],
)
def test_what_was_found_of_a_schema_decides(
    text: str, found: Conformity, texts: str, expected: list[Check]
) -> None:
    """What could not be held against its schema must be JSON at least."""
    answer, verdict = held(said(text), SCHEMA, found)
    assert answer.texts == (texts,)
    assert checks(verdict) == expected
    assert answer.repaired is (texts != text)
    assert [each.flaws for each in verdict.findings] == [found.flaws] * len(expected)


def test_a_call_that_misses_its_schema_is_told_as_one() -> None:
    calls = (ToolCall(name="send", arguments="{}"),)
    asked_ = evolve(PLAIN, tools=(Tool(name="send", parameters={"required": ["to"]}),))
    _, verdict = held(said("", tool_calls=calls), asked_, Conformity(flaws=("/to: missing",)))
    assert checks(verdict) == [Check.TOOL_ARGUMENTS_CONFORM]
    _, verdict = held(said("", tool_calls=calls), asked_, Conformity(checked=False))
    assert (verdict.status, checks(verdict)) == (UNVERIFIED, [Check.SCHEMA_CHECKED])
    _, verdict = held(said("", tool_calls=calls), asked_, Conformity(fitting=0))
    assert verdict.status is PASSED


def test_every_choice_is_held_against_the_schema() -> None:
    broken = said("", texts=(FENCED, "[]", "{}"))
    found = (Conformity(fitting=1), Conformity(flaws=("/: x",)), Conformity(fitting=0))
    answer, verdict = held(broken, SCHEMA, *found)
    assert answer.texts == ("{}", "[]", "{}")
    assert (checks(verdict), verdict.repaired) == ([Check.JSON_CONFORMS], True)


def test_a_claim_that_nobody_answered_is_a_bug() -> None:
    with pytest.raises(ValueError, match="shorter"):
        conclude(examine(said("{}"), SCHEMA, LIGHT, mendable=True))


# --- codes and modes ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        (Trigger.SCHEMA_FAILURE, Code.STRUCTURED_OUTPUT_INVALID),
        (Trigger.VERIFIER_LOW_CONFIDENCE, Code.VERIFICATION_FAILED),
        (Trigger.PROVIDER_ERROR, Code.PROVIDER_ERROR),
    ],
)
def test_a_broken_promise_has_a_code_of_its_own(trigger: Trigger, code: Code) -> None:
    assert failure_code(trigger) is code


RULES = Verification(mode=LIGHT, schema_mode=STRICT, high_stakes_mode=STRONG)


def classified(*modifiers: Modifier) -> Classification:
    return evolve(profile().classification, modifiers=frozenset(modifiers))


@pytest.mark.parametrize(
    ("modifiers", "rules", "mode"),
    [
        ((), RULES, LIGHT),
        ((Modifier.NEEDS_STRICT_SCHEMA,), RULES, STRICT),
        ((Modifier.HIGH_STAKES, Modifier.NEEDS_STRICT_SCHEMA), RULES, STRONG),
        (
            (Modifier.HIGH_STAKES, Modifier.NEEDS_STRICT_SCHEMA),
            evolve(RULES, high_stakes_mode=None),
            STRICT,
        ),
        ((Modifier.HIGH_STAKES,), Verification(), AUTO),
        ((Modifier.NEEDS_STRICT_SCHEMA,), Verification(), AUTO),
    ],
)
def test_high_stakes_come_before_schemas_and_those_before_the_rest(
    modifiers: tuple[Modifier, ...], rules: Verification, mode: VerificationMode
) -> None:
    governing: Stack = stack(verification=rules)
    assert mode_for(governing, classified(*modifiers)) is mode
