"""Which rows does a command touch, and what do they become?"""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from attrs import evolve, field, frozen

from astrolabe_core.access import judge_standing
from astrolabe_core.accounts import KeyStatus, WorkspaceStatus
from astrolabe_core.budgets import (
    Counter,
    CounterId,
    Over,
    Within,
    admit_spend,
    budget_refusal,
    settle_spend,
)
from astrolabe_core.codes import Refusal, Unbillable
from astrolabe_core.ledger.commands import (
    Capture,
    Closed,
    Command,
    Conflict,
    Count,
    Counted,
    Declined,
    Expire,
    Grant,
    Granted,
    Outcome,
    Rejected,
    Reserve,
    Reserved,
    Void,
)
from astrolabe_core.ledger.rows import (
    GrantRow,
    Hold,
    HoldState,
    House,
    Posting,
    PostingKind,
    Wallet,
)
from astrolabe_core.ledger.solvency import balance_refusal
from astrolabe_core.money import AMOUNT_MAX, ZERO, NanoUsd
from astrolabe_core.quotas import count_request, rate_refusal, status_after
from astrolabe_core.units import HoldId, KeyId, WorkspaceId


@frozen(kw_only=True)
class Touched:
    """The identities of the rows that a command reads."""

    workspace: WorkspaceId
    key: KeyId | None = None
    hold: HoldId | None = None
    grant: str | None = None
    counters: tuple[CounterId, ...] = ()


@frozen(kw_only=True)
class Rows:
    """The rows as they stand; `None`, or absent from `counters`, where there is none.

    `key_status` is that of a key of this workspace: the key of another one is none.
    """

    wallet: Wallet | None
    workspace_status: WorkspaceStatus | None = None
    key_status: KeyStatus | None = None
    hold: Hold | None = None
    grant: GrantRow | None = None
    counters: Mapping[CounterId, Counter] = field(factory=dict)


@frozen(kw_only=True)
class Change:
    """The outcome, and the rows to write with it; `None` and empty leave things as they are.

    `fresh` is false where nothing is written, the command's ending included: it was refused,
    or it is a replay. A replay answers with the hold as it stands and the balances of now.
    """

    outcome: Outcome
    fresh: bool = True
    wallet: Wallet | None = None
    hold: Hold | None = None
    grant: GrantRow | None = None
    counters: tuple[Counter, ...] = ()
    posting: Posting | None = None


def touches(command: Command, hold: Hold | None = None) -> Touched:
    """Name the rows that a command reads. `hold` is the row of a hold that is to be ended."""
    match command:
        case Reserve():
            counters = (command.rate.counter, *(limit.counter for limit in command.limits))
            return Touched(
                workspace=command.workspace,
                key=command.key,
                hold=command.hold,
                counters=counters,
            )
        case Capture() | Void() | Expire():
            counters = () if hold is None else hold.counters
            return Touched(workspace=command.workspace, hold=command.hold, counters=counters)
        case Grant():
            return Touched(workspace=command.workspace, grant=command.id)
        case Count():
            return Touched(workspace=command.workspace, counters=(command.rate.counter,))
        case _:
            assert_never(command)


def apply(rows: Rows, command: Command) -> Change:
    """Carry out one command on the rows that it touches."""
    if rows.wallet is None:
        return Change(outcome=Rejected(Conflict.UNKNOWN_WORKSPACE), fresh=False)
    match command:
        case Reserve():
            return _reserve(rows, rows.wallet, command)
        case Capture() | Void() | Expire():
            return _close(rows, rows.wallet, command)
        case Grant():
            return _grant(rows, rows.wallet, command)
        case Count():
            return _count(rows, command)
        case _:
            assert_never(command)


def _reserve(rows: Rows, wallet: Wallet, command: Reserve) -> Change:
    if rows.hold is not None:
        return _reserved_before(rows, wallet, rows.hold, command)
    # A floor below zero would be credit: a reservation could leave less than nothing.
    if not 0 <= command.amount <= AMOUNT_MAX or command.floor < 0:
        return _conflict(Conflict.AMOUNT_OUT_OF_RANGE)
    refusal = judge_standing(rows.key_status, rows.workspace_status)
    if refusal is not None:
        return _declined(refusal)
    counted = count_request(command.rate, _counter(rows, command.rate.counter))
    if counted is None:
        return _declined(rate_refusal(command.rate, command.at))
    admitted: list[Within] = []
    for limit in command.limits:
        match admit_spend(limit, _counter(rows, limit.counter), command.amount):
            case Over() as over:
                return _declined(budget_refusal(over, command.amount))
            case Within() as within:
                admitted.append(within)
    refusal = balance_refusal(wallet, command.amount, command.floor)
    if refusal is not None:
        return _declined(refusal)
    return _reserved(wallet, command, counted, admitted)


def _reserved(
    wallet: Wallet, command: Reserve, counted: Counter, admitted: Sequence[Within]
) -> Change:
    """Carry out a reservation that nothing speaks against: it must succeed."""
    held = tuple(within.counter for within in admitted)
    hold = Hold(
        id=command.hold,
        workspace=command.workspace,
        key=command.key,
        request=command.request,
        amount=command.amount,
        opened_at=command.at,
        node=command.node,
        counters=tuple(counter.id for counter in held),
    )
    posting = Posting(
        workspace=wallet.workspace,
        sequence=wallet.sequence + 1,
        kind=PostingKind.RESERVE,
        reference=command.hold,
        at=command.at,
        available=-command.amount,
        held=command.amount,
    )
    after = _posted(wallet, posting)
    outcome = Reserved(
        hold=hold,
        rate=status_after(command.rate, counted.used),
        available=after.available,
        warnings=tuple(within.counter.id for within in admitted if within.warns),
    )
    return Change(
        outcome=outcome, wallet=after, hold=hold, counters=(counted, *held), posting=posting
    )


