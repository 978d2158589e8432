"""What the document tells of routings are the core's own words, and its own renderings."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from astrolabe_core.checks import Check
from astrolabe_core.fallback import Cause
from astrolabe_core.resolve import LayerName, Level
from astrolabe_core.tool_policy import Permission
from astrolabe_core.verification import Concern, VerificationStatus
from astrolabe_http.openapi.headers import VERIFICATION_STATUSES
from astrolabe_http.openapi.routing import CAUSES, CHECKS, CONCERNS, LAYERS, LEVELS, PERMISSIONS
from tests.http.gateways import CHAT, RESPONSES, chat_body, chat_reply, json_reply, make_bench
from tests.http.openapi.validating import closed_validator


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (LEVELS, Level),
        (LAYERS, LayerName),
        (CAUSES, Cause),
        (CHECKS, Check),
        (CONCERNS, Concern),
        (PERMISSIONS, Permission),
        (VERIFICATION_STATUSES, VerificationStatus),
    ],
)
def test_the_words_of_policy_are_those_of_the_core(
    told: tuple[str, ...], known: type[StrEnum]
) -> None:
    assert told == tuple(word.value for word in known)


SCHEMA = {
    "model": "astrolabe/auto",
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "one",
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
            },
        },
    },
}
STRICT = {"model": "astrolabe/auto", "metadata": {"astrolabe": {"verification": "strict"}}}
TOOLS = {
    "tools": [{"type": "function", "function": {"name": "send_email", "parameters": {}}}],
    "metadata": {"astrolabe": {"approval_required": True}},
}
CALLS = json_reply(
    chat_body(
        choices=[
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "send_email", "arguments": "{}"},
                        }
                    ],
                },
            }
        ]
    )
)
GOOD = '{"score": 5, "concerns": []}'
BLOCKED = {"metadata": {"astrolabe": {"stack": "customer-data"}}, "model": "x-ai/grok-4.3"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "script"),
    [
        (CHAT, []),
        ({**CHAT, "model": "astrolabe/auto"}, [json_reply({"error": {"message": "no"}}, 500)]),
        ({**CHAT, **BLOCKED}, []),
        ({**RESPONSES, "model": "none"}, []),
        ({**CHAT, **STRICT}, [chat_reply(), chat_reply('{"score": 2, "concerns": ["unsafe"]}')]),
        ({**CHAT, **STRICT}, [chat_reply(), chat_reply("Fine!"), json_reply({}, 500)]),
        ({**CHAT, **SCHEMA}, [chat_reply("no"), chat_reply("{}"), chat_reply('{"a": 1}')]),
        ({**CHAT, **SCHEMA}, [chat_reply('```json\n{"a": 1}\n```')]),
        ({**CHAT, **TOOLS}, [CALLS]),
    ],
    ids=[
        "served",
        "fallen back",
        "blocked",
        "unknown model",
        "doubted",
        "not verified",
        "recovered",
        "mended",
        "calls",
    ],
)
async def test_a_trace_and_a_dry_run_have_what_is_described_and_nothing_else(
    body: dict[str, Any], script: list[Any]
) -> None:
    bench = await make_bench()
    bench.transport.script = script
    path = "/v1/chat/completions" if "messages" in body else "/v1/responses"
    async with bench.client() as client:
        served = await client.post(path, json=body)
        shown = await client.get(f"/v1/traces/{served.headers['x-request-id']}")
        preview = await client.post("/v1/route", json=body)
    assert shown.status_code == 200
    closed_validator("Trace").validate(shown.json())
    if bench.transport.sent and not served.is_success:
        closed_validator("AttemptDetails").validate(
            {"attempts": served.json()["error"]["details"]["attempts"]}
        )
    if preview.status_code == 200:
        closed_validator("Trace").validate(preview.json())
    else:
        closed_validator("Error").validate(preview.json())


@pytest.mark.anyio
async def test_an_answer_explains_itself_in_what_is_described_and_nothing_else() -> None:
    bench = await make_bench()
    bench.transport.script = [json_reply({}, 500), chat_reply(), chat_reply(GOOD)]
    explained = {"metadata": {"astrolabe": {"verification": "strict", "explain": True}}}
    async with bench.client() as client:
        served = await client.post(
            "/v1/chat/completions", json={**CHAT, **explained, "model": "astrolabe/auto"}
        )
    told = served.json()["astrolabe"]
    closed_validator("RoutingReport").validate(told)
    assert [each["cause"] for each in told["tried"]] == ["first", "fallback"]
    assert told["tried"][0]["outcome"] == "provider_error"
    assert told["verification"]["score"] == 5
    assert told["decision"] == "fallback"
    async with bench.client() as client:
        plain = await client.post("/v1/chat/completions", json=CHAT)
    assert "tried" not in plain.json()["astrolabe"]
    closed_validator("RoutingReport").validate(plain.json()["astrolabe"])
