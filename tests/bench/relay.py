"""What is the least that a Python proxy of streams costs? Starlette over our own transport.

Every chunk goes on as it comes; nothing looks into it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from astrolabe_http.settings import Settings
from astrolabe_http.upstream import HttpxTransport


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Keep one pool for the life of the process, as the gateway does."""
    app.state.transport = HttpxTransport(Settings(upstream_url=os.environ["RELAY_UPSTREAM"]))
    yield
    await app.state.transport.close()


async def forward(request: Request) -> Response:
    """Send the body on and the stream back."""
    path = request.url.path.removeprefix("/v1")
    reply = await request.app.state.transport.post(path, await request.body())
    return StreamingResponse(reply.chunks(), media_type="text/event-stream")


app = Starlette(
    routes=[
        Route("/v1/chat/completions", forward, methods=["POST"]),
        Route("/v1/responses", forward, methods=["POST"]),
    ],
    lifespan=lifespan,
)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["RELAY_PORT"]),
        http="httptools",
        loop="uvloop",
        log_level="warning",
        access_log=False,
    )
