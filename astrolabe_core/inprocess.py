"""How is a whole request run in one's own process, without a server?

`InProcess` is the driver's world for hosts that bring a store and a function that asks a model.
Requests are reserved, routed, settled and traced exactly as the gateway does it. Streams are
the gateway's: here an answer is always whole.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from attrs import frozen

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, Receipt
from astrolabe_core.catalog import Catalog
from astrolabe_core.conformity import Claim, Conformity
from astrolabe_core.driver import wait
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
from astrolabe_core.ports import Callers, Clock, Ledger
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.virtual import VirtualModel

Ask: TypeAlias = Callable[[CallModel], Awaitable[Answer | Fault]]
"""Asks one model: `command.model.id`, with at most `command.output_tokens_max` tokens of output."""


Check: TypeAlias = Callable[[Claim], Awaitable[Conformity]]
"""Holds one claim's texts against its schema, and ends in time whatever the schema."""


async def unchecked(_: Claim) -> Conformity:
    """Hold nothing against a schema, and say so in the trace."""
    return Conformity(checked=False)


class Bank(Callers, Ledger, Protocol):
    """The part of a store that a request needs: who calls, and the money."""


@frozen(kw_only=True)
class InProcess:
    """One's own process as a world for `astrolabe_core.driver.run`; may serve many requests."""

    bank: Bank
    ask: Ask
    clock: Clock
    catalog: Catalog
    virtual_models: tuple[VirtualModel, ...]
    check: Check = unchecked

    @property
    def ledger(self) -> Ledger:
        """Carries out what happens to money."""
        return self.bank

    async def load(self, command: Load) -> Loaded | NoCaller:
        """Take the snapshot."""
        caller = await self.bank.caller(command.key_hash, command.at, command.stack)
        if caller is None:
            return NoCaller(command.at)
        return Loaded(
            Snapshot(
                at=command.at,
                caller=caller,
                catalog=self.catalog,
                virtual_models=self.virtual_models,
            )
        )

    async def call(self, command: CallModel) -> Answered | Opened | Faulted | Left:
        """Ask one model."""
        given = await self.ask(command)
        if isinstance(given, Fault):
            return Faulted(given, self.clock.now())
        return Answered(given, self.clock.now())

    async def relay(self, command: Relay) -> Answered | Faulted | Left:
        """Refuse: `call` opens no stream."""
        message = f"no stream was opened in this process, yet {command.stream!r} is to be relayed"
        raise TypeError(message)

    async def inspect(self, command: Inspect) -> Inspected | Left:
        """Hold texts against their schemas, one after the other."""
        found = [await self.check(claim) for claim in command.claims]
        return Inspected(tuple(found), self.clock.now())

    async def pause(self, command: Pause) -> Paused | Left:
        """Wait."""
        await wait(command.wait_ms)
        return Paused(self.clock.now())

    async def look_up(self, _: LookUp) -> LookedUp:
        """Know of no record beside what `ask` gave."""
        return LookedUp(None, self.clock.now())

    def seen(self) -> Receipt:
        """Know nothing of a call that was cut off."""
        return NO_RECEIPT
