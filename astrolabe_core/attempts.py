"""What follows from one attempt: serve its answer, look closer, ask another model, or give up?

The handlers of the flow from the first call on. An answer is examined, held against its schemas,
ruled on for its tool calls and, where the mode asks for it, graded by a verifier, in this order and
only as far as needed. What may be delivered is kept while a better one is looked for, so that an
attempt to do better never costs the caller an answer. A recovery, once begun, goes through all
that is left of the plan, whatever goes wrong on the way.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.answers import Fault
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.conformity import Conformity
from astrolabe_core.endings import Failure, fail, unacceptable, unanswered, unverified
from astrolabe_core.fallback import (
    EXHAUSTED,
    Cause,
    Draw,
    Exhausted,
    Next,
    Plan,
    advance,
    applies,
    attempts_max,
    escalate,
    lengthen,
    mode_in_force,
    rest,
)
from astrolabe_core.messages import (
    Answered,
    CallModel,
    Correction,
    Faulted,
    Inspect,
    Inspected,
    Opened,
    Pause,
    Paused,
    Relay,
)
from astrolabe_core.settlement import add_attempt, add_draft, serve
from astrolabe_core.stacks import FallbackMode, Trigger, VerificationMode
from astrolabe_core.states import (
    Calling,
    Draft,
    Inspecting,
    Kept,
    Pausing,
    Reviewing,
    Route,
    Step,
    Streaming,
    Verifying,
)
from astrolabe_core.tool_policy import judge_calls, may_stop, refuse_calls
from astrolabe_core.units import Instant, Millis
from astrolabe_core.verification import (
    Finding,
    VerificationStatus,
    VerifierCall,
    conclude,
    deliverable,
    doubt,
    examine,
    graded,
    serious,
)
from astrolabe_core.verifier import (
    OUTPUT_TOKENS_MAX,
    TIME_MAX_MS,
    VERIFIERS_MAX,
    Bench,
    choose_verifier,
    read_grade,
    verifier_request,
    warranted,
)

_HOLDS_BACK: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})
"""Modes that verify a whole answer before its first content may reach the caller."""


# --- asking -------------------------------------------------------------------------------
def call(route: Route, at: Instant) -> Step:
    """Ask the model at the head of the plan."""
    option, layers = route.plan.head, route.routed.resolved.layers
    request = route.request
    command = CallModel(
        request=request,
        model=option.model,
        output_tokens_max=option.output_tokens_max,
        layers=layers,
        relayed=request.stream and route.routed.verification not in _HOLDS_BACK,
        time_left_ms=route.time_left_ms(at),
        holds_calls=bool(request.tools) and may_stop(request, layers),
        correction=route.correction,
        trace=route.trace,
    )
    return Step(Calling(route=route, since=at), command)


def paused(state: Pausing, event: Paused) -> Step:
    """Go on after a wait."""
    return call(state.route, event.at)


def opened(state: Calling, event: Opened) -> Step:
    """Hand a stream on: from here nothing falls back."""
    trace = evolve(state.route.trace, first_token_at=event.at)
    streaming = Streaming(route=evolve(state.route, trace=trace), since=state.since)
    return Step(streaming, Relay(stream=event.stream, trace=trace))


# --- an answer that the caller does not have ----------------------------------------------
def answered(state: Calling, event: Answered) -> Step:
    """Run the checks that need nobody else."""
    route = state.route
    examined = examine(event.answer, route.request, route.routed.verification, mendable=True)
    if not examined.claims:
        answer, verdict = conclude(examined)
        draft = Draft(answer=answer, verdict=verdict, since=state.since, until=event.at)
        return _judge(route, draft, event.at)
    inspecting = Inspecting(route=route, examined=examined, since=state.since, until=event.at)
    command = Inspect(claims=examined.claims, time_left_ms=route.time_left_ms(event.at))
    return Step(inspecting, command)


def inspected(state: Inspecting, event: Inspected) -> Step:
    """Take what was found of the schemas."""
    answer, verdict = conclude(state.examined, event.found)
    draft = Draft(answer=answer, verdict=verdict, since=state.since, until=state.until)
    return _judge(state.route, draft, event.at)


def _judge(route: Route, draft: Draft, at: Instant) -> Step:
    finding = serious(draft.verdict)
    if finding is not None:
        return _reject(route, draft, finding, at)
    draft, stopped = _rule(route, draft, at)
    if stopped is not None:
        return fail(add_draft(route, draft, stopped.unbillable), stopped, at)
    labels = [label for ruling in draft.tools for label in ruling.labels]
    if warranted(draft.verdict, draft.answer, route.routed.profile, labels):
        return _ask_verifier(route, draft, at)
    return _weigh(route, draft, at)


def _rule(route: Route, draft: Draft, at: Instant) -> tuple[Draft, Failure | None]:
    """Rule on an answer's tool calls."""
    calls = draft.answer.tool_calls
    if not calls:
        return draft, None
    layers, workspace = route.routed.resolved.layers, route.snapshot.caller.workspace.id
    rulings = judge_calls(calls, route.request, layers, workspace, at)
    refusal = refuse_calls(rulings, calls, at)
    ruled = evolve(draft, tools=rulings)
    if refusal is None:
        return ruled, None
    blocked = refusal.code is Code.TOOL_CALL_BLOCKED
    reason = Unbillable.TOOL_CALL_BLOCKED
    return ruled, Failure(
        refusal, reason if blocked else Unbillable.TOOL_CALL_CONFIRMATION_REQUIRED
    )


