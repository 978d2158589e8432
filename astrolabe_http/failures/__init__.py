"""What does it mean that a provider answered like this?

Everything known about provider errors, in one pure place. `RULES` is read from the top and the
first rule that matches decides; beside each stand answers that were recorded, and a test holds the
two together. The rules stand in four parts: what is wrong with `requests`, with the gateway's
`accounts`, with `models` that are not there, and with the provider, in `loads`. No word of the
provider's is ever repeated: a message of ours goes to the caller.

A body is parsed JSON, or anything else where it was none; `complaints` knows its many forms.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_http.complaints import NO_HEADERS, read
from astrolabe_http.failures.accounts import REFUSED_ACCOUNTS, SPENT_ACCOUNTS
from astrolabe_http.failures.loads import LATE, LIMITED, OVERLOADED, REST
from astrolabe_http.failures.models import MISSING, UNSERVED
from astrolabe_http.failures.requests import DECLINED, INVALID, TOO_LONG, UNSUPPORTED, WRONG_IMAGES
from astrolabe_http.failures.rule import Rule
from astrolabe_http.waits import retry_after_s

RULES: Final[tuple[Rule, ...]] = (
    TOO_LONG,
    DECLINED,
    WRONG_IMAGES,
    SPENT_ACCOUNTS,
    *LIMITED,
    *LATE,
    *OVERLOADED,
    *UNSERVED,
    *MISSING,
    *REFUSED_ACCOUNTS,
    UNSUPPORTED,
    *INVALID,
    *REST,
)
"""In order: what is said most plainly first. The last one takes everything."""

_WAITS: Final = frozenset(
    {FaultKind.RATE_LIMITED, FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT, FaultKind.UNREACHABLE}
)


def classify(status: int | None, body: object, headers: Mapping[str, str] = NO_HEADERS) -> Fault:
    """Say what a failed answer means. `headers` are by lower-case name."""
    said = read(status, body)
    rule = next(rule for rule in RULES if rule.when(said))
    return Fault(
        kind=rule.kind,
        message=rule.message,
        status=said.status,
        retry_after_s=retry_after_s(headers, body) if rule.kind in _WAITS else None,
    )
