"""What is asked during a soak, and what is held against each answer?

Callers of several workspaces ask one request after the other, drawn from a seed: both formats,
whole and streamed, text, tools and schemas, every mode of verification. Some leave, at any point.
Whatever a caller is told must be an answer or an error of the vocabulary, whole in either case.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import httpx
import orjson
from attrs import define, field

from astrolabe_core.codes import Code
from astrolabe_http.simulator.faults import FAULTS
from tests.scenarios.playing import PATHS, asked_for, ending

FAULTY: Final = 0.05
LEAVING: Final = 0.08
MODELS: Final = ("astrolabe/auto", "astrolabe/coding", "astrolabe/cheap", "openai/gpt-5.4-nano")
MODES: Final = ("off", "light", "light", "auto", "auto", "strict", "strong")
ASKS: Final = ("text", "text", "text", "schema", "tool")
TOPICS: Final = ("tides", "ledgers", "cranes", "salt", "maps", "yeast", "comets", "locks")
_NUMBERS: Final = {"processing": 200, "429": 1, "503": 1}
"""`processing` without a number never ends, and nobody waits for a minute here."""
_NOT_OURS: Final = frozenset({Code.INVALID_ROUTING_OVERRIDE, Code.UNKNOWN_MODEL, Code.UNAUTHORIZED})
_KNOWN: Final = frozenset(code.value for code in Code if code not in _NOT_OURS)


def orders(seed: int) -> list[dict[str, Any]]:
    """Order every fault of the simulator, all of them together for a share of the calls."""
    names = [
        f"{kind.name}-{_NUMBERS[kind.name]}" if kind.name in _NUMBERS else kind.name
        for kind in FAULTS
    ]
    names += [f"{kind.name}-{word}" for kind in FAULTS for word in kind.words]
    share = FAULTY / len(names)
    return [
        {"fault": name, "of": "any", "probability": share, "seed": seed * 1_000 + place}
        for place, name in enumerate(names)
    ]


@define
class Tally:
    """What was seen so far. `answered` are the requests whose callers stayed to the end."""

    sent: int = 0
    left: int = 0
    outcomes: Counter[str] = field(factory=Counter)
    violations: list[str] = field(factory=list)
    answered: set[str] = field(factory=set)
    latencies_ms: list[float] = field(factory=list)


class Caller:
    """One caller after the other, on one connection pool."""

    def __init__(self, client: httpx.AsyncClient, keys: Sequence[str], seed: int) -> None:
        self._client = client
        self._keys = keys
        self._chance = random.Random(seed)

    async def ask_until(self, end: float, tally: Tally) -> None:
        """Ask until the time has come."""
        while time.monotonic() < end:
            chance = self._chance
            spoken = chance.choice(("chat", "responses"))
            body = self._body(spoken)
            tally.sent += 1
            begun = time.monotonic()
            leaves = chance.random() < LEAVING
            try:
                if leaves:
                    await self._leave(spoken, body)
                    tally.left += 1
                    continue
                outcome = await self._ask(spoken, body, tally)
            except (AssertionError, KeyError, ValueError, httpx.HTTPError) as error:
                tally.violations.append(f"{spoken} {body['model']}: {type(error).__name__} {error}")
                continue
            tally.outcomes[outcome] += 1
            tally.latencies_ms.append((time.monotonic() - begun) * 1_000)

    def _body(self, spoken: str) -> dict[str, Any]:
        chance = self._chance
        chat = spoken == "chat"
        prompt = f"What about {chance.choice(TOPICS)}? {chance.randrange(10**6)}"
        said = {"messages": [{"role": "user", "content": prompt}]} if chat else {"input": prompt}
        return {
            "model": chance.choice(MODELS),
            "stream": chance.random() < 0.5,
            "max_tokens" if chat else "max_output_tokens": chance.choice((64, 200, 400)),
            "metadata": {"astrolabe": {"verification": chance.choice(MODES)}},
            **said,
            **asked_for(chance.choice(ASKS), chat=chat),
        }

    async def _ask(self, spoken: str, body: dict[str, Any], tally: Tally) -> str:
        headers = self._headers()
        path = PATHS[spoken]
        if body["stream"]:
            async with self._client.stream("POST", path, json=body, headers=headers) as answer:
                raw = await answer.aread()
        else:
            answer = await self._client.post(path, json=body, headers=headers)
            raw = answer.content
        request = answer.headers["x-request-id"]
        if answer.status_code == 200 and body["stream"]:
            outcome = ending(raw, spoken)
        else:
            told = orjson.loads(raw)
            outcome = "ok"
            if answer.status_code == 200:
                assert told["choices" if spoken == "chat" else "output"], told
            else:
                outcome = told["error"]["code"]
                assert told["error"]["requestId"] == request, told
        code = outcome.removeprefix("cut ")
        assert code == "ok" or code in _KNOWN, outcome
        tally.answered.add(request)
        return outcome

    async def _leave(self, spoken: str, body: dict[str, Any]) -> None:
        """Go away before the head, after it, or between any two lines."""
        chance, path = self._chance, PATHS[spoken]
        try:
            async with asyncio.timeout(chance.random() * chance.choice((0.01, 0.1, 0.5))):
                async with self._client.stream(
                    "POST", path, json=body, headers=self._headers()
                ) as answer:
                    lines = chance.randrange(40)
                    async for _ in answer.aiter_lines():
                        lines -= 1
                        if lines < 0:
                            break
        except TimeoutError:
            pass

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._chance.choice(self._keys)}"}
