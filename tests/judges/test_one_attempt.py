"""The openai SDKs ask exactly once where asking again cannot help, and again where it can.

openai-python 3.52 retries 409 and 5xx by itself: a policy block ran three times, a failed schema
was paid three times. Each client is taken as it comes, with its two retries by default:
openai-python, its asynchronous form, and openai-node. They are pointed at the real gateway, for
every refusal that it can be brought to, and at a server that refuses with each code there is.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import openai
import pytest
from attrs import field, frozen

from astrolabe_core.accounts import Workspace, WorkspaceStatus
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.money import usd
from astrolabe_core.stacks import Boundaries, Budget
from astrolabe_core.units import RequestId
from astrolabe_http.errors import error_body, status_of
from astrolabe_http.headers import refusal_headers
from astrolabe_http.service import KeyTerms, NewKey, Service
from tests.http.server.conftest import Stack
from tests.http.server.processes import (
    Process,
    balance,
    make_account,
    start_gateway,
    with_service,
)
from tests.judges.conftest import complaints
from tests.judges.test_node import installed

__all__ = ["installed"]

NAMED: Final = "openai/gpt-5.4-mini"
ASKED_BY_DEFAULT: Final = 3
SEND: Final = {
    "name": "send_email",
    "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
}
SCHEMA: Final = {
    "name": "verdict",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"score": {"type": "number"}},
        "required": ["score"],
        "additionalProperties": False,
    },
}


@frozen
class Case:
    """One request of a client, and the refusal that it meets."""

    name: str
    url: str
    key: str = field(repr=False)
    api: str
    body: dict[str, Any] = field(repr=False)
    status: int
    code: str


@frozen
class Told:
    """What a client says of a case, and how often it asked."""

    status: int | None
    code: str | None
    sent: int


Client = Callable[[list[Case]], dict[str, Told]]


# --- the clients ----------------------------------------------------------------------------
class Counting(openai.OpenAI):
    """The SDK, that counts what it sends."""

    sent = 0

    def _prepare_request(self, request: Any) -> None:
        self.sent += 1

    def _sleep_for_retry(self, **_: Any) -> None:
        """Ask again at once."""


class CountingAsync(openai.AsyncOpenAI):
    """The same, asynchronous."""

    sent = 0

    async def _prepare_request(self, request: Any) -> None:
        self.sent += 1

    async def _sleep_for_retry(self, **_: Any) -> None:
        """Ask again at once."""


def told_of(error: openai.APIError | None, sent: int) -> Told:
    if error is None:
        return Told(200, None, sent)
    return Told(getattr(error, "status_code", None), error.code, sent)


def ask_python(cases: list[Case]) -> dict[str, Told]:
    told = {}
    with Counting(base_url="http://127.0.0.1", api_key="any") as one:
        for case in cases:
            sdk = one.with_options(base_url=case.url, api_key=case.key)
            caught: openai.APIError | None = None
            try:
                if case.api == "chat":
                    sdk.chat.completions.create(**case.body)
                else:
                    sdk.responses.create(**case.body)
            except openai.APIError as error:
                caught = error
            told[case.name] = told_of(caught, sdk.sent)
    return told


def ask_async_python(cases: list[Case]) -> dict[str, Told]:
    async def ask() -> dict[str, Told]:
        told = {}
        async with CountingAsync(base_url="http://127.0.0.1", api_key="any") as one:
            for case in cases:
                sdk = one.with_options(base_url=case.url, api_key=case.key)
                caught: openai.APIError | None = None
                try:
                    if case.api == "chat":
                        await sdk.chat.completions.create(**case.body)
                    else:
                        await sdk.responses.create(**case.body)
                except openai.APIError as error:
                    caught = error
                told[case.name] = told_of(caught, sdk.sent)
        return told

    return asyncio.run(ask())


def ask_node(home: Path, cases: list[Case]) -> dict[str, Told]:
    given = [
        {
            "name": case.name,
            "baseURL": case.url,
            "apiKey": case.key,
            "api": case.api,
            "body": case.body,
        }
        for case in cases
    ]
    done = subprocess.run(
        ["node", "--import", "./loopback.mjs", "refusals.mjs"],
        cwd=home,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return {name: Told(**said) for name, said in json.loads(done.stdout).items()}


@pytest.fixture(params=["python", "python, asynchronous", "node"])
def client(request: pytest.FixtureRequest) -> Client:
    if request.param == "node":
        home: Path = request.getfixturevalue("installed")
        return lambda cases: ask_node(home, cases)
    return ask_python if request.param == "python" else ask_async_python


# --- the real gateway -----------------------------------------------------------------------
def body_of(api: str, prompt: str = "Hello", **changes: Any) -> dict[str, Any]:
    words = (
        {"messages": [{"role": "user", "content": prompt}]} if api == "chat" else {"input": prompt}
    )
    return {"model": "astrolabe/auto", **words, **changes}


def steered(**fields: str) -> dict[str, str]:
    return {"astrolabe": json.dumps(fields)}


def keys_of(stack: Stack) -> dict[str, str]:
    """Make keys that are refused, each for a reason of its own."""

    async def work(service: Service) -> dict[str, str]:
        terms = {
            "blocked": KeyTerms(envelope=Boundaries(allowed_models=frozenset())),
            "limited": KeyTerms(allowed_stacks=frozenset({"fast"})),
            "spent": KeyTerms(budget=Budget(daily_usd=usd("0.000000001"))),
        }
        made = {}
        for name, each in terms.items():
            key = await service.create_key(stack.workspace, each)
            assert isinstance(key, NewKey)
            made[name] = key.secret
        for status in (WorkspaceStatus.PENDING, WorkspaceStatus.SUSPENDED):
            workspace = await service.create_workspace(status.value)
            assert isinstance(workspace, Workspace)
            key = await service.create_key(workspace.id)
            assert isinstance(key, NewKey)
            await service.set_status(workspace.id, status)
            made[status.value] = key.secret
        return made

    return {**with_service(stack.database, work), "poor": make_account(stack.database, "0")[1]}


def refusals(stack: Stack) -> list[Case]:
    """Give every refusal that the gateway can be brought to, in both formats."""
    url, keys = f"{stack.gateway.url}/v1", keys_of(stack)
    made = []
    for api in ("chat", "responses"):
        chat = api == "chat"
        tool = {"type": "function", "function": SEND} if chat else {"type": "function", **SEND}
        form = {"type": "json_schema", "json_schema": SCHEMA}
        flat = {"format": {"type": "json_schema", **SCHEMA}}
        schema: dict[str, Any] = {"response_format": form} if chat else {"text": flat}
        tools = {"tools": [tool], "tool_choice": "required"}
        strict = steered(verification="strict")
        asked: list[tuple[int, str, str, dict[str, Any]]] = [
            (400, "invalid_request", "", {"temperature": "warm"}),
            (400, "invalid_routing_override", "", {"metadata": steered(quality="best")}),
            (400, "context_length_exceeded", "", {"prompt": "refused-context", "model": NAMED}),
            (401, "unauthorized", "unknown", {}),
            (402, "payment_required", "poor", {}),
            (402, "budget_exceeded", "spent", {}),
            (403, "workspace_pending", "pending", {}),
            (403, "workspace_suspended", "suspended", {}),
            (403, "forbidden", "limited", {"metadata": steered(stack="low-cost")}),
            (404, "unknown_model", "", {"model": "no/such"}),
            (404, "routing_stack_not_found", "", {"metadata": steered(stack="no-such")}),
            (409, "routing_policy_blocked", "blocked", {}),
            (
                409,
                "tool_call_blocked",
                "",
                {**tools, "metadata": steered(tool_profile="read_only")},
            ),
            (
                409,
                "tool_call_confirmation_required",
                "",
                {**tools, "metadata": {"astrolabe": '{"approval_required": true}'}},
            ),
            (413, "payload_too_large", "", {"prompt": "x" * 300_000}),
            (502, "structured_output_invalid", "", {"prompt": "refused-schema", **schema}),
            (502, "verification_failed", "", {"prompt": "refused-verdict", "metadata": strict}),
        ]
        if not chat:
            asked.append((400, "unsupported_parameter", "", {"conversation": "conv_1"}))
        for stream in (False, True):
            # A stream is refused as a whole answer is; JSON that is relayed is not held back.
            for status, code, key, changes in asked:
                if stream and code == "structured_output_invalid":
                    changes = {**changes, "metadata": strict}  # noqa: PLW2901
                made.append(
                    Case(
                        name=f"{api} {'streamed ' if stream else ''}{code}",
                        url=url,
                        key=keys.get(key, key) or stack.key,
                        api=api,
                        body=body_of(api, **changes, stream=stream),
                        status=status,
                        code=code,
                    )
                )
    return made


@pytest.fixture(scope="module")
def narrow(judged_simulator: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway that takes small bodies only."""
    home = tmp_path_factory.mktemp("narrow")
    database, log = home / "gateway.db", home / "log"
    workspace, key = make_account(database, "50", KeyTerms(rate_limit=1_000_000))
    upstream = f"{judged_simulator.url}/api/v1"
    gateway = start_gateway(database, upstream, log, ASTROLABE_BODY_BYTES_MAX="200000")
    try:
        yield Stack(judged_simulator, gateway, database, log, workspace, key)
        assert gateway.stop() == 0
        assert complaints(log.read_bytes()) == []
        assert balance(database, workspace).held == 0
    finally:
        gateway.stop()


