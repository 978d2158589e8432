"""Where do identities come from?  `req_01hf…`: time first, then chance, in one sortable text.

48 bits of milliseconds and 80 bits of randomness in 26 characters of Crockford's base 32, lower
case, so that order of text is order of time. One process never repeats one and never goes back,
whatever its clock does. Randomness is drawn in batches: the system call costs more than the rest.
"""

import os
from collections.abc import Callable
from typing import Final

from astrolabe_core.ports import Clock
from astrolabe_core.units import KeyId, RequestId, WorkspaceId

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
REQUEST_ID_PATTERN: Final = f"req_[{_ALPHABET}]{{26}}"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_TAIL_BYTES: Final = 10
_JITTER_BYTES: Final = 4
_BATCH: Final = 256
_TAIL_BITS: Final = 8 * _TAIL_BYTES
# The top bit stays free, so that counting on within a millisecond never overflows.
_FRESH: Final = (1 << (_TAIL_BITS - 1)) - 1


class Ids:
    """Makes identities, each later in the alphabet than the one before."""

    def __init__(self, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = random
        self._pool = b""
        self._used = 0
        self._at = 0
        self._tail = 0

    def request(self) -> RequestId:
        """Name a request."""
        return RequestId(f"req_{self._next()}")

    def workspace(self) -> WorkspaceId:
        """Name a workspace."""
        return WorkspaceId(f"ws_{self._next()}")

    def key(self) -> KeyId:
        """Name a key; this is not its secret."""
        return KeyId(f"key_{self._next()}")

    def grant(self) -> str:
        """Name a grant of credit."""
        return f"grant_{self._next()}"

    def node(self) -> str:
        """Name this process."""
        return f"node_{self._next()}"

    def jitter(self) -> int:
        """Draw one of 2**32 numbers: all the chance that a request needs."""
        return int.from_bytes(self._take(_JITTER_BYTES), "big")

    def _next(self) -> str:
        at: int = self._clock.now()
        if at > self._at:
            self._at, self._tail = at, self._draw() & _FRESH
        else:
            self._tail += 1
        return _text((self._at << _TAIL_BITS) | self._tail)

    def _draw(self) -> int:
        return int.from_bytes(self._take(_TAIL_BYTES), "big")

    def _take(self, size: int) -> bytes:
        if self._used + size > len(self._pool):
            self._pool, self._used = self._random(_TAIL_BYTES * _BATCH), 0
        start, self._used = self._used, self._used + size
        return self._pool[start : self._used]


def _text(number: int) -> str:
    """Write 128 bits as 26 characters; the first holds only three bits."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
