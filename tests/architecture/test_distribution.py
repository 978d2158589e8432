"""What is installed: three packages, two dependencies to decide with, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from email import message_from_string
from zipfile import ZipFile

import pytest

from tests.architecture.modules import PACKAGES, ROOT, modules

# attrs and cattrs with what they bring themselves.
BASE_PACKAGES = {"attr", "attrs", "cattr", "cattrs", "typing_extensions"}
NEEDS_AN_EXTRA = ("astrolabe_core.driver", "astrolabe_core.inprocess", "astrolabe_core.testing")

IMPORTS_AND_TELLS = """
import importlib, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
for name in sorted(set(sys.modules) - before):
    if "site-packages" in (getattr(sys.modules[name], "__file__", None) or ""):
        print(name.partition(".")[0])
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """Build the wheel, without network."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    with ZipFile(next(out.glob("*.whl"))) as built:
        yield built


def test_the_wheel_holds_the_three_packages_and_the_licence(wheel: ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {*PACKAGES, "astrolabe-0.1.0.dist-info"}
    assert any(name.endswith("LICENSE") for name in wheel.namelist())


def test_the_wheel_holds_every_module_and_data_file(wheel: ZipFile) -> None:
    here = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == here


def test_each_package_declares_its_types(wheel: ZipFile) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_the_base_install_asks_for_attrs_and_cattrs_only(wheel: ZipFile) -> None:
    metadata = message_from_string(wheel.read("astrolabe-0.1.0.dist-info/METADATA").decode())
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert sorted(need.partition(">")[0] for need in needs) == ["attrs", "cattrs"]


def test_deciding_imports_attrs_and_cattrs_and_nothing_else() -> None:
    names = [
        one.name
        for one in modules(ROOT, "astrolabe_core")
        if not one.name.startswith(NEEDS_AN_EXTRA)
    ]
    told = subprocess.run(
        [sys.executable, "-c", IMPORTS_AND_TELLS, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert set(told.stdout.split()) <= BASE_PACKAGES
