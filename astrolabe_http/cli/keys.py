"""`astrolabe keys`: who may call, in which workspace, within which bounds?"""

import click
from rich.console import RenderableType
from rich.text import Text

from astrolabe_core.accounts import RATE_LIMIT_DEFAULT, Key, KeyStatus
from astrolabe_core.codec import boundaries_from_json, read_boundaries, write_boundaries
from astrolabe_core.stacks import Boundaries
from astrolabe_core.units import KeyId, StackSlug
from astrolabe_http.cli import workspaces
from astrolabe_http.cli.documents import read_document
from astrolabe_http.cli.frame import AstrolabeGroup, Common
from astrolabe_http.cli.screen import NONE, console, facts, say, show_json
from astrolabe_http.cli.session import existing, on_accounts
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.cli.workspaces import choose_workspace
from astrolabe_http.service import KeyTerms, Missing, NewKey, Service


@click.group(cls=AstrolabeGroup)
def keys() -> None:
    """Gateway keys: made once, shown once, kept only as a hash."""


@keys.command("create")
@workspaces.OPTION
@click.option("--name", default="", metavar="TEXT", help="What the key is for.")
@click.option("--stack", metavar="SLUG", help="Stack of requests that name none.")
@click.option(
    "--rate-limit",
    type=click.IntRange(1),
    default=RATE_LIMIT_DEFAULT,
    metavar="N",
    help=f"Requests a minute; {RATE_LIMIT_DEFAULT:,}.",
)
@click.option("--envelope", metavar="FILE", help="Boundaries of the key, JSON or TOML.")
def create(
    common: Common,
    *,
    workspace: str | None,
    name: str,
    stack: str | None,
    rate_limit: int,
    envelope: str | None,
) -> None:
    """Make a key. It is shown now and never again."""
    terms = KeyTerms(
        name=name,
        stack=None if stack is None else StackSlug(stack),
        rate_limit=rate_limit,
        envelope=None if envelope is None else _envelope(envelope),
    )

    async def make(service: Service) -> NewKey:
        owner = await choose_workspace(service, workspace)
        return existing(await service.create_key(owner.id, terms))

    made = on_accounts(common, make, secret=True)
    if common.json:
        show_json({**key_json(made.key), "key": made.secret})
        return
    console().print(facts({"key": Text(made.secret, "bold green"), **_facts(made.key)}))
    say("The key is shown this once: keep it now.")


@keys.command("list")
@workspaces.OPTION
def list_all(common: Common, *, workspace: str | None) -> None:
    """List the keys of a workspace, oldest first."""

    async def find(service: Service) -> tuple[Key, ...]:
        owner = await choose_workspace(service, workspace)
        return existing(await service.keys(owner.id))

    found = on_accounts(common, find)
    if common.json:
        show_json({"object": "list", "data": [key_json(each) for each in found]})
        return
    if not found:
        say("There is no key yet: astrolabe keys create")
        return
    made = Sheet.of(
        "ID",
        "Key",
        Column("Name", prose=True),
        "Status",
        Column("Stack", spare=1),
        Column("A minute", right=True, spare=2),
    )
    for each in found:
        stack, status = each.stack or NONE, _status(each.status)
        made.add(each.id, each.display, each.name, status, stack, f"{each.rate_limit:,}")
    console().print(made)


@keys.command("show")
@click.argument("key", metavar="ID")
@workspaces.OPTION
def show(common: Common, *, key: str, workspace: str | None) -> None:
    """Show one key, all but its secret."""

    async def find(service: Service) -> Key:
        return await _find(service, key, workspace)

    _show(common, on_accounts(common, find))


@keys.command("revoke")
@click.argument("key", metavar="ID")
@workspaces.OPTION
def revoke(common: Common, *, key: str, workspace: str | None) -> None:
    """End a key for good, from the next request on."""

    async def end(service: Service) -> Key:
        found = await _find(service, key, workspace)
        return existing(await service.revoke_key(found.id))

    _show(common, on_accounts(common, end))


def key_json(key: Key) -> dict[str, object]:
    """Write a key, all but its secret."""
    return {
        "id": key.id,
        "object": "key",
        "prefix": key.prefix,
        "last_four": key.last_four,
        "workspace": key.workspace,
        "name": key.name,
        "status": key.status.value,
        "stack": key.stack,
        "rate_limit": key.rate_limit,
        "envelope": None if key.envelope is None else write_boundaries(key.envelope),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


async def _find(service: Service, key: str, workspace: str | None) -> Key:
    found = await service.store.key(KeyId(key))
    if found is None or workspace not in {None, found.workspace}:
        return existing(Missing(f"there is no key {key}"))
    return found


def _envelope(path: str) -> Boundaries:
    return read_document(path, boundaries_from_json, read_boundaries)


def _show(common: Common, key: Key) -> None:
    if common.json:
        show_json(key_json(key))
    else:
        console().print(facts({"key": key.display, **_facts(key)}))


def _facts(key: Key) -> dict[str, RenderableType]:
    told: dict[str, RenderableType] = {
        "id": key.id,
        "workspace": key.workspace,
        "name": key.name or NONE,
        "status": _status(key.status),
        "stack": key.stack or NONE,
        "rate limit": f"{key.rate_limit:,} a minute",
    }
    if key.envelope is not None:
        usual = write_boundaries(Boundaries())
        told["envelope"] = "\n".join(
            f"{name}: {_said(value)}"
            for name, value in write_boundaries(key.envelope).items()
            if value != usual[name]
        )
    return told


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _status(status: KeyStatus) -> Text:
    return Text(status.value, "green" if status is KeyStatus.ACTIVE else "red")
