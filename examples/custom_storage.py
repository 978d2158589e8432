"""Does a store of one's own keep what the gateway relies on?

`LoggedStore` keeps every change as a line of a file and reads them back when it is opened again.
The public conformance suite is the judge: it passes the store, and it finds the fault of another
one that remembers callers for too long.
"""

import asyncio
import base64
import pickle
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Self

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.conversations import KeptResponse
from astrolabe_core.ledger import Command, Grant, Outcome
from astrolabe_core.money import usd, usd_text
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import StackVersion
from astrolabe_core.units import Instant, ResponseId, WorkspaceId
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance import ConformanceSuite
from astrolabe_storage.memory import MemoryStore


class LoggedStore(MemoryStore):
    """The rules are the core's and the rows those of memory; ours is only where changes are kept.

    Commands and records are frozen, and the ledger is a function of them: to carry them out again
    in the same order gives the same rows.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    @classmethod
    async def open(cls, file: Path) -> Self:
        """Open the store as it was left."""
        store = cls(file)
        for name, given in changes(file):
            await getattr(MemoryStore, name)(store, *given)
        return store

    def submit(self, command: Command) -> Awaitable[Outcome]:
        """Carry a command out, and keep it before anybody hears of it."""
        outcome = super().submit(command)
        self._keep("submit", command)
        return outcome

    async def create_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace."""
        await super().create_workspace(workspace)
        self._keep("create_workspace", workspace)

    async def save_workspace(self, workspace: Workspace) -> bool:
        """Replace a workspace."""
        self._keep("save_workspace", workspace)
        return await super().save_workspace(workspace)

    async def create_key(self, key: Key) -> None:
        """Keep a new key."""
        await super().create_key(key)
        self._keep("create_key", key)

    async def save_key(self, key: Key) -> bool:
        """Replace a key."""
        self._keep("save_key", key)
        return await super().save_key(key)

    async def publish_stack(self, workspace: WorkspaceId, version: StackVersion) -> bool:
        """Keep a version of a stack."""
        self._keep("publish_stack", workspace, version)
        return await super().publish_stack(workspace, version)

    async def keep_response(self, response: KeptResponse) -> None:
        """Keep a response."""
        await super().keep_response(response)
        self._keep("keep_response", response)

    async def forget_response(self, workspace: WorkspaceId, response: ResponseId) -> bool:
        """Forget a response; a log forgets nothing, so what was deleted is still in this file."""
        self._keep("forget_response", workspace, response)
        return await super().forget_response(workspace, response)

    def _keep(self, name: str, *given: object) -> None:
        with self._file.open("ab") as file:  # os.fsync(file.fileno()) would outlive a power cut
            file.write(base64.b64encode(pickle.dumps((name, given))) + b"\n")


def changes(file: Path) -> list[tuple[str, tuple[object, ...]]]:
    """Read what was kept. Our own file: pickle is not for the files of others."""
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [pickle.loads(base64.b64decode(line)) for line in lines]  # noqa: S301


class CachingStore(MemoryStore):
    """Faulty on purpose: whoever was once seen is never looked at again."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, Caller | None] = {}

    async def caller(self, key_hash: str, at: Instant, stack: StackRef | None) -> Caller | None:
        """Give the caller as it stood when it first came."""
        if key_hash not in self._seen:
            self._seen[key_hash] = await super().caller(key_hash, at, stack)
        return self._seen[key_hash]


class Logged(ConformanceSuite):
    """The suite, over our store. Named `Test…` in a test file, pytest collects it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stores = folder, 0

    async def open_store(self) -> AuditedStore:
        """Give an empty store to each check."""
        self._stores += 1
        return await LoggedStore.open(self._folder / f"{self._stores}.log")


class Caching(ConformanceSuite):
    """The suite, over the faulty one."""

    async def open_store(self) -> AuditedStore:
        """Give an empty store to each check."""
        return CachingStore()


def judge(suite: ConformanceSuite) -> list[str]:
    """Run every check, print how many there are, and name those that fail."""
    checks = [name for name in dir(suite) if name.startswith("test_")]
    failed: list[str] = []
    for name in checks:
        try:
            getattr(suite, name)()
        except AssertionError:
            failed.append(name.removeprefix("test_").replace("_", " "))
    print(f"{type(suite).__name__}: {len(checks) - len(failed)} of {len(checks)} facts hold")
    return failed


async def outlive(file: Path) -> None:
    """Grant money, forget the store, and open it again."""
    store = await LoggedStore.open(file)
    mine = WorkspaceId("ws_mine")
    await store.create_workspace(Workspace(id=mine, name="mine"))
    await store.submit(Grant(id="welcome", workspace=mine, amount=usd("5"), at=Instant(1)))
    del store
    again = await LoggedStore.open(file)
    wallet = await again.wallet(mine)
    if wallet is not None:
        print(f"opened again after {len(changes(file))} changes:", end=" ")
        print(f"{usd_text(wallet.available)} USD are there")


def main() -> None:
    """Judge both stores, and open one again."""
    with tempfile.TemporaryDirectory() as folder:
        assert not judge(Logged(Path(folder)))
        print("\nA store that remembers callers:")
        for fact in judge(Caching()):
            print(f"  does not hold: {fact}")
        print()
        asyncio.run(outlive(Path(folder) / "mine.log"))


if __name__ == "__main__":
    main()