def order(stack: Stack, **rule: str) -> None:
    given = {**rule, "times": None}
    httpx.post(f"{stack.control}/faults", json=given).raise_for_status()


def lines_of(stack: Stack) -> int:
    return len(stack.log.read_bytes().splitlines())


@pytest.mark.timeout(180)
def test_a_refusal_of_the_gateway_is_asked_for_once(narrow: Stack, client: Client) -> None:
    httpx.post(f"{narrow.control}/reset").raise_for_status()
    order(narrow, holds="refused-context", fault="context")
    order(narrow, holds="refused-schema", fault="wrong-schema")
    order(narrow, holds="refused-verdict", of="verdict", fault="verdict-1")
    cases = refusals(narrow)
    before = lines_of(narrow)
    told = client(cases)
    expected = {case.name: Told(case.status, case.code, 1) for case in cases}
    assert {name: said for name, said in told.items() if said != expected[name]} == {}
    # The gateway writes a line for each request: what a client says of itself is true.
    assert lines_of(narrow) - before == len(cases)


# --- every code there is --------------------------------------------------------------------
AGAIN: Final = frozenset(
    {
        Code.RATE_LIMITED,
        Code.REQUEST_TIMEOUT,
        Code.PROVIDER_AUTH_ERROR,
        Code.PROVIDER_ERROR,
        Code.ORIGIN_UNREACHABLE,
        Code.PROVIDER_TIMEOUT,
        Code.STORAGE_UNAVAILABLE,
        Code.OVERLOADED,
    }
)
"""Whoever asks again may be answered; everything else is told the same as often as it is asked."""
SOON: Final = Refusal(code=Code.IDEMPOTENCY_CONFLICT, message="in progress", retry_after_s=1)
REFUSALS: Final = {
    **{code.value: Refusal(code=code, message="refused") for code in Code},
    "in_progress": SOON,
}


