"""How do records become rows, and rows records again?

Shared by every SQL backend: the order of columns here is the order in their statements. Enums
travel as their words, flags as 0 and 1, documents as the codec's JSON. A document that cannot
be read is `StorageUnavailable`: an envelope that is not understood must not count as none.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

from astrolabe_core.accounts import Key, KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.budgets import Counter, CounterId, Measure, Scope
from astrolabe_core.codec import (
    Invalid,
    boundaries_from_json,
    boundaries_to_json,
    budget_from_json,
    budget_to_json,
    stack_version_from_json,
    stack_version_to_json,
)
from astrolabe_core.codes import Unbillable
from astrolabe_core.conversations import KeptResponse
from astrolabe_core.ledger import (
    GrantRow,
    Hold,
    HoldState,
    House,
    Posting,
    PostingKind,
    Wallet,
)
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.stacks import Boundaries, Budget, StackVersion
from astrolabe_core.units import Window, WorkspaceId

Row: TypeAlias = tuple[Any, ...]

T = TypeVar("T")

WORKSPACE_COLUMNS: Final = "id, name, status, stack, envelope_json, budget_json, created_at"
KEY_COLUMNS: Final = (
    "id, workspace, hash, prefix, last_four, name, status, stack, allowed_stacks_json,"
    " envelope_json, budget_json, rate_limit, created_at, expires_at"
)
STACK_COLUMNS: Final = "workspace, slug, version, status, document_json"
WALLET_COLUMNS: Final = "workspace, available, held, debt, sequence"
HOLD_COLUMNS: Final = (
    "id, workspace, key, request, amount, opened_at, node, counters_json, state, charged,"
    " reason, closed_at"
)
POSTING_COLUMNS: Final = (
    "workspace, sequence, kind, reference, at, available, held, debt, house, house_account, note"
)
GRANT_COLUMNS: Final = "id, workspace, amount"
COUNTER_COLUMNS: Final = "owner, scope, measure, span, start, used, held, warned"
RESPONSE_COLUMNS: Final = (
    "id, workspace, previous, item_bytes, request, model, provider, created_at, input_json,"
    " output_json, body_json"
)

# ---------------------------------------------------------------------- accounts


def workspace_row(workspace: Workspace) -> Row:
    """Write a workspace."""
    return (
        workspace.id,
        workspace.name,
        workspace.status.value,
        workspace.stack,
        optional(boundaries_to_json, workspace.envelope),
        optional(budget_to_json, workspace.budget),
        workspace.created_at,
    )


def read_workspace(row: Row) -> Workspace:
    """Read a workspace."""
    identity, name, status, stack, envelope, budget, created_at = row
    return Workspace(
        id=identity,
        name=name,
        status=WorkspaceStatus(status),
        stack=stack,
        envelope=optional(_envelope, envelope),
        budget=optional(_budget, budget),
        created_at=created_at,
    )


def key_row(key: Key) -> Row:
    """Write a key."""
    return (
        key.id,
        key.workspace,
        key.hash,
        key.prefix,
        key.last_four,
        key.name,
        key.status.value,
        key.stack,
        None if key.allowed_stacks is None else _json(sorted(key.allowed_stacks)),
        optional(boundaries_to_json, key.envelope),
        optional(budget_to_json, key.budget),
        key.rate_limit,
        key.created_at,
        key.expires_at,
    )


def read_key(row: Row) -> Key:
    """Read a key."""
    (identity, workspace, digest, prefix, last_four, name, status, stack, *rest) = row
    allowed, envelope, budget, rate_limit, created_at, expires_at = rest
    return Key(
        id=identity,
        workspace=workspace,
        hash=digest,
        prefix=prefix,
        last_four=last_four,
        name=name,
        status=KeyStatus(status),
        stack=stack,
        allowed_stacks=None if allowed is None else frozenset(json.loads(allowed)),
        envelope=optional(_envelope, envelope),
        budget=optional(_budget, budget),
        rate_limit=rate_limit,
        created_at=created_at,
        expires_at=expires_at,
    )


def stack_row(workspace: WorkspaceId, version: StackVersion) -> Row:
    """Write a version of a workspace's own stack."""
    return (
        workspace,
        version.stack.slug,
        version.version,
        version.status.value,
        stack_version_to_json(version),
    )


@lru_cache(maxsize=4_096)
def read_stack_document(text: str) -> StackVersion:
    """Read a stack version's document; the same text is decoded once."""
    return _understood(stack_version_from_json(text), "stack")


@lru_cache(maxsize=4_096)
def _envelope(text: str) -> Boundaries:
    return _understood(boundaries_from_json(text), "envelope")


@lru_cache(maxsize=4_096)
def _budget(text: str) -> Budget:
    return _understood(budget_from_json(text), "budget")


