"""What does a streamed chunk through the gateway cost, beside a bare pass-through?

Both stand in front of the same upstream, in processes of their own, over the same transport, and
stream the same in turn. Compared is processor time a chunk, of the whole process, as the kernel
counts it. One chunk a read is how models speak; what comes all at once is told beside it and held
against nothing, since a pass-through does not see chunks then and pays for reads alone.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

import orjson
from attrs import frozen

from tests.bench.gateway import SECRET, make_key
from tests.bench.processes import cpu_seconds, free_port, running
from tests.bench.report import Measured
from tests.bench.streamer import CHUNKS

BAR = 2.0
ROUNDS = 5
AT_ONCE = 4
PACE_MS = 1
MODEL = "openai/gpt-5.4-nano"
BODIES = {
    "/v1/chat/completions": orjson.dumps(
        {
            "model": MODEL,
            "stream": True,
            "messages": [{"role": "user", "content": "What does a ledger hold?"}],
        }
    ),
    "/v1/responses": orjson.dumps(
        {"model": MODEL, "stream": True, "input": "What does a ledger hold?"}
    ),
}
NAMES = {"/v1/chat/completions": "chat", "/v1/responses": "responses"}


def run() -> list[Measured]:
    """Start the processes and measure, one chunk a read and then many."""
    single, packed = _measure(PACE_MS), _measure(0)
    return [
        Measured(
            name=f"stream of {name}",
            claim="processor time of a streamed chunk through the gateway, beside a bare "
            "Starlette pass-through over the same transport; one chunk a read",
            ratio=min(single[path].ours) / min(single[path].bare),
            bar=BAR,
            at_most=True,
            figures=(
                ("gateway", _told(single[path].ours)),
                ("pass-through", _told(single[path].bare)),
                ("gateway, many chunks a read", _told(packed[path].ours)),
                ("pass-through, many chunks a read", _told(packed[path].bare)),
            ),
        )
        for path, name in NAMES.items()
    ]


@frozen
class Spent:
    """Seconds of processor time a chunk, a value a round."""

    ours: list[float]
    bare: list[float]


def _measure(pace_ms: int) -> dict[str, Spent]:
    with tempfile.TemporaryDirectory() as folder:
        return _in_front_of(Path(folder), pace_ms)


def _in_front_of(folder: Path, pace_ms: int) -> dict[str, Spent]:
    streamer, bare, ours = free_port(), free_port(), free_port()
    upstream = f"http://127.0.0.1:{streamer}/api/v1"
    database = f"sqlite:///{folder / 'bench.db'}"
    key = asyncio.run(make_key(database))
    gateway = {
        "ASTROLABE_SECRET_KEY": SECRET,
        "ASTROLABE_DATABASE_URL": database,
        "ASTROLABE_UPSTREAM_URL": upstream,
        "OPENROUTER_API_KEY": "upstream",
        "ASTROLABE_LOG_FORMAT": "json",
        "ASTROLABE_DEBUG": "0",
        "ASTROLABE_PORT": str(ours),
    }
    passing = {"RELAY_UPSTREAM": upstream, "RELAY_PORT": str(bare)}
    streaming = {"STREAMER_PORT": str(streamer), "PACE_MS": str(pace_ms)}
    with (
        running(["tests.bench.streamer"], f"{upstream}/chat/completions", streaming),
        running(["tests.bench.relay"], f"http://127.0.0.1:{bare}/", passing) as other,
        running(["astrolabe_http", "serve"], f"http://127.0.0.1:{ours}/health", gateway) as mine,
    ):
        return asyncio.run(_compare((ours, mine), (bare, other), key))


async def _compare(mine: tuple[int, int], other: tuple[int, int], key: str) -> dict[str, Spent]:
    found: dict[str, Spent] = {}
    for path in NAMES:
        await _spent(mine, path, key)
        await _spent(other, path, key)
        spent = found[path] = Spent([], [])
        for _ in range(ROUNDS):
            spent.ours.append(await _spent(mine, path, key))
            spent.bare.append(await _spent(other, path, key))
    return found


def _told(spent: list[float]) -> str:
    low, mid = min(spent) * 1e6, statistics.median(spent) * 1e6
    return f"{low:.1f} us of CPU a chunk at best, {mid:.1f} us in the median"


async def _spent(server: tuple[int, int], path: str, key: str) -> float:
    """Give the processor time of a chunk, of some streams at once."""
    port, pid = server
    before = cpu_seconds(pid)
    sizes = await asyncio.gather(*(_read(port, path, key) for _ in range(AT_ONCE)))
    if min(sizes) < CHUNKS:
        message = f"a stream had {min(sizes)} chunks"
        raise RuntimeError(message)
    return (cpu_seconds(pid) - before) / (AT_ONCE * CHUNKS)


async def _read(port: int, path: str, key: str) -> int:
    """Read a stream to its end; give how many frames it had."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n"
        "content-type: application/json\r\nconnection: close\r\n"
        f"content-length: {len(BODIES[path])}\r\n\r\n"
    )
    writer.write(head.encode() + BODIES[path])
    frames = 0
    while data := await reader.read(1 << 16):
        frames += data.count(b"data: ")
    writer.close()
    return frames
