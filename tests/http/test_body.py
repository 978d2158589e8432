"""What is read of a body, for whom, how long and how much."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from astrolabe_core.access import UNKNOWN_KEY
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import Millis
from astrolabe_http.body import GONE, SMALL_BYTES, Body, Room, read_body

JSON = [(b"content-type", b"application/json")]


class Incoming:
    """The messages of one request; says how many were taken, and who was vouched for when."""

    def __init__(self, *parts: bytes, leaves: bool = False, known: bool = True) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": leaves or place < len(parts) - 1}
            for place, part in enumerate(parts)
        ]
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        self.known = known
        self.taken = 0
        self.asked_after: list[int] = []

    async def receive(self) -> dict[str, Any]:
        if self.taken == len(self.messages):
            await anyio.sleep_forever()
        self.taken += 1
        return self.messages[self.taken - 1]

    async def vouch(self) -> bool:
        self.asked_after.append(self.taken)
        return self.known


def read(
    incoming: Incoming,
    headers: list[tuple[bytes, bytes]] = JSON,
    bytes_max: int = 100,
    time_ms: int = 60_000,
    room: Room | None = None,
) -> Body:
    async def run() -> Body:
        with (room or Room(0)).lease() as lease:
            return await read_body(
                incoming.receive,
                headers,
                bytes_max=bytes_max,
                time_ms=Millis(time_ms),
                vouch=incoming.vouch,
                lease=lease,
            )

    return anyio.run(run)


def code_of(body: Body) -> Code:
    assert isinstance(body, Refusal)
    return body.code


def test_a_body_is_read_from_any_number_of_parts() -> None:
    assert read(Incoming(b'{"a": 1}')) == b'{"a": 1}'
    assert read(Incoming(b'{"a"', b": ", b"", b"1}")) == b'{"a": 1}'


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert read(Incoming(b"x" * 100)) == b"x" * 100
    assert code_of(read(Incoming(b"x" * 101))) is Code.PAYLOAD_TOO_LARGE


def test_an_announced_size_is_refused_unread() -> None:
    incoming = Incoming(b"{}")
    assert code_of(read(incoming, [*JSON, (b"content-length", b"101")])) is Code.PAYLOAD_TOO_LARGE
    assert incoming.taken == 0


def test_reading_stops_at_the_limit() -> None:
    incoming = Incoming(*[b"x" * 60] * 10)
    assert code_of(read(incoming)) is Code.PAYLOAD_TOO_LARGE
    assert incoming.taken == 2


def test_a_caller_who_leaves_early_is_gone() -> None:
    assert read(Incoming(b"{", leaves=True)) == GONE


@pytest.mark.parametrize("parts", [(), (b"{",), (b"{", b'"a"')])
def test_a_body_that_does_not_arrive_in_time_is_408(parts: tuple[bytes, ...]) -> None:
    incoming = Incoming(*parts, b"never")
    del incoming.messages[-1]
    found = read(incoming, time_ms=20)
    assert code_of(found) is Code.REQUEST_TIMEOUT
    assert incoming.taken == len(parts)


def test_the_time_is_for_the_whole_body_and_not_for_each_part() -> None:
    async def drip() -> dict[str, Any]:
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def vouch() -> bool:
        return True

    async def run() -> Body:
        with anyio.fail_after(5), Room(0).lease() as lease:
            return await read_body(
                drip, JSON, bytes_max=1_000, time_ms=Millis(60), vouch=vouch, lease=lease
            )

    assert code_of(anyio.run(run)) is Code.REQUEST_TIMEOUT


LARGE = 4 * SMALL_BYTES


def test_large_bodies_have_a_bound_together_and_small_ones_have_none() -> None:
    room = Room(LARGE + SMALL_BYTES)
    with room.lease() as held:
        assert held.grow(LARGE)
        full = read(Incoming(b"x" * LARGE), bytes_max=LARGE, room=room)
        assert isinstance(full, Refusal)
        assert (full.code, full.retry_after_s) == (Code.OVERLOADED, 1)
        small = b"x" * SMALL_BYTES
        assert read(Incoming(small), bytes_max=LARGE, room=room) == small
        assert room.held == LARGE
    assert room.held == 0
    assert read(Incoming(b"x" * LARGE), bytes_max=LARGE, room=room) == b"x" * LARGE
    assert room.held == 0


def test_no_more_is_taken_of_a_body_than_there_is_room_for() -> None:
    incoming = Incoming(*[b"x" * SMALL_BYTES] * 9)
    full = read(incoming, bytes_max=100 * SMALL_BYTES, room=Room(3 * SMALL_BYTES))
    assert code_of(full) is Code.OVERLOADED
    assert incoming.taken == 4


def test_nobody_is_asked_where_the_body_came_with_its_head() -> None:
    incoming = Incoming(b"{}")
    read(incoming)
    assert incoming.asked_after == []


def test_the_store_is_asked_once_where_a_body_must_be_waited_for() -> None:
    incoming = Incoming(b"{", b" ", b"}")
    assert read(incoming) == b"{ }"
    assert incoming.asked_after == [1]


def test_nobody_unknown_is_waited_for() -> None:
    incoming = Incoming(b"{", b" ", b"}", known=False)
    assert read(incoming) is UNKNOWN_KEY
    assert incoming.taken == 1


def test_who_awaits_our_word_for_sending_is_asked_about_first() -> None:
    expecting = [*JSON, (b"expect", b"100-Continue")]
    unknown = Incoming(b"{}", known=False)
    assert read(unknown, expecting) is UNKNOWN_KEY
    assert unknown.taken == 0
    known = Incoming(b"{", b"}")
    assert read(known, expecting) == b"{}"
    assert known.asked_after == [0]


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
    assert read(Incoming(b"{}"), [(b"content-type", media)]) == b"{}"


def test_no_type_at_all_is_taken_for_json() -> None:
    assert read(Incoming(b"{}"), []) == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"multipart/form-data; boundary=application/json")],
        [(b"content-type", b"")],
        [*JSON, (b"content-encoding", b"gzip")],
        [*JSON, (b"content-encoding", b"identity, br")],
    ],
)
def test_other_types_and_codings_are_415_unread(headers: list[tuple[bytes, bytes]]) -> None:
    incoming = Incoming(b"{}")
    assert code_of(read(incoming, headers)) is Code.UNSUPPORTED_MEDIA_TYPE
    assert incoming.taken == 0
