from __future__ import annotations

import re

import pytest

from astrolabe_core.accounts import KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.ledger import Wallet
from astrolabe_core.money import AMOUNT_MAX, NanoUsd, usd
from astrolabe_core.units import KeyId, RequestId, StackSlug, WorkspaceId
from astrolabe_http.keys import hash_key
from astrolabe_http.service import KeyTerms, Missing, Unfit
from tests.http.gateways import CHAT, SECRET, make_bench

pytestmark = pytest.mark.anyio

NOWHERE = WorkspaceId("ws_nowhere")


async def test_a_workspace_is_made_with_an_empty_wallet() -> None:
    service = (await make_bench()).service
    made = await service.create_workspace(" Acme ")
    assert isinstance(made, Workspace)
    assert (made.name, made.status) == ("Acme", WorkspaceStatus.ACTIVE)
    assert await service.workspace(made.id) == made
    assert made in await service.workspaces()
    wallet = await service.balance(made.id)
    assert isinstance(wallet, Wallet)
    assert (wallet.available, wallet.held, wallet.debt) == (0, 0, 0)


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "a\nb", "a\x00"])
async def test_a_name_that_cannot_be_shown_is_unfit(name: str) -> None:
    assert isinstance(await (await make_bench()).service.create_workspace(name), Unfit)


async def test_a_key_s_secret_is_given_once_and_kept_nowhere() -> None:
    bench = await make_bench()
    made = await bench.new_key(terms=KeyTerms(name="ci", rate_limit=7, stack=StackSlug("fast")))
    assert re.fullmatch(r"astrolabe_test_[\w-]{49}", made.secret)
    assert made.secret not in repr(made)
    assert made.key.hash == hash_key(SECRET, made.secret)
    assert made.key.hash not in repr(made)
    assert (made.key.name, made.key.rate_limit, made.key.stack) == ("ci", 7, "fast")
    assert await bench.service.keys(bench.workspace.id) == (bench.key, made.key)


@pytest.mark.parametrize("terms", [KeyTerms(rate_limit=0), KeyTerms(name="x" * 201)])
async def test_a_key_that_could_do_nothing_is_unfit(terms: KeyTerms) -> None:
    bench = await make_bench()
    assert isinstance(await bench.service.create_key(bench.workspace.id, terms), Unfit)


async def test_a_revoked_key_stays_revoked() -> None:
    bench = await make_bench()
    for _ in range(2):
        revoked = await bench.service.revoke_key(bench.key.id)
        assert not isinstance(revoked, Missing)
        assert revoked.status is KeyStatus.REVOKED
    async with bench.client() as client:
        assert (await client.get("/v1/models")).status_code == 401


async def test_suspension_takes_effect_on_the_next_request_and_so_does_its_end() -> None:
    bench = await make_bench()
    for status, answer in ((WorkspaceStatus.SUSPENDED, 403), (WorkspaceStatus.ACTIVE, 200)):
        await bench.service.set_status(bench.workspace.id, status)
        async with bench.client() as client:
            assert (await client.get("/v1/models")).status_code == answer


async def test_a_stack_is_assigned_to_a_workspace_or_to_one_key() -> None:
    bench = await make_bench()
    assign = bench.service.assign_stack

    async def governing() -> str:
        async with bench.client() as client:
            answer = await client.post("/v1/route", json=CHAT)
        return f"{answer.json()['stack']['slug']} by {answer.json()['stack']['resolved_by']}"

    await assign(bench.workspace.id, StackSlug("low-cost"))
    assert await governing() == "low-cost by workspace"
    await assign(bench.workspace.id, StackSlug("fast"), bench.key.id)
    assert await governing() == "fast by key"
    assert isinstance(await assign(await bench.new_workspace(), None, bench.key.id), Missing)


async def test_credit_is_added_once_for_each_grant() -> None:
    bench = await make_bench(credit="0")
    grant = bench.service.grant_credit
    for _ in range(2):
        wallet = await grant(bench.workspace.id, usd("5"), grant="invoice-1")
        assert isinstance(wallet, Wallet)
        assert wallet.available == usd("5")
    assert isinstance(await grant(bench.workspace.id, usd("6"), grant="invoice-1"), Unfit)
    wallet = await grant(bench.workspace.id, usd("1"))
    assert isinstance(wallet, Wallet)
    assert wallet.available == usd("6")
    postings = await bench.service.postings(bench.workspace.id)
    assert not isinstance(postings, Missing)
    assert [posting.available for posting in postings] == [usd("5"), usd("1")]


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1])
async def test_an_amount_out_of_range_is_unfit(amount: int) -> None:
    bench = await make_bench()
    assert isinstance(await bench.service.grant_credit(bench.workspace.id, NanoUsd(amount)), Unfit)


async def test_what_is_not_there_is_missing() -> None:
    service = (await make_bench()).service
    assert isinstance(await service.workspace(NOWHERE), Missing)
    assert isinstance(await service.set_status(NOWHERE, WorkspaceStatus.ACTIVE), Missing)
    assert isinstance(await service.assign_stack(NOWHERE, None), Missing)
    assert isinstance(await service.create_key(NOWHERE), Missing)
    assert isinstance(await service.keys(NOWHERE), Missing)
    assert isinstance(await service.revoke_key(KeyId("key_0")), Missing)
    assert isinstance(await service.grant_credit(NOWHERE, usd("1")), Missing)
    assert isinstance(await service.balance(NOWHERE), Missing)
    assert isinstance(await service.postings(NOWHERE), Missing)
    assert isinstance(await service.trace(RequestId("req_0")), Missing)


async def test_a_trace_is_found_with_its_workspace_and_without() -> None:
    bench = await make_bench()
    async with bench.client() as client:
        made = RequestId(
            (await client.post("/v1/chat/completions", json=CHAT)).headers["x-request-id"]
        )
    for workspace in (None, bench.workspace.id):
        assert made in str(await bench.service.trace(made, workspace))
    assert isinstance(await bench.service.trace(made, await bench.new_workspace()), Missing)
