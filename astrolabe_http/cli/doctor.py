"""`astrolabe doctor`: what keeps this gateway from serving, and what is to be done?"""

import asyncio
import os
from collections.abc import Iterator
from typing import Final

import click
from attrs import frozen
from rich.padding import Padding
from rich.text import Text

from astrolabe_core.catalog import flaws
from astrolabe_core.ports import StorageUnavailable
from astrolabe_http.cli.errand import Answer, NoAnswer, send
from astrolabe_http.cli.frame import AstrolabeCommand, Common, Exit
from astrolabe_http.cli.screen import console, show_json
from astrolabe_http.cli.session import reason
from astrolabe_http.roster import RosterError, load_roster
from astrolabe_http.server import bind
from astrolabe_http.service import Service
from astrolabe_http.settings import InvalidSettings, Settings, UpstreamKind, load_settings
from astrolabe_http.wiring import OpeningError, database_file, open_service

UPSTREAM_TIMEOUT_S: Final = 5.0
SECRET_CHARACTERS_MIN: Final = 32


@frozen(kw_only=True)
class Finding:
    """One thing that was looked at. `remedy` is what to do where it is not ok."""

    check: str
    ok: bool
    message: str
    remedy: str | None = None


@click.command("doctor", cls=AstrolabeCommand, short_help="Say what is missing, and what to do.")
@click.pass_context
def doctor(ctx: click.Context, common: Common) -> None:
    """Check settings, secret, database, accounts, catalog, upstream and port.

    Changes nothing, asks no model, and exits 1 where anything is to be done.
    """
    findings = list(_findings(common))
    ok = all(each.ok for each in findings)
    if common.json:
        show_json({"ok": ok, "checks": [_json(each) for each in findings]})
    else:
        for each in findings:
            _tell(each)
    if not ok:
        ctx.exit(int(Exit.FAILED))


def _findings(common: Common) -> Iterator[Finding]:
    flags = {"database_url": common.database, "config": common.config}
    settings = load_settings(flags, os.environ, demo=True)
    if isinstance(settings, InvalidSettings):
        for finding in settings.findings:
            yield _problem("settings", finding, "correct it; docs/cli.md lists every setting")
        return
    yield _fine("settings", "all can be read")
    yield _secret(settings)
    yield from _database(settings)
    yield _catalog(settings)
    yield _upstream_key(settings)
    yield _upstream(settings)
    yield _port(settings)


def _secret(settings: Settings) -> Finding:
    if not settings.secret_key:
        message = "ASTROLABE_SECRET_KEY is not set; keys are stored under it"
        return _problem("secret", message, "'astrolabe init' makes one, in a file of its own")
    if len(settings.secret_key) < SECRET_CHARACTERS_MIN:
        message = f"ASTROLABE_SECRET_KEY has fewer than {SECRET_CHARACTERS_MIN} characters"
        remedy = "take a longer one (openssl rand -hex 32); keys must be made anew then"
        return _problem("secret", message, remedy)
    return _fine("secret", "is set")


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url
    try:
        file = database_file(url)
        if file is not None and not file.exists():
            yield _problem("database", f"{file} is not there", "'astrolabe init' makes it")
            return
        workspaces, keys, ready = asyncio.run(_count(settings))
    except (OpeningError, StorageUnavailable) as error:
        yield _problem("database", str(error), "check --database or ASTROLABE_DATABASE_URL")
        return
    if not ready:
        yield _problem("database", f"{url} cannot be written", "check its rights and its disk")
        return
    yield _fine("database", f"{url} can be read and written")
    if not workspaces:
        yield _problem("accounts", "there is no workspace", "'astrolabe init' makes one")
    elif not keys:
        yield _problem("accounts", "no workspace has a key", "'astrolabe keys create'")
    else:
        yield _fine("accounts", f"{_counted(workspaces, 'workspace')}, {_counted(keys, 'key')}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


async def _count(settings: Settings) -> tuple[int, int, bool]:
    service: Service = await open_service(settings)
    try:
        workspaces = await service.workspaces()
        keys = [len(await service.store.keys(each.id)) for each in workspaces]
        return len(workspaces), sum(keys), await service.store.ready()
    finally:
        await service.close()


def _catalog(settings: Settings) -> Finding:
    try:
        roster = load_roster(settings)
    except RosterError as error:
        remedy = "mend the file that ASTROLABE_CATALOG names; docs/catalog.md describes it"
        return _problem("catalog", str(error), remedy)
    found = flaws(roster.catalog)
    if found:
        message = "; ".join(f"{flaw.path}: {flaw.message}" for flaw in found[:3])
        return _problem("catalog", message, "install the package anew")
    models = _counted(len(roster.catalog.models), "model")
    lanes = _counted(len(roster.virtual_models), "virtual model")
    return _fine("catalog", f"{models} and {lanes}, sound")


def _upstream_key(settings: Settings) -> Finding:
    if settings.upstream_key:
        return _fine("provider key", "is set")
    if settings.upstream_kind is UpstreamKind.OPENAI:
        return _fine("provider key", "is not set; a plain server may ask for none")
    remedy = "set it; any text will do for an upstream that asks for none, such as the simulator"
    return _problem("provider key", "OPENROUTER_API_KEY is not set", remedy)


def _upstream(settings: Settings) -> Finding:
    url, key = settings.upstream_url, settings.upstream_key or None
    page = "models" if settings.upstream_kind is UpstreamKind.OPENAI else "key"
    found = send(f"{url}/{page}", key=key, timeout_s=UPSTREAM_TIMEOUT_S)
    if isinstance(found, Answer) and found.status == 404 and page == "key":
        # Not everything that speaks OpenRouter's API has this page of it.
        found = send(f"{url}/models", key=key, timeout_s=UPSTREAM_TIMEOUT_S)
    match found:
        case NoAnswer(message=message):
            remedy = "check ASTROLABE_UPSTREAM_URL and the way there"
            return _problem("upstream", f"{url} cannot be reached: {message}", remedy)
        case Answer(status=200):
            return _fine("upstream", f"{url} answers")
        case Answer(status=401 | 403) if key is None:
            return _fine("upstream", f"{url} answers, and asks for a key")
        case Answer(status=401 | 403):
            return _problem("upstream", f"{url} refuses the key", "check OPENROUTER_API_KEY")
        case Answer(status=status):
            plain = settings.upstream_kind is UpstreamKind.OPENAI
            remedy = f"the URL should end in {'/v1' if plain else '/api/v1'}"
            return _problem("upstream", f"{url} answers {status}", remedy)


def _port(settings: Settings) -> Finding:
    try:
        bind(settings.host, settings.port).close()
    except OSError as error:
        message = f"{settings.port} of {settings.host}: {reason(error).lower()}"
        remedy = "a gateway may be running there already; else set ASTROLABE_PORT"
        return _problem("port", message, remedy)
    return _fine("port", f"{settings.port} of {settings.host} is free")


def _fine(check: str, message: str) -> Finding:
    return Finding(check=check, ok=True, message=message)


def _problem(check: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, ok=False, message=message, remedy=remedy)


def _json(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "ok": finding.ok,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _tell(finding: Finding) -> None:
    mark = ("ok      ", "green") if finding.ok else ("problem ", "bold red")
    out = console()
    out.print(Text.assemble(mark, (finding.check.ljust(14), "bold"), finding.message))
    if finding.remedy:
        out.print(Padding(Text(f"→ {finding.remedy}", "cyan"), (0, 0, 0, 22)))
