"""Which stack governs this request, and within which layers of boundaries?

The first level that names a stack decides: request, key, workspace, managed default. A stack
that is named and not there is a refusal, never a fall-through. Overrides then adjust what is
soft; a locked one may only tighten. Layers narrow: a model must be admitted by every one, so
their order does not matter and none can widen another.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, frozen

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.managed import DEFAULT_STACK, MANAGED
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import (
    Boundaries,
    CostMode,
    Primary,
    QualityTarget,
    Stack,
    StackVersion,
    VerificationMode,
    VersionStatus,
)
from astrolabe_core.units import ProviderId


class Level(StrEnum):
    """Who named the stack."""

    REQUEST = "request"
    KEY = "key"
    WORKSPACE = "workspace"
    DEFAULT = "default"


class LayerName(StrEnum):
    """Whose boundaries a layer holds."""

    STACK = "stack"
    WORKSPACE = "workspace"
    KEY = "key"
    CONTINUATION = "continuation"


@frozen
class Layer:
    """One set of boundaries and whose they are."""

    name: LayerName
    boundaries: Boundaries


@frozen(kw_only=True)
class Resolved:
    """The version that governs, who named it, what it says for this request, and the layers.

    `stack` is the version's stack with the request's overrides applied.
    """

    version: StackVersion
    level: Level
    stack: Stack
    layers: tuple[Layer, ...]


Resolution: TypeAlias = Resolved | Refusal


def pin(resolved: Resolved, provider: ProviderId | None) -> Resolved:
    """Add the layer of a conversation that only one provider can read: it narrows, like any."""
    if provider is None:
        return resolved
    only = Layer(LayerName.CONTINUATION, Boundaries(allowed_providers=frozenset({provider})))
    return evolve(resolved, layers=(*resolved.layers, only))


def resolve(caller: Caller, overrides: Overrides) -> Resolution:
    """Find the governing stack, apply the request's overrides, and stack up the layers."""
    named, level = _named(caller, overrides)
    version = _find(caller, named)
    if version is None:
        return _not_found(named, level)
    if version.status is VersionStatus.ARCHIVED:
        return Refusal(
            code=Code.ROUTING_STACK_RESOLUTION_FAILED,
            message=f"stack {named} is archived; name an active version of it or another stack",
            param="metadata.astrolabe.stack" if level is Level.REQUEST else None,
            details={"stack": str(named), "resolved_by": level.value},
        )
    allowed = caller.key.allowed_stacks
    if allowed is not None and named.slug not in allowed:
        return Refusal(
            code=Code.FORBIDDEN,
            message=f"this key may not use stack {named.slug}; it may use: "
            f"{', '.join(sorted(allowed)) or 'none'}",
            details={"stack": named.slug, "allowed": tuple(sorted(allowed))},
        )
    locked = _loosened(version.stack, overrides)
    if locked is not None:
        return locked
    return Resolved(
        version=version,
        level=level,
        stack=_overridden(version.stack, overrides),
        layers=tuple(_layers(version.stack, caller)),
    )


def _named(caller: Caller, overrides: Overrides) -> tuple[StackRef, Level]:
    if overrides.stack is not None:
        return overrides.stack, Level.REQUEST
    if caller.key.stack is not None:
        return StackRef(slug=caller.key.stack), Level.KEY
    if caller.workspace.stack is not None:
        return StackRef(slug=caller.workspace.stack), Level.WORKSPACE
    return StackRef(slug=DEFAULT_STACK), Level.DEFAULT


def _find(caller: Caller, named: StackRef) -> StackVersion | None:
    managed = MANAGED.get(named.slug)
    if managed is not None:
        return managed if named.version in {None, managed.version} else None
    own = [version for version in caller.stacks if version.stack.slug == named.slug]
    if named.version is not None:
        return next((version for version in own if version.version == named.version), None)
    active = [version for version in own if version.status is VersionStatus.ACTIVE]
    return max(active or own, key=lambda version: version.version, default=None)


def _not_found(named: StackRef, level: Level) -> Refusal:
    return Refusal(
        code=Code.ROUTING_STACK_NOT_FOUND,
        message=f"there is no stack {named}, which the {level} names; managed stacks are: "
        f"{', '.join(sorted(MANAGED))}",
        param="metadata.astrolabe.stack" if level is Level.REQUEST else None,
        details={"stack": str(named), "resolved_by": level.value},
    )


