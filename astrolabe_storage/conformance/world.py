"""What do the checks act on?  One workspace, one key, money, and short ways to say commands."""

from typing import Any, Final

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.canonical import digest
from astrolabe_core.codes import Code, Unbillable
from astrolabe_core.ledger import (
    Capture,
    Count,
    Declined,
    Ending,
    Expire,
    Grant,
    Outcome,
    Rejected,
    Reserve,
    Void,
    Wallet,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.stacks import Stack, StackVersion
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, StackSlug, WorkspaceId
from astrolabe_core.usage import UsageRecord
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.facts import is_a, same, true

OURS: Final = WorkspaceId("ws_ours")
THEIRS: Final = WorkspaceId("ws_theirs")
KEY: Final = KeyId("key_ours")
THEIR_KEY: Final = KeyId("key_theirs")
NODE: Final = NodeId("node_a")
AT: Final = Instant(1_795_262_400_000)
"""2026-11-21T12:00:00Z."""


def workspace(identity: str = OURS, **given: Any) -> Workspace:  # noqa: ANN401
    """Describe a workspace."""
    return Workspace(id=WorkspaceId(identity), name=f"the {identity}", **given)


def key(identity: str = KEY, of: str = OURS, **given: Any) -> Key:  # noqa: ANN401
    """Describe a key; its hash is `hash of` and its id."""
    return Key(
        id=KeyId(identity),
        workspace=WorkspaceId(of),
        hash=f"hash of {identity}",
        prefix="astrolabe_live_ab",
        last_four="wxyz",
        **given,
    )


def stack_version(slug: str, number: int, **given: Any) -> StackVersion:  # noqa: ANN401
    """Describe a published version of a stack."""
    stack = Stack(slug=StackSlug(slug), name=f"{slug} {number}")
    return StackVersion(stack=stack, version=number, hash=digest(stack), **given)


async def settle_in(store: AuditedStore, *, usd_nanos: int = 1_000) -> None:
    """Make two workspaces with a key each, and give the first some money."""
    for identity, key_id in ((OURS, KEY), (THEIRS, THEIR_KEY)):
        await store.create_workspace(workspace(identity))
        await store.create_key(key(key_id, identity))
    if usd_nanos:
        await store.submit(grant(usd_nanos))


def grant(amount: int, identity: str = "order-1", *, of: WorkspaceId = OURS) -> Grant:
    """Ask for credit."""
    return Grant(id=identity, workspace=of, amount=NanoUsd(amount), at=AT, note="paid")


def reserve(identity: str, amount: int, **given: Any) -> Reserve:  # noqa: ANN401
    """Ask for a hold, of a key that may make a million requests a minute."""
    asked: dict[str, Any] = {
        "hold": HoldId(identity),
        "workspace": OURS,
        "key": KEY,
        "request": RequestId(f"req_{identity}"),
        "amount": NanoUsd(amount),
        "at": AT,
        "node": NODE,
        "rate": rate_limit(KEY, 1_000_000, AT),
    }
    return Reserve(**{**asked, **given})


def capture(
    identity: str, charge: int, ending: Ending | None = None, *, of: WorkspaceId = OURS
) -> Capture:
    """Ask for a debit."""
    return Capture(
        hold=HoldId(identity), workspace=of, charge=NanoUsd(charge), at=AT, ending=ending
    )


def void(
    identity: str,
    reason: Unbillable = Unbillable.PROVIDER_ERROR,
    ending: Ending | None = None,
) -> Void:
    """Ask for an end without debit."""
    return Void(hold=HoldId(identity), workspace=OURS, reason=reason, at=AT, ending=ending)


def expire(identity: str) -> Expire:
    """Ask for the end of a hold that a crash left."""
    return Expire(hold=HoldId(identity), workspace=OURS, at=AT)


def count(limit: int = 1_000_000, ending: Ending | None = None) -> Count:
    """Ask for a request to be counted."""
    return Count(workspace=OURS, rate=rate_limit(KEY, limit, AT), at=AT, ending=ending)


def ending(request: str, trace: str | None = None, **given: Any) -> Ending:  # noqa: ANN401
    """Describe how a request ended."""
    described: dict[str, Any] = {
        "request": RequestId(request),
        "workspace": OURS,
        "key": KEY,
        "at": AT,
        "surface": "chat",
        "stream": False,
        "model": "astrolabe/auto",
    }
    return Ending(usage=UsageRecord(**{**described, **given}), trace=trace)


def refused(outcome: Outcome) -> Code:
    """Say why a reservation was declined."""
    return is_a(outcome, Declined).refusal.code


def conflict(outcome: Outcome) -> str:
    """Say what a command contradicts."""
    return is_a(outcome, Rejected).conflict


async def balances(store: AuditedStore, of: WorkspaceId = OURS) -> tuple[int, int, int]:
    """Give available, held and debt."""
    wallet = is_a(await store.wallet(of), Wallet)
    return wallet.available, wallet.held, wallet.debt


async def check_journal(store: AuditedStore, length: int | None = None) -> None:
    """Check that the journal has no gap, sums to zero and comes to the balances."""
    postings = await store.postings(OURS)
    same([p.sequence for p in postings], list(range(1, len(postings) + 1)), "sequence")
    true(
        all(p.available + p.held - p.debt + p.house == 0 for p in postings),
        "every posting sums to zero",
    )
    sums = tuple(
        sum(column)
        for column in zip(*((p.available, p.held, p.debt) for p in postings), strict=True)
    )
    same(sums or (0, 0, 0), await balances(store), "sums of the journal")
    if length is not None:
        same(len(postings), length, "postings")
