"""A word for a tool call is a token that we signed: for that call, that workspace, ten minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Json, Refusal
from astrolabe_core.requests import Confirmation, Overrides, ask
from astrolabe_core.tool_policy import CONFIRMATION_MS
from astrolabe_core.units import Digest, Instant, WorkspaceId
from astrolabe_http.keys import hash_key
from astrolabe_http.tool_confirmations import (
    PREFIX,
    make_token,
    read_token,
    with_confirmations,
    with_tokens,
)
from astrolabe_http.wire.metadata import CONFIRMATION_PATTERN, Steering, read_steering
from tests.http.gateways import (
    CHAT,
    DONE,
    SECRET,
    USAGE,
    Bench,
    ScriptedReply,
    chat_body,
    chat_chunk,
    json_reply,
    make_bench,
    sse,
    stream_reply,
)
from tests.http.openapi.validating import closed_validator

CALL = Digest(hashlib.sha256(b"a call").hexdigest())
HOME = WorkspaceId("ws_01h455vb4pex5vsknk084sn02q")
EXPIRY_S = 1_800_000_000
TOKEN = make_token(SECRET, CALL, HOME, EXPIRY_S)


def test_a_token_tells_what_it_was_made_for() -> None:
    found = read_token(SECRET, TOKEN)
    assert found == Confirmation(call=CALL, workspace=HOME, expires_at=Instant(EXPIRY_S * 1_000))


def test_a_token_goes_through_the_metadata() -> None:
    for metadata in (
        {"astrolabe": {"tool_confirmations": [TOKEN]}},
        {"astrolabe.tool_confirmations": TOKEN},
        {"astrolabe.tool_confirmations": json.dumps([TOKEN])},
    ):
        read = read_steering("auto", metadata, None)
        assert isinstance(read, Steering), CONFIRMATION_PATTERN
        assert read.overrides.tool_confirmations == (TOKEN,)


def test_no_token_of_another_secret_is_known() -> None:
    assert read_token("another secret", TOKEN) is None


def test_no_bit_of_a_token_can_be_changed() -> None:
    whole = base64.urlsafe_b64decode(TOKEN.removeprefix(PREFIX) + "==")
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        forged = PREFIX + base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
        assert read_token(SECRET, forged) is None
    for length in range(len(TOKEN)):
        assert read_token(SECRET, TOKEN[:length]) is None


@given(st.from_regex(rf"\A{CONFIRMATION_PATTERN}\Z") | st.text(max_size=90))
def test_whatever_comes_as_a_token_is_none(text: str) -> None:
    assert read_token(SECRET, text) is None


def test_no_other_signature_under_the_secret_passes_for_a_token() -> None:
    """The same secret hashes keys: neither may stand in for the other."""
    payload = base64.urlsafe_b64decode(TOKEN.removeprefix(PREFIX) + "==")[32:]
    for signature in (
        hmac.digest(SECRET.encode(), payload, "sha256"),
        bytes.fromhex(hash_key(SECRET, payload.decode("latin-1"))),
    ):
        forged = PREFIX + base64.urlsafe_b64encode(signature + payload).decode().rstrip("=")
        assert read_token(SECRET, forged) is None


def test_a_token_of_a_later_version_is_none() -> None:
    key = hmac.digest(SECRET.encode(), b"astrolabe tool confirmation", "sha256")
    payload = base64.urlsafe_b64decode(TOKEN.removeprefix(PREFIX) + "==")[32:]
    for version, known in ((b"\x01", True), (b"\x02", False)):
        told = version + payload[1:]
        whole = hmac.digest(key, told, "sha256") + told
        token = PREFIX + base64.urlsafe_b64encode(whole).decode().rstrip("=")
        assert (read_token(SECRET, token) is not None) is known


def test_a_request_keeps_the_tokens_that_we_signed_and_none_in_its_overrides() -> None:
    others = (make_token("another secret", CALL, HOME, EXPIRY_S), f"{PREFIX}{'a' * 64}")
    asked = ask("Hi.", overrides=Overrides(tool_confirmations=(*others, TOKEN)))
    known = with_confirmations(asked, SECRET)
    assert known.confirmations == (read_token(SECRET, TOKEN),)
    assert known.overrides == Overrides()
    plain = ask("Hi.")
    assert with_confirmations(plain, SECRET) is plain


def test_only_a_refusal_that_asks_for_a_word_gets_tokens() -> None:
    calls: tuple[Json, ...] = ({"tool": "f", "digest": CALL, "expires_at": EXPIRY_S},)
    refusal = Refusal(
        code=Code.TOOL_CALL_CONFIRMATION_REQUIRED, message="", details={"calls": calls}
    )
    told: Any = with_tokens(refusal, HOME, SECRET).details["calls"]
    assert told == ({"tool": "f", "digest": CALL, "expires_at": EXPIRY_S, "confirmation": TOKEN},)
    for other in (
        evolve(refusal, code=Code.TOOL_CALL_BLOCKED),
        evolve(refusal, details={}),
        evolve(refusal, details={"calls": ("?",)}),
    ):
        assert "confirmation" not in str(with_tokens(other, HOME, SECRET).details)
    assert with_tokens(refusal, None, SECRET) is refusal
    hollow = evolve(refusal, details={"calls": ({"digest": None, "expires_at": 1},)})
    nothing: Any = with_tokens(hollow, HOME, SECRET).details["calls"]
    assert nothing[0]["confirmation"] is None


# --- over HTTP ----------------------------------------------------------------------------
ARGUMENTS = '{"to": "ada@example.com", "body": "See you"}'
TOOL = {"type": "function", "function": {"name": "send_email", "parameters": {"type": "object"}}}


def called(arguments: str = ARGUMENTS) -> ScriptedReply:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "send_email", "arguments": arguments},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return json_reply(chat_body(choices=[choice]))


async def post(bench: Bench, reply: ScriptedReply, *tokens: str, **steering: Any) -> Any:
    bench.transport.script.append(reply)
    asked = {"approval_required": True, "tool_confirmations": list(tokens), **steering}
    body = {**CHAT, "tools": [TOOL], "metadata": {"astrolabe": asked}}
    async with bench.client() as client:
        return await client.post("/v1/chat/completions", json=body)


async def confirmed(bench: Bench) -> str:
    """Have a call refused, and give the token for it."""
    refused = await post(bench, called())
    assert refused.status_code == 409
    (call,) = refused.json()["error"]["details"]["calls"]
    token: str = call["confirmation"]
    return token


@pytest.mark.anyio
async def test_a_word_lets_the_call_pass_that_it_was_given_for() -> None:
    bench = await make_bench()
    before = await bench.available()
    refused = await post(bench, called())
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "tool_call_confirmation_required")
    assert refused.headers["x-should-retry"] == "false"
    assert await bench.available() == before
    closed_validator("ToolCallDetails").validate(error["details"])
    (call,) = error["details"]["calls"]
    assert call["arguments"] == ARGUMENTS
    assert call["expires_at"] == (bench.clock.at + CONFIRMATION_MS) // 1_000
    # Laid out in another way, it is the same call.
    answer = await post(
        bench, called('{"body":"See you","to":"ada@example.com"}'), call["confirmation"]
    )
    assert answer.status_code == 200
    (made,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert made["function"]["name"] == "send_email"
    assert await bench.available() < before
    _, (_, sent), *_ = bench.transport.sent
    assert "astrolabe" not in json.dumps(sent)
    assert call["confirmation"] not in json.dumps(sent)


@pytest.mark.anyio
async def test_a_word_is_none_for_another_call_or_workspace_or_after_its_time() -> None:
    bench = await make_bench()
    token = await confirmed(bench)
    other = await post(bench, called('{"to": "eve@example.com"}'), token)
    assert other.json()["error"]["code"] == "tool_call_confirmation_required"
    blocked = await post(bench, called(), token, tool_profile="read_only")
    assert blocked.json()["error"]["code"] == "tool_call_blocked"
    assert "confirmation" not in blocked.json()["error"]["details"]["calls"][0]
    closed_validator("ToolCallDetails").validate(blocked.json()["error"]["details"])
    elsewhere = await make_bench()
    foreign = await post(elsewhere, called(), token)
    assert foreign.json()["error"]["code"] == "tool_call_confirmation_required"
    bench.clock.at = Instant(bench.clock.at + CONFIRMATION_MS)
    late = await post(bench, called(), token)
    (call,) = late.json()["error"]["details"]["calls"]
    # Asked anew, with a fresh token.
    assert call["confirmation"] not in {None, token}
    assert (await post(bench, called(), call["confirmation"])).status_code == 200


@pytest.mark.anyio
async def test_what_cannot_be_a_token_is_told_before_anybody_is_asked() -> None:
    bench = await make_bench()
    refused = await post(bench, called(), "yes, do it")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "invalid_routing_override")
    assert error["param"] == "metadata.astrolabe.tool_confirmations"
    assert bench.transport.sent == []


@pytest.mark.anyio
async def test_a_trace_tells_of_the_call_and_holds_no_arguments() -> None:
    bench = await make_bench()
    refused = await post(bench, called())
    request = refused.headers["x-request-id"]
    async with bench.client() as client:
        trace = (await client.get(f"/v1/traces/{request}")).text
    told = json.loads(trace)
    assert told["tool_calls"][0]["permission"] == "confirmation_required"
    assert told["ledger"]["unbillable_reason"] == "tool_call_confirmation_required"
    assert "ada@example.com" not in trace
    assert not any(b"ada@example.com" in line for line in bench.lines)


@pytest.mark.anyio
async def test_a_stream_that_has_begun_breaks_off_with_the_token_and_without_the_call() -> None:
    bench = await make_bench()
    call = {"index": 0, "id": "call_1", "type": "function"}
    call["function"] = {"name": "send_email", "arguments": ARGUMENTS}
    delta = {"tool_calls": [call]}
    ending = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    stream = (
        chat_chunk("I shall write."),
        {**chat_chunk(), "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**chat_chunk(), **ending, "usage": USAGE},
    )
    for token, passes in (((), False), ((await confirmed(bench),), True)):
        bench.transport.script.append(stream_reply(sse(*stream), DONE))
        asked = {"approval_required": True, "tool_confirmations": list(token)}
        body = {**CHAT, "stream": True, "tools": [TOOL], "metadata": {"astrolabe": asked}}
        async with bench.client() as client:
            answer = await client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 200
        assert "I shall write." in answer.text
        assert ('"tool_calls"' in answer.text) is passes
        assert ('"confirmation":"tool_' in answer.text) is not passes
        assert answer.text.endswith("data: [DONE]\n\n")
