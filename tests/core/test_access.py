"""An ended key learns nothing of its end, and only an active workspace may act."""

from __future__ import annotations

import pytest
from attrs import evolve

from astrolabe_core.access import MISSING_KEY, UNKNOWN_KEY, admit, judge_standing
from astrolabe_core.accounts import Key, KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.codes import Code
from astrolabe_core.units import Instant, KeyId, WorkspaceId

NOW = Instant(1_000_000)
WORKSPACE = Workspace(id=WorkspaceId("ws_1"), name="Acme")
KEY = Key(id=KeyId("key_1"), workspace=WORKSPACE.id, hash="h", prefix="p", last_four="1234")


def code(key: Key, workspace: Workspace) -> Code | None:
    refusal = admit(key, workspace, NOW)
    return None if refusal is None else refusal.code


def test_an_active_key_of_an_active_workspace_may_act() -> None:
    assert code(KEY, WORKSPACE) is None


@pytest.mark.parametrize(("expires_at", "ended"), [(NOW - 1, True), (NOW, True), (NOW + 1, False)])
def test_a_key_ends_at_the_instant_it_expires(expires_at: int, ended: bool) -> None:
    key = evolve(KEY, expires_at=Instant(expires_at))
    assert (admit(key, WORKSPACE, NOW) == UNKNOWN_KEY) is ended


def test_unknown_revoked_and_expired_keys_are_told_the_same() -> None:
    revoked = evolve(KEY, status=KeyStatus.REVOKED)
    expired = evolve(KEY, expires_at=Instant(0))
    told = [admit(revoked, WORKSPACE, NOW), admit(expired, WORKSPACE, NOW)]
    assert told == [UNKNOWN_KEY, UNKNOWN_KEY]
    assert judge_standing(None, WorkspaceStatus.ACTIVE) == UNKNOWN_KEY
    assert UNKNOWN_KEY.code is MISSING_KEY.code is Code.UNAUTHORIZED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (WorkspaceStatus.PENDING, Code.WORKSPACE_PENDING),
        (WorkspaceStatus.SUSPENDED, Code.WORKSPACE_SUSPENDED),
        (WorkspaceStatus.ACTIVE, None),
    ],
)
def test_only_an_active_workspace_may_act(status: WorkspaceStatus, expected: Code | None) -> None:
    assert code(KEY, evolve(WORKSPACE, status=status)) is expected


@pytest.mark.parametrize("status", WorkspaceStatus)
def test_a_revoked_key_learns_nothing_of_its_workspace(status: WorkspaceStatus) -> None:
    revoked = evolve(KEY, status=KeyStatus.REVOKED)
    assert admit(revoked, evolve(WORKSPACE, status=status), NOW) == UNKNOWN_KEY


def test_a_workspace_that_is_gone_may_not_act() -> None:
    refusal = judge_standing(KeyStatus.ACTIVE, None)
    assert refusal is not None
    assert refusal.code is Code.WORKSPACE_SUSPENDED
