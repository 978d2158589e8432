"""What happened to a request, and why?

A `Trace` grows as the flow goes: it is the flow's memory, the source of headers and inline
metadata, and, rendered, what is stored and shown. It holds no prompt and no answer.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from attrs import frozen

from astrolabe_core.answers import NO_RECEIPT, Fault, Receipt
from astrolabe_core.codes import Kind, PolicyStatus, Refusal, Unbillable
from astrolabe_core.decide import Option
from astrolabe_core.fallback import Cause
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.pricing import charge
from astrolabe_core.quotas import RateStatus
from astrolabe_core.requests import Incoming, Profile, Request
from astrolabe_core.resolve import Resolved
from astrolabe_core.routing import Routed, Routing
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import Stack
from astrolabe_core.tool_policy import CallRuling
from astrolabe_core.units import Instant, Millis
from astrolabe_core.usage import Usage, UsageRecord
from astrolabe_core.verification import Verdict


class Flag(StrEnum):
    """Something odd about a request, its money above all: shown, never acted on silently."""

    PROVIDER_REPORTED_ZERO_COST = "provider_reported_zero_cost"
    PROVIDER_REPORTED_ZERO_USAGE = "provider_reported_zero_usage"
    PROVIDER_USAGE_IMPOSSIBLE = "provider_usage_impossible"
    CHARGE_ABOVE_HOLD = "charge_above_hold"
    USAGE_FROM_PROVIDER_RECORD = "usage_from_provider_record"
    SETTLEMENT_UNCONFIRMED = "settlement_unconfirmed"
    RESPONSE_NOT_KEPT = "response_not_kept"


@frozen(kw_only=True)
class Attempt:
    """One call of a provider. An answer has a verdict, a fault says what went wrong.

    `waited_ms` went by before it began. `unbillable` says why the caller does not pay for it;
    `None` where its answer was delivered and paid for.
    """

    option: Option
    started_at: Instant
    ended_at: Instant
    cause: Cause = Cause.FIRST
    waited_ms: Millis = Millis(0)
    fault: Fault | None = None
    verdict: Verdict | None = None
    receipt: Receipt = NO_RECEIPT
    delivered: bool = False
    unbillable: Unbillable | None = None


@frozen(kw_only=True)
class Trace:
    """Everything known about a request so far. `None` is not yet, or never.

    `cause` is why the model is asked that is asked now, or was asked last. `verdict` and `tools`
    are those of the answer that was delivered, else of the last one.
    """

    arrival: Incoming
    caller: Caller | None = None
    rate: RateStatus | None = None
    routing: Routing | None = None
    cause: Cause = Cause.FIRST
    attempts: tuple[Attempt, ...] = ()
    verdict: Verdict | None = None
    tools: tuple[CallRuling, ...] = ()
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
        served = self.served
        if served is not None and served.verdict is not None and served.verdict.repaired:
            return Kind.RECOVERED
        return self._kind_of(Cause.FIRST if served is None else served.cause)

    @property
    def kind_under_way(self) -> Kind | None:
        """What `kind` will be where the model that is asked now serves, as far as is known."""
        return self._kind_of(self.cause)

    def _kind_of(self, cause: Cause) -> Kind | None:
        if isinstance(self.routing, Routed):
            return _KINDS.get(cause) or self.routing.decision.kind
        return Kind.BLOCKED if self.policy_status is PolicyStatus.BLOCKED else None

    @property
    def usage(self) -> Usage | None:
        """What the provider reported for the delivered answer."""
        return None if self.served is None else self.served.receipt.usage

    @property
    def provider_cost(self) -> NanoUsd | None:
        """What providers said they charged, verifiers included; `None` where none ever said."""
        said = [receipt.cost for receipt in self._receipts() if receipt.cost is not None]
        return NanoUsd(sum(said)) if said else None

    def _receipts(self) -> Iterator[Receipt]:
        for attempt in self.attempts:
            yield attempt.receipt
            if attempt.verdict is not None:
                for call in attempt.verdict.verifiers:
                    yield call.receipt


_KINDS: Final = {
    Cause.FALLBACK: Kind.FALLBACK,
    Cause.CORRECTION: Kind.RECOVERED,
    Cause.RECOVERY: Kind.RECOVERED,
    Cause.ESCALATION: Kind.ESCALATED,
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
