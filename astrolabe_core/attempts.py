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
from astrolabe_core.checks import Finding
from astrolabe_core.classify.sizes import measure
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.conformity import Conformity
from astrolabe_core.endings import OVERDUE, Failure, fail, unacceptable, unanswered, unverified
from astrolabe_core.fallback import applies
from astrolabe_core.grading import read_grade, verifier_request
from astrolabe_core.messages import (
    Answered,
    CallModel,
    Faulted,
    Inspect,
    Inspected,
    Opened,
    Pause,
    Paused,
    Relay,
)
from astrolabe_core.pursuit import better, correct, following
from astrolabe_core.settlement import add_attempt, add_draft, deliver, serve
from astrolabe_core.stacks import Trigger, VerificationMode
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
from astrolabe_core.units import Instant
from astrolabe_core.verification import (
    ACCEPTABLE_CONFIDENCE_MIN,
    Verdict,
    VerificationStatus,
    VerifierCall,
    conclude,
    deliverable,
    doubts,
    examine,
    graded,
    serious,
    unchecked,
)
from astrolabe_core.verifier import (
    OUTPUT_TOKENS_MAX,
    TIME_MAX_MS,
    VERIFIERS_MAX,
    Bench,
    choose_verifier,
    obeyed,
    warranted,
)

_HOLDS_BACK: Final = frozenset({VerificationMode.STRICT, VerificationMode.STRONG})
"""Modes that verify a whole answer before its first content may reach the caller."""


# --- asking -------------------------------------------------------------------------------
def call(route: Route, at: Instant) -> Step:
    """Ask the model at the head of the plan, unless it is too late for that."""
    time_left = route.time_left_ms(at)
    if not time_left:
        return fail(route, _overdue(route), at)
    option, layers = route.plan.head, route.routed.resolved.layers
    request = route.request
    # While an answer is kept nothing is relayed: a stream that broke would lose it.
    held_back = route.kept is not None or route.routed.verification in _HOLDS_BACK
    command = CallModel(
        request=request,
        model=option.model,
        output_tokens_max=option.output_tokens_max,
        layers=layers,
        relayed=request.stream and not held_back,
        time_left_ms=time_left,
        # A model may call what nobody offered.
        holds_calls=may_stop(request, layers),
        correction=route.correction,
        trace=route.trace,
    )
    return Step(Calling(route=route, since=at), command)


def _overdue(route: Route) -> Failure:
    """Say what came of a request whose time was over before its next call began."""
    attempts = route.trace.attempts
    fault = attempts[-1].fault if attempts else None
    return _gone_wrong(route, OVERDUE if fault is None else unanswered(fault))


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
    if route.recovering is not None and not unchecked(draft.verdict):
        route = evolve(route, recovering=None)  # what was missed is there
    draft, stopped = _rule(route, draft, at)
    if stopped is not None:
        return _give_up(add_draft(route, draft, stopped.unbillable), stopped, at)
    labels = [label for ruling in draft.tools for label in ruling.labels]
    if warranted(draft.verdict, route.routed.profile, labels):
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
    left = route.time_left_ms(at)
    if not left or len(asked) == VERIFIERS_MAX:
        return _weigh_grade(route, draft, at)
    routed, question = route.routed, verifier_request(route.request, draft.answer)
    bench = Bench(
        catalog=route.snapshot.catalog,
        layers=obeyed(routed.resolved.layers),
        demand=routed.shortlist.demand,
        target=routed.resolved.stack.objective.quality_target,
        circuits_open=route.snapshot.circuits_open,
        input_tokens=measure(question).expected,
        at=route.snapshot.at,
    )
    model = choose_verifier(bench, draft.verdict.mode, route.plan.head.model, asked)
    if model is None:
        return _weigh_grade(route, draft, at)
    command = CallModel(
        request=question,
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
    triggers = doubts(draft.verdict)
    if not triggers and route.kept is None and deliverable(draft.verdict):
        return deliver(route, draft, at)
    route = _keep(add_draft(route, draft, Unbillable.VERIFICATION_FAILED), draft)
    ways = (better(route, trigger, at) for trigger in triggers)
    bettered = next((way for way in ways if way is not None), None)
    if bettered is not None:
        return call(bettered, at)
    return _go_on(route, None, unverified(draft.verdict), at)


def _keep(route: Route, draft: Draft) -> Route:
    """Keep what was recorded last, if it may be delivered, unless what is kept is as good."""
    if not deliverable(draft.verdict):
        return route
    if route.kept is not None and _merit(draft.verdict) <= _merit(route.kept.verdict):
        return route
    kept = Kept(
        answer=draft.answer,
        verdict=draft.verdict,
        tools=draft.tools,
        attempt=len(route.trace.attempts) - 1,
    )
    return evolve(route, kept=kept)


def _merit(verdict: Verdict) -> tuple[int, int]:
    """Rank what may be delivered: what nobody could judge beats only what is thought poor."""
    grade = verdict.grade
    rank = _RANKS.get(verdict.status, _SOUND)
    if grade is not None and grade.confidence < ACCEPTABLE_CONFIDENCE_MIN:
        rank = min(rank, _POOR)
    return rank, 0 if grade is None else grade.confidence


_SOUND: Final = 4
_POOR: Final = 1
_RANKS: Final = {
    VerificationStatus.LOW_CONFIDENCE: 3,
    VerificationStatus.UNVERIFIED: 2,
    VerificationStatus.FAILED: 0,
}


# --- no answer, or none that may be delivered ---------------------------------------------
def faulted(state: Calling, event: Faulted) -> Step:
    """Take a fault of the provider."""
    fault, failure = event.fault, unanswered(event.fault)
    route = add_attempt(
        state.route,
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
        corrected = correct(route, draft, finding.flaws or (finding.message,), at)
        if corrected is not None:
            return call(corrected, at)
    return _go_on(route, finding.trigger, failure, at)


def _go_on(
    route: Route, trigger: Trigger | None, failure: Failure, at: Instant, fault: Fault | None = None
) -> Step:
    """Ask the next model, where the stack moves on for this and one is left; else end.

    Who has an answer already looks for no other one: the search for a better one was it.
    """
    found = None if route.kept is not None else following(route, trigger, at, fault)
    if found is None:
        return _give_up(route, _gone_wrong(route, failure), at)
    if found.waited_ms:
        return Step(Pausing(found), Pause(found.waited_ms))
    return call(found, at)


def _give_up(route: Route, failure: Failure, at: Instant) -> Step:
    """Deliver the answer that was kept; without one, say what went wrong."""
    return fail(route, failure, at) if route.kept is None else serve(route, route.kept, at)


def _gone_wrong(route: Route, failure: Failure) -> Failure:
    """Say what began a recovery that failed, rather than what happened to it on the way."""
    return failure if route.recovering is None else unacceptable(route.recovering)


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
    return deliver(state.route, draft, at)


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
