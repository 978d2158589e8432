"""What of a Responses exchange is kept, and how is it shown and gone on from?

Pure. Kept are the items that a request added, the items of its answer, and the answer itself.
To go on from a conversation is to send it whole: its items come before the new ones, and then
the body is read like any other. `instructions` are not carried over, as in OpenAI's API. An item
that only points at one of an answer is that one; whose answer it was its id says.

Listed items have the shape that typed clients ask of them: an id, a status, content in parts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import orjson
from attrs import frozen

from astrolabe_core.codes import Refusal
from astrolabe_core.conversations import Conversation, KeptResponse
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request
from astrolabe_core.units import ResponseId
from astrolabe_http.ids import REQUEST_ID_PATTERN
from astrolabe_http.wire.fields import Object, array_of, described, invalid, object_of, text_of
from astrolabe_http.wire.responses_answer import suffix_of
from astrolabe_http.wire.responses_fields import PREVIOUS

ITEMS_DEFAULT: Final = 20
ITEMS_MAX: Final = 100
REFERENCE: Final = "item_reference"
_OURS: Final = re.compile(f"(?:msg|fc|rs)_({REQUEST_ID_PATTERN.removeprefix('req_')})_[0-9]{{1,6}}")
_NOTHING: Final[Object] = {"type": "message", "role": "assistant", "content": ""}
_DONE: Final = "completed"
_PREFIXES: Final = {"message": "msg", "function_call": "fc", "reasoning": "rs"}
_TEXTS: Final = frozenset({"text", "input_text", "output_text"})


def response_id(request: Request) -> ResponseId:
    """Name the response of a request."""
    return ResponseId(f"resp_{suffix_of(request.id)}")


def items_in(body: Object) -> list[object]:
    """Give the items of a body's `input`; a string is a user's message."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return array_of(given)


def go_on(body: Object, conversation: Conversation) -> dict[str, object]:
    """Put a conversation before a body's own input."""
    return {**body, "input": [*_said(conversation), *items_in(body)]}


def references(body: Object) -> dict[int, str]:
    """Give the items of a body's input that only point at another: where, and at which id."""
    return {
        place: text_of(item.get("id"))
        for place, item in enumerate(map(object_of, array_of(body.get("input"))))
        if item.get("type") == REFERENCE
    }


def response_with(item: str) -> ResponseId | None:
    """Tell from an item's id in which response it stood; `None` where we made no such id."""
    made = _OURS.fullmatch(item)
    return None if made is None else ResponseId(f"resp_{made[1]}")


def output_item(kept: KeptResponse, item: str) -> object | None:
    """Find an item of an answer."""
    output = array_of(orjson.loads(kept.output_json))
    return next((each for each in output if object_of(each).get("id") == item), None)


def refer(body: Object, found: Mapping[int, object]) -> dict[str, object]:
    """Put items where the input only points at them; one that was not found says nothing."""
    wanted = references(body)
    items = [
        found.get(place, _NOTHING) if place in wanted else item
        for place, item in enumerate(array_of(body.get("input")))
    ]
    return {**body, "input": items}


def keep(served: Served, request: Request, items: Sequence[object], answer: Object) -> KeptResponse:
    """Make of an exchange what is kept of it. `answer` is the body that the caller gets."""
    caller, attempt = served.trace.caller, served.trace.served
    if caller is None or attempt is None:
        message = "what was not served cannot be kept"
        raise ValueError(message)
    model = attempt.option.model
    return KeptResponse(
        id=response_id(request),
        workspace=caller.workspace.id,
        request=request.id,
        previous=_previous(request),
        model=model.id,
        provider=model.provider,
        created_at=request.received_at,
        input_json=_written(items),
        output_json=_written(answer["output"]),
        body_json=_written({**answer, "output": None}),
    )


def _previous(request: Request) -> ResponseId | None:
    named = text_of(request.body.get(PREVIOUS))
    return ResponseId(named) if named else None


def show(kept: KeptResponse) -> bytes:
    """Write a response as it was answered."""
    return orjson.dumps({**_read(kept.body_json), "output": orjson.loads(kept.output_json)})