def _layers(stack: Stack, caller: Caller) -> Iterator[Layer]:
    yield Layer(LayerName.STACK, stack.boundaries)
    if caller.workspace.envelope is not None:
        yield Layer(LayerName.WORKSPACE, caller.workspace.envelope)
    if caller.key.envelope is not None:
        yield Layer(LayerName.KEY, caller.key.envelope)


COST_MODE_OF: Final = {
    Primary.LOWEST_COST_PASSABLE: CostMode.LOWEST_PASSABLE,
    Primary.FASTEST_PASSABLE: CostMode.FASTEST_PASSABLE,
    Primary.HIGHEST_QUALITY_WITHIN_BUDGET: CostMode.PREMIUM,
    Primary.FIXED_PRIORITY: CostMode.FIXED,
    Primary.CUSTOM_RULES: CostMode.LOWEST_PASSABLE,
}
"""The cost mode that each primary implies where the stack names none."""


def cost_mode(stack: Stack) -> CostMode:
    """Give the cost mode in force: the stack's word, else what its primary implies."""
    return stack.objective.cost_mode or COST_MODE_OF[stack.objective.primary]


def _overridden(stack: Stack, overrides: Overrides) -> Stack:
    objective, verification, fallback = stack.objective, stack.verification, stack.fallback
    if overrides.quality is not None:
        objective = evolve(objective, quality_target=overrides.quality)
    if overrides.cost_mode is not None:
        objective = evolve(objective, cost_mode=overrides.cost_mode)
    if overrides.latency_slo_ms is not None:
        objective = evolve(objective, latency_slo_ms=overrides.latency_slo_ms)
    if overrides.verification is not None:
        verification = evolve(
            verification,
            mode=overrides.verification,
            schema_mode=None,
            high_stakes_mode=None,
        )
    if overrides.fallback is not None:
        fallback = evolve(fallback, enabled=overrides.fallback)
    if (objective, verification, fallback) == (
        stack.objective,
        stack.verification,
        stack.fallback,
    ):
        return stack
    return evolve(stack, objective=objective, verification=verification, fallback=fallback)


_QUALITY_ORDER: Final = tuple(QualityTarget)
_VERIFICATION_ORDER: Final = (
    VerificationMode.OFF,
    VerificationMode.LIGHT,
    VerificationMode.AUTO,
    VerificationMode.STRICT,
    VerificationMode.STRONG,
)

LOCKABLE: Final = frozenset(
    {"quality", "cost_mode", "latency_slo_ms", "verification", "fallback", "tool_profile"}
)
"""The overrides that a stack may lock, by their name in the request."""


def _loosened(stack: Stack, overrides: Overrides) -> Refusal | None:
    for name, loosens in (
        ("quality", _loosens_quality(stack, overrides)),
        ("cost_mode", overrides.cost_mode not in {None, cost_mode(stack)}),
        ("latency_slo_ms", _loosens_latency(stack, overrides)),
        ("verification", _loosens_verification(stack, overrides)),
        ("fallback", bool(overrides.fallback) and not stack.fallback.enabled),
    ):
        if loosens and name in stack.locked_overrides:
            return Refusal(
                code=Code.INVALID_ROUTING_OVERRIDE,
                message=f"stack {stack.slug} locks {name}: it may be tightened, not loosened; "
                "leave the override out",
                param=f"metadata.astrolabe.{name}",
                details={"field": name, "locked_by": stack.slug},
            )
    return None


def _loosens_quality(stack: Stack, overrides: Overrides) -> bool:
    asked = overrides.quality
    return asked is not None and _QUALITY_ORDER.index(asked) < _QUALITY_ORDER.index(
        stack.objective.quality_target
    )


def _loosens_latency(stack: Stack, overrides: Overrides) -> bool:
    asked, limit = overrides.latency_slo_ms, stack.objective.latency_slo_ms
    return asked is not None and limit is not None and asked > limit


def _loosens_verification(stack: Stack, overrides: Overrides) -> bool:
    asked = overrides.verification
    return asked is not None and _VERIFICATION_ORDER.index(asked) < max(
        _VERIFICATION_ORDER.index(mode)
        for mode in (
            stack.verification.mode,
            stack.verification.schema_mode,
            stack.verification.high_stakes_mode,
        )
        if mode is not None
    )
