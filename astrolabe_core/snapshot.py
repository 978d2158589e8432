"""What is known at the moment of deciding?

A `Snapshot` is everything that one request's decision may depend on, taken once. `Caller` is
the part that storage knows; catalog, virtual models and health are the host's. Replaying a
decision needs the request, the snapshot and nothing else.
"""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.catalog import Catalog
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.stacks import StackVersion
from astrolabe_core.units import Instant, ModelId, NodeId
from astrolabe_core.virtual import VirtualModel


@frozen(kw_only=True)
class Caller:
    """Who calls and how that account stands.

    `stacks` are the workspace's own stack versions that this request could resolve to: the
    one the request names, the key's and the workspace's. `requests_used` is what the key's
    minute already counts; `available` is the balance at that moment, shown and never trusted:
    only the reservation decides.
    """

    key: Key
    workspace: Workspace
    stacks: tuple[StackVersion, ...] = ()
    requests_used: int = 0
    available: NanoUsd = ZERO


NO_CIRCUITS: Final[Mapping[ModelId, Instant]] = {}


@frozen(kw_only=True)
class Snapshot:
    """One consistent view of the world.

    `circuits_open` are models not to be called now, and when each may be tried again.
    """

    at: Instant
    caller: Caller
    catalog: Catalog
    virtual_models: tuple[VirtualModel, ...]
    circuits_open: Mapping[ModelId, Instant] = field(default=NO_CIRCUITS, hash=False)
    balance_floor: NanoUsd = ZERO
    node: NodeId = NodeId("local")
