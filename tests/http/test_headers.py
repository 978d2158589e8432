"""Headers: all of the contract's, none that is not known, none that costs the connection."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core import shipped
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.fallback import Cause
from astrolabe_core.requests import Malformed, Surface
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Observability, Stack, StackVersion, VerificationMode
from astrolabe_core.trace import Trace
from astrolabe_core.units import Digest, RequestId, StackSlug
from astrolabe_core.verification import Grade, Verdict, VerificationStatus, VerifierCall
from astrolabe_http.headers import header, identity_headers, refusal_headers, trace_headers
from tests.flow.world import NOW, request, snapshot
from tests.http.wire.play import ID, serve

CHAT: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
IDENTITY = {"x-astrolabe-cloud-request-id", "x-request-id"}
ACCOUNT = {
    "x-astrolabe-cloud-workspace",
    "x-astrolabe-cloud-key",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
}
STACK = {
    "x-astrolabe-stack-id",
    "x-astrolabe-stack-name",
    "x-astrolabe-stack-version",
    "x-astrolabe-policy-status",
}
ROUTING = {
    f"x-astrolabe-{name}"
    for name in (
        "model",
        "selected-provider",
        "selected-model",
        "decision",
        "category",
        "action-class",
        "complexity",
        "lane",
        "verification-status",
        "confidence-score",
        "estimated-cost-usd",
        "estimated-baseline-cost-usd",
        "estimated-savings-usd",
        "attempts",
    )
}


def named(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    found = {name.decode(): value.decode() for name, value in pairs}
    assert len(found) == len(pairs), "a header stands twice"
    return found


def with_stack(**observability: bool) -> Snapshot:
    slug = StackSlug("quiet")
    stack = Stack(slug=slug, name="quiet", observability=Observability(**observability))
    version = StackVersion(stack=stack, version=4, hash=Digest("0" * 64))
    return evolve(shipped.snapshot(NOW, stack=slug, stacks=(version,)), at=NOW)


def test_a_routed_answer_carries_every_header_of_the_contract() -> None:
    found = named(serve(Surface.CHAT, CHAT).headers)
    assert set(found) == IDENTITY | ACCOUNT | STACK | ROUTING
    assert found["x-request-id"] == found["x-astrolabe-cloud-request-id"] == ID
    assert found["x-astrolabe-cloud-key"] == "local"
    assert found["x-ratelimit-reset"] == "1800000060"
    assert found["x-astrolabe-stack-id"] == "default-optimizer@1"
    assert found["x-astrolabe-policy-status"] == "passed"
    assert found["x-astrolabe-model"] == found["x-astrolabe-selected-model"]
    assert found["x-astrolabe-selected-model"].startswith(found["x-astrolabe-selected-provider"])
    assert found["x-astrolabe-attempts"] == "1"
    assert found["x-astrolabe-verification-status"] == "passed"
    assert 0 < float(found["x-astrolabe-confidence-score"]) <= 1


def test_a_stack_may_keep_the_routing_to_itself_and_never_the_request_id() -> None:
    quiet = named(serve(Surface.CHAT, CHAT, world=with_stack(response_headers=False)).headers)
    assert set(quiet) == IDENTITY | ACCOUNT | STACK
    told = named(serve(Surface.CHAT, CHAT, world=with_stack(response_headers=True)).headers)
    assert set(told) == IDENTITY | ACCOUNT | STACK | ROUTING


def test_a_blocked_request_names_its_stack_and_no_model() -> None:
    pinned = {**CHAT, "model": "deepseek/deepseek-v4-pro@customer-data"}
    played = serve(Surface.CHAT, pinned)
    assert played.json["error"]["code"] == "routing_policy_blocked"
    found = named(played.headers)
    assert set(found) == IDENTITY | ACCOUNT | STACK | {"x-should-retry"}
    assert found["x-astrolabe-policy-status"] == "blocked"


def test_an_unknown_caller_is_told_the_request_id_and_no_more() -> None:
    refusal = Refusal(code=Code.UNAUTHORIZED, message="no")
    broken = Malformed(id=ID, received_at=NOW, refusal=refusal)
    found = named(trace_headers(Trace(arrival=broken, refusal=refusal)))
    assert set(found) == IDENTITY | {"x-should-retry"}


def test_a_stream_says_before_its_first_byte_all_that_is_known() -> None:
    before = evolve(serve(Surface.CHAT, CHAT).reply.trace, attempts=(), verdict=None)
    routed = before.routed
    assert routed is not None
    first, second = (option.model for option in routed.plan.options[:2])
    found = named(trace_headers(before, serving=first))
    assert set(found) == IDENTITY | ACCOUNT | STACK | ROUTING - {"x-astrolabe-verification-status"}
    assert found["x-astrolabe-attempts"] == "1"
    moved = evolve(before, cause=Cause.FALLBACK)
    fallen = named(trace_headers(moved, serving=second))
    assert fallen["x-astrolabe-model"] == second.id
    assert fallen["x-astrolabe-selected-model"] == first.id
    assert fallen["x-astrolabe-decision"] == "fallback"


@pytest.mark.parametrize(
    ("cause", "told"), [(Cause.RECOVERY, "recovered"), (Cause.ESCALATION, "escalated")]
)
def test_a_stream_says_before_its_first_byte_why_its_model_was_asked(
    cause: Cause, told: str
) -> None:
    whole = serve(Surface.CHAT, CHAT).reply.trace
    routed = whole.routed
    assert routed is not None
    second = routed.plan.options[1].model
    failed = evolve(whole.attempts[0], delivered=False)
    before = evolve(whole, cause=cause, attempts=(failed, failed), verdict=None)
    found = named(trace_headers(before, serving=second))
    assert found["x-astrolabe-decision"] == told
    assert found["x-astrolabe-attempts"] == "3"


def test_a_stream_that_begins_with_a_comment_says_nothing_of_who_will_answer() -> None:
    whole = serve(Surface.CHAT, CHAT).reply.trace
    waiting = evolve(whole, attempts=(), verdict=None, ended_at=None)
    unknown = {"model", "decision", "attempts", "verification-status"}
    found = named(trace_headers(waiting))
    assert set(found) == IDENTITY | ACCOUNT | STACK | ROUTING - {
        f"x-astrolabe-{name}" for name in unknown
    }


@pytest.mark.parametrize(("score", "share"), [(1, "0.00"), (2, "0.25"), (4, "0.75"), (5, "1.00")])
def test_a_graded_answer_carries_its_score_and_how_sure_the_verifier_is(
    score: int, share: str
) -> None:
    whole = serve(Surface.CHAT, CHAT).reply.trace
    assert whole.routed is not None
    judge = whole.routed.plan.options[0].model
    doubted = VerifierCall(model=judge, started_at=NOW, ended_at=NOW, grade=Grade(score=score))
    verdict = Verdict(
        mode=VerificationMode.STRICT,
        status=VerificationStatus.LOW_CONFIDENCE,
        verifiers=(doubted,),
    )
    found = named(trace_headers(evolve(whole, verdict=verdict)))
    assert set(found) == IDENTITY | ACCOUNT | STACK | ROUTING | {"x-astrolabe-verification-score"}
    assert found["x-astrolabe-verification-score"] == str(score)
    assert found["x-astrolabe-confidence-score"] == share
    assert found["x-astrolabe-verification-status"] == "low_confidence"
    assert found["x-astrolabe-attempts"] == "1", "a verifier is no attempt to answer"


def test_without_a_grade_the_confidence_is_the_classifier_s() -> None:
    whole = serve(Surface.CHAT, CHAT).reply.trace
    assert whole.routed is not None
    judge = whole.routed.plan.options[0].model
    silent = VerifierCall(model=judge, started_at=NOW, ended_at=NOW)
    verdict = Verdict(
        mode=VerificationMode.STRICT,
        status=VerificationStatus.UNVERIFIED,
        verifiers=(silent,),
    )
    plain, found = named(trace_headers(whole)), named(trace_headers(evolve(whole, verdict=verdict)))
    assert found == plain | {"x-astrolabe-verification-status": "unverified"}


@pytest.mark.parametrize("code", list(Code))
def test_a_refusal_says_whether_to_try_again(code: Code) -> None:
    found = named(refusal_headers(Refusal(code=code, message="no")))
    waits = named(refusal_headers(Refusal(code=code, message="no", retry_after_s=7)))
    assert waits == {"retry-after": "7"}
    assert found in ({}, {"x-should-retry": "false"})


@given(st.text())
def test_no_value_ever_leaves_printable_ascii(value: str) -> None:
    _, sent = header("x-astrolabe-stack-name", value)
    assert all(0x20 <= byte < 0x7F for byte in sent)
    assert sent == sent.strip()


def test_what_is_printable_is_sent_as_it_is() -> None:
    assert header("a", "customer-data@3 (50%)") == (b"a", b"customer-data@3 (50%)")
    assert header("a", "Zoë…\r\nx: y") == (b"a", b"Zo%C3%AB%E2%80%A6%0D%0Ax: y")


def test_nothing_is_known_of_a_request_but_its_id() -> None:
    assert named(identity_headers(RequestId("req_9"))) == dict.fromkeys(IDENTITY, "req_9")
    assert set(named(trace_headers(Trace(arrival=request())))) == IDENTITY
    assert snapshot().caller.key.display == "local…"
