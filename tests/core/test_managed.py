"""The nine managed stacks are what the contract says of each."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.canonical import digest
from astrolabe_core.catalog import Capability, Tier
from astrolabe_core.managed import DEFAULT_STACK, FAST_SLO_MS, MANAGED, RESERVED_SLUGS
from astrolabe_core.requests import Category
from astrolabe_core.resolve import LOCKABLE
from astrolabe_core.stacks import (
    Boundaries,
    CostMode,
    DataRule,
    Primary,
    QualityTarget,
    RetentionRule,
    Stack,
    StackVersion,
    VerificationMode,
    VersionStatus,
    contradictions,
)
from astrolabe_core.units import StackSlug

SLUGS = (
    "default-optimizer",
    "low-cost",
    "high-quality",
    "fast",
    "strict-json",
    "customer-data",
    "high-stakes",
    "code-agent",
    "research",
)


def managed(slug: str) -> Stack:
    return MANAGED[StackSlug(slug)].stack


def test_the_nine_slugs_are_the_contract_s_and_reserved() -> None:
    assert tuple(MANAGED) == SLUGS
    assert frozenset(SLUGS) == RESERVED_SLUGS
    assert DEFAULT_STACK == "default-optimizer"


@pytest.mark.parametrize("slug", SLUGS)
def test_each_is_version_one_under_the_hash_of_its_content(slug: str) -> None:
    version = MANAGED[StackSlug(slug)]
    assert version.stack.slug == slug
    assert (version.version, version.status) == (1, VersionStatus.ACTIVE)
    assert version.hash == digest(version.stack)
    assert version.hash != digest(evolve(version.stack, name="other"))


@pytest.mark.parametrize("slug", SLUGS)
def test_each_is_sound_and_says_in_one_sentence_what_it_is_for(slug: str) -> None:
    stack = managed(slug)
    assert contradictions(stack) == ()
    assert stack.name
    assert stack.description.endswith(".")
    assert stack.description.count(".") == 1
    assert stack.locked_overrides <= LOCKABLE
    assert stack.fallback.never_escalate_categories <= set(Category)
    assert stack.boundaries.fallback_must_stay_in_policy


PRINT_HASHES = """
from astrolabe_core.managed import MANAGED
print([version.hash for version in MANAGED.values()])
"""


def test_hashes_do_not_depend_on_the_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PRINT_HASHES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert said == {f"{[version.hash for version in MANAGED.values()]}\n"}


def test_default_optimizer_takes_the_cheapest_that_passes() -> None:
    stack = managed("default-optimizer")
    assert stack.boundaries == Boundaries()
    assert stack.objective.primary is Primary.LOWEST_COST_PASSABLE
    assert stack.objective.quality_target is QualityTarget.STANDARD
    assert stack.verification.mode is VerificationMode.AUTO


def test_low_cost_asks_less_quality_than_the_default() -> None:
    stack = managed("low-cost")
    assert stack.objective.primary is Primary.LOWEST_COST_PASSABLE
    assert stack.objective.quality_target is QualityTarget.DRAFT


def test_high_quality_takes_the_best_within_budget() -> None:
    stack = managed("high-quality")
    assert stack.objective.primary is Primary.HIGHEST_QUALITY_WITHIN_BUDGET
    assert stack.objective.quality_target is QualityTarget.HIGH


def test_fast_has_a_latency_target_and_no_verifier() -> None:
    stack = managed("fast")
    assert stack.objective.primary is Primary.FASTEST_PASSABLE
    assert stack.objective.latency_slo_ms == FAST_SLO_MS
    assert stack.verification.mode is VerificationMode.LIGHT


def test_fast_s_target_can_be_met_by_ordinary_work_on_a_standard_model() -> None:
    """At five seconds every coding request was `relaxed`, since no admitted model was in time."""
    prior = shipped.catalog().priors[Tier.STANDARD]
    ordinary_tokens = 700
    assert prior.first_token_ms + ordinary_tokens * 1_000 // prior.tokens_per_second < FAST_SLO_MS


def test_strict_json_requires_structured_output_and_checks_strictly() -> None:
    stack = managed("strict-json")
    assert stack.boundaries.required_capabilities == {Capability.STRUCTURED_OUTPUT}
    assert stack.verification.mode is VerificationMode.STRICT
    assert stack.verification.schema_mode is VerificationMode.STRICT


def test_customer_data_neither_trains_retains_nor_stores() -> None:
    stack = managed("customer-data")
    assert stack.boundaries.data_policy is DataRule.NO_TRAINING
    assert stack.boundaries.retention_policy is RetentionRule.ZERO
    assert stack.verification.mode is VerificationMode.STRONG
    assert stack.memory.fingerprint_only
    assert not stack.memory.raw_prompt_storage
    assert not stack.memory.raw_output_storage
    assert "verification" in stack.locked_overrides


@pytest.mark.parametrize("version", MANAGED.values(), ids=lambda each: each.stack.slug)
def test_no_managed_stack_keeps_what_was_said(version: StackVersion) -> None:
    memory = version.stack.memory
    assert not memory.raw_prompt_storage
    assert not memory.raw_output_storage
    assert not memory.keeps_conversations


def test_high_stakes_is_critical_premium_and_strong() -> None:
    stack = managed("high-stakes")
    assert stack.objective.quality_target is QualityTarget.CRITICAL
    assert stack.objective.cost_mode is CostMode.PREMIUM
    assert stack.verification.mode is VerificationMode.STRONG
    assert {"quality", "verification"} <= stack.locked_overrides


def test_code_agent_requires_tools() -> None:
    stack = managed("code-agent")
    assert stack.boundaries.required_capabilities == {Capability.TOOLS}
    assert stack.objective.quality_target is QualityTarget.HIGH


def test_research_requires_long_context() -> None:
    stack = managed("research")
    assert stack.boundaries.required_capabilities == {Capability.LONG_CONTEXT}
