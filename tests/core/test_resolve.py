"""The first level that names a stack decides, envelopes pile up, and locked fields only tighten."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.managed import DEFAULT_STACK
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.resolve import (
    COST_MODE_OF,
    Layer,
    LayerName,
    Level,
    Resolved,
    cost_mode,
    pin,
    resolve,
)
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import (
    Boundaries,
    CostMode,
    Fallback,
    Objective,
    Primary,
    QualityTarget,
    Verification,
    VerificationMode,
)
from astrolabe_core.units import Millis, ProviderId, StackSlug
from tests.core.market import SLUG, caller, published, stack


def ref(slug: str, version: int | None = None) -> StackRef:
    return StackRef(slug=StackSlug(slug), version=version)


def resolved(who: Caller, **overrides: Any) -> Resolved:
    found = resolve(who, Overrides(**overrides))
    assert isinstance(found, Resolved), found
    return found


def refused(who: Caller, **overrides: Any) -> Refusal:
    found = resolve(who, Overrides(**overrides))
    assert isinstance(found, Refusal), found
    return found


OWN = published(stack())


@pytest.mark.parametrize(
    ("asked", "key", "workspace", "slug", "level"),
    [
        ("fast", "research", SLUG, "fast", Level.REQUEST),
        (None, "research", SLUG, "research", Level.KEY),
        (None, None, SLUG, SLUG, Level.WORKSPACE),
        (None, None, None, DEFAULT_STACK, Level.DEFAULT),
    ],
)
def test_the_first_level_that_names_a_stack_decides(
    asked: str | None, key: str | None, workspace: str | None, slug: str, level: Level
) -> None:
    who = caller(OWN, key_stack=key, workspace_stack=workspace)
    found = resolved(who, stack=None if asked is None else ref(asked))
    assert (found.version.stack.slug, found.level) == (slug, level)


@pytest.mark.parametrize(
    ("asked", "key", "workspace", "param"),
    [
        ("lost", "research", SLUG, "metadata.astrolabe.stack"),
        (None, "lost", SLUG, None),
        (None, None, "lost", None),
    ],
)
def test_a_named_stack_that_is_not_there_never_falls_through(
    asked: str | None, key: str | None, workspace: str | None, param: str | None
) -> None:
    who = caller(OWN, key_stack=key, workspace_stack=workspace)
    refusal = refused(who, stack=None if asked is None else ref(asked))
    assert refusal.code is Code.ROUTING_STACK_NOT_FOUND
    assert refusal.param == param
    assert refusal.details["stack"] == "lost"


def test_the_latest_active_version_governs_unless_one_is_pinned() -> None:
    versions = (
        published(stack(), 1, archived=True),
        published(stack(), 2),
        published(stack(), 3),
        published(stack(), 4, archived=True),
    )
    who = caller(*versions)
    assert resolved(who, stack=ref(SLUG)).version.version == 3
    assert resolved(who, stack=ref(SLUG, 2)).version.version == 2
    assert refused(who, stack=ref(SLUG, 9)).code is Code.ROUTING_STACK_NOT_FOUND


@pytest.mark.parametrize("version", [None, 1])
def test_an_archived_stack_governs_nobody(version: int | None) -> None:
    who = caller(published(stack(), 1, archived=True), workspace_stack=SLUG)
    refusal = refused(who, stack=ref(SLUG, version))
    assert refusal.code is Code.ROUTING_STACK_RESOLUTION_FAILED
    assert refusal.param == "metadata.astrolabe.stack"
    assert refused(who).param is None


def test_nobody_publishes_a_stack_under_a_managed_name() -> None:
    usurper = published(evolve(stack(), slug=DEFAULT_STACK), 7)
    who = caller(usurper)
    assert resolved(who).version.version == 1
    assert refused(who, stack=ref(DEFAULT_STACK, 7)).code is Code.ROUTING_STACK_NOT_FOUND


@pytest.mark.parametrize(
    ("allowed", "said"), [(frozenset({"fast"}), "fast"), (frozenset[str](), "none")]
)
def test_a_key_uses_only_the_stacks_it_may_use(allowed: frozenset[str], said: str) -> None:
    who = caller(OWN, workspace_stack=SLUG, allowed_stacks=allowed)
    refusal = refused(who)
    assert refusal.code is Code.FORBIDDEN
    assert refusal.message.endswith(f"it may use: {said}")
    resolved(caller(OWN, workspace_stack=SLUG, allowed_stacks=frozenset({SLUG})))


def test_envelopes_pile_up_on_the_stack() -> None:
    inner, outer = Boundaries(allow_preview=False), Boundaries(blocked_models=frozenset({"a/b"}))
    who = caller(workspace_envelope=outer, key_envelope=inner)
    assert resolved(who).layers == (
        Layer(LayerName.STACK, Boundaries()),
        Layer(LayerName.WORKSPACE, outer),
        Layer(LayerName.KEY, inner),
    )
    assert [layer.name for layer in resolved(caller()).layers] == [LayerName.STACK]


def test_a_pinned_provider_is_one_more_layer_and_no_provider_none() -> None:
    found = resolved(caller(workspace_envelope=Boundaries(allow_preview=False)))
    assert pin(found, None) is found
    pinned = pin(found, ProviderId("acme"))
    only = Layer(LayerName.CONTINUATION, Boundaries(allowed_providers=frozenset({"acme"})))
    assert pinned.layers == (*found.layers, only)


def test_overrides_replace_what_is_soft_and_leave_the_version_alone() -> None:
    checks = Verification(schema_mode=VerificationMode.STRICT, high_stakes_mode=None)
    who = caller(published(stack(verification=checks)), workspace_stack=SLUG)
    found = resolved(
        who,
        quality=QualityTarget.CRITICAL,
        cost_mode=CostMode.BALANCED,
        latency_slo_ms=Millis(900),
        verification=VerificationMode.OFF,
        fallback=False,
    )
    objective = found.stack.objective
    assert objective.quality_target is QualityTarget.CRITICAL
    assert cost_mode(found.stack) is CostMode.BALANCED
    assert objective.latency_slo_ms == 900
    assert found.stack.verification == Verification(mode=VerificationMode.OFF)
    assert not found.stack.fallback.enabled
    assert found.version.stack == stack(verification=checks)


def test_without_overrides_the_stack_is_as_published() -> None:
    who = caller(OWN, workspace_stack=SLUG)
    assert resolved(who).stack is OWN.stack


@pytest.mark.parametrize("primary", Primary)
def test_each_primary_implies_a_cost_mode(primary: Primary) -> None:
    assert cost_mode(stack(objective=Objective(primary=primary))) is COST_MODE_OF[primary]


STRICT = stack(
    objective=Objective(quality_target=QualityTarget.HIGH, latency_slo_ms=Millis(1_000)),
    verification=Verification(
        mode=VerificationMode.LIGHT, high_stakes_mode=VerificationMode.STRICT
    ),
    fallback=Fallback(enabled=False),
)


@pytest.mark.parametrize(
    ("field", "loosened", "tightened"),
    [
        ("quality", QualityTarget.STANDARD, QualityTarget.HIGH),
        ("cost_mode", CostMode.PREMIUM, CostMode.LOWEST_PASSABLE),
        ("latency_slo_ms", Millis(1_001), Millis(1_000)),
        ("verification", VerificationMode.AUTO, VerificationMode.STRICT),
        ("fallback", True, False),
    ],
)
def test_a_locked_field_may_be_tightened_and_not_loosened(
    field: str, loosened: object, tightened: object
) -> None:
    locked = published(evolve(STRICT, locked_overrides=frozenset({field})))
    who = caller(locked, workspace_stack=SLUG)
    refusal = refused(who, **{field: loosened})
    assert refusal.code is Code.INVALID_ROUTING_OVERRIDE
    assert refusal.param == f"metadata.astrolabe.{field}"
    resolved(who, **{field: tightened})
    free = caller(published(STRICT), workspace_stack=SLUG)
    resolved(free, **{field: loosened})


def test_a_target_where_there_was_none_tightens() -> None:
    locked = published(stack(locked_overrides=frozenset({"latency_slo_ms"})))
    found = resolved(caller(locked, workspace_stack=SLUG), latency_slo_ms=Millis(1))
    assert found.stack.objective.latency_slo_ms == 1
