"""What the document tells of routings are the core's own words, and its own renderings."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from astrolabe_core.resolve import LayerName, Level
from astrolabe_core.verification import Check, VerificationStatus
from astrolabe_http.openapi.routing import CHECKS, LAYERS, LEVELS, VERIFICATION_STATUSES
from tests.http.gateways import CHAT, RESPONSES, json_reply, make_bench
from tests.http.openapi.validating import closed_validator


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (LEVELS, Level),
        (LAYERS, LayerName),
        (CHECKS, Check),
        (VERIFICATION_STATUSES, VerificationStatus),
    ],
)
def test_the_words_of_policy_are_those_of_the_core(
    told: tuple[str, ...], known: type[StrEnum]
) -> None:
    assert told == tuple(word.value for word in known)


BLOCKED = {"metadata": {"astrolabe": {"stack": "customer-data"}}, "model": "x-ai/grok-4.3"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "script"),
    [
        (CHAT, []),
        ({**CHAT, "model": "astrolabe/auto"}, [json_reply({"error": {"message": "no"}}, 500)]),
        ({**CHAT, **BLOCKED}, []),
        ({**RESPONSES, "model": "none"}, []),
    ],
    ids=["served", "fallen back", "blocked", "unknown model"],
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
    if preview.status_code == 200:
        closed_validator("Trace").validate(preview.json())
    else:
        closed_validator("Error").validate(preview.json())
