"""A person reads in plain words what was tried, what came of it, and who paid for it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from astrolabe_core.fallback import Cause
from astrolabe_core.verification import VerificationStatus
from astrolabe_http.cli.screen import facts
from astrolabe_http.cli.tried import (
    WHAT_CAME,
    WHY_ASKED,
    attempts_sheet,
    outcome,
    provider_work,
    worth_telling,
)

VERIFIER = {
    "model": "b/judge",
    "outcome": "graded",
    "score": 2,
    "concerns": ["incomplete", "off_topic"],
    "duration_ms": 40,
    "provider_cost_usd": "0.0003",
}


def verdict(**changes: Any) -> dict[str, Any]:
    made = {"mode": "light", "status": "passed", "repaired": False, "verifiers": [], "findings": []}
    return {**made, **changes}


def attempt(**changes: Any) -> dict[str, Any]:
    made = {
        "model": "a/first",
        "cause": "first",
        "waited_ms": 0,
        "outcome": "answered",
        "message": None,
        "verification": verdict(),
        "delivered": True,
        "unbillable_reason": None,
        "duration_ms": 12,
        "provider_cost_usd": "0.0001",
    }
    return {**made, **changes}


def trace(*attempts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "attempts": attempts,
        "verification": next(
            (each["verification"] for each in attempts if each["delivered"]), None
        ),
        "tool_calls": [],
        "ledger": {"provider_cost_usd": "0.0007"},
        "timing": {"total_ms": 1_500},
    }
    return {**made, **changes}


def told(story: dict[str, Any]) -> str:
    out = StringIO()
    screen = Console(file=out, width=200, highlight=False)
    screen.print(facts(outcome(story)))
    screen.print(attempts_sheet(story["attempts"]))
    return out.getvalue()


def test_each_word_of_the_core_has_a_plain_one() -> None:
    assert set(WHY_ASKED) == set(Cause)
    assert set(WHAT_CAME) == set(VerificationStatus)


def test_a_passed_answer_says_that_no_model_looked_at_it() -> None:
    assert "light: passed; deterministic checks" in told(trace(attempt()))


def test_a_grade_names_its_verifier_and_what_that_holds_against_the_answer() -> None:
    doubted = verdict(mode="strict", status="low_confidence", verifiers=[VERIFIER])
    text = told(trace(attempt(verification=doubted)))
    said = "doubted; b/judge gives 2 of 5: incomplete, off topic"
    assert f"strict: {said}" in text
    row = next(line for line in text.splitlines() if "verifier" in line)
    told_of_it = "b/judge verifier gives 2 of 5: incomplete, off topic 40 ms $0.0003 no"
    assert " ".join(row.split()) == told_of_it


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("unreadable", "said nothing that is a grade"),
        ("cut_off", "was cut off: the caller left"),
        ("timeout", "b/judge timeout"),
    ],
)
def test_a_verifier_without_a_grade_is_told_too(fate: str, said: str) -> None:
    silent = {**VERIFIER, "outcome": fate, "score": None, "concerns": []}
    text = told(trace(attempt(verification=verdict(status="unverified", verifiers=[silent]))))
    assert f"no verifier could judge it; b/judge {said.removeprefix('b/judge ')}" in text


def test_a_recovery_says_what_was_wrong_and_that_nobody_paid_for_it() -> None:
    missed = verdict(
        status="failed",
        findings=[{"check": "json_conforms", "message": "not the schema", "flaws": ["/a: no"]}],
    )
    first = attempt(
        verification=missed, delivered=False, unbillable_reason="structured_output_invalid"
    )
    second = attempt(
        model="a/second", cause="recovery", waited_ms=150, verification=verdict(repaired=True)
    )
    text = told(trace(first, second))
    assert "answered: failed; not the schema; /a: no" in text
    assert "no: structured output invalid" in text
    assert "a/second, at attempt 2: recovery of what was promised as JSON" in text
    assert "its JSON was mended" in text
    assert "recovery of what was promised as JSON, after 150 ms" in text


def test_a_failed_call_says_how() -> None:
    failed = attempt(outcome="rate_limited", message="busy", verification=None, delivered=False)
    assert "rate_limited: busy" in told(trace(failed, attempt(cause="fallback")))


def test_rulings_say_what_a_call_may_do_and_what_followed() -> None:
    rulings = [
        {"tool": "search", "labels": [], "permission": "allowed"},
        {"tool": "pay", "labels": ["money"], "permission": "confirmation_required"},
    ]
    assert "search allowed; pay (money) confirmation required" in told(
        trace(attempt(), tool_calls=rulings)
    )


def test_one_call_that_answered_needs_no_table() -> None:
    assert not worth_telling([attempt()])
    assert worth_telling([attempt(), attempt()])
    assert worth_telling([attempt(outcome="timeout")])
    assert worth_telling([attempt(verification=verdict(verifiers=[VERIFIER]))])


def test_the_work_of_providers_is_told_where_there_was_more_than_the_answer() -> None:
    assert provider_work(trace(attempt())) is None
    judged = attempt(verification=verdict(verifiers=[VERIFIER]))
    assert provider_work(trace(judged)) == "$0.0007 for 2 calls"
    assert provider_work(trace(judged, ledger={})) is None


def test_a_trace_of_an_older_gateway_is_told() -> None:
    old = attempt(verification={"mode": "light", "status": "passed", "findings": []})
    for name in ("cause", "waited_ms", "unbillable_reason"):
        del old[name]
    story = trace(old, {**old, "model": "a/second"})
    del story["tool_calls"]
    assert "a/second, at attempt 2" in told(story)
