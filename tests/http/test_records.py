"""The provider's record of a call: asked for until it is there, by few at a time, within bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from astrolabe_core.answers import Fault, FaultKind, Receipt
from astrolabe_core.units import Millis
from astrolabe_http import records
from astrolabe_http.records import ASKING_MAX, RECORD_BYTES_MAX, Records
from astrolabe_http.transport import Unanswered
from tests.http.gateways import Script, ScriptedReply, ScriptedTransport, json_reply

pytestmark = pytest.mark.anyio

BREAK = Unanswered(Fault(kind=FaultKind.PROVIDER_ERROR, message="broken off"))
RECORD: dict[str, Any] = {
    "id": "gen-1",
    "provider_name": "OpenAI",
    "total_cost": 0.000007,
    "native_tokens_prompt": 10,
    "native_tokens_completion": 4,
    "native_tokens_cached": None,
    "native_tokens_reasoning": None,
}
THERE = {"data": RECORD}
NOT_YET = json_reply({"error": {"code": 404, "message": "not found"}}, 404)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for milliseconds where seconds are meant."""
    monkeypatch.setattr(records, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(records, "WAIT_MAX_S", 0.002)
    monkeypatch.setattr(records, "ANSWER_S", 0.05)


async def find(
    *script: Script, patience_ms: int = 2_000, kept: bool = True
) -> tuple[Receipt | None, ScriptedTransport]:
    transport = ScriptedTransport(records=list(script))
    found = await Records(transport, kept=kept, connections_max=100).find(
        "gen-1", Millis(patience_ms)
    )
    return found, transport


async def test_a_record_that_is_there_tells_usage_cost_and_host() -> None:
    found, transport = await find(json_reply(THERE))
    assert found is not None
    assert found.usage is not None
    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 4)
    assert (found.cost, found.host) == (7_000, "OpenAI")
    assert transport.looked_up == [("/generation", {"id": "gen-1"})]


@pytest.mark.parametrize(
    "early",
    [
        NOT_YET,
        json_reply({}, 429),
        json_reply({}, 500),
        json_reply({}, 529),
        json_reply({"data": {**RECORD, "native_tokens_prompt": None}}),
        json_reply({"data": None}),
        json_reply({"data": {**RECORD, "id": "gen-other"}}),
        ScriptedReply([b"{"]),
        ScriptedReply([b"x" * (RECORD_BYTES_MAX + 1)]),
        ScriptedReply([b"{", BREAK]),
        ScriptedReply([anyio.sleep_forever]),
        BREAK,
    ],
    ids=[
        "404",
        "429",
        "500",
        "529",
        "not counted",
        "no data",
        "of another call",
        "broken JSON",
        "too long",
        "cut",
        "never",
        "broken off",
    ],
)
async def test_what_is_no_record_yet_is_asked_for_again(early: Script) -> None:
    found, transport = await find(early, early, json_reply(THERE))
    assert found is not None
    assert found.usage is not None
    assert len(transport.looked_up) == 3
    assert not isinstance(early, ScriptedReply) or early.closed.is_set()


@pytest.mark.parametrize("status", [400, 401, 402, 403])
async def test_where_asking_is_no_use_it_is_not_asked_again(status: int) -> None:
    found, transport = await find(json_reply({}, status), json_reply(THERE))
    assert found is None
    assert len(transport.looked_up) == 1


async def test_patience_has_an_end() -> None:
    with anyio.fail_after(2):
        found, transport = await find(NOT_YET, patience_ms=30)
    assert found is None
    assert len(transport.looked_up) > 2
    with anyio.fail_after(2):
        found, _ = await find(ScriptedReply([anyio.sleep_forever]), patience_ms=30)
    assert found is None


async def test_a_server_that_keeps_no_records_is_not_asked() -> None:
    found, transport = await find(json_reply(THERE), kept=False)
    assert found is None
    assert transport.looked_up == []


@pytest.mark.parametrize(("cost", "charged"), [(0, False), (0.000002, True), (None, True)])
async def test_a_call_that_generated_nothing_and_cost_nothing_is_as_good_as_none(
    cost: float | None, charged: bool
) -> None:
    """OpenRouter charges nothing for an answer without a token, not even for the prompt."""
    empty = {**RECORD, "native_tokens_completion": 0, "total_cost": cost}
    found, transport = await find(json_reply({"data": empty}))
    assert (found is not None) is charged
    assert len(transport.looked_up) == 1


async def test_a_cost_of_zero_for_tokens_is_no_reason_to_believe_it() -> None:
    """litellm #35525: the provider said 0, released at $0. The flow flags it."""
    found, _ = await find(json_reply({"data": {**RECORD, "total_cost": 0}}))
    assert found is not None
    assert found.cost == 0
    assert found.usage is not None


@pytest.mark.parametrize(("connections", "at_once"), [(1_000, ASKING_MAX), (24, 3), (1, 1)])
async def test_only_a_few_ask_at_once(connections: int, at_once: int) -> None:
    """Many callers leave together, and those who stayed need connections."""
    asking = most = 0

    async def answer() -> ScriptedReply:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await anyio.sleep(0.001)
        asking -= 1
        return json_reply(THERE)

    slow: Callable[[], Awaitable[ScriptedReply]] = answer
    made = Records(ScriptedTransport(records=[slow]), kept=True, connections_max=connections)
    found: list[Receipt | None] = []

    async def ask() -> None:
        found.append(await made.find("gen-1", Millis(5_000)))

    async with anyio.create_task_group() as tasks:
        for _ in range(60):
            tasks.start_soon(ask)
    assert most == at_once
    assert len(found) == 60
    assert None not in found


async def test_who_waits_for_the_next_look_keeps_nobody_from_asking() -> None:
    transport = ScriptedTransport(records=[NOT_YET])
    made = Records(transport, kept=True, connections_max=1)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(made.find, "gen-1", Millis(50))
    assert len(transport.looked_up) >= 20
