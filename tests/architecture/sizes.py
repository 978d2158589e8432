"""Which modules and functions have grown beyond what is read at one sitting?"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.architecture.modules import Module

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50


def oversized(of: Iterable[Module]) -> tuple[str, ...]:
    """Name each module and function above the bounds, with its lines."""
    return tuple(said for one in of for said in (*_module(one), *_functions(one)))


def _module(of: Module) -> tuple[str, ...]:
    return (f"{of.path}: {of.lines} lines",) if of.lines > MODULE_LINES_MAX else ()


def _functions(of: Module) -> tuple[str, ...]:
    return tuple(
        f"{of.path}:{node.lineno} {node.name}: {lines} lines"
        for node in ast.walk(of.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    )
