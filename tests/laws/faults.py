"""Which faults must the suite catch?

Each `Fault` is a small, plausible mistake: one text of one module put in place of another. The
tests that it names must fail with it and pass without it; `test_seeded_faults.py` sees to both.
To add one, add a row; the old text must stand in the module exactly once. Name few tests, and quick
ones: each fault runs them in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

MACHINE = "tests/laws/test_ledger_machine.py::test_the_ledger_and_its_oracle_agree_at_each_step"
RULES = "astrolabe_core/ledger/rules.py"
SOLVENCY = "astrolabe_core/ledger/solvency.py"
BUDGETS = "astrolabe_core/budgets.py"
QUOTAS = "astrolabe_core/quotas.py"
MONEY = "astrolabe_core/money.py"
AUDIT = "astrolabe_core/ledger/audit.py"


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in `module`, and at least one of `caught_by` (node ids) must fail."""

    name: str
    module: str
    old: str
    new: str
    caught_by: tuple[str, ...] = (MACHINE,)


LEDGER_FAULTS = (
    Fault(
        "the floor is ignored",
        SOLVENCY,
        "required = amount + floor",
        "required = amount",
    ),
    Fault(
        "a debt does not block",
        SOLVENCY,
        "if wallet.debt == 0 and wallet.available >= required:",
        "if wallet.available >= required:",
    ),
    Fault(
        "held money is spent again",
        SOLVENCY,
        "if wallet.debt == 0 and wallet.available >= required:",
        "if wallet.debt == 0 and wallet.available + wallet.held >= required:",
    ),
    Fault(
        "the last nano cannot be held",
        SOLVENCY,
        "wallet.available >= required:",
        "wallet.available > required:",
    ),
    Fault(
        "a hold is counted twice in its window",
        BUDGETS,
        "counter.held + amount, counter.warned",
        "counter.held + 2 * amount, counter.warned",
    ),
    Fault(
        "a settlement forgets what was held",
        BUDGETS,
        "counter.held - held, counter.warned)",
        "counter.held, counter.warned)",
    ),
    Fault(
        "a settlement takes the charge off the window and not the hold",
        BUDGETS,
        "counter.held - held, counter.warned)",
        "counter.held - charged, counter.warned)",
    ),
    Fault(
        "a budget is warned of every time",
        BUDGETS,
        "warns = not counter.warned and after",
        "warns = after",
    ),
    Fault(
        "a budget stops one nano late",
        BUDGETS,
        "if after * 100 > limit.cap * limit.stop_percent:",
        "if (after - 1) * 100 > limit.cap * limit.stop_percent:",
    ),
    Fault(
        "a budget does not see what is held",
        BUDGETS,
        "spent = counter.used + counter.held",
        "spent = counter.used",
    ),
    Fault(
        "a hold spends from the window of now",
        RULES,
        "counters = () if hold is None else hold.counters",
        """counters = ()
            if hold is not None:
                from astrolabe_core.units import window_start

                counters = tuple(
                    CounterId(c.scope, c.owner, c.measure, c.window,
                              window_start(c.window, command.at))
                    for c in hold.counters
                )""",
    ),
    Fault(
        "a hold is settled on no window",
        RULES,
        "for counter in counted)\n    outcome = Closed",
        "for counter in counted[1:])\n    outcome = Closed",
    ),
    Fault(
        "the limit of a minute is off by one",
        QUOTAS,
        "if counter.used >= rate.limit:",
        "if counter.used > rate.limit:",
    ),
    Fault(
        "a declined request was counted already",
        RULES,
        "        return _declined(refusal)\n    return _reserved(",
        """        return Change(outcome=Declined(refusal), fresh=False, counters=(counted,))
    return _reserved(""",
    ),
    Fault(
        "a closed hold can be captured again",
        RULES,
        "if hold.state is not HoldState.OPEN:",
        "if hold.state is not HoldState.OPEN and not isinstance(command, Capture):",
    ),
    Fault(
        "a void of a captured hold gives the money back once more",
        RULES,
        "if hold.state is not HoldState.OPEN:",
        "if hold.state is not HoldState.OPEN and not isinstance(command, Void):",
    ),
    Fault(
        "an expiry comes after the end",
        RULES,
        "if hold.state is not HoldState.OPEN:",
        "if hold.state is not HoldState.OPEN and not isinstance(command, Expire):",
    ),
    Fault(
        "a repeated reservation is carried out again",
        RULES,
        "    if rows.hold is not None:\n        return _reserved_before",
        "    if rows.hold is not None and rows.hold.state is not HoldState.OPEN:\n"
        "        return _reserved_before",
    ),
    Fault(
        "a repeated grant is carried out again",
        RULES,
        "    if rows.grant is not None:\n",
        "    if rows.grant is not None and rows.grant.amount != command.amount:\n",
    ),
    Fault(
        "the identity of a hold serves other amounts",
        RULES,
        """    if not same:
        return _conflict(Conflict.IDENTITY_REUSED)""",
        "",
    ),
    Fault(
        "the end of another workspace's hold is ours",
        RULES,
        "if hold is None or hold.workspace != command.workspace:",
        "if hold is None:",
    ),
    Fault(
        "the sequence skips a number",
        RULES,
        """        sequence=wallet.sequence + 1,
        kind=PostingKind.GRANT,""",
        """        sequence=wallet.sequence + 2,
        kind=PostingKind.GRANT,""",
    ),
    Fault(
        "an overrun makes available negative",
        RULES,
        "from_available = min(over, wallet.available)",
        "from_available = over",
    ),
    Fault(
        "an overrun is never charged",
        RULES,
        "    charge = command.charge if isinstance(command, Capture) else ZERO\n    released",
        """    charge = command.charge if isinstance(command, Capture) else ZERO
    charge = min(charge, hold.amount)
    released""",
    ),
    Fault(
        "an overrun becomes debt beside money at hand",
        RULES,
        "from_available = min(over, wallet.available)",
        "from_available = 0",
    ),
    Fault(
        "what a capture leaves of its hold is lost",
        RULES,
        "released, over = max(0, hold.amount - charge),",
        "released, over = hold.amount if charge == 0 else 0,",
    ),
    Fault(
        "a grant skips the debt",
        RULES,
        "settled = min(wallet.debt, command.amount)",
        "settled = 0",
    ),
    Fault(
        "released money skips the debt",
        RULES,
        "settled = min(released, wallet.debt)",
        "settled = 0",
    ),
    Fault(
        "a revoked key may reserve",
        RULES,
        "judge_standing(rows.key_status, rows.workspace_status)",
        "judge_standing(KeyStatus.ACTIVE, rows.workspace_status)",
    ),
    Fault(
        "a suspended workspace may reserve",
        RULES,
        "judge_standing(rows.key_status, rows.workspace_status)",
        "judge_standing(rows.key_status, WorkspaceStatus.ACTIVE)",
    ),
    Fault(
        "a negative charge is paid out",
        RULES,
        "isinstance(command, Capture) and not 0 <= command.charge <= AMOUNT_MAX",
        "isinstance(command, Capture) and command.charge > AMOUNT_MAX",
    ),
    Fault(
        "a hold is rounded down",
        MONEY,
        "NanoUsd(-(-exact // ATTO_PER_NANO))",
        "NanoUsd(exact // ATTO_PER_NANO)",
        ("tests/core/test_money.py",),
    ),
    Fault(
        "a charge rounds its ties up",
        MONEY,
        "(twice == ATTO_PER_NANO and nanos % 2 == 1)",
        "twice == ATTO_PER_NANO",
        ("tests/core/test_money.py",),
    ),
    Fault(
        "the audit believes the sums",
        AUDIT,
        '        yield f"holds[{hold.id}]", _history(hold), ", ".join(told.pop(hold.id, ()))',
        "        told.pop(hold.id, ())",
        ("tests/core/ledger/test_audit.py",),
    ),
)

FAULTS: tuple[Fault, ...] = (*LEDGER_FAULTS,)
