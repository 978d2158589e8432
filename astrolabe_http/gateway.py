"""What is a gateway made of?

Everything that the HTTP surface needs, put together by whoever runs it: `wiring` for the server,
a test or a host of its own for everybody else. Nothing here is opened or started.
"""

from collections.abc import Callable, Mapping

from attrs import field, frozen

from astrolabe_core.catalog import Catalog, flaws
from astrolabe_core.ports import Clock, Store
from astrolabe_core.units import NodeId
from astrolabe_core.virtual import VirtualModel
from astrolabe_http.conformity import Inspector
from astrolabe_http.ids import Ids
from astrolabe_http.records import Records
from astrolabe_http.roster import upstream_of
from astrolabe_http.schemas import SchemaInspector
from astrolabe_http.settings import Settings
from astrolabe_http.transport import Transport
from astrolabe_http.vitals import Vitals
from astrolabe_http.wire.translation import Upstream


def _silent(_: bytes) -> None:
    """Log nothing."""


@frozen(kw_only=True)
class Gateway:
    """The parts of one gateway process. `log` takes one finished line a request.

    `upstream` is what the settings say that the upstream understands, and by which names it knows
    the models, where those are not their ids.
    """

    store: Store
    transport: Transport
    catalog: Catalog
    virtual_models: tuple[VirtualModel, ...]
    settings: Settings = field(repr=False)
    clock: Clock
    ids: Ids
    node: NodeId
    log: Callable[[bytes], None] = _silent
    upstream_ids: Mapping[str, str] = field(factory=dict)
    upstream: Upstream = field(init=False)

    @upstream.default
    def _understood(self) -> Upstream:
        return upstream_of(self.settings, self.upstream_ids)

    records: Records = field(init=False)

    @records.default
    def _kept(self) -> Records:
        return Records(
            self.transport,
            kept=not self.upstream.plain,
            connections_max=self.settings.upstream_connections_max,
        )

    vitals: Vitals = field(init=False)

    @vitals.default
    def _well(self) -> Vitals:
        return Vitals(self.settings, self.catalog, self.clock, self.log)

    schemas: SchemaInspector = field(factory=SchemaInspector, init=False)
    inspector: Inspector = field(factory=Inspector, init=False)

    async def issues(self) -> tuple[str, ...]:
        """Say what keeps this gateway from serving, each by its name; empty when ready."""
        found: list[str] = []
        if not (self.settings.upstream_key or self.settings.simulated or self.upstream.plain):
            # A plain server of one's own asks for a key only where it was told to.
            found.append("missing_provider_key")
        if not await self.store.ready():
            found.append("storage_unavailable")
        if flaws(self.catalog):
            found.append("catalog_invalid")
        return tuple(found)

    @property
    def mode(self) -> str:
        """Whether real providers answer."""
        return "simulated" if self.settings.simulated else "live"

    async def close(self) -> None:
        """Let go of store, connections and whatever checks schemas and answers."""
        self.schemas.close()
        self.inspector.close()
        await self.transport.close()
        await self.store.close()
