"""Every fault of the simulator, played against the real server, does what the table says.

The outcome that a caller is told, the attempts in the trace, one debit or none, every hold ended,
and the next request healthy. tests/scenarios/faults.toml is the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import httpx
import pytest
from attrs import frozen

from astrolabe_http.service import KeyTerms
from astrolabe_http.simulator.faults import FAULTS, Faults, parse
from tests.http.server.processes import (
    balance,
    differences,
    make_account,
    start_gateway,
    start_simulator,
)
from tests.judges.conftest import complaints
from tests.scenarios.playing import Case, Played, Player, Seen, scenes
from tests.scenarios.table import Row, retried, rows

CREDIT: Final = "1000"
ROWS: Final = rows()
CODES: Final = retried()
SILENCE_S: Final = "1.5"
REQUEST_S: Final = "6"


@frozen
class Outcome:
    """All that was played, and what is left of it once the gateway has stopped."""

    played: dict[str, list[Played]]
    usage: tuple[dict[str, Any], ...]
    spent: Decimal
    held: int
    differences: tuple[object, ...]
    complaints: tuple[str, ...]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    home = tmp_path_factory.mktemp("scenarios")
    database, log = home / "gateway.db", home / "log"
    workspace, key = make_account(database, CREDIT, KeyTerms(rate_limit=1_000_000))
    simulator = start_simulator()
    gateway = start_gateway(
        database,
        f"{simulator.url}/api/v1",
        log,
        ASTROLABE_ATTEMPT_TIMEOUT=SILENCE_S,
        ASTROLABE_REQUEST_TIMEOUT=REQUEST_S,
    )
    try:
        played, usage = asyncio.run(_play(gateway.url, key, f"{simulator.url}/_control"))
        assert gateway.stop() == 0
        wallet = balance(database, workspace)
        yield Outcome(
            played=_by_row(played),
            usage=tuple(usage),
            spent=Decimal(CREDIT) - Decimal(wallet.available) / 10**9,
            held=wallet.held,
            differences=differences(database),
            complaints=tuple(complaints(log.read_bytes())),
        )
    finally:
        gateway.stop()
        simulator.stop()


async def _play(url: str, key: str, control: str) -> tuple[list[Played], list[dict[str, Any]]]:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        played = await Player(client, control).play(scenes(ROWS))
        usage: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next_cursor": None, "has_more": True}
        while page["has_more"]:
            before = {} if page["next_cursor"] is None else {"before": page["next_cursor"]}
            page = (await client.get("/v1/usage", params={"limit": 1_000, **before})).json()
            usage += page["data"]
    return played, usage


def _by_row(played: list[Played]) -> dict[str, list[Played]]:
    found: dict[str, list[Played]] = {}
    for each in played:
        found.setdefault(each.row.name, []).append(each)
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_follows_from_a_fault_is_what_the_table_says(outcome: Outcome, row: Row) -> None:
    wrong: list[str] = []
    for played in outcome.played[row.name]:
        for case, seen in played.seen:
            if seen.told != case.expected:
                wrong.append(f"{case}: expected {case.expected!s}, and it is {seen.told!s}")
            wrong += _against_the_codes(case, seen)
        if played.next_status != 200:
            wrong.append(f"{played.situation}: the next request was told {played.next_status}")
    assert wrong == []


def _against_the_codes(case: Case, seen: Seen) -> Iterator[str]:
    """Hold an answer's head against the table of codes; a stream that had begun has none."""
    outcome = seen.told.outcome
    within = outcome.startswith(("ok ", "left ", "cut "))
    code = outcome.removeprefix("cut ")
    if within and seen.status != 200:
        yield f"{case}: the status is {seen.status}"
    if not within and (seen.status, seen.again) != CODES.get(code):
        yield f"{case}: status {seen.status}, and trying again is told to be {seen.again}"
    if outcome.startswith("cut ") and code not in CODES:
        yield f"{case}: {code} stands in no table"


def test_every_fault_of_the_simulator_has_a_row() -> None:
    told = [parse(row.name) for row in ROWS]
    assert all(isinstance(each, Faults) for each in told)
    asked = {fault for each in told if isinstance(each, Faults) for fault in each.items}
    missing = {kind.name for kind in FAULTS} - {fault.name for fault in asked}
    words = {(kind.name, word) for kind in FAULTS for word in kind.words}
    missing |= {f"{name}-{word}" for name, word in words - {(f.name, f.word) for f in asked}}
    assert missing == set()


def test_every_row_is_played_for_a_virtual_model_alone_and_all_and_for_a_named_one() -> None:
    for row in ROWS:
        known = set(row.situations)
        by_others = known <= {"judge", "strong", "doubted"} or known == {"left"}
        assert by_others or known >= {"first", "each", "named"}, row.name


def test_every_code_of_the_table_of_codes_occurs() -> None:
    told = [case.expected.outcome.removeprefix("cut ") for scene in scenes(ROWS) for case in scene]
    assert {outcome for outcome in told if " " not in outcome} == set(CODES)


def test_every_hold_has_ended_and_every_debit_is_in_the_books(outcome: Outcome) -> None:
    assert outcome.held == 0
    assert outcome.differences == ()
    debits = [Decimal(row["debit_usd"]) for row in outcome.usage]
    assert sum(debits) == outcome.spent > 0
    requests = sum(len(each.seen) + 1 for played in outcome.played.values() for each in played)
    assert len(outcome.usage) == len({row["request_id"] for row in outcome.usage}) == requests


def test_the_gateway_found_no_fault_with_itself(outcome: Outcome) -> None:
    assert outcome.complaints == ()
