"""The core decides with integers, and from its arguments alone."""

from __future__ import annotations

import pytest

from tests.architecture.modules import ROOT, Module, module, modules
from tests.architecture.purity import impurities

# The edges of the core, with what they are there for.  Everything else decides.
EDGES = {
    "astrolabe_core.driver",  # the only async code
    "astrolabe_core.codec",  # JSON comes in here: it refuses floats by name
    "astrolabe_core.shipped",  # reads the two data files that lie beside it
    "astrolabe_core.inprocess",  # a world for the driver: asks the host's own store and clock
    "astrolabe_core.testing",  # strategies, laws, a scripted world
}


# Protocols that a host implements asynchronously; nothing else about them is an edge.
ASYNCHRONOUS = {"astrolabe_core.ports"}


def decides(of: Module) -> bool:
    return not any(of.name == edge or of.name.startswith(f"{edge}.") for edge in EDGES)


def test_the_core_has_no_float_clock_chance_or_input() -> None:
    deciding = [of for of in modules(ROOT, "astrolabe_core") if decides(of)]
    assert deciding
    faults = [
        fault
        for of in deciding
        for fault in impurities(of)
        if not (of.name in ASYNCHRONOUS and fault.endswith("is asynchronous"))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        pytest.param("RATE = 0.5\n", "writes a float", id="float-literal"),
        pytest.param("RATE = 1e9\n", "writes a float", id="exponent"),
        pytest.param("def f(a, b):\n    return a / b\n", "divides into a float", id="division"),
        pytest.param("def f(a):\n    a /= 2\n", "divides into a float", id="division-in-place"),
        pytest.param("import operator\nf = operator.truediv\n", "divides", id="division-by-name"),
        pytest.param("x = float('nan')\n", "float is not exact", id="float-call"),
        pytest.param("x: float\n", "float is not exact", id="float-annotation"),
        pytest.param("import time\n", "imports time", id="clock-module"),
        pytest.param("from time import time\n", "imports time", id="clock-name"),
        pytest.param("x = datetime.now(UTC)\n", "now() reads the clock", id="clock-datetime"),
        pytest.param("x = date.today()\n", "today() reads the clock", id="clock-date"),
        pytest.param("import random\n", "imports random", id="chance"),
        pytest.param("import secrets\n", "imports secrets", id="chance-of-the-system"),
        pytest.param("import uuid\n", "imports uuid", id="chance-in-ids"),
        pytest.param("import os\n", "imports os", id="environment"),
        pytest.param("from pathlib import Path\n", "imports pathlib", id="files-by-path"),
        pytest.param("x = open('f')\n", "open reads", id="files-by-name"),
        pytest.param("import logging\n", "imports logging", id="logging"),
        pytest.param("print('x')\n", "print writes", id="print"),
        pytest.param("x = hash('x')\n", "hash differs", id="hash-seed"),
        pytest.param("x = sorted(y, key=id)\n", "id differs", id="address"),
        pytest.param("def f():\n    global x\n", "changes a global", id="state"),
        pytest.param("async def f():\n    pass\n", "is asynchronous", id="async"),
        pytest.param("import numpy\n", "imports numpy", id="any-library-not-allowed"),
    ],
)
def test_an_injected_fault_is_named_with_its_file(source: str, fault: str) -> None:
    assert any(
        fault in said and said.startswith("astrolabe_core/example.py:")
        for said in impurities(module(source))
    )


def test_a_parameter_may_be_called_as_a_builtin_is() -> None:
    fault = "astrolabe_core/example.py:4 id differs from process to process"
    inside, outside = "def f(id: str) -> str:\n    return id\n", "\nx = sorted(y, key=id)\n"
    assert impurities(module(inside + outside)) == (fault,)


def test_exact_arithmetic_is_no_fault() -> None:
    source = "from fractions import Fraction\nx = Fraction(1) / 3\ny = 7 // 2\nz = 10**9\n"
    assert impurities(module(source)) == ()
