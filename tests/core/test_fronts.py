"""A model left out of the front could not have been among the first, whatever the size."""

from __future__ import annotations

from itertools import permutations, product

from attrs import evolve
from hypothesis import given, settings

from astrolabe_core.fronts import always_ahead
from astrolabe_core.money import AttoUsd
from astrolabe_core.scoring import Size, rank
from astrolabe_core.stacks import CostMode
from astrolabe_core.testing import Case, cases
from astrolabe_core.units import Instant, Tokens

SIZES = [
    Size(input_tokens=Tokens(read), output_tokens=Tokens(written), images=images, at=Instant(0))
    for read, written, images in ((0, 1, 0), (10, 5_000, 0), (900_000, 1, 3))
]
# Dearer than any call: who escalates more often is dearer, too.
ESCALATION = AttoUsd(10**20)


def who_is_always_ahead_ranks_ahead(case: Case) -> None:
    """Hold the rules of the front against the ranking, for every cost mode."""
    asked = case.question()
    if asked is None:
        return
    wanted = asked.shortlist.demand.terms
    for mode, escalates in product(CostMode, (True, False)):
        terms = evolve(wanted, cost_mode=mode, escalates=escalates)
        for first, second in permutations(asked.shortlist.contenders, 2):
            if always_ahead(first, second, terms):
                for size in SIZES:
                    ahead = rank(first, size, terms, ESCALATION)
                    assert ahead < rank(second, size, terms, ESCALATION)


@settings(max_examples=60)
@given(cases())
def test_who_is_always_ahead_ranks_ahead_at_every_size(case: Case) -> None:
    who_is_always_ahead_ranks_ahead(case)
