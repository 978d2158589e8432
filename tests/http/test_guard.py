from __future__ import annotations

from typing import Any

import anyio
import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_http.guard import GONE, Body, read_body, read_object

JSON = [(b"content-type", b"application/json")]


class Incoming:
    """The messages of one request; says how many were taken."""

    def __init__(self, *parts: bytes, leaves: bool = False) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": leaves or place < len(parts) - 1}
            for place, part in enumerate(parts)
        ]
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.taken += 1
        return self.messages[self.taken - 1]


def read(
    incoming: Incoming, headers: list[tuple[bytes, bytes]] = JSON, bytes_max: int = 100
) -> Body:
    async def run() -> Body:
        return await read_body(incoming.receive, headers, bytes_max)

    return anyio.run(run)


def code_of(body: Body) -> Code:
    assert isinstance(body, Refusal)
    return body.code


def test_an_object_is_read_from_any_number_of_parts() -> None:
    assert read(Incoming(b'{"a": 1}')) == {"a": 1}
    assert read(Incoming(b'{"a"', b": ", b'"\xc3', b'\xa9"}')) == {"a": "é"}


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    exact = b'{"a":"' + b"x" * 92 + b'"}'
    assert isinstance(read(Incoming(exact)), dict)
    assert code_of(read(Incoming(exact + b" "))) is Code.PAYLOAD_TOO_LARGE


def test_an_announced_size_is_refused_unread() -> None:
    incoming = Incoming(b"{}")
    headers = [*JSON, (b"content-length", b"101")]
    assert code_of(read(incoming, headers)) is Code.PAYLOAD_TOO_LARGE
    assert incoming.taken == 0


def test_reading_stops_at_the_limit() -> None:
    incoming = Incoming(*[b"x" * 60] * 10)
    assert code_of(read(incoming)) is Code.PAYLOAD_TOO_LARGE
    assert incoming.taken == 2


def test_a_caller_who_leaves_early_is_gone() -> None:
    assert read(Incoming(b"{", leaves=True)) == GONE


@pytest.mark.parametrize(
    "media",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"APPLICATION/JSON",
        b"application/x+json",
    ],
)
def test_json_types_are_taken(media: bytes) -> None:
    assert read(Incoming(b"{}"), [(b"content-type", media)]) == {}


def test_no_type_at_all_is_taken_for_json() -> None:
    assert read(Incoming(b"{}"), []) == {}


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"")],
        [*JSON, (b"content-encoding", b"gzip")],
    ],
)
def test_other_types_and_codings_are_415_unread(headers: list[tuple[bytes, bytes]]) -> None:
    incoming = Incoming(b"{}")
    assert code_of(read(incoming, headers)) is Code.UNSUPPORTED_MEDIA_TYPE
    assert incoming.taken == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\xff"}',
        b"{'a': 1}",
        b'{"a": 01}',
        b"[" * 100_000,
        b"[]",
        b'"text"',
        b"null",
        b"\xef\xbb\xbf{}",
    ],
)
def test_anything_but_one_strict_object_is_invalid(raw: bytes) -> None:
    found = read_object(raw)
    assert isinstance(found, Refusal)
    assert found.code is Code.INVALID_REQUEST


def test_a_refusal_never_quotes_the_body() -> None:
    found = read_object(b'{"a": "canary" canary}')
    assert isinstance(found, Refusal)
    assert "canary" not in found.message
