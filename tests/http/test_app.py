from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from astrolabe_core import ledger
from astrolabe_core.catalog import Catalog
from astrolabe_http.app import create_app
from astrolabe_http.settings import UpstreamKind
from tests.http.gateways import CHAT, make_bench, whole_stream

pytestmark = pytest.mark.anyio


async def get(app: Any, path: str, method: str = "GET", **given: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.request(method, path, **given)


async def test_health_needs_no_key_and_names_its_request() -> None:
    answer = await get(create_app((await make_bench()).gateway), "/health")
    assert answer.json() == {"ok": True}
    assert answer.headers["x-request-id"].startswith("req_")


async def test_a_gateway_with_all_its_parts_is_ready() -> None:
    answer = await get(create_app((await make_bench()).gateway), "/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "service": "gateway", "mode": "live", "issues": []}


async def test_what_is_missing_is_named_all_at_once() -> None:
    bench = await make_bench(upstream_key="")
    bench.store.away = True
    empty = Catalog(version="none", models=(), priors={})
    answer = await get(create_app(evolve(bench.gateway, catalog=empty)), "/ready")
    assert answer.status_code == 503
    assert answer.json()["issues"] == [
        "missing_provider_key",
        "storage_unavailable",
        "catalog_invalid",
    ]


async def test_a_simulated_upstream_needs_no_key_and_says_so() -> None:
    bench = await make_bench(upstream_key="", simulated=True)
    answer = await get(create_app(bench.gateway), "/ready")
    assert answer.json() == {"ok": True, "service": "gateway", "mode": "simulated", "issues": []}


async def test_a_plain_server_of_one_s_own_may_ask_for_no_key() -> None:
    bench = await make_bench(upstream_key="", upstream_kind=UpstreamKind.OPENAI)
    answer = await get(create_app(bench.gateway), "/ready")
    assert answer.json() == {"ok": True, "service": "gateway", "mode": "live", "issues": []}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/models/", "/V1/models"])
async def test_a_path_that_is_not_there_is_404_in_the_error_s_form(path: str) -> None:
    answer = await get(create_app((await make_bench()).gateway), path)
    error = answer.json()["error"]
    if path == "/v1/models/":
        assert answer.status_code in {401, 404}
        return
    assert (answer.status_code, error["code"]) == (404, "not_found")
    assert error["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", {"POST"}),
        ("DELETE", "/v1/responses", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("PUT", "/health", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_405_and_says_which_are_right(
    method: str, path: str, allowed: set[str]
) -> None:
    answer = await get(create_app((await make_bench()).gateway), path, method)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_path_that_is_not_offered_is_no_response_of_the_wrong_method() -> None:
    app = create_app((await make_bench()).gateway)
    answer = await get(app, "/v1/responses/compact", "POST")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert "allow" not in answer.headers


@pytest.mark.parametrize("outer", ["starlette", "fastapi"])
async def test_the_app_may_be_mounted_in_another(outer: str) -> None:
    bench = await make_bench()
    inner = create_app(bench.gateway)
    app: Any
    if outer == "fastapi":
        app = FastAPI()
        app.mount("/ai", inner)
    else:
        app = Starlette(routes=[Mount("/ai", inner)])
    key = {"x-api-key": bench.secret}
    assert (await get(app, "/ai/health")).json() == {"ok": True}
    served = await get(app, "/ai/v1/chat/completions", "POST", headers=key, json=CHAT)
    assert served.status_code == 200
    shown = await get(app, f"/ai/v1/traces/{served.headers['x-request-id']}", headers=key)
    assert shown.status_code == 200
    lost = await get(app, "/ai/nowhere")
    assert lost.json()["error"]["code"] == "not_found"


async def burst(*_: object) -> ledger.Outcome:
    raise RuntimeError("canary prompt")


async def test_a_bug_is_answered_without_its_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await make_bench()
    monkeypatch.setattr(bench.store, "submit", burst)
    with caplog.at_level(logging.ERROR, "astrolabe"):
        async with bench.client() as client:
            answer = await client.post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert (error["type"], error["requestId"]) == ("server_error", answer.headers["x-request-id"])
    for told in (answer.text, caplog.text, b"".join(bench.lines).decode()):
        assert "canary" not in told
    assert "RuntimeError" in caplog.text
    assert b'"error":"RuntimeError"' in bench.lines[-1]


async def test_a_bug_within_a_stream_leaves_it_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await make_bench()
    submit = bench.store.submit

    async def fragile(order: ledger.Command) -> ledger.Outcome:
        return await (burst() if isinstance(order, ledger.Capture) else submit(order))

    monkeypatch.setattr(bench.store, "submit", fragile)
    bench.transport.script = [whole_stream()]
    sent: list[Any] = []
    body = (
        b'{"model":"openai/gpt-5.4-nano","stream":true,"messages":[{"role":"user","content":"x"}]}'
    )

    async def receive() -> Any:
        if not sent:
            return {"type": "http.request", "body": body, "more_body": False}
        await anyio.sleep_forever()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-api-key", bench.secret.encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": headers,
    }
    await create_app(bench.gateway)(scope, receive, send)
    assert sent[0]["status"] == 200
    assert all(message.get("more_body", True) for message in sent)


async def test_answers_to_head_requests_are_those_of_get() -> None:
    answer = await get(create_app((await make_bench()).gateway), "/health", "HEAD")
    assert answer.status_code == 200
