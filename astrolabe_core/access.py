"""May this key act at all?

Unknown, revoked and expired keys are told the same; a workspace must be active. Judged when a
request arrives and again, in the same transaction, when it reserves money.
"""

from typing import Final, assert_never

from astrolabe_core.accounts import Key, KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import Instant

MISSING_KEY: Final = Refusal(
    code=Code.UNAUTHORIZED,
    message="bearer authentication is required: send 'Authorization: Bearer <key>'",
)
UNKNOWN_KEY: Final = Refusal(
    code=Code.UNAUTHORIZED,
    message="key not found: check that it was copied whole and has not been revoked or expired",
)


def admit(key: Key, workspace: Workspace, at: Instant) -> Refusal | None:
    """Refuse a key that has ended or whose workspace may not act, or give `None`."""
    if key.expires_at is not None and at >= key.expires_at:
        return UNKNOWN_KEY
    return judge_standing(key.status, workspace.status)


def judge_standing(key: KeyStatus | None, workspace: WorkspaceStatus | None) -> Refusal | None:
    """Refuse by the state of the two rows alone; `None` for a row that is gone."""
    if key is not KeyStatus.ACTIVE:
        return UNKNOWN_KEY
    match workspace:
        case WorkspaceStatus.ACTIVE:
            return None
        case WorkspaceStatus.PENDING:
            message = "the workspace awaits review; ask its operator to approve it"
            return Refusal(code=Code.WORKSPACE_PENDING, message=message)
        case WorkspaceStatus.SUSPENDED | None:
            message = "the workspace is suspended; ask its operator to activate it"
            return Refusal(code=Code.WORKSPACE_SUSPENDED, message=message)
        case _:
            assert_never(workspace)
