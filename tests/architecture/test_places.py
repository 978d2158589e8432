"""No module without a user, and no module of the core without its test file."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.modules import PACKAGES, ROOT, module, modules
from tests.architecture.places import orphans, untested

# What is started or imported from outside the three packages.
ENTRIES = {
    "astrolabe_http.__main__",  # the console script
    "astrolabe_core.testing",  # for hosts: laws and strategies
    "astrolabe_core.driver",  # for hosts: the whole flow in-process
    "astrolabe_core.inprocess",  # for hosts: a world for the driver without a server
    "astrolabe_core.replay",  # for hosts: a stored trace decided again
    "astrolabe_core.shipped",  # for hosts: the shipped catalog and a local caller
    "astrolabe_core.lint",  # for hosts: a stack judged before it is published
    "astrolabe_core.compare",  # for hosts: narrower, wider or witness
    "astrolabe_storage.conformance",  # for hosts: the suite an own storage must pass
}


def test_every_module_has_a_user() -> None:
    faults = orphans(modules(ROOT, *PACKAGES), entries=ENTRIES)
    assert not faults, "\n".join(faults)


def test_every_module_of_the_core_has_its_test_file() -> None:
    faults = untested(modules(ROOT, "astrolabe_core"), ROOT / "tests/core")
    assert not faults, "\n".join(faults)


def test_a_module_that_nobody_imports_is_named() -> None:
    lonely = module("x = 1\n", "astrolabe_core/lonely.py")
    user = module("from astrolabe_core import used\n", "astrolabe_http/__main__.py")
    used = module("x = 1\n", "astrolabe_core/used.py")
    assert orphans([lonely, user, used], entries=ENTRIES) == ("astrolabe_core/lonely.py",)


def test_a_module_that_imports_itself_is_no_user() -> None:
    lonely = module("from astrolabe_core.lonely import x\n", "astrolabe_core/lonely.py")
    assert orphans([lonely], entries=ENTRIES) == ("astrolabe_core/lonely.py",)


def test_a_module_without_its_test_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "classify").mkdir()
    (tmp_path / "test_money.py").touch()
    (tmp_path / "classify/test_words.py").touch()
    here = ("astrolabe_core/money.py", "astrolabe_core/classify/words.py")
    missing = ("astrolabe_core/stacks.py", "astrolabe_core/classify/shape.py")
    assert untested([module("", path) for path in here + missing], tmp_path) == missing
