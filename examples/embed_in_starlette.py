"""How does the gateway live inside a Starlette app, below a path of its own?

It is an ASGI app: mounted at /ai, it answers at /ai/v1/... beside the routes that are there.
Storage is memory, and the provider is a function of ours behind the gateway's `Transport`.
"""

import json
from collections.abc import AsyncGenerator, Mapping

import anyio
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from astrolabe_core import shipped
from astrolabe_core.accounts import Workspace
from astrolabe_core.money import usd, usd_text
from astrolabe_core.units import NodeId
from astrolabe_http.app import create_app
from astrolabe_http.clock import SystemClock
from astrolabe_http.gateway import Gateway
from astrolabe_http.ids import Ids
from astrolabe_http.service import NewKey, Service
from astrolabe_http.settings import LogFormat, Settings
from astrolabe_storage import open_store

SETTINGS = Settings(secret_key="s" * 32, simulated=True, log_format=LogFormat.OFF)


class OwnReply:
    """What our provider says, as the bytes that it would send."""

    status = 200
    headers: Mapping[str, str] = {"x-generation-id": "gen-1"}

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body."""
        yield self._body

    async def close(self) -> None:
        """Let go."""


class OwnProvider:
    """A provider in this process: what the gateway asks of a transport, and no more."""

    async def post(self, path: str, body: bytes) -> OwnReply:
        """Answer a chat request with the model's name, and with the usage that is billed."""
        asked = json.loads(body)
        message = {"role": "assistant", "content": f"{asked['model']} was asked at {path}."}
        usage = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = {"id": "gen-1", "model": asked["model"], "choices": [choice], "usage": usage}
        return OwnReply(json.dumps(answer).encode())

    async def get(self, path: str, query: Mapping[str, str]) -> OwnReply:
        """Answer a look-up of what a call used: asked for where no answer told."""
        return OwnReply(json.dumps({"path": path, "query": query}).encode())

    async def close(self) -> None:
        """Let go."""


async def home(_: Request) -> Response:
    """Answer a route of the app around the gateway."""
    return PlainTextResponse("This is the app; the gateway is at /ai/v1.")


async def main() -> None:
    """Put it together, and send one request through both apps, without a socket."""
    clock = SystemClock()
    ids = Ids(clock)
    store = await open_store("memory://")
    gateway = Gateway(
        store=store,
        transport=OwnProvider(),
        catalog=shipped.catalog(),
        virtual_models=shipped.virtual_models(),
        settings=SETTINGS,
        clock=clock,
        ids=ids,
        node=NodeId(ids.node()),
    )
    app = Starlette(routes=[Route("/", home), Mount("/ai", create_app(gateway))])

    service = Service(store=store, clock=clock, ids=ids, secret_key=SETTINGS.secret_key)
    workspace = await service.create_workspace("mine")
    assert isinstance(workspace, Workspace)
    key = await service.create_key(workspace.id)
    assert isinstance(key, NewKey)
    await service.grant_credit(workspace.id, usd("1"))

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        print((await client.get("/")).text)
        answer = await client.post(
            "/ai/v1/chat/completions",
            json={"model": "astrolabe/cheap", "messages": [{"role": "user", "content": "Hello"}]},
            headers={"authorization": f"Bearer {key.secret}"},
        )
    print(answer.json()["choices"][0]["message"]["content"])
    for name, value in answer.headers.items():
        if name.startswith("x-astrolabe-"):
            print(f"  {name}: {value}")
    wallet = await store.wallet(workspace.id)
    if wallet is not None:
        print(f"{usd_text(wallet.available)} USD are left of 1")
    await gateway.close()


if __name__ == "__main__":
    anyio.run(main)
