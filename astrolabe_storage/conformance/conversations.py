"""Does a store keep conversations whole, within bounds, and for their own workspace alone?"""

import asyncio
from typing import Any

from attrs import evolve

from astrolabe_core.conversations import RESPONSES_MAX, KeptResponse, TooLong
from astrolabe_core.units import (
    ModelId,
    ProviderId,
    RequestId,
    ResponseId,
    WorkspaceId,
)
from astrolabe_storage.books import AuditedStore
from astrolabe_storage.conformance.facts import Opens, fact, raises, same
from astrolabe_storage.conformance.world import AT, OURS, THEIRS, settle_in
from astrolabe_storage.errors import ConstraintViolated

FIRST, SECOND, THIRD = ResponseId("resp_1"), ResponseId("resp_2"), ResponseId("resp_3")
PLENTY = 1_000_000


def response(identity: str = FIRST, previous: str | None = None, **given: Any) -> KeptResponse:  # noqa: ANN401
    """Describe a kept response. Its items are 20 bytes."""
    described: dict[str, Any] = {
        "id": ResponseId(identity),
        "workspace": OURS,
        "request": RequestId(identity.replace("resp", "req")),
        "previous": None if previous is None else ResponseId(previous),
        "model": ModelId("acme/one"),
        "provider": ProviderId("acme"),
        "created_at": AT,
        "input_json": '["what?"]',
        "output_json": '["this é"]',
        "body_json": f'{{"id":"{identity}","said":"\\u2028"}}',
    }
    return KeptResponse(**{**described, **given})


CHAIN = (response(), response(SECOND, FIRST), response(THIRD, SECOND))


async def keep_chain(store: AuditedStore) -> None:
    """Keep three responses, each going on from the one before."""
    await settle_in(store)
    for one in CHAIN:
        await store.keep_response(one)


class ConversationsSuite(Opens):
    """Kept responses and what they go on from."""

    @fact
    async def test_a_response_is_kept_as_it_was_given(self, store: AuditedStore) -> None:
        """Every field of it, and nobody is found by another id."""
        await keep_chain(store)
        for one in CHAIN:
            same(await store.kept_response(OURS, one.id), one)
        same(await store.kept_response(OURS, ResponseId("resp_4")), None)

    @fact
    async def test_a_conversation_is_what_went_before_oldest_first(
        self, store: AuditedStore
    ) -> None:
        """And not what went on from it: a conversation may be gone on from twice."""
        await keep_chain(store)
        other = response("resp_other", FIRST)
        await store.keep_response(other)
        for last, chain in ((FIRST, CHAIN[:1]), (THIRD, CHAIN), (other.id, (CHAIN[0], other))):
            same(await store.conversation(OURS, last, bytes_max=PLENTY), chain)
        unknown = ResponseId("resp_4")
        same(await store.conversation(OURS, unknown, bytes_max=PLENTY), ())

    @fact
    async def test_another_workspace_sees_no_response(self, store: AuditedStore) -> None:
        """Neither by its id, nor by going on from it, nor to delete it."""
        await keep_chain(store)
        same(await store.kept_response(THEIRS, FIRST), None)
        same(await store.conversation(THEIRS, THIRD, bytes_max=PLENTY), ())
        same(await store.forget_response(THEIRS, FIRST), False)  # noqa: FBT003
        same(await store.kept_response(OURS, FIRST), CHAIN[0])
        stolen = response("resp_stolen", THIRD, workspace=THEIRS)
        await store.keep_response(stolen)
        same(await store.conversation(THEIRS, stolen.id, bytes_max=PLENTY), ())

    @fact
    async def test_what_is_forgotten_is_gone_with_all_that_went_on_from_it(
        self, store: AuditedStore
    ) -> None:
        """A conversation with a gap is none; what went before stays."""
        await keep_chain(store)
        same(await store.forget_response(OURS, SECOND), True)  # noqa: FBT003
        same(await store.forget_response(OURS, SECOND), False)  # noqa: FBT003
        same(await store.kept_response(OURS, SECOND), None)
        same(await store.conversation(OURS, THIRD, bytes_max=PLENTY), ())
        same(await store.conversation(OURS, FIRST, bytes_max=PLENTY), CHAIN[:1])
        same(await store.kept_response(OURS, THIRD), CHAIN[2])

    @fact
    async def test_a_conversation_has_no_more_bytes_than_are_asked_for(
        self, store: AuditedStore
    ) -> None:
        """Its items count, in bytes; what is as large as allowed is not too large."""
        await keep_chain(store)
        same([one.item_bytes for one in CHAIN], [20, 20, 20])
        same(await store.conversation(OURS, THIRD, bytes_max=60), CHAIN)
        for bytes_max in (59, 40, 19, 0):
            same(await store.conversation(OURS, THIRD, bytes_max=bytes_max), TooLong())

    @fact
    async def test_a_conversation_has_no_more_responses_than_are_read(
        self, store: AuditedStore
    ) -> None:
        """`RESPONSES_MAX`, and not one more."""
        await settle_in(store)
        names = [f"resp_{number:04}" for number in range(RESPONSES_MAX + 1)]
        chain = [
            response(name, previous)
            for name, previous in zip(names, [None, *names[:-1]], strict=True)
        ]
        await asyncio.gather(*map(store.keep_response, chain))
        longest = await store.conversation(OURS, chain[-2].id, bytes_max=PLENTY)
        same(longest, tuple(chain[:-1]))
        same(await store.conversation(OURS, chain[-1].id, bytes_max=PLENTY), TooLong())

    @fact
    async def test_an_id_is_kept_once_and_for_a_workspace_that_there_is(
        self, store: AuditedStore
    ) -> None:
        """Nobody writes over a response, be it in another workspace."""
        await keep_chain(store)
        await raises(store.keep_response(CHAIN[0]), ConstraintViolated)
        await raises(store.keep_response(evolve(CHAIN[0], workspace=THEIRS)), ConstraintViolated)
        nobody = response("resp_4", workspace=WorkspaceId("ws_none"))
        await raises(store.keep_response(nobody), ConstraintViolated)
        same(await store.conversation(OURS, THIRD, bytes_max=PLENTY), CHAIN)
