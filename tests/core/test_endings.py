"""How a request ends, seen from the commands that end it."""

from attrs import evolve

from astrolabe_core.budgets import Scope
from astrolabe_core.endings import limits
from astrolabe_core.money import usd
from astrolabe_core.stacks import Budget
from astrolabe_core.states import Reserving, Route
from tests.core.test_flow import load
from tests.flow.world import arrival, seen, snapshot


def route() -> Route:
    """A request about to reserve, whose workspace has a budget of one window."""
    budget = Budget(monthly_usd=usd("3"), warn_percent=50)
    workspace = evolve(snapshot().caller.workspace, budget=budget)
    now = load(arrival(), seen(workspace=workspace))
    assert isinstance(now.state, Reserving)
    return now.state.route


def test_a_budget_limits_the_windows_that_it_names_and_no_others() -> None:
    """No cap, no counter."""
    (limit,) = limits(route())
    assert limit.counter.scope is Scope.WORKSPACE
    assert limit.cap == usd("3")
    assert limit.warn_percent == 50


def test_the_counter_of_a_shared_stack_belongs_to_one_workspace() -> None:
    """Managed stacks govern many workspaces; none spends from another's budget."""
    base = route()
    stack = evolve(base.routed.resolved.stack, budget=Budget(daily_usd=usd("1")))
    resolved = evolve(base.routed.resolved, stack=stack)
    (first, _) = limits(evolve(base, routed=evolve(base.routed, resolved=resolved)))
    assert first.counter.scope is Scope.STACK
    assert first.counter.owner == "local/default-optimizer"
