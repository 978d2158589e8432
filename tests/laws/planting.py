"""How is a fault put into a running process, and taken out again?

The module's changed source is compiled, not run: each function of the module gets the code of the
function of the same name. So everybody who has imported it has the fault as well.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType

from astrolabe_core import prepare, routing, verifier
from tests.architecture.modules import ROOT
from tests.laws.faults import Fault


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Let the fault be there, and nothing that was remembered without it, or with it."""
    module = importlib.import_module(fault.module.removesuffix(".py").replace("/", "."))
    functions = dict(_functions(module))
    sound = {name: function.__code__ for name, function in functions.items()}
    source = (ROOT / fault.module).read_text("utf-8")
    assert source.count(fault.old) == 1, f"{fault.module}: not exactly once: {fault.old}"
    changed = compile(source.replace(fault.old, fault.new), f"<{fault.name}>", "exec")
    codes = dict(_codes(changed))
    _forget()
    try:
        for name, function in functions.items():
            function.__code__ = codes[name]
        yield
    finally:
        for name, function in functions.items():
            function.__code__ = sound[name]
            function.__dict__.pop("kept", None)
        _forget()


def _forget() -> None:
    for remembering in (
        prepare.prepare,
        prepare.shortlist,
        prepare._catalog_digest,
        routing._lane_pool,
        verifier._judges,
    ):
        remembering.cache_clear()


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """Give the module's own functions by qualified name; those of attrs are not among them."""
    own = [each for each in vars(module).values() if _of(module, each)]
    members = [member for each in own if isinstance(each, type) for member in vars(each).values()]
    for each in (*own, *members):
        bare = each.fget if isinstance(each, property) else getattr(each, "__wrapped__", each)
        if isinstance(bare, FunctionType) and bare.__code__.co_filename == module.__file__:
            yield bare.__qualname__, bare


def _of(module: ModuleType, each: object) -> bool:
    return getattr(each, "__module__", None) == module.__name__


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner.co_qualname, inner
            yield from _codes(inner)
