"""A small world for the flow: four models, one caller, the real ledger over plain rows."""

from attrs import evolve, field, mutable

from astrolabe_core import ledger, shipped
from astrolabe_core.accounts import Key, KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.answers import Answer, Fault, FaultKind, Finish, Receipt
from astrolabe_core.budgets import Counter, CounterId
from astrolabe_core.ledger import HoldState, Wallet
from astrolabe_core.messages import Arrival, Purpose
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.quotas import rate_limit
from astrolabe_core.requests import Incoming, Overrides, Request, ask
from astrolabe_core.snapshot import Caller, Snapshot
from astrolabe_core.units import Instant, Millis, Tokens, WorkspaceId
from astrolabe_core.usage import Usage, UsageRecord

NOW = Instant(1_800_000_000_000)
CREDIT = NanoUsd(5_000_000_000)

USAGE = Usage(input_tokens=Tokens(120), output_tokens=Tokens(40))
IMPOSSIBLE = Usage(input_tokens=Tokens(-1), output_tokens=Tokens(40))


def snapshot() -> Snapshot:
    """The shipped world with a caller in good standing."""
    return evolve(shipped.snapshot(NOW), at=NOW)


def seen(
    *, key: Key | None = None, workspace: Workspace | None = None, requests_used: int = 0
) -> Snapshot:
    """The snapshot, with the caller changed."""
    world = snapshot()
    caller = world.caller
    changed = Caller(
        key=key or caller.key,
        workspace=workspace or caller.workspace,
        requests_used=requests_used,
    )
    return evolve(world, caller=changed)


def request(*, stream: bool = False, overrides: Overrides | None = None) -> Request:
    """One plain question."""
    asked = ask("How do tides work?", output_tokens_max=64)
    return evolve(asked, received_at=NOW, stream=stream, overrides=overrides or Overrides())


def arrival(asked: Incoming | None = None, purpose: Purpose = Purpose.SERVE) -> Arrival:
    """That question, arriving with a key."""
    return Arrival(
        request=request() if asked is None else asked,
        key_hash="hash",
        purpose=purpose,
        time_limit_ms=Millis(60_000),
    )


def answer(usage: Usage | None = USAGE, *, text: str = "By the moon.") -> Answer:
    """A finished answer."""
    return Answer(finish=Finish.STOP, texts=(text,), receipt=Receipt(usage=usage))


def fault(kind: FaultKind = FaultKind.PROVIDER_ERROR) -> Fault:
    """A fault of some kind."""
    return Fault(kind=kind, message="the provider failed")


@mutable
class Books:
    """One workspace's rows, changed by the real ledger and by nothing else."""

    wallet: Wallet
    holds: dict[str, ledger.Hold] = field(factory=dict)
    counters: dict[CounterId, Counter] = field(factory=dict)
    postings: list[ledger.Posting] = field(factory=list)
    endings: list[UsageRecord] = field(factory=list)
    traces: list[str] = field(factory=list)
    key_status: KeyStatus = KeyStatus.ACTIVE
    workspace_status: WorkspaceStatus = WorkspaceStatus.ACTIVE

    def copy(self) -> "Books":
        """Give rows of their own: what is in them is frozen."""
        return evolve(
            self,
            holds=dict(self.holds),
            counters=dict(self.counters),
            postings=list(self.postings),
            endings=list(self.endings),
            traces=list(self.traces),
        )

    def carry_out(self, command: ledger.Command) -> ledger.Outcome:
        """Load, apply, write."""
        hold = self.holds.get(getattr(command, "hold", ""))
        touched = ledger.touches(command, hold)
        rows = ledger.Rows(
            wallet=self.wallet,
            workspace_status=self.workspace_status,
            key_status=self.key_status,
            hold=hold,
            counters={
                counter: self.counters.get(counter, Counter(counter))
                for counter in touched.counters
            },
        )
        change = ledger.apply(rows, command)
        self._write(change, command)
        return change.outcome

    def _write(self, change: ledger.Change, command: ledger.Command) -> None:
        if change.wallet is not None:
            self.wallet = change.wallet
        if change.hold is not None:
            self.holds[change.hold.id] = change.hold
        self.counters.update({counter.id: counter for counter in change.counters})
        if change.posting is not None:
            self.postings.append(change.posting)
        ending = getattr(command, "ending", None)
        if change.fresh and ending is not None:
            self.endings.append(ending.usage)
            if ending.trace is not None:
                self.traces.append(ending.trace)

    @property
    def open_holds(self) -> list[ledger.Hold]:
        """Holds that have not ended."""
        return [hold for hold in self.holds.values() if hold.state is HoldState.OPEN]

    @property
    def debited(self) -> NanoUsd:
        """All that was ever charged."""
        return NanoUsd(sum(hold.charged for hold in self.holds.values()))

    def differences(self) -> tuple[ledger.Difference, ...]:
        """What the journal and the rows disagree about."""
        return ledger.audit(self.wallet, tuple(self.postings), tuple(self.holds.values()))


def books(credit: NanoUsd = CREDIT, workspace: WorkspaceId = WorkspaceId("local")) -> Books:
    """Fresh rows with some credit."""
    opened = Books(wallet=Wallet(workspace=workspace))
    if credit > ZERO:
        opened.carry_out(
            ledger.Grant(id="credit", workspace=workspace, amount=credit, at=NOW, note="play")
        )
    return opened


def full_minute() -> Books:
    """Rows with credit, whose key has made all of its minute's requests since the snapshot."""
    rows = books()
    key = snapshot().caller.key
    counter = rate_limit(key.id, key.rate_limit, NOW).counter
    rows.counters[counter] = Counter(counter, used=key.rate_limit)
    return rows


def worlds() -> tuple[Books, ...]:
    """Give the rows that histories begin on: with money, without, and with a full minute."""
    return books(CREDIT), books(ZERO), full_minute()
