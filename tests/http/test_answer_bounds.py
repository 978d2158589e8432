from __future__ import annotations

from typing import Any

import orjson
import pytest

from astrolabe_http.answer_bounds import (
    INNER_MARKS_MAX,
    ITEMS_MAX,
    MARKS_MAX,
    NESTING_SPARE,
    is_bulky,
    read_json,
)

WRITABLE = 254


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def read(raw: bytes) -> Any:
    """Read as bytes and as text: both are told the same."""
    found = read_json(raw)
    assert read_json(raw.decode()) == found
    return found


@pytest.mark.parametrize("raw", [b"{}", b"[1]", b'{"a": "\\ud83d\\ude00"}', b"true", b"-5"])
def test_json_is_read(raw: bytes) -> None:
    assert read(raw) == orjson.loads(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"NaN", b"[1e999]", b'"\\ud800"', b"[] []", b"\xef\xbb\xbf{}"]
)
def test_what_is_none_is_nothing(raw: bytes) -> None:
    assert read(raw) is None


def test_broken_utf8_is_no_json() -> None:
    assert read_json(b'"\xff"') is None


def test_the_last_of_a_key_said_twice_holds() -> None:
    assert read(b'{"a": 1, "a": 2}') == {"a": 2}


def test_whatever_is_read_can_be_written_with_more_around_it() -> None:
    deepest = WRITABLE - NESTING_SPARE
    value = read(nested(deepest))
    for _ in range(NESTING_SPARE):
        value = [value]
    assert orjson.dumps(value) == nested(WRITABLE)
    assert read(nested(deepest + 1)) is None
    assert read(nested(1_000_000)) is None


@pytest.mark.parametrize("item", [b"[],", b"{},", b"0,"])
def test_values_are_counted_before_they_are_made(item: bytes) -> None:
    marks = 1 if item == b"0," else 2
    fitting = (MARKS_MAX - 1) // marks
    assert len(read(b"[" + item * fitting + b"0]")) == fitting + 1
    assert read(b"[" + item * (fitting + 1) + b"0]") is None


def test_those_within_words_count_too() -> None:
    """Arguments are JSON in a string, and read as such."""
    assert read(b'"' + b"[]," * MARKS_MAX + b'"') is None


@pytest.mark.parametrize(
    "form",
    [
        '{"choices": [%]}',
        '{"output": [%]}',
        '{"choices": [{"message": {"tool_calls": [%]}}]}',
        '{"choices": [{"delta": {"tool_calls": [%]}}]}',
        '{"response": {"output": [{"content": [%]}, {"summary": []}]}}',
        '{"item": {"content": [{"annotations": [%]}]}}',
        '{"part": {"annotations": [%]}}',
    ],
)
def test_what_is_gone_through_one_by_one_is_bounded(form: str) -> None:
    def filled(count: int) -> bytes:
        return form.replace("%", ",".join(['{"index": 0, "id": "call_1"}'] * count)).encode()

    assert read(filled(ITEMS_MAX - 3)) is not None
    assert read(filled(ITEMS_MAX + 1)) is None


def test_what_nobody_goes_through_is_not() -> None:
    tops = '{"token": "a", "logprob": -0.5, "bytes": [1, 2]},' * (ITEMS_MAX * 2)
    assert read(f'{{"choices": [{{"logprobs": [{tops}0]}}]}}'.encode()) is not None


def test_words_that_are_read_once_more_hold_fewer() -> None:
    assert not is_bulky("[" + "0," * (INNER_MARKS_MAX - 1) + "0]")
    assert is_bulky("[" + "0," * INNER_MARKS_MAX + "0]")
    assert not is_bulky("words " * INNER_MARKS_MAX)
