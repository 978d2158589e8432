"""The pages are true: their links lead somewhere and their Python runs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astrolabe_core.checks import Check
from astrolabe_core.fallback import Cause
from astrolabe_core.stacks import FallbackMode, Trigger, VerificationMode
from astrolabe_core.testing import LAWS
from astrolabe_core.verification import Concern, VerificationStatus
from astrolabe_http.cli.demonstration import Demonstration, demonstrate
from astrolabe_http.settings import LogFormat, Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "examples" / "README.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def demonstration() -> Iterator[Demonstration]:
    """A gateway in front of the simulator, with a key and play credit."""

    def settings(upstream: str) -> Settings:
        return Settings(
            secret_key="docs" * 8,
            upstream_url=upstream,
            database_url="memory://",
            log_format=LogFormat.OFF,
            simulated=True,
            debug=True,
        )

    with demonstrate(settings, host="127.0.0.1", port=0, log=lambda _: None) as (running, _):
        yield running


def blocks() -> Iterator[tuple[str, str]]:
    """Give each block of Python with the page that it stands on."""
    for page in PAGES:
        for number, source in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1):
            yield f"{page.relative_to(ROOT)}:{number}", source


OFFLINE = [(name, source) for name, source in blocks() if "127.0.0.1" not in source]
SERVED = [(name, source) for name, source in blocks() if "127.0.0.1" in source]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_to_a_file(page: Path) -> None:
    """A page that moved takes its links with it."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_index_names_every_page() -> None:
    """No page is left to be found by chance."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def run(source: str, folder: Path) -> str:
    """Run Python in a process and a folder of its own, with warnings as errors."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        cwd=folder,
        # `CI` has Hypothesis draw the same in each run, and take its time.
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize(("name", "source"), OFFLINE, ids=[name for name, _ in OFFLINE])
def test_python_in_the_pages_runs(name: str, source: str, tmp_path: Path) -> None:
    """As it stands, without a server."""
    assert name
    run(source, tmp_path)


@pytest.mark.parametrize(("name", "source"), SERVED, ids=[name for name, _ in SERVED])
def test_python_that_talks_to_a_gateway_runs_against_one(
    name: str, source: str, demonstration: Demonstration, tmp_path: Path
) -> None:
    """With `key` set, and the addresses of a running gateway and of the simulator behind it."""
    assert name
    simulator = demonstration.upstream_url.removesuffix("/api/v1")
    told = source.replace("http://127.0.0.1:8080", demonstration.url)
    told = told.replace("http://127.0.0.1:8090", simulator)
    assert run(f"key = {demonstration.key!r}\n{told}", tmp_path).strip()


def test_the_page_on_testing_names_every_law() -> None:
    """With the first line of what it says of itself."""
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    for law in LAWS:
        assert f"| `{law.__name__}` | {(law.__doc__ or '').strip().splitlines()[0]} |" in page


def test_the_page_on_attempts_names_every_word_of_a_trace() -> None:
    """Causes, checks, statuses, concerns, triggers and modes are those of the core."""
    page = (ROOT / "docs" / "attempts.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    for words in (Cause, Check, VerificationStatus, Trigger, FallbackMode, VerificationMode):
        for word in words:
            assert f"`{word}`" in rows, word
    for concern in Concern:
        assert f"`{concern}`" in page
