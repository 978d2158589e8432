"""What is let in means one thing and can be written again; all else is refused where it stands."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Refusal
from astrolabe_http.strict_json import (
    DEPTH_MAX,
    OUTSIDE_BYTES_MAX,
    PLACE_CHARS_MAX,
    VALUES_MAX,
    StrictObject,
    read_object,
)

NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False)
# Surrogates have no meaning of their own: json.dumps writes them, and nobody may send them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def refused(raw: bytes) -> Refusal:
    found = read_object(raw)
    assert isinstance(found, Refusal)
    assert found.code is Code.INVALID_REQUEST
    return found


def wrapped(value: str, levels: int) -> bytes:
    """Nest a value, so that it stands at this level; the body itself is the first."""
    arrays = levels - 2
    return f'{{"a":{"[" * arrays}{value}{"]" * arrays}}}'.encode()


@given(OBJECTS, st.booleans(), st.sampled_from([None, 2]))
def test_whatever_json_writes_is_let_in_and_written_again_with_the_same_meaning(
    value: dict[str, Any], plain: bool, indent: int | None
) -> None:
    read = read_object(json.dumps(value, ensure_ascii=plain, indent=indent).encode())
    assert read == value
    assert isinstance(read, StrictObject)
    assert orjson.loads(orjson.dumps(read)) == value


@st.composite
def with_a_key_twice(draw: st.DrawFn) -> bytes:
    """Write an object somewhere in which one key stands twice, maybe spelled in two ways."""
    members = draw(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
    again = draw(st.sampled_from(sorted(members)))
    spelled = json.dumps(again, ensure_ascii=draw(st.booleans()))
    if again and again[0] < "\uffff" and draw(st.booleans()):
        spelled = f'"\\u{ord(again[0]):04x}{json.dumps(again[1:])[1:]}'
    pairs = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in members.items()]
    pairs.insert(draw(st.integers(0, len(pairs))), f"{spelled}:{json.dumps(draw(VALUES))}")
    written = f"{{{','.join(pairs)}}}"
    for _ in range(draw(st.integers(0, 3))):
        written = draw(st.sampled_from(['{{"k":{}}}', '{{"a":1,"b":[0,{}]}}'])).format(written)
    return written.encode()


@given(with_a_key_twice())
def test_a_key_that_stands_twice_is_refused_wherever_it_is(raw: bytes) -> None:
    assert "a key stands twice" in refused(raw).message


@given(st.binary(max_size=40) | TEXTS.map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    found = read_object(raw)
    assert isinstance(found, dict | Refusal)
    if isinstance(found, dict):
        assert json.loads(raw) == found


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "ends too early"),
        (b"  ", "ends too early"),
        (b"{", "ends too early"),
        (b'{"a": "b', "ends too early"),
        (b"{}{}", "something follows"),
        (b"{} x", "something follows"),
        (b"{}\0", "something follows"),
        (b'{"a": NaN}', "no NaN"),
        (b'{"a": -NaN}', "no NaN"),
        (b'{"a": Infinity}', "no NaN"),
        (b'{"a": -Infinity}', "no NaN"),
        (b'{"a": 01}', "RFC 8259"),
        (b'{"a": .5}', "RFC 8259"),
        (b'{"a": 5.}', "RFC 8259"),
        (b'{"a": +5}', "RFC 8259"),
        (b'{"a": 0x10}', "RFC 8259"),
        (b'{"a": tru}', "RFC 8259"),
        (b'{"a": 1,}', "no trailing commas"),
        (b'{"a": [1,]}', "no trailing commas"),
        (b"{'a': 1}", "RFC 8259"),
        (b"{a: 1}", "RFC 8259"),
        (b"// x\n{}", "no comments"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"\xc0\x80": 1}', "not UTF-8"),
        (b'{"a": "\n"}', "raw control character"),
        (b'{"a": "\0"}', "raw control character"),
        (b'{"a": "\\x41"}', "RFC 8259"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "\\udc00 "}', "half of a surrogate pair"),
        (b'{"a": "\\ud800\\u0041"}', "half of a surrogate pair"),
        (b'{"\\udfff ": 1}', "half of a surrogate pair"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b"1", "not an object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "UTF-16"),
        ("{}".encode("utf-16-le"), "UTF-16"),
        ("{}".encode("utf-16-be"), "UTF-16"),
        ("{}".encode("utf-32"), "UTF-32"),
        ("{}".encode("utf-32-be"), "UTF-32"),
    ],
)
def test_what_is_no_strict_object_is_refused_in_words_that_help(raw: bytes, words: str) -> None:
    assert words in refused(raw).message


def test_a_refusal_says_where() -> None:
    assert "at line 2, column 7:" in refused(b'{\n "a": x}').message


@pytest.mark.parametrize("number", ["18446744073709551615", "-9223372036854775808", "1e308", "-0"])
def test_numbers_in_range_are_let_in(number: str) -> None:
    assert read_object(wrapped(number, 3)) == {"a": [json.loads(number)]}


@pytest.mark.parametrize(
    "number",
    [
        *["18446744073709551616", "-9223372036854775809", "9" * 4_000],
        *["1e309", "-1e309", "1" + "0" * 400 + ".5", "1e99999999999999999999"],
    ],
    ids=["2^64", "-2^63-1", "long", "1e309", "-1e309", "written-out", "absurd"],
)
def test_a_number_out_of_range_is_refused_by_its_place(number: str) -> None:
    found = refused(f'{{"x": {{"b": 1}}, "a": [0, {{"b": {number}}}]}}'.encode())
    assert found.param == "a[1].b"
    assert "a[1].b is a number out of range" in found.message


def test_a_number_with_too_many_digits_is_refused_unread() -> None:
    assert "too many digits" in refused(wrapped("1" * 1_000_000, 2)).message


def test_a_place_is_told_within_bounds() -> None:
    long, deep = "k" * 5_000, '{"abcdef":' * 80
    for raw in (f'{{"{long}": [1e999]}}', f'{{"a": {deep}1e999{"}" * 80}}}'):
        param = refused(raw.encode()).param
        assert param is not None
        assert len(param) == PLACE_CHARS_MAX + 1
        assert param.endswith("…")


def test_as_many_levels_are_let_in_as_can_be_written_within_others() -> None:
    read = read_object(wrapped("[]", DEPTH_MAX))
    assert isinstance(read, dict)
    envelope: object = read
    for _ in range(50):
        envelope = [envelope]
    assert orjson.dumps(envelope)


@pytest.mark.parametrize("levels", [DEPTH_MAX + 1, 150, 199, 250, 10_000])
@pytest.mark.parametrize("value", ["[]", "{}", "[1]"])
def test_one_level_more_is_refused(levels: int, value: str) -> None:
    assert f"at most {DEPTH_MAX} levels" in refused(wrapped(value, levels)).message


def test_brackets_without_end_are_refused_unread() -> None:
    assert f"about {VALUES_MAX}" in refused(b"[" * 10_000_000).message


@pytest.mark.parametrize("unit", ["{}", "[]", '{"":0}', "1", '""', '"a"', "null"])
def test_more_values_than_a_request_can_need_are_refused_before_they_are_read(unit: str) -> None:
    raw = f'{{"a":[{",".join([unit] * 10 * VALUES_MAX)}]}}'.encode()
    assert f"about {VALUES_MAX}" in refused(raw).message


@pytest.mark.parametrize("digits", [100, 1_000, 4_300])
def test_numbers_that_are_long_to_read_are_refused_before_they_are_read(digits: int) -> None:
    numbers = ["1" * digits] * (OUTSIDE_BYTES_MAX // digits + 1)
    found = refused(f'{{"a":[{",".join(numbers)}]}}'.encode())
    assert f"{OUTSIDE_BYTES_MAX} bytes" in found.message


def test_a_body_may_be_spread_out_as_far_as_it_likes() -> None:
    read = read_object(b'{"a":' + b" \t\r\n" * OUTSIDE_BYTES_MAX + b"1}")
    assert read == {"a": 1}


def test_as_many_values_as_a_request_can_need_are_let_in() -> None:
    read = read_object(f'{{"a":[{",".join(["1"] * (VALUES_MAX - 2))}]}}'.encode())
    assert isinstance(read, dict)


@pytest.mark.parametrize("text", [",", "[{,", '{\\"a\\":[1,2]}', "\\\\", '\\\\\\"', "\\n,"])
def test_what_stands_within_strings_is_not_counted(text: str) -> None:
    """A prompt of one megabyte has more commas than a body may have values."""
    raw = f'{{"a":["{text * VALUES_MAX}",",",""]}}'.encode()
    assert read_object(raw) == json.loads(raw)


def test_a_refusal_never_quotes_the_body() -> None:
    for raw in (b'{"a": "canary" canary}', b'{"canary": 1, "canary": 2}', b"canary"):
        assert "canary" not in refused(raw).message


def test_what_was_read_before_leaves_nothing_behind() -> None:
    """One body's keys are cached for the next: the cache must not mix them up."""
    for place in range(50_000):
        assert read_object(b'{"k%d":0}' % place) == {f"k{place}": 0}
