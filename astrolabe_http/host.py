"""What does the flow of one request do to the world?

`Host` carries out the driver's commands for one exchange: it takes the snapshot, asks models, and
hands a stream to the caller as it comes. Money goes straight to the store. Nothing here decides
anything. A caller who leaves is noticed wherever somebody is waited for: the provider's work is
broken off, or, where the operator says so, read to its end for nobody, to be billed by its usage.
"""

from typing import Final

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
from astrolabe_core.trace import Trace
from astrolabe_core.units import Millis
from astrolabe_http.calls import Event, Exchange
from astrolabe_http.conformity import UNCHECKED
from astrolabe_http.connection import Connection
from astrolabe_http.conversations import announce_keeping
from astrolabe_http.gateway import Gateway
from astrolabe_http.headers import Header, trace_headers
from astrolabe_http.proofreading import Ungrammatical, proofreader
from astrolabe_http.reports import report_bug
from astrolabe_http.settings import OnDisconnect
from astrolabe_http.wire import WIRES, Writer

PATIENCE_CUT_OFF_MS: Final = Millis(3_000)
"""How long a provider's record is waited for by a request that was cancelled: a server that stops
waits no longer than `server` says."""

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
        self._exchange: Exchange | None = None
        self._trace: Trace | None = None
        self._cut_off = False

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
        exchange = self._exchange = self._begin(command)
        opened, drains = False, self._drains(command)
        result: Answer | Fault | None = _LATE
        try:
            with self._connection.stay(exchange.deadline, leaving_ends=not drains):
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
            case Answer() if self._connection.gone:
                return Left(now, result.receipt)
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
            drains = self._drains(exchange.command)
            with self._connection.stay(exchange.deadline, leaving_ends=not drains):
                writer = await self._open(command, exchange)
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
        if self._connection.gone:
            return Left(now, exchange.receipt)
        if isinstance(result, Answer):
            return Answered(result, now)
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

    async def look_up(self, command: LookUp) -> LookedUp:
        """Ask the provider for its record of a call."""
        patience = command.patience_ms
        if self._cut_off:
            patience = min(patience, PATIENCE_CUT_OFF_MS)
        found = await self._gateway.records.find(command.generation, patience)
        return LookedUp(found, self.clock.now())

    def seen(self) -> Receipt:
        """Give what the provider of the call under way has said so far: it is being cut off."""
        self._cut_off = True
        return NO_RECEIPT if self._exchange is None else self._exchange.receipt

    def release(self) -> bytes:
        """Give the frames of what was held back of a relayed stream: the flow let it pass."""
        if self.writer is None or self._exchange is None:
            return b""
        return b"".join([self.writer.feed(event) for event in self._exchange.held])

    def _drains(self, command: CallModel) -> bool:
        """Whether a call goes on without its caller; a verifier's, which has no trace, does not."""
        drain = self._gateway.settings.on_client_disconnect is OnDisconnect.DRAIN
        return drain and command.trace is not None

    def _begin(self, command: CallModel) -> Exchange:
        gateway = self._gateway
        self._trace = command.trace or self._trace
        if command.request.stream and not command.relayed:
            self._keep_alive()
        bytes_max = gateway.settings.answer_bytes_max
        return Exchange(command, gateway.transport, bytes_max, gateway.upstream, self._keep_alive)

    def _keep_alive(self) -> None:
        """Have comments sent from now on: what is held back may take its time."""
        interval_s = self._gateway.settings.stream_keepalive_ms / 1_000
        self._connection.keep_alive(interval_s, self._headers)

    def _headers(self) -> list[Header]:
        return [] if self._trace is None else trace_headers(self._trace)

    async def _open(self, command: Relay, exchange: Exchange) -> Writer:
        call = exchange.command
        headers = trace_headers(command.trace, serving=call.model)
        writer = WIRES[call.request.surface].StreamWriter(
            call.request, call.model.id, call.request.id
        )
        self.writer = writer
        announce_keeping(writer, command.trace)
        self._connection.proofreader = proofreader(self._gateway, call.request)
        await self._connection.start_stream(headers)
        if exchange.held:
            self._keep_alive()
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
