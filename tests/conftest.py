"""What holds for the whole suite: one Hypothesis profile, two processes, the core's coverage."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_cov.plugin import CovPlugin

# The same examples in each run: a red run is a fact about the code and not luck.  To look for new
# ones: `uv run pytest --hypothesis-profile=explore`.  No deadline, and nothing is too slow: the
# machine is shared, with the other process to begin with.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("suite")

PROCESSES = 2
"""How many run the whole suite; `-n 4` asks for more, `-n 0` for none beside the first."""
CORE_COVERAGE_PERCENT = 100
TESTS = Path(__file__).parent
CORE_TESTS = (TESTS / "core", TESTS / "flow", TESTS / "laws" / "test_policy_laws.py")
"""Who answers for the core's coverage. Tracing would cost the others half as much time again."""
LONG_TESTS = tuple(
    TESTS / place for place in ("scenarios", "laws", "judges", "architecture", "http/server")
)
"""Where a file may take a minute: one that came last would keep one process waiting."""


def runs_the_whole_suite(config: pytest.Config) -> bool:
    """Was nothing selected?  A part of the suite cannot cover the whole core."""
    option = config.option
    selected = option.keyword or option.markexpr or option.deselect or option.ignore
    # These come with plugins that a caller may have switched off.
    again = any(getattr(option, name, False) for name in ("lf", "failedfirst", "stepwise"))
    whole = {Path(path) for path in config.getini("testpaths")}
    return not (selected or again or option.collectonly) and {*map(Path, config.args)} == whole


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Where the whole suite runs, share it out, and hold the core to full branch coverage."""
    plugins, option = config.pluginmanager, config.option
    if not runs_the_whole_suite(config):
        return
    is_worker = hasattr(config, "workerinput")
    if not is_worker and hasattr(option, "numprocesses"):
        share_out(option)
    if plugins.hasplugin("_cov") or option.no_cov:
        return  # asked for by hand, or asked against
    option.cov_source = ["astrolabe_core"]
    option.cov_branch = True
    option.cov_report = {"term-missing": None}
    option.cov_fail_under = CORE_COVERAGE_PERCENT
    # In a worker it starts with the session, once it knows whose worker it is.
    plugins.register(CovPlugin(option, plugins, start=not is_worker), "_cov")


def share_out(option: argparse.Namespace) -> None:
    """Run in several processes, a file of tests in one of them, unless asked for otherwise."""
    if option.numprocesses is None and option.dist == "no" and not option.usepdb:
        option.numprocesses = PROCESSES
        option.tx = ["popen"] * PROCESSES
        option.dist = "loadfile"
        option.loadscopereorder = False  # the order of collection is the better one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trace the core's own tests alone, and begin with the files that take long."""
    for item in items:
        if " at 0x" in item.nodeid:
            told = "an address is in its name, and so it has another one in each process"
            raise pytest.UsageError(f"{item.nodeid}: {told}")
        if not is_within(item, CORE_TESTS):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=lambda item: not is_within(item, LONG_TESTS))


def is_within(item: pytest.Item, places: tuple[Path, ...]) -> bool:
    """Whether a test stands in one of these places."""
    return any(item.path.is_relative_to(place) for place in places)
