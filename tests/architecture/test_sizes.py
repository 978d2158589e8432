"""A module stays under 400 lines and a function under 50."""

from __future__ import annotations

from tests.architecture.modules import PACKAGES, ROOT, module, modules
from tests.architecture.sizes import FUNCTION_LINES_MAX, MODULE_LINES_MAX, oversized


def function(lines: int) -> str:
    return "\n".join(["def f():", *["    pass"] * (lines - 1), ""])


def test_modules_and_functions_can_be_read_at_one_sitting() -> None:
    faults = oversized(modules(ROOT, *PACKAGES))
    assert not faults, "\n".join(faults)


def test_a_module_one_line_too_long_is_named() -> None:
    fits, too_long = "x = 1\n" * MODULE_LINES_MAX, "x = 1\n" * (MODULE_LINES_MAX + 1)
    assert oversized([module(fits)]) == ()
    assert oversized([module(too_long)]) == ("astrolabe_core/example.py: 401 lines",)


def test_a_function_one_line_too_long_is_named() -> None:
    assert oversized([module(function(FUNCTION_LINES_MAX))]) == ()
    assert oversized([module(function(FUNCTION_LINES_MAX + 1))]) == (
        "astrolabe_core/example.py:1 f: 51 lines",
    )


def test_async_functions_and_methods_count_too() -> None:
    method = "class A:\n" + "".join(
        f"    {line}\n" for line in ("async " + function(51)).splitlines()
    )
    assert oversized([module(method)]) == ("astrolabe_core/example.py:2 f: 51 lines",)