def _reserved_before(rows: Rows, wallet: Wallet, hold: Hold, command: Reserve) -> Change:
    same = (hold.workspace, hold.key, hold.request, hold.amount) == (
        command.workspace,
        command.key,
        command.request,
        command.amount,
    )
    if not same:
        return _conflict(Conflict.IDENTITY_REUSED)
    used = _counter(rows, command.rate.counter).used
    outcome = Reserved(hold=hold, rate=status_after(command.rate, used), available=wallet.available)
    return Change(outcome=outcome, fresh=False)


def _close(rows: Rows, wallet: Wallet, command: Capture | Void | Expire) -> Change:
    hold = rows.hold
    if hold is None or hold.workspace != command.workspace:
        return _conflict(Conflict.UNKNOWN_HOLD)
    if hold.state is not HoldState.OPEN:
        return _closed_before(wallet, hold, command)
    if isinstance(command, Capture) and not 0 <= command.charge <= AMOUNT_MAX:
        return _conflict(Conflict.AMOUNT_OUT_OF_RANGE)
    # A counter that was not loaded is a bug: as an empty one it would be overwritten.
    counted = tuple(rows.counters[counter] for counter in hold.counters)
    # From here the hold must end.
    charge = command.charge if isinstance(command, Capture) else ZERO
    released, over = max(0, hold.amount - charge), max(0, charge - hold.amount)
    from_available = min(over, wallet.available)
    debt_added = NanoUsd(over - from_available)
    settled = min(released, wallet.debt)
    posting = Posting(
        workspace=wallet.workspace,
        sequence=wallet.sequence + 1,
        kind=_ENDS[type(command)][1],
        reference=hold.id,
        at=command.at,
        available=released - settled - from_available,
        held=-hold.amount,
        debt=debt_added - settled,
        house=charge,
        house_account=House.REVENUE if charge else House.NONE,
    )
    ended = evolve(
        hold,
        state=_ENDS[type(command)][0],
        charged=charge,
        reason=_reason(command),
        closed_at=command.at,
    )
    after = _posted(wallet, posting)
    counters = tuple(settle_spend(counter, hold.amount, charge) for counter in counted)
    outcome = Closed(hold=ended, available=after.available, debt_added=debt_added)
    return Change(outcome=outcome, wallet=after, hold=ended, counters=counters, posting=posting)


_ENDS: Final[Mapping[type[Capture | Void | Expire], tuple[HoldState, PostingKind]]] = {
    Capture: (HoldState.CAPTURED, PostingKind.CAPTURE),
    Void: (HoldState.VOIDED, PostingKind.VOID),
    Expire: (HoldState.EXPIRED, PostingKind.EXPIRE),
}


def _reason(command: Capture | Void | Expire) -> Unbillable | None:
    match command:
        case Capture():
            return None
        case Void(reason=reason):
            return reason
        case Expire():
            return Unbillable.GATEWAY_CRASH
        case _:
            assert_never(command)


def _closed_before(wallet: Wallet, hold: Hold, command: Capture | Void | Expire) -> Change:
    charge = command.charge if isinstance(command, Capture) else ZERO
    if hold.state is not _ENDS[type(command)][0]:
        return _conflict(Conflict.HOLD_CLOSED)
    if hold.charged != charge or hold.reason is not _reason(command):
        return _conflict(Conflict.IDENTITY_REUSED)
    return Change(outcome=Closed(hold=hold, available=wallet.available), fresh=False)


def _grant(rows: Rows, wallet: Wallet, command: Grant) -> Change:
    if rows.grant is not None:
        if (rows.grant.workspace, rows.grant.amount) != (command.workspace, command.amount):
            return _conflict(Conflict.IDENTITY_REUSED)
        return Change(outcome=Granted(wallet=wallet), fresh=False)
    # What is held may come back: it counts against the largest balance too.
    if command.amount <= 0 or wallet.available + wallet.held + command.amount > AMOUNT_MAX:
        return _conflict(Conflict.AMOUNT_OUT_OF_RANGE)
    settled = min(wallet.debt, command.amount)
    posting = Posting(
        workspace=wallet.workspace,
        sequence=wallet.sequence + 1,
        kind=PostingKind.GRANT,
        reference=command.id,
        at=command.at,
        available=command.amount - settled,
        debt=-settled,
        house=-command.amount,
        house_account=House.FUNDING,
        note=command.note,
    )
    after = _posted(wallet, posting)
    row = GrantRow(id=command.id, workspace=command.workspace, amount=command.amount)
    return Change(outcome=Granted(wallet=after), wallet=after, grant=row, posting=posting)


def _count(rows: Rows, command: Count) -> Change:
    before = _counter(rows, command.rate.counter)
    counted = count_request(command.rate, before)
    used = before.used if counted is None else counted.used
    outcome = Counted(rate=status_after(command.rate, used))
    # A full minute stays full; the request's ending is kept all the same.
    return Change(outcome=outcome, counters=() if counted is None else (counted,))


def _posted(wallet: Wallet, posting: Posting) -> Wallet:
    return Wallet(
        workspace=wallet.workspace,
        available=NanoUsd(wallet.available + posting.available),
        held=NanoUsd(wallet.held + posting.held),
        debt=NanoUsd(wallet.debt + posting.debt),
        sequence=posting.sequence,
    )


def _counter(rows: Rows, counter: CounterId) -> Counter:
    return rows.counters.get(counter) or Counter(counter)


def _declined(refusal: Refusal) -> Change:
    return Change(outcome=Declined(refusal), fresh=False)


def _conflict(conflict: Conflict) -> Change:
    return Change(outcome=Rejected(conflict), fresh=False)
