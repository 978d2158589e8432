"""Does a store know its workspaces, keys and stacks, as they stand now?"""

from typing import Final

from astrolabe_core.accounts import Key, KeyStatus, Workspace, WorkspaceStatus
from astrolabe_core.money import NanoUsd
from astrolabe_core.requests import StackRef
from astrolabe_core.snapshot import Caller
from astrolabe_core.stacks import Boundaries, Budget, DataRule, VersionStatus
from astrolabe_core.units import Instant, KeyId, StackSlug, WorkspaceId
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.facts import Opens, fact, is_a, raises, same, true
from astrolabe_storage.conformance.world import (
    AT,
    KEY,
    OURS,
    THEIRS,
    count,
    key,
    reserve,
    settle_in,
    stack_version,
    workspace,
)

ENVELOPE: Final = Boundaries(
    allowed_providers=frozenset({"openai", "mistralai"}),
    blocked_models=frozenset({"openai/*"}),
    data_policy=DataRule.NO_TRAINING,
)
BUDGET: Final = Budget(monthly_usd=NanoUsd(5_000_000_000), warn_percent=70)


def full_workspace() -> Workspace:
    """Describe a workspace with everything that one can have."""
    return workspace(
        stack=StackSlug("mine"), envelope=ENVELOPE, budget=BUDGET, created_at=Instant(5)
    )


def full_key() -> Key:
    """Describe a key with everything that one can have."""
    return key(
        name="é\u2028",
        stack=StackSlug("keys"),
        allowed_stacks=frozenset({"mine", "keys"}),
        envelope=ENVELOPE,
        budget=BUDGET,
        rate_limit=7,
        created_at=Instant(6),
        expires_at=Instant(9),
    )


