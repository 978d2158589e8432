"""`astrolabe workspaces`: who has an account here?"""

from collections.abc import Iterable

import click
from rich.text import Text

from astrolabe_core.accounts import Workspace, WorkspaceStatus
from astrolabe_core.units import WorkspaceId
from astrolabe_http.cli.frame import AstrolabeGroup, Common, Exit, Problem, usage_problem
from astrolabe_http.cli.screen import NONE, console, facts, moment, say, show_json
from astrolabe_http.cli.session import existing, on_accounts
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.service import Service

OPTION = click.option(
    "--workspace", metavar="ID", help="The workspace; may be left out where there is only one."
)


@click.group(cls=AstrolabeGroup)
def workspaces() -> None:
    """Accounts: each owns its keys, its credit and its traces."""


@workspaces.command("create")
@click.argument("name")
def create(common: Common, *, name: str) -> None:
    """Make a workspace, with an empty wallet."""
    made = on_accounts(common, lambda service: service.create_workspace(name), create=True)
    _show(common, existing(made))
    if not common.json:
        say(f"Next: astrolabe keys create --workspace {existing(made).id}")


@workspaces.command("list")
def list_all(common: Common) -> None:
    """List all workspaces, oldest first."""
    found = on_accounts(common, lambda service: service.workspaces())
    if common.json:
        show_json({"object": "list", "data": [workspace_json(each) for each in found]})
        return
    if not found:
        say("There is no workspace yet: astrolabe workspaces create NAME")
        return
    made = Sheet.of(
        "ID",
        Column("Name", prose=True),
        "Status",
        Column("Stack", spare=1),
        Column("Created (UTC)", spare=2),
    )
    for each in found:
        status = _status(each.status)
        made.add(each.id, each.name, status, each.stack or NONE, moment(each.created_at))
    console().print(made)


@workspaces.command("show")
@click.argument("workspace", metavar="ID")
def show(common: Common, *, workspace: str) -> None:
    """Show one workspace."""
    found = on_accounts(common, lambda service: service.workspace(WorkspaceId(workspace)))
    _show(common, existing(found))


@workspaces.command("suspend")
@click.argument("workspace", metavar="ID")
def suspend(common: Common, *, workspace: str) -> None:
    """Refuse a workspace's requests from the next one on."""
    _set(common, workspace, WorkspaceStatus.SUSPENDED)


@workspaces.command("activate")
@click.argument("workspace", metavar="ID")
def activate(common: Common, *, workspace: str) -> None:
    """Admit a workspace's requests again, or for the first time."""
    _set(common, workspace, WorkspaceStatus.ACTIVE)


async def choose_workspace(service: Service, named: str | None) -> Workspace:
    """Find the workspace that was named; the only one there is needs no name."""
    if named is not None:
        return existing(await service.workspace(WorkspaceId(named)))
    found = await service.workspaces()
    if not found:
        raise Problem(
            "there is no workspace yet",
            next="astrolabe workspaces create NAME",
            code=Exit.NOT_FOUND,
        )
    if len(found) > 1:
        usage_problem(f"which of {len(found)} workspaces?", next=f"--workspace {_some(found)}")
    return found[0]


def workspace_json(workspace: Workspace) -> dict[str, object]:
    """Write a workspace."""
    return {
        "id": workspace.id,
        "object": "workspace",
        "name": workspace.name,
        "status": workspace.status.value,
        "stack": workspace.stack,
        "created_at": workspace.created_at,
    }


def _some(found: Iterable[Workspace]) -> str:
    return " or ".join(f"{each.id} ({each.name})" for each in list(found)[:5])


def _set(common: Common, workspace: str, status: WorkspaceStatus) -> None:
    found = on_accounts(common, lambda service: service.set_status(WorkspaceId(workspace), status))
    _show(common, existing(found))


def _show(common: Common, workspace: Workspace) -> None:
    if common.json:
        show_json(workspace_json(workspace))
        return
    console().print(
        facts(
            {
                "id": workspace.id,
                "name": workspace.name,
                "status": _status(workspace.status),
                "stack": workspace.stack or NONE,
                "created": f"{moment(workspace.created_at)} UTC",
            }
        )
    )


def _status(status: WorkspaceStatus) -> Text:
    return Text(status.value, "green" if status is WorkspaceStatus.ACTIVE else "red")
