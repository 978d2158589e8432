"""How does a trace look as JSON?

The one form of `GET /v1/traces/{id}`, of a dry run and of what is stored; its parts are the inline
metadata of an answer. Money is a decimal string of dollars, a share a decimal string too.
"""

from astrolabe_core.answers import Receipt
from astrolabe_core.codes import Json, Refusal
from astrolabe_core.decide import Circumstances
from astrolabe_core.money import usd_text
from astrolabe_core.requests import Incoming, Request
from astrolabe_core.routing import Routed
from astrolabe_core.tables import (
    accepted_json,
    accepted_text,
    blocked_json,
    classification_json,
    costs_json,
    json_text,
    rejected_json,
    selected_json,
    share_text,
)
from astrolabe_core.tool_policy import CallRuling
from astrolabe_core.trace import Attempt, Trace
from astrolabe_core.units import Instant
from astrolabe_core.usage import Usage
from astrolabe_core.verification import Verdict, VerifierCall


def render(trace: Trace, *, explain: bool = True) -> dict[str, Json]:
    """Write a trace as `GET /v1/traces/{id}` and, without attempts, `/v1/route` show it.

    `explain` adds the whole candidate table.
    """
    return {
        "request_id": trace.arrival.id,
        "stack": _stack_json(trace),
        "continuation": _continuation_json(trace.arrival),
        "classification": classified_json(trace),
        "decision": decision_json(trace, explain=explain),
        "policy_status": trace.policy_status.value,
        "attempts": tuple(_attempt_json(attempt) for attempt in trace.attempts),
        "verification": None if trace.verdict is None else verdict_json(trace.verdict),
        "tool_calls": tools_json(trace.tools),
        "ledger": ledger_json(trace),
        "refusal": None if trace.refusal is None else _refusal_json(trace.refusal),
        "timing": _timing_json(trace),
    }


def render_text(trace: Trace) -> str:
    """Write a whole trace as compact JSON text, to be stored: `render` with its explanation.

    The decision with its long table comes last. Each call of the encoder has a price of its own.
    """
    told = render(trace, explain=False)
    if trace.routed is None:
        return json_text(told)
    decision, survey = json_text(told.pop("decision")), trace.routed.survey()
    return (
        f'{json_text(told)[:-1]},"decision":{decision[:-1]}'
        f',"accepted":{accepted_text(survey.accepted)}'
        f',"rejected":{json_text(rejected_json(survey.rejected))}}}}}'
    )


def classified_json(trace: Trace) -> dict[str, Json] | None:
    """Write what kind of work the request was found to be."""
    profile = trace.profile
    return None if profile is None else classification_json(profile.classification)


def decision_json(trace: Trace, *, explain: bool) -> dict[str, Json] | None:
    """Write the decision, with the table of all candidates where `explain` asks for it."""
    routing = trace.routing
    if isinstance(routing, Routed):
        return {
            "kind": None if trace.kind is None else trace.kind.value,
            "reason": routing.decision.reason,
            "selected": selected_json(routing.decision),
            "plan": tuple(option.model.id for option in routing.plan.options),
            **(_survey_json(routing) if explain else {}),
            **costs_json(routing.decision, routing.circumstances),
            "quality_target": routing.resolved.stack.objective.quality_target.value,
            "cost_mode": routing.shortlist.demand.terms.cost_mode.value,
            "fallback_mode": (
                routing.resolved.stack.fallback.mode.value
                if routing.resolved.stack.fallback.enabled
                else "off"
            ),
            "verification_mode": routing.verification.value,
            "circuits_open": circuits_json(routing.circumstances),
            "fingerprint": routing.decision.fingerprint,
        }
    if routing is None or routing.blocked is None or routing.circumstances is None:
        return None
    return {
        **blocked_json(routing.blocked, routing.circumstances),
        "circuits_open": circuits_json(routing.circumstances),
    }


def circuits_json(now: Circumstances) -> dict[str, Json]:
    """Write which candidates were not to be called, and when each was to be tried again."""
    return {model: until for model, until in sorted(now.circuits_open.items())}  # noqa: C416


def ledger_json(trace: Trace) -> dict[str, Json]:
    """Write the money of a request: decimal strings of dollars."""
    usage, cost = trace.usage, trace.provider_cost
    return {
        "hold_usd": usd_text(trace.hold),
        "debit_usd": usd_text(trace.debit),
        "unbillable_reason": None if trace.unbillable is None else trace.unbillable.value,
        "provider_cost_usd": None if cost is None else usd_text(cost),
        "usage": None if usage is None else usage_json(usage),
        "flags": tuple(flag.value for flag in trace.flags),
    }


