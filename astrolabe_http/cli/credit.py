"""`astrolabe credits`: how much can a workspace spend, and where did it go?"""

import click
from rich.text import Text

from astrolabe_core.ledger import Posting, Wallet
from astrolabe_core.money import NanoUsd, usd, usd_text
from astrolabe_http.cli import workspaces
from astrolabe_http.cli.frame import AstrolabeGroup, Common, reading
from astrolabe_http.cli.screen import NONE, console, dollars, facts, moment, say, show_json
from astrolabe_http.cli.session import existing, on_accounts
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.cli.workspaces import choose_workspace
from astrolabe_http.service import Service

PAGE = 50


@click.group("credits", cls=AstrolabeGroup)
def credit() -> None:
    """Prepaid money: grant it, see what is left, read the journal."""


@credit.command("grant")
@workspaces.OPTION
@click.option(
    "--usd",
    "amount",
    required=True,
    callback=reading(usd),
    metavar="AMOUNT",
    help="Dollars, such as 5.00; up to nine decimals.",
)
@click.option("--note", default="", metavar="TEXT", help="What for; stands in the journal.")
@click.option("--id", "grant_id", metavar="ID", help="Granting the same ID again changes nothing.")
def grant(
    common: Common, *, workspace: str | None, amount: NanoUsd, note: str, grant_id: str | None
) -> None:
    """Add credit to a workspace."""

    async def add(service: Service) -> Wallet:
        owner = await choose_workspace(service, workspace)
        return existing(await service.grant_credit(owner.id, amount, note=note, grant=grant_id))

    _show(common, on_accounts(common, add))


@credit.command("balance")
@workspaces.OPTION
def balance(common: Common, *, workspace: str | None) -> None:
    """Show what a workspace can spend, what is held, what it owes."""

    async def look(service: Service) -> Wallet:
        owner = await choose_workspace(service, workspace)
        return existing(await service.balance(owner.id))

    _show(common, on_accounts(common, look))


@credit.command("ledger")
@workspaces.OPTION
@click.option(
    "--after", type=click.IntRange(0), default=0, metavar="N", help="Begin after this line."
)
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=PAGE, metavar="N", help=f"Lines; {PAGE}."
)
def ledger(common: Common, *, workspace: str | None, after: int, limit: int) -> None:
    """Show a page of a workspace's journal: every movement of its money, in order."""

    async def read(service: Service) -> tuple[Posting, ...]:
        owner = await choose_workspace(service, workspace)
        return existing(await service.postings(owner.id, after=after, limit=limit + 1))

    found = on_accounts(common, read)
    shown, more = found[:limit], len(found) > limit
    if common.json:
        show_json(
            {
                "object": "list",
                "data": [posting_json(each) for each in shown],
                "has_more": more,
                "next_after": shown[-1].sequence if more else None,
            }
        )
        return
    if not shown:
        say("The journal has no line there.")
        return
    made = Sheet.of(
        Column("#", right=True),
        Column("At (UTC)", spare=2),
        "What",
        Column("Available", right=True),
        Column("Held", right=True),
        Column("Debt", right=True, spare=1),
        "Of",
        Column("Note", prose=True, spare=3),
    )
    for each in shown:
        made.add(
            str(each.sequence),
            moment(each.at),
            each.kind.value,
            *(_change(change) for change in (each.available, each.held, each.debt)),
            each.reference,
            each.note,
        )
    console().print(made)
    if more:
        say(f"There is more: --after {shown[-1].sequence}")


def posting_json(posting: Posting) -> dict[str, object]:
    """Write a line of the journal; amounts are changes."""
    return {
        "sequence": posting.sequence,
        "object": "posting",
        "kind": posting.kind.value,
        "reference": posting.reference,
        "at": posting.at,
        "available_usd": usd_text(NanoUsd(posting.available)),
        "held_usd": usd_text(NanoUsd(posting.held)),
        "debt_usd": usd_text(NanoUsd(posting.debt)),
        "house_usd": usd_text(NanoUsd(posting.house)),
        "house_account": posting.house_account.value,
        "note": posting.note,
    }


def wallet_json(wallet: Wallet) -> dict[str, object]:
    """Write the balances of a workspace."""
    return {
        "workspace": wallet.workspace,
        "available_usd": usd_text(wallet.available),
        "held_usd": usd_text(wallet.held),
        "debt_usd": usd_text(wallet.debt),
    }


def _show(common: Common, wallet: Wallet) -> None:
    if common.json:
        show_json(wallet_json(wallet))
        return
    debt = Text(dollars(usd_text(wallet.debt)), "red" if wallet.debt else "")
    console().print(
        facts(
            {
                "workspace": wallet.workspace,
                "available": Text(dollars(usd_text(wallet.available)), "bold"),
                "held": dollars(usd_text(wallet.held)),
                "debt": debt,
            }
        )
    )


def _change(nanos: int) -> str:
    if not nanos:
        return NONE
    sign = "+" if nanos > 0 else ""
    return f"{sign}{usd_text(NanoUsd(nanos))}"