def _ask_verifier(route: Route, draft: Draft, at: Instant) -> Step:
    asked = [called.model.id for called in draft.verdict.verifiers]
    bench = Bench(
        catalog=route.snapshot.catalog,
        layers=route.routed.resolved.layers,
        circuits_open=route.snapshot.circuits_open,
        at=route.snapshot.at,
    )
    answerer, left = route.plan.head.model, route.time_left_ms(at)
    model = (
        choose_verifier(bench, draft.verdict.mode, answerer, asked)
        if left and len(asked) < VERIFIERS_MAX
        else None
    )
    if model is None:
        return _weigh_grade(route, draft, at)
    command = CallModel(
        request=verifier_request(route.request, draft.answer, model),
        model=model,
        output_tokens_max=min(OUTPUT_TOKENS_MAX, model.output_tokens_max),
        layers=bench.layers,
        relayed=False,
        time_left_ms=min(TIME_MAX_MS, left),
    )
    return Step(Verifying(route=route, draft=draft, model=model, since=at), command)


def verified(state: Verifying, event: Answered | Faulted) -> Step:
    """Take a verifier's grade; where it is none, another one is asked."""
    answer = event.answer if isinstance(event, Answered) else None
    fault = event.fault if isinstance(event, Faulted) else None
    called = VerifierCall(
        model=state.model,
        started_at=state.since,
        ended_at=event.at,
        grade=None if answer is None else read_grade(answer),
        fault=fault,
        receipt=event.answer.receipt if isinstance(event, Answered) else event.fault.receipt,
    )
    verdict = state.draft.verdict
    verdict = evolve(verdict, verifiers=(*verdict.verifiers, called))
    draft = evolve(state.draft, verdict=verdict)
    if called.grade is None:
        return _ask_verifier(state.route, draft, event.at)
    return _weigh_grade(state.route, draft, event.at)


def _weigh_grade(route: Route, draft: Draft, at: Instant) -> Step:
    rules = route.routed.resolved.stack.verification
    return _weigh(route, evolve(draft, verdict=graded(draft.verdict, rules)), at)


def _weigh(route: Route, draft: Draft, at: Instant) -> Step:
    """Deliver an answer, or keep it while a better one is looked for."""
    route = _keep(route, draft)
    trigger = doubt(draft.verdict)
    following = None if trigger is None else _elsewhere(route, trigger)
    if following is not None and route.time_left_ms(at):
        return call(following, at)
    if route.kept is not None:
        return serve(route, route.kept, at)
    return fail(route, unverified(draft.verdict), at)


def _keep(route: Route, draft: Draft) -> Route:
    """Record an attempt; what may be delivered is kept unless what is kept is as good."""
    route = add_draft(route, draft, Unbillable.VERIFICATION_FAILED)
    if not deliverable(draft.verdict):
        return route
    if route.kept is not None and _merit(draft) <= _merit(route.kept):
        return route
    kept = Kept(
        answer=draft.answer,
        verdict=draft.verdict,
        tools=draft.tools,
        attempt=len(route.trace.attempts) - 1,
    )
    return evolve(route, kept=kept)


def _merit(answer: Draft | Kept) -> tuple[bool, int]:
    """How good an answer is: one without a grade is not doubted, so that it counts as good."""
    grade = answer.verdict.grade
    whole = answer.verdict.status is VerificationStatus.PASSED
    return whole, 0 if grade is None else grade.score


def _elsewhere(route: Route, trigger: Trigger) -> Route | None:
    """Turn to a model that may do better than one that did well enough, once for each reason."""
    stack = route.routed.resolved.stack
    if not applies(trigger, stack.fallback, route.routed.verification) or _is_spent(route):
        return None
    cause, escalated = Cause.FALLBACK, route.escalated
    plan: Next = rest(route.plan)
    if trigger is Trigger.CONTEXT_LENGTH:
        plan = lengthen(route.plan)
    elif trigger is Trigger.VERIFIER_LOW_CONFIDENCE:
        if escalated:
            return None
        escalated = True
        category = route.routed.profile.classification.category.value
        if mode_in_force(stack.fallback, category) is FallbackMode.ESCALATE_QUALITY:
            cause, plan = Cause.ESCALATION, escalate(route.plan)
    if isinstance(plan, Exhausted):
        return None
    return _moved(route, plan, cause, escalated=escalated)


