"""In debug mode a stream that breaks its grammar is told, and left broken before the break."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.codes import Unbillable
from astrolabe_core.messages import Served
from astrolabe_core.requests import Surface
from astrolabe_http import host, surface
from astrolabe_http.app import create_app
from astrolabe_http.sse import data_frame
from astrolabe_http.wire import WIRES, chat
from astrolabe_http.wire.fields import Object
from tests.http.callers import HEAD, PATHS, assert_settled, last_row
from tests.http.gateways import CHAT, Bench, make_bench, whole_stream

pytestmark = pytest.mark.anyio

CANARY = "canary"
STREAM = {**CHAT, "stream": True}
HELD_BACK = {**STREAM, "metadata": {"astrolabe": {"verification": "strict"}}}


class ForgetsRoles(chat.StreamWriter):
    """A writer with a bug: it opens no choice."""

    def feed(self, event: Object) -> bytes:
        sent = super().feed(event)
        return sent.replace(b'"role":"assistant",', b"")


class TellsTwice(chat.StreamWriter):
    """A writer with a bug: it ends every choice twice."""

    def finish(self, served: Served) -> bytes:
        endings = b"".join(map(data_frame, self._ending(self._told[0])))
        return endings + super().finish(served)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Have another writer write what callers of Chat are streamed."""

    def use(made: Any) -> None:
        wires = {**WIRES, Surface.CHAT: evolve(WIRES[Surface.CHAT], StreamWriter=made)}
        for module in (host, surface):
            monkeypatch.setattr(module, "WIRES", MappingProxyType(wires))

    return use


async def streamed(bench: Bench, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a request; give what the server was told to send back."""
    bench.transport.script = [whole_stream()]
    sent: list[dict[str, Any]] = []
    asked = iter([{"type": "http.request", "body": json.dumps(body).encode()}])

    async def receive() -> dict[str, Any]:
        return next(asked, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    key = f"Bearer {bench.secret}".encode()
    headers = [(b"host", b"gateway"), (b"authorization", key)]
    await create_app(bench.gateway)(
        {**HEAD, "path": PATHS[Surface.CHAT], "headers": headers}, receive, send
    )
    return sent


def text(sent: list[dict[str, Any]]) -> str:
    return b"".join(message.get("body", b"") for message in sent).decode()


async def test_a_stream_is_left_broken_before_the_first_break(
    writer: Callable[[Any], None], violations: list[bytes]
) -> None:
    writer(ForgetsRoles)
    bench = await make_bench()
    sent = await streamed(bench, STREAM)
    assert [message["type"] for message in sent] == ["http.response.start"]
    told = [json.loads(line) for line in violations]
    violations.clear()
    request_id = dict(sent[0]["headers"])[b"x-request-id"].decode()
    assert told[0] == {
        "request_id": request_id,
        "violation": "opened_first",
        "where": "event 0",
        "message": "choice 0 is new",
    }
    # Nobody pays for a stream that the gateway broke, and the log says that it did.
    await assert_settled(bench)
    assert (await last_row(bench)).unbillable is Unbillable.STREAMING_PROVIDER_ERROR
    line = json.loads(bench.lines[-1])
    assert (line["request_id"], line["error"]) == (request_id, "Ungrammatical")


@pytest.mark.parametrize("body", [STREAM, HELD_BACK], ids=["relayed", "held back"])
async def test_a_break_at_the_end_is_noticed_too(
    body: dict[str, Any], writer: Callable[[Any], None], violations: list[bytes]
) -> None:
    writer(TellsTwice)
    bench = await make_bench()
    sent = await streamed(bench, body)
    rules = {json.loads(line)["violation"] for line in violations}
    violations.clear()
    assert rules == {"closed_last"}
    assert all(message.get("more_body", True) for message in sent)
    assert "[DONE]" not in text(sent)
    assert json.loads(bench.lines[-1])["error"] == "Ungrammatical"


async def test_what_is_logged_holds_no_word_of_the_stream(
    writer: Callable[[Any], None], violations: list[bytes]
) -> None:
    class Talks(chat.StreamWriter):
        def feed(self, event: Object) -> bytes:
            return f"event: {CANARY}\ndata: {CANARY}\n\n".encode() + super().feed(event)

    writer(Talks)
    bench = await make_bench()
    await streamed(bench, STREAM)
    assert violations
    assert CANARY.encode() not in b"".join(bench.lines)
    violations.clear()


async def test_without_debug_nobody_looks(writer: Callable[[Any], None]) -> None:
    writer(TellsTwice)
    bench = await make_bench(debug=False)
    sent = await streamed(bench, STREAM)
    assert not sent[-1]["more_body"]
    assert text(sent).endswith("[DONE]\n\n")
    assert "error" not in json.loads(bench.lines[-1])
