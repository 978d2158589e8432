"""What may be asked of the ledger, and what does it answer?"""

from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from astrolabe_core.budgets import CounterId, SpendLimit
from astrolabe_core.codes import Refusal, Unbillable
from astrolabe_core.ledger.rows import Hold, Wallet
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.quotas import RateLimit, RateStatus
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, WorkspaceId
from astrolabe_core.usage import UsageRecord


@frozen(kw_only=True)
class Ending:
    """What is written with the command that ends a request: its usage row, its trace as JSON."""

    usage: UsageRecord
    trace: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Reserve:
    """Set `amount` aside if key, workspace, rate, budgets and balance all allow it.

    `limits` names each counter at most once. `floor`, 0 and up, must stay available.
    """

    hold: HoldId
    workspace: WorkspaceId
    key: KeyId
    request: RequestId
    amount: NanoUsd
    at: Instant
    node: NodeId
    rate: RateLimit
    limits: tuple[SpendLimit, ...] = ()
    floor: NanoUsd = ZERO


@frozen(kw_only=True)
class Capture:
    """End a hold with a debit of `charge`, which may be above it."""

    hold: HoldId
    workspace: WorkspaceId
    charge: NanoUsd
    at: Instant
    ending: Ending | None = None


@frozen(kw_only=True)
class Void:
    """End a hold without a debit."""

    hold: HoldId
    workspace: WorkspaceId
    reason: Unbillable
    at: Instant
    ending: Ending | None = None


@frozen(kw_only=True)
class Expire:
    """End a hold whose node is gone. Sent by a sweeper that knows, never by a clock."""

    hold: HoldId
    workspace: WorkspaceId
    at: Instant


@frozen(kw_only=True)
class Grant:
    """Add credit from outside, once for each `id`."""

    id: str
    workspace: WorkspaceId
    amount: NanoUsd
    at: Instant
    note: str = ""


@frozen(kw_only=True)
class Count:
    """Count a request that ended before any hold: refused, or only reading.

    Has no identity: carried out twice, it counts twice.
    """

    workspace: WorkspaceId
    rate: RateLimit
    at: Instant
    ending: Ending | None = None


Command: TypeAlias = Reserve | Capture | Void | Expire | Grant | Count


@frozen(kw_only=True)
class Reserved:
    """The money is set aside. `warnings` names budget counters that just crossed their line.

    In a replay `hold.state` may be another than open, and there are no warnings.
    """

    hold: Hold
    rate: RateStatus
    available: NanoUsd
    warnings: tuple[CounterId, ...] = ()


@frozen(kw_only=True)
class Closed:
    """The hold has ended; `hold.state` says how.

    `debt_added` is what no balance covered; nothing in a replay.
    """

    hold: Hold
    available: NanoUsd
    debt_added: NanoUsd = ZERO


@frozen(kw_only=True)
class Granted:
    """The credit has been added, debt settled first."""

    wallet: Wallet


@frozen(kw_only=True)
class Counted:
    """The request has been counted."""

    rate: RateStatus


@frozen
class Declined:
    """A reservation that policy, limits or balance forbid. Nothing changed."""

    refusal: Refusal


class Conflict(StrEnum):
    """A command that contradicts what has happened. Nothing changed."""

    UNKNOWN_WORKSPACE = "unknown_workspace"
    UNKNOWN_HOLD = "unknown_hold"
    IDENTITY_REUSED = "identity_reused"
    HOLD_CLOSED = "hold_closed"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"


@frozen
class Rejected:
    """A command that cannot be carried out, and why."""

    conflict: Conflict


Outcome: TypeAlias = Reserved | Closed | Granted | Counted | Declined | Rejected
