"""Usage and cost: exact where they are said, missing where they are not said credibly."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.answers import NO_RECEIPT, Receipt
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import Tokens
from astrolabe_core.usage import Usage
from astrolabe_http.wire.receipts import (
    merge_receipt,
    read_chat_usage,
    read_cost,
    read_record,
    read_responses_usage,
)

CHAT: dict[str, Any] = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 40},
}
RESPONSES: dict[str, Any] = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 40},
    "total_tokens": 150,
}
BOTH = Usage(
    input_tokens=Tokens(100),
    output_tokens=Tokens(50),
    cached_input_tokens=Tokens(30),
    cache_write_tokens=Tokens(20),
    reasoning_tokens=Tokens(40),
)


def test_both_spellings_mean_the_same() -> None:
    assert read_chat_usage(CHAT) == BOTH
    assert read_responses_usage(RESPONSES) == BOTH


@pytest.mark.parametrize("details", [None, {}, {"cached_tokens": None}])
def test_details_may_be_left_out(details: object) -> None:
    plain = Usage(input_tokens=Tokens(7), output_tokens=Tokens(3))
    told = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": details}
    assert read_chat_usage(told) == plain


@pytest.mark.parametrize("key", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("lie", ["100", None, 1.5, 100.0, True, [], float("nan")])
def test_what_is_no_integer_is_no_count(key: str, lie: object) -> None:
    assert read_chat_usage({**CHAT, key: lie}) is None


@pytest.mark.parametrize("details", ["none", 7, {"cached_tokens": "30"}, {"cached_tokens": False}])
def test_a_detail_that_is_no_count_makes_the_whole_missing(details: object) -> None:
    assert read_chat_usage({**CHAT, "prompt_tokens_details": details}) is None
    assert read_responses_usage({**RESPONSES, "input_tokens_details": details}) is None


@pytest.mark.parametrize("usage", [None, "many", 7, [], [CHAT]])
def test_usage_that_is_no_object_is_missing(usage: object) -> None:
    assert read_chat_usage(usage) is None
    assert read_responses_usage(usage) is None


@pytest.mark.parametrize("lie", [-7, 10**15])
def test_an_impossible_count_is_kept_for_the_core_to_judge(lie: int) -> None:
    found = read_chat_usage({**CHAT, "completion_tokens": lie})
    assert found is not None
    assert found.output_tokens == lie
    assert found.flaw() is not None


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("0.00014", 140_000),
        ("1.4e-4", 140_000),
        ("1E+2", 100_000_000_000),
        ("1e-30", 0),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.00000000050000001", 1),
        ("0.1", 100_000_000),
        ("12", 12_000_000_000),
    ],
)
def test_a_cost_is_exact_to_nine_digits_and_rounds_half_to_even(text: str, nanos: int) -> None:
    assert read_cost({"cost": orjson.loads(text)}) == NanoUsd(nanos)


@pytest.mark.parametrize(
    "cost",
    [None, "0.1", True, -0.1, -1, float("nan"), float("inf"), 1e300, 10**400, [], {}],
    ids=lambda cost: repr(cost)[:12],
)
def test_a_cost_that_cannot_be_believed_is_none(cost: object) -> None:
    assert read_cost({"cost": cost}) is None


@given(st.decimals(0, 1_000_000, places=12))
def test_a_cost_is_the_written_decimal_and_no_other(cost: Decimal) -> None:
    written = orjson.loads(format(cost, "f"))
    shortest = Decimal(repr(written)) if isinstance(written, float) else Decimal(written)
    expected = shortest.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN) * 10**9
    assert read_cost({"cost": written}) == int(expected)


def test_the_last_usage_wins_and_what_says_nothing_changes_nothing() -> None:
    first = merge_receipt(NO_RECEIPT, {"id": "gen-1"}, read_chat_usage(CHAT), {**CHAT, "cost": 1})
    assert first == Receipt(usage=BOTH, cost=NanoUsd(10**9), generation="gen-1")
    assert merge_receipt(first, {"provider": "Azure"}, None, None).usage == BOTH
    last = {"prompt_tokens": 1, "completion_tokens": 2}
    found = merge_receipt(first, {}, read_chat_usage(last), last)
    assert found.usage == Usage(input_tokens=Tokens(1), output_tokens=Tokens(2))
    assert found.cost is None
    assert found.generation == "gen-1"


RECORD: dict[str, Any] = {
    "id": "gen-1",
    "provider_name": "OpenAI",
    "total_cost": 0.000007,
    "tokens_prompt": 1,
    "tokens_completion": 2,
    "native_tokens_prompt": 10,
    "native_tokens_completion": 4,
    "native_tokens_cached": 3,
    "native_tokens_reasoning": 2,
}


def test_a_record_is_read_by_its_native_tokens() -> None:
    assert read_record({"data": RECORD}, "gen-1") == Receipt(
        usage=Usage(
            input_tokens=Tokens(10),
            output_tokens=Tokens(4),
            cached_input_tokens=Tokens(3),
            reasoning_tokens=Tokens(2),
        ),
        cost=NanoUsd(7_000),
        generation="gen-1",
        host="OpenAI",
    )


@pytest.mark.parametrize(
    "payload",
    [None, [], "x", {}, {"data": None}, {"data": {}}, {"data": {**RECORD, "id": "gen-2"}}],
)
def test_what_is_no_record_of_this_call_is_none(payload: object) -> None:
    assert read_record(payload, "gen-1") is None


@pytest.mark.parametrize("key", [key for key in RECORD if key.startswith("native")])
@pytest.mark.parametrize("lie", ["10", 1.5, True, [], {}])
def test_a_record_with_a_count_that_is_none_has_no_usage(key: str, lie: object) -> None:
    found = read_record({"data": {**RECORD, key: lie}}, "gen-1")
    assert found is not None
    assert found.usage is None
    assert found.host == "OpenAI"


def test_a_record_that_is_not_counted_yet_has_no_usage() -> None:
    """Prompt and completion are null in OpenRouter's record until they are counted."""
    uncounted = {**RECORD, "native_tokens_prompt": None, "native_tokens_completion": None}
    found = read_record({"data": uncounted}, "gen-1")
    assert found is not None
    assert found.usage is None


@pytest.mark.parametrize("cost", [None, "0.1", -1, 1e300, float("nan"), True])
def test_a_record_without_a_credible_cost_has_none(cost: object) -> None:
    found = read_record({"data": {**RECORD, "total_cost": cost}}, "gen-1")
    assert found is not None
    assert found.cost is None
    assert found.usage is not None
