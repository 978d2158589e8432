"""What happens to money: which rows does a command touch, and what do they become?

Storage owns atomicity; this module owns arithmetic. For each command, storage loads the rows
that `touches` names, calls `apply`, and writes what comes back in one durable transaction.

A wallet has three balances: `available`, `held` and `debt`. Each change of them is one
`Posting` with the next number of the workspace's sequence, and sums to zero with the house
account it names:

    grant     house:funding  -> debt first, then available
    reserve   available      -> held
    capture   held           -> house:revenue, what is left as for void;
              above the hold -> from available, then into debt
    void, expire   held      -> debt first, then available

So `available - debt` is what was granted less what was charged and is held, and one of the two
is always zero: no debt stands while there is money to settle it.

Validate everything, then change everything: a refused command changes nothing and is judged
anew when it is repeated. A command that was carried out replays; the same identity with other
contents is a conflict. `available` is never negative; every hold ends exactly once.
"""

from astrolabe_core.ledger.audit import Difference, audit
from astrolabe_core.ledger.commands import (
    Capture,
    Closed,
    Command,
    Conflict,
    Count,
    Counted,
    Declined,
    Ending,
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
from astrolabe_core.ledger.rules import Change, Rows, Touched, apply, touches

__all__ = [
    "Capture",
    "Change",
    "Closed",
    "Command",
    "Conflict",
    "Count",
    "Counted",
    "Declined",
    "Difference",
    "Ending",
    "Expire",
    "Grant",
    "GrantRow",
    "Granted",
    "Hold",
    "HoldState",
    "House",
    "Outcome",
    "Posting",
    "PostingKind",
    "Rejected",
    "Reserve",
    "Reserved",
    "Rows",
    "Touched",
    "Void",
    "Wallet",
    "apply",
    "audit",
    "touches",
]
