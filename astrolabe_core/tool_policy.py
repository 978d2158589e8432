"""Which tool calls of an answer may reach the caller, and which need somebody's word first?

A call is labelled by what it may do: as its caller declared the tool, else as its name tells, and
always with what its arguments plainly show; they can only accuse. The profile in force is the
narrowest of the request's and of every layer's boundaries. `TABLE` says what follows: each label
by itself, and of several the strictest counts. Somebody's word turns what needs it into what is
allowed, and never what is blocked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

from astrolabe_core.answers import ToolCall
from astrolabe_core.codes import Code, Json, Refusal
from astrolabe_core.requests import Request, ToolLabel
from astrolabe_core.resolve import Layer
from astrolabe_core.stacks import ToolProfile
from astrolabe_core.tool_arguments import (
    CHARACTERS_MAX,
    Arguments,
    labels_of_arguments,
    read_arguments,
)
from astrolabe_core.tool_names import labels_of_name, seeks_words
from astrolabe_core.units import Digest, Instant, Millis, WorkspaceId

CONFIRMATION_MS: Final = Millis(600_000)
"""How long somebody's word for a call holds, from when the call was refused."""
NAME_SHOWN_CHARACTERS_MAX: Final = 128


class Permission(StrEnum):
    """What follows for a call, most lenient first."""

    ALLOWED = "allowed"
    CONFIRMATION_REQUIRED = "confirmation_required"
    BLOCKED = "blocked"


