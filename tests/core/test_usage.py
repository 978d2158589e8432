"""Impossible counts are told, parts lie within their whole, and savings may be negative."""

from __future__ import annotations

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import Instant, KeyId, RequestId, Tokens, WorkspaceId
from astrolabe_core.usage import COUNT_MAX, Usage, UsageRecord

ROW = UsageRecord(
    request=RequestId("req_1"),
    workspace=WorkspaceId("ws_1"),
    key=KeyId("key_1"),
    at=Instant(0),
    surface="chat",
    stream=False,
    model="auto",
    debit=NanoUsd(40),
    baseline=NanoUsd(100),
)


def usage(**counts: int) -> Usage:
    named = {name: Tokens(count) for name, count in counts.items()}
    return Usage(**{"input_tokens": Tokens(10), "output_tokens": Tokens(5), **named})


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.integers(0, 1_000), st.integers(0, 1_000))
def test_parts_that_lie_within_their_whole_are_possible(
    cached: int, written: int, reasoning: int, more: int
) -> None:
    possible = usage(
        input_tokens=cached + written + more,
        output_tokens=reasoning + more,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )
    assert possible.flaw() is None


@pytest.mark.parametrize("name", [attribute.name for attribute in fields(Usage)])
def test_a_negative_or_monstrous_count_is_impossible(name: str) -> None:
    assert usage(**{name: -1}).flaw() == "a negative count"
    assert usage(**{name: COUNT_MAX + 1}).flaw() == "a count beyond any model"


@pytest.mark.parametrize(
    ("counts", "flaw"),
    [
        ({"cached_input_tokens": 11}, "more cached than input tokens"),
        ({"cache_write_tokens": 11}, "more cached than input tokens"),
        ({"cached_input_tokens": 6, "cache_write_tokens": 5}, "more cached than input tokens"),
        ({"reasoning_tokens": 6}, "more reasoning than output tokens"),
    ],
)
def test_a_part_above_its_whole_is_impossible(counts: dict[str, int], flaw: str) -> None:
    assert usage(**counts).flaw() == flaw


def test_the_largest_count_is_still_possible() -> None:
    assert usage(input_tokens=COUNT_MAX, output_tokens=COUNT_MAX, images=COUNT_MAX).flaw() is None


def test_savings_are_the_baseline_less_the_debit() -> None:
    assert ROW.billable
    assert ROW.savings == 60


def test_savings_are_negative_where_the_answer_was_dearer_than_the_baseline() -> None:
    assert evolve(ROW, debit=NanoUsd(150)).savings == -50


def test_without_a_baseline_there_are_no_savings() -> None:
    assert evolve(ROW, baseline=None).savings is None


@pytest.mark.parametrize(
    "row",
    [
        evolve(ROW, refusal=Code.PAYMENT_REQUIRED),
        evolve(ROW, unbillable=Unbillable.MISSING_PROVIDER_USAGE),
    ],
)
def test_what_was_refused_or_left_unbilled_saves_nothing(row: UsageRecord) -> None:
    assert not row.billable
    assert row.savings is None
