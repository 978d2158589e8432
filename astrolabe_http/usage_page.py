"""How is usage asked for and shown?

Newest first, in pages: `before` is the last id of the page before, and `next_cursor` names it.
`group_by` sums instead. Amounts are decimal strings of dollars. Instants are read as ISO 8601 or
as Unix seconds, and written as ISO 8601 in UTC. Console and CLI show the same rows.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import evolve, frozen

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.money import NanoUsd, usd_text
from astrolabe_core.ports import Records
from astrolabe_core.rendering import usage_json
from astrolabe_core.units import Instant, KeyId, ModelId, RequestId, WorkspaceId
from astrolabe_core.usage import PAGE_MAX, UsageGrouping, UsageQuery, UsageRecord, UsageTotals
from astrolabe_http.ids import REQUEST_ID_PATTERN

PAGE_DEFAULT: Final = 100
TEXT_CHARS_MAX: Final = 200
_CURSOR: Final = re.compile(REQUEST_ID_PATTERN)


@frozen(kw_only=True)
class UsageAsked:
    """What a query string asks for; `query.workspace` is filled in once the caller is known."""

    query: UsageQuery
    grouping: UsageGrouping | None = None


def read_usage_query(query_string: bytes) -> UsageAsked | Refusal:
    """Read the query string; a name or a value that is not understood is refused by name."""
    given: dict[str, str] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name not in FILTERS:
            return _invalid(name, f"is not a filter; there are {', '.join(FILTERS)}")
        if name in given:
            return _invalid(name, "was given twice")
        given[name] = value
    values: dict[str, Any] = {}
    for name, text in given.items():
        field, read = FILTERS[name]
        try:
            values[field] = read(text)
        except ValueError as error:
            return _invalid(name, str(error))
    grouping = values.pop("group_by", None)
    query = evolve(UsageQuery(workspace=WorkspaceId(""), limit=PAGE_DEFAULT), **values)
    return UsageAsked(
        query=query, grouping=grouping if isinstance(grouping, UsageGrouping) else None
    )


async def usage_page(
    store: Records, asked: UsageAsked, workspace: WorkspaceId
) -> dict[str, object]:
    """Give one page of rows, or the sums of the groups."""
    query = evolve(asked.query, workspace=workspace)
    if asked.grouping is not None:
        totals = await store.usage_totals(query, asked.grouping)
        return {
            "object": "list",
            "group_by": asked.grouping.value,
            "data": [totals_json(each) for each in totals],
            "has_more": False,
            "next_cursor": None,
        }
    # One more than asked for tells whether there is another page, except on the largest.
    wanted = min(query.limit + 1, PAGE_MAX)
    rows = await store.usage(evolve(query, limit=wanted))
    shown = rows[: query.limit]
    more = len(rows) > len(shown) or (len(rows) == PAGE_MAX == query.limit)
    return {
        "object": "list",
        "data": [usage_row(row) for row in shown],
        "has_more": more,
        "next_cursor": shown[-1].request if more and shown else None,
    }


def usage_row(row: UsageRecord) -> dict[str, object]:
    """Write how one request ended."""
    return {
        "id": row.request,
        "object": "usage",
        "request_id": row.request,
        "at": instant_text(row.at),
        "key": row.key,
        "surface": row.surface,
        "stream": row.stream,
        "requested_model": row.model,
        "model": row.served,
        "selected_model": row.selected,
        "stack": row.stack,
        "stack_version": row.stack_version,
        "category": row.category,
        "decision": None if row.kind is None else row.kind.value,
        "refusal": None if row.refusal is None else row.refusal.value,
        "billable": row.billable,
        "unbillable_reason": None if row.unbillable is None else row.unbillable.value,
        "attempts": row.attempts,
        "usage": None if row.usage is None else usage_json(row.usage),
        "hold_usd": usd_text(row.hold),
        "debit_usd": usd_text(row.debit),
        "provider_cost_usd": _usd(row.provider_cost),
        "estimated_cost_usd": _usd(row.estimated),
        "baseline_cost_usd": _usd(row.baseline),
        "savings_usd": _usd(row.savings),
        "latency_ms": row.latency_ms,
        "first_token_ms": row.first_token_ms,
    }


def totals_json(totals: UsageTotals) -> dict[str, object]:
    """Write the sums of one group."""
    return {
        "object": "usage_totals",
        "group": totals.group,
        "requests": totals.requests,
        "billable": totals.billable,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "debit_usd": usd_text(totals.debit),
        "provider_cost_usd": usd_text(totals.provider_cost),
        "savings_usd": usd_text(totals.savings),
    }


def instant_text(at: Instant) -> str:
    """Write an instant as ISO 8601 in UTC."""
    seconds, millis = divmod(at, 1_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def _usd(amount: NanoUsd | None) -> str | None:
    return None if amount is None else usd_text(amount)


def _instant(text: str) -> Instant:
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return Instant(int(text) * 1_000)
    try:
        # A `+` that was not percent-encoded has become a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise ValueError(
            "must be ISO 8601, such as 2026-11-21T12:00:00Z, or Unix seconds"
        ) from None
    return Instant(
        int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
    )


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= PAGE_MAX):
        raise ValueError(f"must be a whole number from 1 to {PAGE_MAX}")
    return int(text)


def _grouping(text: str) -> UsageGrouping:
    try:
        return UsageGrouping(text)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(UsageGrouping)}") from None


def _text(text: str) -> str:
    if not 0 < len(text) <= TEXT_CHARS_MAX:
        raise ValueError(f"must be 1 to {TEXT_CHARS_MAX} characters")
    return text


def _cursor(text: str) -> RequestId:
    if _CURSOR.fullmatch(text) is None:
        raise ValueError("must be the next_cursor of a page")
    return RequestId(text)


FILTERS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "since": ("since", _instant),
    "until": ("until", _instant),
    "key": ("key", lambda text: KeyId(_text(text))),
    "model": ("model", lambda text: ModelId(_text(text))),
    "stack": ("stack", _text),
    "billable": ("billable", _boolean),
    "before": ("before", _cursor),
    "limit": ("limit", _limit),
    "group_by": ("group_by", _grouping),
}


def _invalid(name: str, message: str) -> Refusal:
    shown = name[:60]
    return Refusal(code=Code.INVALID_REQUEST, message=f"{shown} {message}", param=shown)
