"""How much may be spent in a UTC day or month, and what happens at the edges?

A `Counter` adds up what one owner spent and holds in one window. It is keyed by the window's
start and is never reset: the next window is another counter. A hold spends from the window it
was admitted in, whenever it settles.
"""

from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.money import NanoUsd, usd_text
from astrolabe_core.stacks import Budget
from astrolabe_core.units import Instant, Window, window_end, window_start


class Scope(StrEnum):
    """Whose counter it is, in the order in which limits are judged."""

    STACK = "stack"
    KEY = "key"
    WORKSPACE = "workspace"


class Measure(StrEnum):
    """What is counted: requests, or nanos of a dollar."""

    REQUESTS = "requests"
    SPEND = "spend"


@frozen
class CounterId:
    """One owner, one measure, one window. Owners are unique across workspaces."""

    scope: Scope
    owner: str
    measure: Measure
    window: Window
    start: Instant


@frozen
class Counter:
    """`used` is settled, `held` is reserved; both in the unit of the measure."""

    id: CounterId
    used: int = 0
    held: int = 0
    warned: bool = False


@frozen(kw_only=True)
class SpendLimit:
    """A cap on one counter: warn once at `warn_percent`, refuse above `stop_percent` of it."""

    counter: CounterId
    cap: NanoUsd
    warn_percent: int
    stop_percent: int


def spend_limits(scope: Scope, owner: str, budget: Budget, at: Instant) -> tuple[SpendLimit, ...]:
    """Turn a budget into the limits of the windows that hold `at`."""
    return tuple(
        SpendLimit(
            counter=CounterId(scope, owner, Measure.SPEND, window, window_start(window, at)),
            cap=cap,
            warn_percent=budget.warn_percent,
            stop_percent=budget.hard_stop_percent,
        )
        for window, cap in ((Window.DAY, budget.daily_usd), (Window.MONTH, budget.monthly_usd))
        if cap is not None
    )


@frozen
class Within:
    """The spend fits. `counter` already holds it; `warns` the first time the line is crossed."""

    counter: Counter
    warns: bool


@frozen(kw_only=True)
class Over:
    """The spend does not fit: the limit, what stands against it, and when it starts anew."""

    limit: SpendLimit
    spent: NanoUsd
    resets_at: Instant


Allowance: TypeAlias = Within | Over


def admit_spend(limit: SpendLimit, counter: Counter, amount: NanoUsd) -> Allowance:
    """Judge one more hold of `amount` against a limit, and place it on the counter."""
    spent = counter.used + counter.held
    after = spent + amount
    if after * 100 > limit.cap * limit.stop_percent:
        ends = window_end(limit.counter.window, limit.counter.start)
        return Over(limit=limit, spent=NanoUsd(spent), resets_at=ends)
    warns = not counter.warned and after * 100 >= limit.cap * limit.warn_percent
    held = Counter(counter.id, counter.used, counter.held + amount, counter.warned or warns)
    return Within(held, warns)


def settle_spend(counter: Counter, held: NanoUsd, charged: NanoUsd) -> Counter:
    """Replace what a hold reserved on a counter by what was charged for it."""
    return Counter(counter.id, counter.used + charged, counter.held - held, counter.warned)


def budget_refusal(over: Over, amount: NanoUsd) -> Refusal:
    """Say which budget would be exceeded, by how much, and when it starts anew."""
    limit = over.limit
    cap = NanoUsd(limit.cap * limit.stop_percent // 100)
    where = f"{limit.counter.scope} budget of this {limit.counter.window}"
    return Refusal(
        code=Code.BUDGET_EXCEEDED,
        message=(
            f"the {where} stops at {usd_text(cap)} USD; {usd_text(over.spent)} USD is spent or "
            f"held and this request may cost {usd_text(amount)} USD; raise the budget or wait"
        ),
        details={
            "scope": limit.counter.scope.value,
            "window": limit.counter.window.value,
            "limit": usd_text(cap),
            "spent": usd_text(over.spent),
            "resets_at": over.resets_at // 1_000,
        },
    )
