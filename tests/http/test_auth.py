from __future__ import annotations

import pytest

from astrolabe_core.access import MISSING_KEY
from astrolabe_http.auth import AMBIGUOUS, key_hash
from astrolabe_http.keys import hash_key, make_key

KEY = make_key().encode()
OTHER = make_key().encode()
HASH = hash_key("secret", KEY.decode())


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer " + KEY)],
        [(b"authorization", b"bearer " + KEY)],
        [(b"authorization", b"BEARER   " + KEY + b" ")],
        [(b"x-api-key", KEY)],
        [(b"x-api-key", KEY), (b"authorization", b"Bearer " + KEY)],
        [(b"authorization", b"Basic dXNlcg=="), (b"x-api-key", KEY)],
    ],
)
def test_either_header_gives_the_same_hash(headers: list[tuple[bytes, bytes]]) -> None:
    assert key_hash(headers, "secret") == HASH


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer  ")],
        [(b"authorization", KEY)],
        [(b"authorization", b"Basic dXNlcg==")],
        [(b"x-api-key", b" ")],
    ],
)
def test_no_credential_is_a_missing_key(headers: list[tuple[bytes, bytes]]) -> None:
    assert key_hash(headers, "secret") is MISSING_KEY


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-api-key", OTHER), (b"authorization", b"Bearer " + KEY)],
        [(b"authorization", b"Bearer " + OTHER), (b"authorization", b"Bearer " + KEY)],
        [(b"x-api-key", OTHER), (b"x-api-key", KEY)],
        [(b"x-api-key", b"junk"), (b"authorization", b"Bearer " + KEY)],
    ],
)
def test_two_different_credentials_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    assert key_hash(headers, "secret") is AMBIGUOUS


@pytest.mark.parametrize(
    "key",
    [
        *(b"sk-other", KEY[:-1], KEY + b"x", b"\xff\xfe", b"astrolabe_mgmt_" + b"a" * 49),
        b"k" * 30_000,
    ],
    ids=["foreign", "too-short", "too-long", "not-text", "of-management", "endless"],
)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_what_cannot_be_a_key_costs_what_an_unknown_one_costs(key: bytes, header: str) -> None:
    """Whether something has the form of a key is no answer's business, and no clock's."""
    value = b"Bearer " + key if header == "authorization" else key
    found = key_hash([(header.encode(), value)], "secret")
    assert isinstance(found, str)
    assert len(found) == len(HASH)
    assert found != HASH


def test_the_whole_of_a_credential_counts() -> None:
    """litellm CVE-2026-35030: an auth cache keyed by the first 20 characters."""
    almost = KEY[:-1] + (b"a" if KEY[-1:] != b"a" else b"b")
    assert key_hash([(b"x-api-key", almost)], "secret") != HASH
