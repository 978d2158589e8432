"""Which rows does the ledger keep: wallets, holds, postings, grants?"""

from enum import StrEnum

from attrs import frozen

from astrolabe_core.budgets import CounterId
from astrolabe_core.codes import Unbillable
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, WorkspaceId


@frozen(kw_only=True)
class Wallet:
    """The money of one workspace. `sequence` is the number of its last posting."""

    workspace: WorkspaceId
    available: NanoUsd = ZERO
    held: NanoUsd = ZERO
    debt: NanoUsd = ZERO
    sequence: int = 0


class HoldState(StrEnum):
    """Open once, then one of three ends, for good."""

    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


@frozen(kw_only=True)
class Hold:
    """Money set aside for one request. `counters` are the budget windows it spends from."""

    id: HoldId
    workspace: WorkspaceId
    key: KeyId
    request: RequestId
    amount: NanoUsd
    opened_at: Instant
    node: NodeId
    counters: tuple[CounterId, ...] = ()
    state: HoldState = HoldState.OPEN
    charged: NanoUsd = ZERO
    reason: Unbillable | None = None
    closed_at: Instant | None = None


class House(StrEnum):
    """The other side of a posting: accounts that have entries and no balance row."""

    FUNDING = "funding"
    REVENUE = "revenue"
    NONE = "none"


class PostingKind(StrEnum):
    """What a posting records."""

    GRANT = "grant"
    RESERVE = "reserve"
    CAPTURE = "capture"
    VOID = "void"
    EXPIRE = "expire"


@frozen(kw_only=True)
class Posting:
    """One line of a workspace's journal: changes of its balances and of one house account.

    `available + held - debt + house` is zero: debt is owed, so it counts against.
    `reference` is the hold, or the identity of the grant.
    """

    workspace: WorkspaceId
    sequence: int
    kind: PostingKind
    reference: str
    at: Instant
    available: int = 0
    held: int = 0
    debt: int = 0
    house: int = 0
    house_account: House = House.NONE
    note: str = ""


@frozen(kw_only=True)
class GrantRow:
    """A grant that was made, by its identity."""

    id: str
    workspace: WorkspaceId
    amount: NanoUsd
