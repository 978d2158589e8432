"""How does the gateway live inside a FastAPI app, with streams and a provider over HTTP?

Mounted at /ai, opened and closed by the app's lifespan. The provider is the simulator on a port of
this machine; another upstream is another URL. One request is answered whole, one as a stream.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx
from attrs import evolve
from fastapi import FastAPI

from astrolabe_core import shipped
from astrolabe_core.accounts import Workspace
from astrolabe_core.money import usd, usd_text
from astrolabe_http.app import create_app
from astrolabe_http.gateway import Gateway
from astrolabe_http.service import NewKey, Service
from astrolabe_http.settings import LogFormat, Settings
from astrolabe_http.simulator import RunningSimulator
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.wiring import open_gateway

SETTINGS = Settings(
    secret_key="f" * 32,
    database_url="memory://",  # sqlite:///astrolabe.db to keep what is earned and spent
    simulated=True,
    log_format=LogFormat.OFF,
)
BODY = {
    "model": "astrolabe/auto",
    "input": "Draft a reply to a customer whose parcel is late.",
    "metadata": {"astrolabe": {"stack": "customer-data"}},
}


def make_app(gateway: Gateway, service: Service) -> FastAPI:
    """Make an app that sells what its gateway can do."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await gateway.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/customers/{name}")
    async def welcome(name: str) -> dict[str, str]:
        """Open an account with a dollar in it."""
        workspace = await service.create_workspace(name)
        assert isinstance(workspace, Workspace)
        await service.grant_credit(workspace.id, usd("1"), note="welcome")
        key = await service.create_key(workspace.id)
        assert isinstance(key, NewKey)
        return {"workspace": workspace.id, "key": key.secret}

    app.mount("/ai", create_app(gateway))
    return app


async def drive(app: FastAPI, gateway: Gateway) -> None:
    """Be a customer: open an account, ask twice, see what it cost."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        account = (await client.post("/customers/ada")).json()
        headers = {"authorization": f"Bearer {account['key']}"}
        answer = await client.post("/ai/v1/responses", json=BODY, headers=headers)
        for name, value in answer.headers.items():
            if name.startswith("x-astrolabe-"):
                print(f"  {name}: {value}")
        streamed = await client.post(
            "/ai/v1/responses", json={**BODY, "stream": True}, headers=headers
        )
        events = [line for line in streamed.text.splitlines() if line.startswith("event: ")]
        print(f"as a stream: {len(events)} events, the last {events[-1].removeprefix('event: ')}")
        used = (await client.get("/ai/v1/usage", headers=headers)).json()["data"]
    for row in used:
        print(f"{row['request_id']} {row['model']}: paid {row['debit_usd']} USD")
    wallet = await gateway.store.wallet(account["workspace"])
    if wallet is not None:
        print(f"{usd_text(wallet.available)} USD are left of 1")


async def main() -> None:
    """Run provider, gateway and app; the last two without a socket."""
    with RunningSimulator(from_catalog(shipped.catalog())) as simulator:
        gateway = await open_gateway(evolve(SETTINGS, upstream_url=simulator.url))
        service = Service(
            store=gateway.store,
            clock=gateway.clock,
            ids=gateway.ids,
            secret_key=SETTINGS.secret_key,
        )
        app = make_app(gateway, service)
        async with app.router.lifespan_context(app):
            await drive(app, gateway)


if __name__ == "__main__":
    anyio.run(main)
