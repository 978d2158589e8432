"""Where a conversation is kept it may be gone on from, and nowhere else."""

from __future__ import annotations

import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.conversations import KeptResponse, refuse_continuation
from astrolabe_core.requests import Continuation
from astrolabe_core.stacks import Memory, Stack
from astrolabe_core.units import (
    Instant,
    ModelId,
    ProviderId,
    RequestId,
    ResponseId,
    StackSlug,
    WorkspaceId,
)

KEEPS = Memory(raw_prompt_storage=True, raw_output_storage=True)
FOUND = Continuation(id=ResponseId("resp_1"), found=True)
LOST = Continuation(id=ResponseId("resp_1"))


def stack(memory: Memory) -> Stack:
    return Stack(slug=StackSlug("mine"), name="Mine", memory=memory)


@pytest.mark.parametrize(
    ("memory", "keeps"),
    [
        (Memory(), False),
        (Memory(raw_prompt_storage=True), False),
        (Memory(raw_output_storage=True), False),
        (KEEPS, True),
        # Refused when a stack is read, and safe all the same.
        (
            Memory(raw_prompt_storage=True, raw_output_storage=True, fingerprint_only=True),
            False,
        ),
    ],
)
def test_a_conversation_is_kept_where_both_its_sides_may_be(memory: Memory, *, keeps: bool) -> None:
    assert memory.keeps_conversations is keeps
    assert (refuse_continuation(FOUND, stack(memory)) is None) is keeps


def test_who_goes_on_from_nothing_is_never_refused() -> None:
    assert refuse_continuation(None, stack(Memory())) is None
    assert refuse_continuation(None, stack(KEEPS)) is None


@pytest.mark.parametrize("continues", [FOUND, LOST])
def test_a_stack_that_keeps_nothing_says_what_to_do_and_not_whether_it_was_found(
    continues: Continuation,
) -> None:
    refusal = refuse_continuation(continues, stack(Memory()))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.param) == (Code.UNSUPPORTED_PARAMETER, "previous_response_id")
    assert "send the whole conversation as input" in refusal.message
    assert "rawPromptStorage and rawOutputStorage" in refusal.message


def test_what_was_not_found_is_not_found() -> None:
    refusal = refuse_continuation(LOST, stack(KEEPS))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.param) == (Code.NOT_FOUND, "previous_response_id")
    assert "'resp_1'" in refusal.message


def test_a_kept_response_knows_the_size_of_its_items_and_shows_none_of_them() -> None:
    kept = KeptResponse(
        id=ResponseId("resp_1"),
        workspace=WorkspaceId("ws_1"),
        request=RequestId("req_1"),
        previous=None,
        model=ModelId("acme/one"),
        provider=ProviderId("acme"),
        created_at=Instant(1),
        input_json='["é"]',
        output_json="[]",
        body_json='{"secret": 1}',
    )
    assert kept.item_bytes == 6 + 2
    assert "é" not in repr(kept)
    assert "secret" not in repr(kept)
