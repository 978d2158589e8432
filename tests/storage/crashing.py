"""Reserve and capture without end, and print each hold once it is acknowledged as captured.

Run by `test_crash` as a process of its own, which is killed meanwhile.
"""

from __future__ import annotations

import asyncio
import sys

from astrolabe_core.ledger import Closed, Reserved
from astrolabe_storage import open_store
from astrolabe_storage.conformance.world import capture, ending, grant, reserve, settle_in


async def main(url: str) -> None:
    store = await open_store(url)
    await settle_in(store, usd_nanos=0)
    await store.submit(grant(10**12))

    async def client(name: str) -> None:
        for number in range(1_000_000):
            identity = f"{name}-{number}"
            held = await store.submit(reserve(identity, 10))
            assert isinstance(held, Reserved)
            ended = await store.submit(capture(identity, 7, ending(f"req_{identity}", "{}")))
            assert isinstance(ended, Closed)
            sys.stdout.write(f"{identity}\n")
            sys.stdout.flush()

    await asyncio.gather(*(client(f"c{number}") for number in range(16)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
