"""How is a fault played, and what was seen of it?

Each request holds a word of its own, and the simulator is told to fail the calls that hold it: so
that many are played at once, against one gateway and one simulator.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final

import httpx
import orjson
from attrs import field, frozen

from tests.scenarios.table import FORMATS, WAYS, Expected, Row

AUTO: Final = "astrolabe/auto"
NAMED: Final = "openai/gpt-5.4-mini"
PATHS: Final = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
SCHEMA: Final = {
    "type": "object",
    "properties": {"score": {"type": "number"}, "reasons": {"type": "array"}},
    "required": ["score", "reasons"],
    "additionalProperties": False,
}
CITY: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
MODES: Final = {"strict": "strict", "judge": "strict", "doubted": "strict", "strong": "strong"}
OF_VERIFIERS: Final = frozenset({"judge", "strong", "doubted"})
TOGETHER: Final = 5
"""How many situations are played at once, beside those in which most of the time is waited."""
SLOW: Final = ("stall", "hold", "processing")
_PATIENCE_S: Final = 10.0


@frozen(kw_only=True)
class Case:
    """One request: a fault, in a situation, in one format, whole or streamed."""

    row: Row
    situation: str
    spoken: str
    way: str
    word: str
    expected: Expected

    @property
    def streamed(self) -> bool:
        return self.way == "streamed"

    def __str__(self) -> str:
        return f"{self.row.name}, {self.situation}, {self.spoken}, {self.way}"


@frozen(kw_only=True)
class Seen:
    """What came of a request: in the words of the table, and the rest that is judged."""

    told: Expected
    status: int
    again: bool


@frozen
class Played:
    """Every request of one fault in one situation, and how the one after them went."""

    row: Row
    situation: str
    seen: tuple[tuple[Case, Seen], ...] = field(repr=False)
    next_status: int


def scenes(rows: Iterable[Row]) -> list[tuple[Case, ...]]:
    """Give every request that the table expects something of, by row and situation."""
    numbers = itertools.count()
    made = []
    for row in rows:
        for situation in row.situations:
            scene = []
            for spoken, way in itertools.product(FORMATS, WAYS):
                expected = row.expected(situation, spoken, way)
                if expected is not None and not (row.ask == "two" and spoken == "responses"):
                    word = f"case-{next(numbers):04}-"
                    scene.append(
                        Case(
                            row=row,
                            situation=situation,
                            spoken=spoken,
                            way=way,
                            word=word,
                            expected=expected,
                        )
                    )
            made.append(tuple(scene))
    return made


def body_of(case: Case) -> dict[str, Any]:
    """Write the body of a case, in its format."""
    model = {"named": NAMED, "left": NAMED, "doubted": f"{AUTO}@high-quality"}
    mode = MODES.get(case.situation, "light")
    prompt = f"How do tides work? [{case.word}]"
    chat = case.spoken == "chat"
    return {
        "model": model.get(case.situation, AUTO),
        "metadata": {"astrolabe": {"verification": mode}},
        "stream": case.way == "streamed",
        **({"messages": [{"role": "user", "content": prompt}]} if chat else {"input": prompt}),
        "max_tokens" if chat else "max_output_tokens": 300,
        **asked_for(case.row.ask, chat=chat),
    }


def asked_for(ask: str, *, chat: bool) -> dict[str, Any]:
    match ask:
        case "schema":
            inner = {"name": "verdict", "strict": True, "schema": SCHEMA}
            made = {"type": "json_schema", "json_schema": inner}
            flat = {"type": "json_schema", **inner}
            return {"response_format": made} if chat else {"text": {"format": flat}}
        case "tool" | "tools":
            names = ("get_weather", "get_time") if ask == "tools" else ("get_weather",)
            functions = [{"name": name, "parameters": CITY, "strict": True} for name in names]
            tools = [
                {"type": "function", "function": each} if chat else {"type": "function", **each}
                for each in functions
            ]
            alone = {"parallel_tool_calls": False} if ask == "tools" else {}
            return {"tools": tools, "tool_choice": "required", **alone}
        case "two":
            return {"n": 2}
        case _:
            return {}


class Player:
    """Plays scenes against a running gateway and its simulator."""

    def __init__(self, client: httpx.AsyncClient, control: str) -> None:
        self._client = client
        self._control = control

    async def play(self, scenes: Sequence[tuple[Case, ...]]) -> list[Played]:
        """Order every fault, and play all scenes, several at a time."""
        await self._order(scenes)
        free = asyncio.Semaphore(TOGETHER)

        async def one(scene: tuple[Case, ...]) -> Played:
            if scene[0].row.name.startswith(SLOW):
                return await self._play(scene)
            async with free:
                return await self._play(scene)

        return await asyncio.gather(*map(one, scenes))

    async def _play(self, scene: tuple[Case, ...]) -> Played:
        seen = await asyncio.gather(*map(self._ask, scene))
        first = scene[0]
        return Played(
            first.row,
            first.situation,
            tuple(zip(scene, seen, strict=True)),
            await self._next(first),
        )

    async def _ask(self, case: Case) -> Seen:
        body = body_of(case)
        if case.situation == "left":
            status, code, headers = 200, "left", await self._leave(case, body)
        elif case.way == "streamed":
            status, code, headers = await self._stream(case, body)
        else:
            answer = await self._client.post(PATHS[case.spoken], json=body)
            status, headers = answer.status_code, answer.headers
            code = "ok" if status == 200 else answer.json()["error"]["code"]
        trace = await self._trace(headers["x-request-id"])
        again = headers.get("x-should-retry") != "false"
        return Seen(told=_told(trace, code), status=status, again=again)

    async def _order(self, scenes: Sequence[tuple[Case, ...]]) -> None:
        """Tell the simulator all faults."""
        firsts: dict[str, str] = {}
        rules: list[dict[str, Any]] = []
        for case in itertools.chain.from_iterable(scenes):
            rule: dict[str, Any] = {"holds": case.word, "fault": case.row.name, "times": None}
            if case.situation in {"first", "strict"}:
                kind = f"{case.row.ask} {case.spoken} {case.situation}"
                if kind not in firsts:
                    firsts[kind] = await self._first(case)
                rule["model"] = firsts[kind]
            if case.situation in OF_VERIFIERS:
                rule["of"] = "verdict"
            if case.situation == "doubted":
                rule["times"] = 1
            rules.append(rule)
        answer = await self._client.post(f"{self._control}/faults", json=rules)
        answer.raise_for_status()

    async def _first(self, case: Case) -> str:
        """Find out who would be asked first."""
        answer = await self._client.post("/v1/route", json=body_of(case))
        model: str = answer.json()["decision"]["selected"]["model"]
        return model

    async def _stream(self, case: Case, body: dict[str, Any]) -> tuple[int, str, httpx.Headers]:
        async with self._client.stream("POST", PATHS[case.spoken], json=body) as answer:
            raw = await answer.aread()
        if answer.status_code != 200:
            return answer.status_code, orjson.loads(raw)["error"]["code"], answer.headers
        return 200, ending(raw, case.spoken), answer.headers

    async def _leave(self, case: Case, body: dict[str, Any]) -> httpx.Headers:
        async with self._client.stream("POST", PATHS[case.spoken], json=body) as answer:
            async for line in answer.aiter_lines():
                if '"delta"' in line and '"content":""' not in line:
                    break
        return answer.headers

    async def _trace(self, request: str) -> dict[str, Any]:
        """Wait for a trace: who has left is not told when it is there."""
        for _ in range(int(_PATIENCE_S / 0.05)):
            answer = await self._client.get(f"/v1/traces/{request}")
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"no trace of {request}")

    async def _next(self, case: Case) -> int:
        """Ask the same once more, without the fault."""
        body = {**body_of(case), "stream": False}
        healthy = orjson.dumps(body).replace(case.word.encode(), b"healthy")
        answer = await self._client.post(
            PATHS[case.spoken], content=healthy, headers={"content-type": "application/json"}
        )
        return answer.status_code


def ending(raw: bytes, spoken: str) -> str:
    """Say how a stream ended: `ok`, or after which error."""
    events = [
        orjson.loads(line[6:])
        for line in raw.splitlines()
        if line.startswith(b"data: ") and line != b"data: [DONE]"
    ]
    if spoken == "chat":
        assert raw.endswith(b"data: [DONE]\n\n"), raw[-300:]
        errors = [event["error"]["code"] for event in events if "error" in event]
        finished = any(
            choice.get("finish_reason") for event in events for choice in event.get("choices", ())
        )
    else:
        errors = [event["error"]["code"] for event in events if event["type"] == "error"]
        assert bool(errors) == (events[-1]["type"] == "response.failed"), raw[-300:]
        finished = events[-1]["type"] in {"response.completed", "response.incomplete"}
    assert finished != bool(errors), raw[-500:]
    return f"cut {errors[0]}" if errors else "ok"


def _told(trace: dict[str, Any], code: str) -> Expected:
    """Say in the words of the table what a trace says."""
    verdict, money = trace["verification"], trace["ledger"]
    outcome, verified = code, ""
    if code in {"ok", "left"}:
        outcome = f"{code} {trace['decision']['kind']}"
        verified = "" if verdict is None else verdict["status"]
    paid = money["unbillable_reason"] is None
    assert paid == (float(money["debit_usd"]) > 0), money
    attempts = tuple(_attempt(attempt) for attempt in trace["attempts"])
    told = ("paid" if paid else money["unbillable_reason"], *money["flags"])
    return Expected(outcome, verified, attempts, " + ".join(told))


def _attempt(attempt: dict[str, Any]) -> str:
    verdict = attempt["verification"]
    failed = [finding["check"] for finding in verdict["findings"]] if verdict else []
    outcome = " and ".join(failed) or attempt["outcome"]
    cause = attempt["cause"]
    return outcome if cause in {"first", "fallback"} else f"{cause} {outcome}"
