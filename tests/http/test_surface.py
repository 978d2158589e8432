from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.codes import Code
from astrolabe_core.ledger import HoldState
from astrolabe_core.money import usd
from astrolabe_core.requests import Surface
from astrolabe_core.stacks import Boundaries
from astrolabe_core.units import Instant, StackSlug
from astrolabe_http.body import LARGEST_AT_ONCE, SMALL_BYTES
from astrolabe_http.errors import FORMS
from astrolabe_http.keys import make_key
from astrolabe_http.service import KeyTerms
from astrolabe_http.transport import Unanswered
from astrolabe_http.wire import intake
from tests.http.gateways import (
    CHAT,
    DONE,
    RESPONSES,
    WHOLE_STREAM,
    Bench,
    ScriptedReply,
    chat_body,
    chat_chunk,
    chat_reply,
    json_reply,
    make_bench,
    sse,
    stream_reply,
    whole_stream,
)

pytestmark = pytest.mark.anyio

POSTS = ("/v1/chat/completions", "/v1/responses", "/v1/route")
GETS = (
    "/v1/models",
    "/v1/models/auto",
    "/v1/lanes",
    "/v1/usage",
    "/v1/traces/req_0",
)
KEYED = tuple(("POST", path) for path in POSTS) + tuple(("GET", path) for path in GETS)
BAD_STACK = {"metadata": {"astrolabe": {"stack": "no-such-stack"}}}
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def body_for(path: str) -> dict[str, Any]:
    return RESPONSES if path == "/v1/responses" else CHAT


async def ask(bench: Bench, method: str, path: str, **headers: str) -> httpx.Response:
    async with bench.client(**headers) as client:
        return await client.request(method, path, json=body_for(path) if method == "POST" else None)


async def post(bench: Bench, body: Any = CHAT, path: str = POSTS[0]) -> httpx.Response:
    async with bench.client() as client:
        return await client.post(path, json=body)


