"""What is decided for one request, from one snapshot?

One synchronous function: classify, resolve, judge, rank, plan. It is the live path, the dry
run, the simulator and the replay: there is no other.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from attrs import frozen

from astrolabe_core.boundaries import matches
from astrolabe_core.catalog import Catalog
from astrolabe_core.classify import classify
from astrolabe_core.codes import Code, Reason, Refusal
from astrolabe_core.conversations import refuse_continuation
from astrolabe_core.decide import (
    Blocked,
    Circumstances,
    Decision,
    Survey,
    decide,
    survey,
)
from astrolabe_core.fallback import Plan, attempts_max, mode_in_force, plan
from astrolabe_core.money import ZERO
from astrolabe_core.prepare import Demand, Pool, Roster, Shortlist, prepare, shortlist
from astrolabe_core.requests import Profile, Request
from astrolabe_core.resolve import LayerName, Resolved, cost_mode, pin, resolve
from astrolabe_core.rules import rule_for
from astrolabe_core.scoring import Terms, quality_floor
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import FallbackMode, Primary, Stack, VerificationMode
from astrolabe_core.tables import rejected_json, unblock_json
from astrolabe_core.units import Instant, ModelId, seconds_until
from astrolabe_core.verification import mode_for
from astrolabe_core.verifier import Bench, certain, question_tokens, verdict_cost
from astrolabe_core.virtual import VENDOR, VirtualModel, find_virtual


@frozen(kw_only=True)
class Routed:
    """Where a request goes: everything that was decided, and what it was decided from."""

    profile: Profile
    resolved: Resolved
    shortlist: Shortlist
    circumstances: Circumstances
    decision: Decision
    plan: Plan
    verification: VerificationMode

    def survey(self) -> Survey:
        """Give the whole table behind the decision."""
        return survey(self.shortlist, self.profile, self.circumstances)


@frozen(kw_only=True)
class Unrouted:
    """Why a request goes nowhere. What was found out before that is kept for the trace."""

    refusal: Refusal
    profile: Profile | None = None
    resolved: Resolved | None = None
    blocked: Blocked | None = None
    circumstances: Circumstances | None = None


Routing: TypeAlias = Routed | Unrouted


@frozen(kw_only=True)
class Question:
    """What is to be decided for one request: all that a decision and its table depend on."""

    profile: Profile
    resolved: Resolved
    shortlist: Shortlist
    circumstances: Circumstances
    verification: VerificationMode


def route(request: Request, snapshot: Snapshot) -> Routing:
    """Decide which model is to serve a request. The same arguments give the same answer."""
    asked = pose(request, snapshot)
    if isinstance(asked, Refusal):
        return Unrouted(refusal=asked)
    profile, resolved, prepared = asked.profile, asked.resolved, asked.shortlist
    match decide(prepared, profile, asked.circumstances):
        case Blocked() as blocked:
            return Unrouted(
                refusal=_block(blocked, asked),
                profile=profile,
                resolved=resolved,
                blocked=blocked,
                circumstances=asked.circumstances,
            )
        case Decision() as decision:
            return Routed(
                profile=profile,
                resolved=resolved,
                shortlist=prepared,
                circumstances=asked.circumstances,
                decision=decision,
                plan=plan(decision, prepared.demand),
                verification=asked.verification,
            )


def pose(request: Request, snapshot: Snapshot) -> Question | Refusal:
    """Find models and stack, classify, and prepare what they make; refuse what is unknown."""
    pool = find_pool(request, snapshot)
    if isinstance(pool, Refusal):
        return pool
    resolved = resolve(snapshot.caller, request.overrides)
    if isinstance(resolved, Refusal):
        return resolved
    unkept = refuse_continuation(request.continues, resolved.stack)
    if unkept is not None:
        return unkept
    resolved = pin(resolved, request.pinned_provider)
    profile = classify(request)
    stack = resolved.stack
    roster = prepare(_complete(pool, profile, stack, snapshot), resolved.layers, snapshot.catalog)
    prepared = shortlist(roster, demand_of(profile, stack))
    mode = mode_for(stack, profile.classification)
    judged = certain(mode, profile, streamed=request.stream)
    return Question(
        profile=profile,
        resolved=resolved,
        shortlist=prepared,
        circumstances=Circumstances(
            at=snapshot.at,
            circuits_open=_of_pool(snapshot.circuits_open, roster),
            cost_expected_max=stack.objective.cost_expected_max,
            cost_request_max=stack.budget.per_request_max_usd,
            verifier_cost=(
                verdict_cost(_bench(profile, resolved, prepared.demand, snapshot), mode)
                if judged
                else ZERO
            ),
        ),
        verification=mode,
    )


def _bench(profile: Profile, resolved: Resolved, demand: Demand, snapshot: Snapshot) -> Bench:
    """Say who may judge an answer that is not there yet.

    It is an estimate, and looks at no circuit: a decision depends on those of its pool alone, which
    its trace stores.
    """
    return Bench(
        catalog=snapshot.catalog,
        layers=resolved.layers,
        demand=demand,
        target=resolved.stack.objective.quality_target,
        circuits_open=frozenset(),
        input_tokens=question_tokens(profile),
        at=snapshot.at,
    )


def _of_pool(circuits: Mapping[ModelId, Instant], roster: Roster) -> Mapping[ModelId, Instant]:
    """Give the open circuits that concern a pool: the others change nothing."""
    return {model: until for model, until in circuits.items() if model in roster.standing}


def find_pool(request: Request, snapshot: Snapshot) -> Pool | Refusal:
    """Find what the request's `model` names: a virtual model, or one serving model."""
    virtual = find_virtual(snapshot.virtual_models, request.model)
    if virtual is not None:
        return _lane_pool(virtual)
    model = snapshot.catalog.model(request.model)
    if model is not None:
        return Pool(name=model.id, lane="", candidates=(model.id,), reference=model.id, pinned=True)
    return Refusal(
        code=Code.UNKNOWN_MODEL,
        message=f"there is no model {request.model[:120]!r}; GET /v1/models lists them, "
        f"and {VENDOR}/auto chooses one",
        param="model",
        details={"near": near(request.model, snapshot.catalog, snapshot.virtual_models)},
    )


