"""`astrolabe init`: what is needed before the first request?

A secret, in a file that only its owner can read; settings that name it; a database; a workspace and
a first key. What is there already is kept.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import click
from attrs import evolve, frozen
from rich.text import Text

from astrolabe_core.accounts import Workspace
from astrolabe_http.cli.frame import AstrolabeCommand, Common, Problem
from astrolabe_http.cli.keys import key_json
from astrolabe_http.cli.screen import console, facts, say, show_json
from astrolabe_http.cli.session import existing, read_settings, work_on
from astrolabe_http.cli.workspaces import workspace_json
from astrolabe_http.service import KeyTerms, NewKey, Service
from astrolabe_http.settings import CONFIG_FILE, CONFIG_VARIABLE, Settings
from astrolabe_http.wiring import database_file

SECRET_FILE: Final = "astrolabe.secret"  # noqa: S105 - the name of a file
SECRET_BYTES: Final = 32


@frozen(kw_only=True)
class Made:
    """What was made; `None` for what was there already."""

    settings: Settings
    secret_file: Path | None
    config_file: Path | None
    workspace: Workspace | None
    key: NewKey | None


@click.command("init", cls=AstrolabeCommand, short_help="Make secret, database, first key.")
@click.option("--name", default="main", metavar="TEXT", help="Name of the workspace; main.")
def init(common: Common, *, name: str) -> None:
    """Make what a gateway needs, once: a secret, a database, a workspace and a key.

    The secret goes to astrolabe.secret, which only you can read, and astrolabe.toml beside it names
    it, so that later commands in this folder need no more. A secret that is set already is used.
    """
    made = _make(common, name)
    if common.json:
        show_json(_object(made))
    else:
        _tell(made)


def _make(common: Common, name: str) -> Made:
    config = Path(common.config or os.environ.get(CONFIG_VARIABLE) or CONFIG_FILE).absolute()
    # A file that is still to be made says nothing yet.
    settings = read_settings(common if config.is_file() else evolve(common, config=os.devnull))
    secret_file = config_file = None
    if not settings.secret_key:
        if _has_workspaces(settings):
            raise Problem(
                f"{settings.database_url} has workspaces already, and keys under a secret "
                "that is not set",
                next="set ASTROLABE_SECRET_KEY to that secret, or name another --database",
            )
        secret_file = config.parent / SECRET_FILE
        settings = evolve(settings, secret_key=_write_secret(secret_file))
        config_file = _write_config(config, settings, secret_file)

    async def make(service: Service) -> tuple[Workspace, NewKey] | None:
        if await service.workspaces():
            return None
        workspace = existing(await service.create_workspace(name))
        return workspace, existing(await service.create_key(workspace.id, KeyTerms(name="first")))

    found = work_on(settings, make)
    workspace, key = found or (None, None)
    return Made(
        settings=settings,
        secret_file=secret_file,
        config_file=config_file,
        workspace=workspace,
        key=key,
    )


def _has_workspaces(settings: Settings) -> bool:
    file = database_file(settings.database_url)
    if file is not None and not file.exists():
        return False
    return bool(work_on(settings, lambda service: service.workspaces()))


def _write_secret(file: Path) -> str:
    secret = secrets.token_hex(SECRET_BYTES)
    try:
        # Never readable by others, not even for a moment; never over another secret.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(
            f"{file} is there already",
            next=f"export ASTROLABE_SECRET_KEY_FILE={file}, or move it away",
        ) from None
    except OSError as error:
        raise Problem(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(secret + "\n")
    return secret


def _write_config(file: Path, settings: Settings, secret_file: Path) -> Path | None:
    """Write settings that name secret and database; a file that is there is left alone."""
    database = database_file(settings.database_url)
    url = settings.database_url if database is None else f"sqlite:///{database.absolute()}"
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(
                "# Settings of this gateway; docs/cli.md lists them all.\n"
                f"secret_key_file = {_quoted(str(secret_file))}\n"
                f"database_url = {_quoted(url)}\n"
            )
    except FileExistsError:
        return None
    except OSError as error:
        raise Problem(f"{file} cannot be written: {error.strerror}") from None
    return file


def _quoted(text: str) -> str:
    """Write a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _object(made: Made) -> dict[str, object]:
    key = made.key
    return {
        "database": made.settings.database_url,
        "secret_file": None if made.secret_file is None else str(made.secret_file),
        "config_file": None if made.config_file is None else str(made.config_file),
        "workspace": None if made.workspace is None else workspace_json(made.workspace),
        "key": None if key is None else {**key_json(key.key), "key": key.secret},
    }


def _tell(made: Made) -> None:
    told: dict[str, str | Text] = {"database": made.settings.database_url}
    if made.secret_file is not None:
        told["secret"] = str(made.secret_file)
    if made.config_file is not None:
        told["settings"] = str(made.config_file)
    if made.workspace is not None and made.key is not None:
        told["workspace"] = f"{made.workspace.id} ({made.workspace.name})"
        told["key"] = Text(made.key.secret, "bold green")
    console().print(facts(told))
    if made.secret_file is not None and made.config_file is None:
        say(f"Settings are there already. Set: export ASTROLABE_SECRET_KEY_FILE={made.secret_file}")
    if made.workspace is None:
        say("Workspaces are there already: nothing was added.")
        return
    say("The key is shown this once: keep it now.")
    say(f"Next: astrolabe credits grant --workspace {made.workspace.id} --usd 5")
    say("Then: astrolabe doctor, and astrolabe serve")