def usage_json(usage: Usage) -> dict[str, Json]:
    """Write token counts."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def verdict_json(verdict: Verdict) -> dict[str, Json]:
    """Write a verdict: findings, and every verifier that was asked, the last one first said."""
    grade = verdict.grade
    return {
        "mode": verdict.mode.value,
        "status": verdict.status.value,
        "repaired": verdict.repaired,
        "score": None if grade is None else grade.score,
        "confidence": None if grade is None else share_text(grade.confidence),
        "verifiers": tuple(_verifier_json(call) for call in verdict.verifiers),
        "findings": tuple(
            {
                "check": finding.check.value,
                "message": finding.message,
                "flaws": finding.flaws,
            }
            for finding in verdict.findings
        ),
    }


def tools_json(rulings: tuple[CallRuling, ...]) -> Json:
    """Write what was ruled of an answer's tool calls; their arguments are nowhere in it."""
    return tuple(
        {
            "tool": ruling.tool,
            "labels": tuple(label.value for label in ruling.labels),
            "permission": ruling.permission.value,
            "confirmed": ruling.confirmed,
        }
        for ruling in rulings
    )


def _verifier_json(call: VerifierCall) -> Json:
    grade = call.grade
    return {
        "model": call.model.id,
        "provider": call.model.provider,
        "outcome": _judged(call),
        "prompt_version": call.prompt_version,
        "score": None if grade is None else grade.score,
        "concerns": () if grade is None else tuple(each.value for each in grade.concerns),
        **_call_json(call.receipt, call.started_at, call.ended_at),
    }


def _judged(call: VerifierCall) -> str:
    if call.fault is not None:
        return call.fault.kind.value
    if call.cut_off:
        return "cut_off"
    return "unreadable" if call.grade is None else "graded"


def _call_json(receipt: Receipt, begun: Instant, ended: Instant) -> dict[str, Json]:
    return {
        "host": receipt.host,
        "generation": receipt.generation,
        "started_at": begun,
        "duration_ms": ended - begun,
        "usage": None if receipt.usage is None else usage_json(receipt.usage),
        "provider_cost_usd": None if receipt.cost is None else usd_text(receipt.cost),
    }


def _stack_json(trace: Trace) -> Json:
    resolved = trace.resolved
    if resolved is None:
        return None
    return {
        "slug": resolved.version.stack.slug,
        "version": resolved.version.version,
        "hash": resolved.version.hash,
        "resolved_by": resolved.level.value,
        "layers": tuple(layer.name.value for layer in resolved.layers),
    }


def _continuation_json(arrival: Incoming) -> Json:
    """Write what the request goes on from, and who alone can read its encrypted reasoning."""
    if not isinstance(arrival, Request):
        return None
    before, provider = arrival.continues, arrival.pinned_provider
    if before is None and provider is None:
        return None
    return {
        "previous_response_id": None if before is None else before.id,
        "provider": provider,
    }


def _survey_json(routing: Routed) -> dict[str, Json]:
    survey = routing.survey()
    return {
        "accepted": accepted_json(survey.accepted),
        "rejected": rejected_json(survey.rejected),
    }


def attempts_json(attempts: tuple[Attempt, ...]) -> tuple[Json, ...]:
    """Write, shorter than in a trace, what was tried: for a caller who got no answer."""
    return tuple(
        {
            "model": attempt.option.model.id,
            "cause": attempt.cause.value,
            "outcome": "answered" if attempt.fault is None else attempt.fault.kind.value,
            "message": None if attempt.fault is None else attempt.fault.message,
            "findings": (
                ()
                if attempt.verdict is None
                else tuple(finding.message for finding in attempt.verdict.findings)
            ),
        }
        for attempt in attempts
    )


def _attempt_json(attempt: Attempt) -> dict[str, Json]:
    fault = attempt.fault
    return {
        "model": attempt.option.model.id,
        "provider": attempt.option.model.provider,
        "cause": attempt.cause.value,
        "waited_ms": attempt.waited_ms,
        "outcome": "answered" if fault is None else fault.kind.value,
        "message": None if fault is None else fault.message,
        "status": None if fault is None else fault.status,
        "verification": None if attempt.verdict is None else verdict_json(attempt.verdict),
        "delivered": attempt.delivered,
        "unbillable_reason": None if attempt.unbillable is None else attempt.unbillable.value,
        **_call_json(attempt.receipt, attempt.started_at, attempt.ended_at),
    }


def _refusal_json(refusal: Refusal) -> dict[str, Json]:
    return {"code": refusal.code.value, "message": refusal.message, "param": refusal.param}


def _timing_json(trace: Trace) -> dict[str, Json]:
    begun = trace.arrival.received_at
    return {
        "received_at": begun,
        "first_token_ms": None if trace.first_token_at is None else trace.first_token_at - begun,
        "total_ms": None if trace.ended_at is None else trace.ended_at - begun,
    }