class AccountsSuite(Opens):
    """Who calls, and what they may."""

    @fact
    async def test_records_come_back_as_they_were_given(self, store: AuditedStore) -> None:
        """Every field of workspace and key."""
        await store.create_workspace(full_workspace())
        await store.create_key(full_key())
        same(await store.workspace(OURS), full_workspace())
        same(await store.key(KEY), full_key())
        caller = is_a(await store.caller(full_key().hash, AT, None), Caller)
        same((caller.workspace, caller.key), (full_workspace(), full_key()))

    @fact
    async def test_an_unknown_hash_is_nobody(self, store: AuditedStore) -> None:
        """Nor are its beginnings anybody."""
        await settle_in(store)
        same(await store.caller("hash of nobody", AT, None), None)
        same(await store.caller(key().hash[:-1], AT, None), None)

    @fact
    async def test_a_caller_shows_balance_and_minute(self, store: AuditedStore) -> None:
        """As they stand when asked."""
        await settle_in(store)
        await store.submit(reserve("h1", 300))
        await store.submit(count())
        caller = is_a(await store.caller(key().hash, AT, None), Caller)
        same((caller.available, caller.requests_used, caller.stacks), (700, 2, ()))
        later = is_a(await store.caller(key().hash, Instant(AT + 60_000), None), Caller)
        same(later.requests_used, 0)

    @fact
    async def test_who_was_revoked_or_suspended_is_shown_so(self, store: AuditedStore) -> None:
        """On the next call: policy refuses them, and not the store."""
        await settle_in(store)
        # Whoever was seen once must be looked at again: a cache would pass without this.
        is_a(await store.caller(key().hash, AT, None), Caller)
        await store.save_key(key(status=KeyStatus.REVOKED))
        await store.save_workspace(workspace(status=WorkspaceStatus.SUSPENDED))
        caller = is_a(await store.caller(key().hash, AT, None), Caller)
        same(caller.key.status, KeyStatus.REVOKED)
        same(caller.workspace.status, WorkspaceStatus.SUSPENDED)

    @fact
    async def test_a_key_may_have_another_hash(self, store: AuditedStore) -> None:
        """Then the old one is nobody's."""
        await settle_in(store)
        is_a(await store.caller(key().hash, AT, None), Caller)
        rotated = Key(id=KEY, workspace=OURS, hash="new", prefix="p", last_four="four")
        true(await store.save_key(rotated), "a key there can be replaced")
        same(await store.caller(key().hash, AT, None), None)
        same(is_a(await store.caller("new", AT, None), Caller).key, rotated)

    @fact
    async def test_only_what_is_there_can_be_replaced(self, store: AuditedStore) -> None:
        """And nothing is made by replacing."""
        await settle_in(store)
        true(not await store.save_workspace(workspace("ws_none")), "there is none to replace")
        true(not await store.save_key(key("key_none")), "there is none to replace")
        same(await store.workspace(WorkspaceId("ws_none")), None)
        same(await store.key(KeyId("key_none")), None)
        true(await store.save_workspace(full_workspace()), "it can be replaced")
        same(await store.workspace(OURS), full_workspace())

    @fact
    async def test_identities_are_taken_once(self, store: AuditedStore) -> None:
        """A second workspace or key of the same id or hash is a bug, and said to be one."""
        await settle_in(store)
        await raises(store.create_workspace(full_workspace()), Exception)
        await raises(store.create_key(key()), Exception)
        same_hash = Key(id=KeyId("other"), workspace=OURS, hash=key().hash, prefix="", last_four="")
        await raises(store.create_key(same_hash), Exception)
        await raises(store.create_key(key("other", "ws_none")), Exception)
        same(await store.workspace(OURS), workspace())
        same(await store.keys(OURS), (key(),))

    @fact
    async def test_lists_are_oldest_first(self, store: AuditedStore) -> None:
        """Workspaces, and the keys of one."""
        for identity, created_at in (("ws_b", 2), ("ws_a", 2), ("ws_c", 1)):
            await store.create_workspace(workspace(identity, created_at=Instant(created_at)))
        for identity, created_at in (("key_b", 2), ("key_a", 2), ("key_c", 1)):
            await store.create_key(key(identity, "ws_a", created_at=Instant(created_at)))
        same([one.id for one in await store.workspaces()], ["ws_c", "ws_a", "ws_b"])
        listed = await store.keys(WorkspaceId("ws_a"))
        same([one.id for one in listed], ["key_c", "key_a", "key_b"])
        same(await store.keys(WorkspaceId("ws_b")), ())

    @fact
    async def test_a_version_of_a_stack_is_published_once(self, store: AuditedStore) -> None:
        """The first stays; another number, slug or workspace is another."""
        await settle_in(store)
        first = stack_version("mine", 1, note="first")
        again = stack_version("mine", 1, note="again")
        true(await store.publish_stack(OURS, first), "the number is free")
        true(not await store.publish_stack(OURS, again), "the number is taken")
        true(await store.publish_stack(OURS, stack_version("mine", 2)), "another number is free")
        true(await store.publish_stack(OURS, stack_version("other", 1)), "another slug is free")
        true(await store.publish_stack(THEIRS, again), "another workspace's is free")
        caller = await store.caller(key().hash, AT, StackRef(slug=StackSlug("mine"), version=1))
        same(is_a(caller, Caller).stacks, (first,))

    @fact
    async def test_a_caller_brings_the_stacks_that_may_govern(self, store: AuditedStore) -> None:
        """The one asked for, the key's and the workspace's: the newest active, or the pinned."""
        await settle_in(store)
        await store.save_workspace(workspace(stack=StackSlug("house")))
        await store.save_key(key(stack=StackSlug("keys")))
        versions = {
            (slug, number): stack_version(slug, number)
            for slug in ("house", "keys", "asked", "idle")
            for number in (1, 2, 10)
        }
        archived = stack_version("asked", 11, status=VersionStatus.ARCHIVED)
        for version in (*versions.values(), archived):
            await store.publish_stack(OURS, version)
        await store.publish_stack(THEIRS, stack_version("theirs", 1))
        governing = [("house", 10), ("keys", 10)]
        for slug, number, brought in (
            ("asked", None, [("asked", 10)]),
            ("asked", 2, [("asked", 2)]),
            ("asked", 11, [("asked", 11)]),
            ("asked", 9, []),
            ("keys", 1, [("keys", 1)]),
            ("keys", None, []),
            ("theirs", None, []),
            (None, None, []),
        ):
            asked = None if slug is None else StackRef(slug=StackSlug(slug), version=number)
            caller = is_a(await store.caller(key().hash, AT, asked), Caller)
            found = sorted((version.stack.slug, version.version) for version in caller.stacks)
            same(found, sorted([*governing, *brought]), f"stacks for {asked}")

    @fact
    async def test_a_stack_without_active_version_is_brought_archived(
        self, store: AuditedStore
    ) -> None:
        """So that policy can say why it does not govern."""
        await settle_in(store)
        archived = stack_version("gone", 4, status=VersionStatus.ARCHIVED)
        await store.publish_stack(OURS, archived)
        caller = await store.caller(key().hash, AT, StackRef(slug=StackSlug("gone")))
        same(is_a(caller, Caller).stacks, (archived,))
