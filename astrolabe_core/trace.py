"""What happened to a request, and why?

A `Trace` grows as the flow goes: it is the flow's memory, the source of headers and inline
metadata, and, rendered, what is stored and shown. It holds no prompt and no answer.
"""

from enum import StrEnum

from attrs import frozen

from astrolabe_core.answers import NO_RECEIPT, Fault, Receipt
from astrolabe_core.codes import Json, Kind, PolicyStatus, Refusal, Unbillable
from astrolabe_core.decide import Option
from astrolabe_core.money import ZERO, NanoUsd, usd_text
from astrolabe_core.pricing import charge
from astrolabe_core.quotas import RateStatus
from astrolabe_core.requests import Incoming, Profile, Request
from astrolabe_core.resolve import Resolved
from astrolabe_core.routing import Routed, Routing
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import Stack
from astrolabe_core.tables import (
    accepted_json,
    accepted_text,
    blocked_json,
    classification_json,
    costs_json,
    json_text,
    rejected_json,
    selected_json,
)
from astrolabe_core.units import Instant, Millis
from astrolabe_core.usage import Usage, UsageRecord
from astrolabe_core.verification import Verdict


class Flag(StrEnum):
    """Something odd about a request, its money above all: shown, never acted on silently."""

    PROVIDER_REPORTED_ZERO_COST = "provider_reported_zero_cost"
    PROVIDER_REPORTED_ZERO_USAGE = "provider_reported_zero_usage"
    PROVIDER_USAGE_IMPOSSIBLE = "provider_usage_impossible"
    CHARGE_ABOVE_HOLD = "charge_above_hold"
    SETTLEMENT_UNCONFIRMED = "settlement_unconfirmed"
    RESPONSE_NOT_KEPT = "response_not_kept"


@frozen(kw_only=True)
class Attempt:
    """One call of a provider. An answer has a verdict, a fault says what went wrong."""

    option: Option
    started_at: Instant
    ended_at: Instant
    fault: Fault | None = None
    verdict: Verdict | None = None
    receipt: Receipt = NO_RECEIPT
    delivered: bool = False


@frozen(kw_only=True)
class Trace:
    """Everything known about a request so far. `None` is not yet, or never."""

    arrival: Incoming
    caller: Caller | None = None
    rate: RateStatus | None = None
    routing: Routing | None = None
    attempts: tuple[Attempt, ...] = ()
    verdict: Verdict | None = None
    hold: NanoUsd = ZERO
    debit: NanoUsd = ZERO
    unbillable: Unbillable | None = None
    refusal: Refusal | None = None
    flags: tuple[Flag, ...] = ()
    first_token_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def resolved(self) -> Resolved | None:
        """The stack that governs, once it is resolved."""
        return None if self.routing is None else self.routing.resolved

    @property
    def stack(self) -> Stack | None:
        """The governing stack with the request's overrides."""
        return None if self.resolved is None else self.resolved.stack

    @property
    def profile(self) -> Profile | None:
        """What the request was found to need."""
        return None if self.routing is None else self.routing.profile

    @property
    def routed(self) -> Routed | None:
        """The decision, where there is one that names a model."""
        return self.routing if isinstance(self.routing, Routed) else None

    @property
    def policy_status(self) -> PolicyStatus:
        """Whether the boundaries were judged, and how that ended."""
        if isinstance(self.routing, Routed):
            return PolicyStatus.PASSED
        if self.routing is not None and self.routing.blocked is not None:
            return PolicyStatus.BLOCKED
        return PolicyStatus.NOT_EVALUATED

    @property
    def served(self) -> Attempt | None:
        """The attempt whose answer was delivered."""
        for attempt in self.attempts:
            if attempt.delivered:
                return attempt
        return None

    @property
    def kind(self) -> Kind | None:
        """How the decision came about in the end: as decided, or by falling back."""
        if isinstance(self.routing, Routed):
            served = self.served
            if served is None or served.option is self.routing.plan.head:
                return self.routing.decision.kind
            return Kind.FALLBACK
        return Kind.BLOCKED if self.policy_status is PolicyStatus.BLOCKED else None

    @property
    def usage(self) -> Usage | None:
        """What the provider reported for the delivered answer."""
        return None if self.served is None else self.served.receipt.usage

    @property
    def provider_cost(self) -> NanoUsd | None:
        """What the provider said it charged, over all attempts; `None` where it never said."""
        said = [a.receipt.cost for a in self.attempts if a.receipt.cost is not None]
        return NanoUsd(sum(said)) if said else None


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
        "ledger": ledger_json(trace),
        "refusal": None if trace.refusal is None else _refusal_json(trace.refusal),
        "timing": _timing_json(trace),
    }


