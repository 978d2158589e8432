from __future__ import annotations

from typing import Any

import pytest

from astrolabe_core.codes import Refusal
from astrolabe_core.units import Instant
from astrolabe_core.usage import UsageGrouping
from astrolabe_http.usage_page import instant_text, read_usage_query
from tests.http.gateways import CHAT, Bench, json_reply, make_bench

NOON = 1_795_262_400_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21T12:00:00", NOON),
        ("2026-11-21T13:00:00%2B01:00", NOON),
        ("2026-11-21T13:00:00+01:00", NOON),
        ("2026-11-21", NOON - 43_200_000),
        ("2026-11-21T12:00:00.5Z", NOON + 500),
        ("1795262400", NOON),
    ],
)
def test_instants_are_read_in_every_usual_form(text: str, at: int) -> None:
    asked = read_usage_query(f"since={text}&until={text}".encode())
    assert not isinstance(asked, Refusal)
    assert (asked.query.since, asked.query.until) == (at, at)


def test_instants_are_written_in_utc() -> None:
    assert instant_text(Instant(NOON + 7)) == "2026-11-21T12:00:00.007Z"
    assert instant_text(Instant(0)) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("grouping", UsageGrouping)
def test_every_grouping_may_be_asked_for(grouping: UsageGrouping) -> None:
    asked = read_usage_query(f"group_by={grouping.value}".encode())
    assert not isinstance(asked, Refusal)
    assert asked.grouping is grouping


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("since=soon", "since"),
        ("until=-1", "until"),
        ("since=99999999999999999999", "since"),
        ("since=9999-99-99", "since"),
        ("billable=yes", "billable"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=9999999999999", "limit"),
        ("limit=ten", "limit"),
        ("group_by=mood", "group_by"),
        ("model=", "model"),
        ("key=" + "x" * 201, "key"),
        ("before=", "before"),
        ("before=yesterday", "before"),
        ("before=req_01kahm4jm0g5q2x9w7d3n8b1cV", "before"),
        ("modle=x", "modle"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(query: str, param: str) -> None:
    refusal = read_usage_query(query.encode())
    assert isinstance(refusal, Refusal)
    assert refusal.param == param


async def usage(bench: Bench, query: str = "") -> Any:
    async with bench.client() as client:
        answer = await client.get(f"/v1/usage{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def spend(bench: Bench, times: int, **body: Any) -> None:
    async with bench.client() as client:
        for _ in range(times):
            bench.clock.at = Instant(bench.clock.at + 1_000)
            await client.post("/v1/chat/completions", json={**CHAT, **body})


@pytest.mark.anyio
async def test_pages_give_every_row_once_newest_first() -> None:
    bench = await make_bench()
    await spend(bench, 7)
    seen: list[str] = []
    cursor = ""
    pages = 0
    while True:
        page = await usage(bench, f"?limit=3{cursor}")
        pages += 1
        seen += [row["request_id"] for row in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = f"&before={page['next_cursor']}"
    assert pages == 3
    assert len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.anyio
async def test_a_page_that_is_just_full_is_the_last() -> None:
    bench = await make_bench()
    await spend(bench, 3)
    page = await usage(bench, "?limit=3")
    assert (len(page["data"]), page["has_more"], page["next_cursor"]) == (3, False, None)


@pytest.mark.anyio
async def test_filters_narrow() -> None:
    bench = await make_bench()
    await spend(bench, 2)
    bench.transport.script = [json_reply({}, 400)]
    await spend(bench, 1, model="openai/gpt-5.4-mini")
    await spend(bench, 1, metadata={"astrolabe": {"stack": "low-cost"}})
    for query, rows in (
        ("", 4),
        ("?billable=true", 3),
        ("?billable=false", 1),
        ("?model=openai/gpt-5.4-nano", 3),
        ("?model=openai/gpt-5.5", 0),
        ("?stack=low-cost", 1),
        (f"?key={bench.key.id}", 4),
        ("?key=key_other", 0),
        ("?since=2026-11-21T12:00:02Z", 3),
        ("?until=2026-11-21T12:00:02Z", 1),
        ("?since=2026-11-21T12:00:02Z&until=2026-11-21T12:00:03Z", 1),
    ):
        assert len((await usage(bench, query))["data"]) == rows, query


@pytest.mark.anyio
async def test_amounts_are_decimal_strings_and_sums_add_up() -> None:
    bench = await make_bench()
    await spend(bench, 3)
    row = (await usage(bench))["data"][0]
    assert row["debit_usd"] == "0.000007"
    assert row["provider_cost_usd"] == "0.000007"
    assert row["usage"]["input_tokens"] == 10
    (group,) = (await usage(bench, "?group_by=model"))["data"]
    assert group["group"] == "openai/gpt-5.4-nano"
    assert (group["requests"], group["billable"]) == (3, 3)
    assert group["debit_usd"] == "0.000021"
    (day,) = (await usage(bench, "?group_by=day"))["data"]
    assert day["group"] == "2026-11-21"


@pytest.mark.anyio
async def test_no_other_workspace_s_rows_are_shown() -> None:
    bench = await make_bench()
    await spend(bench, 1)
    other = await bench.new_key(await bench.new_workspace())
    async with bench.client(**{"x-api-key": other.secret}) as client:
        for query in ("", "?group_by=model", f"?key={bench.key.id}"):
            assert (await client.get(f"/v1/usage{query}")).json()["data"] == []
