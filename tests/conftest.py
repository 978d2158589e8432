"""What holds for the whole suite: one Hypothesis profile, and the coverage of the core."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same examples in each run: a red run is a fact about the code and not luck.  To look for new
# ones: `uv run pytest --hypothesis-profile=explore`.  No deadline: the machine is shared.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("suite")

CORE_COVERAGE_PERCENT = 100


def selects(config: pytest.Config) -> bool:
    """Was only a part of the suite asked for?  A part cannot cover the whole core."""
    option = config.option
    paths = config.args_source is pytest.Config.ArgsSource.ARGS
    words = option.keyword or option.markexpr or option.deselect or option.ignore
    again = getattr(option, "lf", False) or getattr(option, "stepwise", False)
    return bool(paths or words or again or option.collectonly)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hold the core to full branch coverage where the whole suite runs, and only there."""
    measure = config.pluginmanager.getplugin("_cov")
    if measure is None:
        return
    if selects(config):
        measure.options.cov_fail_under = None
    else:
        measure.options.cov_fail_under = CORE_COVERAGE_PERCENT
        measure.options.cov_report = {"term-missing": None}
