"""The wire names are the contract's, and every rule about them is in use."""

from __future__ import annotations

import attrs
import pytest

from astrolabe_core.codec import shapes
from astrolabe_core.codec.shapes import camel, shape_of
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    Fallback,
    Memory,
    Objective,
    Observability,
    Stack,
    StackVersion,
    Verification,
    When,
)

# Written down from the contract, and `allowPreview` and `toolProfile`, which the
# records have beside it.
NAMES: dict[type, str] = {
    Stack: """slug name description boundaries objective fallback verification budget memory
        observability lockedOverrides""",
    Boundaries: """allowedProviders blockedProviders allowedModels blockedModels
        requiredCapabilities dataPolicy retentionPolicy allowPreview fallbackMustStayInPolicy
        toolProfile""",
    Objective: """primary qualityTarget costMode latencySloMs reliabilityTarget
        maxExpectedCostUsd priority rules""",
    Fallback: "enabled maxAttempts mode triggers neverEscalateCategories",
    Verification: "mode schemaMode highStakesMode confidenceThreshold",
    Budget: "monthlyUsd dailyUsd perRequestMaxUsd warnPercent hardStopPercent",
    Memory: """workspaceOutcomeLearning userFeedbackLearning rawPromptStorage rawOutputStorage
        fingerprintOnly""",
    Observability: "responseHeaders inlineMetadata traceStorage",
    When: "categories actionClasses complexities lanes modifiers inputTokensMin inputTokensMax",
}


@pytest.mark.parametrize("kind", NAMES, ids=lambda kind: kind.__name__)
def test_fields_travel_under_the_contract_s_names(kind: type) -> None:
    assert list(shape_of(kind).names) == NAMES[kind].split()


def test_a_version_is_its_stack_s_document_and_what_publication_added() -> None:
    added = ("version", "hash", "status", "publishedAt", "publishedBy", "note")
    assert shape_of(StackVersion).names == (*shape_of(Stack).names, *added)
    assert shape_of(Stack).passed_over == {*added}


def test_only_what_has_no_default_is_required() -> None:
    assert [slot.name for slot in shape_of(Stack).slots if slot.required] == ["slug", "name"]


def test_every_exception_names_a_field_that_exists() -> None:
    for kind, spoken in shapes._SPOKEN.items():
        assert spoken.keys() <= {attribute.name for attribute in attrs.fields(kind)}, kind


def test_names_are_camel_case() -> None:
    assert camel("slug") == "slug"
    assert camel("per_request_max_usd") == "perRequestMaxUsd"
