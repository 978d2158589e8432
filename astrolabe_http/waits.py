"""How long does a provider ask to wait?

`retry_after_s` knows every form that was seen, in this order: `retry-after-ms`, `retry-after` in
seconds or as a date, the same within the body (OpenRouter's `error.metadata`, Google's
`retryDelay`, Hugging Face's `estimated_time`), the headers that say when a limit is lifted, and
last the words of a message. Of several limits only those count that are used up. A date is
measured from the answer's own `date`, so that no clock is needed; whoever reads a head adds one
where a provider sends none. What is negative, no number or in no known form is no wait, and
nothing is longer than a day. Pure, and never raises.

Sources: RFC 9110 §10.2.3 and §5.6.7, OpenAI's and Anthropic's pages on rate limits, OpenRouter's on
errors and dirge #719 (its 429 of free models has only `X-RateLimit-Reset`, in milliseconds), the
IETF's draft `RateLimit` headers in both its forms.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil, isfinite
from typing import Final

from astrolabe_http.complaints import error_in

RETRY_AFTER_MAX_S: Final = 86_400

_LIMITS: Final = (
    "x-ratelimit-{}",
    "x-ratelimit-{}-requests",
    "x-ratelimit-{}-tokens",
    "ratelimit-{}",
)
_ANTHROPIC: Final = (
    "anthropic-ratelimit-requests-{}",
    "anthropic-ratelimit-tokens-{}",
    "anthropic-ratelimit-input-tokens-{}",
    "anthropic-ratelimit-output-tokens-{}",
)
WAIT_HEADERS: Final = (
    "date",
    "retry-after",
    "retry-after-ms",
    "ratelimit",
    *(form.format(part) for form in (*_LIMITS, *_ANTHROPIC) for part in ("remaining", "reset")),
)
"""Every header that is read here, by its lower-case name."""

_EPOCH_S: Final = 1_000_000_000
"""From here on a number is a moment and no time that passes; a thousandfold, in milliseconds."""
_TEXT_MAX: Final = 2_000
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?")
_DURATION: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|h|m|s)")
_UNITS_S: Final = {"h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "millisecond": 0.001}
_ASKED: Final = re.compile(
    r"(?:try again|retry) (?:in|after) ([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|millisecond|s|m(?!o)|h)"
)
_ASKED_DURATION: Final = re.compile(
    r"(?:try again|retry) (?:in|after) ((?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|h|m|s)){2,4})"
)
_ITEM: Final = re.compile(r"(?:^|[;,\s])(r|t|remaining|reset)=([0-9]{1,15})")


def retry_after_s(headers: Mapping[str, str], body: object = None) -> int | None:
    """Give the whole seconds that a provider asks to wait, rounded up, or `None`."""
    error = error_in(body)
    facts = error.get("metadata")
    metadata: Mapping[object, object] = facts if isinstance(facts, Mapping) else {}
    inner = _headers_in(metadata)
    now = _moment(headers.get("date"))
    waits = (
        _asked(headers, now),
        _asked(inner, now),
        _stated(error, metadata, body),
        _lifted(headers, now),
        _lifted(inner, now),
        _worded(error),
    )
    wait = next((found for found in waits if found is not None), None)
    return None if wait is None else min(ceil(wait), RETRY_AFTER_MAX_S)


def _asked(headers: Mapping[str, str], now: float | None) -> float | None:
    """Read the headers that are there for this."""
    millis = _number(headers.get("retry-after-ms"))
    if millis is not None:
        return millis / 1_000
    asked = headers.get("retry-after")
    if asked is None:
        return None
    seconds = _number(asked)
    return _until(_moment(asked), now) if seconds is None else seconds


def _stated(
    error: Mapping[object, object], metadata: Mapping[object, object], body: object
) -> float | None:
    """Read the places of a body that state a wait."""
    fields = [
        holder.get(name)
        for holder in (metadata, error, body)
        if isinstance(holder, Mapping)
        for name in ("retry_after_seconds", "retry_after", "estimated_time")
    ]
    details = error.get("details")
    listed = details[:16] if isinstance(details, list) else []
    fields += [detail.get("retryDelay") for detail in listed if isinstance(detail, Mapping)]
    found = (_number(field) if _is_number(field) else _duration(field) for field in fields)
    return next((wait for wait in found if wait is not None), None)


def _lifted(headers: Mapping[str, str], now: float | None) -> float | None:
    """Read when the limits that are used up are lifted, the last of them."""
    used_up: list[float] = []
    unknown: list[float] = []
    for form in (*_LIMITS, *_ANTHROPIC):
        wait = _reset(headers.get(form.format("reset")), now)
        left = _number(headers.get(form.format("remaining")))
        if wait is not None:
            (unknown if left is None else used_up if left == 0 else []).append(wait)
    for left, wait in _structured(headers.get("ratelimit")):
        (unknown if left is None else used_up if left == 0 else []).append(wait)
    return max(used_up or unknown, default=None)


def _structured(text: str | None) -> Iterator[tuple[float | None, float]]:
    """Read `limit=10, remaining=0, reset=7` and `"default";r=0;t=7`, one policy after the other."""
    if text is None:
        return
    text = text[:_TEXT_MAX].lower()
    policies = [text] if "reset=" in text else text.split(",")
    for policy in policies:
        items = {name[0]: float(value) for name, value in _ITEM.findall(policy) if name != "reset"}
        if (reset := re.search(r"reset=([0-9]{1,15})", policy)) is not None:
            items["t"] = float(reset[1])
        if "t" in items:
            yield items.get("r"), items["t"]


def _reset(text: str | None, now: float | None) -> float | None:
    """Read when a limit is lifted: seconds from now, a moment, or a duration."""
    if text is None:
        return None
    number = _number(text)
    if number is None:
        duration = _duration(text)
        return _until(_moment(text), now) if duration is None else duration
    if number < _EPOCH_S:
        return number
    return _until(number / 1_000 if number >= _EPOCH_S * 1_000 else number, now)


def _worded(error: Mapping[object, object]) -> float | None:
    """Read a wait that stands in a message only: "Please try again in 6m0s."."""
    message = error.get("message")
    if not isinstance(message, str):
        return None
    said = message[:_TEXT_MAX].lower()
    whole = _ASKED_DURATION.search(said)
    if whole is not None:
        return _duration(whole[1])
    found = _ASKED.search(said)
    if found is None:
        return None
    return float(found[1]) * _UNITS_S[found[2]]


def _duration(value: object) -> float | None:
    """Read `6m0s`, `120ms`, `1h2m3.5s`; all of it, or nothing."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip().lower()
    parts = _DURATION.findall(text)
    if not parts or "".join([number + unit for number, unit in parts]) != text:
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    )


