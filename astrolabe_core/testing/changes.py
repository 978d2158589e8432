"""Which changes of a policy only narrow it, and what does a proposed change come to?

`tightenings` gives boundaries that ask more than the ones given. `alone` takes boundaries apart
into single rules. `dearer` raises a price. `make` applies a change that a refusal proposed, as a
person would who reads it.
"""

from collections.abc import Iterator

from attrs import evolve, fields

from astrolabe_core.catalog import Capability, Catalog, Model
from astrolabe_core.money import AttoUsd, usd
from astrolabe_core.stacks import (
    Boundaries,
    DataRule,
    RetentionRule,
    Rule,
    RuleVerb,
    Stack,
    ToolProfile,
)
from astrolabe_core.testing.cases import Case, own_stack, with_envelope, with_stack

NO_BOUNDARIES = Boundaries()


def tightenings(given: Boundaries, model: Model, catalog: Catalog) -> Iterator[Boundaries]:
    """Give boundaries that each ask one thing more, mostly of one model."""
    ids = frozenset(str(each.id) for each in catalog.models)
    vendors = frozenset(str(each.provider) for each in catalog.models)
    models, providers = given.allowed_models, given.allowed_providers
    yield evolve(given, allowed_models=(ids if models is None else models) - {model.id})
    yield evolve(
        given, allowed_providers=(vendors if providers is None else providers) - {model.provider}
    )
    yield evolve(given, blocked_models=given.blocked_models | {model.id})
    yield evolve(given, blocked_models=given.blocked_models | {f"{model.provider}/*"})
    yield evolve(given, blocked_providers=given.blocked_providers | {model.provider})
    yield evolve(given, data_policy=DataRule.NO_TRAINING)
    yield evolve(given, retention_policy=RetentionRule.ZERO)
    yield evolve(given, allow_preview=False)
    yield evolve(given, tool_profile=ToolProfile.BLOCKED)
    for capability in (Capability.TOOLS, Capability.LONG_CONTEXT):
        yield evolve(given, required_capabilities=given.required_capabilities | {capability})


def alone(given: Boundaries) -> Iterator[Boundaries]:
    """Give each rule of some boundaries by itself."""
    for attribute in fields(Boundaries):
        yield evolve(NO_BOUNDARIES, **{attribute.name: getattr(given, attribute.name)})


def dearer(model: Model) -> Model:
    """Give the model with a higher price: by little for input, by much for output."""
    base = model.retail_price.base
    raised = evolve(
        base, input=AttoUsd((base.input or 0) + 1), output=AttoUsd((base.output or 0) + 10**12)
    )
    return evolve(model, retail_price=evolve(model.retail_price, base=raised))


def make(case: Case, change: str) -> Case | None:
    """Apply one proposed change, or give `None` where it is for a managed stack."""
    imposed_by, rule, remedy = change.split(": ", 2)
    group, _, name = rule.partition(".")
    if group == "envelope":
        caller = case.snapshot.caller
        on_key = imposed_by == "key"
        envelope = caller.key.envelope if on_key else caller.workspace.envelope
        return with_envelope(case, _amend(envelope or NO_BOUNDARIES, name, remedy), on_key=on_key)
    stack = own_stack(case)
    return None if stack is None else with_stack(case, _amend_stack(stack, group, name, remedy))


def _amend_stack(stack: Stack, group: str, name: str, remedy: str) -> Stack:
    objective = stack.objective
    match group, name:
        case "boundaries", _:
            return evolve(stack, boundaries=_amend(stack.boundaries, name, remedy))
        case "objective", "maxExpectedCostUsd":
            most = usd(remedy.removeprefix("raise to "))
            return evolve(stack, objective=evolve(objective, cost_expected_max=most))
        case "budget", _:
            most = usd(remedy.removeprefix("raise to ").partition(",")[0])
            return evolve(stack, budget=evolve(stack.budget, per_request_max_usd=most))
        case _:
            position = int(name.removeprefix("rules[").removesuffix("]"))
            rules = list(objective.rules)
            rules[position] = _amend_rule(rules[position], remedy)
            return evolve(stack, objective=evolve(objective, rules=tuple(rules)))


def _amend_rule(rule: Rule, remedy: str) -> Rule:
    verb, _, rest = remedy.partition(" ")
    match verb:
        case "add":
            return evolve(rule, models=(*rule.models, rest))
        case "remove":
            gone = set(rest.split(", "))
            return evolve(rule, models=tuple(each for each in rule.models if each not in gone))
        case _:
            return evolve(rule, verb=RuleVerb.PREFER)


def _amend(given: Boundaries, name: str, remedy: str) -> Boundaries:
    named = frozenset(remedy.partition(" ")[2].split(", "))
    match name:
        case "allowedProviders":
            return evolve(given, allowed_providers=(given.allowed_providers or frozenset()) | named)
        case "allowedModels":
            return evolve(given, allowed_models=(given.allowed_models or frozenset()) | named)
        case "blockedProviders":
            return evolve(given, blocked_providers=given.blocked_providers - named)
        case "blockedModels":
            return evolve(given, blocked_models=given.blocked_models - named)
        case "requiredCapabilities":
            return evolve(given, required_capabilities=given.required_capabilities - named)
        case "dataPolicy":
            return evolve(given, data_policy=DataRule(remedy.removeprefix("set to ")))
        case "retentionPolicy":
            return evolve(given, retention_policy=RetentionRule(remedy.removeprefix("set to ")))
        case _:
            return evolve(given, allow_preview=remedy == "set to true")
