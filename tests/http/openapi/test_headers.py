"""The document has the headers that answers carry, and no others."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from astrolabe_http.openapi.headers import ACCOUNT, DECISION, HEADERS, IDENTITY, STACK
from astrolabe_http.service import KeyTerms
from tests.http.gateways import CHAT, chat_reply, json_reply, make_bench

pytestmark = pytest.mark.anyio

# What the server, the connection and a stream add by themselves.
PLAIN = {
    "content-type",
    "content-length",
    "connection",
    "date",
    "cache-control",
    "x-accel-buffering",
    "allow",
}


def fits(name: str, value: str) -> bool:
    schema: dict[str, Any] = HEADERS[name][1]
    read = int(value) if schema["type"] == "integer" else value
    return jsonschema_rs.is_valid(schema, read)


async def test_every_header_is_described_and_every_described_header_is_sent() -> None:
    bench = await make_bench(terms=KeyTerms(rate_limit=3))
    grade = chat_reply('{"score": 4, "concerns": []}')
    no = json_reply({"error": {"code": 500, "message": "no"}}, 500)
    bench.transport.script = [no, chat_reply(), grade]
    stack = {"metadata": {"astrolabe": {"stack": "default-optimizer"}}}
    strict = {"metadata": {"astrolabe": {"verification": "strict"}}, "model": "astrolabe/auto"}
    async with bench.client() as client:
        answers = [
            await client.get("/health"),
            await client.post("/v1/chat/completions", json={**CHAT, **strict}),
            await client.post("/v1/chat/completions", json={**CHAT, **stack, "model": "none"}),
            await client.get("/v1/models"),
            await client.get("/v1/models"),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 429]
    sent = {(name, value) for answer in answers for name, value in answer.headers.items()}
    assert {name for name, _ in sent} - PLAIN == set(HEADERS)
    for name, value in sent:
        assert name in PLAIN or fits(name, value), (name, value)
    assert all(name in answer.headers for answer in answers for name in IDENTITY)
    served = answers[1].headers
    assert all(name in served for name in (*ACCOUNT, *STACK, *DECISION))
