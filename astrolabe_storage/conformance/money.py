"""Does a store keep money as the ledger says?"""

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import Counter, Scope, SpendLimit, spend_limits
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.ledger import (
    Closed,
    Command,
    Conflict,
    Counted,
    Granted,
    HoldState,
    House,
    Outcome,
    PostingKind,
    Reserved,
    Wallet,
)
from astrolabe_core.money import AMOUNT_MAX, NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.stacks import Budget
from astrolabe_core.units import DAY_MS, Instant, NodeId, WorkspaceId
from astrolabe_storage.audit import audit_store
from astrolabe_storage.books import AuditedStore, Books
from astrolabe_storage.conformance.facts import Opens, fact, is_a, same, true
from astrolabe_storage.conformance.world import (
    AT,
    KEY,
    OURS,
    THEIR_KEY,
    THEIRS,
    balances,
    capture,
    check_journal,
    conflict,
    count,
    expire,
    grant,
    key,
    refused,
    reserve,
    settle_in,
    void,
    workspace,
)
from astrolabe_storage.recovery import expire_orphans


async def spend_on(
    store: AuditedStore, identity: str, amount: int, limits: tuple[SpendLimit, ...]
) -> Outcome:
    """Reserve within limits."""
    return await store.submit(reserve(identity, amount, limits=limits))


