"""How is everything kept in one SQLite file?

Writes go through one thread that makes one durable transaction of whatever has queued; reads
take a connection of their own and never wait for it. See `docs/storage.md`.
"""

from astrolabe_storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
