"""Does a store keep how requests ended, and show it to nobody else?"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final

from astrolabe_core.codes import Code, Kind, Unbillable
from astrolabe_core.ledger import Closed, Ending
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import DAY_MS, Instant, KeyId, Millis, ModelId, RequestId, Tokens
from astrolabe_core.usage import Usage, UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.facts import Opens, fact, is_a, same
from astrolabe_storage.conformance.world import (
    AT,
    KEY,
    OURS,
    THEIRS,
    capture,
    count,
    ending,
    reserve,
    settle_in,
    void,
)

EVERYTHING: Final = ending(
    "req_0",
    '{"whole": "é\\u2028"}',
    stream=True,
    surface="responses",
    stack="mine",
    stack_version=3,
    category="coding",
    kind=Kind.SELECTED,
    selected=ModelId("a/one"),
    served=ModelId("b/two"),
    attempts=2,
    usage=Usage(
        input_tokens=Tokens(100),
        output_tokens=Tokens(20),
        cached_input_tokens=Tokens(30),
        cache_write_tokens=Tokens(4),
        reasoning_tokens=Tokens(5),
        images=1,
    ),
    hold=NanoUsd(10),
    debit=NanoUsd(7),
    provider_cost=NanoUsd(6),
    estimated=NanoUsd(8),
    baseline=NanoUsd(20),
    latency_ms=Millis(900),
    first_token_ms=Millis(90),
)


class RecordsSuite(Opens):
    """Usage rows and traces."""

    @fact
    async def test_an_ending_is_kept_as_it_was_given(self, store: AuditedStore) -> None:
        """Every field of it, with the capture that it came with."""
        await settle_in(store)
        await store.submit(reserve("h1", 10))
        is_a(await store.submit(capture("h1", 7, EVERYTHING)), Closed)
        same(await store.usage(UsageQuery(workspace=OURS)), (EVERYTHING.usage,))
        same(await store.trace(OURS, RequestId("req_0")), EVERYTHING.trace)

    @fact
    async def test_an_ending_with_little_is_kept_too(self, store: AuditedStore) -> None:
        """With a void, and where nothing was ever held; without a trace there is none."""
        await settle_in(store)
        await store.submit(reserve("h1", 10))
        voided = ending("req_1", unbillable=Unbillable.PROVIDER_ERROR)
        refused = ending("req_2", "{}", refusal=Code.UNKNOWN_MODEL)
        await store.submit(void("h1", ending=voided))
        await store.submit(count(ending=refused))
        await store.submit(count())
        same(await store.usage(UsageQuery(workspace=OURS)), (refused.usage, voided.usage))
        same(await store.trace(OURS, RequestId("req_1")), None)
        same(await store.trace(OURS, RequestId("req_2")), "{}")

    @fact
    async def test_a_replay_writes_no_second_ending(self, store: AuditedStore) -> None:
        """Nor does an end that is refused."""
        await settle_in(store)
        await store.submit(reserve("h1", 10))
        await store.submit(capture("h1", 7, ending("req_1", '"first"')))
        await store.submit(capture("h1", 7, ending("req_1", '"second"')))
        await store.submit(capture("h1", 8, ending("req_2", '"third"')))
        await store.submit(void("h1", ending=ending("req_3")))
        same(len(await store.usage(UsageQuery(workspace=OURS))), 1)
        same(await store.trace(OURS, RequestId("req_1")), '"first"')

    @fact
    async def test_a_full_minute_keeps_the_ending_all_the_same(self, store: AuditedStore) -> None:
        """What was refused for its rate is seen in the usage."""
        await settle_in(store)
        for number in range(3):
            await store.submit(count(1, ending(f"req_{number}", "{}")))
        same(len(await store.usage(UsageQuery(workspace=OURS))), 3)

    @fact
    async def test_another_workspace_sees_neither_trace_nor_usage(
        self, store: AuditedStore
    ) -> None:
        """Not even by the request's id."""
        await settle_in(store)
        await store.submit(count(ending=ending("req_1", "{}")))
        same(await store.trace(THEIRS, RequestId("req_1")), None)
        same(await store.usage(UsageQuery(workspace=THEIRS)), ())
        same(await store.usage_totals(UsageQuery(workspace=THEIRS), UsageGrouping.KEY), ())

    @fact
    async def test_usage_is_filtered_and_newest_first(self, store: AuditedStore) -> None:
        """Every filter alone and all together, against the same said in Python."""
        rows = await _with_usage(store)
        filters = {
            "since": Instant(AT + DAY_MS),
            "until": Instant(AT + DAY_MS),
            "key": KeyId("key_1"),
            "model": ModelId("a/one"),
            "stack": "mine",
            "billable": True,
        }
        chosen = [{name: value} for name, value in filters.items()]
        chosen += [{"billable": False}, filters, {**filters, "until": Instant(AT + 3 * DAY_MS)}]
        for given in chosen:
            query = UsageQuery(workspace=OURS, limit=1_000, **given)  # type: ignore[arg-type]
            expected = tuple(row for row in reversed(rows) if _matches(row, query))
            same(await store.usage(query), expected, f"usage by {given}")

    @fact
    async def test_usage_is_paged_by_request(self, store: AuditedStore) -> None:
        """Pages meet without a gap and without a repeat, filtered or not."""
        rows = await _with_usage(store)
        for billable, expected in ((None, rows), (True, [row for row in rows if row.billable])):
            seen: list[UsageRecord] = []
            before = None
            while page := await store.usage(
                UsageQuery(workspace=OURS, billable=billable, before=before, limit=7)
            ):
                seen += page
                before = page[-1].request
            same(seen, list(reversed(expected)))

    @fact
    async def test_usage_is_summed_by_every_grouping(self, store: AuditedStore) -> None:
        """Largest debit first; paging is ignored, filters are not."""
        rows = await _with_usage(store)
        names: dict[UsageGrouping, Callable[[UsageRecord], str | None]] = {
            UsageGrouping.MODEL: lambda row: row.served,
            UsageGrouping.KEY: lambda row: row.key,
            UsageGrouping.STACK: lambda row: row.stack,
            UsageGrouping.CATEGORY: lambda row: row.category,
            UsageGrouping.DAY: lambda row: f"2026-11-{21 + row.at // DAY_MS - AT // DAY_MS}",
        }
        for grouping, name in names.items():
            for billable in (None, True):
                query = UsageQuery(
                    workspace=OURS, billable=billable, limit=1, before=RequestId("req_05")
                )
                chosen = [row for row in rows if billable is None or row.billable]
                expected = {
                    group: [row for row in chosen if name(row) == group]
                    for group in {name(row) for row in chosen}
                }
                totals = await store.usage_totals(query, grouping)
                same({sums.group: sums for sums in totals}, _sums(expected), f"by {grouping}")
                debits = [sums.debit for sums in totals]
                same(debits, sorted(debits, reverse=True), "order of the sums")


