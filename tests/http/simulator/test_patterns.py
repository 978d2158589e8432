from __future__ import annotations

import re

import pytest

from astrolabe_http.simulator.patterns import match_shortest

PATTERNS = (
    r"^[A-Z]{3}-\d{4}$",
    r"^\+?[1-9]\d{1,14}$",
    r"^(?:red|green)$",
    r"[^a]+",
    r"^\S+@\S+\.\w{2,}$",
    r"^v(\d+)\.(\d+)$",
    r"^(a+)+$",
    r"^[\w-]{8}$",
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z$",
    r"^.{3}$",
    r"^[^\d\s]x$",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_string_matches(pattern: str) -> None:
    made = match_shortest(pattern)
    assert made is not None
    assert re.search(pattern, made)


@pytest.mark.parametrize("pattern", ["(", "[", "a{99999999}", "a{2000,}b{99999}"])
def test_a_broken_or_excessive_pattern_gives_none(pattern: str) -> None:
    assert match_shortest(pattern) is None