class Reach(StrEnum):
    """How far a label goes: it looks within the house, it looks outside, it changes something."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    EFFECT = "effect"


REACH: Final[Mapping[ToolLabel, Reach]] = {
    ToolLabel.READ: Reach.INSIDE,
    ToolLabel.SEARCH: Reach.INSIDE,
    ToolLabel.BROWSE: Reach.OUTSIDE,
    ToolLabel.WRITE: Reach.EFFECT,
    ToolLabel.DELETE: Reach.EFFECT,
    ToolLabel.EXECUTE: Reach.EFFECT,
    ToolLabel.SEND: Reach.EFFECT,
    ToolLabel.PAY: Reach.EFFECT,
    ToolLabel.DELEGATE: Reach.EFFECT,
    ToolLabel.ADMIN: Reach.EFFECT,
    ToolLabel.UNKNOWN: Reach.EFFECT,
}
EFFECTS: Final = frozenset(label for label, reach in REACH.items() if reach is Reach.EFFECT)
"""Labels of calls that change something, or may."""


@frozen(kw_only=True)
class Terms:
    """What is in force for the tool calls of one request."""

    profile: ToolProfile = ToolProfile.DEFAULT
    approval_required: bool = False
    untrusted_content: bool = False


_A, _C, _B = Permission.ALLOWED, Permission.CONFIRMATION_REQUIRED, Permission.BLOCKED

TABLE: Final[Mapping[tuple[ToolProfile, bool, bool], Mapping[Reach, Permission]]] = {
    key: dict(zip(Reach, permissions, strict=True))
    for key, permissions in {
        # profile, approval required, untrusted content: inside, outside, effect
        (ToolProfile.DEFAULT, False, False): (_A, _A, _A),
        (ToolProfile.DEFAULT, True, False): (_A, _A, _C),
        (ToolProfile.DEFAULT, False, True): (_A, _C, _C),
        (ToolProfile.DEFAULT, True, True): (_A, _C, _C),
        (ToolProfile.READ_ONLY, False, False): (_A, _A, _B),
        (ToolProfile.READ_ONLY, True, False): (_A, _A, _B),
        (ToolProfile.READ_ONLY, False, True): (_A, _B, _B),
        (ToolProfile.READ_ONLY, True, True): (_A, _B, _B),
        (ToolProfile.BLOCKED, False, False): (_B, _B, _B),
        (ToolProfile.BLOCKED, True, False): (_B, _B, _B),
        (ToolProfile.BLOCKED, False, True): (_B, _B, _B),
        (ToolProfile.BLOCKED, True, True): (_B, _B, _B),
    }.items()
}
_STRICTNESS: Final = {permission: place for place, permission in enumerate(Permission)}
_NARROWNESS: Final = {profile: place for place, profile in enumerate(ToolProfile)}


@frozen(kw_only=True)
class CallRuling:
    """What follows for one call, by what it may do. Holds no arguments: a trace shows it."""

    tool: str
    labels: tuple[ToolLabel, ...]
    permission: Permission
    call: Digest
    confirmed: bool = False


# --- what is in force ---------------------------------------------------------------------
def terms_for(request: Request, layers: Sequence[Layer]) -> Terms:
    """Give the terms of a request: the narrowest profile that anybody set, and what it says."""
    overrides = request.overrides
    profiles = (overrides.tool_profile, *(layer.boundaries.tool_profile for layer in layers))
    return Terms(
        profile=max(profiles, key=lambda profile: _NARROWNESS[profile]),
        approval_required=overrides.approval_required,
        untrusted_content=overrides.untrusted_content,
    )


def permit(labels: Sequence[ToolLabel], terms: Terms) -> Permission:
    """Look up what the labels of a call may do; of several the strictest answer counts."""
    row = TABLE[terms.profile, terms.approval_required, terms.untrusted_content]
    return max((row[REACH[label]] for label in labels), key=lambda found: _STRICTNESS[found])


def may_stop(request: Request, layers: Sequence[Layer]) -> bool:
    """Whether the rules in force could stop any call: else a stream need not hold calls back."""
    return terms_for(request, layers) != _FREE


_FREE: Final = Terms()


# --- judging ------------------------------------------------------------------------------
def judge_calls(
    calls: Sequence[ToolCall],
    request: Request,
    layers: Sequence[Layer],
    workspace: WorkspaceId,
    at: Instant,
) -> tuple[CallRuling, ...]:
    """Judge every call of an answer, in order."""
    terms = terms_for(request, layers)
    declared = dict(request.overrides.tool_capabilities)
    words = {
        given.call
        for given in request.confirmations
        if given.workspace == workspace and at < given.expires_at
    }
    made: list[CallRuling] = []
    for call, shown in zip(calls, _shown(calls), strict=True):
        arguments = read_arguments(call.arguments, characters_max=len(call.arguments) * shown)
        labels = label_call(call.name, arguments, declared.get(call.name, ()))
        permission, digest = permit(labels, terms), digest_call(call.name, arguments)
        confirmed = permission is Permission.CONFIRMATION_REQUIRED and digest in words
        if confirmed:
            permission = Permission.ALLOWED
        elif permission is Permission.CONFIRMATION_REQUIRED and not shown:
            # Nobody can vouch for what cannot be shown.
            permission = Permission.BLOCKED
        made.append(
            CallRuling(
                tool=call.name[:NAME_SHOWN_CHARACTERS_MAX],
                labels=labels,
                permission=permission,
                call=digest,
                confirmed=confirmed,
            )
        )
    return tuple(made)


def label_call(
    name: str, arguments: Arguments, declared: Sequence[ToolLabel]
) -> tuple[ToolLabel, ...]:
    """Tell what a call may do; never empty, in the order of the vocabulary."""
    known = frozenset(declared) or labels_of_name(name)
    told = labels_of_arguments(arguments, known, seeks=seeks_words(name))
    found = known | told
    return tuple(label for label in ToolLabel if label in found)


def digest_call(name: str, arguments: Arguments) -> Digest:
    """Name a call by its tool and its arguments, however their JSON is laid out."""
    told = f"{len(name)}:{name}:{arguments.canonical}"
    return Digest(hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest())


def _shown(calls: Sequence[ToolCall]) -> list[bool]:
    """Tell which calls are read, and shown to whoever is to confirm them: the first, all in all."""
    left, found = CHARACTERS_MAX, []
    for call in calls:
        left -= len(call.name) + len(call.arguments)
        found.append(left >= 0)
    return found


# --- refusing -----------------------------------------------------------------------------
def refuse_calls(
    rulings: Sequence[CallRuling], calls: Sequence[ToolCall], at: Instant
) -> Refusal | None:
    """Say which calls are blocked, else which need a confirmation; `None` where all may pass.

    `expires_at` is in seconds since 1970. Whoever holds the server's secret adds `confirmation`.
    """
    found = {ruling.permission for ruling in rulings}
    if found <= {Permission.ALLOWED}:
        return None
    blocked = Permission.BLOCKED in found
    shown = _shown(calls)
    expires_at = None if blocked else (at + CONFIRMATION_MS) // 1_000
    told = tuple(
        _call_json(ruling, call.arguments if known else None, expires_at)
        for ruling, call, known in zip(rulings, calls, shown, strict=True)
        if ruling.permission is not Permission.ALLOWED
    )
    gravest = Permission.BLOCKED if blocked else Permission.CONFIRMATION_REQUIRED
    named = [
        f"{ruling.tool[:64]!r} ({', '.join(ruling.labels)})"
        for ruling in rulings
        if ruling.permission is gravest
    ]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return Refusal(
        code=_CODES[gravest],
        message=f"the model called {', '.join(named[:3])}{more}, {_NEXT[gravest]}",
        details={"calls": told},
    )


_CODES: Final = {
    Permission.BLOCKED: Code.TOOL_CALL_BLOCKED,
    Permission.CONFIRMATION_REQUIRED: Code.TOOL_CALL_CONFIRMATION_REQUIRED,
}
_NEXT: Final = {
    Permission.BLOCKED: (
        "which the tool policy in force blocks; nothing was charged; offer other tools, declare in "
        "metadata.astrolabe.tool_capabilities what they may do, or widen the tool profile where "
        "request, stack, workspace or key narrow it; calls whose arguments are null in details are "
        "too long to be confirmed"
    ),
    Permission.CONFIRMATION_REQUIRED: (
        "which needs somebody's word first; nothing was charged; have a person look at the calls "
        "in details, and send the request again before they expire, with their confirmations in "
        "metadata.astrolabe.tool_confirmations"
    ),
}


def _call_json(ruling: CallRuling, arguments: str | None, expires_at: int | None) -> Json:
    return {
        "tool": ruling.tool,
        "labels": tuple(label.value for label in ruling.labels),
        "permission": ruling.permission.value,
        "arguments": arguments,
        "digest": ruling.call,
        "expires_at": expires_at,
    }
