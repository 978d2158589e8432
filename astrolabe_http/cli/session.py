"""How does a command get at settings and accounts?"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from astrolabe_http.cli.frame import Common, Exit, Problem
from astrolabe_http.service import Missing, Service, Unfit
from astrolabe_http.settings import InvalidSettings, Settings, load_settings
from astrolabe_http.wiring import database_file, open_service

T = TypeVar("T")


def read_settings(common: Common, *, secret: bool = False, **flags: object) -> Settings:
    """Gather the settings; `secret` where the command cannot do without it."""
    given = {
        "database_url": common.database,
        "config": common.config,
        **{name: None if value is None else str(value) for name, value in flags.items()},
    }
    found = load_settings(given, os.environ, demo=not secret)
    if isinstance(found, InvalidSettings):
        raise Problem(str(found), next="'astrolabe doctor' checks every setting", code=Exit.USAGE)
    return found


def on_accounts(
    common: Common,
    work: Callable[[Service], Awaitable[T]],
    *,
    secret: bool = False,
    create: bool = False,
) -> T:
    """Open the accounts, work on them, and close them; a new database only with `create`."""
    settings = read_settings(common, secret=secret)
    if not create:
        require_database(settings)
    return work_on(settings, work)


def work_on(settings: Settings, work: Callable[[Service], Awaitable[T]]) -> T:
    """Open the accounts that settings name, work on them, and close them."""

    async def run() -> T:
        service = await open_service(settings)
        try:
            return await work(service)
        finally:
            await service.close()

    return asyncio.run(run())


def require_database(settings: Settings) -> None:
    """Refuse a database that is not there: a mistyped path would look like an empty one."""
    file = database_file(settings.database_url)
    if file is not None and not file.exists():
        raise Problem(
            f"there is no database at {file}",
            next="'astrolabe init' makes one; --database or ASTROLABE_DATABASE_URL names another",
            code=Exit.NOT_FOUND,
        )


def existing(found: T | Missing | Unfit, *, next: str = "") -> T:  # noqa: A002 - as in Problem
    """Give what was found or made, or say why it was not."""
    if isinstance(found, Missing):
        raise Problem(found.message, next=next or _where(found.message), code=Exit.NOT_FOUND)
    if isinstance(found, Unfit):
        raise Problem(found.message, next=next)
    return found


def _where(message: str) -> str:
    for noun in ("workspace", "key"):
        if f"no {noun} " in message:
            return f"'astrolabe {noun}s list' shows those that there are"
    return ""


def taken(host: str, port: int, error: OSError) -> Problem:
    """Say that an address cannot be listened on."""
    return Problem(
        f"port {port} of {host} cannot be taken: {reason(error)}",
        next="name another with --port, or any free one with --port 0",
    )


def reason(error: OSError) -> str:
    """Say what the system says, without what libraries add."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__
