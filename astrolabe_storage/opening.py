"""Which store does a URL name, and can it be opened?

- `memory://` is in this process, and gone with it.
- `sqlite:///relative` is one file, from the working directory; `sqlite:////absolute` is one
  from the root.
- `postgresql://…` is not in this version.
"""

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from astrolabe_storage.books import AuditedStore
from astrolabe_storage.errors import OpeningError
from astrolabe_storage.memory import MemoryStore
from astrolabe_storage.sqlite import SqliteStore

FORMS: Final = "memory://, sqlite:///relative/path.db or sqlite:////absolute/path.db"


async def open_store(url: str, *, serving: bool = False) -> AuditedStore:
    """Open the store that a URL names. Raises `OpeningError`, which says what to do.

    `serving` is for a gateway: a database that another gateway serves is refused then.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise OpeningError(f"{url!r} is no database URL; write {FORMS}")
    match scheme.lower():
        case "memory":
            if rest:
                raise OpeningError(f"memory:// takes nothing after it, not {rest!r}")
            return MemoryStore()
        case "sqlite":
            return await asyncio.to_thread(SqliteStore.open, _path(rest), serving=serving)
        case "postgresql" | "postgres":
            # The URL itself may hold a password: it is not repeated.
            raise OpeningError(f"PostgreSQL is not in this version; write {FORMS}")
        case _:
            raise OpeningError(f"there is no storage for {scheme}:// URLs; write {FORMS}")


def file_of(url: str) -> Path | None:
    """Give the file that a SQLite URL names, there or not; `None` for any other URL."""
    scheme, _, rest = url.partition("://")
    return _path(rest) if scheme.lower() == "sqlite" else None


def _path(rest: str) -> Path:
    if not rest.startswith("/") or rest == "/":
        raise OpeningError(f"sqlite:// takes a path after a third slash; write {FORMS}")
    if "?" in rest or "#" in rest:
        raise OpeningError("sqlite:// URLs take a path and no options; write ? as %3F, # as %23")
    return Path(unquote(rest[1:]))
