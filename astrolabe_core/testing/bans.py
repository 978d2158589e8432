"""Which rule is it that keeps a model out, and whose?

Each ban makes one model what one kind of rule excludes, and sets that rule: in the stack, in the
workspace's envelope or in the key's.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final, TypeAlias

from attrs import evolve

from astrolabe_core.catalog import Capability, DataPolicy, Model, Retention, Status
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule
from astrolabe_core.testing.cases import (
    Case,
    own_stack,
    with_envelope,
    with_model,
    with_stack,
)
from astrolabe_core.testing.changes import NO_BOUNDARIES

Ban: TypeAlias = Callable[[Model, frozenset[str]], tuple[Model, Boundaries]]
"""Of a model, and all ids of its catalog, makes the excluded model and the rule by itself."""


def bans(case: Case, model: Model) -> Iterator[Case]:
    """Give the case with the model excluded by each kind of rule, by each who may set one."""
    ids = frozenset(str(each.id) for each in case.snapshot.catalog.models)
    stack = own_stack(case)
    for ban, owner in product(BANS, ("stack", "workspace", "key")):
        changed, rule = ban(model, ids)
        banned = with_model(case, changed)
        if owner != "stack":
            yield with_envelope(banned, rule, on_key=owner == "key")
        elif stack is not None:
            yield with_stack(banned, evolve(stack, boundaries=rule))


def _not_allowed(model: Model, ids: frozenset[str]) -> tuple[Model, Boundaries]:
    return model, evolve(NO_BOUNDARIES, allowed_models=ids - {model.id})


def _nearly_allowed(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    prefix = f"{model.provider[:-1]}/*"
    return model, evolve(NO_BOUNDARIES, allowed_models=frozenset({prefix}))


def _provider_not_allowed(model: Model, ids: frozenset[str]) -> tuple[Model, Boundaries]:
    vendors = frozenset(name.partition("/")[0] for name in ids)
    return model, evolve(NO_BOUNDARIES, allowed_providers=vendors - {model.provider})


def _blocked(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    return model, evolve(NO_BOUNDARIES, blocked_models=frozenset({model.id}))


def _provider_blocked(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    return model, evolve(NO_BOUNDARIES, blocked_providers=frozenset({model.provider}))


def _incapable(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    lacking = frozenset({Capability.PROMPT_CACHING})
    without = evolve(model, capabilities=model.capabilities - lacking)
    return without, evolve(NO_BOUNDARIES, required_capabilities=lacking)


def _training(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    unknown = evolve(model, data_policy=DataPolicy.UNKNOWN)
    return unknown, evolve(NO_BOUNDARIES, data_policy=DataRule.NO_TRAINING)


def _retaining(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    unknown = evolve(model, retention=Retention.UNKNOWN)
    return unknown, evolve(NO_BOUNDARIES, retention_policy=RetentionRule.LIMITED)


def _preview(model: Model, _: frozenset[str]) -> tuple[Model, Boundaries]:
    return evolve(model, status=Status.PREVIEW), evolve(NO_BOUNDARIES, allow_preview=False)


BANS: Final[tuple[Ban, ...]] = (
    _not_allowed,
    _nearly_allowed,
    _provider_not_allowed,
    _blocked,
    _provider_blocked,
    _incapable,
    _training,
    _retaining,
    _preview,
)
