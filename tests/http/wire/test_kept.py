"""What is kept is what was said, and what is listed any typed client can read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from attrs import evolve
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from astrolabe_core.conversations import KeptResponse
from astrolabe_core.requests import Surface
from astrolabe_core.units import (
    Instant,
    ModelId,
    ProviderId,
    RequestId,
    ResponseId,
    WorkspaceId,
)
from astrolabe_http.wire.kept import (
    ItemQuery,
    go_on,
    items_in,
    keep,
    list_items,
    read_item_query,
    show,
    show_deleted,
)
from tests.http.wire.play import serve

ITEMS: TypeAdapter[Any] = TypeAdapter(ResponseItem)
QUESTION = {"type": "message", "role": "user", "content": "Why?"}


def kept(number: int, given: list[Any], output: list[Any], **changes: Any) -> KeptResponse:
    made = KeptResponse(
        id=ResponseId(f"resp_{number}"),
        workspace=WorkspaceId("ws_1"),
        request=RequestId(f"req_{number}"),
        previous=ResponseId(f"resp_{number - 1}") if number > 1 else None,
        model=ModelId("acme/one"),
        provider=ProviderId("acme"),
        created_at=Instant(0),
        input_json=orjson.dumps(given).decode(),
        output_json=orjson.dumps(output).decode(),
        body_json='{"id":"x","output":null,"store":true}',
    )
    return evolve(made, **changes)


def said(text: str = "Because.") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": "msg_out",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def listed(*given: Any) -> list[dict[str, Any]]:
    page = list_items((kept(1, list(given), []),), ItemQuery(newest_first=False, limit=100))
    assert isinstance(page, bytes)
    found: list[dict[str, Any]] = orjson.loads(page)["data"]
    return found


def test_a_string_is_a_message_of_the_user() -> None:
    assert items_in({"input": "Why?"}) == [QUESTION]
    assert items_in({"input": [said()]}) == [said()]
    assert items_in({}) == []


def test_a_conversation_comes_before_what_is_new_and_changes_nothing_else() -> None:
    chain = (kept(1, [QUESTION], [said()]), kept(2, [said("You tell me.")], [said("No.")]))
    body = {"input": "Yes?", "model": "auto", "instructions": "Be brief."}
    assert go_on(body, chain) == {
        **body,
        "input": [
            QUESTION,
            said(),
            said("You tell me."),
            said("No."),
            {"type": "message", "role": "user", "content": "Yes?"},
        ],
    }
    assert body["input"] == "Yes?"


def test_what_is_kept_of_an_exchange_is_shown_again_to_the_byte() -> None:
    played = serve(Surface.RESPONSES, {"model": "auto", "input": "Hello é\u2028"})
    answer, reply = played.json, played.reply
    made = keep(reply, reply.trace.arrival, [QUESTION], answer)  # type: ignore[arg-type]
    assert show(made) == played.sent
    assert (made.id, made.previous) == (answer["id"], None)
    assert made.model == answer["model"]
    assert made.provider == made.model.split("/")[0]
    assert orjson.loads(made.output_json) == answer["output"]
    assert "output_text" not in made.body_json


def test_what_was_not_served_cannot_be_kept() -> None:
    played = serve(Surface.RESPONSES, {"model": "auto", "input": "hi"})
    reply = evolve(played.reply, trace=evolve(played.reply.trace, attempts=()))
    with pytest.raises(ValueError, match="cannot be kept"):
        keep(reply, reply.trace.arrival, [], played.json)  # type: ignore[arg-type]


def test_a_deletion_is_told_as_openai_tells_it() -> None:
    gone = orjson.loads(show_deleted(ResponseId("resp_1")))
    assert gone == {"id": "resp_1", "object": "response", "deleted": True}


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}


@pytest.mark.parametrize(
    "item",
    [
        QUESTION,
        {"role": "user", "content": "without a type"},
        {"role": "developer", "content": [{"type": "input_text", "text": "parts"}]},
        {"role": "user", "content": ["bare", {"type": "text", "text": "chat's"}, IMAGE]},
        {"role": "user", "content": [{"type": "output_text", "text": "odd"}]},
        {"role": "user", "content": None},
        {"role": "assistant", "content": "words"},
        {"role": "assistant", "content": ["bare", {"type": "input_text", "text": "odd"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        said(),
        CALL,
        {**CALL, "status": "completed", "id": "fc_1"},
        {"type": "function_call_output", "call_id": "c", "output": "rain"},
        {"type": "function_call_output", "call_id": "c", "output": [IMAGE, "text"]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "x"},
        {"type": "compaction", "encrypted_content": "x"},
    ],
)
def test_a_listed_item_is_one_that_typed_clients_read(item: dict[str, Any]) -> None:
    (shown,) = listed(item)
    assert shown["id"]
    read = ITEMS.validate_python(shown, strict=True)
    assert read.id == shown["id"]


def test_items_without_an_id_of_their_own_are_named_and_no_name_comes_twice() -> None:
    first = kept(1, [QUESTION, QUESTION, {**CALL, "id": "fc_1"}], [said()])
    second = kept(2, [QUESTION, {**CALL, "id": "fc_1"}, said()], [said("No.")])
    page = list_items((first, second), ItemQuery(newest_first=False, limit=100))
    assert isinstance(page, bytes)
    names = [item["id"] for item in orjson.loads(page)["data"]]
    assert names == [
        "msg_1_in0",
        "msg_1_in1",
        "fc_1",
        "msg_out",
        "msg_2_in0",
        "fc_2_in1",
        "msg_2_in2",
    ]


def test_an_empty_page_has_no_first_and_no_last() -> None:
    chain = (kept(1, [QUESTION], []),)
    (only,) = listed(QUESTION)
    page = list_items(chain, ItemQuery(after=only["id"]))
    assert isinstance(page, bytes)
    told = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    assert orjson.loads(page) == told


def test_a_query_that_says_nothing_asks_for_the_newest_twenty() -> None:
    assert read_item_query({}) == ItemQuery(after=None, limit=20, newest_first=True)
    asked = read_item_query({"after": "", "limit": "100", "order": "asc", "include": "x"})
    assert asked == ItemQuery(after=None, limit=100, newest_first=False)
