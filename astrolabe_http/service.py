"""What can an operator do to workspaces, keys and credit?

The one implementation behind command line, management plane and console. What does not exist is
`Missing`, what cannot be is `Unfit`: values, not exceptions. A key's secret is in `NewKey` and
nowhere else, once.
"""

from attrs import evolve, field, frozen

from astrolabe_core import ledger
from astrolabe_core.accounts import (
    RATE_LIMIT_DEFAULT,
    Key,
    KeyStatus,
    Workspace,
    WorkspaceStatus,
)
from astrolabe_core.money import NanoUsd, usd_text
from astrolabe_core.ports import Clock, Store
from astrolabe_core.stacks import Boundaries, Budget
from astrolabe_core.units import Instant, KeyId, RequestId, StackSlug, WorkspaceId
from astrolabe_http.ids import Ids
from astrolabe_http.keys import KeyMode, display_prefix, hash_key, last_four, make_key

NAME_CHARACTERS_MAX = 200


@frozen
class Missing:
    """There is no such thing."""

    message: str


@frozen
class Unfit:
    """What was asked cannot be; the message says why and what would do."""

    message: str


@frozen(kw_only=True)
class NewKey:
    """A key that was just made; `secret` is shown once and kept nowhere."""

    key: Key
    secret: str = field(repr=False)


@frozen(kw_only=True)
class KeyTerms:
    """What a new key may do."""

    name: str = ""
    stack: StackSlug | None = None
    rate_limit: int = RATE_LIMIT_DEFAULT
    envelope: Boundaries | None = None
    budget: Budget | None = None
    allowed_stacks: frozenset[str] | None = None
    expires_at: Instant | None = None


