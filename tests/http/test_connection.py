"""Comments and answers on one connection: each head once, and nothing in the middle of anything."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from attrs import define, field

from astrolabe_http.connection import COMMENT, Connection
from astrolabe_http.headers import Header

pytestmark = pytest.mark.anyio

HEADERS: list[Header] = [(b"x-request-id", b"req_1")]


@define
class Server:
    """Takes messages; one that is `slow` is taken only when it may be."""

    slow: str = ""
    taken: list[dict[str, Any]] = field(factory=list)
    met: anyio.Event = field(factory=anyio.Event)
    may_go_on: anyio.Event = field(factory=anyio.Event)

    async def send(self, message: Any) -> None:
        if message["type"] == f"http.response.{self.slow}":
            self.met.set()
            await self.may_go_on.wait()
        self.taken.append(message)

    async def receive(self) -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    @property
    def said(self) -> list[object]:
        return [message.get("status") or message["body"] for message in self.taken]


@pytest.mark.parametrize("slow", ["start", "body"])
async def test_a_frame_waits_for_the_comment_that_is_on_its_way(slow: str) -> None:
    server = Server(slow)
    connection = Connection(server.receive, server.send)
    connection.keep_alive(0.001, lambda: HEADERS)

    async def deliver() -> None:
        await connection.start_stream([])
        await connection.write(b"data: 1\n\n", more=False)

    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(5):
            await server.met.wait()
        tasks.start_soon(deliver)
        await anyio.sleep(0.005)
        assert b"data: 1\n\n" not in server.said
        server.may_go_on.set()
    assert server.said == [200, COMMENT, b"data: 1\n\n"]
    assert server.taken[0]["headers"][-1] == HEADERS[0]
    assert (connection.started, connection.status) == (True, 200)


async def test_an_answer_before_the_first_comment_is_the_only_one() -> None:
    server = Server()
    connection = Connection(server.receive, server.send)
    connection.keep_alive(0.002, lambda: HEADERS)
    await connection.answer(502, [], b"{}")
    await anyio.sleep(0.01)
    assert server.said == [502, b"{}"]


async def test_a_stream_that_had_no_comment_begins_with_its_own_head() -> None:
    server = Server()
    connection = Connection(server.receive, server.send)
    await connection.start_stream(HEADERS)
    await connection.start_stream(HEADERS)
    assert server.said == [200]


async def test_one_interval_is_kept_however_often_it_is_asked_for() -> None:
    server = Server()
    connection = Connection(server.receive, server.send)
    for _ in range(5):
        connection.keep_alive(0.005, lambda: HEADERS)
    await anyio.sleep(0.008)
    await connection.quiet()
    assert server.said.count(COMMENT) <= 1


async def test_nothing_is_said_on_a_connection_that_was_closed() -> None:
    server = Server()
    connection = Connection(server.receive, server.send)
    connection.keep_alive(0.001, lambda: HEADERS)
    connection.close()
    await anyio.sleep(0.005)
    assert server.said == []


async def test_nobody_is_kept_alive_who_is_gone() -> None:
    server = Server()

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    connection = Connection(receive, server.send)
    with connection.stay(anyio.current_time() + 5):
        await anyio.sleep_forever()
    assert connection.gone
    connection.keep_alive(0.001, lambda: HEADERS)
    await anyio.sleep(0.005)
    await connection.quiet()
    assert server.said == []


async def test_a_leave_that_ends_nothing_is_noted_all_the_same() -> None:
    server, gone = Server(), anyio.Event()

    async def receive() -> dict[str, Any]:
        gone.set()
        return {"type": "http.disconnect"}

    connection = Connection(receive, server.send)
    ended = True
    with connection.stay(anyio.current_time() + 5, leaving_ends=False):
        await gone.wait()
        await anyio.sleep(0.005)
        ended = False
    assert connection.gone
    assert not ended
    connection.close()
