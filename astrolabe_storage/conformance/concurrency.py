"""Does a store stay exact when many ask at once, leave early, or send nonsense?"""

import asyncio
from collections import Counter as Tally
from collections.abc import Awaitable, Sequence
from random import Random
from typing import Final

from astrolabe_core.budgets import Scope, spend_limits
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.ledger import (
    Closed,
    Command,
    Conflict,
    Declined,
    Granted,
    Outcome,
    Reserved,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.quotas import rate_limit
from astrolabe_core.stacks import Budget
from astrolabe_core.units import DAY_MS, Instant
from astrolabe_storage.audit import audit_store
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.facts import Opens, fact, is_a, raises, same, true
from astrolabe_storage.conformance.world import (
    AT,
    KEY,
    OURS,
    balances,
    capture,
    check_journal,
    conflict,
    count,
    ending,
    expire,
    grant,
    reserve,
    settle_in,
    void,
)

PARALLEL: Final = 50


class ConcurrencySuite(Opens):
    """Order, atomicity, and that nothing is lost."""

    @fact
    async def test_money_for_ten_admits_ten_of_fifty(self, store: AuditedStore) -> None:
        """The others are declined for want of it, and the balance never goes below zero."""
        await settle_in(store, usd_nanos=1_000)
        outcomes = await _at_once(store, [reserve(f"h{n}", 100) for n in range(PARALLEL)])
        same(_tally(outcomes), {"Reserved": 10, Code.PAYMENT_REQUIRED: 40})
        same(await balances(store), (0, 1_000, 0))
        await check_journal(store, 11)

    @fact
    async def test_a_budget_for_ten_admits_ten_of_fifty(self, store: AuditedStore) -> None:
        """With money for all."""
        await settle_in(store, usd_nanos=1_000_000)
        limits = spend_limits(Scope.WORKSPACE, OURS, Budget(monthly_usd=NanoUsd(1_099)), AT)
        asked = [reserve(f"h{n}", 100, limits=limits) for n in range(PARALLEL)]
        same(_tally(await _at_once(store, asked)), {"Reserved": 10, Code.BUDGET_EXCEEDED: 40})
        same(await audit_store(store), ())

    @fact
    async def test_a_minute_for_ten_admits_ten_of_fifty(self, store: AuditedStore) -> None:
        """With money for all."""
        await settle_in(store, usd_nanos=1_000_000)
        rate = rate_limit(KEY, 10, AT)
        asked = [reserve(f"h{n}", 1, rate=rate) for n in range(PARALLEL)]
        same(_tally(await _at_once(store, asked)), {"Reserved": 10, Code.RATE_LIMITED: 40})

    @fact
    async def test_one_command_sent_twenty_times_is_carried_out_once(
        self, store: AuditedStore
    ) -> None:
        """Reservation, capture and grant; each is told the first outcome."""
        await settle_in(store)
        for command, kind in (
            (reserve("h1", 100), Reserved),
            (capture("h1", 60), Closed),
            (grant(5, "order-2"), Granted),
        ):
            outcomes = await _at_once(store, [command] * 20)
            same({type(outcome) for outcome in outcomes}, {kind})
        same(await balances(store), (945, 0, 0))
        await check_journal(store, 4)

    @fact
    async def test_commands_are_carried_out_in_the_order_submitted(
        self, store: AuditedStore
    ) -> None:
        """Without waiting in between, from one place or from many."""
        await settle_in(store)
        submitted = [
            store.submit(command)
            for n in range(PARALLEL)
            for command in (reserve(f"h{n}", 1_000), void(f"h{n}"))
        ]
        outcomes = [await pending for pending in submitted]
        same(_tally(outcomes), {"Reserved": PARALLEL, "Closed": PARALLEL})
        same(await balances(store), (1_000, 0, 0))
        same(conflict(await store.submit(capture("h0", 1_000))), Conflict.HOLD_CLOSED)

    @fact
    async def test_a_command_that_nobody_awaits_is_carried_out(self, store: AuditedStore) -> None:
        """It is there when one submitted later is."""
        await settle_in(store)
        _ = store.submit(reserve("h1", 10)), store.submit(capture("h1", 4))
        await store.submit(count())
        same(await balances(store), (996, 0, 0))

    @fact
    async def test_who_stops_waiting_stops_nothing(self, store: AuditedStore) -> None:
        """The command is carried out, and may be awaited again."""
        await settle_in(store)
        pending = store.submit(reserve("h1", 10))
        waiter = asyncio.ensure_future(_awaited(pending))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        is_a(await pending, Reserved)
        same(await pending, await pending)
        same(await balances(store), (990, 10, 0))

    @fact
    async def test_a_cancelled_task_can_end_its_hold(self, store: AuditedStore) -> None:
        """In its `finally`, wherever the cancellation met it."""
        await settle_in(store)

        async def request(identity: str) -> None:
            try:
                await store.submit(reserve(identity, 10))
                await asyncio.sleep(60)
            finally:
                _ = store.submit(void(identity, Unbillable.CLIENT_DISCONNECTED))

        for turns in range(8):
            task = asyncio.create_task(request(f"h{turns}"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.submit(count())
        same(await balances(store), (1_000, 0, 0))
        true(not await store.orphans(), "no hold stays open")

    @fact
    async def test_a_poisonous_command_harms_no_other(self, store: AuditedStore) -> None:
        """One that breaks a rule of the tables is refused, with all that it would have done."""
        await settle_in(store)
        await store.submit(count(ending=ending("req_1")))
        asked: list[Command] = [reserve(f"h{n}", 10) for n in range(10)]
        asked += [capture(f"h{n}", 10, ending(f"req_{n}")) for n in range(10)]
        pending = [store.submit(command) for command in asked]
        for number, outcome in enumerate(pending):
            if number == 11:
                await raises(outcome, Exception)
            else:
                is_a(await outcome, Reserved if number < 10 else Closed)
        same([hold.id for hold in await store.orphans()], ["h1"])
        same(await balances(store), (900, 10, 0))
        same(await audit_store(store), ())

    @fact
    async def test_a_random_workload_leaves_exact_books(self, store: AuditedStore) -> None:
        """Commands in all orders, repeated and contradictory, with budgets, at once."""
        await settle_in(store, usd_nanos=5_000)
        chance = Random(11)  # noqa: S311 - the same workload each time
        for _ in range(12):
            await _at_once(store, [_random_command(chance) for _ in range(40)])
            same(await audit_store(store), ())
        await check_journal(store)

    @fact
    async def test_close_carries_out_what_is_queued(self, store: AuditedStore) -> None:
        """And then takes no more; closing again is nothing."""
        await settle_in(store)
        true(await store.ready(), "an open store is ready")
        pending = [store.submit(reserve(f"h{n}", 1)) for n in range(20)]
        await store.close()
        same(_tally([await outcome for outcome in pending]), {"Reserved": 20})
        try:
            await store.submit(reserve("h21", 1))
        except StorageUnavailable:
            pass
        else:
            raise AssertionError("a closed store took a command")
        true(not await store.ready(), "a closed store is not ready")
        await raises(store.wallet(OURS), StorageUnavailable)
        await store.close()


async def _awaited(pending: Awaitable[Outcome]) -> Outcome:
    return await pending


async def _at_once(store: AuditedStore, commands: Sequence[Command]) -> list[Outcome]:
    async def one(command: Command) -> Outcome:
        return await store.submit(command)

    return await asyncio.gather(*map(one, commands))


def _tally(outcomes: list[Outcome]) -> dict[str, int]:
    return Tally(
        outcome.refusal.code if isinstance(outcome, Declined) else type(outcome).__name__
        for outcome in outcomes
    )


def _random_command(chance: Random) -> Command:
    identity = f"h{chance.randrange(60)}"
    amount = chance.choice((0, 1, 49, 50, 51, 400, 6_000))
    at = Instant(AT + chance.randrange(3) * DAY_MS)
    budget = Budget(daily_usd=NanoUsd(900), monthly_usd=NanoUsd(1_500))
    limits = spend_limits(Scope.KEY, KEY, budget, at)
    match chance.randrange(8):
        case 0 | 1 | 2:
            return reserve(identity, amount, at=at, limits=limits)
        case 3 | 4:
            return capture(identity, amount)
        case 5:
            return void(identity)
        case 6:
            return expire(identity)
        case _:
            return grant(1 + chance.randrange(80), f"order-{chance.randrange(20)}")
