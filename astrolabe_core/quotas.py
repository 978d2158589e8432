"""How many requests may a key make in a minute, and what is a caller told about it?

Fixed UTC minutes. One request is one count, however it ends. `RateStatus` is what the three
rate-limit headers say.
"""

from attrs import frozen

from astrolabe_core.budgets import Counter, CounterId, Measure, Scope
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import Instant, KeyId, Window, seconds_until, window_end, window_start


@frozen(kw_only=True)
class RateLimit:
    """At most `limit` requests on one minute's counter."""

    counter: CounterId
    limit: int


def rate_limit(key: KeyId, limit: int, at: Instant) -> RateLimit:
    """Give the limit of the minute that holds `at`."""
    start = window_start(Window.MINUTE, at)
    counter = CounterId(Scope.KEY, key, Measure.REQUESTS, Window.MINUTE, start)
    return RateLimit(counter=counter, limit=limit)


@frozen(kw_only=True)
class RateStatus:
    """What is left of a minute: `limit`, `remaining` after this request, and when it ends."""

    limit: int
    remaining: int
    resets_at: Instant

    @property
    def reset_s(self) -> int:
        """The end of the minute in whole Unix seconds."""
        return self.resets_at // 1_000

    def retry_after_s(self, now: Instant) -> int:
        """Whole seconds until the minute ends, at least one."""
        return seconds_until(self.resets_at, now)


def status_after(rate: RateLimit, used: int) -> RateStatus:
    """Say what is left once `used` requests are on the counter."""
    return RateStatus(
        limit=rate.limit,
        remaining=max(0, rate.limit - used),
        resets_at=window_end(Window.MINUTE, rate.counter.start),
    )


def count_request(rate: RateLimit, counter: Counter) -> Counter | None:
    """Put one more request on the counter, or `None` when the minute is full."""
    if counter.used >= rate.limit:
        return None
    return Counter(counter.id, counter.used + 1, counter.held, counter.warned)


def rate_refusal(rate: RateLimit, at: Instant) -> Refusal:
    """Say that a minute is full and when the next begins."""
    status = status_after(rate, rate.limit)
    wait = status.retry_after_s(at)
    return Refusal(
        code=Code.RATE_LIMITED,
        message=f"this key may make {rate.limit} requests a minute; try again in {wait} s",
        details={"limit": rate.limit, "resets_at": status.reset_s},
        retry_after_s=wait,
    )
