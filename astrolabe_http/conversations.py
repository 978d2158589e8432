"""How does a request go on from what was kept, and how is its own exchange kept?

Before the flow: what the request names is found among the conversations of the caller's own
workspace, and put before its input, or where the input points at it. Whether that is allowed the
flow decides, by the stack in force. After the flow, and before the caller has the end of the
answer: what may be kept is kept, durably. An answer is paid for by then, so whatever goes wrong in
keeping it, it is delivered.
"""

import logging
from collections.abc import Mapping
from typing import Final, TypeAlias

from attrs import evolve

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.conversations import RESPONSES_MAX, Conversation, TooLong
from astrolabe_core.flow import STORAGE_UNAVAILABLE
from astrolabe_core.messages import Served
from astrolabe_core.ports import Conversations, StorageUnavailable
from astrolabe_core.requests import Continuation, Request
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Flag, Trace
from astrolabe_core.units import ResponseId
from astrolabe_http.wire import Writer
from astrolabe_http.wire.fields import Object
from astrolabe_http.wire.intake import request_of
from astrolabe_http.wire.kept import items_in, keep, output_item, response_with
from astrolabe_http.wire.responses import StreamWriter as KeepableStream
from astrolabe_http.wire.responses_fields import PREVIOUS

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
    return _too_large(bytes_max, PREVIOUS) if isinstance(found, TooLong) else found


async def find_items(
    store: Conversations,
    caller: Caller,
    wanted: Mapping[int, str],
    *,
    bytes_max: int,
    bytes_used: int,
) -> dict[int, object] | Refusal:
    """Find the items that an input points at, by their places; those that are not there are not.

    Whole responses are read for them, of which there may be as many bytes as in a body.
    """
    asked: dict[ResponseId, list[int]] = {}
    for place, item in wanted.items():
        named = response_with(item)
        if named is not None:
            asked.setdefault(named, []).append(place)
    room, found = bytes_max - bytes_used, dict[int, object]()
    for number, (named, places) in enumerate(asked.items()):
        try:
            kept = await store.kept_response(caller.workspace.id, named)
        except StorageUnavailable:
            return STORAGE_UNAVAILABLE
        if kept is None:
            continue
        room -= kept.item_bytes
        if room < 0 or number >= RESPONSES_MAX:
            return _too_large(bytes_max, f"input[{places[0]}]")
        items = {place: output_item(kept, wanted[place]) for place in places}
        found |= {place: item for place, item in items.items() if item is not None}
    return found


def pointing(wanted: Mapping[int, str], found: Mapping[int, object]) -> Continuation | None:
    """Say what an input goes on from by pointing at it: the first that is missing, or else any."""
    missing = [place for place in wanted if place not in found]
    for place in (missing or list(wanted))[:1]:
        return Continuation(id=wanted[place], found=not missing, param=f"input[{place}]")
    return None


def _too_large(bytes_max: int, param: str) -> Refusal:
    return Refusal(
        code=Code.PAYLOAD_TOO_LARGE,
        message=f"with the conversation that it goes on from the body is larger than {bytes_max} "
        "bytes, or the conversation has more responses than are read; begin a new one",
        param=param,
        details={"bytes_max": bytes_max},
    )


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
