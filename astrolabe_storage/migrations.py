"""Is this database the one that this version was written for, and how does it become that?

A backend's schema is a row of numbered SQL files. Each runs once, in one transaction with the
row that records its number and SHA-256. A database that records another text for a number, or
a number that is not known here, is not opened.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib.resources.abc import Traversable

from attrs import field, frozen

from astrolabe_storage.errors import OpeningError


@frozen
class Migration:
    """One step of a schema."""

    number: int
    name: str
    sql: str = field(repr=False)

    @property
    def checksum(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@frozen
class Applied:
    """What a database records of a step that it has taken."""

    number: int
    name: str
    checksum: str


def read_migrations(directory: Traversable) -> tuple[Migration, ...]:
    """Read `0001_name.sql` and its successors, in order and without a gap."""
    found = []
    for file in sorted(directory.iterdir(), key=lambda file: file.name):
        named = re.fullmatch(r"(?P<number>\d{4})_(?P<name>\w+)\.sql", file.name)
        if named is not None:
            sql = file.read_text("utf-8")
            found.append(Migration(int(named["number"]), named["name"], sql))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3 …: {numbers}")
    return tuple(found)


def pending(known: Sequence[Migration], applied: Iterable[Applied]) -> tuple[Migration, ...]:
    """Give the steps that a database has still to take.

    Raises `OpeningError` where it has taken one that is not known here, or another text of one.
    """
    by_number = {migration.number: migration for migration in known}
    taken = set()
    for one in applied:
        migration = by_number.get(one.number)
        step = f"{one.number:04}_{one.name}"
        if migration is None:
            raise OpeningError(
                f"the database has schema step {step}, which this version does not know: "
                "it was opened by a newer version; use that one or a backup from before"
            )
        if migration.checksum != one.checksum:
            raise OpeningError(
                f"schema step {step} of the database is not the one of this version "
                f"(recorded {one.checksum[:12]}, shipped {migration.checksum[:12]}): "
                "use the version that made the database, or a backup"
            )
        taken.add(one.number)
    return tuple(migration for migration in known if migration.number not in taken)
