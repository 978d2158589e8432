"""What did the provider use, and what is kept of a request for the account's owner?

`Usage` is one provider's count for one answer. Parts lie within their whole: cached and
cache-write tokens within input, reasoning within output, so that nothing is counted twice.
`UsageRecord` is the row written in the same transaction that ends a request.
"""

from enum import StrEnum

from attrs import frozen

from astrolabe_core.codes import Code, Kind, Unbillable
from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.units import Instant, KeyId, Millis, ModelId, RequestId, Tokens, WorkspaceId


@frozen(kw_only=True)
class Usage:
    """Token counts of one answer, all of its choices together."""

    input_tokens: Tokens
    output_tokens: Tokens
    cached_input_tokens: Tokens = Tokens(0)
    cache_write_tokens: Tokens = Tokens(0)
    reasoning_tokens: Tokens = Tokens(0)
    images: int = 0

    def flaw(self) -> str | None:
        """Say what is impossible about these counts, or `None`; an impossible one is missing."""
        counts = (
            self.input_tokens,
            self.output_tokens,
            self.cached_input_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
            self.images,
        )
        if min(counts) < 0:
            return "a negative count"
        if max(counts) > COUNT_MAX:
            return "a count beyond any model"
        if self.cached_input_tokens + self.cache_write_tokens > self.input_tokens:
            return "more cached than input tokens"
        if self.reasoning_tokens > self.output_tokens:
            return "more reasoning than output tokens"
        return None


COUNT_MAX = 1_000_000_000


@frozen(kw_only=True)
class UsageRecord:
    """How one request ended, for `/v1/usage`: money in nanos, time in milliseconds.

    `selected` is the first choice and `served` the model that answered. `debit` is what the
    wallet paid; `provider_cost` what the provider says that it charged for all attempts.
    """

    request: RequestId
    workspace: WorkspaceId
    key: KeyId
    at: Instant
    surface: str
    stream: bool
    model: str
    stack: str | None = None
    stack_version: int | None = None
    category: str | None = None
    kind: Kind | None = None
    selected: ModelId | None = None
    served: ModelId | None = None
    refusal: Code | None = None
    unbillable: Unbillable | None = None
    attempts: int = 0
    usage: Usage | None = None
    hold: NanoUsd = ZERO
    debit: NanoUsd = ZERO
    provider_cost: NanoUsd | None = None
    estimated: NanoUsd | None = None
    baseline: NanoUsd | None = None
    latency_ms: Millis = Millis(0)
    first_token_ms: Millis | None = None

    @property
    def billable(self) -> bool:
        """Whether a delivered answer was paid for."""
        return self.refusal is None and self.unbillable is None

    @property
    def savings(self) -> NanoUsd | None:
        """What the baseline would have cost above the debit; negative where it was dearer."""
        if self.baseline is None or not self.billable:
            return None
        return NanoUsd(self.baseline - self.debit)


PAGE_MAX = 1_000
"""The most rows that one page of usage holds."""


@frozen(kw_only=True)
class UsageQuery:
    """Which usage rows of one workspace: newest first, `since` inclusive, `until` exclusive.

    `model` matches the model that answered; `before` is the last request id of the page
    before, since request ids sort by time.
    """

    workspace: WorkspaceId
    since: Instant | None = None
    until: Instant | None = None
    key: KeyId | None = None
    model: ModelId | None = None
    stack: str | None = None
    billable: bool | None = None
    before: RequestId | None = None
    limit: int = 100


class UsageGrouping(StrEnum):
    """By what usage may be summed."""

    MODEL = "model"
    KEY = "key"
    STACK = "stack"
    CATEGORY = "category"
    DAY = "day"


@frozen(kw_only=True)
class UsageTotals:
    """Sums over the rows of one group. `savings` counts billable rows only.

    `group` is the model, key, stack or category, the UTC day as `2026-11-21`, or `None` where
    a row has none.
    """

    group: str | None
    requests: int
    billable: int
    input_tokens: int
    output_tokens: int
    debit: NanoUsd
    provider_cost: NanoUsd
    savings: NanoUsd