@frozen(kw_only=True)
class Service:
    """Operations on the accounts of one store. Raises `StorageUnavailable` as the store does."""

    store: Store
    clock: Clock
    ids: Ids
    secret_key: str = field(repr=False)
    key_mode: KeyMode = KeyMode.LIVE

    async def create_workspace(
        self, name: str, status: WorkspaceStatus = WorkspaceStatus.ACTIVE
    ) -> Workspace | Unfit:
        """Make a workspace with an empty wallet."""
        unfit = _unfit_name(name)
        if unfit is not None:
            return unfit
        made = Workspace(
            id=self.ids.workspace(), name=name.strip(), status=status, created_at=self.clock.now()
        )
        await self.store.create_workspace(made)
        return made

    async def workspaces(self) -> tuple[Workspace, ...]:
        """List all workspaces, oldest first."""
        return await self.store.workspaces()

    async def workspace(self, workspace: WorkspaceId) -> Workspace | Missing:
        """Show a workspace."""
        return await self.store.workspace(workspace) or _no_workspace(workspace)

    async def set_status(
        self, workspace: WorkspaceId, status: WorkspaceStatus
    ) -> Workspace | Missing:
        """Activate or suspend a workspace; its next request meets the change."""
        found = await self.store.workspace(workspace)
        if found is None:
            return _no_workspace(workspace)
        changed = evolve(found, status=status)
        await self.store.save_workspace(changed)
        return changed

    async def assign_stack(
        self, workspace: WorkspaceId, stack: StackSlug | None, key: KeyId | None = None
    ) -> Workspace | Key | Missing:
        """Let a stack govern a workspace's requests, or those of one key."""
        if key is not None:
            found_key = await self.store.key(key)
            if found_key is None or found_key.workspace != workspace:
                return _no_key(key)
            changed_key = evolve(found_key, stack=stack)
            await self.store.save_key(changed_key)
            return changed_key
        found = await self.store.workspace(workspace)
        if found is None:
            return _no_workspace(workspace)
        changed = evolve(found, stack=stack)
        await self.store.save_workspace(changed)
        return changed

    async def create_key(
        self, workspace: WorkspaceId, terms: KeyTerms | None = None
    ) -> NewKey | Missing | Unfit:
        """Make a key. Its secret is in the answer and can never be had again."""
        terms = terms or KeyTerms()
        if terms.rate_limit < 1:
            return Unfit("a key needs a rate limit of at least 1 request a minute")
        if len(terms.name) > NAME_CHARACTERS_MAX:
            return Unfit(f"a name has at most {NAME_CHARACTERS_MAX} characters")
        if await self.store.workspace(workspace) is None:
            return _no_workspace(workspace)
        secret = make_key(self.key_mode)
        key = Key(
            id=self.ids.key(),
            workspace=workspace,
            hash=hash_key(self.secret_key, secret),
            prefix=display_prefix(secret),
            last_four=last_four(secret),
            name=terms.name,
            stack=terms.stack,
            allowed_stacks=terms.allowed_stacks,
            envelope=terms.envelope,
            budget=terms.budget,
            rate_limit=terms.rate_limit,
            created_at=self.clock.now(),
            expires_at=terms.expires_at,
        )
        await self.store.create_key(key)
        return NewKey(key=key, secret=secret)

    async def keys(self, workspace: WorkspaceId) -> tuple[Key, ...] | Missing:
        """List a workspace's keys, oldest first."""
        if await self.store.workspace(workspace) is None:
            return _no_workspace(workspace)
        return await self.store.keys(workspace)

    async def revoke_key(self, key: KeyId) -> Key | Missing:
        """End a key for good; its next request meets the change. To repeat it changes nothing."""
        found = await self.store.key(key)
        if found is None:
            return _no_key(key)
        changed = evolve(found, status=KeyStatus.REVOKED)
        await self.store.save_key(changed)
        return changed

    async def grant_credit(
        self, workspace: WorkspaceId, amount: NanoUsd, *, note: str = "", grant: str | None = None
    ) -> ledger.Wallet | Missing | Unfit:
        """Add credit. The same `grant` with the same amount is carried out once."""
        outcome = await self.store.submit(
            ledger.Grant(
                id=grant or self.ids.grant(),
                workspace=workspace,
                amount=amount,
                at=self.clock.now(),
                note=note,
            )
        )
        match outcome:
            case ledger.Granted(wallet=wallet):
                return wallet
            case ledger.Rejected(conflict=ledger.Conflict.UNKNOWN_WORKSPACE):
                return _no_workspace(workspace)
            case ledger.Rejected(conflict=ledger.Conflict.IDENTITY_REUSED):
                return Unfit(f"grant {grant} was made before, with another amount or workspace")
            case _:
                return Unfit(f"{usd_text(amount)} USD cannot be granted: out of range")

    async def balance(self, workspace: WorkspaceId) -> ledger.Wallet | Missing:
        """Show what is available, held and owed."""
        return await self.store.wallet(workspace) or _no_workspace(workspace)

    async def postings(
        self, workspace: WorkspaceId, *, after: int = 0, limit: int = 100
    ) -> tuple[ledger.Posting, ...] | Missing:
        """Show the workspace's journal, from the line after `after`."""
        if await self.store.workspace(workspace) is None:
            return _no_workspace(workspace)
        return await self.store.postings(workspace, after=after, limit=limit)

    async def trace(
        self, request: RequestId, workspace: WorkspaceId | None = None
    ) -> str | Missing:
        """Show a stored trace as JSON text; without a workspace, whosever it is."""
        owners = (
            [each.id for each in await self.store.workspaces()]
            if workspace is None
            else [workspace]
        )
        for owner in owners:
            found = await self.store.trace(owner, request)
            if found is not None:
                return found
        return Missing(f"there is no trace of {request}")

    async def close(self) -> None:
        """Let go of the store."""
        await self.store.close()


def _unfit_name(name: str) -> Unfit | None:
    if not name.strip():
        return Unfit("a workspace needs a name")
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        return Unfit(f"a name has at most {NAME_CHARACTERS_MAX} printable characters")
    return None


def _no_workspace(workspace: WorkspaceId) -> Missing:
    return Missing(f"there is no workspace {workspace}")


def _no_key(key: KeyId) -> Missing:
    return Missing(f"there is no key {key}")
