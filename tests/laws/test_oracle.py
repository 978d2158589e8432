"""The core and a naive second statement of its rules decide every case alike.

`plain` writes a case in dictionaries and strings; `tests/oracle/routing.py` decides it without a
line of the core; `compare` holds the two answers together, each reason and each figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import attrs
from hypothesis import event, given, settings

from astrolabe_core.boundaries import Rejected
from astrolabe_core.catalog import Model
from astrolabe_core.classify import classify
from astrolabe_core.managed import MANAGED
from astrolabe_core.routing import Routed
from astrolabe_core.stacks import StackVersion
from astrolabe_core.testing import Case, cases
from tests.laws.corpus import corpus
from tests.oracle.routing import decide


def plain(value: Any) -> Any:
    """Write a record as dictionaries, lists and scalars."""
    if isinstance(value, Enum):
        return value.value
    if attrs.has(type(value)):
        return {each.name: plain(getattr(value, each.name)) for each in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [plain(each) for each in value]
    return value


def world(case: Case) -> dict[str, Any]:
    """Write a case as the oracle reads it, with the catalog's estimates filled in."""
    snapshot, profile = case.snapshot, classify(case.request)
    caller, found = snapshot.caller, profile.classification
    written = plain(profile) | plain(found)
    priors = plain(snapshot.catalog.priors)

    def serving(model: Model) -> dict[str, Any]:
        prior, told = priors[model.tier.value], plain(model)
        figures = ("first_token_ms", "tokens_per_second", "reliability")
        return {
            **told,
            **told["retail_price"],
            **{name: prior[name] if told[name] is None else told[name] for name in figures},
            "quality": told["quality"].get(found.category.value, prior["quality"]),
        }

    return {
        "request": {
            "model": case.request.model,
            "overrides": plain(case.request.overrides),
            "pinned_provider": case.request.pinned_provider,
            "stream": case.request.stream,
        },
        "profile": written,
        "catalog": [serving(model) for model in snapshot.catalog.models],
        "lanes": plain(snapshot.virtual_models),
        "circuits_open": plain(snapshot.circuits_open),
        "at": snapshot.at,
        "managed": [published(version) for version in MANAGED.values()],
        "stacks": [published(version) for version in caller.stacks],
        "caller": {
            "key_stack": caller.key.stack,
            "workspace_stack": caller.workspace.stack,
            "allowed_stacks": plain(caller.key.allowed_stacks),
            "key_envelope": plain(caller.key.envelope),
            "workspace_envelope": plain(caller.workspace.envelope),
        },
    }


def published(version: StackVersion) -> dict[str, Any]:
    stack = plain(version.stack)
    state = {"version": version.version, "status": version.status.value}
    return {**stack, **state, "request_max": stack["budget"]["per_request_max_usd"]}


def answer(case: Case) -> dict[str, Any]:
    """Write what the core decides in the words of the oracle."""
    routing = case.route()
    if not isinstance(routing, Routed):
        said: dict[str, Any] = {"refused": routing.refusal.code.value}
        if routing.blocked is not None:
            said["rejected"] = reasons(routing.blocked.rejected)
        return said
    table = routing.survey()
    return {
        "rejected": reasons(table.rejected),
        "accepted": [
            {
                "id": score.model.id,
                "cost": score.expected_cost,
                "latency": score.latency_ms,
                "misses": [miss.value for miss in score.misses],
                "reserve": score.contender.reserve,
            }
            for score in table.accepted
        ],
        "kind": routing.decision.kind.value,
        "plan": [
            (option.model.id, option.output_tokens_max, option.hold)
            for option in routing.plan.options
        ],
        "hold": routing.plan.hold,
    }


def reasons(rejected: Iterable[Rejected]) -> dict[str, list[tuple[str, ...]]]:
    return {
        each.model: [
            (found.reason.value, found.rule, found.limit, found.actual, found.imposed_by)
            for found in each.rejections
        ]
        for each in rejected
    }


def compare(case: Case) -> None:
    """Raise `AssertionError` where the two decide differently."""
    assert answer(case) == decide(world(case))


@settings(max_examples=80)
@given(cases())
def test_the_core_and_the_oracle_decide_alike(case: Case) -> None:
    said = answer(case)
    event(str(said.get("kind", said.get("refused"))))
    compare(case)


def test_they_decide_alike_at_every_edge() -> None:
    for case in corpus():
        compare(case)
