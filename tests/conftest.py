"""What holds for the whole suite: one Hypothesis profile, and the coverage of the core."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from pytest_cov.plugin import CovPlugin

# The same examples in each run: a red run is a fact about the code and not luck.  To look for new
# ones: `uv run pytest --hypothesis-profile=explore`.  No deadline: the machine is shared.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("suite")

CORE_COVERAGE_PERCENT = 100
TESTS = Path(__file__).parent
CORE_TESTS = (TESTS / "core", TESTS / "flow", TESTS / "laws" / "test_policy_laws.py")
"""Who answers for the core's coverage. Tracing would cost the others half as much time again."""


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
    """Hold the core to full branch coverage where the whole suite runs, and only there."""
    plugins, option = config.pluginmanager, config.option
    if plugins.hasplugin("_cov") or option.no_cov or not runs_the_whole_suite(config):
        return  # asked for by hand, asked against, or of no meaning
    option.cov_source = ["astrolabe_core"]
    option.cov_branch = True
    option.cov_report = {"term-missing": None}
    option.cov_fail_under = CORE_COVERAGE_PERCENT
    plugins.register(CovPlugin(option, plugins), "_cov")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trace the core's own tests alone."""
    for item in items:
        if not any(item.path.is_relative_to(place) for place in CORE_TESTS):
            item.add_marker(pytest.mark.no_cover)
