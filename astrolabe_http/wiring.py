"""Which parts make a running gateway?  The composition root.

From settings to a store by its URL, a transport to the upstream and a catalog. Beside `__main__`
the only module that knows both adapters.
"""

from collections.abc import Callable

from astrolabe_core.ledger import Difference
from astrolabe_core.units import NodeId
from astrolabe_http.clock import SystemClock
from astrolabe_http.gateway import Gateway
from astrolabe_http.ids import Ids
from astrolabe_http.keys import KeyMode
from astrolabe_http.roster import load_roster
from astrolabe_http.server import log_line
from astrolabe_http.service import Service
from astrolabe_http.settings import Settings
from astrolabe_http.upstream import HttpxTransport
from astrolabe_storage import OpeningError, audit_store, expire_orphans, file_of, open_store

__all__ = ["OpeningError", "database_file", "open_gateway", "open_service", "verify_ledger"]

database_file = file_of
"""Gives the file that a database URL names, where it names one. Raises `OpeningError`."""


async def open_gateway(settings: Settings, log: Callable[[bytes], None] = log_line) -> Gateway:
    """Open everything that a gateway needs. Raises `OpeningError`, and `RosterError` before all.

    What a crash of the process before left held is released: one process serves a database.
    """
    roster = load_roster(settings)
    clock = SystemClock()
    ids = Ids(clock)
    node = NodeId(ids.node())
    store = await open_store(settings.database_url, serving=True)
    await expire_orphans(store, node, clock.now())
    return Gateway(
        store=store,
        transport=HttpxTransport(settings),
        catalog=roster.catalog,
        virtual_models=roster.virtual_models,
        upstream_ids=roster.upstream_ids,
        settings=settings,
        clock=clock,
        ids=ids,
        node=node,
        log=log,
    )


async def open_service(settings: Settings) -> Service:
    """Open the accounts of a database, for a command or for the console. Raises `OpeningError`.

    No hold is touched: a gateway may be serving the same database.
    """
    clock = SystemClock()
    store = await open_store(settings.database_url)
    return Service(
        store=store,
        clock=clock,
        ids=Ids(clock),
        secret_key=settings.secret_key,
        key_mode=KeyMode.TEST if settings.simulated else KeyMode.LIVE,
    )


async def verify_ledger(settings: Settings) -> tuple[Difference, ...]:
    """Recompute every balance of a database from its journal. Raises `OpeningError`."""
    store = await open_store(settings.database_url)
    try:
        return await audit_store(store)
    finally:
        await store.close()
