"""What does the flow of one request do to the world?

`Host` carries out the driver's commands for one exchange: it takes the snapshot, asks models, and
hands a stream to the caller as it comes. Money goes straight to the store. Nothing here decides
anything.
"""

import anyio
from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, FaultKind, Receipt
from astrolabe_core.conformity import Conformity
from astrolabe_core.messages import (
    Answered,
    CallModel,
    Faulted,
    Inspect,
    Inspected,
    Left,
    Load,
    Loaded,
    LookedUp,
    LookUp,
    NoCaller,
    Opened,
    Pause,
    Paused,
    Relay,
)
from astrolabe_core.ports import Clock, Ledger
from astrolabe_core.snapshot import Snapshot
from astrolabe_http.calls import Event, Exchange
from astrolabe_http.conformity import UNCHECKED
from astrolabe_http.connection import SSE_HEADERS, Connection
from astrolabe_http.conversations import announce_keeping
from astrolabe_http.gateway import Gateway
from astrolabe_http.headers import trace_headers
from astrolabe_http.proofreading import Ungrammatical, proofreader
from astrolabe_http.reports import report_bug
from astrolabe_http.wire import WIRES, Writer

_LATE = Fault(kind=FaultKind.TIMEOUT, message="the time for the whole request is over")

_MISREAD = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the gateway could not make sense of the answer"
)
_GARBLED_BY_US = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the gateway broke the grammar of its own stream"
)


class Host:
    """The driver's `World` for one request. `writer` is there once a stream has begun."""

    def __init__(self, gateway: Gateway, connection: Connection) -> None:
        self._gateway = gateway
        self._connection = connection
        self.writer: Writer | None = None

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        return self._gateway.clock

    @property
    def ledger(self) -> Ledger:
        """Carries out what happens to money."""
        return self._gateway.store

    async def load(self, command: Load) -> Loaded | NoCaller:
        """Take the snapshot."""
        gateway = self._gateway
        caller = await gateway.store.caller(command.key_hash, command.at, command.stack)
        if caller is None:
            return NoCaller(command.at)
        return Loaded(
            Snapshot(
                at=command.at,
                caller=caller,
                catalog=gateway.catalog,
                virtual_models=gateway.virtual_models,
                balance_floor=gateway.settings.balance_floor,
                node=gateway.node,
            )
        )

    async def call(self, command: CallModel) -> Answered | Opened | Faulted | Left:
        """Ask one model; a stream stays open where its first content is there."""
        gateway = self._gateway
        bytes_max = gateway.settings.answer_bytes_max
        exchange = Exchange(command, gateway.transport, bytes_max, gateway.upstream)
        opened = False
        result: Answer | Fault | None = _LATE
        try:
            with self._connection.stay(exchange.deadline):
                result = await exchange.begin()
                opened = result is None
        except Exception as error:  # noqa: BLE001 - what a provider says may find a bug of ours
            report_bug(command.request.id, error)
            result = _MISREAD
        finally:
            if not opened:
                await exchange.close()
        now = self.clock.now()
        match result:
            case None:
                return Opened(exchange, now)
            case Answer():
                return Answered(result, now)
            case Fault() if self._connection.gone:
                return Left(now, exchange.receipt)
            case Fault():
                return Faulted(_known(result, exchange), now)

    async def relay(self, command: Relay) -> Answered | Faulted | Left:
        """Hand an open stream to the caller until it ends, all but its last event."""
        exchange = command.stream
        if not isinstance(exchange, Exchange):
            message = f"{type(exchange).__name__} is no stream of this host"
            raise TypeError(message)
        result: Answer | Fault = _LATE
        try:
            with self._connection.stay(exchange.deadline):
                writer = await self._begin(command, exchange)
                result = await self._hand_over(exchange, writer)
        except Ungrammatical:
            # The caller has a broken stream; the hold is let go all the same.
            result = _GARBLED_BY_US
        except Exception as error:  # noqa: BLE001 - as in `call`: the hold ends all the same
            report_bug(exchange.command.request.id, error)
            result = _MISREAD
        finally:
            await exchange.close()
        now = self.clock.now()
        if isinstance(result, Answer):
            return Answered(result, now)
        if self._connection.gone:
            return Left(now, exchange.receipt)
        return Faulted(_known(result, exchange), now)

    async def inspect(self, command: Inspect) -> Inspected | Left:
        """Hold texts against their schemas, for as long as the caller stays."""
        found: tuple[Conformity, ...] = (UNCHECKED,) * len(command.claims)
        with self._connection.stay(anyio.current_time() + command.time_left_ms / 1_000):
            found = await self._gateway.inspector.hold(command.claims, command.time_left_ms)
        now = self.clock.now()
        return Left(now) if self._connection.gone else Inspected(found, now)

    async def pause(self, command: Pause) -> Paused | Left:
        """Wait, for as long as the caller stays."""
        with self._connection.stay(anyio.current_time() + command.wait_ms / 1_000):
            await anyio.sleep_forever()
        now = self.clock.now()
        return Left(now) if self._connection.gone else Paused(now)

    async def look_up(self, _: LookUp) -> LookedUp:
        """Ask the provider for its record of a call."""
        return LookedUp(None, self.clock.now())

    def seen(self) -> Receipt:
        """Give what the provider of the call under way has said so far."""
        return NO_RECEIPT

    async def _begin(self, command: Relay, exchange: Exchange) -> Writer:
        call = exchange.command
        headers = trace_headers(command.trace, serving=call.model)
        writer = WIRES[call.request.surface].StreamWriter(
            call.request, call.model.id, call.request.id
        )
        self.writer = writer
        announce_keeping(writer, command.trace)
        self._connection.proofreader = proofreader(self._gateway, call.request)
        await self._connection.start(200, [*SSE_HEADERS, *headers])
        return writer

    async def _hand_over(self, exchange: Exchange, writer: Writer) -> Answer | Fault:
        events: list[Event] | Fault | None = exchange.pending
        while isinstance(events, list):
            frames = b"".join([writer.feed(event) for event in events])
            if frames:
                await self._connection.write(frames)
            events = await exchange.advance()
        return exchange.conclude() if events is None else events


def _known(fault: Fault, exchange: Exchange) -> Fault:
    """Add what was known when the time was over; other faults carry that already."""
    return evolve(fault, receipt=exchange.receipt) if fault is _LATE else fault
