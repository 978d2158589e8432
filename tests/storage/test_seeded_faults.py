"""The conformance suite fails for each store that breaks one promise."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.conversations import KeptResponse
from astrolabe_core.ledger import Capture, Change, Command, Grant, Outcome, Reserve, Rows, apply
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import StackVersion
from astrolabe_core.units import Instant, NodeId, RequestId, ResponseId, WorkspaceId
from astrolabe_core.usage import UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance import ConformanceSuite
from astrolabe_storage.memory import MemoryStore


class ReadsThenWrites(MemoryStore):
    """Judges by a balance that may be old when it is written."""

    def submit(self, command: Command) -> Awaitable[Outcome]:
        if not isinstance(command, Reserve):
            return super().submit(command)
        change = apply(self._rows(command), command)

        async def later() -> Outcome:
            await asyncio.sleep(0)
            self._write(change)
            return change.outcome

        return asyncio.ensure_future(later())


class CarriesOutWhatIsAwaited(MemoryStore):
    """Does nothing for a command that nobody waits for."""

    def submit(self, command: Command) -> Awaitable[Outcome]:
        submit = super().submit

        class Lazy:
            def __await__(self) -> Generator[Any, None, Outcome]:
                return submit(command).__await__()

        return Lazy()


class CountsTwice(MemoryStore):
    """Adds a grant again when it is repeated."""

    def _rows(self, command: Command) -> Rows:
        rows = super()._rows(command)
        return evolve(rows, grant=None) if isinstance(command, Grant) else rows


class TakesAnyKey(MemoryStore):
    """Lets another workspace's key spend."""

    def _rows(self, command: Command) -> Rows:
        rows = super()._rows(command)
        if isinstance(command, Reserve) and command.key in self._keys:
            return evolve(rows, key_status=self._keys[command.key].status)
        return rows


class WritesNoHold(MemoryStore):
    """Loses how a hold ended."""

    def _write(self, change: Change) -> None:
        super()._write(
            evolve(change, hold=None) if change.hold and change.hold.closed_at else change
        )


class WritesNoCounter(MemoryStore):
    """Counts nothing."""

    def _write(self, change: Change) -> None:
        super()._write(evolve(change, counters=()))


class EndsTwice(MemoryStore):
    """Writes the ending of a replay."""

    def _carry_out(self, command: Command) -> Outcome:
        if isinstance(command, Capture) and command.ending is not None:
            usage = command.ending.usage
            self._usage.pop((usage.workspace, usage.request), None)
            outcome = super()._carry_out(evolve(command, ending=None))
            self._end(command.ending)
            return outcome
        return super()._carry_out(command)


class ShowsTracesToAll(MemoryStore):
    """Finds a trace by the request alone."""

    async def trace(self, workspace: WorkspaceId, request: RequestId) -> str | None:
        return next((text for (_, of), text in self._traces.items() if of == request), None)


class PagesWithGaps(MemoryStore):
    """Begins a page one row late."""

    async def usage(self, query: UsageQuery) -> tuple[UsageRecord, ...]:
        return (await super().usage(query))[bool(query.before) :]


class SumsAPage(MemoryStore):
    """Sums only what a page shows."""

    async def usage_totals(
        self, query: UsageQuery, grouping: UsageGrouping
    ) -> tuple[UsageTotals, ...]:
        return (await super().usage_totals(query, grouping))[: query.limit]


class HidesTheRevoked(MemoryStore):
    """Answers "nobody" where policy is to refuse."""

    async def caller(self, key_hash: str, at: Instant, stack: StackRef | None) -> Caller | None:
        found = await super().caller(key_hash, at, stack)
        return found if found and found.key.status == "active" else None


class PublishesOver(MemoryStore):
    """Replaces a version that was published."""

    async def publish_stack(self, workspace: WorkspaceId, version: StackVersion) -> bool:
        self._stacks[workspace, version.stack.slug, version.version] = version
        return True


class TakesTheNewestArchived(MemoryStore):
    """Brings a version that is archived where one is active."""

    def _version(self, workspace: WorkspaceId, ref: StackRef) -> StackVersion | None:
        own = [v for v in self._stacks.values() if v.stack.slug == ref.slug]
        return max(own, key=lambda v: v.version, default=None)


class FindsNoOrphans(MemoryStore):
    """Takes the node for the one to look for."""

    async def orphans(self, *, node: NodeId | None = None) -> Any:
        every = await super().orphans()
        return tuple(hold for hold in every if node is None or hold.node == node)


class ShowsResponsesToAll(MemoryStore):
    """Finds a response by its id alone."""

    async def kept_response(self, workspace: WorkspaceId, response: ResponseId) -> Any:
        return self._responses.get(response)


class StepsOverGaps(MemoryStore):
    """Goes on from what is left of a conversation."""

    async def conversation(
        self, workspace: WorkspaceId, response: ResponseId, *, bytes_max: int
    ) -> Any:
        found: list[KeptResponse] = []
        wanted: ResponseId | None = response
        while wanted is not None and (kept := self._response(workspace, wanted)):
            found.insert(0, kept)
            wanted = kept.previous
        return tuple(found)


class ForgetsForAnybody(MemoryStore):
    """Deletes whatever is named."""

    async def forget_response(self, workspace: WorkspaceId, response: ResponseId) -> bool:
        return self._responses.pop(response, None) is not None


class NeverCloses(MemoryStore):
    """Takes commands for ever."""

    async def close(self) -> None:
        pass


FAULTY: list[Callable[[], AuditedStore]] = [
    ReadsThenWrites,
    CarriesOutWhatIsAwaited,
    CountsTwice,
    TakesAnyKey,
    WritesNoHold,
    WritesNoCounter,
    EndsTwice,
    ShowsTracesToAll,
    PagesWithGaps,
    SumsAPage,
    HidesTheRevoked,
    PublishesOver,
    TakesTheNewestArchived,
    FindsNoOrphans,
    ShowsResponsesToAll,
    StepsOverGaps,
    ForgetsForAnybody,
    NeverCloses,
]


def failures(store: Callable[[], AuditedStore]) -> set[str]:
    """Run the whole suite and name the facts that do not hold."""

    class Judged(ConformanceSuite):
        async def open_store(self) -> AuditedStore:
            return store()

    failed = set()
    for name, _ in inspect.getmembers(Judged, inspect.isfunction):
        if name.startswith("test_"):
            try:
                getattr(Judged(), name)()
            except (Exception, asyncio.CancelledError):  # noqa: BLE001 - however it fails
                failed.add(name)
    return failed


def test_the_memory_store_has_no_fault() -> None:
    assert failures(MemoryStore) == set()


@pytest.mark.parametrize("store", FAULTY)
def test_the_suite_catches(store: Callable[[], AuditedStore]) -> None:
    assert failures(store), "no fact of the suite fails for this store"
