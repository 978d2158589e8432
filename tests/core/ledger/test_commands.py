"""Commands and outcomes are values, and the text of a trace stays out of sight."""

from __future__ import annotations

from typing import get_args

import pytest
from attrs import fields_dict, has
from attrs.exceptions import FrozenInstanceError

from astrolabe_core.ledger import commands
from astrolabe_core.ledger.commands import (
    Command,
    Conflict,
    Count,
    Ending,
    Grant,
    Outcome,
    Rejected,
)
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import Instant, KeyId, RequestId, WorkspaceId
from astrolabe_core.usage import UsageRecord

USAGE = UsageRecord(
    request=RequestId("req_1"),
    workspace=WorkspaceId("ws_1"),
    key=KeyId("key_1"),
    at=Instant(0),
    surface="chat",
    stream=False,
    model="auto",
)


@pytest.mark.parametrize("command", get_args(Command))
def test_every_command_names_its_workspace_and_its_instant(command: type) -> None:
    assert {"workspace", "at"} <= set(fields_dict(command))


def test_every_command_that_moves_money_has_an_identity() -> None:
    without = [
        command for command in get_args(Command) if not {"hold", "id"} & set(fields_dict(command))
    ]
    assert without == [Count]


def test_every_outcome_is_a_value_and_no_exception() -> None:
    assert all(has(outcome) for outcome in get_args(Outcome))
    assert not any(issubclass(outcome, BaseException) for outcome in get_args(Outcome))


def test_the_text_of_a_trace_never_appears_in_a_repr() -> None:
    ending = Ending(usage=USAGE, trace='{"text": "secret"}')
    assert "req_1" in repr(ending)
    assert "secret" not in repr(ending)


def test_a_command_cannot_be_moved_once_it_is_given() -> None:
    grant = Grant(id="g", workspace=WorkspaceId("ws_1"), amount=NanoUsd(1), at=Instant(0))
    with pytest.raises(FrozenInstanceError):
        grant.amount = NanoUsd(2)  # type: ignore[misc]


@pytest.mark.parametrize("conflict", Conflict)
def test_conflicts_are_compared_by_what_they_say(conflict: Conflict) -> None:
    assert Rejected(conflict) == Rejected(commands.Conflict(conflict.value))
