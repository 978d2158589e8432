"""Which cases do the slower questions look at? The same ones each time."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, Phase, given, settings

from astrolabe_core.testing import Case
from astrolabe_core.testing.edges import around
from astrolabe_core.testing.strategies import worlds

WORLDS = 150


@cache
def corpus() -> tuple[Case, ...]:
    """Draw some worlds, without shrinking and without chance, and go to every edge of each."""
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
        found.extend((case, *around(case)))

    collect()
    return tuple(found)