# --- no answer, or none that may be delivered ---------------------------------------------
def faulted(state: Calling, event: Faulted) -> Step:
    """Take a fault of the provider."""
    fault, route = event.fault, state.route
    failure = unanswered(fault)
    route = add_attempt(
        route,
        since=state.since,
        until=event.at,
        fault=fault,
        receipt=fault.receipt,
        unbillable=failure.unbillable,
    )
    return _go_on(route, fault.kind.trigger, failure, event.at, fault)


def _reject(route: Route, draft: Draft, finding: Finding, at: Instant) -> Step:
    """Turn from an answer that may not be delivered; from a missed schema, to its recovery."""
    failure = unacceptable(finding)
    route = add_draft(route, draft, failure.unbillable)
    rules = route.routed.resolved.stack.fallback
    missed = finding.trigger is Trigger.SCHEMA_FAILURE
    if missed and route.kept is None and applies(finding.trigger, rules, draft.verdict.mode):
        route = evolve(route, recovering=route.recovering or finding)
        corrected = _corrected(route, draft, finding)
        if corrected is not None and route.time_left_ms(at):
            return call(corrected, at)
    return _go_on(route, finding.trigger, failure, at)


def _corrected(route: Route, draft: Draft, finding: Finding) -> Route | None:
    """Show a model that the caller named what is wrong with its answer, once."""
    pinned = route.routed.shortlist.roster.pool.pinned
    if not pinned or _is_spent(route) or len(route.trace.attempts) > 1:
        return None
    said = draft.answer.text or "\n".join(made.arguments for made in draft.answer.tool_calls)
    flaws = finding.flaws or (finding.message,)
    moved = _moved(route, route.plan, Cause.CORRECTION, escalated=route.escalated)
    return evolve(moved, correction=Correction(text=said, flaws=flaws))


def _go_on(
    route: Route, trigger: Trigger | None, failure: Failure, at: Instant, fault: Fault | None = None
) -> Step:
    """Ask the next model, where the stack moves on for this and one is left; else end."""
    if route.kept is not None:
        return serve(route, route.kept, at)
    rules, left = route.routed.resolved.stack.fallback, route.time_left_ms(at)
    if route.recovering is not None:
        failure = unacceptable(route.recovering)
    elif not applies(trigger, rules, route.routed.verification):
        return fail(route, failure, at)
    draw = Draw(failures=len(route.trace.attempts), jitter=route.arrival.jitter, time_left_ms=left)
    following = EXHAUSTED if _is_spent(route) or not left else advance(route.plan, fault, draw)
    if isinstance(following, Exhausted):
        return fail(route, failure, at)
    plan, wait = following
    cause = Cause.FALLBACK if route.recovering is None else Cause.RECOVERY
    moved = _moved(route, plan, cause, escalated=route.escalated)
    if wait:
        return Step(Pausing(evolve(moved, waited_ms=wait)), Pause(wait))
    return call(moved, at)


def _is_spent(route: Route) -> bool:
    rules = route.routed.resolved.stack.fallback
    return len(route.trace.attempts) >= attempts_max(rules)


def _moved(route: Route, plan: Plan, cause: Cause, *, escalated: bool) -> Route:
    start = evolve(route, plan=plan, cause=cause, correction=None, waited_ms=Millis(0))
    return evolve(start, escalated=escalated)


# --- a stream that the caller has ---------------------------------------------------------
def streamed(state: Streaming, event: Answered) -> Step:
    """Examine an answer that the caller already has."""
    route = state.route
    examined = examine(event.answer, route.request, route.routed.verification, mendable=False)
    reviewing = Reviewing(route=route, examined=examined, since=state.since, until=event.at)
    if examined.claims:
        command = Inspect(claims=examined.claims, time_left_ms=route.time_left_ms(event.at))
        return Step(reviewing, command)
    return _report(reviewing, (), event.at)


def reviewed(state: Reviewing, event: Inspected) -> Step:
    """Take what was found of a streamed answer's schemas."""
    return _report(state, event.found, event.at)


def _report(state: Reviewing, found: tuple[Conformity, ...], at: Instant) -> Step:
    """Report on a streamed answer; only its tool calls may still be held back."""
    answer, verdict = conclude(state.examined, found)
    draft = Draft(answer=answer, verdict=verdict, since=state.since, until=state.until)
    draft, stopped = _rule(state.route, draft, at)
    if stopped is not None:
        return fail(add_draft(state.route, draft, stopped.unbillable), stopped, at)
    route = add_draft(state.route, draft, None)
    kept = Kept(
        answer=answer,
        verdict=verdict,
        tools=draft.tools,
        attempt=len(route.trace.attempts) - 1,
    )
    return serve(route, kept, at)


def broken(state: Streaming, event: Faulted) -> Step:
    """End a stream that broke: what the caller has of it is not paid for."""
    fault, reason = event.fault, Unbillable.STREAMING_PROVIDER_ERROR
    route = add_attempt(
        state.route,
        since=state.since,
        until=event.at,
        fault=fault,
        receipt=fault.receipt,
        unbillable=reason,
    )
    return fail(route, Failure(unanswered(fault).refusal, reason), event.at)
