"""How do I reserve, route, ask, settle and explain, all in my own process?

The same flow as the gateway's: memory storage, and a function of your own in place of a provider.
The first candidate fails here on purpose, so that the fallback and the one debit can be seen.
"""

import json
import time

import anyio

from astrolabe_core import shipped
from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.answers import Answer, Fault, FaultKind, Finish, Receipt
from astrolabe_core.driver import run
from astrolabe_core.inprocess import InProcess
from astrolabe_core.ledger import Grant
from astrolabe_core.messages import Arrival, CallModel, Served
from astrolabe_core.money import usd, usd_text
from astrolabe_core.rendering import render
from astrolabe_core.requests import ask
from astrolabe_core.units import Instant, KeyId, Tokens, WorkspaceId
from astrolabe_core.usage import Usage
from astrolabe_storage import open_store


class SystemClock:
    """Tells the time; the core never looks at a clock itself."""

    def now(self) -> Instant:
        """Give the current instant."""
        return Instant(time.time_ns() // 1_000_000)


asked: list[str] = []


async def upstream(call: CallModel) -> Answer | Fault:
    """Stand in for your provider: the first model is busy, the next one answers."""
    asked.append(call.model.id)
    if len(asked) == 1:
        return Fault(kind=FaultKind.RATE_LIMITED, message="the provider is busy", status=429)
    return Answer(
        finish=Finish.STOP,
        texts=(f"{call.model.id} says: twice a day, by the moon.",),
        receipt=Receipt(usage=Usage(input_tokens=Tokens(14), output_tokens=Tokens(11))),
    )


async def main() -> None:
    """Give a workspace one dollar and spend a little of it."""
    store, clock = await open_store("memory://"), SystemClock()
    workspace = Workspace(id=WorkspaceId("ws_demo"), name="demo")
    await store.create_workspace(workspace)
    await store.create_key(
        Key(id=KeyId("key_demo"), workspace=workspace.id, hash="demo", prefix="demo", last_four="")
    )
    await store.submit(Grant(id="welcome", workspace=workspace.id, amount=usd("1"), at=clock.now()))
    world = InProcess(
        bank=store,
        ask=upstream,
        clock=clock,
        catalog=shipped.catalog(),
        virtual_models=shipped.virtual_models(),
    )
    request = ask("Why are there tides?", at=clock.now())
    reply = await run(Arrival(request=request, key_hash="demo"), world)

    print(json.dumps(render(reply.trace, explain=False), indent=2))
    if isinstance(reply, Served):
        print("\n" + reply.answer.text)
    wallet = await store.wallet(workspace.id)
    if wallet is not None:
        print(f"held {usd_text(reply.trace.hold)} USD, paid {usd_text(reply.trace.debit)} USD,")
        print(f"{usd_text(wallet.available)} USD left after asking {' and then '.join(asked)}")
    await store.close()


if __name__ == "__main__":
    anyio.run(main)
