from __future__ import annotations

import pytest

from astrolabe_http.waits import retry_after_s


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.2"}, 2),
        ({"retry-after-ms": "1500"}, 2),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 2),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 14}, 86_400),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:09 GMT"}, None),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 12:00:09 GMT",
                "date": "Sat, 21 Nov 2026 12:00:00 GMT",
            },
            9,
        ),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT",
                "date": "Sat, 21 Nov 2026 12:00:00 GMT",
            },
            0,
        ),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    "wait",
    [
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999",
        "Mon, 01 Jan 2024 00:00:00",
        "9" * 7_000,
    ],
)
def test_a_date_beyond_all_years_is_no_wait(wait: str) -> None:
    """It was a bug, and held a caller's money until the process ended."""
    now = "Mon, 01 Jan 2024 00:00:00 GMT"
    assert retry_after_s({"retry-after": wait, "date": now}) in {None, 0, 86_400}


def test_what_is_no_text_and_no_number_is_no_header() -> None:
    nested: object = "9"
    for _ in range(900):
        nested = [nested]
    body = {"error": {"metadata": {"headers": {"retry-after": nested}}}}
    assert retry_after_s({}, body) is None
