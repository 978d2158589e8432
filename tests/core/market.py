"""A small market for tests of the policy: a few models, one caller, and nothing in the way."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.canonical import digest
from astrolabe_core.catalog import (
    Capability,
    Catalog,
    DataPolicy,
    Modality,
    Model,
    PriceList,
    PriceOverride,
    Prices,
    Retention,
    Tier,
    TierPrior,
)
from astrolabe_core.money import AttoUsd
from astrolabe_core.requests import (
    ActionClass,
    Category,
    Classification,
    Complexity,
    Overrides,
    Profile,
    Request,
    ask,
)
from astrolabe_core.routing import Routed, Unrouted, route
from astrolabe_core.snapshot import Caller, Snapshot
from astrolabe_core.stacks import Boundaries, Stack, StackVersion, VersionStatus
from astrolabe_core.units import (
    Bps,
    Instant,
    KeyId,
    Millis,
    ModelId,
    StackSlug,
    Tokens,
    WorkspaceId,
)
from astrolabe_core.virtual import VirtualModel

NOW = Instant(1_800_000_000_000)  # eight in the morning UTC
SLUG = StackSlug("house-rules")
PRIOR = TierPrior(
    quality=Bps(8_000),
    first_token_ms=Millis(500),
    tokens_per_second=100,
    reliability=Bps(9_900),
    source="assumed",
)
NANO = 10**9


def prices(input_nanos: int | None = 100, output_nanos: int | None = 400, **parts: int) -> Prices:
    """Prices for one token, in nanos."""
    both = {"input": input_nanos, "output": output_nanos, **parts}
    known = {name: AttoUsd(nanos * NANO) for name, nanos in both.items() if nanos is not None}
    return Prices(**known)


def price_list(*overrides: PriceOverride, **parts: Any) -> PriceList:
    return PriceList(base=prices(**parts), overrides=overrides)


def model(model_id: str = "acme/one", *, price: PriceList | None = None, **changes: Any) -> Model:
    listed = price_list() if price is None else price
    plain = Model(
        id=ModelId(model_id),
        name=model_id,
        tier=Tier.STANDARD,
        context_window=Tokens(100_000),
        retail_price=listed,
        provider_price=listed,
        input_modalities=frozenset(Modality),
        capabilities=frozenset(Capability),
        data_policy=DataPolicy.NO_TRAINING,
        retention=Retention.ZERO,
    )
    return evolve(plain, **changes)


def good(bps: int) -> dict[str, Bps]:
    """A quality that holds for all work."""
    return dict.fromkeys(Category, Bps(bps))


def catalog(*models: Model) -> Catalog:
    return Catalog(version="1", models=models, priors=dict.fromkeys(Tier, PRIOR))


def stack(**changes: Any) -> Stack:
    return evolve(Stack(slug=SLUG, name="House rules"), **changes)


def published(governing: Stack, version: int = 1, *, archived: bool = False) -> StackVersion:
    status = VersionStatus.ARCHIVED if archived else VersionStatus.ACTIVE
    return StackVersion(stack=governing, version=version, hash=digest(governing), status=status)


def caller(
    *stacks: StackVersion,
    workspace_stack: str | None = None,
    key_stack: str | None = None,
    workspace_envelope: Boundaries | None = None,
    key_envelope: Boundaries | None = None,
    allowed_stacks: frozenset[str] | None = None,
) -> Caller:
    workspace = Workspace(
        id=WorkspaceId("ws_1"),
        name="Acme",
        stack=None if workspace_stack is None else StackSlug(workspace_stack),
        envelope=workspace_envelope,
    )
    key = Key(
        id=KeyId("key_1"),
        workspace=workspace.id,
        hash="h",
        prefix="p",
        last_four="1234",
        stack=None if key_stack is None else StackSlug(key_stack),
        envelope=key_envelope,
        allowed_stacks=allowed_stacks,
    )
    return Caller(key=key, workspace=workspace, stacks=stacks)


def lane(*candidates: str, reserves: tuple[str, ...] = (), reference: str = "") -> VirtualModel:
    return VirtualModel(
        id=ModelId("astrolabe/auto"),
        lane="auto",
        name="Auto",
        description="",
        candidates=tuple(map(ModelId, candidates)),
        fallback_candidates=tuple(map(ModelId, reserves)),
        reference=ModelId(reference or candidates[0]),
    )


def snapshot(
    *models: Model,
    governing: Stack | None = None,
    reserves: tuple[str, ...] = (),
    reference: str = "",
    **others: Any,
) -> Snapshot:
    """One lane with all models that are no reserves, and one stack, which the workspace has."""
    names = [each.id for each in models if each.id not in reserves]
    known = {
        "at": NOW,
        "caller": caller(published(governing or stack()), workspace_stack=SLUG),
        "catalog": catalog(*models),
        "virtual_models": (lane(*names, reserves=reserves, reference=reference),),
        **others,
    }
    return Snapshot(**known)


def request(text: str = "hello", *, wanted: str = "auto", **overrides: Any) -> Request:
    return ask(text, model=wanted, overrides=Overrides(**overrides))


def profile(**changes: Any) -> Profile:
    plain = Profile(
        classification=Classification(
            category=Category.CODING,
            action_class=ActionClass.CODE_EDIT,
            complexity=Complexity.STANDARD,
            modifiers=frozenset(),
            lane="coding",
            confidence=Bps(9_000),
        ),
        needs=frozenset(),
        modalities=frozenset({Modality.TEXT}),
        input_tokens=Tokens(1_000),
        input_tokens_max=Tokens(2_000),
        output_tokens=Tokens(500),
        output_tokens_cap=None,
    )
    return evolve(plain, **changes)


def routed(asked: Request, world: Snapshot) -> Routed:
    found = route(asked, world)
    assert isinstance(found, Routed), found
    return found


def unrouted(asked: Request, world: Snapshot) -> Unrouted:
    found = route(asked, world)
    assert isinstance(found, Unrouted), found
    return found


def chosen(asked: Request, world: Snapshot) -> str:
    return routed(asked, world).decision.selected.model.id


def plan(asked: Request, world: Snapshot) -> list[str]:
    return [option.model.id for option in routed(asked, world).plan.options]
