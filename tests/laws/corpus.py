"""Which cases do the slower questions look at? The same ones each time."""

from __future__ import annotations

from functools import cache
from itertools import chain, islice

from hypothesis import HealthCheck, Phase, given, settings

from astrolabe_core.testing import Case, around, turns
from astrolabe_core.testing.strategies import worlds

WORLDS = 300
EACH = 11
"""Of each world so many of its neighbours are left out before the next is taken."""


@cache
def corpus() -> tuple[Case, ...]:
    """Draw worlds, without shrinking and without chance, and of each some of its neighbours."""
    found: list[Case] = []

    @settings(
        max_examples=WORLDS,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds())
    def collect(case: Case) -> None:
        found.extend(
            (case, *islice(chain(around(case), turns(case)), len(found) % EACH, None, EACH))
        )

    collect()
    return tuple(found)
