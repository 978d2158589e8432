"""Does a gateway serve this file already?

A gateway that starts ends the holds that a crash left, and takes every open hold for one. So
only one may serve a file: it keeps a lock on a file beside the database for as long as it runs.
The operating system lets go of the lock when the process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path

from astrolabe_storage.errors import OpeningError


class Claim:
    """The right to serve one file; held until released."""

    def __init__(self, path: Path) -> None:
        """Claim a database file. Raises `OpeningError` where another gateway has it."""
        lock = path.with_name(f"{path.name}.gateway")
        try:
            self._file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OpeningError(f"{lock}: cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise OpeningError(
                f"{path}: another gateway serves this database; stop it first, "
                "or give this one a database of its own"
            ) from None

    def release(self) -> None:
        """Let another gateway serve the file. Once."""
        os.close(self._file)
