"""What should the ledger say?  Its rules once more, naively, without a line of the core.

An event is a plain dictionary. Kept are the events that were accepted and nothing else: each
balance, counter and hold is summed up anew from that list whenever it is asked for. Slow on
purpose; windows come from `datetime`, percentages from `Fraction`, money is a plain integer.

    reserve  workspace hold key request amount at per_minute floor budgets
    capture  workspace hold at charge
    void     workspace hold at why
    expire   workspace hold at
    grant    workspace id amount at
    count    workspace key at per_minute

A budget is a dictionary, too: scope owner window cap warn stop.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

Event = dict[str, Any]
Counted = tuple[str, str, str, str, int]
"""Scope, owner, measure, window and the first millisecond of a window."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 10**18
ENDS = ("capture", "void", "expire")


def first_ms(window: str, at: int) -> int:
    """Give the first millisecond of the UTC window that holds `at`."""
    moment = (EPOCH + timedelta(milliseconds=at)).replace(second=0, microsecond=0)
    if window != "minute":
        moment = moment.replace(hour=0, minute=0)
    if window == "month":
        moment = moment.replace(day=1)
    return (moment - EPOCH) // timedelta(milliseconds=1)


class Books:
    """The accepted events, and who may act."""

    def __init__(self, keys_of: dict[str, tuple[str, ...]]) -> None:
        self.accepted: list[Event] = []
        self.workspaces = dict.fromkeys(keys_of, "active")
        self.keys = {
            (workspace, key): "active" for workspace in keys_of for key in keys_of[workspace]
        }

    # What is so

    def every(self, *kinds: str, **like: object) -> list[Event]:
        return [
            event
            for event in self.accepted
            if event["do"] in kinds and all(event[name] == value for name, value in like.items())
        ]

    def ends(self) -> dict[str, Event]:
        """Give the end of each hold that has ended."""
        return {end["hold"]: end for end in self.every(*ENDS)}

    def balances(self, workspace: str) -> tuple[int, int, int]:
        """Give available, held and debt: what was granted less what was charged and is held."""
        granted = sum(grant["amount"] for grant in self.every("grant", workspace=workspace))
        charged = sum(end["charge"] for end in self.every("capture", workspace=workspace))
        ends = self.ends()
        holds = self.every("reserve", workspace=workspace)
        held = sum(hold["amount"] for hold in holds if hold["hold"] not in ends)
        own = granted - charged - held
        return max(own, 0), held, max(-own, 0)

    def requests(self, key: str, at: int) -> int:
        """Count the requests of a key in the minute that holds `at`."""
        minute = first_ms("minute", at)
        return sum(
            first_ms("minute", each["at"]) == minute
            for each in self.every("reserve", "count", key=key)
        )

    def counters(self) -> dict[Counted, tuple[int, int, bool]]:
        """Give used, held and warned of every counter that something was ever put on."""
        found: dict[Counted, tuple[int, int, bool]] = {}
        for each in self.every("reserve", "count"):
            minute = ("key", each["key"], "requests", "minute", first_ms("minute", each["at"]))
            found[minute] = (found.get(minute, (0,))[0] + 1, 0, False)
        ends = self.ends()
        for hold in self.every("reserve"):
            charged = ends[hold["hold"]].get("charge", 0) if hold["hold"] in ends else 0
            waiting = 0 if hold["hold"] in ends else hold["amount"]
            for counter in [named(budget, hold["at"]) for budget in hold["budgets"]]:
                used, held, warned = found.get(counter, (0, 0, False))
                told = warned or counter in hold["warned"]
                found[counter] = (used + charged, held + waiting, told)
        return found

    # What should happen

    def judge(self, event: Event) -> str:
        """Say what becomes of an event, and keep it where it is accepted."""
        if event["workspace"] not in self.workspaces:
            return "conflict: unknown_workspace"
        if event["do"] == "reserve":
            verdict = self._judge_reserve(event)
        elif event["do"] == "grant":
            verdict = self._judge_grant(event)
        elif event["do"] == "count":
            full = self.requests(event["key"], event["at"]) >= event["per_minute"]
            verdict = "full" if full else "counted"
        else:
            verdict = self._judge_end(event)
        if verdict in {"reserved", "closed", "granted", "counted"}:
            self.accepted.append(event)
        return verdict

    def _judge_reserve(self, event: Event) -> str:
        for earlier in self.every("reserve", hold=event["hold"]):
            return again(earlier, event, "workspace", "key", "request", "amount")
        if event["amount"] not in range(LARGEST + 1) or event["floor"] < 0:
            return "conflict: amount_out_of_range"
        if self.keys.get((event["workspace"], event["key"])) != "active":
            return "declined: unauthorized"
        if self.workspaces[event["workspace"]] != "active":
            return f"declined: workspace_{self.workspaces[event['workspace']]}"
        if self.requests(event["key"], event["at"]) >= event["per_minute"]:
            return "declined: rate_limited"
        warned, counters = [], self.counters()
        for budget in event["budgets"]:
            counter = named(budget, event["at"])
            used, held, told = counters.get(counter, (0, 0, False))
            share = Fraction(100 * (used + held + event["amount"]))
            if share > budget["cap"] * budget["stop"]:
                return f"declined: {budget['scope']} budget of the {budget['window']}"
            if share >= budget["cap"] * budget["warn"] and not told:
                warned.append(counter)
        available, held, debt = self.balances(event["workspace"])
        required = event["amount"] + event["floor"]
        if debt > 0:
            return "declined: debt_outstanding"
        if available < required:
            short = available + held < required
            return "declined: insufficient_balance" if short else "declined: in_flight_holds"
        event["warned"] = warned
        return "reserved"

    def _judge_end(self, event: Event) -> str:
        if not self.every("reserve", hold=event["hold"], workspace=event["workspace"]):
            return "conflict: unknown_hold"
        earlier = self.ends().get(event["hold"])
        if earlier is not None:
            if earlier["do"] != event["do"]:
                return "conflict: hold_closed"
            return again(earlier, event, "charge", "why")
        if event.get("charge", 0) not in range(LARGEST + 1):
            return "conflict: amount_out_of_range"
        return "closed"

    def _judge_grant(self, event: Event) -> str:
        for earlier in self.every("grant", id=event["id"]):
            return again(earlier, event, "workspace", "amount")
        available, held, _ = self.balances(event["workspace"])
        if event["amount"] <= 0 or available + held + event["amount"] > LARGEST:
            return "conflict: amount_out_of_range"
        return "granted"


def named(budget: Event, at: int) -> Counted:
    """Name the counter of a budget in the window that holds `at`."""
    window = budget["window"]
    return (budget["scope"], budget["owner"], "spend", window, first_ms(window, at))


def again(earlier: Event, event: Event, *contents: str) -> str:
    """Judge an identity that was used before: the same contents replay."""
    same = all(earlier.get(name) == event.get(name) for name in contents)
    return "replayed" if same else "conflict: identity_reused"
