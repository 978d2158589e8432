"""Whatever a caller writes, the provider's key goes to the configured origin and nowhere else.

litellm CVE-2024-6587 and portkey CVE-2025-66405: a field of the body, or a header, chose where the
call went, with the provider's key. Here traps listen on loopback, and Python's own audit tells
every address that this process looks up or connects to.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, field

from tests.http.gateways import CHAT, RESPONSES, Bench, chat_body
from tests.http.hostile import PROVIDER_KEY, RawProvider, gateway_before, listening

pytestmark = pytest.mark.anyio

FIELDS = (
    "api_base",
    "apiBase",
    "base_url",
    "baseUrl",
    "baseURL",
    "api_url",
    "url",
    "uri",
    "host",
    "origin",
    "endpoint",
    "target",
    "upstream",
    "upstream_url",
    "custom_host",
    "customHost",
    "azure_endpoint",
    "vertex_location",
    "aws_bedrock_runtime_endpoint",
    "api_key",
    "apiKey",
    "authorization",
    "headers",
    "extra_headers",
    "default_headers",
    "default_query",
    "extra_query",
    "extra_body",
    "provider",
    "providers",
    "proxy",
    "proxies",
    "http_client",
    "litellm_params",
    "litellm_metadata",
    "model_list",
    "fallbacks",
    "config",
    "targets",
    "route",
    "routes",
    "webhook",
    "callback_url",
    "redirect",
    "server_url",
)
HEADERS = (
    "x-portkey-custom-host",
    "x-portkey-config",
    "x-portkey-provider",
    "x-portkey-forward-headers",
    "helicone-target-url",
    "helicone-openai-api-base",
    "x-litellm-api-base",
    "openai-base-url",
    "x-base-url",
    "x-upstream",
    "x-target-url",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-for",
    "x-original-url",
    "x-rewrite-url",
    "x-http-host-override",
    "x-host",
    "forwarded",
    "proxy",
    "via",
    "referer",
    "origin",
    "http-referer",
    "x-title",
    "cookie",
    "openai-organization",
    "traceparent",
    "baggage",
)
SENT_UPSTREAM = {
    b"accept",
    b"accept-encoding",
    b"authorization",
    b"content-length",
    b"content-type",
    b"host",
    b"user-agent",
    b"x-title",
}
GOOD = json.dumps(chat_body()).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(GOOD), GOOD)
CANARY = "canary-of-the-caller"


@define
class Watched:
    """What this process looked up, connected to or opened while it was watched."""

    on: bool = False
    addresses: set[tuple[Any, ...]] = field(factory=set)
    names: set[str] = field(factory=set)
    files: set[str] = field(factory=set)

    def note(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "socket.connect":
            self.addresses.add(given[1][:2])
        elif event == "socket.getaddrinfo":
            self.names.add(str(given[0]))
        elif event == "open":
            self.files.add(str(given[0]))


WATCHED = Watched()
sys.addaudithook(WATCHED.note)


@pytest.fixture
def watched() -> Iterator[Watched]:
    WATCHED.addresses.clear()
    WATCHED.names.clear()
    WATCHED.files.clear()
    yield WATCHED
    WATCHED.on = False


@define
class Scene:
    """A gateway before its provider, and a trap beside it."""

    provider: RawProvider
    trap: RawProvider
    bench: Bench
    watched: Watched

    async def ask(
        self, body: Any, path: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        default = "/v1/chat/completions" if "messages" in body else "/v1/responses"
        async with self.bench.client() as client:
            self.watched.on = True
            answer = await client.post(path or default, json=body, headers=headers)
            self.watched.on = False
        return answer

    def assert_safe(self) -> None:
        """Nobody else heard anything, and what the provider heard is ours."""
        assert self.trap.connections == 0
        assert self.watched.addresses <= {("127.0.0.1", self.provider.port)}
        assert self.watched.names <= {"127.0.0.1"}
        for request in self.provider.requests:
            head, _, _ = request.partition(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            assert first.startswith(b"POST /api/v1/")
            named = dict(line.lower().split(b": ", 1) for line in lines)
            assert set(named) <= SENT_UPSTREAM
            assert named[b"host"] == b"127.0.0.1:%d" % self.provider.port
            assert named[b"authorization"] == b"bearer " + PROVIDER_KEY.encode()


async def set_up(stack: AsyncExitStack, watched: Watched) -> Scene:
    provider = await stack.enter_async_context(listening(RawProvider((ANSWER,), stays=True)))
    trap = await stack.enter_async_context(listening(RawProvider((ANSWER,))))
    bench = await stack.enter_async_context(gateway_before(provider.url))
    return Scene(provider, trap, bench, watched)


def values_for(trap: RawProvider) -> tuple[Any, ...]:
    url = f"http://127.0.0.1:{trap.port}/v1"
    return (url, {"url": [url], "base_url": url, "authorization": CANARY})


def places_in(body: dict[str, Any], name: str, value: Any) -> Iterator[dict[str, Any]]:
    """Give the body with a field more, at every depth of it."""
    function = {"name": "f", "parameters": {"type": "object"}}
    if "messages" in body:
        message = {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
        part = {**message, "content": [{"type": "text", "text": "Hello", name: value}]}
        yield {**body, "messages": [{**message, name: value}]}
        yield {**body, "messages": [part]}
        yield {**body, "tools": [{"type": "function", "function": {**function, name: value}}]}
        yield {**body, "tools": [{"type": "function", name: value, "function": function}]}
        yield {**body, "response_format": {"type": "text", name: value}}
    else:
        message = {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        part = {**message, "content": [{"type": "input_text", "text": "Hello", name: value}]}
        yield {**body, "input": [{**message, name: value}]}
        yield {**body, "input": [part]}
        yield {**body, "tools": [{"type": "function", **function, name: value}]}
        yield {**body, "text": {"format": {"type": "text"}, name: value}}
    yield {**body, name: value}
    yield {**body, "metadata": {name: value}}
    yield {**body, "metadata": {"astrolabe": {name: value}}}
    yield {**body, "reasoning": {"effort": "low", name: value}}
    yield {**body, "stream_options": {name: value}}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("base", [CHAT, RESPONSES], ids=["chat", "responses"])
async def test_no_field_at_any_depth_chooses_where_a_call_goes(
    name: str, base: dict[str, Any], watched: Watched
) -> None:
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        for value in values_for(scene.trap):
            for body in places_in(base, name, value):
                answer = await scene.ask(body)
                assert answer.status_code in {200, 400, 502}, answer.text
        assert scene.provider.requests
        scene.assert_safe()
        for request in scene.provider.requests:
            sent = json.loads(request.partition(b"\r\n\r\n")[2])
            assert name not in sent or name == "provider"
            # What the stack demands of OpenRouter stands there, and nothing that a caller wrote.
            assert str(scene.trap.port) not in json.dumps(sent.get("provider"))


async def test_nor_does_any_header_or_the_query(watched: Watched) -> None:
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        host = f"127.0.0.1:{scene.trap.port}"
        for value in (host, f"http://{host}/v1", json.dumps({"custom_host": host})):
            for name in (*HEADERS, "host"):
                headers = {name: value} if name != "host" else {name: host}
                answer = await scene.ask(CHAT, headers=headers)
                assert answer.status_code == 200, (name, answer.text)
        query = "&".join(f"{name}=http://{host}" for name in FIELDS)
        await scene.ask(CHAT, f"/v1/chat/completions?{query}")
        assert len(scene.provider.requests) == 3 * (len(HEADERS) + 1) + 1
        scene.assert_safe()


@pytest.mark.parametrize(
    "model",
    [
        "http://127.0.0.1:{port}/v1",
        "openai/http://127.0.0.1:{port}/v1",
        "openai/../../evil",
        "openai/gpt-5.4-nano@http://127.0.0.1:{port}",
        "openai/gpt-5.4-nano\r\nhost: 127.0.0.1:{port}",
        "//127.0.0.1:{port}",
    ],
)
async def test_nor_does_a_model(model: str, watched: Watched) -> None:
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        answer = await scene.ask({**CHAT, "model": model.replace("{port}", str(scene.trap.port))})
        assert answer.status_code in {400, 404}
        assert not scene.provider.requests
        scene.assert_safe()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}/v1", "//127.0.0.1:{port}/v1", "/else"])
async def test_a_redirect_is_a_fault_and_nobody_follows_it(
    status: int, stream: bool, form: str, watched: Watched
) -> None:
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        location = form.replace("{port}", str(scene.trap.port))
        head = f"HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        scene.provider.parts = (head.encode(),)
        answer = await scene.ask({**CHAT, "stream": stream})
        assert answer.status_code == 502
        assert location not in answer.text + str(answer.headers)
        assert len(scene.provider.requests) == 1
        scene.assert_safe()


async def test_neither_proxies_nor_netrc_nor_anything_of_the_environment_is_used(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        proxy = f"http://user:{CANARY}@127.0.0.1:{scene.trap.port}"
        netrc = tmp_path / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login x password {CANARY}\ndefault login x\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(netrc))
        for name in (
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "OPENAI_BASE_URL",
            "OPENAI_API_BASE",
        ):
            monkeypatch.setenv(name, proxy)
            monkeypatch.setenv(name.lower(), proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        bench = await stack.enter_async_context(gateway_before(scene.provider.url))
        scene.bench = bench
        assert (await scene.ask(CHAT)).status_code == 200
        scene.assert_safe()
        assert str(netrc) not in watched.files


async def test_an_empty_environment_is_safe_too(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """portkey's fix held only where a variable was set."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        host = f"127.0.0.1:{scene.trap.port}"
        headers = {"x-portkey-custom-host": f"http://{host}", "x-forwarded-host": host}
        answer = await scene.ask({**CHAT, "api_base": f"http://{host}"}, headers=headers)
        assert answer.status_code == 200
        scene.assert_safe()