async def _with_usage(store: AuditedStore) -> list[UsageRecord]:
    """Let thirty requests of three days end, of every kind."""
    await settle_in(store)
    kinds: Iterator[dict[str, Any]] = itertools.cycle(
        [
            {"served": "a/one", "stack": "mine", "category": "coding"},
            {"served": "b/two", "category": "research", "baseline": NanoUsd(3)},
            {"refusal": Code.ROUTING_POLICY_BLOCKED},
            {"served": "a/one", "unbillable": Unbillable.MISSING_PROVIDER_USAGE},
        ]
    )
    rows = []
    for number, kind in zip(range(30), kinds, strict=False):
        paid = "served" in kind and "unbillable" not in kind
        ended: Ending = ending(
            f"req_{number:02}",
            at=Instant(AT + number * DAY_MS // 12),
            key=KeyId(f"key_{number % 3}" if number % 2 else KEY),
            debit=NanoUsd(number if paid else 0),
            provider_cost=NanoUsd(number // 2) if paid else None,
            usage=Usage(input_tokens=Tokens(number), output_tokens=Tokens(2)) if paid else None,
            **kind,
        )
        await store.submit(count(ending=ended))
        rows.append(ended.usage)
    return rows


def _matches(row: UsageRecord, query: UsageQuery) -> bool:
    return not (
        (query.since is not None and row.at < query.since)
        or (query.until is not None and row.at >= query.until)
        or (query.key is not None and row.key != query.key)
        or (query.model is not None and row.served != query.model)
        or (query.stack is not None and row.stack != query.stack)
        or (query.billable is not None and row.billable is not query.billable)
    )


def _sums(groups: dict[str | None, list[UsageRecord]]) -> dict[str | None, UsageTotals]:
    return {
        group: UsageTotals(
            group=group,
            requests=len(rows),
            billable=sum(1 for row in rows if row.billable),
            input_tokens=sum(row.usage.input_tokens if row.usage else 0 for row in rows),
            output_tokens=sum(row.usage.output_tokens if row.usage else 0 for row in rows),
            debit=NanoUsd(sum(row.debit for row in rows)),
            provider_cost=NanoUsd(sum(row.provider_cost or 0 for row in rows)),
            savings=NanoUsd(sum(row.savings or 0 for row in rows)),
        )
        for group, rows in groups.items()
    }
