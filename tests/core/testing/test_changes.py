"""What tightens asks more, and a proposed change does what it says."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.catalog import Capability
from astrolabe_core.money import NanoUsd
from astrolabe_core.requests import Overrides, StackRef
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    DataRule,
    Objective,
    RetentionRule,
    Rule,
    RuleVerb,
    ToolProfile,
)
from astrolabe_core.testing.cases import Case, own_stack
from astrolabe_core.testing.changes import NO_BOUNDARIES, alone, dearer, make, tightenings
from astrolabe_core.units import StackSlug
from tests.core.market import catalog, model, request, snapshot, stack

ONE, TWO = model("acme/one"), model("bolt/two")
NARROW = Boundaries(
    allowed_providers=frozenset({"bolt"}),
    allowed_models=frozenset({"bolt/two"}),
    blocked_providers=frozenset({"acme", "zen"}),
    blocked_models=frozenset({"acme/*", "acme/one", "zen/*"}),
    required_capabilities=frozenset({Capability.TOOLS, Capability.FILE}),
    data_policy=DataRule.NO_TRAINING,
    retention_policy=RetentionRule.ZERO,
    allow_preview=False,
    tool_profile=ToolProfile.READ_ONLY,
)
GOVERNING = stack(
    boundaries=NARROW,
    objective=Objective(
        cost_expected_max=NanoUsd(1),
        rules=(
            Rule(verb=RuleVerb.USE, models=("bolt/*",)),
            Rule(verb=RuleVerb.REFUSE, models=("acme/*", "zen/*")),
        ),
    ),
    budget=Budget(per_request_max_usd=NanoUsd(1)),
)
CASE = Case(request=request(), snapshot=snapshot(ONE, TWO, governing=GOVERNING))

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("allowedProviders: add acme", {"allowed_providers": frozenset({"acme", "bolt"})}),
    ("allowedModels: add acme/one", {"allowed_models": frozenset({"acme/one", "bolt/two"})}),
    ("blockedProviders: remove acme", {"blocked_providers": frozenset({"zen"})}),
    ("blockedModels: remove acme/*, acme/one", {"blocked_models": frozenset({"zen/*"})}),
    (
        "requiredCapabilities: remove tools",
        {"required_capabilities": frozenset({Capability.FILE})},
    ),
    ("dataPolicy: set to any", {"data_policy": DataRule.ANY}),
    ("retentionPolicy: set to limited", {"retention_policy": RetentionRule.LIMITED}),
    ("allowPreview: set to true", {"allow_preview": True}),
]


@pytest.mark.parametrize(("change", "made"), CHANGES)
def test_a_change_of_boundaries_is_made_where_it_belongs(change: str, made: dict[str, Any]) -> None:
    changed = make(CASE, f"stack: boundaries.{change}")
    assert changed is not None
    governing = own_stack(changed)
    assert governing == evolve(GOVERNING, boundaries=evolve(NARROW, **made))
    for owner in ("key", "workspace"):
        caller = evolve(
            CASE.snapshot.caller,
            key=evolve(CASE.snapshot.caller.key, envelope=NARROW),
            workspace=evolve(CASE.snapshot.caller.workspace, envelope=NARROW),
        )
        enveloped = evolve(CASE, snapshot=evolve(CASE.snapshot, caller=caller))
        changed = make(enveloped, f"{owner}: envelope.{change}")
        assert changed is not None
        after = changed.snapshot.caller
        envelope = after.key.envelope if owner == "key" else after.workspace.envelope
        assert envelope == evolve(NARROW, **made)


def objective(change: str) -> Objective:
    changed = make(CASE, f"stack: {change}")
    assert changed is not None
    governing = own_stack(changed)
    assert governing is not None
    return governing.objective


def test_caps_are_raised() -> None:
    cap = objective("objective.maxExpectedCostUsd: raise to 0.5").cost_expected_max
    assert cap == 500_000_000
    changed = make(
        CASE, "stack: budget.perRequestMaxUsd: raise to 2, or ask for fewer output tokens"
    )
    assert changed is not None
    governing = own_stack(changed)
    assert governing is not None
    assert governing.budget.per_request_max_usd == 2_000_000_000


def test_rules_name_one_more_one_less_or_prefer() -> None:
    assert objective("objective.rules[0]: add acme/one").rules[0].models == ("bolt/*", "acme/one")
    assert objective("objective.rules[1]: remove acme/*").rules[1].models == ("zen/*",)
    preferring = objective("objective.rules[1]: prefer instead of refuse").rules[1]
    assert preferring == Rule(verb=RuleVerb.PREFER, models=("acme/*", "zen/*"))


def test_a_managed_stack_is_changed_by_nobody() -> None:
    managed = Overrides(stack=StackRef(slug=StackSlug("fast")))
    case = evolve(CASE, request=evolve(CASE.request, overrides=managed))
    assert make(case, "stack: boundaries.allowPreview: set to true") is None


@pytest.mark.parametrize("given", [NO_BOUNDARIES, NARROW])
def test_each_tightening_asks_no_less(given: Boundaries) -> None:
    for tighter in tightenings(given, ONE, catalog(ONE, TWO)):
        assert tighter.blocked_models >= given.blocked_models
        assert tighter.blocked_providers >= given.blocked_providers
        assert tighter.required_capabilities >= given.required_capabilities
        for now, before in (
            (tighter.allowed_models, given.allowed_models),
            (tighter.allowed_providers, given.allowed_providers),
        ):
            assert before is None or (now is not None and now <= before)


def test_each_rule_stands_alone_once() -> None:
    parts = list(alone(NARROW))
    assert len(parts) == len(set(parts)) == 10
    assert NO_BOUNDARIES in parts  # fallbackMustStayInPolicy is at its default


def test_a_dearer_model_costs_more_for_all_that_it_reads_and_writes() -> None:
    before, after = ONE.retail_price.base, dearer(ONE).retail_price.base
    assert (after.input or 0) > (before.input or 0)
    assert (after.output or 0) > (before.output or 0)
    assert evolve(dearer(ONE), retail_price=ONE.retail_price) == ONE
