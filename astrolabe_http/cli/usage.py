"""`astrolabe usage`: which models were chosen, what was paid, what was saved?

The same rows and sums as `GET /v1/usage`, by the same functions; without `--workspace` over all
workspaces together.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

import click

from astrolabe_core.codes import Refusal
from astrolabe_core.units import WorkspaceId
from astrolabe_core.usage import UsageGrouping
from astrolabe_http.cli.frame import AstrolabeCommand, Common, usage_problem
from astrolabe_http.cli.screen import NONE, console, dollars, say, show_json
from astrolabe_http.cli.session import existing, on_accounts
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.cli.story import share
from astrolabe_http.service import Service
from astrolabe_http.usage_page import UsageAsked, read_usage_query, usage_page

COUNTS: Final = ("requests", "billable", "input_tokens", "output_tokens")
AMOUNTS: Final = ("debit_usd", "provider_cost_usd", "savings_usd")

Object = Mapping[str, Any]


@click.command("usage", cls=AstrolabeCommand, short_help="What was used, paid and saved.")
@click.option("--workspace", metavar="ID", help="This workspace only; else all together.")
@click.option(
    "--group-by",
    type=click.Choice([each.value for each in UsageGrouping]),
    default=UsageGrouping.MODEL.value,
    help="Sum by this; model.",
)
@click.option("--requests", "by_request", is_flag=True, help="List single requests instead.")
@click.option("--since", metavar="TIME", help="From this instant on: ISO 8601 or Unix seconds.")
@click.option("--until", metavar="TIME", help="Before this instant.")
@click.option("--key", metavar="ID", help="Of this key.")
@click.option("--model", metavar="ID", help="Answered by this model.")
@click.option("--stack", metavar="SLUG", help="Under this stack.")
@click.option("--billable/--unbillable", default=None, help="Paid for, or not.")
@click.option("--before", metavar="REQUEST_ID", help="With --requests: the page before this one.")
@click.option("--limit", metavar="N", help="With --requests: how many; 100.")
def usage(
    common: Common,
    *,
    workspace: str | None,
    group_by: str,
    by_request: bool,
    **filters: str | bool | None,
) -> None:
    """Show what was used, what it cost, and what it saved against the lane's reference model."""
    asked = _asked(filters, None if by_request else group_by)

    async def read(service: Service) -> list[dict[str, Any]]:
        if workspace is None:
            owners = [each.id for each in await service.workspaces()]
        else:
            owners = [existing(await service.workspace(WorkspaceId(workspace))).id]
        return [await usage_page(service.store, asked, owner) for owner in owners]

    pages = on_accounts(common, read)
    if by_request:
        _show_requests(common, pages, asked.query.limit)
    else:
        _show_totals(common, merged(each for page in pages for each in page["data"]), group_by)


def merged(rows: Iterable[Object]) -> list[dict[str, Any]]:
    """Add up the groups of several workspaces; the dearest first."""
    sums: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        sums[row["group"]] = _sum(sums.get(row["group"]), row)
    return sorted(sums.values(), key=lambda row: (-Decimal(row["debit_usd"]), row["group"] or ""))


def _asked(filters: Mapping[str, Any], group_by: str | None) -> UsageAsked:
    """Read the filters as the HTTP route reads its query string."""
    given = {name: _said(value) for name, value in filters.items() if value is not None}
    if group_by is not None:
        given["group_by"] = group_by
    asked = read_usage_query(urlencode(given).encode())
    if isinstance(asked, Refusal):
        usage_problem(f"--{asked.message}")
    return asked


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sum(first: Object | None, second: Object) -> dict[str, Any]:
    if first is None:
        return dict(second)
    added: dict[str, Any] = {name: first[name] + second[name] for name in COUNTS}
    for name in AMOUNTS:
        total = Decimal(first[name]) + Decimal(second[name])
        added[name] = f"{total.normalize():f}" if total else "0"
    return {**second, **added}


def _show_totals(common: Common, rows: list[dict[str, Any]], group_by: str) -> None:
    total: dict[str, Any] | None = None
    for row in rows:
        total = _sum(total, row)
    if common.json:
        everything = None if total is None else {**total, "group": None}
        show_json({"object": "list", "group_by": group_by, "data": rows, "total": everything})
        return
    if total is None:
        say("Nothing was used then.")
        return
    made = Sheet.of(
        group_by.capitalize(),
        Column("Requests", right=True),
        Column("Paid for", right=True, spare=3),
        Column("In", right=True, spare=1),
        Column("Out", right=True, spare=2),
        Column("Debit", right=True),
        Column("Saved", right=True),
        Column("Share", right=True),
    )
    for row in rows:
        made.add(row["group"] or NONE, *_cells(row))
    if len(rows) > 1:
        made.add("all", *_cells(total), style="bold", sums=True)
    console().print(made)


def _cells(row: Object) -> tuple[str, ...]:
    return (
        f"{row['requests']:,}",
        f"{row['billable']:,}",
        f"{row['input_tokens']:,}",
        f"{row['output_tokens']:,}",
        dollars(row["debit_usd"]),
        dollars(row["savings_usd"]),
        _share_saved(row),
    )


def _share_saved(row: Object) -> str:
    saved = Decimal(row["savings_usd"])
    return share(saved, saved + Decimal(row["debit_usd"])) or NONE


def _show_requests(common: Common, pages: list[dict[str, Any]], limit: int) -> None:
    found = sorted((row for page in pages for row in page["data"]), key=_newest, reverse=True)
    rows = found[:limit]
    more = len(found) > limit or any(page["has_more"] for page in pages)
    cursor = rows[-1]["request_id"] if more and rows else None
    if common.json:
        show_json({"object": "list", "data": rows, "has_more": more, "next_cursor": cursor})
        return
    if not rows:
        say("There is no such request.")
        return
    made = Sheet.of(
        "Request",
        Column("At (UTC)", spare=2),
        Column("Stack", spare=3),
        "Answered by",
        Column("Debit", right=True),
        Column("Saved", right=True, spare=1),
    )
    for row in rows:
        made.add(
            row["request_id"],
            row["at"][:19].replace("T", " "),
            row["stack"] or NONE,
            row["model"] or row["refusal"] or row["unbillable_reason"] or NONE,
            dollars(row["debit_usd"]),
            dollars(row["savings_usd"]),
        )
    console().print(made)
    if cursor:
        say(f"There is more: --before {cursor}")


def _newest(row: Object) -> str:
    return str(row["request_id"])
