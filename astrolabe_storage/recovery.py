"""What becomes of the holds that a crash left open?"""

from typing import Final, Protocol

from astrolabe_core.ledger import Closed, Expire
from astrolabe_core.ports import Journal, Ledger
from astrolabe_core.units import Instant, NodeId

AT_ONCE: Final = 500
"""Commands queued together: far below the bound of any writer's queue."""


class Recoverable(Ledger, Journal, Protocol):
    """A store that can name its open holds and end them."""


async def expire_orphans(store: Recoverable, node: NodeId | None, at: Instant) -> int:
    """End every open hold of other nodes than `node`, and say how many that were.

    For a database that one process serves, at its start: then whatever is open there was left
    by a process that is gone. Give `None` where node names outlive processes, to end them all.
    """
    ended = 0
    orphans = await store.orphans(node=node)
    for start in range(0, len(orphans), AT_ONCE):
        outcomes = [
            store.submit(Expire(hold=hold.id, workspace=hold.workspace, at=at))
            for hold in orphans[start : start + AT_ONCE]
        ]
        for outcome in outcomes:
            ended += isinstance(await outcome, Closed)
    return ended
