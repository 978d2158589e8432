"""Who is calling: which workspace, with which key, within which envelope?

A key belongs to one workspace and is known by the keyed hash of its secret; the secret itself
is never in a record. Each of the two may carry an envelope (boundaries of its own), a stack
and a budget.
"""

from enum import StrEnum
from typing import Final

from attrs import field, frozen

from astrolabe_core.stacks import Boundaries, Budget
from astrolabe_core.units import Instant, KeyId, StackSlug, WorkspaceId

RATE_LIMIT_DEFAULT: Final = 6_000
"""Requests a minute for a key that names no limit."""


class WorkspaceStatus(StrEnum):
    """Whether a workspace may spend."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@frozen(kw_only=True)
class Workspace:
    """A tenant: owner of keys, credit, stacks and traces."""

    id: WorkspaceId
    name: str
    status: WorkspaceStatus = WorkspaceStatus.ACTIVE
    stack: StackSlug | None = None
    envelope: Boundaries | None = None
    budget: Budget | None = None
    created_at: Instant = Instant(0)


class KeyStatus(StrEnum):
    """Whether a key still opens the door."""

    ACTIVE = "active"
    REVOKED = "revoked"


@frozen(kw_only=True)
class Key:
    """A gateway key. `prefix` and `last_four` are all of the secret that may be shown."""

    id: KeyId
    workspace: WorkspaceId
    hash: str = field(repr=False)
    prefix: str
    last_four: str
    name: str = ""
    status: KeyStatus = KeyStatus.ACTIVE
    stack: StackSlug | None = None
    allowed_stacks: frozenset[str] | None = None
    envelope: Boundaries | None = None
    budget: Budget | None = None
    rate_limit: int = RATE_LIMIT_DEFAULT
    created_at: Instant = Instant(0)
    expires_at: Instant | None = None

    @property
    def display(self) -> str:
        """What a person is shown in place of the secret."""
        return f"{self.prefix}…{self.last_four}"
