"""How is a measurement told: a ratio, the bar that it is held against, and its figures?"""

import statistics
import time
from collections.abc import Callable, Sequence

from attrs import frozen


@frozen(kw_only=True)
class Measured:
    """One ratio of two things measured in turn in one run.

    `at_most` says on which side of `bar` the ratio belongs. `figures` are for the reader.
    """

    name: str
    claim: str
    ratio: float
    bar: float
    at_most: bool
    figures: tuple[tuple[str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the ratio is on the right side of its bar."""
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


def ratios(
    first: Callable[[], object], second: Callable[[], object], *, rounds: int, each: int
) -> tuple[list[float], list[float]]:
    """Time two functions in turn; seconds a call of each, a value a round."""
    one: list[float] = []
    two: list[float] = []
    for _ in range(rounds):
        one.append(seconds_each(first, each))
        two.append(seconds_each(second, each))
    return one, two


def seconds_each(function: Callable[[], object], calls: int) -> float:
    """Give the seconds that one of many calls takes."""
    begun = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - begun) / calls


def median_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Give the median of the ratios pair by pair."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def micros(seconds: Sequence[float]) -> str:
    """Write a median in microseconds with its range."""
    low, mid, high = min(seconds), statistics.median(seconds), max(seconds)
    return f"{mid * 1e6:.1f} us ({low * 1e6:.1f} to {high * 1e6:.1f})"
