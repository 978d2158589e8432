from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from astrolabe_core.ledger import Count, Ending
from astrolabe_core.money import NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.units import Instant, KeyId, ModelId, RequestId, Tokens, WorkspaceId
from astrolabe_core.usage import Usage, UsageRecord
from astrolabe_http.cli.usage import merged
from astrolabe_storage import open_store
from tests.http.cli.running import Shell

DAY = 86_400_000
NOON = 1_795_262_400_000
MODELS = ("deepseek/deepseek-v4-flash", "openai/gpt-5.4")


def record(workspace: str, key: str, number: int) -> UsageRecord:
    return UsageRecord(
        request=RequestId(f"req_{number:026d}"),
        workspace=WorkspaceId(workspace),
        key=KeyId(key),
        at=Instant(NOON + number * DAY),
        surface="chat",
        stream=False,
        model="astrolabe/auto",
        stack="default-optimizer",
        stack_version=1,
        category="coding",
        served=ModelId(MODELS[number % 2]),
        usage=Usage(input_tokens=Tokens(100), output_tokens=Tokens(10)),
        debit=NanoUsd(1_000_000 * (1 + number % 2)),
        baseline=NanoUsd(4_000_000),
    )


@pytest.fixture
def used(shell: Shell) -> list[str]:
    """Two workspaces, one with five requests on five days and one with two."""
    owners: list[str] = []
    for name, numbers in (("ours", range(5)), ("theirs", range(5, 7))):
        owner = shell.told("workspaces", "create", name)["id"]
        key = shell.told("keys", "create", "--workspace", owner)["id"]
        asyncio.run(write(shell.folder, [record(owner, key, number) for number in numbers]))
        owners.append(owner)
    return owners


async def write(folder: Path, records: list[UsageRecord]) -> None:
    store = await open_store(f"sqlite:///{folder / 'accounts.db'}")
    for each in records:
        rate = rate_limit(each.key, 1_000, each.at)
        ending = Ending(usage=each, trace=None)
        await store.submit(Count(workspace=each.workspace, rate=rate, at=each.at, ending=ending))
    await store.close()


def test_it_sums_by_model_and_says_what_was_saved(shell: Shell, used: list[str]) -> None:
    found = shell.told("usage", "--workspace", used[0])
    assert [(row["group"], row["requests"]) for row in found["data"]] == [
        (MODELS[1], 2),
        (MODELS[0], 3),
    ]
    assert found["total"]["debit_usd"] == "0.007"
    assert found["total"]["savings_usd"] == "0.013"
    shown = shell.run("usage", "--workspace", used[0]).stdout
    assert "$0.007" in shown
    assert "65 %" in shown


def test_without_a_workspace_it_sums_over_all(shell: Shell, used: list[str]) -> None:
    found = shell.told("usage", "--group-by", "stack")
    assert [row["group"] for row in found["data"]] == ["default-optimizer"]
    assert found["data"][0]["requests"] == 7
    assert found["total"]["input_tokens"] == 700


@pytest.mark.parametrize(
    ("group_by", "groups"), [("day", 7), ("key", 2), ("category", 1), ("model", 2)]
)
def test_it_groups_by(shell: Shell, used: list[str], group_by: str, groups: int) -> None:
    found = shell.told("usage", "--group-by", group_by)
    assert found["group_by"] == group_by
    assert len(found["data"]) == groups
    assert sum(row["requests"] for row in found["data"]) == 7


@pytest.mark.parametrize(
    ("words", "requests"),
    [
        (("--since", "2026-11-23T12:00:00Z"), 5),
        (("--until", "2026-11-23T12:00:00Z"), 2),
        (("--since", str(NOON // 1_000), "--until", str(NOON // 1_000 + 1)), 1),
        (("--model", MODELS[1]), 3),
        (("--billable",), 7),
        (("--unbillable",), 0),
    ],
)
def test_it_filters(shell: Shell, used: list[str], words: tuple[str, ...], requests: int) -> None:
    found = shell.told("usage", *words)
    assert sum(row["requests"] for row in found["data"]) == requests


def test_single_requests_come_newest_first_in_pages(shell: Shell, used: list[str]) -> None:
    first = shell.told("usage", "--requests", "--limit", "3")
    assert [int(row["request_id"][4:]) for row in first["data"]] == [6, 5, 4]
    assert first["has_more"] is True
    words = ("--requests", "--limit", "5", "--before", first["next_cursor"])
    rest = shell.told("usage", *words)
    assert [int(row["request_id"][4:]) for row in rest["data"]] == [3, 2, 1, 0]
    assert rest["has_more"] is False
    shown = shell.run("usage", "--requests", "--limit", "3")
    assert first["data"][0]["request_id"] in shown.stdout
    assert first["next_cursor"] in shown.stderr


@pytest.mark.parametrize(
    "words", [("--since", "yesterday"), ("--limit", "0", "--requests"), ("--group-by", "moon")]
)
def test_a_filter_that_is_none_is_two(
    shell: Shell, used: list[str], words: tuple[str, ...]
) -> None:
    ran = shell.run("usage", *words)
    assert ran.exit_code == 2
    assert words[0] in ran.stderr


def test_nothing_used_is_told(shell: Shell, workspace: str) -> None:
    assert "Nothing was used" in shell.run("usage").stderr
    assert shell.told("usage") == {
        "object": "list",
        "group_by": "model",
        "data": [],
        "total": None,
    }


def test_groups_of_several_workspaces_add_up_exactly() -> None:
    row = {
        "object": "usage_totals",
        "group": "a",
        "requests": 1,
        "billable": 1,
        "input_tokens": 1,
        "output_tokens": 1,
        "debit_usd": "0.1",
        "provider_cost_usd": "0",
        "savings_usd": "-0.2",
    }
    other = {**row, "group": None, "debit_usd": "100"}
    found = merged([row, row, row, other])
    assert [each["group"] for each in found] == [None, "a"]
    assert found[1]["debit_usd"] == "0.3"
    assert Decimal(found[1]["savings_usd"]) == Decimal("-0.6")
    assert found[0]["debit_usd"] == "100"
