"""Whatever is asked of the ledger in whatever order, money is where the rules say it is.

A state machine drives the pure ledger over rows kept in dictionaries: two workspaces, duplicates,
delays, crashes and time passing. After each step everything is compared with the oracle of
`tests/oracle/ledger.py`, which shares no code with it. Amounts are drawn relative to what stands,
since the faults live at the edges: one nano below, at, and one above.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Mapping
from typing import Any, assert_never

import pytest
from hypothesis import event as note
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import CounterId
from astrolabe_core.ledger import (
    Change,
    Closed,
    Counted,
    Declined,
    Granted,
    HoldState,
    House,
    PostingKind,
    Rejected,
    Reserved,
    audit,
)
from tests.laws.bank import KEYS, KEYS_OF, Bank, command, verdict
from tests.oracle.ledger import ENDS, LARGEST, Books, Event, named

DAY_MS = 86_400_000
# The last minute of a leap day, of a year, and a moment in between.
STARTS = [1_835_481_540_000, 1_798_761_590_000, 1_795_000_000_000]
STATES = {"capture": HoldState.CAPTURED, "void": HoldState.VOIDED, "expire": HoldState.EXPIRED}


REACHED: Tally[str] = Tally()
RUNS = "runs"

picks = st.integers(0, 1_000_000)
offs = st.integers(-1, 1)
lates = st.sampled_from([False, False, False, True])
# What a repeated command may claim instead, by what it is.
CONTRADICTIONS: dict[str, list[Event]] = {
    "reserve": [{"amount": 7}, {"request": "request-x"}, {"key": "acme-2"}],
    "capture": [{"charge": 7}, {"do": "void", "why": "provider_error"}, {"do": "expire"}],
    "void": [{"why": "provider_error"}, {"do": "capture", "charge": 7}, {"do": "expire"}],
    "expire": [{"do": "capture", "charge": 7}, {"do": "void", "why": "provider_error"}],
    "grant": [{"amount": 7}],
}
ELSEWHERE: list[Event] = [{"workspace": name} for name in ("acme", "zenith", "nowhere")]

Step = tuple[str, dict[str, Any]]


def step(name: str, **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(drawn))


RESERVE = step(
    "reserve",
    who=st.sampled_from([*KEYS, KEYS[0]]),
    aim=st.sampled_from(["all", "budget", "held", "held", "few", "few", "few", "absurd"]),
    off=offs,
    few=st.integers(0, 15),
    late=lates,
)
CAPTURE = step(
    "capture",
    pick=picks,
    aim=st.sampled_from(["hold", "hold", "below", "below", "all", "all", "beyond", "absurd"]),
    off=offs,
    late=lates,
)
VOID = step(
    "void", pick=picks, why=st.sampled_from(["provider_timeout", "client_disconnected"]), late=lates
)
EXPIRE = step("expire", pick=picks, late=lates)
GRANT = step(
    "grant",
    workspace=st.sampled_from([*KEYS_OF]),
    aim=st.sampled_from(["debt", "debt", "few", "absurd"]),
    off=offs,
    few=st.integers(1, 40),
    late=lates,
)
TIME = step(
    "pass_time", how=st.sampled_from(["second", "minute", "minute", "day", "month"]), off=offs
)
CONTRADICT = step(
    "contradict",
    kinds=st.sampled_from([("reserve",), ("capture",), ("void", "expire"), ("grant",)]),
    pick=picks,
    claim=picks,
)
BAR = step(
    "bar",
    who=st.sampled_from(KEYS),
    how=st.sampled_from(["pending", "suspended", "revoked"]),
    steps=st.integers(1, 2),
)
# One rule and not twelve: Hypothesis disables some rules in each run, and a run without captures,
# or without reservations, reaches nothing.  `one_of` would drop what is named twice.
STEPS: st.SearchStrategy[Step] = st.sampled_from(
    [
        *[RESERVE] * 8,
        *[CAPTURE] * 4,
        *[VOID] * 2,
        EXPIRE,
        *[GRANT] * 2,
        *[TIME] * 3,
        *[BAR] * 2,
        step("burst", who=st.sampled_from(KEYS), requests=st.integers(1, 6)),
        *[step("crowd", who=st.sampled_from(KEYS), off=offs)] * 2,
        *[step("overdraw", who=st.sampled_from(KEYS), off=offs, granted=st.booleans())] * 3,
        step("arrive", pick=picks),
        step("repeat", pick=picks),
        *[CONTRADICT] * 3,
        step("crash", last=st.integers(1, 8)),
    ]
).flatmap(lambda drawn: drawn)


class LedgerMachine(RuleBasedStateMachine):
    """The ledger over its rows, beside the oracle over its list."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank()
        self.books = Books(KEYS_OF)
        self.now = 0
        self.delivered: list[Event] = []
        self.transit: list[Event] = []
        self.reached: set[str] = set()
        self.numbered = 0
        self.barred = 0

    @initialize(
        start=st.sampled_from(STARTS),
        floor=st.sampled_from([0, 0, 3]),
        per_minute=st.sampled_from([2, 3, 5]),
        percents=st.sampled_from([(80, 100), (33, 90), (100, 100), (1, 150)]),
        caps=st.tuples(*[st.integers(25, 150)] * 3),
        credit=st.integers(20, 100),
    )
    def open_accounts(
        self,
        start: int,
        floor: int,
        per_minute: int,
        percents: tuple[int, int],
        caps: tuple[int, ...],
        credit: int,
    ) -> None:
        self.now, self.floor, self.per_minute = start, floor, per_minute
        self.lines = dict(zip(("warn", "stop"), percents, strict=True))
        self.caps = caps
        for workspace in KEYS_OF:
            self.ask("grant", workspace=workspace, id=self.fresh("grant"), amount=credit)

    @rule(step=STEPS)
    def happen(self, step: Step) -> None:
        name, drawn = step
        getattr(self, name)(**drawn)
        self.barred -= 1
        if self.barred == 0:
            self.let_in()

    # What may happen

    def reserve(self, who: tuple[str, str], aim: str, off: int, few: int, late: bool) -> None:
        workspace, key = who
        available, held, _ = self.books.balances(workspace)
        budgets = self.budgets(workspace, key)
        aims = {
            "all": available - self.floor + off,
            "held": available + held - self.floor + off,
            "budget": self.left_of(budgets) + off,
            "few": few,
            "absurd": LARGEST + 1 if off else -1,
        }
        amount = aims[aim] if aim == "absurd" else max(0, aims[aim])
        self.ask(
            "reserve",
            late=late,
            workspace=workspace,
            hold=self.fresh("hold"),
            key=key,
            request=self.fresh("request"),
            amount=amount,
            per_minute=self.per_minute,
            floor=-1 if aim == "absurd" and off == 1 else self.floor,
            budgets=budgets,
        )

    def capture(self, pick: int, aim: str, off: int, late: bool) -> None:
        hold = self.picked(self.open_holds(), pick)
        if hold is None:
            return
        available, _, _ = self.books.balances(hold["workspace"])
        aims = {
            "hold": hold["amount"] + off,
            "below": hold["amount"] // 2,
            "all": hold["amount"] + available + off,
            "beyond": hold["amount"] + available + 20,
            "absurd": LARGEST + 1 if off else -1,
        }
        charge = aims[aim] if aim == "absurd" else max(0, aims[aim])
        self.ask(
            "capture", late=late, workspace=hold["workspace"], hold=hold["hold"], charge=charge
        )

    def void(self, pick: int, why: str, late: bool) -> None:
        hold = self.picked(self.open_holds(), pick)
        if hold is None:
            return
        self.ask("void", late=late, workspace=hold["workspace"], hold=hold["hold"], why=why)

    def expire(self, pick: int, late: bool) -> None:
        hold = self.picked(self.open_holds(), pick)
        if hold is None:
            return
        self.ask("expire", late=late, workspace=hold["workspace"], hold=hold["hold"])

    def grant(self, workspace: str, aim: str, off: int, few: int, late: bool) -> None:
        available, held, debt = self.books.balances(workspace)
        aims = {"debt": debt + off, "few": few, "absurd": LARGEST - available - held + 1}
        self.ask("grant", late=late, workspace=workspace, id=self.fresh("grant"), amount=aims[aim])

    def burst(self, who: tuple[str, str], requests: int) -> None:
        workspace, key = who
        for _ in range(requests):
            self.ask("count", workspace=workspace, key=key, per_minute=self.per_minute)
        self.reserve(who, "few", 0, 1, late=False)

    def crowd(self, who: tuple[str, str], off: int) -> None:
        """Ask for what is left, and then for what only a running request could give back."""
        self.pass_time("minute", 0)
        self.reserve(who, "all", min(off, 0), 0, late=False)
        self.reserve(who, "held", off, 0, late=False)

    def overdraw(self, who: tuple[str, str], off: int, granted: bool) -> None:
        """Charge more than there is, try to go on, and settle the debt in one of two ways."""
        workspace, _ = who
        self.pass_time("minute", 0)
        self.reserve(who, "few", 0, 2, late=False)
        self.reserve(who, "few", off, 6, late=False)
        holds = [hold for hold in self.open_holds() if hold["workspace"] == workspace]
        for hold in holds[-2:-1]:
            charge = hold["amount"] + self.books.balances(workspace)[0] + 6 + off
            self.ask("capture", workspace=workspace, hold=hold["hold"], charge=charge)
            self.reserve(who, "few", 0, 0, late=False)
            if granted:
                self.grant(workspace, "debt", off, 0, late=False)
            else:
                why = "provider_timeout"
                self.ask("void", workspace=workspace, hold=holds[-1]["hold"], why=why)

    def arrive(self, pick: int) -> None:
        if self.transit:
            self.deliver(self.transit.pop(pick % len(self.transit)))

    def repeat(self, pick: int) -> None:
        event = self.picked(self.repeatable(), pick)
        if event is not None:
            self.deliver(dict(event))

    def contradict(self, kinds: tuple[str, ...], pick: int, claim: int) -> None:
        among = [event for event in self.repeatable() if event["do"] in kinds]
        event = self.picked(among, pick)
        if event is not None:
            claims = CONTRADICTIONS[event["do"]] + ELSEWHERE
            claimed = claims[claim % len(claims)]
            dropped = {"charge", "why"} if "do" in claimed else set()
            kept = {name: said for name, said in event.items() if name not in dropped}
            self.deliver({**kept, **claimed})

    def crash(self, last: int) -> None:
        """Forget what was answered, and ask the last commands again in their order."""
        self.transit.clear()
        for event in self.repeatable()[-last:]:
            if self.deliver(dict(event)) == "replayed":
                self.reached.add("replayed after a crash")

    def pass_time(self, how: str, off: int) -> None:
        lengths = {"second": 1_000, "minute": 60_000, "day": DAY_MS, "month": 31 * DAY_MS}
        length = lengths[how]
        # To the next edge, and a millisecond to either side of it.
        self.now = max(self.now, self.now - self.now % length + length + off)

    def bar(self, who: tuple[str, str], how: str, steps: int) -> None:
        """Shut a workspace or a key out for some steps, and see it try."""
        if how == "revoked":
            self.bank.keys[who] = KeyStatus.REVOKED
            self.books.keys[who] = how
        else:
            self.bank.workspaces[who[0]] = WorkspaceStatus(how)
            self.books.workspaces[who[0]] = how
        self.reserve(who, "few", 0, 1, late=False)
        self.barred = steps

    def let_in(self) -> None:
        self.bank.workspaces |= dict.fromkeys(KEYS_OF, WorkspaceStatus.ACTIVE)
        self.books.workspaces |= dict.fromkeys(KEYS_OF, "active")
        self.bank.keys |= dict.fromkeys(KEYS, KeyStatus.ACTIVE)
        self.books.keys |= dict.fromkeys(KEYS, "active")

    # What must hold after each of them

    @invariant()
    def balances_are_what_was_granted_less_what_was_charged_and_is_held(self) -> None:
        for name, wallet in self.bank.wallets.items():
            assert (wallet.available, wallet.held, wallet.debt) == self.books.balances(name)
            assert wallet.available >= 0

    @invariant()
    def no_money_comes_from_nothing_or_goes_nowhere(self) -> None:
        for name, journal in self.bank.journals.items():
            assert sum(p.available + p.held - p.debt + p.house for p in journal) == 0
            house = Tally(dict.fromkeys(House, 0))
            for posting in journal:
                house[posting.house_account] += posting.house
            wallet = self.bank.wallets[name]
            own = wallet.available + wallet.held - wallet.debt
            assert own == -house[House.FUNDING] - house[House.REVENUE]
            assert house[House.NONE] == 0

    @invariant()
    def the_journal_is_contiguous_and_tells_of_what_was_accepted(self) -> None:
        for name, journal in self.bank.journals.items():
            told = [each for each in self.books.accepted if each["workspace"] == name]
            moved = [
                (each["do"], each.get("hold") or each["id"])
                for each in told
                if each["do"] != "count"
            ]
            assert [(p.kind.value, p.reference) for p in journal] == moved
            assert [p.sequence for p in journal] == list(range(1, len(journal) + 1))

    @invariant()
    def every_hold_ends_at_most_once(self) -> None:
        for name, journal in self.bank.journals.items():
            ends = Tally(p.reference for p in journal if p.kind.value in ENDS)
            assert max(ends.values(), default=0) <= 1
            opened = {p.reference for p in journal if p.kind is PostingKind.RESERVE}
            assert opened == {
                hold.id for hold in self.bank.holds.values() if hold.workspace == name
            }
        told = self.books.ends()
        for hold in self.bank.holds.values():
            end = told.get(hold.id, {})
            assert hold.state is (STATES[end["do"]] if end else HoldState.OPEN)
            assert hold.charged == end.get("charge", 0)

    @invariant()
    def counters_are_the_sums_over_the_holds_admitted_in_their_window(self) -> None:
        rows = {
            (each.id.scope, each.id.owner, each.id.measure, each.id.window, each.id.start): (
                each.used, each.held, each.warned,
            )
            for each in self.bank.counters.values()
        }  # fmt: skip
        assert rows == self.books.counters()

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        for name, wallet in self.bank.wallets.items():
            holds = tuple(each for each in self.bank.holds.values() if each.workspace == name)
            assert audit(wallet, tuple(self.bank.journals[name]), holds) == ()

    def teardown(self) -> None:
        REACHED.update({RUNS, *self.reached})
        for fact in sorted(self.reached):
            note(fact)

    # How it is asked

    def ask(self, do: str, *, late: bool = False, **contents: Any) -> None:
        event = {"do": do, "at": self.now, **contents}
        if late:
            self.transit.append(event)
        else:
            self.deliver(event)

    def deliver(self, event: Event) -> str:
        before = self.books.balances(event["workspace"])
        expected = self.books.judge(event)
        change = self.bank.submit(command(event))
        assert verdict(change) == expected, event
        self.delivered.append(event)
        self.check_outcome(event, change)
        self.remember(event, expected, before, self.books.balances(event["workspace"]))
        return expected

    def check_outcome(self, event: Event, change: Change) -> None:
        available, _, debt = self.books.balances(event["workspace"])
        match change.outcome:
            case Reserved() as reserved:
                assert reserved.available == available
                assert reserved.hold == self.bank.holds[event["hold"]]
                used = self.books.requests(event["key"], event["at"])
                assert reserved.rate.remaining == max(0, event["per_minute"] - used)
                told = [(*_words(each), each.start) for each in reserved.warnings]
                assert told == (event["warned"] if change.fresh else [])
            case Closed() as closed:
                assert closed.available == available
                assert closed.hold == self.bank.holds[event["hold"]]
                assert 0 <= closed.debt_added <= debt
            case Granted(wallet=wallet):
                assert (wallet.available, wallet.debt) == (available, debt)
            case Declined() | Rejected():
                assert not change.fresh
            case Counted():
                pass
            case _:
                assert_never(change.outcome)

    def remember(
        self, event: Event, told: str, before: tuple[int, int, int], after: tuple[int, int, int]
    ) -> None:
        """Note what this run has come by."""
        opens = event["do"] == "reserve"
        self.reached.add(f"{told} by a reservation" if "reused" in told and opens else told)
        if told == "closed":
            hold = self.books.every("reserve", hold=event["hold"])[0]
            over = event.get("charge", 0) - hold["amount"]
            facts = {
                "overrun into debt": after[2] > before[2],
                "overrun paid from the balance": over > 0 and after[2] == before[2],
                "debt settled by a release": after[2] < before[2],
                "settled on a later day": event["at"] // DAY_MS > hold["at"] // DAY_MS,
            }
            self.reached |= {fact for fact, so in facts.items() if so}
        if told == "granted" and after[2] < before[2]:
            self.reached.add("debt settled by a grant")
        if told == "reserved" and event["warned"]:
            self.reached.add("warned")

    def open_holds(self) -> list[Event]:
        ended = self.books.ends()
        return [hold for hold in self.books.every("reserve") if hold["hold"] not in ended]

    def repeatable(self) -> list[Event]:
        # A count has no identity: asked twice it counts twice.
        return [event for event in self.delivered if event["do"] != "count"]

    def picked(self, among: list[Event], pick: int) -> Event | None:
        return among[pick % len(among)] if among else None

    def fresh(self, kind: str) -> str:
        self.numbered += 1
        return f"{kind}-{self.numbered}"

    def budgets(self, workspace: str, key: str) -> list[Event]:
        of_key, of_day, of_month = self.caps
        if workspace == "zenith":
            return []  # so that its balance is what declines
        lines = self.lines
        day, month = "day", "month"
        own = {"scope": "workspace", "owner": workspace, **lines}
        return [
            {"scope": "key", "owner": key, "window": day, "cap": of_key, **lines},
            {"window": day, "cap": of_day, **own},
            {"window": month, "cap": of_month, **own},
        ]

    def left_of(self, budgets: list[Event]) -> int:
        """Give what the tightest of the budgets still admits."""
        spent: Mapping[Any, tuple[int, int, bool]] = self.books.counters()
        left = []
        for budget in budgets:
            used, held, _ = spent.get(named(budget, self.now), (0, 0, False))
            left.append(budget["cap"] * budget["stop"] // 100 - used - held)
        return min(left, default=self.caps[0])


def _words(counter: CounterId) -> tuple[str, str, str, str]:
    return (counter.scope.value, counter.owner, counter.measure.value, counter.window.value)


def drive() -> None:
    machine = settings(stateful_step_count=90)
    run_state_machine_as_test(LedgerMachine, settings=machine)


def test_the_ledger_and_its_oracle_agree_at_each_step() -> None:
    drive()


MOST = """
reserved; closed; granted; counted; replayed; replayed after a crash; overrun into debt
debt settled by a grant; debt settled by a release
declined: unauthorized; declined: workspace_pending; declined: workspace_suspended
declined: rate_limited; declined: insufficient_balance; declined: in_flight_holds
declined: debt_outstanding
conflict: amount_out_of_range; conflict: identity_reused; conflict: hold_closed
"""
MANY = """
full; warned; overrun paid from the balance; settled on a later day
declined: key budget of the day; declined: workspace budget of the day
declined: workspace budget of the month
conflict: unknown_hold; conflict: unknown_workspace
"""
FEW = "conflict: identity_reused by a reservation"
"""13 to 30 of 100 runs: which, depends on the constants of whatever modules are loaded."""


@pytest.mark.parametrize(
    ("facts", "percent"),
    [
        pytest.param(MOST, 50, id="most"),
        pytest.param(MANY, 20, id="many"),
        pytest.param(FEW, 5, id="few"),
    ],
)
def test_the_runs_reach_what_they_are_to_judge(facts: str, percent: int) -> None:
    """A machine whose reservations are all declined agrees with any oracle."""
    if not REACHED:
        drive()
    reached = {
        fact: 100 * REACHED[fact] // REACHED[RUNS] for fact in re.split("[;\n] *", facts) if fact
    }
    assert {fact: share for fact, share in reached.items() if share < percent} == {}
