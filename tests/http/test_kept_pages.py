"""Kept responses are shown, listed and deleted for their own workspace, and are nowhere else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from astrolabe_core.accounts import WorkspaceStatus
from astrolabe_core.conversations import TooLong
from tests.http.gateways import Bench
from tests.http.keeping import answer, away, call, make_keeping, message, stream, thought
from tests.http.test_conversations import ASK, TOLD, ask, post
from tests.http.wire.play import read_events

pytestmark = pytest.mark.anyio

METHODS = (
    ("GET", "/v1/responses/{}"),
    ("DELETE", "/v1/responses/{}"),
    ("GET", "/v1/responses/{}/input_items"),
)


async def call_path(
    bench: Bench, method: str, path: str, key: str | None = None, **query: Any
) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with bench.client(**headers) as client:
        return await client.request(method, path, params=query)


async def get(bench: Bench, path: str, **query: Any) -> dict[str, Any]:
    said = await call_path(bench, "GET", path, **query)
    assert said.status_code == 200, said.text
    body: dict[str, Any] = said.json()
    return body


async def test_a_response_is_shown_as_it_was_answered() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(thought(), call()), metadata={"mine": "1"})
    assert await get(bench, f"/v1/responses/{first['id']}") == first
    bench.transport.script.append(stream(message("Rain.")))
    said = await post(bench, {**ASK, "stream": True, "previous_response_id": first["id"]})
    last = list(read_events(said.content))[-1]["response"]
    assert await get(bench, f"/v1/responses/{last['id']}") == last


async def test_it_is_shown_to_every_key_of_the_workspace_and_counted() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    other = await bench.new_key()
    said = await call_path(bench, "GET", f"/v1/responses/{first['id']}", other.secret)
    assert said.json() == first
    assert said.headers["x-ratelimit-remaining"] == "5999"


@pytest.mark.parametrize(("method", "path"), METHODS)
async def test_another_workspace_finds_nothing_as_if_there_were_nothing(
    method: str, path: str
) -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    stranger = await bench.new_key(await bench.new_workspace())
    told = []
    for named in (first["id"], "resp_none"):
        said = await call_path(bench, method, path.format(named), stranger.secret)
        assert said.status_code == 404
        error = said.json()["error"]
        assert (error["code"], error["param"]) == ("not_found", "response_id")
        told.append(error["message"])
    assert told[0] == told[1]
    assert await get(bench, f"/v1/responses/{first['id']}") == first


@pytest.mark.parametrize(("method", "path"), METHODS)
async def test_who_may_not_call_is_told_so_and_a_store_that_is_away_is_503(
    method: str, path: str
) -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    path = path.format(first["id"])
    assert (await call_path(bench, method, path, "junk")).status_code == 401
    away(bench, "kept_response", "forget_response", "conversation")
    assert (await call_path(bench, method, path)).status_code == 503
    await bench.service.set_status(bench.workspace.id, WorkspaceStatus.SUSPENDED)
    assert (await call_path(bench, method, path)).status_code == 403


async def test_what_is_deleted_is_gone_and_cannot_be_gone_on_from() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    path = f"/v1/responses/{first['id']}"
    said = await call_path(bench, "DELETE", path)
    assert said.status_code == 200
    assert said.json() == {"id": first["id"], "object": "response", "deleted": True}
    assert (await call_path(bench, "DELETE", path)).status_code == 404
    assert (await call_path(bench, "GET", path)).status_code == 404
    on = await post(bench, {**ASK, "previous_response_id": first["id"]})
    assert on.status_code == 404


async def test_deleting_takes_no_money_and_asks_no_provider() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    before = await bench.available()
    await call_path(bench, "DELETE", f"/v1/responses/{first['id']}")
    assert await bench.available() == before
    assert len(bench.transport.sent) == 1


async def test_input_items_are_what_the_model_was_given_newest_first() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(thought(), call()))
    second = await ask(bench, answer(), previous_response_id=first["id"], input=[TOLD])
    page = await get(bench, f"/v1/responses/{second['id']}/input_items")
    kinds = ["function_call_output", "function_call", "reasoning", "message"]
    assert [item["type"] for item in page["data"]] == kinds
    assert (page["object"], page["has_more"]) == ("list", False)
    assert page["first_id"] == page["data"][0]["id"]
    assert page["last_id"] == page["data"][-1]["id"]
    assert page["data"][1]["id"] == first["output"][1]["id"]
    upwards = await get(bench, f"/v1/responses/{second['id']}/input_items", order="asc")
    assert upwards["data"] == page["data"][::-1]


async def test_pages_meet_without_a_gap_and_without_a_repeat() -> None:
    bench = await make_keeping()
    turn = [{"role": "user", "content": str(number), "id": "same"} for number in range(7)]
    first = await ask(bench, answer(), input=turn)
    second = await ask(bench, answer(), previous_response_id=first["id"], input=turn)
    path = f"/v1/responses/{second['id']}/input_items"
    for order in ("asc", "desc"):
        whole = await get(bench, path, order=order, limit=100)
        seen: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            page = await get(bench, path, order=order, limit=4, **more)
            seen += page["data"]
            if not page["has_more"]:
                break
            more = {"after": page["last_id"]}
        assert seen == whole["data"]
        assert len({item["id"] for item in seen}) == len(seen) == 15


async def test_a_conversation_that_is_longer_than_is_listed_is_not_told_to_be_missing() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())

    async def too_long(*_: object, **__: object) -> TooLong:
        return TooLong()

    bench.store.conversation = too_long  # type: ignore[method-assign]
    said = await call_path(bench, "GET", f"/v1/responses/{first['id']}/input_items")
    assert (said.status_code, said.json()["error"]["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": "9" * 5_000}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "msg_none"}, "after"),
    ],
)
async def test_a_page_that_cannot_be_is_400_by_name(query: dict[str, str], param: str) -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    path = f"/v1/responses/{first['id']}/input_items"
    said = await call_path(bench, "GET", path, **query)
    assert said.status_code == 400
    assert said.json()["error"]["param"] == param


async def test_what_is_not_known_of_a_query_is_let_go_and_a_stream_is_refused() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    path = f"/v1/responses/{first['id']}"
    assert await get(bench, path, include="x", stream="false", starting_after="1") == first
    said = await call_path(bench, "GET", path, stream="true")
    assert (said.status_code, said.json()["error"]["param"]) == (400, "stream")


async def test_a_method_that_is_not_there_is_405_and_all_that_are_are_named() -> None:
    said = await call_path(await make_keeping(), "PUT", "/v1/responses/resp_1")
    assert said.status_code == 405
    assert set(said.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "DELETE"}
    said = await call_path(await make_keeping(), "HEAD", "/v1/responses/resp_1")
    assert said.status_code == 404
