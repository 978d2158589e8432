"""Both backends keep every promise of the ports."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from astrolabe_storage import open_store
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance import ConformanceSuite
from astrolabe_storage.memory import MemoryStore


class TestMemory(ConformanceSuite):
    async def open_store(self) -> AuditedStore:
        return await open_store("memory://")


class TestMemoryWithPauses(ConformanceSuite):
    """Others are let in wherever a real store would wait."""

    async def open_store(self) -> AuditedStore:
        async def pause() -> None:
            for _ in range(3):
                await asyncio.sleep(0)

        return MemoryStore(pause)


class TestSqlite(ConformanceSuite):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "store.db"

    async def open_store(self) -> AuditedStore:
        return await open_store(f"sqlite:///{self.path}")
