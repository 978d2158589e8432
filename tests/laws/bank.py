"""Rows in dictionaries for the pure ledger, and its words said in those of the oracle.

`Bank` does what a storage does, without durability; `command` makes a command of an event of
`tests/oracle/ledger.py`, and `verdict` makes the oracle's words of a change.
"""

from __future__ import annotations

from typing import assert_never

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import Counter, CounterId, Scope, SpendLimit, spend_limits
from astrolabe_core.codes import Unbillable
from astrolabe_core.ledger import (
    Capture,
    Change,
    Closed,
    Command,
    Count,
    Counted,
    Declined,
    Expire,
    Grant,
    Granted,
    GrantRow,
    Hold,
    Posting,
    Rejected,
    Reserve,
    Reserved,
    Rows,
    Void,
    Wallet,
    apply,
    touches,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.stacks import Budget
from astrolabe_core.units import HoldId, Instant, KeyId, NodeId, RequestId, Window, WorkspaceId
from tests.oracle.ledger import Event

KEYS_OF = {"acme": ("acme-1", "acme-2"), "zenith": ("zenith-1",)}
KEYS = [(workspace, key) for workspace, keys in KEYS_OF.items() for key in keys]


class Bank:
    """Rows in dictionaries: what a storage does, without durability."""

    def __init__(self) -> None:
        self.workspaces = dict.fromkeys(KEYS_OF, WorkspaceStatus.ACTIVE)
        self.keys = dict.fromkeys(KEYS, KeyStatus.ACTIVE)
        self.wallets = {name: Wallet(workspace=WorkspaceId(name)) for name in KEYS_OF}
        self.holds: dict[str, Hold] = {}
        self.grants: dict[str, GrantRow] = {}
        self.counters: dict[CounterId, Counter] = {}
        self.journals: dict[str, list[Posting]] = {name: [] for name in KEYS_OF}

    def submit(self, command: Command) -> Change:
        hold = None if isinstance(command, Grant | Count) else self.holds.get(command.hold)
        touched = touches(command, hold)
        rows = Rows(
            wallet=self.wallets.get(touched.workspace),
            workspace_status=self.workspaces.get(touched.workspace),
            key_status=self.keys.get((touched.workspace, touched.key or "")),
            hold=self.holds.get(touched.hold or ""),
            grant=self.grants.get(touched.grant or ""),
            counters={
                each: self.counters[each] for each in touched.counters if each in self.counters
            },
        )
        change = apply(rows, command)
        self._write(change)
        return change

    def _write(self, change: Change) -> None:
        if change.wallet is not None:
            self.wallets[change.wallet.workspace] = change.wallet
        if change.hold is not None:
            self.holds[change.hold.id] = change.hold
        if change.grant is not None:
            self.grants[change.grant.id] = change.grant
        if change.posting is not None:
            self.journals[change.posting.workspace].append(change.posting)
        self.counters |= {counter.id: counter for counter in change.counters}


def command(event: Event) -> Command:
    """Say an event of the oracle in the ledger's words."""
    workspace, at = WorkspaceId(event["workspace"]), Instant(event["at"])
    match event["do"]:
        case "reserve":
            limits = [limit for budget in event["budgets"] for limit in _limits(budget, at)]
            return Reserve(
                hold=HoldId(event["hold"]),
                workspace=workspace,
                key=KeyId(event["key"]),
                request=RequestId(event["request"]),
                amount=NanoUsd(event["amount"]),
                at=at,
                node=NodeId("node"),
                rate=rate_limit(KeyId(event["key"]), event["per_minute"], at),
                limits=tuple(limits),
                floor=NanoUsd(event["floor"]),
            )
        case "capture":
            charge = NanoUsd(event["charge"])
            return Capture(hold=HoldId(event["hold"]), workspace=workspace, charge=charge, at=at)
        case "void":
            reason = Unbillable(event["why"])
            return Void(hold=HoldId(event["hold"]), workspace=workspace, reason=reason, at=at)
        case "expire":
            return Expire(hold=HoldId(event["hold"]), workspace=workspace, at=at)
        case "grant":
            amount = NanoUsd(event["amount"])
            return Grant(id=event["id"], workspace=workspace, amount=amount, at=at)
        case _:
            rate = rate_limit(KeyId(event["key"]), event["per_minute"], at)
            return Count(workspace=workspace, rate=rate, at=at)


def _limits(budget: Event, at: Instant) -> tuple[SpendLimit, ...]:
    day = budget["window"] == Window.DAY
    written = Budget(
        daily_usd=NanoUsd(budget["cap"]) if day else None,
        monthly_usd=None if day else NanoUsd(budget["cap"]),
        warn_percent=budget["warn"],
        hard_stop_percent=budget["stop"],
    )
    return spend_limits(Scope(budget["scope"]), budget["owner"], written, at)


def verdict(change: Change) -> str:
    """Say an outcome of the ledger in the oracle's words."""
    match change.outcome:
        case Declined(refusal=refusal):
            details = refusal.details
            if "scope" in details:
                return f"declined: {details['scope']} budget of the {details['window']}"
            return f"declined: {details.get('reason', refusal.code.value)}"
        case Rejected(conflict=conflict):
            return f"conflict: {conflict.value}"
        case Counted():
            return "counted" if change.counters else "full"
        case Reserved():
            return "reserved" if change.fresh else "replayed"
        case Closed():
            return "closed" if change.fresh else "replayed"
        case Granted():
            return "granted" if change.fresh else "replayed"
        case _:
            assert_never(change.outcome)
