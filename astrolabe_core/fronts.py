"""Which models can be among the first few, whatever the size of the request?

A model that beats another at every size beats it always. One that is so beaten by as many
others as there are places can be left out of the ranking without changing its first places.
The rules here say when one model's key is lower than another's for every size; where that
cannot be said from the rates alone, nothing is left out.
"""

from enum import Enum, auto

from astrolabe_core.scoring import Contender, Terms
from astrolabe_core.stacks import CostMode


def can_lead(
    candidate: Contender, contenders: tuple[Contender, ...], terms: Terms, *, places: int
) -> bool:
    """Whether fewer than `places` contenders always rank before this one."""
    ahead = 0
    for other in contenders:
        if always_ahead(other, candidate, terms):
            ahead += 1
            if ahead >= places:
                return False
    return True


def always_ahead(first: Contender, second: Contender, terms: Terms) -> bool:
    """Whether `first` has the lower key at every size. May say no where the answer is yes."""
    if first.reserve != second.reserve:
        return second.reserve
    missed = _compare_misses(first, second, terms)
    if missed is not _Misses.SAME:
        return missed is _Misses.FEWER
    if first.preference != second.preference:
        return first.preference < second.preference
    better = first.quality.value >= second.quality.value
    match terms.cost_mode:
        case CostMode.LOWEST_PASSABLE | CostMode.FIXED:
            return _always_cheaper(first, second, terms)
        case CostMode.FASTEST_PASSABLE:
            return (
                first.first_token_ms < second.first_token_ms
                and first.tokens_per_second >= second.tokens_per_second
            )
        case CostMode.PREMIUM:
            if first.quality.value > second.quality.value:
                return True
            return better and _always_cheaper(first, second, terms)
        case CostMode.BALANCED:
            return better and _never_later(first, second) and _always_cheaper(first, second, terms)


class _Misses(Enum):
    """How two models compare in what they miss, whatever the size."""

    FEWER = auto()
    SAME = auto()
    OTHERWISE = auto()


def _compare_misses(first: Contender, second: Contender, terms: Terms) -> _Misses:
    if terms.latency_slo_ms is not None and not _never_later(first, second):
        return _Misses.OTHERWISE
    low = (
        _gap(first.quality.value, terms.quality_floor),
        _gap(second.quality.value, terms.quality_floor),
    )
    target = terms.reliability_target or 0
    weak = _gap(first.reliability.value, target), _gap(second.reliability.value, target)
    if low[0] > low[1] or weak[0] > weak[1]:
        return _Misses.OTHERWISE
    if low[0] < low[1] or weak[0] < weak[1]:
        return _Misses.FEWER
    return _Misses.SAME


def _gap(value: int, floor: int) -> int:
    return max(0, floor - value)


def _never_later(first: Contender, second: Contender) -> bool:
    return (
        first.first_token_ms <= second.first_token_ms
        and first.tokens_per_second >= second.tokens_per_second
    )


def _always_cheaper(first: Contender, second: Contender, terms: Terms) -> bool:
    one, two = first.fixed_rates, second.fixed_rates
    if one is None or two is None:
        return False
    if terms.escalates and first.quality.value < second.quality.value:
        return False
    return (
        one.output < two.output
        and one.input <= two.input
        and one.image <= two.image
        and one.request <= two.request
    )