@lru_cache(maxsize=64)
def _lane_pool(virtual: VirtualModel) -> Pool:
    return Pool(
        name=virtual.id,
        lane=virtual.lane,
        candidates=virtual.candidates,
        reserves=virtual.fallback_candidates,
        reference=virtual.reference,
    )


def near(name: str, catalog: Catalog, virtual_models: tuple[VirtualModel, ...]) -> tuple[str, ...]:
    """Give up to three known ids that share their last part, or its beginning, with a name."""
    tail = name.rpartition("/")[2].lower()[:40]
    known = [*(model.id for model in virtual_models), *(model.id for model in catalog.models)]
    ends = [(known_id.rpartition("/")[2], known_id) for known_id in known]
    return tuple(
        known_id
        for end, known_id in ends
        if tail and (end.startswith(tail) or tail.startswith(end) or tail in end)
    )[:3]


def demand_of(profile: Profile, stack: Stack) -> Demand:
    """Say what class of requests this is, under this stack."""
    found, objective = profile.classification, stack.objective
    mode = mode_in_force(stack.fallback, found.category)
    priority = objective.priority if objective.primary is Primary.FIXED_PRIORITY else ()
    return Demand(
        needs=profile.needs,
        modalities=profile.modalities,
        untrusted=profile.untrusted,
        category=found.category.value,
        terms=Terms(
            cost_mode=cost_mode(stack),
            quality_floor=quality_floor(objective.quality_target, found.complexity),
            latency_slo_ms=objective.latency_slo_ms,
            reliability_target=objective.reliability_target,
            escalates=mode is FallbackMode.ESCALATE_QUALITY,
        ),
        ruling=(
            rule_for(objective.rules, profile)
            if objective.primary is Primary.CUSTOM_RULES
            else None
        ),
        priority=priority,
        attempts_max=attempts_max(stack.fallback),
        fallback_mode=mode,
        fixed_order=objective.priority if mode is FallbackMode.FIXED_ORDER else (),
    )


def _complete(pool: Pool, profile: Profile, stack: Stack, snapshot: Snapshot) -> Pool:
    """Give a pinned pool the lane of its request, and the fallbacks that its stack names."""
    if not pool.pinned:
        return pool
    lane = find_virtual(snapshot.virtual_models, profile.classification.lane)
    reserves: tuple[ModelId, ...] = ()
    if mode_in_force(stack.fallback, profile.classification.category) is FallbackMode.FIXED_ORDER:
        reserves = tuple(
            model.id
            for model in snapshot.catalog.models
            if any(matches(pattern, model.id) for pattern in stack.objective.priority)
            and model.id not in pool.candidates
        )
    return Pool(
        name=pool.name,
        lane=profile.classification.lane,
        candidates=pool.candidates,
        reserves=reserves,
        reference=pool.reference if lane is None else lane.reference,
        pinned=True,
    )


def _block(blocked: Blocked, asked: Question) -> Refusal:
    resolved, profile = asked.resolved, asked.profile
    windows = [
        int(found.limit)
        for item in blocked.rejected
        for found in item.rejections
        if found.reason is Reason.CONTEXT_WINDOW_EXCEEDED
    ]
    # Where it is too long for every candidate, no change of a rule would help.
    if windows and len(windows) == len(blocked.rejected):
        largest = max(windows)
        return Refusal(
            code=Code.CONTEXT_LENGTH_EXCEEDED,
            message=f"the request needs about {profile.input_tokens} tokens of input and the "
            f"largest candidate holds {largest}; shorten it or choose another model",
            details={"input_tokens": profile.input_tokens, "context_window": largest},
        )
    slug = resolved.version.stack.slug
    failing = [
        item.model
        for item in blocked.rejected
        if all(found.reason is Reason.CIRCUIT_OPEN for found in item.rejections)
    ]
    if failing:
        return _wait_for(failing, blocked, slug, asked.circumstances)
    if blocked.unblock:
        first = blocked.unblock[0]
        advice = f"to admit {first.model}: {'; '.join(first.changes)}"
    else:
        advice = "no change of a rule would admit one: change the request or its model"
    if any(layer.name is LayerName.CONTINUATION for layer in resolved.layers):
        advice += "; the conversation holds encrypted reasoning, which stays with its provider"
    return Refusal(
        code=Code.ROUTING_POLICY_BLOCKED,
        message=f"stack {slug} admits none of {len(blocked.rejected)} candidates; {advice}",
        details={
            "stack": slug,
            "fingerprint": blocked.fingerprint,
            "rejected": rejected_json(blocked.rejected),
            "unblock": unblock_json(blocked.unblock),
        },
    )


def _wait_for(failing: list[ModelId], blocked: Blocked, slug: str, now: Circumstances) -> Refusal:
    """Ask for patience: these models would serve, but for calls that failed of late."""
    wait = min(seconds_until(now.circuits_open[model], now.at) for model in failing)
    return Refusal(
        code=Code.OVERLOADED,
        message=f"stack {slug} admits {', '.join(failing[:3])}, but too many calls failed of late "
        f"and none is made for now; try again in {wait} s",
        details={
            "stack": slug,
            "fingerprint": blocked.fingerprint,
            "rejected": rejected_json(blocked.rejected),
        },
        retry_after_s=wait,
    )
