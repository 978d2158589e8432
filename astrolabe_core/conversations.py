"""What is kept of a conversation, and may a request go on from it?

A `KeptResponse` is one answered request, word for word, that names the one it went on from; a
conversation is such a chain. They are kept only where the stack's memory allows raw prompts and
raw outputs, and only a request under such a stack may go on from one: what one stack has kept is
no way around another that keeps nothing.
"""

from typing import Final, TypeAlias

from attrs import field, frozen

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Continuation
from astrolabe_core.stacks import Stack
from astrolabe_core.units import (
    Instant,
    ModelId,
    ProviderId,
    RequestId,
    ResponseId,
    WorkspaceId,
)

RESPONSES_MAX: Final = 1_000
"""Responses in one conversation."""


@frozen(kw_only=True)
class KeptResponse:
    """One answered request. The items are JSON arrays, without those of `previous`.

    `body_json` is the response as the caller got it, but for its `output`, which is
    `output_json`.
    """

    id: ResponseId
    workspace: WorkspaceId
    request: RequestId
    previous: ResponseId | None
    model: ModelId
    provider: ProviderId
    created_at: Instant
    input_json: str = field(repr=False)
    output_json: str = field(repr=False)
    body_json: str = field(repr=False)

    @property
    def item_bytes(self) -> int:
        """How many bytes the items are."""
        return len(self.input_json.encode()) + len(self.output_json.encode())


@frozen
class TooLong:
    """The conversation is there, and more than may be put before one request."""


Conversation: TypeAlias = tuple[KeptResponse, ...]
"""A response and all that it goes on from, oldest first; empty where any of them is missing."""


def refuse_continuation(continues: Continuation | None, stack: Stack) -> Refusal | None:
    """Say why a request may not go on from what it names; `None` where it may, or names none."""
    if continues is None:
        return None
    if not stack.memory.keeps_conversations:
        return Refusal(
            code=Code.UNSUPPORTED_PARAMETER,
            message=f"stack {stack.slug} keeps no conversations; send the whole conversation as "
            "input (store: false makes many clients do so), or use a stack whose memory has "
            "rawPromptStorage and rawOutputStorage",
            param=continues.param,
            details={"stack": stack.slug},
        )
    if not continues.found:
        return Refusal(
            code=Code.NOT_FOUND,
            message=f"{continues.id[:80]!r} names nothing that is kept in your workspace: it was "
            "not kept, or a part of it was deleted; send the whole conversation as input",
            param=continues.param,
        )
    return None