def code_of(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert set(error) >= {"code", "message", "type", "param", "requestId", "docs_url"}
    assert error["requestId"] == answer.headers["x-request-id"]
    assert answer.status_code == FORMS[Code(error["code"])].status
    return str(error["code"])


# --- who may ask ----------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_every_route_names_its_request_and_needs_a_key(method: str, path: str) -> None:
    bench = await make_bench()
    answer = await ask(bench, method, path, accept="*/*")
    assert code_of(answer) == "unauthorized"
    assert "bearer authentication is required" in answer.json()["error"]["message"]
    assert answer.headers["x-astrolabe-cloud-request-id"].startswith("req_")
    assert not any(name in answer.headers for name in RATE_HEADERS)
    assert await bench.used() == 0


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_unknown_malformed_revoked_and_expired_keys_are_told_the_same(
    method: str, path: str, header: str
) -> None:
    bench = await make_bench()
    revoked = await bench.new_key()
    expired = await bench.new_key(terms=KeyTerms(expires_at=bench.clock.at))
    await bench.service.revoke_key(revoked.key.id)
    told, asked = set(), set()
    for key in (make_key(), "junk", revoked.secret, expired.secret, bench.secret[:-1], "k" * 9_000):
        bench.store.asked = 0
        value = f"Bearer {key}" if header == "authorization" else key
        answer = await ask(bench, method, path, **{header: value})
        name = answer.headers["x-request-id"]
        shown = answer.text + json.dumps(answer.headers.multi_items())
        told.add((answer.status_code, shown.replace(name, "")))
        asked.add(bench.store.asked)
    assert len(told) == 1
    assert next(iter(told))[0] == 401
    assert len(asked) == 1


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_must_be_waited_for_costs_one_question_more_whatever_the_key(
    path: str,
) -> None:
    bench = await make_bench()
    revoked = await bench.new_key()
    await bench.service.revoke_key(revoked.key.id)
    told = set()
    for key in (make_key(), "junk", revoked.secret):
        bench.store.asked, taken = 0, 0

        async def body() -> Any:
            nonlocal taken
            for part in (b"{", b'"model"', b": 1}"):
                taken += 1
                yield part

        async with bench.client(authorization=f"Bearer {key}") as client:
            answer = await client.post(path, content=body())
        told.add((code_of(answer), answer.headers["connection"], bench.store.asked, taken))
    # Nothing beyond what was there is read for somebody whom nobody knows.
    assert told == {("unauthorized", "close", 2, 1)}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("reason", ["suspended", "rate", "away"])
async def test_whoever_may_not_go_on_is_not_waited_for(path: str, reason: str) -> None:
    bench = await make_bench(terms=KeyTerms(rate_limit=1))
    expected = {"suspended": "workspace_suspended", "rate": "rate_limited"}
    if reason == "suspended":
        await bench.service.set_status(bench.workspace.id, WorkspaceStatus.SUSPENDED)
    elif reason == "rate":
        assert (await ask(bench, "GET", "/v1/lanes")).status_code == 200
    bench.store.away = reason == "away"
    taken = 0

    async def body() -> Any:
        nonlocal taken
        for part in (b"{", b"}"):
            taken += 1
            yield part

    async with bench.client() as client:
        answer = await client.post(path, content=body())
    assert code_of(answer) == expected.get(reason, "storage_unavailable")
    assert taken == 1


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_a_store_that_is_away_is_503_and_never_401(method: str, path: str) -> None:
    """OpenRouter, February 2026: timeouts answered as 401."""
    bench = await make_bench()
    bench.store.away = True
    answer = await ask(bench, method, path, authorization=f"Bearer {bench.secret}")
    assert code_of(answer) == "storage_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert "x-should-retry" not in answer.headers
    assert not bench.transport.sent


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_two_different_credentials_are_400(method: str, path: str) -> None:
    bench = await make_bench()
    headers = {"authorization": f"Bearer {bench.secret}", "x-api-key": make_key()}
    answer = await ask(bench, method, path, **headers)
    assert code_of(answer) == "invalid_request"
    same = await ask(bench, method, path, **(headers | {"x-api-key": bench.secret}))
    assert same.status_code != 400


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (WorkspaceStatus.PENDING, "workspace_pending"),
        (WorkspaceStatus.SUSPENDED, "workspace_suspended"),
    ],
)
@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_a_workspace_that_is_not_active_is_403_and_counted(
    method: str, path: str, status: WorkspaceStatus, code: str
) -> None:
    bench = await make_bench(status=status)
    answer = await ask(bench, method, path, authorization=f"Bearer {bench.secret}")
    assert code_of(answer) == code
    assert answer.headers["x-astrolabe-cloud-workspace"] == bench.workspace.id
    assert await bench.used() == 1


async def test_revocation_takes_effect_on_the_next_request() -> None:
    bench = await make_bench()
    assert (await post(bench)).status_code == 200
    await bench.store.save_key(evolve(bench.key, status=KeyStatus.REVOKED))
    assert (await post(bench)).status_code == 401


