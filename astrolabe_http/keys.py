"""What is a gateway key, and what is kept of it?

`astrolabe_live_` or `astrolabe_test_`, 43 url-safe random characters (256 bits), and 6 characters
of checksum, so that whoever finds a text can tell whether it is a key; callers are not told. Kept
is only the HMAC-SHA-256 of the whole text under the server's secret, with a prefix and the last
four characters for people to tell keys apart.
"""

import hmac
import re
import secrets
import zlib
from enum import StrEnum
from functools import lru_cache
from typing import Final

RANDOM_BYTES: Final = 32
SHOWN_CHARACTERS: Final = 4

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_CHARACTERS: Final = 6
_FORM: Final = re.compile(
    r"(?P<body>astrolabe_(?:live|test)_[A-Za-z0-9_-]{43})(?P<checksum>[0-9A-Za-z]{6})"
)


class KeyMode(StrEnum):
    """Whether a key opens a real gateway or a demonstration."""

    LIVE = "live"
    TEST = "test"


def make_key(mode: KeyMode = KeyMode.LIVE) -> str:
    """Make a new key. The caller shows it once and keeps its hash."""
    body = f"astrolabe_{mode.value}_{secrets.token_urlsafe(RANDOM_BYTES)}"
    return body + _checksum(body)


def is_key(text: str) -> bool:
    """Say whether a text can be a key at all: its form and its checksum are right."""
    match = _FORM.fullmatch(text)
    return match is not None and hmac.compare_digest(match["checksum"], _checksum(match["body"]))


def hash_key(secret: str, key: str) -> str:
    """Give what is kept of a key: lower-case hexadecimal HMAC-SHA-256 under the secret."""
    keyed = _keyed(secret).copy()
    keyed.update(key.encode())
    return keyed.hexdigest()


@lru_cache(maxsize=4)
def _keyed(secret: str) -> hmac.HMAC:
    """Prepare the secret once; `hmac.digest` lets the interpreter go, to wait for it again."""
    return hmac.new(secret.encode(), digestmod="sha256")


def display_prefix(key: str) -> str:
    """Give the beginning that may be shown: the kind of key and four of its characters."""
    return key[: len("astrolabe_live_") + SHOWN_CHARACTERS]


def last_four(key: str) -> str:
    """Give the end that may be shown; it is checksum and tells nothing of the secret."""
    return key[-4:]


def _checksum(body: str) -> str:
    """CRC-32 in base 62. It finds typing errors; it is no protection and need be none."""
    rest = zlib.crc32(body.encode())
    digits: list[str] = []
    for _ in range(_CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