def _number(value: object) -> float | None:
    """Read a number that is not negative; a text must be one through and through."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        return float(text) if _NUMBER.fullmatch(text) is not None else None
    if isinstance(value, int):
        return float(min(value, 10**15)) if value >= 0 else None
    if isinstance(value, float):
        return value if isfinite(value) and value >= 0 else None
    return None


def _until(moment: float | None, now: float | None) -> float | None:
    """Measure a wait; what is over already is no reason to wait."""
    return None if moment is None or now is None else max(0.0, moment - now)


def _moment(text: str | None) -> float | None:
    """Read a date in one of HTTP's three forms, or in RFC 3339's, as seconds since 1970."""
    if text is None or len(text) > 64:
        return None
    for read in (parsedate_to_datetime, _rfc3339):
        try:
            found = read(text)
            # HTTP knows no time but UTC, and the oldest form does not say so.
            return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _rfc3339(text: str) -> datetime:
    return datetime.fromisoformat(text.strip())


def _headers_in(metadata: Mapping[object, object]) -> dict[str, str]:
    """Read `error.metadata.headers`, where OpenRouter puts the limits of its free models."""
    headers = metadata.get("headers")
    if not isinstance(headers, Mapping):
        return {}
    told: dict[str, str] = {}
    for name in headers:
        value = headers[name]
        number = None if isinstance(value, str) else _number(value)
        if isinstance(name, str) and (isinstance(value, str) or number is not None):
            told[name.lower()] = value if number is None else format(number, ".3f")
    return told
