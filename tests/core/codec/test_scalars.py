"""Nothing is coerced, money is exact, and a refusal says what would do."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.catalog import Capability
from astrolabe_core.codec import scalars
from astrolabe_core.codec.findings import Finding, Unreadable
from astrolabe_core.codec.scalars import SCALARS
from astrolabe_core.money import AMOUNT_MAX, AttoUsd, NanoUsd, usd
from astrolabe_core.stacks import DataRule
from astrolabe_core.units import (
    Bps,
    Digest,
    Instant,
    Millis,
    ModelId,
    ProviderId,
    StackSlug,
    Tokens,
)
from tests.core.codec.records import records

NAN, INFINITY = float("nan"), float("inf")


def refused(kind: object, value: object) -> Finding:
    with pytest.raises(Unreadable) as caught:
        SCALARS[kind].read(value)
    (finding,) = caught.value.findings
    assert finding.path == ""
    return finding


@pytest.mark.parametrize("kind", SCALARS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_written_is_read_back(kind: object, data: st.DataObject) -> None:
    value = data.draw(records(kind))
    written = SCALARS[kind].write(value)
    assert type(written) in {bool, int, float, str}
    again = SCALARS[kind].read(written)
    assert again == value
    assert type(again) is (kind if isinstance(value, StrEnum) else type(value))


WRONG: list[Any] = [None, [], {}, (), b"true", NAN, INFINITY, -INFINITY, Decimal("NaN"), -1.5]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("kind", SCALARS, ids=lambda kind: kind.__name__)
def test_no_kind_of_value_takes_any_of_these(kind: object, value: object) -> None:
    assert refused(kind, value).message


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (bool, ["false", "true", "", 0, 1, 0.0]),
        (int, ["1", True, False, 1.0, 2.9, Decimal(3), -1, 10**9 + 1]),
        (Tokens, ["1", True, 1.0, -1]),
        (Millis, [0, "500", 500.0]),
        (scalars.Percent, [0, 1_001, 80.0, "80", "80%"]),
        (scalars.Ordinal, [0]),
        (scalars.Minute, [1_441]),
        (Bps, [10_001, -1, 0.5]),
        (str, [1, True, 1.5, "\x00", "a\x1bb", "\ud800", "x" * 4_001]),
        (scalars.Title, ["", "x" * 121, 7]),
        (scalars.Share, ["0.5", True, 1.0001, -0.1, 2, 0.12345, Decimal("1E-999999"), 10**400]),
        (
            NanoUsd,
            [
                "-0.000000001",
                True,
                "",
                " 1",
                "1e3",
                "+1",
                "nan",
                "Infinity",
                "-0.01",
                -1,
                -0.5,
                1e-10,
            ],
        ),
        (NanoUsd, ["1,000", "$5", "0.0000000001", 10**10, 10**5_000, 1e300, "1" * 13]),
        (NanoUsd, [Decimal("1E+999999"), Decimal("1E-999999"), Decimal("sNaN")]),
        (AttoUsd, [0, 1, 0.5, True, "-1", "1e-6", "0." + "0" * 18 + "1"]),
        (StackSlug, ["", "A", "a--b", "-a", "a-", "a_b", "a@1", "a\n", "x" * 65, "ä"]),
        (Digest, ["", "f" * 63, "F" * 64, "f" * 65, "f" * 64 + "\n"]),
        (Instant, ["", "2026-11-21", "2026-11-21T15:42:00", "2026-11-21T15:42:00+01:00", 0]),
        (Instant, ["2026-02-30T00:00:00Z", "2026-11-21T24:42:00Z", "٢٠٢٦-11-21T15:42:00Z"]),
        (ModelId, ["gpt", "/gpt", "openai/", "openai/*", "openai/a/b", "open ai/gpt", "a/b@1"]),
        (scalars.Pattern, ["*", "*/*", "/*", "openai/gpt*", "openai/**", "astrolabe/auto"]),
        (ProviderId, ["", "openai/*", "openai/gpt", "OpenAI", "*"]),
        (scalars.VirtualId, ["auto", "openai/auto", "astrolabe/", "astrolabe/*"]),
        (scalars.CategoryWord, ["", "Coding", "code", "code_edit"]),
        (scalars.Override, ["dataPolicy", "stack"]),
        (DataRule, ["NO_TRAINING", "any ", "zero"]),
    ],
)
def test_values_near_the_right_ones_are_refused(kind: object, values: list[object]) -> None:
    for value in values:
        assert refused(kind, value).message, value


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("0.02", "0.02"),
        ("5", "5"),
        ("1.000000001", "1.000000001"),
        (0, "0"),
        (12, "12"),
        (0.02, "0.02"),
        (0.1, "0.1"),
        (1e-9, "0.000000001"),
        (2.5e-7, "0.00000025"),
        (1e9, "1000000000"),
        (Decimal("0.30"), "0.3"),
        (Decimal("1E+2"), "100"),
    ],
    ids=repr,
)
def test_dollars_are_read_exactly(value: object, amount: str) -> None:
    assert SCALARS[NanoUsd].read(value) == usd(amount)


@given(st.integers(0, AMOUNT_MAX))
def test_an_amount_is_written_as_a_decimal_string(amount: int) -> None:
    written = SCALARS[NanoUsd].write(NanoUsd(amount))
    assert isinstance(written, str)
    assert Decimal(written).scaleb(9) == amount


def test_every_share_survives_the_number_that_it_is_written_as() -> None:
    for share in range(10_001):
        written = SCALARS[scalars.Share].write(Bps(share))
        assert len(repr(written)) <= len("0.1234")
        assert SCALARS[scalars.Share].read(written) == share


@pytest.mark.parametrize(
    ("value", "share"), [(0, 0), (1, 10_000), (1.0, 10_000), (0.7, 7_000), (Decimal("0.95"), 9_500)]
)
def test_a_share_is_a_number_from_0_to_1(value: object, share: int) -> None:
    assert SCALARS[scalars.Share].read(value) == share


def test_whole_shares_are_written_without_a_point() -> None:
    write = SCALARS[scalars.Share].write
    assert [repr(write(Bps(share))) for share in (0, 5_000, 10_000)] == ["0", "0.5", "1"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("2026-11-21T15:42:00.5Z", 1_795_275_720_500),
    ],
)
def test_a_time_is_read_to_the_millisecond(text: str, at: int) -> None:
    assert SCALARS[Instant].read(text) == at


@pytest.mark.parametrize(
    ("kind", "value", "suggestion"),
    [
        (bool, "False", "write false without quotes"),
        (bool, "no", None),
        (int, "80", "write it without quotes"),
        (int, "eighty", None),
        (scalars.Share, 95, "write 95 percent as 0.95"),
        (scalars.Share, 101, None),
        (scalars.Share, -1, None),
        (NanoUsd, "1e3", 'write dollars as a decimal string, like "0.02"'),
        (AttoUsd, 0.5, 'write it like "0.000000435"'),
        (Capability, "tool", "did you mean tools?"),
        (Capability, "structuredOutput", "did you mean structured_output?"),
        (Capability, "zzz", None),
        (ProviderId, "openai/*", "did you mean openai?"),
        (ProviderId, "*", None),
        (scalars.Pattern, "openai", "did you mean openai/*?"),
        (scalars.Pattern, "Open AI", None),
        (scalars.Pattern, "astrolabe/auto", "name vendor/model, or vendor/* for all of a vendor"),
    ],
)
def test_a_refusal_suggests_what_was_probably_meant(
    kind: object, value: object, suggestion: str | None
) -> None:
    assert refused(kind, value).suggestion == suggestion


def test_an_unknown_word_is_told_all_that_are_allowed() -> None:
    assert refused(DataRule, "none").message == "'none' is not one of: any, no_training"


@pytest.mark.parametrize("kind", [str, StackSlug, ModelId, ProviderId, DataRule, scalars.Pattern])
def test_a_long_value_is_not_repeated_whole(kind: object) -> None:
    assert len(refused(kind, "?" * 4_000 + "\x00").message) < 300
    assert len(refused(kind, "\x7f" + "?" * 3_000).message) < 300


@pytest.mark.parametrize("pattern", ["openai/*", "openai/gpt-5.4", "meta/llama-3:free", "x-ai/*"])
def test_patterns_are_ids_or_all_of_a_vendor(pattern: str) -> None:
    assert SCALARS[scalars.Pattern].read(pattern) == pattern


def test_every_vocabulary_has_a_hook_of_its_own() -> None:
    """Cattrs takes a `StrEnum` without one for a plain `str`."""
    read = SCALARS[Capability].read("tools")
    assert read is Capability.TOOLS