@frozen
class Refuser:
    """A server that refuses with the code that its path names, and counts how often."""

    url: str
    asked: Counter[str]


@pytest.fixture(scope="module")
def refuser() -> Iterator[Refuser]:
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            name = self.path.split("/")[1]
            asked[name] += 1
            refusal = REFUSALS[name]
            body = json.dumps(error_body(refusal, RequestId("req_1"))).encode()
            self.send_response(status_of(refusal))
            for header, value in refusal_headers(refusal):
                self.send_header(header.decode(), value.decode())
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Refuser(f"http://127.0.0.1:{server.server_port}", asked)
        server.shutdown()
        thread.join()


def test_each_code_is_asked_for_once_or_again_as_it_helps(refuser: Refuser, client: Client) -> None:
    refuser.asked.clear()
    cases = [
        Case(
            name=name,
            url=f"{refuser.url}/{name}/v1",
            key="any",
            api="chat",
            body=body_of("chat"),
            status=status_of(refusal),
            code=refusal.code.value,
        )
        for name, refusal in REFUSALS.items()
    ]
    told = client(cases)
    times = {
        name: ASKED_BY_DEFAULT if refusal is SOON or refusal.code in AGAIN else 1
        for name, refusal in REFUSALS.items()
    }
    assert dict(refuser.asked) == times
    assert {name: said.sent for name, said in told.items()} == times
    assert {name: said.code for name, said in told.items()} == {
        name: refusal.code.value for name, refusal in REFUSALS.items()
    }