def show_deleted(response: ResponseId) -> bytes:
    """Write that a response is gone."""
    return orjson.dumps({"id": response, "object": "response", "deleted": True})


@frozen(kw_only=True)
class ItemQuery:
    """Which of a response's input items are wanted: so many, behind one, newest first or not."""

    after: str | None = None
    limit: int = ITEMS_DEFAULT
    newest_first: bool = True


def read_item_query(given: Mapping[str, str]) -> ItemQuery | Refusal:
    """Read a query string's fields; those that are not known are let go."""
    order, limit = given.get("order", "desc"), given.get("limit", str(ITEMS_DEFAULT))
    if order not in {"asc", "desc"}:
        return invalid("order", f"order must be asc or desc, not {described(order)}")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= ITEMS_MAX):
        expected = f"limit must be an integer from 1 to {ITEMS_MAX}"
        return invalid("limit", f"{expected}, not {described(limit)}")
    return ItemQuery(
        after=given.get("after") or None, limit=int(limit), newest_first=order == "desc"
    )


def list_items(conversation: Conversation, query: ItemQuery) -> bytes | Refusal:
    """Write a page of what the last response was given: the conversation, and its own input."""
    listed = list(_listed(conversation))
    if query.newest_first:
        listed.reverse()
    first = 0
    if query.after is not None:
        places = [place for place, item in enumerate(listed) if item["id"] == query.after]
        if not places:
            return invalid("after", f"after names no item of this response: {query.after[:80]!r}")
        first = places[0] + 1
    page = listed[first : first + query.limit]
    return orjson.dumps(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else "",
            "last_id": page[-1]["id"] if page else "",
            "has_more": len(listed) > first + query.limit,
        }
    )


def _said(conversation: Conversation) -> Iterator[object]:
    for kept in conversation:
        yield from orjson.loads(kept.input_json)
        yield from orjson.loads(kept.output_json)


def _listed(conversation: Conversation) -> Iterator[dict[str, object]]:
    """Give every item once under an id of its own, so that a page can begin behind any."""
    known: set[str] = set()
    for position, kept in enumerate(conversation, 1):
        given = [("in", item) for item in orjson.loads(kept.input_json)]
        if position < len(conversation):
            given += [("out", item) for item in orjson.loads(kept.output_json)]
        for place, (side, item) in enumerate(given):
            said = object_of(item)
            kind = text_of(said.get("type")) or "message"
            own = text_of(said.get("id"))
            if not own or own in known:
                prefix = _PREFIXES.get(kind, "item")
                own = f"{prefix}_{kept.id.removeprefix('resp_')}_{side}{place}"
            known.add(own)
            yield {**_shaped(said, kind), "id": own}


def _shaped(item: Object, kind: str) -> dict[str, object]:
    status = text_of(item.get("status")) or _DONE
    match kind:
        case "message":
            assistant = item.get("role") == "assistant"
            given = item.get("content")
            parts = [given] if isinstance(given, str) else array_of(given)
            content = [_said_part(part) if assistant else _given_part(part) for part in parts]
            return {**item, "type": kind, "status": status, "content": content}
        case "function_call_output":
            output = item.get("output")
            parts = [_given_part(part) for part in array_of(output)]
            return {
                **item,
                "status": status,
                "output": parts if isinstance(output, list) else output,
            }
        case "function_call":
            return {**item, "status": status}
        case "reasoning":
            return {**item, "summary": array_of(item.get("summary"))}
        case _:
            return dict(item)


def _given_part(part: object) -> object:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    said = object_of(part)
    kind = said.get("type")
    if kind in _TEXTS:
        return {"type": "input_text", "text": said.get("text")}
    return {"detail": "auto", **said} if kind == "input_image" else part


def _said_part(part: object) -> object:
    if isinstance(part, str):
        return {"type": "output_text", "text": part, "annotations": []}
    said = object_of(part)
    if said.get("type") in _TEXTS:
        return {**said, "type": "output_text", "annotations": array_of(said.get("annotations"))}
    return part


def _written(value: object) -> str:
    return orjson.dumps(value).decode()


def _read(text: str) -> Object:
    return object_of(orjson.loads(text))
