from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_http.waits import RETRY_AFTER_MAX_S, WAIT_HEADERS, retry_after_s

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
DATE_S = 1_795_262_400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.2"}, 2),
        ({"retry-after": "2.0"}, 2),
        ({"retry-after-ms": "1500"}, 2),
        ({"retry-after-ms": "0.5"}, 1),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 2),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "\u0667"}, None),
        ({"retry-after": "9" * 14}, 86_400),
        ({"retry-after": "9" * 400}, None),
    ],
)
def test_every_form_of_seconds(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    "form",
    [
        "Sat, 21 Nov 2026 12:00:09 GMT",
        "Saturday, 21-Nov-26 12:00:09 GMT",
        "Sat Nov 21 12:00:09 2026",
        "2026-11-21T12:00:09Z",
    ],
)
def test_a_date_in_any_form_is_measured_from_the_answers_own(form: str) -> None:
    assert retry_after_s({"retry-after": form, "date": DATE}) == 9
    assert retry_after_s({"retry-after": DATE, "date": form}) == 0
    assert retry_after_s({"retry-after": form}) is None
    assert retry_after_s({"retry-after": form, "date": "today"}) is None


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
    body = {"error": {"metadata": {"headers": {"retry-after": nested, 7: "8"}}}}
    assert retry_after_s({}, body) is None


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        (str((DATE_S + 42) * 1_000), 42),  # OpenRouter: milliseconds since 1970, dirge #719
        (str(DATE_S + 42), 42),  # GitHub's way
        ("42", 42),
        ("42s", 42),
        ("6m0s", 360),  # OpenAI
        ("120ms", 1),
        ("1h2m3.5s", 3_724),
        ("2026-11-21T12:00:42+00:00", 42),  # Anthropic
        ("-1", None),
        ("6m0", None),
        ("m", None),
        ("9" * 15, 86_400),
        (str((DATE_S - 42) * 1_000), 0),
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "x-ratelimit-reset",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "ratelimit-reset",
        "anthropic-ratelimit-tokens-reset",
    ],
)
def test_when_a_limit_is_lifted(name: str, reset: str, seconds: int | None) -> None:
    assert retry_after_s({name: reset, "date": DATE}) == seconds
    body = {"error": {"metadata": {"headers": {name.title(): reset}}}}
    assert retry_after_s({"date": DATE}, body) == seconds


def test_milliseconds_may_come_as_a_number() -> None:
    body = {"error": {"metadata": {"headers": {"X-RateLimit-Reset": (DATE_S + 42) * 1_000}}}}
    assert retry_after_s({"date": DATE}, body) == 42
    assert retry_after_s({}, body) is None  # a moment, and nobody knows what time it is


def test_of_several_limits_those_count_that_are_used_up() -> None:
    requests = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}
    tokens = {"x-ratelimit-remaining-tokens": "150", "x-ratelimit-reset-tokens": "6m0s"}
    assert retry_after_s({**requests, **tokens}) == 20
    assert retry_after_s({**requests, **tokens, "x-ratelimit-remaining-tokens": "0"}) == 360
    assert retry_after_s(tokens) is None
    assert retry_after_s({**requests, "retry-after": "3"}) == 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("limit=100, remaining=0, reset=50", 50),
        ("limit=100, remaining=1, reset=50", None),
        ('"default";r=0;t=50', 50),
        ('"burst";r=3;t=5, "daily";r=0;t=3600', 3_600),
        ('"default";r=1;t=50', None),
        ("limit=100, reset=7", 7),
        ("nonsense", None),
        ("reset=", None),
    ],
)
def test_the_ietfs_one_header(text: str, seconds: int | None) -> None:
    assert retry_after_s({"ratelimit": text}) == seconds


def info(delay: object) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"@type": "x"}, info("34.4s")]}}, 35),
        ([{"error": {"details": [info("3s")]}}], 3),
        ({"error": {"details": [info(None), 7]}}, None),
        ({"error": "Model m is currently loading", "estimated_time": 20.0}, 20),
        ({"error": {"metadata": {"retry_after_seconds": 12}}}, 12),
        ({"error": {"metadata": {"retry_after_seconds": 1e30}}}, 86_400),
        ({"error": {"metadata": {"retry_after_seconds": 10**6_000}}}, 86_400),
        ({"error": {"metadata": {"retry_after_seconds": float("nan")}}}, None),
        ({"error": {"metadata": {"retry_after_seconds": -1}}}, None),
        ({"error": {"metadata": {"retry_after_seconds": True}}}, None),
        ({"error": {"message": "m", "retry_after": "9"}}, 9),
        ({"error": {"message": "Please try again in 6m0s. Contact us"}}, 360),
        ({"error": {"message": "Please try again in 1.242s."}}, 2),
        ({"error": {"message": "Please retry after 20 seconds."}}, 20),
        ({"error": {"message": "try again in 500ms"}}, 1),
        ({"error": {"message": "try again in 20 milliseconds"}}, 1),
        ({"error": {"message": "Try again in 2 minutes"}}, 120),
        ({"error": {"message": "try again in 2 months"}}, None),
        ({"error": {"message": "try again later"}}, None),
        ({"statusCode": 429, "message": "Rate limit is exceeded. Try again in 5 s."}, 5),
        ({"error": {"metadata": {"headers": {"Retry-After": "12"}}}}, 12),
        ({"error": {"metadata": {"headers": "Retry-After: 12"}}}, None),
    ],
)
def test_a_wait_may_stand_within_the_body(body: object, seconds: int | None) -> None:
    assert retry_after_s({}, body) == seconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(lambda at: at.isoformat()),
    st.from_regex(r"(\d{1,20}(\.\d{1,20})?(ms|s|m|h)){1,3}", fullmatch=True),
    st.from_regex(r'"a";r=\d{1,20};t=-?\d{1,20}', fullmatch=True),
)
PLACES = ("retry_after", "retry_after_seconds", "estimated_time", "details", "message", "headers")


@given(
    st.dictionaries(st.sampled_from(WAIT_HEADERS), VALUES, max_size=6),
    st.dictionaries(
        st.sampled_from(PLACES),
        JSON | VALUES | st.dictionaries(st.sampled_from(WAIT_HEADERS), VALUES | JSON),
    ),
    JSON,
)
def test_whatever_is_said_a_wait_is_none_or_within_a_day(
    headers: dict[str, str], inner: dict[str, object], metadata: object
) -> None:
    for body in (inner, {"error": inner}, {"error": {**inner, "metadata": metadata}}, metadata):
        wait = retry_after_s(headers, body)
        assert wait is None or 0 <= wait <= RETRY_AFTER_MAX_S
    within = {"error": {"metadata": inner}}
    wait = retry_after_s(headers, within)
    assert wait is None or 0 <= wait <= RETRY_AFTER_MAX_S