# --- how often ------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_every_route_counts_once_and_says_what_is_left(method: str, path: str) -> None:
    bench = await make_bench(terms=KeyTerms(rate_limit=2))
    key = {"authorization": f"Bearer {bench.secret}"}
    for left in (1, 0):
        answer = await ask(bench, method, path, **key)
        assert answer.status_code != 429
        assert answer.headers["x-ratelimit-limit"] == "2"
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    full = await ask(bench, method, path, **key)
    assert code_of(full) == "rate_limited"
    assert full.headers["retry-after"] == "60"
    assert full.headers["x-ratelimit-reset"] == str((bench.clock.at + 60_000) // 1_000)
    assert await bench.used() == 2
    bench.clock.at = Instant(bench.clock.at + 60_000)
    assert (await ask(bench, method, path, **key)).status_code != 429


async def test_all_routes_share_one_count() -> None:
    bench = await make_bench()
    key = {"authorization": f"Bearer {bench.secret}"}
    for method, path in KEYED:
        await ask(bench, method, path, **key)
    assert await bench.used() == len(KEYED)


# --- which check answers --------------------------------------------------------------------


async def test_the_first_check_that_fails_answers() -> None:
    """A request with every fault at once is told them one by one, in the promised order."""
    envelope = Boundaries(allowed_models=frozenset({"no/model"}))
    bench = await make_bench(
        credit="0",
        status=WorkspaceStatus.SUSPENDED,
        terms=KeyTerms(rate_limit=8, envelope=envelope),
    )
    worst: dict[str, Any] = {"model": "no/such-model", "stream": "maybe", **BAD_STACK}
    told = []

    async def tell(body: dict[str, Any], *, known: bool = True) -> None:
        key = bench.secret if known else make_key()
        async with bench.client(authorization=f"Bearer {key}") as client:
            answer = await client.post(POSTS[0], json=body)
        told.append(code_of(answer))

    await tell(worst, known=False)
    await tell(worst)
    await bench.service.set_status(bench.workspace.id, WorkspaceStatus.ACTIVE)
    for _ in range(7):
        await tell(worst)
    told = [told[0], told[1], told[-1]]
    await tell(worst)
    assert told == ["unauthorized", "workspace_suspended", "invalid_request", "rate_limited"]
    bench.clock.at = Instant(bench.clock.at + 60_000)
    told.clear()
    await tell({**CHAT, "model": "no/such-model", **BAD_STACK})
    await tell({**CHAT, **BAD_STACK})
    await tell(CHAT)
    await bench.store.save_key(evolve(bench.key, envelope=None))
    await tell(CHAT)
    assert told == [
        "unknown_model",
        "routing_stack_not_found",
        "routing_policy_blocked",
        "payment_required",
    ]
    assert not bench.transport.sent


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("content", "media", "code"),
    [
        (b"{", "application/json", "invalid_request"),
        (b"[]", "application/json", "invalid_request"),
        (b"{}", "text/plain", "unsupported_media_type"),
        (b'{"x":"' + b"x" * 2_000 + b'"}', "application/json", "payload_too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_to_a_known_caller_only(
    path: str, content: bytes, media: str, code: str
) -> None:
    bench = await make_bench(body_bytes_max=1_024)

    async def send(key: str) -> httpx.Response:
        async with bench.client(authorization=f"Bearer {key}") as client:
            return await client.post(path, content=content, headers={"content-type": media})

    assert code_of(await send(make_key())) == "unauthorized"
    answer = await send(bench.secret)
    assert code_of(answer) == code
    assert answer.headers["x-ratelimit-remaining"] == "5999"
    # What was not read is still on its way.
    unread = code in {"payload_too_large", "unsupported_media_type"}
    assert (answer.headers.get("connection") == "close") is unread
    assert await bench.used() == 1


async def test_large_bodies_are_held_until_they_are_answered_and_have_a_bound_together() -> None:
    bench = await make_bench(body_bytes_max=2 * SMALL_BYTES)
    asked, release = anyio.Semaphore(0), anyio.Event()
    large = {**CHAT, "messages": [{"role": "user", "content": "x" * (2 * SMALL_BYTES - 200)}]}
    statuses: list[int] = []

    async def wait() -> ScriptedReply:
        asked.release()
        await release.wait()
        return chat_reply()

    bench.transport.script = [wait] * LARGEST_AT_ONCE
    async with bench.client() as client:

        async def ask_with(body: Any) -> httpx.Response:
            answer = await client.post(POSTS[0], json=body)
            statuses.append(answer.status_code)
            return answer

        async with anyio.create_task_group() as tasks:
            for _ in range(LARGEST_AT_ONCE):
                tasks.start_soon(ask_with, large)
            with anyio.fail_after(20):
                for _ in range(LARGEST_AT_ONCE):
                    await asked.acquire()
            full = await ask_with(large)
            assert code_of(full) == "overloaded"
            assert full.headers["retry-after"] == "1"
            await ask_with(CHAT)
            release.set()
        await ask_with(large)
    assert statuses == [503, *[200] * (LARGEST_AT_ONCE + 2)]


async def test_what_strict_json_let_in_is_not_written_to_see_whether_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(_: object) -> None:
        raise AssertionError("a whole dump, for each request")

    monkeypatch.setattr(intake, "unwritable", never)
    bench = await make_bench()
    for path in POSTS:
        assert (await post(bench, body_for(path), path)).status_code in {200, 502}


async def test_a_missing_key_is_told_before_the_body_is_read() -> None:
    bench = await make_bench()
    read = False

    async def content() -> Any:
        nonlocal read
        read = True
        yield b"{}"

    async with bench.client(accept="*/*") as client:
        answer = await client.post(POSTS[0], content=content())
    assert answer.status_code == 401
    # ASGITransport pulls the body only when the app asks for it.
    assert not read


# --- what an answer says --------------------------------------------------------------------


async def test_an_answer_carries_every_promised_header() -> None:
    bench = await make_bench()
    answer = await post(bench)
    assert answer.status_code == 200
    headers = answer.headers
    assert headers["x-request-id"] == headers["x-astrolabe-cloud-request-id"]
    assert headers["x-astrolabe-cloud-workspace"] == bench.workspace.id
    assert headers["x-astrolabe-cloud-key"] == bench.key.prefix
    assert headers["x-astrolabe-stack-name"] == "default-optimizer"
    assert headers["x-astrolabe-policy-status"] == "passed"
    assert headers["x-astrolabe-model"] == "openai/gpt-5.4-nano"
    assert headers["x-astrolabe-decision"] == "pinned"
    assert headers["x-astrolabe-attempts"] == "1"
    for name in (
        *RATE_HEADERS,
        "x-astrolabe-stack-id",
        "x-astrolabe-stack-version",
        "x-astrolabe-selected-provider",
        "x-astrolabe-selected-model",
        "x-astrolabe-category",
        "x-astrolabe-action-class",
        "x-astrolabe-complexity",
        "x-astrolabe-lane",
        "x-astrolabe-verification-status",
        "x-astrolabe-confidence-score",
        "x-astrolabe-estimated-cost-usd",
        "x-astrolabe-estimated-baseline-cost-usd",
        "x-astrolabe-estimated-savings-usd",
    ):
        assert headers[name], name


async def test_an_answer_is_paid_for_by_its_usage() -> None:
    bench = await make_bench()
    before = await bench.available()
    answer = await post(bench)
    # 10 in and 4 out at 0.2 and 1.25 dollars a million.
    assert before - await bench.available() == 7_000
    assert answer.json()["astrolabe"]["cost"]["debit_usd"] == "0.000007"


async def test_the_stack_may_be_named_by_header() -> None:
    bench = await make_bench()
    async with bench.client() as client:
        answer = await client.post(POSTS[0], json=CHAT, headers={"x-astrolabe-stack": "low-cost"})
    assert answer.headers["x-astrolabe-stack-name"] == "low-cost"


async def test_a_stream_ends_with_what_the_provider_said() -> None:
    bench = await make_bench()
    bench.transport.script = [whole_stream()]
    before = await bench.available()
    answer = await post(bench, {**CHAT, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-astrolabe-model"] == "openai/gpt-5.4-nano"
    assert answer.text.endswith("data: [DONE]\n\n")
    assert before - await bench.available() == 7_000


@pytest.mark.parametrize("mode", ["strict", "strong"])
async def test_a_stream_that_is_held_back_comes_whole(mode: str) -> None:
    bench = await make_bench()
    bench.transport.script = [whole_stream()]
    body = {**CHAT, "stream": True, "metadata": {"astrolabe": {"verification": mode}}}
    answer = await post(bench, body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-astrolabe-verification-status"] == "passed"
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    words = [c["delta"].get("content") for e in map(json.loads, events) for c in e["choices"]]
    assert "".join(filter(None, words)) == "Hello there."
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("mode", ["strict", "strong"])
async def test_a_stream_that_is_held_back_and_fails_is_a_plain_error(mode: str) -> None:
    bench = await make_bench()
    broken = Unanswered(Fault(kind=FaultKind.PROVIDER_ERROR, message="broken off"))
    bench.transport.script = [stream_reply(sse(*WHOLE_STREAM[:3]), broken)]
    body = {**CHAT, "stream": True, "metadata": {"astrolabe": {"verification": mode}}}
    answer = await post(bench, body)
    assert code_of(answer) == "provider_error"


async def test_an_error_before_the_first_content_is_a_plain_error() -> None:
    bench = await make_bench()
    bench.transport.script = [stream_reply(sse({"error": {"code": 429, "message": "m"}}))]
    answer = await post(bench, {**CHAT, "stream": True})
    assert code_of(answer) == "provider_error"


async def test_a_stream_that_breaks_says_so_and_costs_nothing() -> None:
    """litellm #40404: an upstream cut mid-answer is closed cleanly and looks whole."""
    bench = await make_bench()
    bench.transport.script = [stream_reply(sse(*WHOLE_STREAM[:3]))]
    before = await bench.available()
    answer = await post(bench, {**CHAT, "stream": True})
    assert answer.status_code == 200
    frames = [line for line in answer.text.splitlines() if line]
    assert frames[-1] == "data: [DONE]"
    assert set(json.loads(frames[-2][6:])) == {"error"}
    assert 'finish_reason":"stop' not in answer.text
    assert await bench.available() == before
    row = (await bench.store.usage(usage_of(bench)))[0]
    assert row.unbillable == "streaming_provider_error"


async def test_an_empty_stream_falls_back_before_anything_was_sent() -> None:
    bench = await make_bench()
    empty = stream_reply(sse(chat_chunk(""), chat_chunk(finish="stop"), WHOLE_STREAM[-1]), DONE)
    bench.transport.script = [empty, whole_stream()]
    answer = await post(bench, {**CHAT, "model": "astrolabe/auto", "stream": True})
    assert answer.status_code == 200
    assert len(bench.transport.sent) == 2
    assert answer.headers["x-astrolabe-attempts"] == "2"
    assert answer.headers["x-astrolabe-decision"] == "fallback"


async def test_a_provider_fault_falls_back_to_the_next_candidate() -> None:
    bench = await make_bench()
    bench.transport.script = [json_reply({}, 503), chat_reply()]
    answer = await post(bench, {**CHAT, "model": "astrolabe/auto"})
    assert answer.status_code == 200
    first, second = (body["model"] for _, body in bench.transport.sent)
    assert first != second
    assert answer.headers["x-astrolabe-selected-model"] == first
    assert answer.headers["x-astrolabe-model"] == second


async def test_an_upstream_refusal_of_our_account_is_never_the_caller_s_fault() -> None:
    """The ancestor: upstream 401/402 leak as the customer's fault."""
    bench = await make_bench()
    for status in (401, 402, 403):
        canary = {"error": {"message": "canary sk-or-v1", "code": status}}
        bench.transport.script = [json_reply(canary, status)]
        answer = await post(bench)
        assert code_of(answer) == "provider_auth_error"
        assert "canary" not in answer.text


async def test_every_hold_has_ended_whatever_happened() -> None:
    bench = await make_bench()
    for reply in (chat_reply(), json_reply({}, 500), json_reply({}, 400), ScriptedReply([b"?"])):
        bench.transport.script = [reply]
        await post(bench)
    holds = await bench.store.holds(bench.workspace.id)
    assert len(holds) == 4
    assert not [hold for hold in holds if hold.state is HoldState.OPEN]


# --- reading --------------------------------------------------------------------------------


def usage_of(bench: Bench) -> Any:
    from astrolabe_core.usage import UsageQuery

    return UsageQuery(workspace=bench.workspace.id)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/route"])
async def test_what_the_upstream_has_no_words_for_is_refused_before_any_money(path: str) -> None:
    """litellm #41913: lost in translation, answered 200."""
    bench = await make_bench(upstream_apis=frozenset({Surface.RESPONSES}))
    before = await bench.available()
    answer = await post(bench, {**CHAT, "seed": 7}, path)
    assert (answer.status_code, code_of(answer)) == (400, "unsupported_parameter")
    assert answer.json()["error"]["param"] == "seed"
    assert bench.transport.sent == []
    assert await bench.available() == before
    assert await bench.used() == 1


@pytest.mark.parametrize("mode", ["off", "strict"])
async def test_a_stream_is_translated_relayed_or_held_back(mode: str) -> None:
    bench = await make_bench(upstream_apis=frozenset({Surface.CHAT}))
    bench.transport.script = [whole_stream()]
    asked = {"stream": True, "metadata": {"astrolabe": {"verification": mode}}}
    answer = await post(bench, {**RESPONSES, **asked}, "/v1/responses")
    assert answer.status_code == 200
    assert "event: response.completed" in answer.text
    assert '"text":"Hello there."' in answer.text
    assert bench.transport.sent[0][0] == "/chat/completions"
    assert bench.lines


async def test_a_dry_run_decides_and_neither_calls_nor_holds() -> None:
    bench = await make_bench()
    before = await bench.available()
    for body in (CHAT, RESPONSES):
        answer = await post(bench, body, "/v1/route")
        assert answer.status_code == 200
        assert answer.json()["decision"]["selected"]["model"] == "openai/gpt-5.4-nano"
        assert answer.json()["classification"]["category"]
    assert not bench.transport.sent
    assert await bench.available() == before
    assert not await bench.store.holds(bench.workspace.id)


async def test_a_dry_run_decides_what_the_live_path_decides() -> None:
    bench = await make_bench()
    body = {**CHAT, "model": "astrolabe/auto", "metadata": {"astrolabe": {"explain": True}}}
    preview = (await post(bench, body, "/v1/route")).json()
    live = (await post(bench, body)).json()["astrolabe"]
    assert preview["decision"]["fingerprint"] == live["fingerprint"]
    assert preview["decision"]["selected"]["model"] == live["selected"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**RESPONSES, "messages": []}, None),
        ({**RESPONSES, "messages": None}, None),
        ({**CHAT, "input": []}, None),
        ({**CHAT, "input": "Hi."}, "input"),
        ({"model": "auto", "messages": []}, "messages"),
        ({"model": "auto"}, "input"),
    ],
)
async def test_a_dry_run_tells_the_formats_apart_by_where_the_conversation_is(
    body: dict[str, Any], param: str | None
) -> None:
    answer = await post(await make_bench(), body, "/v1/route")
    assert answer.status_code == (200 if param is None else 400)
    assert param is None or answer.json()["error"]["param"] == param


async def test_a_dry_run_of_a_blocked_request_shows_who_is_rejected() -> None:
    bench = await make_bench(terms=KeyTerms(envelope=Boundaries(allowed_models=frozenset())))
    preview = await post(bench, CHAT, "/v1/route")
    assert preview.status_code == 200
    assert preview.json()["decision"]["kind"] == "blocked"
    live = await post(bench, CHAT)
    assert code_of(live) == "routing_policy_blocked"
    assert live.headers["x-should-retry"] == "false"
    assert live.headers["x-astrolabe-policy-status"] == "blocked"


async def test_a_trace_is_shown_to_any_key_of_its_workspace_and_to_no_other() -> None:
    bench = await make_bench()
    made = (await post(bench)).headers["x-request-id"]
    second = await bench.new_key()
    other = await bench.new_key(await bench.new_workspace())
    own = await ask(bench, "GET", f"/v1/traces/{made}", **{"x-api-key": second.secret})
    assert own.json()["request_id"] == made
    assert own.json()["ledger"]["debit_usd"] == "0.000007"
    answer = await ask(bench, "GET", f"/v1/traces/{made}", **{"x-api-key": other.secret})
    assert code_of(answer) == "not_found"


async def test_reading_goes_on_where_money_has_run_out() -> None:
    bench = await make_bench(credit="0")
    assert code_of(await post(bench)) == "payment_required"
    assert (await ask(bench, "GET", "/v1/usage", **{"x-api-key": bench.secret})).status_code == 200


async def test_a_store_that_goes_away_while_it_is_read_is_503() -> None:
    bench = await make_bench()
    for path in ("/v1/usage", "/v1/usage?group_by=day", "/v1/traces/req_0"):
        bench.store.reads_away = True
        answer = await ask(bench, "GET", path, **{"x-api-key": bench.secret})
        assert code_of(answer) == "storage_unavailable"
        assert answer.headers["retry-after"]
        assert answer.headers["x-astrolabe-cloud-workspace"] == bench.workspace.id


async def test_what_the_operator_keeps_back_is_not_spent() -> None:
    body = {**CHAT, "max_tokens": 100}
    for floor, status in (("0.9", 200), ("0.9999999", 402)):
        bench = await make_bench(credit="1", balance_floor=usd(floor))
        assert (await post(bench, body)).status_code == status


async def test_a_refused_stack_of_the_key_is_refused() -> None:
    bench = await make_bench(terms=KeyTerms(stack=StackSlug("nowhere")))
    assert code_of(await post(bench)) == "routing_stack_not_found"


async def test_what_the_provider_says_of_itself_reaches_no_caller() -> None:
    bench = await make_bench()
    bench.transport.script = [chat_reply(user="canary", choices=chat_body()["choices"])]
    assert "canary" not in (await post(bench)).text
