"""Callers who leave: one exchange over bare ASGI, and what became of its money."""

from __future__ import annotations

import json
from typing import Any

import anyio
from attrs import define, field

from astrolabe_core.ledger import HoldState
from astrolabe_core.requests import Surface
from astrolabe_core.usage import UsageQuery, UsageRecord
from astrolabe_http.app import create_app
from astrolabe_http.connection import COMMENT
from tests.http.gateways import Bench

PATHS = {Surface.CHAT: "/v1/chat/completions", Surface.RESPONSES: "/v1/responses"}
HEAD = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "query_string": b"",
    "root_path": "",
}


@define
class Caller:
    """One exchange with a caller who leaves when told to.

    `sent` is what it was sent: one head, and after the end of its body nothing. A comment of a
    stream is taken by a caller who is `slow` only when it is told to go on.
    """

    bench: Bench
    body: dict[str, Any]
    surface: Surface = Surface.CHAT
    slow: bool = False
    go_on: anyio.Event = field(factory=anyio.Event)
    leave: anyio.Event = field(factory=anyio.Event)
    met: anyio.Event = field(factory=anyio.Event)
    sent: list[dict[str, Any]] = field(factory=list)
    _asked: bool = False
    _news: anyio.Condition = field(factory=anyio.Condition)

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            body = json.dumps(self.body).encode()
            return {"type": "http.request", "body": body, "more_body": False}
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self.leave.is_set():
            # As a server does: what is said to nobody is let fall.
            return
        if self.slow and message.get("body") == COMMENT:
            self.met.set()
            await self.go_on.wait()
        self.sent.append(message)
        async with self._news:
            self._news.notify_all()

    async def run(self) -> None:
        key = f"Bearer {self.bench.secret}".encode()
        headers = [(b"host", b"gateway"), (b"authorization", key)]
        scope = {**HEAD, "path": PATHS[self.surface], "headers": headers}
        await create_app(self.bench.gateway)(scope, self.receive, self.send)
        starts = [message["type"] == "http.response.start" for message in self.sent]
        assert starts == [True, *[False] * (len(starts) - 1)] or not starts
        ends = [message.get("more_body") is False for message in self.sent]
        assert not any(ends[:-1])

    async def heard(self, text: str) -> None:
        """Wait until a text was sent."""
        async with self._news:
            while text not in self.text:
                await self._news.wait()

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[str, str]:
        found = self.sent[0]["headers"] if self.sent else []
        return {name.decode(): value.decode() for name, value in found}

    @property
    def whole(self) -> bool:
        """Whether the answer has its end."""
        return bool(self.sent) and self.sent[-1].get("more_body") is False


async def last_row(bench: Bench) -> UsageRecord:
    return (await bench.store.usage(UsageQuery(workspace=bench.workspace.id)))[0]


async def last_trace(bench: Bench) -> dict[str, Any]:
    row = await last_row(bench)
    found = await bench.store.trace(bench.workspace.id, row.request)
    assert found is not None
    made: dict[str, Any] = json.loads(found)
    return made


async def assert_settled(bench: Bench) -> None:
    """Fail unless every hold ended, and each exactly once."""
    holds = await bench.store.holds(bench.workspace.id)
    assert [hold.state for hold in holds if hold.state is HoldState.OPEN] == []
    wallet = await bench.store.wallet(bench.workspace.id)
    assert wallet is not None
    assert wallet.held == 0
    assert wallet.debt == 0
