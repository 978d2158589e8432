"""How does a request end: what is due, what is recorded, and what is a caller told?

Every ending carries its usage row and its trace into the same transaction as the money.
"""

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from astrolabe_core import ledger
from astrolabe_core.answers import Fault, Receipt
from astrolabe_core.budgets import Scope, SpendLimit, spend_limits
from astrolabe_core.catalog import Model
from astrolabe_core.checks import Finding
from astrolabe_core.codes import Code, Refusal, Unbillable
from astrolabe_core.messages import Admitted, Previewed, Record, Refused, Reply, Settle
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.pricing import charge
from astrolabe_core.quotas import rate_limit
from astrolabe_core.rendering import attempts_json, render_text
from astrolabe_core.requests import Reading, Request
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.states import Done, Recording, Route, Settling, Step
from astrolabe_core.trace import Flag, Trace, usage_record
from astrolabe_core.units import Instant
from astrolabe_core.verification import Verdict, failure_code, unchecked


def end(reply: Reply) -> Step:
    """Finish with nothing left to do."""
    return Step(Done(reply), None)


def record(trace: Trace, snapshot: Snapshot, at: Instant | None = None) -> Step:
    """End a request without a hold: count it, and keep its trace where it was refused."""
    ended = evolve(trace, ended_at=snapshot.at if at is None else at)
    caller = snapshot.caller
    command = ledger.Count(
        workspace=caller.workspace.id,
        rate=rate_limit(caller.key.id, caller.key.rate_limit, snapshot.at),
        at=snapshot.at,
        ending=None if ended.refusal is None else _ending(ended, snapshot, snapshot.at),
    )
    return Step(Recording(reply=_reply(ended)), Record(command))


def _reply(ended: Trace) -> Reply:
    if ended.refusal is not None:
        return Refused(ended)
    return Admitted(ended) if isinstance(ended.arrival, Reading) else Previewed(ended)


def limits(route: Route) -> list[SpendLimit]:
    """Give every budget window that this request must fit in: stack, key, workspace."""
    caller, at = route.snapshot.caller, route.snapshot.at
    stack = route.routed.resolved.stack
    # Managed stacks are shared, so a stack's counter belongs to workspace and slug together.
    owners = (
        (Scope.STACK, f"{caller.workspace.id}/{stack.slug}", stack.budget),
        (Scope.KEY, caller.key.id, caller.key.budget),
        (Scope.WORKSPACE, caller.workspace.id, caller.workspace.budget),
    )
    return [
        limit
        for scope, owner, budget in owners
        if budget is not None
        for limit in spend_limits(scope, owner, budget, at)
    ]


def price_receipt(
    route: Route, model: Model, receipt: Receipt
) -> tuple[NanoUsd | None, tuple[Flag, ...]]:
    """Price the reported usage; `None` where there is none that can be believed."""
    usage = receipt.usage
    if usage is None:
        return None, ()
    if usage.flaw() is not None:
        return None, (Flag.PROVIDER_USAGE_IMPOSSIBLE,)
    if usage.input_tokens == usage.output_tokens == 0:
        # Nobody answers a question that has no token: the count is missing, not the work.
        return None, (Flag.PROVIDER_REPORTED_ZERO_USAGE,)
    due = charge(usage, model.retail_price, route.snapshot.at)
    flags: list[Flag] = []
    if due and receipt.cost == ZERO:
        flags.append(Flag.PROVIDER_REPORTED_ZERO_COST)
    if due is not None and due > route.trace.hold:
        flags.append(Flag.CHARGE_ABOVE_HOLD)
    return due, tuple(flags)


def capture(route: Route, due: NanoUsd, at: Instant, reply: Callable[[Trace], Reply]) -> Step:
    """End the hold with a debit of what is due."""
    trace = evolve(route.trace, debit=due, ended_at=at)
    command = ledger.Capture(
        hold=route.hold,
        workspace=route.snapshot.caller.workspace.id,
        charge=due,
        at=at,
        ending=_ending(trace, route.snapshot, at),
    )
    return Step(Settling(reply=reply(trace)), Settle(command))


def void(route: Route, reason: Unbillable, at: Instant, reply: Callable[[Trace], Reply]) -> Step:
    """End the hold without a debit, and say why."""
    trace = evolve(route.trace, unbillable=reason, ended_at=at)
    command = ledger.Void(
        hold=route.hold,
        workspace=route.snapshot.caller.workspace.id,
        reason=reason,
        at=at,
        ending=_ending(trace, route.snapshot, at),
    )
    return Step(Settling(reply=reply(trace)), Settle(command))


def _ending(trace: Trace, snapshot: Snapshot, at: Instant) -> ledger.Ending | None:
    if not isinstance(trace.arrival, Request):
        return None
    kept = trace.stack is None or trace.stack.observability.trace_storage
    return ledger.Ending(
        usage=usage_record(trace, trace.arrival, snapshot.caller, at),
        trace=render_text(trace) if kept else None,
    )


@frozen
class Failure:
    """How a request ends that has no answer: what its caller is told, and what is recorded."""

    refusal: Refusal
    unbillable: Unbillable


def unacceptable(finding: Finding) -> Failure:
    """Say that no answer could be delivered."""
    code = failure_code(finding.trigger)
    message = f"no candidate gave an acceptable answer: {finding.message}; nothing was charged"
    return Failure(Refusal(code=code, message=message), _UNACCEPTABLE[code])


def unverified(verdict: Verdict) -> Failure:
    """Say that no answer could be verified as the mode asks."""
    if unchecked(verdict):
        why = "the answer could not be held against its schema in time"
    elif verdict.grade is None:
        why = "no verifier could judge the answer"
    else:
        why = "the verifier doubts the answer"
    message = (
        f"verification is {verdict.mode.value} and {why}; nothing was charged; send the request "
        "again later, or ask for a lighter verification where the stack allows it"
    )
    return Failure(
        Refusal(code=Code.VERIFICATION_FAILED, message=message), Unbillable.VERIFICATION_FAILED
    )


def unanswered(fault: Fault) -> Failure:
    """Say that no provider answered."""
    refusal = Refusal(
        code=fault.kind.code,
        message=f"{fault.message}; nothing was charged",
        retry_after_s=fault.retry_after_s,
    )
    return Failure(refusal, fault.kind.unbillable)


OVERDUE: Final = Failure(
    Refusal(
        code=Code.PROVIDER_TIMEOUT,
        message="the time for the request was over before a provider was asked; nothing charged",
    ),
    Unbillable.PROVIDER_TIMEOUT,
)
_UNACCEPTABLE: Final = {
    Code.STRUCTURED_OUTPUT_INVALID: Unbillable.STRUCTURED_OUTPUT_INVALID,
    Code.PROVIDER_ERROR: Unbillable.PROVIDER_ERROR,
}


def fail(route: Route, failure: Failure, at: Instant) -> Step:
    """End without an answer, and tell what was tried."""
    details = {**failure.refusal.details, "attempts": attempts_json(route.trace.attempts)}
    refusal = evolve(failure.refusal, details=details)
    ended = evolve(route, trace=evolve(route.trace, refusal=refusal))
    return void(ended, failure.unbillable, at, Refused)
