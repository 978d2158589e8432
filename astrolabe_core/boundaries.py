"""Which models may serve at all, and why not the others?

Every check gives a typed reason with both compared values, and every check runs: a rejected
model lists all its reasons. `standing` asks what policy and catalog say, `fitting` what a class
of requests needs, `passing` what one request's size and the model's health say, `judge_cost`
what it may cost. A model is admitted when none of them finds a reason.
An envelope that rejects says `outside_envelope` and names the rule within. What a conversation
asks, since one provider alone can read it, no change of a rule lifts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from astrolabe_core.catalog import (
    Capability,
    DataPolicy,
    Modality,
    Model,
    Retention,
    Status,
    Tier,
)
from astrolabe_core.codes import Reason
from astrolabe_core.money import NanoUsd, usd_text
from astrolabe_core.requests import Profile
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.rules import Ruling
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule, RuleVerb
from astrolabe_core.units import Instant, ModelId, seconds_until


@frozen(kw_only=True)
class Rejection:
    """One reason why one model may not serve.

    `limit` is what the rule asks and `actual` what the model or the request has, both as text.
    `imposed_by` is `stack`, `workspace`, `key`, `continuation`, `request`, `catalog` or
    `health`; `remedy` is the change that would lift it, or `None` where no rule change can.
    """

    reason: Reason
    rule: str
    limit: str
    actual: str
    imposed_by: str
    remedy: str | None = None


@frozen(kw_only=True)
class Rejected:
    """A model that may not serve, with every reason in the order of the vocabulary."""

    model: ModelId
    rejections: tuple[Rejection, ...]


TRUSTED_TIERS: Final = frozenset({Tier.STANDARD, Tier.PREMIUM, Tier.FRONTIER})
"""Tiers that may read content which the caller marks as untrusted."""


def matches(pattern: str, model: ModelId) -> bool:
    """Whether a model id is meant by a pattern: an id, or `vendor/*`."""
    return pattern == model or (pattern.endswith("/*") and model.startswith(pattern[:-1]))


def place_of(model: ModelId, patterns: Sequence[str]) -> int:
    """Give the place of the first pattern that means a model, behind the last where none does."""
    places = (place for place, pattern in enumerate(patterns) if matches(pattern, model))
    return next(places, len(patterns))


def standing(model: Model, layers: tuple[Layer, ...]) -> tuple[Rejection, ...]:
    """Judge a model against policy and catalog alone."""
    return (
        *_catalog_rejections(model),
        *(rejection for layer in layers for rejection in _layer_rejections(model, layer)),
    )


def fitting(
    model: Model,
    *,
    needs: frozenset[Capability],
    modalities: frozenset[Modality],
    untrusted: bool,
    ruling: Ruling | None,
) -> tuple[Rejection, ...]:
    """Judge a model against what a class of requests needs, whatever the size."""
    return tuple(_need_rejections(model, needs, modalities, ruling, untrusted=untrusted))


def passing(
    model: Model, profile: Profile, circuits_open: Mapping[ModelId, Instant], at: Instant
) -> tuple[Rejection, ...]:
    """Judge a model against the size of one request and its own health, apart from cost."""
    found: list[Rejection] = []
    needed = profile.input_tokens + profile.output_tokens
    if needed > model.context_window:
        found.append(
            Rejection(
                reason=Reason.CONTEXT_WINDOW_EXCEEDED,
                rule="contextWindow",
                limit=str(model.context_window),
                actual=str(needed),
                imposed_by="request",
            )
        )
    if model.id in circuits_open:
        found.append(
            Rejection(
                reason=Reason.CIRCUIT_OPEN,
                rule="circuit",
                limit="closed",
                actual=f"open for {seconds_until(circuits_open[model.id], at)} s",
                imposed_by="health",
            )
        )
    return tuple(found)


def in_order(rejections: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    """Sort reasons as the vocabulary lists them; equal ones keep their order."""
    return tuple(sorted(rejections, key=lambda rejection: _ORDER[rejection.reason]))


_ORDER: Final = {reason: position for position, reason in enumerate(Reason)}


def _catalog_rejections(model: Model) -> Iterator[Rejection]:
    if model.status is Status.DEPRECATED:
        yield Rejection(
            reason=Reason.MODEL_INACTIVE,
            rule="status",
            limit="active or preview",
            actual=model.status.value,
            imposed_by="catalog",
        )
    prices = model.retail_price.base
    if prices.input is None or prices.output is None:
        yield Rejection(
            reason=Reason.UNKNOWN_PRICING,
            rule="retailPrice",
            limit="input and output prices",
            actual="unknown",
            imposed_by="catalog",
        )


def _layer_rejections(model: Model, layer: Layer) -> Iterator[Rejection]:
    group = _GROUPS[layer.name]
    for reason, rule, limit, actual, remedy in _rule_rejections(model, layer.boundaries):
        yield Rejection(
            reason=Reason.OUTSIDE_ENVELOPE if group == _ENVELOPE else reason,
            rule=f"{group}.{rule}",
            limit=limit,
            actual=actual,
            imposed_by=layer.name.value,
            remedy=None if layer.name is LayerName.CONTINUATION else remedy,
        )


_ENVELOPE: Final = "envelope"
_GROUPS: Final = {
    LayerName.STACK: "boundaries",
    LayerName.WORKSPACE: _ENVELOPE,
    LayerName.KEY: _ENVELOPE,
    LayerName.CONTINUATION: "continuation",
}


_Found = tuple[Reason, str, str, str, str]


def _rule_rejections(model: Model, rules: Boundaries) -> Iterator[_Found]:
    yield from _list_rejections(model, rules)
    missing = rules.required_capabilities - model.capabilities
    if missing:
        yield (
            Reason.MISSING_CAPABILITY,
            "requiredCapabilities",
            _listed(rules.required_capabilities),
            _listed(model.capabilities),
            f"remove {_listed(missing)}",
        )
    if (
        rules.data_policy is DataRule.NO_TRAINING
        and model.data_policy is not DataPolicy.NO_TRAINING
    ):
        yield (
            Reason.DATA_POLICY_MISMATCH,
            "dataPolicy",
            rules.data_policy.value,
            model.data_policy.value,
            "set to any",
        )
    if model.retention not in _RETENTIONS[rules.retention_policy]:
        yield (
            Reason.RETENTION_POLICY_MISMATCH,
            "retentionPolicy",
            rules.retention_policy.value,
            model.retention.value,
            "set to limited" if model.retention is Retention.LIMITED else "set to any",
        )
    if model.status is Status.PREVIEW and not rules.allow_preview:
        yield (
            Reason.PREVIEW_NOT_ALLOWED,
            "allowPreview",
            "false",
            model.status.value,
            "set to true",
        )


_RETENTIONS: Final = {
    RetentionRule.ANY: frozenset(Retention),
    RetentionRule.LIMITED: frozenset({Retention.ZERO, Retention.LIMITED}),
    RetentionRule.ZERO: frozenset({Retention.ZERO}),
}


def _list_rejections(model: Model, rules: Boundaries) -> Iterator[_Found]:
    allowed = rules.allowed_providers
    if allowed is not None and model.provider not in allowed:
        yield (
            Reason.PROVIDER_NOT_ALLOWED,
            "allowedProviders",
            _listed(allowed),
            model.provider,
            f"add {model.provider}",
        )
    allowed = rules.allowed_models
    if allowed is not None and not any(matches(pattern, model.id) for pattern in allowed):
        yield (
            Reason.MODEL_NOT_ALLOWED,
            "allowedModels",
            _listed(allowed),
            model.id,
            f"add {model.id}",
        )
    if model.provider in rules.blocked_providers:
        yield (
            Reason.PROVIDER_BLOCKED,
            "blockedProviders",
            _listed(rules.blocked_providers),
            model.provider,
            f"remove {model.provider}",
        )
    blocking = sorted(p for p in rules.blocked_models if matches(p, model.id))
    if blocking:
        yield (
            Reason.MODEL_BLOCKED,
            "blockedModels",
            _listed(rules.blocked_models),
            model.id,
            f"remove {', '.join(blocking)}",
        )


def _need_rejections(
    model: Model,
    needs: frozenset[Capability],
    modalities: frozenset[Modality],
    ruling: Ruling | None,
    *,
    untrusted: bool,
) -> Iterator[Rejection]:
    if ruling is not None:
        yield from _ruling_rejections(model, ruling)
    if not needs <= model.capabilities:
        yield _asked(Reason.MISSING_CAPABILITY, "needs", needs, model.capabilities)
    if not modalities <= model.input_modalities:
        yield _asked(Reason.MODALITY_UNSUPPORTED, "modalities", modalities, model.input_modalities)
    if untrusted and model.tier not in TRUSTED_TIERS:
        yield Rejection(
            reason=Reason.UNTRUSTED_CONTENT_FLOOR,
            rule="untrusted_content",
            limit=_listed(TRUSTED_TIERS),
            actual=model.tier.value,
            imposed_by="request",
        )


def _ruling_rejections(model: Model, ruling: Ruling) -> Iterator[Rejection]:
    """Judge by the rule that speaks; one that refuses and names no model refuses every one."""
    names = ruling.rule.models
    naming = [pattern for pattern in names if matches(pattern, model.id)]
    match ruling.rule.verb:
        case RuleVerb.USE if not naming:
            reason, remedy = Reason.MODEL_NOT_ALLOWED, f"add {model.id}"
        case RuleVerb.REFUSE if len(naming) == len(names):
            # Taking the last name away would refuse everything.
            reason, remedy = Reason.MODEL_BLOCKED, "prefer instead of refuse"
        case RuleVerb.REFUSE if naming:
            reason, remedy = Reason.MODEL_BLOCKED, f"remove {', '.join(naming)}"
        case _:
            return
    yield Rejection(
        reason=reason,
        rule=f"objective.rules[{ruling.position}]",
        limit=f"{ruling.rule.verb.value} {', '.join(names) or 'all'}",
        actual=model.id,
        imposed_by=LayerName.STACK.value,
        remedy=remedy,
    )


def judge_cost(
    *,
    expected: NanoUsd,
    at_most: NanoUsd,
    expected_max: NanoUsd | None,
    request_max: NanoUsd | None,
) -> tuple[Rejection, ...]:
    """Judge what a call is expected to cost, and may cost at most, against the stack's caps."""
    found: list[Rejection] = []
    if expected_max is not None and expected > expected_max:
        found.append(
            Rejection(
                reason=Reason.OVER_MAX_EXPECTED_COST,
                rule="objective.maxExpectedCostUsd",
                limit=usd_text(expected_max),
                actual=usd_text(expected),
                imposed_by=LayerName.STACK.value,
                remedy=f"raise to {usd_text(expected)}",
            )
        )
    if request_max is not None and at_most > request_max:
        found.append(
            Rejection(
                reason=Reason.OVER_REQUEST_BUDGET,
                rule="budget.perRequestMaxUsd",
                limit=usd_text(request_max),
                actual=usd_text(at_most),
                imposed_by=LayerName.STACK.value,
                remedy=f"raise to {usd_text(at_most)}, or ask for fewer output tokens",
            )
        )
    return tuple(found)


def _asked(
    reason: Reason,
    rule: str,
    limit: frozenset[Capability] | frozenset[Modality],
    actual: frozenset[Capability] | frozenset[Modality],
) -> Rejection:
    return Rejection(
        reason=reason,
        rule=rule,
        limit=_listed(limit),
        actual=_listed(actual),
        imposed_by="request",
    )


def _listed(items: Iterable[str]) -> str:
    return ", ".join(sorted(str(item) for item in items)) or "none"
