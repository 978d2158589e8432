"""Memory and SQLite give the same answer to every history of commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import event, given, settings

from astrolabe_core.budgets import Scope, spend_limits
from astrolabe_core.ledger import Command, Outcome
from astrolabe_core.money import NanoUsd
from astrolabe_core.stacks import Budget
from astrolabe_core.units import Instant
from astrolabe_core.usage import UsageQuery
from astrolabe_storage import audit_store, open_store
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.world import (
    AT,
    KEY,
    OURS,
    THEIRS,
    capture,
    count,
    ending,
    expire,
    grant,
    reserve,
    settle_in,
    void,
)

LIMITS = spend_limits(Scope.KEY, KEY, Budget(daily_usd=NanoUsd(150)), AT)

identities = st.sampled_from(["h1", "h2", "h3"])
amounts = st.sampled_from([-1, 0, 1, 49, 50, 51, 149, 150, 151, 400])
endings = st.none() | st.builds(
    ending, st.sampled_from(["r1", "r2"]), st.sampled_from(["{}", None])
)
commands = st.one_of(
    st.builds(
        lambda identity, amount, limited, at: reserve(
            identity, amount, limits=LIMITS if limited else (), at=Instant(AT + at)
        ),
        identities,
        amounts,
        st.booleans(),
        st.integers(0, 2),
    ),
    st.builds(
        capture, identities, amounts, endings, of=st.sampled_from([OURS, OURS, OURS, THEIRS])
    ),
    st.builds(lambda identity, how: void(identity, ending=how), identities, endings),
    st.builds(expire, identities),
    st.builds(grant, amounts, st.sampled_from(["order-1", "order-2", "order-3"])),
    st.builds(count, st.sampled_from([2, 1_000_000]), endings),
)


async def told(store: AuditedStore, batches: list[list[Command]]) -> list[object]:
    """Carry out batches, each without waiting in between, and say all that can be seen."""
    await settle_in(store, usd_nanos=200)
    seen: list[object] = []
    for batch in batches:
        pending = [store.submit(command) for command in batch]
        seen += [await outcome_or_poison(one) for one in pending]
    books = await store.books(OURS)
    assert books is not None
    seen += [books.wallet, books.postings, books.holds, set(books.counters)]
    seen.append(await store.usage(UsageQuery(workspace=OURS)))
    seen.append(await audit_store(store))
    await store.close()
    return seen


async def outcome_or_poison(pending: Awaitable[Outcome]) -> object:
    try:
        outcome = await pending
    except Exception as poison:  # noqa: BLE001 - what kind is the answer
        return type(poison)
    event(type(outcome).__name__)
    return outcome


@settings(max_examples=60)
@given(st.lists(st.lists(commands, min_size=1, max_size=8), max_size=5))
def test_memory_and_sqlite_agree(batches: list[list[Command]]) -> None:
    async def run() -> None:
        with TemporaryDirectory() as directory:
            memory = await open_store("memory://")
            sqlite = await open_store(f"sqlite:///{Path(directory) / 'store.db'}")
            expected = await told(memory, batches)
            assert await told(sqlite, batches) == expected
            assert expected[-1] == ()

    asyncio.run(run())
