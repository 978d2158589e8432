from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from astrolabe_core.stacks import VerificationMode
from astrolabe_http.cli.story import VERIFIED, saved, tell

SCORE = {
    "model": "a/first",
    "provider": "a",
    "expected_cost_usd": "0.0002",
    "latency_ms": 1_500,
    "quality": "0.8",
    "misses": ["over_latency_slo"],
    "reserve": False,
}
REASON = {
    "code": "provider_blocked",
    "rule": "boundaries.blockedProviders",
    "limit": "b",
    "actual": "b",
    "imposed_by": "stack",
    "remedy": "remove b",
}


def verdict(**changes: Any) -> dict[str, Any]:
    made = {"mode": "light", "status": "passed", "repaired": False, "verifiers": [], "findings": []}
    return {**made, **changes}


def trace(**changes: Any) -> dict[str, Any]:
    attempt = {
        "model": "a/first",
        "cause": "first",
        "waited_ms": 0,
        "outcome": "answered",
        "message": None,
        "delivered": True,
        "unbillable_reason": None,
        "duration_ms": 12,
        "provider_cost_usd": None,
    }
    made: dict[str, Any] = {
        "request_id": "req_1",
        "stack": {"slug": "ours", "version": 3, "resolved_by": "key", "layers": ["stack", "key"]},
        "classification": {
            "category": "coding",
            "action_class": "code_edit",
            "complexity": "simple",
            "confidence": "0.8",
            "modifiers": ["long_context"],
        },
        "decision": {
            "kind": "selected",
            "reason": "cheapest",
            "selected": SCORE,
            "plan": ["a/first", "a/second"],
            "accepted": [SCORE, {**SCORE, "model": "a/second", "misses": [], "reserve": True}],
            "rejected": [
                {"model": "b/one", "reasons": [REASON]},
                {"model": "b/two", "reasons": [REASON]},
            ],
            "estimated_cost_usd": "0.0002",
            "baseline_model": None,
            "baseline_cost_usd": None,
        },
        "attempts": [attempt],
        "verification": verdict(),
        "ledger": {
            "hold_usd": "0.01",
            "debit_usd": "0.0001",
            "unbillable_reason": None,
            "usage": {"input_tokens": 1_000, "output_tokens": 10},
            "flags": [],
        },
        "refusal": None,
        "timing": {"total_ms": 30},
    }
    return {**made, **changes}


def told(story: dict[str, Any], width: int = 100) -> str:
    out = StringIO()
    tell(Console(file=out, width=width, highlight=False), story)
    return out.getvalue()


def test_it_says_who_named_the_stack_and_who_narrowed_it() -> None:
    text = told(trace())
    assert "ours@3, assigned to the key" in text
    assert "by the envelope of the key" in text


def test_it_says_what_was_chosen_and_what_comes_next() -> None:
    text = told(trace())
    assert "selected: cheapest" in text
    assert "a/second" in text
    assert "chosen, over latency slo" in text
    assert "fallback, reserve" in text
    assert "1,000 tokens in and 10 out" in text


def test_a_dry_run_says_how_the_answer_would_be_verified() -> None:
    assert set(VERIFIED) == set(VerificationMode)
    decision = {**trace()["decision"], "verification_mode": "strict"}
    assert "a verifier model grades" in told(trace(decision=decision, verification=None))
    assert "a verifier model grades" not in told(trace(decision=decision))


def test_models_that_are_dropped_for_the_same_reason_are_named_together() -> None:
    text = told(trace())
    assert "b/one, b/two" in text
    assert text.count("provider_blocked") == 1


def test_one_attempt_that_answered_needs_no_table() -> None:
    assert "Attempts" not in told(trace())


def test_after_a_fallback_it_says_who_answered() -> None:
    first, second = trace()["attempts"] * 2
    failed = {
        **first,
        "outcome": "rate_limited",
        "message": "busy",
        "delivered": False,
        "unbillable_reason": "provider_error",
    }
    second |= {"model": "a/second", "cause": "fallback", "waited_ms": 150}
    text = told(trace(attempts=[failed, second]), width=140)
    assert "a/second, at attempt 2: fallback" in text
    assert "rate_limited: busy" in text
    assert "150 ms" in text
    assert "no: provider error" in text


def test_a_request_that_nobody_may_serve_says_what_would_help() -> None:
    blocked = {
        "kind": "blocked",
        "reason": "every candidate is rejected",
        "selected": None,
        "accepted": [],
        "rejected": trace()["decision"]["rejected"],
        "unblock": [{"model": "b/one", "changes": ["stack: remove b"]}],
        "fingerprint": "f",
    }
    ledger = {**trace()["ledger"], "hold_usd": "0", "debit_usd": "0", "usage": None}
    refusal = {"code": "routing_policy_blocked", "message": "nobody", "param": None}
    text = told(
        trace(decision=blocked, attempts=[], verification=None, ledger=ledger, refusal=refusal)
    )
    assert "blocked: every candidate is rejected" in text
    assert "routing_policy_blocked: nobody" in text
    assert "stack: remove b" in text
    assert "paid" not in text


def test_a_request_that_was_malformed_is_told_too() -> None:
    ledger = {**trace()["ledger"], "hold_usd": "0", "debit_usd": "0", "usage": None}
    refusal = {"code": "invalid_request", "message": "no messages", "param": "messages"}
    text = told(
        trace(
            stack=None,
            classification=None,
            decision=None,
            attempts=[],
            verification=None,
            ledger=ledger,
            refusal=refusal,
        )
    )
    assert "invalid_request: no messages" in text


def test_odd_money_is_flagged() -> None:
    ledger = {
        **trace()["ledger"],
        "debit_usd": "0",
        "unbillable_reason": "missing_provider_usage",
        "usage": None,
        "flags": ["provider_reported_zero_cost"],
    }
    text = told(trace(ledger=ledger))
    assert "$0; missing_provider_usage" in text
    assert "provider_reported_zero_cost" in text


@pytest.mark.parametrize(
    ("savings", "baseline", "said"),
    [
        ("0.9", "1", "$0.9, 90 % of the $1"),
        ("-0.5", "1", "-$0.5, -50 % of the $1"),
        ("0", "0", "$0"),
        (None, None, "-"),
    ],
)
def test_savings_are_shown_as_they_are(
    savings: str | None, baseline: str | None, said: str
) -> None:
    assert saved(savings, baseline) == said
