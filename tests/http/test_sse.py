"""Server-sent events: read alike however the bytes are cut, and written so that all can read."""

from __future__ import annotations

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_http.sse import (
    DONE_FRAME,
    Decoder,
    Event,
    Mark,
    Oversized,
    comment_frame,
    data_frame,
    event_frame,
    read_object,
)

# Bytes that make lines, fields, and characters of several bytes: most cuts hurt somewhere.
FIELDS = [b"data:", b"data: ", b"event: e", b": c", b"id: 1"]
ENDS = [b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n", b"\r\r"]
TEXTS = [b"x", "é".encode(), "🌊".encode(), "\u2028\u0085".encode(), b"\xff"]
PIECES = st.sampled_from([*FIELDS, *ENDS, *TEXTS])
STREAMS = st.lists(PIECES, max_size=40).map(b"".join)


def decode(raw: bytes, sizes: list[int], **bounds: int) -> list[Event | Oversized]:
    decoder = Decoder(**bounds)
    found: list[Event | Oversized] = []
    at = 0
    for size in sizes:
        found += decoder.feed(raw[at : at + size])
        at += size
    return found + decoder.feed(raw[at:])


@given(STREAMS, st.lists(st.integers(0, 7), max_size=60))
def test_events_are_the_same_however_the_bytes_are_cut(raw: bytes, sizes: list[int]) -> None:
    assert decode(raw, sizes) == decode(raw, [])


def naive(raw: bytes) -> list[Event]:
    """The standard, word for word: all lines at once, one field after the other."""
    lines = re.split(rb"\r\n|\n|\r", raw.removeprefix(b"\xef\xbb\xbf"))
    found: list[Event] = []
    name, data = "", list[str]()
    for line in lines[:-1]:
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if not line:
            found += [Event(name, "\n".join(data))] if data else []
            name, data = "", []
        elif field == b"data":
            data.append(text)
        elif field == b"event":
            name = text
    return found


@given(STREAMS | st.binary(max_size=60))
def test_events_are_those_of_the_standard(raw: bytes) -> None:
    assert decode(raw, []) == naive(raw)


@given(STREAMS, st.lists(st.integers(0, 7), max_size=60), st.integers(1, 12), st.integers(1, 12))
def test_bounds_hold_alike_however_the_bytes_are_cut(
    raw: bytes, sizes: list[int], line: int, event: int
) -> None:
    whole = decode(raw, [], line_bytes_max=line, event_bytes_max=event)
    assert decode(raw, sizes, line_bytes_max=line, event_bytes_max=event) == whole
    assert all(isinstance(found, Event) for found in whole[:-1])


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_written_is_read_back(payload: dict[str, str]) -> None:
    (event,) = Decoder().feed(comment_frame("PROCESSING") + data_frame(payload))
    assert isinstance(event, Event)
    assert event.name == ""
    assert read_object(event.data) == payload


@given(st.dictionaries(st.text().map("x".__add__), st.text(), min_size=1), st.integers(0, 9))
def test_an_event_of_responses_has_its_type_and_number(said: dict[str, str], number: int) -> None:
    (event,) = Decoder().feed(event_frame("response.created", number, said))
    assert isinstance(event, Event)
    assert event.name == "response.created"
    whole = {"type": "response.created", "sequence_number": number, **said}
    assert read_object(event.data) == whole


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_of_the_three_line_ends_ends_a_line(end: str) -> None:
    lines = ["event: a", "data: 1", "data:2", "", "data: 3", "", ""]
    assert decode(end.join(lines).encode(), []) == [Event("a", "1\n2"), Event("", "3")]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_no_other_separator_ends_a_line(separator: str) -> None:
    raw = f"data: a{separator}b\n\n".encode()
    assert decode(raw, []) == [Event("", f"a{separator}b")]


def test_comments_ids_retries_and_unknown_fields_are_ignored() -> None:
    raw = b": OPENROUTER PROCESSING\n\nid: 7\nretry: 10\nother\ndata: x\n\n"
    assert decode(raw, []) == [Event("", "x")]


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert decode(b"\xef\xbb\xbfdata: x\n\n", [1, 1]) == [Event("", "x")]


def test_an_event_without_data_is_none_and_names_no_other() -> None:
    assert decode(b"event: lost\n\ndata: x\n\n", []) == [Event("", "x")]


def test_an_event_that_the_end_cuts_off_is_dropped() -> None:
    assert decode(b"data: x\n", []) == []


def test_a_line_beyond_its_bound_ends_the_reading_before_it_ends() -> None:
    decoder = Decoder(line_bytes_max=8)
    assert decoder.feed(b"data: 12") == []
    assert decoder.feed(b"3") == [Oversized(8)]
    assert decoder.feed(b"\n\ndata: x\n\n") == []


def test_many_lines_make_an_event_that_is_too_large() -> None:
    found = decode(b"data: 123\n" * 4, [], event_bytes_max=10)
    assert found == [Oversized(10)]


@pytest.mark.parametrize(
    ("data", "read"),
    [
        ("[DONE]", Mark.DONE),
        (" [DONE] ", Mark.DONE),
        ('{"a": 1}', {"a": 1}),
        ('{"a": ', Mark.UNREADABLE),
        ("[1]", Mark.UNREADABLE),
        ("", Mark.UNREADABLE),
    ],
)
def test_data_is_an_object_the_end_or_rubbish(data: str, read: object) -> None:
    assert read_object(data) == read


def test_a_comment_stays_on_its_line() -> None:
    assert comment_frame("a\nb\u2028c") == b": abc\n\n"
    assert Decoder().feed(comment_frame()) == []


def test_done_is_what_chat_s_clients_look_for() -> None:
    (event,) = Decoder().feed(DONE_FRAME)
    assert event == Event("", "[DONE]")
    assert data_frame({"a": None}) == b"data: " + orjson.dumps({"a": None}) + b"\n\n"
