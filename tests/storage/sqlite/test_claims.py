"""One gateway at a time serves a file; anybody may read and write beside it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from astrolabe_storage import OpeningError, open_store
from astrolabe_storage.sqlite.claims import Claim

HOLDER = """
import sys, time
from pathlib import Path
from astrolabe_storage.sqlite.claims import Claim
claim = Claim(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_gateway_is_refused_while_commands_are_not(tmp_path: Path) -> None:
    """Its start would end the holds of the first one's live requests."""
    url = f"sqlite:///{tmp_path}/served.db"

    async def run() -> None:
        first = await open_store(url, serving=True)
        with pytest.raises(OpeningError, match="another gateway serves this database"):
            await open_store(url, serving=True)
        beside = await open_store(url)
        assert await beside.ready()
        await beside.close()
        await first.close()
        again = await open_store(url, serving=True)
        await again.close()

    asyncio.run(run())


def test_a_claim_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    """A crashed gateway can be started again at once."""
    path = tmp_path / "served.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OpeningError):
            Claim(path)
        holder.kill()
    Claim(path).release()


def test_a_claim_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    """A folder that is not there, for example."""
    with pytest.raises(OpeningError, match="cannot be opened"):
        Claim(tmp_path / "nowhere" / "served.db")


def test_a_store_that_cannot_be_opened_lets_go_of_its_claim(tmp_path: Path) -> None:
    """Or the file could not be served once it was mended."""
    path = tmp_path / "served.db"
    path.write_bytes(b"no database at all, for sure" * 100)
    with pytest.raises(OpeningError):
        asyncio.run(open_store(f"sqlite:///{path}", serving=True))
    Claim(path).release()
