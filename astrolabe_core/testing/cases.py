"""What is one request in one world, and what is the same case with one thing changed?

A `Case` is all that `route` takes. The other functions give a case in which stack, catalog, lane
or caller differ, so that laws and strategies say what they vary and nothing else.
"""

from collections.abc import Callable

from attrs import evolve, frozen

from astrolabe_core.canonical import digest
from astrolabe_core.catalog import Catalog, Model
from astrolabe_core.codes import Json, Refusal
from astrolabe_core.decide import Survey, survey
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.requests import Request
from astrolabe_core.resolve import Resolved, resolve
from astrolabe_core.routing import Question, Routed, Routing, Unrouted, pose, route
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Boundaries, Stack, StackVersion, VerificationMode
from astrolabe_core.tables import accepted_json, costs_json, rejected_json, selected_json
from astrolabe_core.units import ModelId
from astrolabe_core.virtual import VirtualModel, find_virtual


@frozen(kw_only=True)
class Case:
    """One request in one world."""

    request: Request
    snapshot: Snapshot

    def route(self) -> Routing:
        """Decide it."""
        return route(self.request, self.snapshot)

    def question(self) -> Question | None:
        """Prepare it, or give `None` where it is refused before anything is judged."""
        asked = pose(self.request, self.snapshot)
        return None if isinstance(asked, Refusal) else asked

    def resolved(self) -> Resolved | None:
        """Find its stack, or give `None` where that is refused."""
        found = resolve(self.snapshot.caller, self.request.overrides)
        return None if isinstance(found, Refusal) else found


def survey_of(asked: Question) -> Survey:
    """Give the whole table of candidates."""
    return survey(asked.shortlist, asked.profile, asked.circumstances)


def verifier_cost(case: Case) -> NanoUsd:
    """Give what its verifier is expected to cost."""
    asked = case.question()
    return ZERO if asked is None else asked.circumstances.verifier_cost


def admitted(case: Case, *, verified_as: Case | None = None) -> frozenset[ModelId]:
    """Give the ids of all models that may serve; none where the case is refused.

    With `verified_as` the verifier costs what it does there: other rules may leave another one,
    dearer or cheaper, and the ceiling counts it.
    """
    asked = case.question()
    if asked is None:
        return frozenset()
    if verified_as is not None:
        now = evolve(asked.circumstances, verifier_cost=verifier_cost(verified_as))
        asked = evolve(asked, circumstances=now)
    return frozenset(score.model.id for score in survey_of(asked).accepted)


def publish(stack: Stack, version: int = 1) -> StackVersion:
    """Give a stack as a published version."""
    return StackVersion(stack=stack, version=version, hash=digest(stack))


def with_stack(case: Case, stack: Stack) -> Case:
    """Give the case with another state of the workspace's own stack of that slug."""
    caller = case.snapshot.caller
    others = tuple(own for own in caller.stacks if own.stack.slug != stack.slug)
    changed = evolve(caller, stacks=(*others, publish(stack)))
    return evolve(case, snapshot=evolve(case.snapshot, caller=changed))


def own_stack(case: Case) -> Stack | None:
    """Give the governing stack as published where it is the workspace's own, and not managed."""
    found = case.resolved()
    if found is None or found.version not in case.snapshot.caller.stacks:
        return None
    return found.version.stack


def with_envelope(case: Case, boundaries: Boundaries | None, *, on_key: bool) -> Case:
    """Give the case with another envelope on the key, or else on the workspace."""
    caller = case.snapshot.caller
    if on_key:
        changed = evolve(caller, key=evolve(caller.key, envelope=boundaries))
    else:
        changed = evolve(caller, workspace=evolve(caller.workspace, envelope=boundaries))
    return evolve(case, snapshot=evolve(case.snapshot, caller=changed))


def with_model(case: Case, model: Model) -> Case:
    """Give the case with another state of one model."""
    catalog = case.snapshot.catalog
    models = tuple(model if each.id == model.id else each for each in catalog.models)
    changed = Catalog(version=catalog.version, models=models, priors=catalog.priors)
    return evolve(case, snapshot=evolve(case.snapshot, catalog=changed))


def with_lane(case: Case, change: Callable[[VirtualModel], VirtualModel]) -> Case:
    """Give the case with the virtual model changed that the request names, if it names one."""
    lanes = case.snapshot.virtual_models
    named = find_virtual(lanes, case.request.model)
    if named is None:
        return case
    changed = tuple(change(lane) if lane is named else lane for lane in lanes)
    return evolve(case, snapshot=evolve(case.snapshot, virtual_models=changed))


def without_candidate(case: Case, gone: ModelId) -> Case:
    """Give the case with a model left out of the lane that the request names."""
    return with_lane(
        case,
        lambda lane: evolve(
            lane,
            candidates=tuple(each for each in lane.candidates if each != gone),
            fallback_candidates=tuple(each for each in lane.fallback_candidates if each != gone),
        ),
    )


def verified(case: Case, mode: VerificationMode) -> Case:
    """Give the case with a request that asks for a mode of verification."""
    asked = evolve(case.request.overrides, verification=mode)
    return evolve(case, request=evolve(case.request, overrides=asked))


def told(routing: Routing) -> Json:
    """Write everything that a decision tells, so that two can be compared."""
    match routing:
        case Unrouted(refusal=refusal):
            return {
                "code": refusal.code.value,
                "message": refusal.message,
                "details": refusal.details,
            }
        case Routed(decision=decision, plan=plan):
            table = routing.survey()
            return {
                "kind": decision.kind.value,
                "reason": decision.reason,
                "fingerprint": decision.fingerprint,
                "selected": selected_json(decision),
                "costs": costs_json(decision, routing.circumstances),
                "plan": tuple(
                    (option.model.id, option.output_tokens_max, option.hold)
                    for option in plan.options
                ),
                "hold": plan.hold,
                "accepted": accepted_json(table.accepted),
                "rejected": rejected_json(table.rejected),
                "verification": routing.verification.value,
            }