ADDRESSES = (
    "file:///etc/passwd",
    "file://127.0.0.1:{port}/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:{port}/image.png",
    "http://[::1]:{port}/",
    "http://trap.invalid/{port}",
    "//127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/_x",
    "javascript:alert(1)",
    "data:image/png;base64," + "A" * 1_000_000,
    "data:image/svg+xml,<svg onload=fetch('http://127.0.0.1:{port}')>",
    "data:application/zip;base64,UEsDBA==",
    "data:," + "%00" * 100_000,
    "http://" + "a" * 100_000,
    "http://user:pass@127.0.0.1:{port}:99999/\\..\\",
    "\u202ehttp://127.0.0.1:{port}",
    "",
)


def bodies_with(url: str) -> Iterator[dict[str, Any]]:
    words: Any = {"type": "text", "text": "Look."}
    chat: tuple[Any, ...] = (
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": url}},
        {"type": "video_url", "video_url": {"url": url}},
    )
    for part in chat:
        yield {**CHAT, "messages": [{"role": "user", "content": [words, part]}]}
    responses: tuple[Any, ...] = (
        {"type": "input_image", "image_url": url, "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_url": url},
        {"type": "input_file", "filename": "a.pdf", "file_data": url},
    )
    for part in responses:
        yield {**RESPONSES, "input": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize("address", ADDRESSES, ids=[each[:24] for each in ADDRESSES])
async def test_an_address_in_a_prompt_is_text(address: str, watched: Watched) -> None:
    """Never fetched, never looked up, never opened: passed on as it is, or refused by a rule."""
    async with AsyncExitStack() as stack:
        scene = await set_up(stack, watched)
        url = address.replace("{port}", str(scene.trap.port))
        for body in bodies_with(url):
            before = len(scene.provider.requests)
            answer = await scene.ask(body)
            assert answer.status_code in {200, 400, 409, 502}, answer.text
            for request in scene.provider.requests[before:]:
                sent = json.loads(request.partition(b"\r\n\r\n")[2])
                assert url in strings_in(sent)
        # A name that is looked up would be met here a moment later.
        await asyncio.sleep(0.01)
        scene.assert_safe()
        assert not any("passwd" in each or "meta-data" in each for each in watched.files)


def strings_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {found for each in value for found in strings_in(each)}
    return {value} if isinstance(value, str) else set()
