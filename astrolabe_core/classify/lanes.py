"""In which lane does the request run?

A caller who names `astrolabe/coding`, or `coding`, has chosen it. For `auto` and for a concrete
model it follows from the classification; it then informs rules and traces, and candidates are
still those of the model that was named.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier

AUTO: Final = "auto"
LANES: Final = frozenset({AUTO, "coding", "research", "vision", "strict-json", "cheap", "safe"})
_VENDOR: Final = "astrolabe/"


def choose_lane(
    model: str,
    category: Category,
    action_class: ActionClass,
    complexity: Complexity,
    modifiers: AbstractSet[Modifier],
) -> str:
    """Give the lane that was named, else the one that the classification calls for."""
    # `astrolabe/auto@slug` names a stack as well.
    named = model.partition("@")[0].removeprefix(_VENDOR)
    if named in LANES and named != AUTO:
        return named
    if category is Category.HIGH_STAKES or Modifier.APPROVAL_REQUIRED in modifiers:
        return "safe"
    if action_class is ActionClass.VISION_ANALYSIS:
        return "vision"
    if Modifier.NEEDS_STRICT_SCHEMA in modifiers:
        return "strict-json"
    if category is Category.CODING:
        return "coding"
    if (
        category in {Category.RESEARCH, Category.RETRIEVAL}
        or action_class is ActionClass.BROWSER_RESEARCH
        or Modifier.LONG_CONTEXT in modifiers
    ):
        return "research"
    if (
        Modifier.PRICE_SENSITIVE in modifiers
        or category is Category.HEARTBEAT
        or (complexity is Complexity.SIMPLE and action_class in _SMALL)
        or (complexity is Complexity.SIMPLE and category is Category.SUMMARIZATION)
    ):
        return "cheap"
    return AUTO


_SMALL: Final = frozenset({ActionClass.CASUAL_CHAT, ActionClass.ACTIVE_SESSION})