class MoneySuite(Opens):
    """Each outcome of each command, and what it leaves behind."""

    @fact
    async def test_a_new_workspace_has_an_empty_wallet(self, store: AuditedStore) -> None:
        """And an unknown one has none."""
        await settle_in(store, usd_nanos=0)
        same(await store.wallet(OURS), Wallet(workspace=OURS))
        same(await store.wallet(WorkspaceId("ws_none")), None)
        same(await store.postings(OURS), ())

    @fact
    async def test_a_grant_is_made_once_for_each_identity(self, store: AuditedStore) -> None:
        """A repeat replays; another amount or workspace under the same identity conflicts."""
        await settle_in(store, usd_nanos=0)
        first = is_a(await store.submit(grant(700)), Granted)
        same(first.wallet.available, 700)
        same(is_a(await store.submit(grant(700)), Granted).wallet, first.wallet)
        same(conflict(await store.submit(grant(701))), Conflict.IDENTITY_REUSED)
        same(conflict(await store.submit(grant(700, of=THEIRS))), Conflict.IDENTITY_REUSED)
        same(await balances(store), (700, 0, 0))
        (posting,) = await store.postings(OURS)
        same((posting.kind, posting.house_account), (PostingKind.GRANT, House.FUNDING))
        same((posting.reference, posting.note), ("order-1", "paid"))

    @fact
    async def test_amounts_out_of_range_are_rejected(self, store: AuditedStore) -> None:
        """For grants, holds and charges; nothing is changed."""
        await settle_in(store)
        await store.submit(reserve("h1", 10))
        for command in (
            grant(0, "order-2"),
            grant(-5, "order-3"),
            grant(AMOUNT_MAX, "order-4"),
            reserve("h2", -1),
            reserve("h2", AMOUNT_MAX + 1),
            capture("h1", -1),
            capture("h1", AMOUNT_MAX + 1),
        ):
            same(conflict(await store.submit(command)), Conflict.AMOUNT_OUT_OF_RANGE)
        same(await balances(store), (990, 10, 0))

    @fact
    async def test_a_reservation_moves_money_aside(self, store: AuditedStore) -> None:
        """The hold can be found, and is open."""
        await settle_in(store)
        outcome = is_a(await store.submit(reserve("h1", 300)), Reserved)
        same((outcome.available, outcome.rate.remaining), (700, 999_999))
        same(await balances(store), (700, 300, 0))
        same(await store.holds(OURS), (outcome.hold,))
        same((outcome.hold.state, outcome.hold.node), (HoldState.OPEN, "node_a"))
        await check_journal(store, 2)

    @fact
    async def test_a_repeated_reservation_replays(self, store: AuditedStore) -> None:
        """It is counted once, held once; other contents under its identity conflict."""
        await settle_in(store)
        first = is_a(await store.submit(reserve("h1", 300)), Reserved)
        again = is_a(await store.submit(reserve("h1", 300)), Reserved)
        same((again.hold, again.rate), (first.hold, first.rate))
        same(conflict(await store.submit(reserve("h1", 299))), Conflict.IDENTITY_REUSED)
        theirs = reserve("h1", 300, workspace=THEIRS, key=THEIR_KEY)
        same(conflict(await store.submit(theirs)), Conflict.IDENTITY_REUSED)
        same(await balances(store), (700, 300, 0))
        await check_journal(store, 2)

    @fact
    async def test_a_declined_reservation_changes_nothing(self, store: AuditedStore) -> None:
        """It is not counted either."""
        await settle_in(store)
        before = await store.books(OURS)
        same(refused(await store.submit(reserve("h1", 1_001))), Code.PAYMENT_REQUIRED)
        floor = reserve("h1", 600, floor=NanoUsd(401))
        same(refused(await store.submit(floor)), Code.PAYMENT_REQUIRED)
        same(await store.books(OURS), before)
        counted = is_a(await store.submit(count()), Counted)
        same(counted.rate.remaining, 999_999)

    @fact
    async def test_who_may_not_act_may_not_reserve(self, store: AuditedStore) -> None:
        """Judged with the money, by the rows as they stand then."""
        await settle_in(store)
        unknown = reserve("h1", 1, workspace=WorkspaceId("ws_none"))
        same(conflict(await store.submit(unknown)), Conflict.UNKNOWN_WORKSPACE)
        for stranger in ("key_none", THEIR_KEY):
            outcome = await store.submit(reserve("h1", 1, key=stranger))
            same(refused(outcome), Code.UNAUTHORIZED)
        await store.save_workspace(workspace(status=WorkspaceStatus.SUSPENDED))
        same(refused(await store.submit(reserve("h1", 1))), Code.WORKSPACE_SUSPENDED)
        await store.save_workspace(workspace(status=WorkspaceStatus.PENDING))
        same(refused(await store.submit(reserve("h1", 1))), Code.WORKSPACE_PENDING)
        await store.save_workspace(workspace())
        is_a(await store.submit(reserve("h1", 1)), Reserved)
        await store.save_key(key(status=KeyStatus.REVOKED))
        same(refused(await store.submit(reserve("h2", 1))), Code.UNAUTHORIZED)
        is_a(await store.submit(capture("h1", 1)), Closed)

    @fact
    async def test_a_capture_debits_and_returns_the_rest(self, store: AuditedStore) -> None:
        """The charge goes to the house's revenue."""
        await settle_in(store)
        await store.submit(reserve("h1", 300))
        outcome = is_a(await store.submit(capture("h1", 120)), Closed)
        same((outcome.available, outcome.debt_added), (880, 0))
        same((outcome.hold.state, outcome.hold.charged), (HoldState.CAPTURED, 120))
        same(await store.holds(OURS), (outcome.hold,))
        same(await balances(store), (880, 0, 0))
        last = (await store.postings(OURS))[-1]
        same((last.house, last.house_account), (120, House.REVENUE))
        await check_journal(store, 3)

    @fact
    async def test_a_charge_above_the_hold_becomes_debt(self, store: AuditedStore) -> None:
        """First free balance, then debt, which blocks until credit settles it."""
        await settle_in(store)
        await store.submit(reserve("h1", 900))
        outcome = is_a(await store.submit(capture("h1", 1_250)), Closed)
        same((outcome.available, outcome.debt_added), (0, 250))
        same(refused(await store.submit(reserve("h2", 0))), Code.PAYMENT_REQUIRED)
        await store.submit(grant(300, "order-2"))
        same(await balances(store), (50, 0, 0))
        is_a(await store.submit(reserve("h2", 50)), Reserved)
        same(await audit_store(store), ())

    @fact
    async def test_every_hold_ends_exactly_once(self, store: AuditedStore) -> None:
        """A repeat of the end replays; any other end conflicts and changes nothing."""
        await settle_in(store)
        ends: dict[str, tuple[Command, Command | None]] = {
            "captured": (capture("captured", 7), capture("captured", 8)),
            "voided": (void("voided"), void("voided", Unbillable.PROVIDER_TIMEOUT)),
            "expired": (expire("expired"), None),
        }
        for identity, (end, varied) in ends.items():
            await store.submit(reserve(identity, 10))
            first = is_a(await store.submit(end), Closed)
            same(first.hold.state, identity)
            same(is_a(await store.submit(end), Closed).hold, first.hold)
            if varied is not None:
                same(conflict(await store.submit(varied)), Conflict.IDENTITY_REUSED)
            for other in (capture(identity, 7), void(identity), expire(identity)):
                if type(other) is not type(end):
                    same(conflict(await store.submit(other)), Conflict.HOLD_CLOSED)
        same(await balances(store), (993, 0, 0))
        await check_journal(store, 7)

    @fact
    async def test_an_unknown_hold_cannot_end(self, store: AuditedStore) -> None:
        """Nor can another workspace's."""
        await settle_in(store)
        await store.submit(reserve("h1", 10))
        for end in (capture("h2", 1), void("h2"), expire("h2"), capture("h1", 1, of=THEIRS)):
            same(conflict(await store.submit(end)), Conflict.UNKNOWN_HOLD)
        same(await balances(store), (990, 10, 0))

    @fact
    async def test_a_budget_warns_once_and_stops(self, store: AuditedStore) -> None:
        """Held and spent count both; what a void returns may be spent again."""
        await settle_in(store, usd_nanos=10_000)
        limits = spend_limits(Scope.KEY, KEY, Budget(daily_usd=NanoUsd(100)), AT)

        same(is_a(await spend_on(store, "h1", 70, limits), Reserved).warnings, ())
        warned = is_a(await spend_on(store, "h2", 20, limits), Reserved)
        same(warned.warnings, (limits[0].counter,))
        same(is_a(await spend_on(store, "h3", 10, limits), Reserved).warnings, ())
        same(refused(await spend_on(store, "h4", 1, limits)), Code.BUDGET_EXCEEDED)
        await store.submit(void("h1"))
        await store.submit(capture("h2", 15))
        is_a(await spend_on(store, "h5", 75, limits), Reserved)
        same(refused(await spend_on(store, "h6", 1, limits)), Code.BUDGET_EXCEEDED)
        books = is_a(await store.books(OURS), Books)
        same(books.counters, (Counter(limits[0].counter, 15, 85, warned=True),))
        same(await audit_store(store), ())

    @fact
    async def test_a_hold_spends_from_the_window_it_was_admitted_in(
        self, store: AuditedStore
    ) -> None:
        """Settled on the next day, it changes the day before."""
        await settle_in(store)
        budget = Budget(daily_usd=NanoUsd(100))
        today = spend_limits(Scope.KEY, KEY, budget, AT)
        tomorrow = spend_limits(Scope.KEY, KEY, budget, Instant(AT + DAY_MS))
        await store.submit(reserve("h1", 90, limits=today))
        is_a(await spend_on(store, "h2", 100, tomorrow), Reserved)
        await store.submit(capture("h1", 60))
        is_a(await spend_on(store, "h3", 40, today), Reserved)
        same(refused(await spend_on(store, "h4", 1, today)), Code.BUDGET_EXCEEDED)
        same(await audit_store(store), ())

    @fact
    async def test_a_minute_holds_as_many_requests_as_the_key_may_make(
        self, store: AuditedStore
    ) -> None:
        """Reservations and counted requests alike; the next minute is another."""
        await settle_in(store)
        rate = rate_limit(KEY, 2, AT)
        is_a(await store.submit(reserve("h1", 1, rate=rate)), Reserved)
        same(is_a(await store.submit(count(2)), Counted).rate.remaining, 0)
        same(refused(await store.submit(reserve("h2", 1, rate=rate))), Code.RATE_LIMITED)
        same(is_a(await store.submit(count(2)), Counted).rate.remaining, 0)
        later = rate_limit(KEY, 2, Instant(AT + 60_000))
        is_a(await store.submit(reserve("h2", 1, rate=later)), Reserved)

    @fact
    async def test_the_holds_of_dead_nodes_can_be_found_and_ended(
        self, store: AuditedStore
    ) -> None:
        """Those of the living node stay open."""
        await settle_in(store)
        for number, node in enumerate(("node_a", "node_b", "node_c", "node_b")):
            at = Instant(AT + number)
            await store.submit(reserve(f"h{number}", 10, node=NodeId(node), at=at))
        await store.submit(capture("h3", 10))
        orphans = await store.orphans(node=NodeId("node_a"))
        same([hold.id for hold in orphans], ["h1", "h2"])
        same(len(await store.orphans()), 3)
        same(await expire_orphans(store, NodeId("node_a"), AT), 2)
        same([hold.id for hold in await store.orphans()], ["h0"])
        same(await balances(store), (980, 10, 0))
        true(
            all(hold.reason is Unbillable.GATEWAY_CRASH for hold in (await store.holds(OURS))[1:3]),
            "an expired hold says that its gateway crashed",
        )

    @fact
    async def test_the_journal_is_read_in_pages(self, store: AuditedStore) -> None:
        """From the one after, at most so many."""
        await settle_in(store)
        for number in range(5):
            await store.submit(reserve(f"h{number}", 1))
        pages = [await store.postings(OURS, after=after, limit=2) for after in (0, 2, 4, 6)]
        same([[p.sequence for p in page] for page in pages], [[1, 2], [3, 4], [5, 6], []])
        same(await store.postings(THEIRS), ())
