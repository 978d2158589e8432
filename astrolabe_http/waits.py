"""How long does a provider ask to wait?"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

RETRY_AFTER_MAX_S: Final = 86_400


def retry_after_s(headers: Mapping[str, str], body: object = None) -> int | None:
    """Give the whole seconds that a provider asks to wait, rounded up, or `None`.

    Knows `retry-after-ms`, `retry-after` in seconds and as a date (measured from the answer's own
    `date`, so that no clock is needed), and OpenRouter's headers within the body.
    """
    nested = _nested_headers(body)
    for found in (headers, nested):
        millis = _seconds(found.get("retry-after-ms"), unit=1_000)
        if millis is not None:
            return millis
        waiting = found.get("retry-after")
        seconds = _seconds(waiting) if waiting is not None else None
        if seconds is None and waiting is not None:
            seconds = _until(waiting, headers.get("date"))
        if seconds is not None:
            return seconds
    return None


def _nested_headers(body: object) -> dict[str, str]:
    """Find `error.metadata.headers`, where OpenRouter puts the limits of its free models."""
    for name in ("error", "metadata", "headers"):
        body = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping):
        return {}
    return {
        str(name).lower(): str(value)
        for name, value in body.items()
        if isinstance(value, str | int | float)
    }


def _seconds(text: str | None, *, unit: int = 1) -> int | None:
    """Read a decimal number of seconds, or of parts of one; what is below zero is no wait."""
    whole, _, rest = (text or "").strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 15):
        return None
    fraction = 1 if rest.strip("0") else 0
    return min(-(-(int(whole) + fraction) // unit), RETRY_AFTER_MAX_S)


def _until(text: str, now: str | None) -> int | None:
    if now is None:
        return None
    try:
        left = parsedate_to_datetime(text) - parsedate_to_datetime(now)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0, int(left.total_seconds())), RETRY_AFTER_MAX_S)
