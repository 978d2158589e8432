"""Each rule rejects with its own reason and both compared values, and says what would lift it."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.boundaries import (
    Rejection,
    fitting,
    in_order,
    judge_cost,
    matches,
    passing,
    place_of,
    standing,
)
from astrolabe_core.catalog import (
    Capability,
    DataPolicy,
    Modality,
    Model,
    PriceList,
    Prices,
    Retention,
    Status,
    Tier,
)
from astrolabe_core.codes import Reason
from astrolabe_core.money import NanoUsd
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.rules import Ruling
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule, Rule, RuleVerb
from astrolabe_core.units import Instant, ModelId, Tokens
from tests.core.market import NOW, model, profile

ONE = model("acme/one")
PREVIEW = model("acme/one", status=Status.PREVIEW)
SECRETIVE = model("acme/one", data_policy=DataPolicy.UNKNOWN, retention=Retention.UNKNOWN)
LIMITED = model("acme/one", retention=Retention.LIMITED)
PLAIN = model("acme/one", capabilities=frozenset({Capability.STREAMING}))


def judge(who: Model, name: LayerName = LayerName.STACK, **rules: Any) -> tuple[Rejection, ...]:
    return standing(who, (Layer(name, Boundaries(**rules)),))


@pytest.mark.parametrize(
    ("pattern", "means"),
    [
        ("acme/one", True),
        ("acme/*", True),
        ("acme/on", False),
        ("acme/one/two", False),
        ("acm/*", False),
        ("acmex/*", False),
        ("*", False),
        ("acme", False),
    ],
)
def test_a_pattern_is_an_id_or_a_whole_vendor(pattern: str, means: bool) -> None:
    assert matches(pattern, ModelId("acme/one")) is means


def test_a_model_stands_where_the_first_pattern_names_it_and_else_behind_the_list() -> None:
    patterns = ("bolt/one", "acme/*", "acme/one")
    assert [place_of(ModelId(name), patterns) for name in ("acme/one", "zen/x")] == [1, 3]


@pytest.mark.parametrize(
    ("who", "rules", "reason", "limit", "actual", "remedy"),
    [
        (
            ONE,
            {"allowed_providers": frozenset({"zen", "bolt"})},
            Reason.PROVIDER_NOT_ALLOWED,
            "bolt, zen",
            "acme",
            "add acme",
        ),
        (
            ONE,
            {"allowed_models": frozenset[str]()},
            Reason.MODEL_NOT_ALLOWED,
            "none",
            "acme/one",
            "add acme/one",
        ),
        (
            ONE,
            {"blocked_providers": frozenset({"acme"})},
            Reason.PROVIDER_BLOCKED,
            "acme",
            "acme",
            "remove acme",
        ),
        (
            ONE,
            {"blocked_models": frozenset({"acme/one", "acme/*", "zen/*"})},
            Reason.MODEL_BLOCKED,
            "acme/*, acme/one, zen/*",
            "acme/one",
            "remove acme/*, acme/one",
        ),
        (
            PLAIN,
            {"required_capabilities": frozenset({Capability.TOOLS, Capability.STREAMING})},
            Reason.MISSING_CAPABILITY,
            "streaming, tools",
            "streaming",
            "remove tools",
        ),
        (
            SECRETIVE,
            {"data_policy": DataRule.NO_TRAINING},
            Reason.DATA_POLICY_MISMATCH,
            "no_training",
            "unknown",
            "set to any",
        ),
        (
            SECRETIVE,
            {"retention_policy": RetentionRule.LIMITED},
            Reason.RETENTION_POLICY_MISMATCH,
            "limited",
            "unknown",
            "set to any",
        ),
        (
            LIMITED,
            {"retention_policy": RetentionRule.ZERO},
            Reason.RETENTION_POLICY_MISMATCH,
            "zero",
            "limited",
            "set to limited",
        ),
        (
            PREVIEW,
            {"allow_preview": False},
            Reason.PREVIEW_NOT_ALLOWED,
            "false",
            "preview",
            "set to true",
        ),
    ],
)
def test_each_boundary_rejects_with_both_values_and_a_remedy(
    who: Model, rules: dict[str, Any], reason: Reason, limit: str, actual: str, remedy: str
) -> None:
    (found,) = judge(who, **rules)
    assert (found.reason, found.limit, found.actual) == (reason, limit, actual)
    assert (found.imposed_by, found.remedy) == ("stack", remedy)
    assert found.rule.startswith("boundaries.")
    for name in (LayerName.WORKSPACE, LayerName.KEY):
        (enveloped,) = judge(who, name, **rules)
        assert enveloped.reason is Reason.OUTSIDE_ENVELOPE
        assert enveloped.rule == found.rule.replace("boundaries.", "envelope.")
        assert enveloped.imposed_by == name.value


def test_what_a_conversation_asks_no_change_of_a_rule_lifts() -> None:
    (found,) = judge(ONE, LayerName.CONTINUATION, allowed_providers=frozenset({"bolt"}))
    assert found == Rejection(
        reason=Reason.PROVIDER_NOT_ALLOWED,
        rule="continuation.allowedProviders",
        limit="bolt",
        actual="acme",
        imposed_by="continuation",
    )


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"allowed_providers": frozenset({"acme"})},
        {"allowed_models": frozenset({"acme/*"})},
        {"blocked_models": frozenset({"acme/two"})},
        {"required_capabilities": frozenset({Capability.TOOLS})},
        {"data_policy": DataRule.NO_TRAINING},
        {"retention_policy": RetentionRule.ZERO},
        {"allow_preview": False},
    ],
)
def test_who_satisfies_a_boundary_is_not_rejected(rules: dict[str, Any]) -> None:
    assert judge(ONE, **rules) == ()


def test_limited_retention_admits_zero_and_limited() -> None:
    admitted = [
        kept
        for kept in Retention
        if not judge(model(retention=kept), retention_policy=RetentionRule.LIMITED)
    ]
    assert admitted == [Retention.ZERO, Retention.LIMITED]


@pytest.mark.parametrize(
    "known", [Prices(), Prices(input=None, output=ONE.retail_price.base.output)]
)
def test_an_unknown_price_and_a_deprecated_model_are_the_catalogs_reasons(known: Prices) -> None:
    gone = model(status=Status.DEPRECATED, price=PriceList(base=known))
    found = standing(gone, ())
    assert [each.reason for each in found] == [Reason.MODEL_INACTIVE, Reason.UNKNOWN_PRICING]
    assert {each.imposed_by for each in found} == {"catalog"}
    assert {each.remedy for each in found} == {None}


def test_every_layer_is_asked_and_every_reason_is_kept() -> None:
    layers = (
        Layer(LayerName.STACK, Boundaries(blocked_models=frozenset({"acme/*"}))),
        Layer(LayerName.KEY, Boundaries(allowed_providers=frozenset(), allow_preview=False)),
    )
    found = standing(PREVIEW, layers)
    assert [(each.reason, each.imposed_by) for each in found] == [
        (Reason.MODEL_BLOCKED, "stack"),
        (Reason.OUTSIDE_ENVELOPE, "key"),
        (Reason.OUTSIDE_ENVELOPE, "key"),
    ]


def fit(who: Model, ruling: Ruling | None = None, **needs: Any) -> list[tuple[Reason, str, str]]:
    asked: dict[str, Any] = {
        "needs": frozenset(),
        "modalities": frozenset({Modality.TEXT}),
        "untrusted": False,
        **needs,
    }
    return [(each.reason, each.limit, each.actual) for each in fitting(who, ruling=ruling, **asked)]


def test_a_request_rejects_who_cannot_do_or_read_what_it_brings() -> None:
    blind = model(capabilities=frozenset(), input_modalities=frozenset({Modality.TEXT}))
    assert fit(
        blind,
        needs=frozenset({Capability.VISION}),
        modalities=frozenset({Modality.TEXT, Modality.IMAGE}),
    ) == [
        (Reason.MISSING_CAPABILITY, "vision", "none"),
        (Reason.MODALITY_UNSUPPORTED, "image, text", "text"),
    ]
    assert fit(ONE, needs=frozenset({Capability.VISION})) == []


@pytest.mark.parametrize("tier", Tier)
def test_untrusted_content_is_kept_from_the_economy_tier(tier: Tier) -> None:
    found = fit(model(tier=tier), untrusted=True)
    trusted = "frontier, premium, standard"
    expected = [(Reason.UNTRUSTED_CONTENT_FLOOR, trusted, "economy")]
    assert found == (expected if tier is Tier.ECONOMY else [])
    assert fit(model(tier=tier)) == []


@pytest.mark.parametrize(
    ("verb", "models", "reason", "remedy"),
    [
        (RuleVerb.USE, ("zen/*",), Reason.MODEL_NOT_ALLOWED, "add acme/one"),
        (RuleVerb.USE, ("acme/*",), None, None),
        (RuleVerb.PREFER, ("zen/*",), None, None),
        (RuleVerb.REFUSE, ("zen/*",), None, None),
        (RuleVerb.REFUSE, ("zen/*", "acme/*"), Reason.MODEL_BLOCKED, "remove acme/*"),
        (RuleVerb.REFUSE, ("acme/*", "acme/one"), Reason.MODEL_BLOCKED, "prefer instead of refuse"),
        (RuleVerb.REFUSE, (), Reason.MODEL_BLOCKED, "prefer instead of refuse"),
    ],
)
def test_the_rule_that_speaks_uses_or_refuses(
    verb: RuleVerb, models: tuple[str, ...], reason: Reason | None, remedy: str | None
) -> None:
    ruling = Ruling(2, Rule(verb=verb, models=models))
    found = fitting(ONE, needs=frozenset(), modalities=frozenset(), untrusted=False, ruling=ruling)
    assert [(each.reason, each.remedy) for each in found] == ([(reason, remedy)] if reason else [])
    assert all(each.rule == "objective.rules[2]" for each in found)


@pytest.mark.parametrize(("window", "fits"), [(1_499, False), (1_500, True), (1_501, True)])
def test_input_and_expected_output_must_fit_the_window(window: int, fits: bool) -> None:
    found = passing(model(context_window=Tokens(window)), profile(), {}, NOW)
    assert [(each.limit, each.actual) for each in found] == ([] if fits else [("1499", "1500")])


def test_an_open_circuit_rejects_its_model_alone() -> None:
    shut = {ONE.id: Instant(NOW + 4_001)}
    found = [passing(who, profile(), shut, NOW) for who in (ONE, model("acme/two"))]
    assert [[(each.reason, each.actual) for each in found_of] for found_of in found] == [
        [(Reason.CIRCUIT_OPEN, "open for 5 s")],
        [],
    ]


def cost(expected: int, at_most: int) -> list[tuple[Reason, str, str]]:
    found = judge_cost(
        expected=NanoUsd(expected),
        at_most=NanoUsd(at_most),
        expected_max=NanoUsd(500),
        request_max=NanoUsd(900),
    )
    return [(each.reason, each.limit, each.actual) for each in found]


def test_a_cost_at_its_cap_passes_and_one_nano_more_does_not() -> None:
    assert cost(500, 900) == []
    assert cost(501, 901) == [
        (Reason.OVER_MAX_EXPECTED_COST, "0.0000005", "0.000000501"),
        (Reason.OVER_REQUEST_BUDGET, "0.0000009", "0.000000901"),
    ]


def test_without_caps_nothing_is_too_dear() -> None:
    huge = NanoUsd(10**18)
    assert judge_cost(expected=huge, at_most=huge, expected_max=None, request_max=None) == ()


def test_reasons_are_sorted_as_the_vocabulary_lists_them() -> None:
    found = tuple(
        Rejection(reason=reason, rule="", limit="", actual="", imposed_by="")
        for reason in reversed(Reason)
    )
    assert [each.reason for each in in_order(found)] == list(Reason)