def render_text(trace: Trace) -> str:
    """Write a whole trace as compact JSON text, to be stored: `render` with its explanation."""
    parts = {name: json_text(part) for name, part in render(trace, explain=False).items()}
    if trace.routed is not None:
        survey = trace.routed.survey()
        parts["decision"] = (
            f"{parts['decision'][:-1]}"
            f',"accepted":{accepted_text(survey.accepted)}'
            f',"rejected":{json_text(rejected_json(survey.rejected))}}}'
        )
    return "{" + ",".join([f'"{name}":{part}' for name, part in parts.items()]) + "}"


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
            **costs_json(routing.decision),
            "quality_target": routing.resolved.stack.objective.quality_target.value,
            "cost_mode": routing.shortlist.demand.terms.cost_mode.value,
            "fallback_mode": (
                routing.resolved.stack.fallback.mode.value
                if routing.resolved.stack.fallback.enabled
                else "off"
            ),
            "verification_mode": routing.verification.value,
            "fingerprint": routing.decision.fingerprint,
        }
    if routing is None or routing.blocked is None:
        return None
    return blocked_json(routing.blocked)


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
    """Write a verdict with its findings. No verifier model is asked yet, and it says so."""
    return {
        "mode": verdict.mode.value,
        "status": verdict.status.value,
        "verifier": None,
        "findings": tuple(
            {"check": finding.check.value, "message": finding.message}
            for finding in verdict.findings
        ),
    }


def usage_record(trace: Trace, request: Request, caller: Caller, at: Instant) -> UsageRecord:
    """Give the usage row of a request that ends now."""
    resolved, routed, served = trace.resolved, trace.routed, trace.served
    decision = None if routed is None else routed.decision
    return UsageRecord(
        request=request.id,
        workspace=caller.workspace.id,
        key=caller.key.id,
        at=request.received_at,
        surface=request.surface.value,
        stream=request.stream,
        model=request.model,
        stack=None if resolved is None else resolved.version.stack.slug,
        stack_version=None if resolved is None else resolved.version.version,
        category=None if trace.profile is None else trace.profile.classification.category.value,
        kind=trace.kind,
        selected=None if decision is None else decision.selected.model.id,
        served=None if served is None else served.option.model.id,
        refusal=None if trace.refusal is None else trace.refusal.code,
        unbillable=trace.unbillable,
        attempts=len(trace.attempts),
        usage=trace.usage,
        hold=trace.hold,
        debit=trace.debit,
        provider_cost=trace.provider_cost,
        estimated=None if decision is None else decision.estimate.expected_cost,
        baseline=_actual_baseline(trace),
        latency_ms=Millis(at - request.received_at),
        first_token_ms=(
            None
            if trace.first_token_at is None
            else Millis(trace.first_token_at - request.received_at)
        ),
    )


def _actual_baseline(trace: Trace) -> NanoUsd | None:
    """Price the reported usage at the lane's reference model; without usage, the estimate."""
    routed = trace.routed
    if routed is None or routed.decision.baseline is None:
        return None
    reference = routed.shortlist.reference
    if trace.usage is None or reference is None:
        return routed.decision.baseline.cost
    return charge(trace.usage, reference.model.retail_price, routed.circumstances.at)


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


def _attempt_json(attempt: Attempt) -> dict[str, Json]:
    fault = attempt.fault
    return {
        "model": attempt.option.model.id,
        "provider": attempt.option.model.provider,
        "host": attempt.receipt.host,
        "generation": attempt.receipt.generation,
        "outcome": "answered" if fault is None else fault.kind.value,
        "message": None if fault is None else fault.message,
        "status": None if fault is None else fault.status,
        "verification": None if attempt.verdict is None else verdict_json(attempt.verdict),
        "delivered": attempt.delivered,
        "started_at": attempt.started_at,
        "duration_ms": attempt.ended_at - attempt.started_at,
        "usage": None if attempt.receipt.usage is None else usage_json(attempt.receipt.usage),
        "provider_cost_usd": (
            None if attempt.receipt.cost is None else usd_text(attempt.receipt.cost)
        ),
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
