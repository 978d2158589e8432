"""`astrolabe traces`: what happened to a request, and why?"""

import json

import click

from astrolabe_core.units import RequestId, WorkspaceId
from astrolabe_http.cli.frame import AstrolabeGroup, Common
from astrolabe_http.cli.screen import console, show_json
from astrolabe_http.cli.session import existing, on_accounts
from astrolabe_http.cli.story import tell


@click.group(cls=AstrolabeGroup)
def traces() -> None:
    """Route traces: every choice, explained."""


@traces.command("show")
@click.argument("request", metavar="REQUEST_ID")
@click.option("--workspace", metavar="ID", help="Look in this workspace only.")
def show(common: Common, *, request: str, workspace: str | None) -> None:
    """Tell the story of one request; its id is in the header x-request-id."""
    found = on_accounts(
        common,
        lambda service: service.trace(
            RequestId(request), None if workspace is None else WorkspaceId(workspace)
        ),
    )
    trace = json.loads(
        existing(found, next="'astrolabe usage --requests' lists requests; refused ones too")
    )
    if common.json:
        show_json(trace)
    else:
        tell(console(), trace)
