"""A snapshot is a value: equal worlds are equal, and nothing in it can be moved afterwards."""

from __future__ import annotations

import pytest
from attrs.exceptions import FrozenInstanceError

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.catalog import Catalog
from astrolabe_core.money import ZERO
from astrolabe_core.snapshot import Caller, Snapshot
from astrolabe_core.units import Instant, KeyId, WorkspaceId


def snapshot(at: int) -> Snapshot:
    workspace = Workspace(id=WorkspaceId("ws_1"), name="Acme")
    key = Key(id=KeyId("key_1"), workspace=workspace.id, hash="h", prefix="p", last_four="1234")
    return Snapshot(
        at=Instant(at),
        caller=Caller(key=key, workspace=workspace),
        catalog=Catalog(version="1", models=(), priors={}),
        virtual_models=(),
    )


def test_equal_worlds_are_equal_snapshots() -> None:
    assert snapshot(1) == snapshot(1)
    assert snapshot(1) != snapshot(2)


def test_a_snapshot_cannot_be_moved() -> None:
    taken = snapshot(1)
    with pytest.raises(FrozenInstanceError):
        taken.at = Instant(2)  # type: ignore[misc]


def test_nothing_is_assumed_of_a_caller_whose_account_is_not_told() -> None:
    caller = snapshot(1).caller
    assert (caller.stacks, caller.requests_used, caller.available) == ((), 0, ZERO)