def _understood(read: T | Invalid, what: str) -> T:
    if isinstance(read, Invalid):
        first = read.findings[0]
        raise StorageUnavailable(f"a stored {what} cannot be read: {first.path} {first.message}")
    return read


# ---------------------------------------------------------------------- ledger


def wallet_row(wallet: Wallet) -> Row:
    """Write a wallet."""
    return (wallet.workspace, wallet.available, wallet.held, wallet.debt, wallet.sequence)


def read_wallet(row: Row) -> Wallet:
    """Read a wallet."""
    workspace, available, held, debt, sequence = row
    return Wallet(workspace=workspace, available=available, held=held, debt=debt, sequence=sequence)


def hold_row(hold: Hold) -> Row:
    """Write a hold."""
    return (
        hold.id,
        hold.workspace,
        hold.key,
        hold.request,
        hold.amount,
        hold.opened_at,
        hold.node,
        _counters_text(hold.counters),
        hold.state.value,
        hold.charged,
        None if hold.reason is None else hold.reason.value,
        hold.closed_at,
    )


def read_hold(row: Row) -> Hold:
    """Read a hold."""
    identity, workspace, key, request, amount, opened_at, node, counters, *end = row
    state, charged, reason, closed_at = end
    return Hold(
        id=identity,
        workspace=workspace,
        key=key,
        request=request,
        amount=amount,
        opened_at=opened_at,
        node=node,
        counters=_read_counters(counters),
        state=HoldState(state),
        charged=charged,
        reason=optional(Unbillable, reason),
        closed_at=closed_at,
    )


@lru_cache(maxsize=16_384)
def _counters_text(counters: tuple[CounterId, ...]) -> str:
    return _json([counter_key(counter) for counter in counters])


@lru_cache(maxsize=16_384)
def _read_counters(text: str) -> tuple[CounterId, ...]:
    return tuple(read_counter_id(tuple(key)) for key in json.loads(text))


def posting_row(posting: Posting) -> Row:
    """Write a posting."""
    return (
        posting.workspace,
        posting.sequence,
        posting.kind.value,
        posting.reference,
        posting.at,
        posting.available,
        posting.held,
        posting.debt,
        posting.house,
        posting.house_account.value,
        posting.note,
    )


def read_posting(row: Row) -> Posting:
    """Read a posting."""
    workspace, sequence, kind, reference, at, *entries, account, note = row
    available, held, debt, house = entries
    return Posting(
        workspace=workspace,
        sequence=sequence,
        kind=PostingKind(kind),
        reference=reference,
        at=at,
        available=available,
        held=held,
        debt=debt,
        house=house,
        house_account=House(account),
        note=note,
    )


def grant_row(grant: GrantRow) -> Row:
    """Write a grant."""
    return (grant.id, grant.workspace, grant.amount)


def read_grant(row: Row) -> GrantRow:
    """Read a grant."""
    identity, workspace, amount = row
    return GrantRow(id=identity, workspace=workspace, amount=amount)


def counter_key(counter: CounterId) -> Row:
    """Write a counter's identity."""
    return (
        counter.owner,
        counter.scope.value,
        counter.measure.value,
        counter.window.value,
        counter.start,
    )


def read_counter_id(row: Row) -> CounterId:
    """Read a counter's identity."""
    owner, scope, measure, window, start = row
    return CounterId(Scope(scope), owner, Measure(measure), Window(window), start)


def counter_row(counter: Counter) -> Row:
    """Write a counter."""
    return (*counter_key(counter.id), counter.used, counter.held, int(counter.warned))


def read_counter(row: Row) -> Counter:
    """Read a counter."""
    *identity, used, held, warned = row
    return Counter(read_counter_id(tuple(identity)), used, held, bool(warned))


# ---------------------------------------------------------------------- conversations


def response_row(response: KeptResponse) -> Row:
    """Write a kept response."""
    return (
        response.id,
        response.workspace,
        response.previous,
        response.item_bytes,
        response.request,
        response.model,
        response.provider,
        response.created_at,
        response.input_json,
        response.output_json,
        response.body_json,
    )


def read_response(row: Row) -> KeptResponse:
    """Read a kept response."""
    identity, workspace, previous, _, request, model, provider, created_at, *texts = row
    input_json, output_json, body_json = texts
    return KeptResponse(
        id=identity,
        workspace=workspace,
        previous=previous,
        request=request,
        model=model,
        provider=provider,
        created_at=created_at,
        input_json=input_json,
        output_json=output_json,
        body_json=body_json,
    )


S = TypeVar("S")


def optional(convert: Callable[[S], T], value: S | None) -> T | None:
    """Convert what is there."""
    return None if value is None else convert(value)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
