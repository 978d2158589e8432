"""What is the least that a Python proxy costs? A bare Starlette + httpx pass-through."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

UPSTREAM = os.environ.get("PASSTHROUGH_UPSTREAM", "")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Keep one client for the life of the process, as anybody would."""
    async with httpx.AsyncClient(base_url=UPSTREAM) as client:
        app.state.client = client
        yield


async def forward(request: Request) -> Response:
    """Send the body on and the answer back; look at neither."""
    answer = await request.app.state.client.post(
        "/chat/completions",
        content=await request.body(),
        headers={"authorization": "Bearer upstream", "content-type": "application/json"},
    )
    return Response(answer.content, status_code=answer.status_code, media_type="application/json")


app = Starlette(
    routes=[Route("/v1/chat/completions", forward, methods=["POST"])], lifespan=lifespan
)


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["PASSTHROUGH_PORT"]), log_level="warning"
    )
