"""Which cases do the slower questions look at? The same ones each time."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, Phase, given, settings

from astrolabe_core.testing import Case, cases


@cache
def drawn(count: int) -> tuple[Case, ...]:
    """Draw that many cases, without shrinking and without chance."""
    found: list[Case] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return tuple(found)
