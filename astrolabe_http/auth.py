"""With which key does this call come?

`Authorization: Bearer <key>` and `x-api-key: <key>` are one: the credentials of both are gathered
and judged together. The answer is the hash under which a store may know the key, or a refusal of
a call that has none, or two. Whatever was sent is hashed whole and asked for: a key that never
was one costs a caller what an unknown, a revoked or an expired one costs, and looks the same.
"""

from collections.abc import Iterable
from typing import Final

from astrolabe_core.access import MISSING_KEY
from astrolabe_core.codes import Code, Refusal
from astrolabe_http.keys import hash_key

AMBIGUOUS: Final = Refusal(
    code=Code.INVALID_REQUEST,
    message="two different credentials were sent; send one key, "
    "in 'authorization' or in 'x-api-key'",
)


def key_hash(headers: Iterable[tuple[bytes, bytes]], secret: str) -> str | Refusal:
    """Give the hash of the key that a call carries, or say why there is none."""
    found = set(_credentials(headers))
    if not found:
        return MISSING_KEY
    if len(found) > 1:
        return AMBIGUOUS
    return hash_key(secret, found.pop().decode("latin-1"))


def _credentials(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            if scheme.lower() == b"bearer" and rest.strip():
                yield rest.strip()
        elif name == b"x-api-key" and value.strip():
            yield value.strip()
