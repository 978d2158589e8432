"""A key shows nothing of its secret, and limits apply to a key that names none."""

from __future__ import annotations

from astrolabe_core.accounts import (
    RATE_LIMIT_DEFAULT,
    Key,
    KeyStatus,
    Workspace,
    WorkspaceStatus,
)
from astrolabe_core.units import KeyId, WorkspaceId

KEY = Key(
    id=KeyId("key_1"),
    workspace=WorkspaceId("ws_1"),
    hash="c0ffee" * 10,
    prefix="astrolabe_live_Ab3",
    last_four="9xYz",
)


def test_a_key_is_shown_by_its_two_ends() -> None:
    assert KEY.display == "astrolabe_live_Ab3…9xYz"


def test_the_hash_of_a_key_never_appears_in_a_repr() -> None:
    assert "c0ffee" not in repr(KEY)


def test_a_new_key_is_active_and_held_to_6000_requests_a_minute() -> None:
    assert KEY.status is KeyStatus.ACTIVE
    assert KEY.rate_limit == RATE_LIMIT_DEFAULT == 6_000
    assert KEY.expires_at is None


def test_a_new_workspace_is_active_and_bound_by_nothing_of_its_own() -> None:
    workspace = Workspace(id=WorkspaceId("ws_1"), name="Acme")
    assert workspace.status is WorkspaceStatus.ACTIVE
    assert (workspace.stack, workspace.envelope, workspace.budget) == (None, None, None)
