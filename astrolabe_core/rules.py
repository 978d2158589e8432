"""Which of a stack's custom rules speaks for this request?

Rules are tried in order and the first that holds wins; where none holds, none speaks. A
condition sees the classification and the size of the request, never its words.
"""

from collections.abc import Sequence

from attrs import frozen

from astrolabe_core.requests import Profile
from astrolabe_core.stacks import Rule, When


@frozen
class Ruling:
    """The rule that speaks, and its position in the list from 0."""

    position: int
    rule: Rule


def rule_for(rules: Sequence[Rule], profile: Profile) -> Ruling | None:
    """Find the first rule whose condition holds."""
    for position, rule in enumerate(rules):
        if holds(rule.when, profile):
            return Ruling(position, rule)
    return None


def holds(when: When, profile: Profile) -> bool:
    """Whether every part of a condition that was given is so."""
    found = profile.classification
    return (
        (not when.categories or found.category in when.categories)
        and (not when.action_classes or found.action_class in when.action_classes)
        and (not when.complexities or found.complexity in when.complexities)
        and (not when.lanes or found.lane in when.lanes)
        and when.modifiers <= found.modifiers
        and (when.input_tokens_min is None or profile.input_tokens >= when.input_tokens_min)
        and (when.input_tokens_max is None or profile.input_tokens <= when.input_tokens_max)
    )
