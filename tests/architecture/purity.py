"""Does a module of the core decide without floats, clocks, chance, I/O and hash order?

`impurities` reads the syntax tree and says each place that does not. What may be imported is a
list of what is allowed, so that a new library is a new line here, made on purpose.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.modules import Module, imported

# What the core may import beside itself.  `datetime` gives types; the calls that read a clock
# are refused below.
ALLOWED_IMPORTS = frozenset(
    {
        "__future__",
        "attrs",
        "bisect",
        "collections",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "operator",
        "re",
        "string",
        "types",
        "typing",
        "unicodedata",
    }
)
# Names that make a float, reach the world, or differ from one process to the next.
REFUSED_NAMES = {
    "__import__": "imports by hand",
    "breakpoint": "stops",
    "compile": "runs a text",
    "complex": "is a float twice",
    "eval": "runs a text",
    "exec": "runs a text",
    "float": "is not exact",
    "globals": "is state",
    "hash": "differs from process to process",
    "id": "differs from process to process",
    "input": "reads",
    "open": "reads",
    "print": "writes",
}
REFUSED_CALLS = {
    "fromtimestamp": "takes the local time zone",
    "now": "reads the clock",
    "today": "reads the clock",
    "utcnow": "reads the clock",
}


def impurities(of: Module, *, also_allowed: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Say each place of the module that is not pure, with its line."""
    allowed = ALLOWED_IMPORTS | also_allowed | {"astrolabe_core"}
    strangers = sorted({name.partition(".")[0] for name in imported(of)} - allowed)
    faults = [f"{of.path}: imports {stranger}" for stranger in strangers]
    parameters = set(_parameters(of.tree))
    for node in ast.walk(of.tree):
        if node not in parameters:
            faults += [f"{of.path}:{line} {what}" for line, what in _faults(node)]
    return tuple(faults)


def _parameters(tree: ast.Module) -> Iterator[ast.AST]:
    """Give each use of a parameter that is called as a refused name is: `id` in `f(id)`."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            own = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
            for node in (inner for line in function.body for inner in ast.walk(line)):
                if isinstance(node, ast.Name) and node.id in own:
                    yield node


def _faults(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Constant(value=float() | complex(), lineno=line):
            yield line, "writes a float"
        case ast.BinOp(op=ast.Div(), lineno=line) | ast.AugAssign(op=ast.Div(), lineno=line) if (
            not _exact(node)
        ):
            yield line, "divides into a float"
        case ast.Name(id=name, ctx=ast.Load(), lineno=line) if name in REFUSED_NAMES:
            yield line, f"{name} {REFUSED_NAMES[name]}"
        case ast.Attribute(value=ast.Name(id="operator"), attr="truediv", lineno=line):
            yield line, "divides into a float"
        case ast.Call(func=ast.Attribute(attr=name), lineno=line) if name in REFUSED_CALLS:
            yield line, f"{name}() {REFUSED_CALLS[name]}"
        case ast.Global(lineno=line):
            yield line, "changes a global"
        case ast.AsyncFunctionDef(lineno=line) | ast.Await(lineno=line):
            yield line, "is asynchronous"
        case _:
            pass


def _exact(node: ast.BinOp | ast.AugAssign) -> bool:
    """Does the division begin with an explicit `Fraction(...)` or `Decimal(...)`?"""
    left = node.left if isinstance(node, ast.BinOp) else node.target
    match left:
        case ast.Call(func=ast.Name(id="Fraction" | "Decimal")):
            return True
        case _:
            return False
