"""A finding says its place, and costs little to make whatever was sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from astrolabe_core.codec.findings import (
    SHOWN_MAX,
    Finding,
    Invalid,
    did_you_mean,
    form,
    join,
    nearest,
    refuse,
    shown,
)


@pytest.mark.parametrize(
    ("step", "path", "joined"),
    [
        ("objective", "rules[1]", "objective.rules[1]"),
        ("rules", "[1].when", "rules[1].when"),
        (1, "when", "[1].when"),
        (0, "", "[0]"),
        ("slug", "", "slug"),
        ("a.b", "c", '["a.b"].c'),
        ("", "", '[""]'),
        ('"\n', "", '["\\"\\n"]'),
        ("x" * 100, "", f'["{"x" * SHOWN_MAX}\\u2026"]'),
    ],
)
def test_a_path_is_written_as_one_would_in_code(step: str | int, path: str, joined: str) -> None:
    assert join(step, path) == joined


def test_findings_are_seen_from_further_up() -> None:
    seen = list(refuse("is wrong", "mend it", path="when").below(2))
    assert seen == [Finding(path="[2].when", message="is wrong", suggestion="mend it")]


def test_findings_read_as_lines() -> None:
    invalid = Invalid(
        (
            Finding(path="slug", message="is missing"),
            Finding(path="", message="is wrong", suggestion="mend it"),
        )
    )
    assert str(invalid) == "slug: is missing\nis wrong (mend it)"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        ("", "a string"),
        ({}, "an object"),
        ([], "a list"),
        ((), "a list"),
        (1, "a number"),
        (1.5, "a number"),
        (Decimal(1), "a number"),
    ],
)
def test_forms_are_json_s(value: object, name: str) -> None:
    assert form(value) == name


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("max_attempts", "maxAttempts"),
        ("maxAttemps", "maxAttempts"),
        ("MAXATTEMPTS", "maxAttempts"),
        ("triger", "triggers"),
        ("colour", None),
        ("", None),
        ("maxAttempts" * 10, None),
    ],
)
def test_what_was_meant_is_found_across_case_and_spelling(word: str, meant: str | None) -> None:
    known = ["enabled", "maxAttempts", "triggers"]
    assert nearest(word, known) == meant
    assert did_you_mean(word, known) == (f"did you mean {meant}?" if meant else None)


def test_a_long_text_is_cut() -> None:
    assert shown("x" * SHOWN_MAX) == "x" * SHOWN_MAX
    assert shown("x" * 1_000) == "x" * SHOWN_MAX + "…"
