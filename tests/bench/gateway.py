"""What does a whole request through the gateway cost, beside a bare pass-through?

Both stand in front of the same simulator, in processes of their own, and are sent the same
requests in turn. What is compared is processor time of the two processes, as the kernel counts
it, so that waiting and the rest of the machine do not matter. The gateway authenticates, routes,
reserves and settles durably on SQLite, verifies, traces and re-shapes; the other copies bytes.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

import httpx
import orjson

from astrolabe_core.accounts import Workspace
from astrolabe_core.money import usd
from astrolabe_http.service import KeyTerms, NewKey
from astrolabe_http.settings import Settings
from astrolabe_http.wiring import open_service
from tests.bench.processes import cpu_seconds, free_port, running
from tests.bench.report import Measured

BAR = 1.6
ROUNDS = 5
EACH = 400
AT_ONCE = (1, 8, 16, 64)
SECRET = "bench" * 8

BODY = orjson.dumps(
    {
        "model": "astrolabe/auto",
        "messages": [
            {"role": "system", "content": "You are a careful assistant. " * 10},
            {"role": "user", "content": "Explain how a hash table grows, with an example. " * 8},
        ],
        "max_tokens": 200,
    }
)
PLAIN = orjson.dumps({**orjson.loads(BODY), "model": "deepseek/deepseek-v4-flash"})


def run() -> list[Measured]:
    """Start the three processes and measure."""
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Measured]:
    simulator, bare, ours = free_port(), free_port(), free_port()
    upstream = f"http://127.0.0.1:{simulator}/api/v1"
    database = f"sqlite:///{folder / 'bench.db'}"
    key = asyncio.run(make_key(database))
    gateway = {
        "ASTROLABE_SECRET_KEY": SECRET,
        "ASTROLABE_DATABASE_URL": database,
        "ASTROLABE_UPSTREAM_URL": upstream,
        "OPENROUTER_API_KEY": "upstream",
        "ASTROLABE_LOG_FORMAT": "json",
        "ASTROLABE_PORT": str(ours),
    }
    passing = {"PASSTHROUGH_UPSTREAM": upstream, "PASSTHROUGH_PORT": str(bare)}
    with (
        running(["astrolabe_http", "simulator", "--port", str(simulator)], f"{upstream}/models"),
        running(["tests.bench.passthrough"], f"http://127.0.0.1:{bare}/", passing) as other,
        running(["astrolabe_http", "serve"], f"http://127.0.0.1:{ours}/health", gateway) as mine,
    ):
        return asyncio.run(_compare((ours, mine), (bare, other), key))


async def make_key(database: str) -> str:
    service = await open_service(Settings(secret_key=SECRET, database_url=database))
    workspace = await service.create_workspace("bench")
    if not isinstance(workspace, Workspace):
        raise TypeError(workspace.message)
    await service.grant_credit(workspace.id, usd("1000"))
    key = await service.create_key(workspace.id, KeyTerms(rate_limit=1_000_000))
    await service.store.close()
    if not isinstance(key, NewKey):
        raise TypeError(key.message)
    return key.secret


async def _compare(mine: tuple[int, int], other: tuple[int, int], key: str) -> list[Measured]:
    found: list[Measured] = []
    for at_once in AT_ONCE:
        await _send(mine[0], BODY, key, 50, at_once)
        await _send(other[0], PLAIN, key, 50, at_once)
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            ours.append(await _spent(mine, BODY, key, at_once))
            bare.append(await _spent(other, PLAIN, key, at_once))
        found.append(
            Measured(
                name=f"gateway, {at_once} at once",
                claim="processor time of a whole request through the gateway, beside a bare "
                "Starlette + httpx pass-through",
                ratio=statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
                bar=BAR,
                at_most=True,
                figures=(
                    ("gateway", f"{statistics.median(ours) * 1e6:.0f} us of CPU a request"),
                    ("pass-through", f"{statistics.median(bare) * 1e6:.0f} us of CPU a request"),
                ),
            )
        )
    return found


async def _spent(server: tuple[int, int], body: bytes, key: str, at_once: int) -> float:
    port, pid = server
    before = cpu_seconds(pid)
    await _send(port, body, key, EACH, at_once)
    return (cpu_seconds(pid) - before) / EACH


async def _send(port: int, body: bytes, key: str, count: int, at_once: int) -> None:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                answer = await client.post("/v1/chat/completions", content=body, headers=headers)
                answer.raise_for_status()

        await asyncio.gather(*(work() for _ in range(at_once)))
