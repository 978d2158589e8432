"""Which tool calls of an answer may reach the caller, and which need somebody's word first?

A call is labelled by what it may do: as its caller declared it, else as its name and arguments
tell. The profile in force, untrusted content and an asked-for approval say what follows.
"""

from collections.abc import Sequence
from enum import StrEnum

from attrs import frozen

from astrolabe_core.answers import ToolCall
from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Request
from astrolabe_core.resolve import Layer
from astrolabe_core.units import Digest, Instant, WorkspaceId


class Permission(StrEnum):
    """What follows for a call."""

    ALLOWED = "allowed"
    CONFIRMATION_REQUIRED = "confirmation_required"
    BLOCKED = "blocked"


@frozen(kw_only=True)
class CallRuling:
    """What follows for one call, by what it may do. Holds no arguments: a trace shows it."""

    tool: str
    labels: tuple[str, ...]
    permission: Permission
    call: Digest


def may_stop(request: Request, layers: Sequence[Layer]) -> bool:
    """Whether the rules in force could stop any call: else a stream need not hold calls back."""
    del request, layers
    return False


def judge_calls(
    calls: Sequence[ToolCall],
    request: Request,
    layers: Sequence[Layer],
    workspace: WorkspaceId,
    at: Instant,
) -> tuple[CallRuling, ...]:
    """Judge every call of an answer, in order."""
    del calls, request, layers, workspace, at
    return ()


def refuse_calls(
    rulings: Sequence[CallRuling], calls: Sequence[ToolCall], at: Instant
) -> Refusal | None:
    """Say which calls are blocked, else which need a confirmation; `None` where all may pass."""
    del rulings, calls, at
    return None
