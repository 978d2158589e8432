"""A gateway in this process: memory for a store, a script for a provider, a clock to be moved."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import anyio
import httpx
from attrs import define, evolve, field

from astrolabe_core import shipped
from astrolabe_core.accounts import Key, Workspace, WorkspaceStatus
from astrolabe_core.grading import SCHEMA_NAME
from astrolabe_core.money import NanoUsd, usd
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.snapshot import Caller
from astrolabe_core.units import Instant, NodeId, WorkspaceId
from astrolabe_core.usage import UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_http.app import create_app
from astrolabe_http.gateway import Gateway
from astrolabe_http.ids import Ids
from astrolabe_http.keys import KeyMode
from astrolabe_http.service import KeyTerms, NewKey, Service
from astrolabe_http.settings import Settings
from astrolabe_http.transport import Unanswered
from astrolabe_storage.memory import MemoryStore

NOON = Instant(1_795_262_400_000)
SECRET = "a server secret"
VIOLATIONS: list[bytes] = []
"""Where a stream of any gateway here broke its grammar; `conftest` wants it to be empty."""
CHAT: dict[str, Any] = {
    "model": "openai/gpt-5.4-nano",
    "messages": [{"role": "user", "content": "Say hello."}],
}
RESPONSES: dict[str, Any] = {"model": "openai/gpt-5.4-nano", "input": "Say hello."}
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "cost": 0.000007,
}


@define
class MovedClock:
    at: Instant = NOON

    def now(self) -> Instant:
        return self.at


@define
class ScriptedReply:
    """An answer of the script. A chunk may be bytes, something to await, or an exception."""

    chunks_: list[Any]
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    closed: anyio.Event = field(factory=anyio.Event)

    async def chunks(self) -> AsyncGenerator[bytes]:
        for chunk in self.chunks_:
            if isinstance(chunk, Exception):
                raise chunk
            if isinstance(chunk, bytes):
                yield chunk
            else:
                await chunk()

    async def close(self) -> None:
        self.closed.set()


Script = ScriptedReply | Unanswered | Callable[[], Awaitable[ScriptedReply]]


@define
class ScriptedTransport:
    """Answers by its script, and writes down what it was sent.

    Where the script is over, who is asked for a grade gives the best. `records` are the answers to
    look-ups, the last of them for ever; without any asking is no use.
    """

    script: list[Script] = field(factory=list)
    sent: list[tuple[str, dict[str, Any]]] = field(factory=list)
    records: list[Script] = field(factory=list)
    looked_up: list[tuple[str, dict[str, str]]] = field(factory=list)

    async def post(self, path: str, body: bytes) -> ScriptedReply:
        asked = json.loads(body)
        self.sent.append((path, asked))
        answer = self.script.pop(0) if self.script else chat_reply(reply_to(asked))
        if isinstance(answer, Unanswered):
            raise answer
        return answer if isinstance(answer, ScriptedReply) else await answer()

    async def get(self, path: str, query: Mapping[str, str]) -> ScriptedReply:
        self.looked_up.append((path, dict(query)))
        answer = self.records[0] if self.records else json_reply({}, 403)
        if len(self.records) > 1:
            self.records.pop(0)
        if isinstance(answer, Unanswered):
            raise answer
        return answer if isinstance(answer, ScriptedReply) else await answer()

    async def close(self) -> None:
        pass


class FragileStore(MemoryStore):
    """A memory store that can be told to be away, and counts how often it is asked for a caller."""

    away = False
    reads_away = False
    asked = 0

    async def caller(self, key_hash: str, at: Instant, stack: Any) -> Caller | None:
        self.asked += 1
        if self.away:
            raise StorageUnavailable("away")
        return await super().caller(key_hash, at, stack)

    async def usage(self, query: UsageQuery) -> tuple[UsageRecord, ...]:
        self._refuse_reading()
        return await super().usage(query)

    async def usage_totals(
        self, query: UsageQuery, grouping: UsageGrouping
    ) -> tuple[UsageTotals, ...]:
        self._refuse_reading()
        return await super().usage_totals(query, grouping)

    async def trace(self, workspace: Any, request: Any) -> str | None:
        self._refuse_reading()
        return await super().trace(workspace, request)

    def _refuse_reading(self) -> None:
        if self.reads_away:
            raise StorageUnavailable("away")

    async def ready(self) -> bool:
        return not self.away


@define
class Bench:
    """A gateway with one workspace and one key."""

    gateway: Gateway
    service: Service
    clock: MovedClock
    transport: ScriptedTransport
    store: FragileStore
    workspace: Workspace
    key: Key
    secret: str
    lines: list[bytes]

    def client(self, **headers: str) -> httpx.AsyncClient:
        given = headers or {"authorization": f"Bearer {self.secret}"}
        transport = httpx.ASGITransport(create_app(self.gateway))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=given)

    async def new_key(
        self, workspace: WorkspaceId | None = None, terms: KeyTerms | None = None
    ) -> NewKey:
        """Make another key, of this workspace or of another."""
        made = await self.service.create_key(workspace or self.workspace.id, terms)
        assert isinstance(made, NewKey)
        return made

    async def new_workspace(self, name: str = "other") -> WorkspaceId:
        made = await self.service.create_workspace(name)
        assert isinstance(made, Workspace)
        return made.id

    async def available(self) -> NanoUsd:
        wallet = await self.store.wallet(self.workspace.id)
        assert wallet is not None
        return wallet.available

    async def used(self) -> int:
        """How many requests this minute counts."""
        caller = await self.store.caller(self.key.hash, self.clock.at, None)
        assert caller is not None
        return caller.requests_used


async def make_bench(
    *,
    credit: str = "5",
    terms: KeyTerms | None = None,
    status: WorkspaceStatus = WorkspaceStatus.ACTIVE,
    **settings: Any,
) -> Bench:
    clock, transport, store = MovedClock(), ScriptedTransport(), FragileStore()
    ids, lines = Ids(clock), list[bytes]()
    # Most tests have one model fail again and again: `tests/http/test_vitals.py` is about what that
    # does to the next request.
    plain = Settings(secret_key=SECRET, upstream_key="provider-key", debug=True, circuits=False)
    given = evolve(plain, **settings)
    service = Service(store=store, clock=clock, ids=ids, secret_key=SECRET, key_mode=KeyMode.TEST)
    workspace = await service.create_workspace("bench")
    assert isinstance(workspace, Workspace)
    if usd(credit):
        await service.grant_credit(workspace.id, usd(credit))
    made = await service.create_key(workspace.id, terms)
    assert isinstance(made, NewKey)
    if status is not WorkspaceStatus.ACTIVE:
        await service.set_status(workspace.id, status)
    gateway = Gateway(
        store=store,
        transport=transport,
        catalog=shipped.catalog(),
        virtual_models=shipped.virtual_models(),
        settings=given,
        clock=clock,
        ids=ids,
        node=NodeId("bench"),
        log=lambda line: _note(lines, line),
    )
    return Bench(gateway, service, clock, transport, store, workspace, made.key, made.secret, lines)


def _note(lines: list[bytes], line: bytes) -> None:
    lines.append(line)
    if b'"violation":' in line:
        VIOLATIONS.append(line)


def chat_body(text: str = "Hello there.", **changes: Any) -> dict[str, Any]:
    return {
        "id": "gen-1",
        "object": "chat.completion",
        "created": 1,
        "model": "openai/gpt-5.4-nano",
        "provider": "OpenAI",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                "native_finish_reason": "stop",
            }
        ],
        "usage": USAGE,
        **changes,
    }


def json_reply(body: object, status: int = 200, **headers: str) -> ScriptedReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ScriptedReply([json.dumps(body).encode()], status, named)


def chat_reply(text: str = "Hello there.", **changes: Any) -> ScriptedReply:
    return json_reply(chat_body(text, **changes))


GOOD = '{"score": 5, "concerns": []}'


def reply_to(asked: Mapping[str, Any]) -> str:
    """Give what a model says: the best grade, where it is asked for one."""
    return GOOD if SCHEMA_NAME in json.dumps(asked.get("response_format")) else "Hello there."


def chat_chunk(text: str | None = None, **changes: Any) -> dict[str, Any]:
    delta = {"role": "assistant"} | ({} if text is None else {"content": text})
    choice = {"index": 0, "delta": delta, "finish_reason": changes.pop("finish", None)}
    return {
        "id": "gen-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "openai/gpt-5.4-nano",
        "choices": [choice],
        **changes,
    }


WHOLE_STREAM: tuple[dict[str, Any], ...] = (
    chat_chunk(""),
    chat_chunk("Hello"),
    chat_chunk(" there."),
    chat_chunk(finish="stop"),
    {**chat_chunk(), "choices": [], "usage": USAGE},
)


def sse(*events: object) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


DONE = b"data: [DONE]\n\n"


def stream_reply(*chunks: Any, **headers: str) -> ScriptedReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ScriptedReply(list(chunks), 200, named)


def whole_stream() -> ScriptedReply:
    return stream_reply(b": OPENROUTER PROCESSING\n\n", sse(*WHOLE_STREAM), DONE)
