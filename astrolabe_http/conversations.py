"""How does a request go on from what was kept, and how is its own exchange kept?

Before the flow: what the request names is found among the conversations of the caller's own
workspace, and put before its input. Whether that is allowed the flow decides, by the stack in
force. After the flow, and before the caller has the end of the answer: what may be kept is kept,
durably. An answer is paid for by then, so whatever goes wrong in keeping it, it is delivered.
"""

import logging
from typing import Final, TypeAlias

from attrs import evolve

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.conversations import PARAM, Conversation, TooLong
from astrolabe_core.flow import STORAGE_UNAVAILABLE
from astrolabe_core.messages import Served
from astrolabe_core.ports import Conversations, StorageUnavailable
from astrolabe_core.requests import Request
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Flag, Trace
from astrolabe_core.units import ResponseId
from astrolabe_http.wire import Writer
from astrolabe_http.wire.fields import Object
from astrolabe_http.wire.intake import request_of
from astrolabe_http.wire.kept import items_in, keep
from astrolabe_http.wire.responses import StreamWriter as KeepableStream

_LOGGER: Final = logging.getLogger("astrolabe")

Earlier: TypeAlias = Conversation | Refusal
"""What a request goes on from: nothing where that is not there."""


async def find_earlier(
    store: Conversations, caller: Caller, named: ResponseId, *, bytes_max: int, bytes_used: int
) -> Earlier:
    """Find what a request goes on from. With its own body it may be as large as one sent whole."""
    room = max(0, bytes_max - bytes_used)
    try:
        found = await store.conversation(caller.workspace.id, named, bytes_max=room)
    except StorageUnavailable:
        return STORAGE_UNAVAILABLE
    if isinstance(found, TooLong):
        return Refusal(
            code=Code.PAYLOAD_TOO_LARGE,
            message=f"with the conversation before it the body is larger than {bytes_max} bytes, "
            "or the conversation has more responses than are read; begin a new one",
            param=PARAM,
            details={"bytes_max": bytes_max},
        )
    return found


def may_keep(trace: Trace) -> bool:
    """Whether caller and stack let an exchange be kept."""
    request, stack = trace.arrival, trace.stack
    return (
        isinstance(request, Request)
        and request.storable
        and stack is not None
        and stack.memory.keeps_conversations
    )


def announce_keeping(writer: Writer, trace: Trace) -> None:
    """Have a stream say from its beginning whether it will be kept."""
    if isinstance(writer, KeepableStream):
        writer.stored = may_keep(trace)


async def keep_answer(
    store: Conversations, served: Served, body: Object, answer: dict[str, object]
) -> Trace:
    """Keep a whole answer where it may be kept, and say in it whether it is."""
    if not may_keep(served.trace):
        return served.trace
    answer["store"] = True
    trace = await _keep(store, served, body, answer)
    answer["store"] = trace is served.trace
    return trace


async def keep_stream(store: Conversations, served: Served, body: Object, writer: Writer) -> Trace:
    """Keep a streamed answer where it may be kept, before its last event says whether it is."""
    if not isinstance(writer, KeepableStream) or not may_keep(served.trace):
        return served.trace
    trace = await _keep(store, served, body, writer.conclude(served))
    writer.stored = trace is served.trace
    return trace


async def _keep(store: Conversations, served: Served, body: Object, answer: Object) -> Trace:
    """Keep an exchange as the caller has it; where that fails the trace says so."""
    trace, request = served.trace, request_of(served.trace.arrival)
    try:
        await store.keep_response(keep(served, request, items_in(body), answer))
    except Exception as fault:  # noqa: BLE001 - the answer is paid for, and is delivered
        # Without the words of the exception: they may quote a prompt.
        _LOGGER.error("%s: the response was not kept: %s", request.id, type(fault).__name__)  # noqa: TRY400
        return evolve(trace, flags=(*trace.flags, Flag.RESPONSE_NOT_KEPT))
    return trace
