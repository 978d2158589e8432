"""Which modules does the project have, and what do they import?

`Module` is one source file under a root directory; names are dotted and start at the root. The
checks of this directory take such modules, so that each can be run over a small tree with a fault.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("astrolabe_core", "astrolabe_http", "astrolabe_storage")


@dataclass(frozen=True)
class Module:
    """One source file: its path below the root, its dotted name and its syntax tree."""

    path: str
    name: str
    source: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.source.count("\n")


def modules(root: Path, *packages: str) -> tuple[Module, ...]:
    """Read every module of the packages, in the order of their paths."""
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return tuple(_module(file.relative_to(root), file.read_text("utf-8")) for file in files)


def module(source: str, path: str = "astrolabe_core/example.py") -> Module:
    """Make a module of a text, for the tests of the checks themselves."""
    return _module(Path(path), source)


def imported(of: Module) -> Iterator[str]:
    """Name what the module imports: modules, and `module.name` for each name taken from one."""
    for node in ast.walk(of.tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=None) | ast.ImportFrom(level=1 | 2 | 3):
                message = f"{of.path}:{node.lineno} imports relatively"
                raise AssertionError(message)
            case ast.ImportFrom(module=str(origin), names=names):
                yield origin
                yield from (f"{origin}.{alias.name}" for alias in names)
            case _:
                pass


def _module(path: Path, source: str) -> Module:
    parts = path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path.as_posix(), name, source, ast.parse(source, filename=path.as_posix()))
