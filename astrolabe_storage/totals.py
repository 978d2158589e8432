"""Which usage rows match a query, and what do they come to?  Said in plain Python.

What SQL backends say with `WHERE` and `GROUP BY`; the conformance suite holds them to it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import assert_never

from astrolabe_core.money import NanoUsd
from astrolabe_core.units import Instant
from astrolabe_core.usage import UsageGrouping, UsageQuery, UsageRecord, UsageTotals


def matches(row: UsageRecord, query: UsageQuery) -> bool:
    """Say whether a row passes every filter of a query; paging is no filter."""
    return (
        row.workspace == query.workspace
        and (query.since is None or row.at >= query.since)
        and (query.until is None or row.at < query.until)
        and (query.key is None or row.key == query.key)
        and (query.model is None or row.served == query.model)
        and (query.stack is None or row.stack == query.stack)
        and (query.billable is None or row.billable == query.billable)
    )


def sum_up(rows: Iterable[UsageRecord], grouping: UsageGrouping) -> tuple[UsageTotals, ...]:
    """Sum rows by group, largest debit first, then by name with `None` before all."""
    groups: dict[str | None, list[UsageRecord]] = {}
    for row in rows:
        groups.setdefault(_group(row, grouping), []).append(row)
    sums = [_sum(group, members) for group, members in groups.items()]
    return tuple(
        sorted(sums, key=lambda sums: (-sums.debit, sums.group is not None, sums.group or ""))
    )


def _group(row: UsageRecord, grouping: UsageGrouping) -> str | None:
    match grouping:
        case UsageGrouping.MODEL:
            return row.served
        case UsageGrouping.KEY:
            return row.key
        case UsageGrouping.STACK:
            return row.stack
        case UsageGrouping.CATEGORY:
            return row.category
        case UsageGrouping.DAY:
            return _day(row.at)
        case _:
            assert_never(grouping)


def _day(at: Instant) -> str:
    return datetime.fromtimestamp(at // 1_000, UTC).date().isoformat()


def _sum(group: str | None, rows: list[UsageRecord]) -> UsageTotals:
    return UsageTotals(
        group=group,
        requests=len(rows),
        billable=sum(row.billable for row in rows),
        input_tokens=sum(row.usage.input_tokens for row in rows if row.usage),
        output_tokens=sum(row.usage.output_tokens for row in rows if row.usage),
        debit=NanoUsd(sum(row.debit for row in rows)),
        provider_cost=NanoUsd(sum(row.provider_cost or 0 for row in rows)),
        savings=NanoUsd(sum(row.savings or 0 for row in rows)),
    )
