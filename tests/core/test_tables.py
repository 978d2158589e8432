"""One rendering of a decision: decimal strings for money and shares, words for everything else."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from astrolabe_core.decide import Circumstances
from astrolabe_core.money import NanoUsd
from astrolabe_core.requests import Modifier
from astrolabe_core.stacks import Boundaries, Objective, QualityTarget
from astrolabe_core.tables import (
    accepted_json,
    accepted_text,
    blocked_json,
    classification_json,
    costs_json,
    json_text,
    rejected_json,
    selected_json,
    share_text,
)
from astrolabe_core.units import Millis
from tests.core.market import NOW, good, model, profile, request, routed, snapshot, stack, unrouted

GOVERNING = stack(
    boundaries=Boundaries(blocked_models=frozenset({"bolt/two"})),
    objective=Objective(quality_target=QualityTarget.CRITICAL, latency_slo_ms=Millis(1)),
)
WORLD = snapshot(
    model("acme/one", quality=good(8_700)), model("bolt/two"), model("zen/3"), governing=GOVERNING
)
FOUND = routed(request(), WORLD)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0"), (10_000, "1"), (8_700, "0.87"), (9_999, "0.9999"), (5, "0.0005"), (12_500, "1.25")],
)
def test_a_share_is_a_decimal_string(share: int, text: str) -> None:
    assert share_text(share) == text


def test_a_classification_is_words_and_its_modifiers_are_sorted() -> None:
    found = evolve(
        profile().classification,
        modifiers=frozenset({Modifier.TOOL_PRESENT, Modifier.CODE_EDIT}),
        evidence=("tools",),
    )
    assert classification_json(found) == {
        "category": "coding",
        "action_class": "code_edit",
        "complexity": "standard",
        "modifiers": ("code_edit", "tool_present"),
        "lane": "coding",
        "confidence": "0.9",
        "evidence": ("tools",),
    }


def test_the_table_of_the_accepted_is_the_same_as_json_and_as_text() -> None:
    accepted = FOUND.survey().accepted
    assert json.loads(accepted_text(accepted)) == json.loads(json_text(accepted_json(accepted)))
    assert accepted_text(()) == "[]"
    first, _ = json.loads(accepted_text(accepted))
    assert first["model"] == "acme/one"
    assert first["quality"] == "0.87"
    assert first["quality_basis"] == "catalog"
    assert first["latency_basis"] == "prior"
    assert first["misses"] == ["over_latency_slo"]
    assert first["reserve"] is False
    assert "." in first["expected_cost_usd"]


def test_the_rejected_are_named_with_every_reason() -> None:
    assert rejected_json(FOUND.survey().rejected) == (
        {
            "model": "bolt/two",
            "reasons": (
                {
                    "code": "model_blocked",
                    "rule": "boundaries.blockedModels",
                    "limit": "bolt/two",
                    "actual": "bolt/two",
                    "imposed_by": "stack",
                    "remedy": "remove bolt/two",
                },
            ),
        },
    )


def test_the_selected_has_its_cap_and_its_hold() -> None:
    said = selected_json(FOUND.decision)
    assert said["model"] == "acme/one"
    assert said["output_tokens_max"] == FOUND.decision.selected.output_tokens_max
    assert NanoUsd(FOUND.plan.head.hold) > 0
    assert isinstance(said["hold_usd"], str)


def test_costs_name_the_baseline_and_what_is_saved() -> None:
    said = costs_json(FOUND.decision, FOUND.circumstances)
    assert said["baseline_model"] == "acme/one"
    assert said["estimated_cost_usd"] == said["baseline_cost_usd"]
    assert said["estimated_savings_usd"] == "0"


def test_what_a_verifier_costs_is_told_apart() -> None:
    now = Circumstances(at=NOW, verifier_cost=NanoUsd(1_500))
    said = costs_json(FOUND.decision, now)
    assert said["verifier_cost_usd"] == "0.0000015"


def test_without_a_baseline_there_is_nothing_to_save() -> None:
    said = costs_json(evolve(FOUND.decision, baseline=None), FOUND.circumstances)
    assert (said["baseline_model"], said["baseline_cost_usd"]) == (None, None)
    assert said["estimated_savings_usd"] is None


def test_a_block_has_the_shape_of_a_decision() -> None:
    nobody = stack(boundaries=Boundaries(allowed_models=frozenset()))
    ending = unrouted(request(), snapshot(model("acme/one"), governing=nobody))
    blocked, now = ending.blocked, ending.circumstances
    assert blocked is not None
    assert now is not None
    said = blocked_json(blocked, now)
    assert (said["kind"], said["selected"], said["accepted"]) == ("blocked", None, ())
    assert said["unblock"] == (
        {"model": "acme/one", "changes": ("stack: boundaries.allowedModels: add acme/one",)},
    )
    assert said["fingerprint"] == blocked.fingerprint
    assert json.loads(json_text(said))["rejected"][0]["model"] == "acme/one"
