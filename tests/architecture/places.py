"""Has each module a user, and each module of the core its tests?

`orphans` names the modules that no other module imports and nobody starts from outside; `untested`
the modules of the core without a test file in the same place below `tests/core`.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from tests.architecture.modules import Module, imported


def orphans(of: Iterable[Module], *, entries: AbstractSet[str]) -> tuple[str, ...]:
    """Name the modules that none of the others imports and that are no way in."""
    every = tuple(of)
    # A package is used where something below it is; what a module imports of itself is no use.
    used = {name for one in every for name in _with_parents(imported(one)) - {one.name}}
    return tuple(
        one.path
        for one in every
        if one.name not in used and one.name not in entries and not _begins(one, entries)
    )


def untested(of: Iterable[Module], tests: Path) -> tuple[str, ...]:
    """Name the modules of the core that have no test file of their own."""
    return tuple(
        one.path
        for one in of
        if not one.path.endswith("__init__.py") and not _tests_of(one, tests).is_file()
    )


def _begins(one: Module, entries: AbstractSet[str]) -> bool:
    return one.path.endswith("__init__.py") and any(
        entry.startswith(f"{one.name}.") for entry in entries
    )


def _with_parents(names: Iterable[str]) -> set[str]:
    return {
        ".".join(parts[:length])
        for parts in (name.split(".") for name in names)
        for length in range(1, len(parts) + 1)
    }


def _tests_of(one: Module, tests: Path) -> Path:
    *package, name = one.path.split("/")[1:]
    return tests.joinpath(*package, f"test_{name}")
