"""`astrolabe ledger verify`: does the money add up?"""

import asyncio

import click

from astrolabe_core.ledger import Difference
from astrolabe_http.cli.frame import AstrolabeGroup, Common, Exit
from astrolabe_http.cli.screen import console, say, show_json
from astrolabe_http.cli.session import read_settings, require_database
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.wiring import verify_ledger


@click.group(cls=AstrolabeGroup)
def ledger() -> None:
    """The books of every workspace."""


@ledger.command("verify")
@click.option("--workspace", metavar="ID", help="Tell the differences of one workspace only.")
@click.pass_context
def verify(ctx: click.Context, common: Common, *, workspace: str | None) -> None:
    """Recompute every balance from the journal; exit 1 where anything differs.

    Safe while a gateway is serving: each workspace is read as of one moment.
    """
    settings = read_settings(common)
    require_database(settings)
    differences = [
        each for each in asyncio.run(verify_ledger(settings)) if workspace in {None, each.workspace}
    ]
    if common.json:
        told = [_difference_json(each) for each in differences]
        show_json({"ok": not differences, "differences": told})
    elif differences:
        made = Sheet.of(
            "Workspace",
            Column("What", prose=True),
            Column("Expected", prose=True),
            Column("Found", prose=True),
        )
        for each in differences:
            made.add(each.workspace, each.subject, each.expected, each.actual)
        console().print(made)
        say(f"{len(differences)} differences: keep a copy of the database before anything else.")
    else:
        console().print("ok: every balance is what its journal says", style="green")
    if differences:
        ctx.exit(int(Exit.FAILED))


def _difference_json(difference: Difference) -> dict[str, object]:
    return {
        "workspace": difference.workspace,
        "subject": difference.subject,
        "expected": difference.expected,
        "actual": difference.actual,
    }
