"""Which models stand behind a name such as `astrolabe/auto`?

A virtual model picks the candidates; a stack picks the policy; the two compose. The shipped
seven are data.
"""

from typing import Final

from attrs import frozen

from astrolabe_core.units import ModelId

VENDOR: Final = "astrolabe"


@frozen(kw_only=True, cache_hash=True)
class VirtualModel:
    """A lane: its candidates in default order, and further ones for when those have failed.

    `reference` is the model whose expected cost is the baseline that savings are told from;
    `trigger_rules` say in words what the lane is apt for.
    """

    id: ModelId
    lane: str
    name: str
    description: str
    candidates: tuple[ModelId, ...]
    fallback_candidates: tuple[ModelId, ...]
    reference: ModelId
    trigger_rules: tuple[str, ...] = ()


def find_virtual(models: tuple[VirtualModel, ...], name: str) -> VirtualModel | None:
    """Find a virtual model by its id (`astrolabe/auto`) or its short form (`auto`)."""
    short = name.removeprefix(f"{VENDOR}/")
    return next((model for model in models if model.id == f"{VENDOR}/{short}"), None)
