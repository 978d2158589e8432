"""A conversation goes on from what was kept, where it may be kept, and from nothing else."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from attrs import evolve

from astrolabe_core.accounts import WorkspaceStatus
from astrolabe_core.conversations import KeptResponse
from astrolabe_core.money import usd
from astrolabe_core.requests import Surface
from astrolabe_core.stacks import Boundaries
from astrolabe_core.units import ResponseId
from astrolabe_http.service import KeyTerms
from astrolabe_http.wire.sealing import read_seal
from tests.http.gateways import CHAT, Bench, chat_reply, make_bench
from tests.http.keeping import (
    KEEPS,
    NANO,
    SONNET,
    answer,
    away,
    call,
    let_keep,
    make_keeping,
    message,
    stream,
    thought,
)
from tests.http.wire.play import read_events

pytestmark = pytest.mark.anyio

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
ASK: dict[str, Any] = {"model": NANO, "input": "What is the weather?", "tools": [WEATHER]}
TOLD = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}


async def post(
    bench: Bench, body: dict[str, Any], path: str = "/v1/responses", **headers: str
) -> httpx.Response:
    async with bench.client(**headers) as client:
        return await client.post(path, json=body)


async def ask(bench: Bench, *scripted: Any, **changes: Any) -> dict[str, Any]:
    """Ask, and give the answer of a 200."""
    bench.transport.script += scripted
    said = await post(bench, {**ASK, **changes})
    assert said.status_code == 200, said.text
    body: dict[str, Any] = said.json()
    return body


async def refused(bench: Bench, **changes: Any) -> dict[str, Any]:
    """Ask, and give the error; no provider has heard of it, and nothing is held."""
    calls, before = len(bench.transport.sent), await bench.available()
    said = await post(bench, {**ASK, **changes})
    assert said.status_code >= 400, said.text
    assert len(bench.transport.sent) == calls
    assert await bench.available() == before
    error: dict[str, Any] = said.json()["error"]
    return {**error, "status": said.status_code}


async def kept(bench: Bench, told: dict[str, Any]) -> KeptResponse | None:
    return await bench.store.kept_response(bench.workspace.id, ResponseId(told["id"]))


# --- going on -------------------------------------------------------------------------------


async def test_going_on_is_sending_the_conversation_whole() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(thought(), call()))
    second = await ask(
        bench, answer(message("Rain.")), previous_response_id=first["id"], input=[TOLD]
    )
    brief = {"instructions": "Be brief."}
    await ask(bench, answer(), previous_response_id=second["id"], input="Thanks!", **brief)
    whole = [
        {"type": "message", "role": "user", "content": ASK["input"]},
        *first["output"],
        TOLD,
        *second["output"],
        {"type": "message", "role": "user", "content": "Thanks!"},
    ]
    await ask(bench, answer(), input=whole, **brief)
    (*_, gone_on), (*_, sent_whole) = bench.transport.sent[2:]
    assert gone_on == sent_whole
    assert "previous_response_id" not in gone_on


async def test_instructions_are_not_carried_over() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(), instructions="Only in French.")
    await ask(bench, answer(), previous_response_id=first["id"])
    assert "instructions" not in bench.transport.sent[1][1]
    assert "French" not in json.dumps(bench.transport.sent[1])


async def test_a_conversation_branches() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    for text in ("one", "two"):
        await ask(bench, answer(), previous_response_id=first["id"], input=text)
    told = [json.dumps(body) for _, body in bench.transport.sent[1:]]
    assert ["one" in text for text in told] == [True, False]


async def test_what_was_gone_on_from_is_told_back_kept_and_traced() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    assert first["previous_response_id"] is None
    second = await ask(bench, answer(), previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    row = await kept(bench, second)
    assert row is not None
    assert (row.previous, row.model, row.provider) == (first["id"], NANO, "openai")
    trace = await bench.store.trace(bench.workspace.id, row.request)
    assert trace is not None
    told = {"previous_response_id": first["id"], "provider": None}
    assert json.loads(trace)["continuation"] == told


async def test_the_whole_conversation_is_classified_sized_and_held_for() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(), input="word " * 4_000)
    alone, on = [
        (await post(bench, {**ASK, "input": "yes", **more}, "/v1/route")).json()["decision"]
        for more in ({}, {"previous_response_id": first["id"]})
    ]
    # 5,000 tokens at 0.2 USD a million
    more = float(on["estimated_cost_usd"]) - float(alone["estimated_cost_usd"])
    assert more > 0.0009


async def test_a_dry_run_goes_on_too_and_keeps_nothing() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    said = await post(bench, {**ASK, "previous_response_id": first["id"]}, "/v1/route")
    assert said.status_code == 200
    assert said.json()["continuation"]["previous_response_id"] == first["id"]
    assert list(bench.store._responses) == [first["id"]]


# --- pointing at items ----------------------------------------------------------------------


def at(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "item_reference", "id": item["id"]}


async def test_an_item_that_is_pointed_at_is_sent_as_it_was() -> None:
    # The AI SDK points at what it was told is stored; store is true by default.
    bench = await make_keeping()
    sealed = thought(encrypted_content="gAAAA", format="openai-responses-v1")
    first = await ask(bench, answer(sealed, call()))
    second = await ask(bench, answer(message("Rain.")), input=[*first["output"], TOLD])
    turn = {"role": "user", "content": "Thanks!"}
    output = [*first["output"], TOLD, *second["output"], turn]
    pointing = [at(first["output"][0]), first["output"][1], TOLD, at(second["output"][0]), turn]
    third = await ask(bench, answer(), input=pointing)
    await ask(bench, answer(), input=output)
    assert bench.transport.sent[2] == bench.transport.sent[3]
    assert bench.transport.sent[2][1]["input"][0] == sealed
    row = await kept(bench, third)
    assert row is not None
    assert json.loads(row.input_json) == output
    assert row.previous is None
    fourth = await ask(bench, answer(), previous_response_id=third["id"], input=pointing[:1])
    assert fourth["previous_response_id"] == third["id"]


@pytest.mark.parametrize(
    "kind", ["unknown", "deleted", "theirs", "no id of ours", "no id", "input"]
)
async def test_who_points_at_what_is_not_there_is_404_where_it_stands(kind: str) -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    (item,) = first["output"]
    pointing = at(item)
    match kind:
        case "unknown":
            pointing["id"] = pointing["id"].removesuffix("0") + "9"
        case "deleted":
            await bench.store.forget_response(bench.workspace.id, ResponseId(first["id"]))
        case "theirs":
            other = await bench.new_workspace()
            await let_keep(bench, other)
            stranger = await bench.new_key(other)
            bench = evolve(
                bench, secret=stranger.secret, workspace=evolve(bench.workspace, id=other)
            )
        case "no id of ours":
            pointing["id"] = "msg_1"
        case "no id":
            del pointing["id"]
        case _:
            pointing["id"] = f"msg_{first['id'].removeprefix('resp_')}_in0"
    turn = {"role": "user", "content": "Go on."}
    error = await refused(bench, input=[turn, pointing])
    assert (error["status"], error["code"], error["param"]) == (404, "not_found", "input[1]")


async def test_pointing_needs_a_stack_that_keeps_and_says_what_to_do() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    elsewhere = {"metadata": {"astrolabe": {"stack": "fast"}}}
    for item in (first["output"][0], {"id": "msg_1"}):
        error = await refused(bench, input=[at(item)], **elsewhere)
        assert (error["status"], error["code"]) == (400, "unsupported_parameter")
        assert error["param"] == "input[0]"
        assert "store: false" in error["message"]


async def test_what_is_pointed_at_is_as_large_as_a_body_may_be_and_no_larger() -> None:
    bench = await make_keeping(body_bytes_max=4_000)
    answers = [await ask(bench, answer(message("x" * 1_500))) for _ in range(3)]
    items = [at(each["output"][0]) for each in answers]
    await ask(bench, answer(), input=items[:2])
    error = await refused(bench, input=items)
    assert (error["status"], error["code"]) == (413, "payload_too_large")
    assert error["param"] == "input[2]"


async def test_pointing_waits_for_the_store_and_for_who_may_call() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    body = {**ASK, "input": [at(first["output"][0])]}
    away(bench, "kept_response")
    error = await refused(bench, **body)
    assert (error["status"], error["code"]) == (503, "storage_unavailable")
    assert (await post(bench, body, authorization="Bearer junk")).status_code == 401
    await bench.service.set_status(bench.workspace.id, WorkspaceStatus.SUSPENDED)
    assert (await post(bench, body)).status_code == 403


# --- where it may not be --------------------------------------------------------------------


async def test_a_stack_that_keeps_nothing_refuses_to_go_on_whatever_is_there() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    for named in (first["id"], "resp_none"):
        error = await refused(
            bench,
            previous_response_id=named,
            metadata={"astrolabe": {"stack": "default-optimizer"}},
        )
        assert (error["status"], error["code"]) == (400, "unsupported_parameter")
        assert error["param"] == "previous_response_id"
        assert "rawPromptStorage and rawOutputStorage" in error["message"]


async def test_what_is_not_there_is_404_and_another_workspace_s_is_not_there() -> None:
    bench = await make_keeping()
    other = await bench.new_workspace()
    await let_keep(bench, other)
    await bench.service.grant_credit(other, usd("1"))
    theirs = await bench.new_key(other)
    bench.transport.script.append(answer())
    bearer = {"authorization": f"Bearer {theirs.secret}"}
    secret = (await post(bench, ASK, **bearer)).json()
    assert secret["store"] is True
    told = set()
    for named in (secret["id"], "resp_none"):
        error = await refused(bench, previous_response_id=named)
        assert (error["status"], error["code"]) == (404, "not_found")
        assert error["param"] == "previous_response_id"
        told.add(error["message"].replace(named, "…"))
    assert len(told) == 1
    assert (await ask(bench, answer()))["store"] is True


async def test_a_conversation_with_a_gap_is_not_gone_on_from() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    second = await ask(bench, answer(), previous_response_id=first["id"])
    assert await bench.store.forget_response(bench.workspace.id, first["id"])
    error = await refused(bench, previous_response_id=second["id"])
    assert (error["status"], error["code"]) == (404, "not_found")


@pytest.mark.parametrize("value", [7, ["resp_1"], {"id": "resp_1"}, True])
async def test_an_id_that_is_no_string_is_400(value: object) -> None:
    error = await refused(await make_keeping(), previous_response_id=value)
    assert (error["status"], error["param"]) == (400, "previous_response_id")


@pytest.mark.parametrize("value", [None, ""])
async def test_null_and_nothing_go_on_from_nothing(value: object) -> None:
    assert (await ask(await make_keeping(), answer(), previous_response_id=value))["store"]


async def test_a_conversation_may_be_as_large_as_a_body_and_no_larger() -> None:
    bench = await make_keeping(body_bytes_max=4_000)
    first = await ask(bench, answer(), input="x" * 3_000)
    on = await ask(bench, answer(), previous_response_id=first["id"], input="y" * 100)
    error = await refused(bench, previous_response_id=on["id"], input="z" * 1_000)
    assert (error["status"], error["code"]) == (413, "payload_too_large")
    assert error["param"] == "previous_response_id"
    assert error["details"] == {"bytes_max": 4_000}


async def test_a_conversation_that_fits_no_window_is_told_as_one_sent_whole() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(), input="word " * 300_000, model="x-ai/grok-4.1-fast")
    error = await refused(
        bench, previous_response_id=first["id"], model="mistralai/mistral-small-2603"
    )
    assert (error["status"], error["code"]) == (400, "context_length_exceeded")


async def test_a_refusal_counts_the_items_that_the_caller_sent() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    wrong = [{"role": "user", "content": "hi"}, {"role": "wizard", "content": "hi"}]
    error = await refused(bench, previous_response_id=first["id"], input=wrong)
    assert error["param"] == "input[1].role"


async def test_a_store_that_is_away_is_503() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    away(bench, "conversation")
    error = await refused(bench, previous_response_id=first["id"])
    assert (error["status"], error["code"]) == (503, "storage_unavailable")


async def test_nothing_is_looked_up_for_whoever_may_not_call() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer())
    limited = await bench.new_key(terms=KeyTerms(rate_limit=1))
    bearer = {"authorization": f"Bearer {limited.secret}"}
    assert (await post(bench, CHAT, "/v1/chat/completions", **bearer)).status_code == 200
    away(bench, "conversation")
    body = {**ASK, "previous_response_id": first["id"]}
    assert (await post(bench, body, **bearer)).status_code == 429
    assert (await post(bench, body, authorization="Bearer junk")).status_code == 401
    await bench.service.set_status(bench.workspace.id, WorkspaceStatus.SUSPENDED)
    assert (await post(bench, body)).status_code == 403


# --- keeping --------------------------------------------------------------------------------


async def test_an_answer_is_kept_unless_the_caller_says_no() -> None:
    bench = await make_keeping()
    for asked, stored in (({}, True), ({"store": True}, True), ({"store": False}, False)):
        told = await ask(bench, answer(), **asked)
        assert told["store"] is stored
        assert (await kept(bench, told) is not None) is stored


@pytest.mark.parametrize("stack", ["default-optimizer", "customer-data", "high-quality"])
async def test_elsewhere_store_is_taken_and_told_as_false(stack: str) -> None:
    bench = await make_keeping()
    chosen = {"astrolabe": {"stack": stack}}
    told = await ask(bench, answer(), store=True, metadata=chosen, model="auto")
    assert told["store"] is False
    assert bench.transport.sent[0][1]["store"] is False
    assert bench.store._responses == {}


@pytest.mark.parametrize("memory", [{"raw_prompt_storage": True}, {"raw_output_storage": True}, {}])
async def test_one_side_of_a_conversation_is_not_kept_alone(memory: dict[str, bool]) -> None:
    bench = await make_bench()
    await let_keep(bench, bench.workspace.id, memory=type(KEEPS)(**memory))
    assert (await ask(bench, answer()))["store"] is False
    assert bench.store._responses == {}


async def test_chat_is_never_kept() -> None:
    bench = await make_keeping()
    said = await post(bench, {**CHAT, "store": True}, "/v1/chat/completions")
    assert said.status_code == 200
    assert bench.store._responses == {}


async def test_a_failed_answer_is_not_kept() -> None:
    bench = await make_keeping()
    bench.transport.script.append(answer(status="failed", error={"code": "server_error"}))
    assert (await post(bench, ASK)).status_code == 502
    assert bench.store._responses == {}


@pytest.mark.parametrize("verification", ["off", "strict"])
async def test_a_stream_is_kept_before_its_last_event_says_so(verification: str) -> None:
    bench = await make_keeping()
    bench.transport.script.append(stream(thought(), message("Rain.")))
    steer = {"astrolabe": {"verification": verification}}
    said = await post(bench, {**ASK, "stream": True, "metadata": steer})
    events = list(read_events(said.content))
    told = [event["response"] for event in events if "response" in event]
    assert [each["store"] for each in told] == [True, True, True]
    row = await kept(bench, told[-1])
    assert row is not None
    assert json.loads(row.output_json) == told[-1]["output"]
    assert json.loads(row.body_json) == {**told[-1], "output": None}
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    on = await ask(bench, answer(), previous_response_id=told[-1]["id"], input="And now?")
    assert on["previous_response_id"] == told[-1]["id"]
    assert "Rain." in json.dumps(bench.transport.sent[-1][1]["input"])


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "held"])
async def test_what_is_kept_of_a_mended_answer_is_what_the_caller_got(*, streamed: bool) -> None:
    bench = await make_keeping()
    fenced = [message("I shall look."), message('```json\n{"rain":true}\n```')]
    bench.transport.script.append(stream(*fenced) if streamed else answer(*fenced))
    schema = {"type": "object", "required": ["rain"]}
    form = {"type": "json_schema", "name": "weather", "schema": schema}
    steer = {"astrolabe": {"verification": "strict" if streamed else "light"}}
    asked = {"model": NANO, "input": "Rain?", "text": {"format": form}, "metadata": steer}
    said = await post(bench, {**asked, "stream": streamed})
    told = list(read_events(said.content))[-1]["response"] if streamed else said.json()
    (only,) = told["output"]
    assert only["content"][0]["text"] == '{"rain":true}'
    row = await kept(bench, told)
    assert row is not None
    assert json.loads(row.output_json) == told["output"]
    await bench.gateway.close()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fault", ["away", "bug"])
async def test_where_keeping_fails_the_answer_is_delivered_and_says_so(
    streamed: bool, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await make_keeping()
    away(bench, "keep_response")
    if fault == "bug":

        async def fail(_: object) -> None:
            raise ValueError("canary-prompt")

        bench.store.keep_response = fail  # type: ignore[method-assign,assignment]
    bench.transport.script.append(stream() if streamed else answer())
    before = await bench.available()
    with caplog.at_level(logging.ERROR, "astrolabe"):
        said = await post(bench, {**ASK, "stream": streamed})
    assert said.status_code == 200
    told = list(read_events(said.content))[-1]["response"] if streamed else said.json()
    assert told["status"] == "completed"
    assert told["store"] is False
    assert await bench.available() < before
    assert json.loads(bench.lines[-1])["flags"] == ["response_not_kept"]
    assert "the response was not kept" in caplog.text
    assert "canary" not in caplog.text


# --- encrypted reasoning --------------------------------------------------------------------

SEALED = thought(encrypted_content="gAAAA/b.c==", format="openai-responses-v1")
INCLUDE = ["reasoning.encrypted_content"]


async def sealed_turn(bench: Bench, *, streamed: bool = False) -> list[dict[str, Any]]:
    """Ask something whose answer holds reasoning of OpenAI's, and give the output."""
    bench.transport.script.append(
        stream(SEALED, message()) if streamed else answer(SEALED, message())
    )
    said = await post(bench, {**ASK, "include": INCLUDE, "store": False, "stream": streamed})
    assert said.status_code == 200
    told = list(read_events(said.content))[-1]["response"] if streamed else said.json()
    output: list[dict[str, Any]] = told["output"]
    return output


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_provider_gets_its_own_reasoning_back_from_a_gateway_that_kept_nothing(
    streamed: bool,
) -> None:
    bench = await make_bench()
    output = await sealed_turn(bench, streamed=streamed)
    assert output[0]["encrypted_content"] != SEALED["encrypted_content"]
    # Codex keeps no id of a reasoning item.
    lean = [{key: value for key, value in output[0].items() if key != "id"}, output[1]]
    for items in (output, lean):
        await ask(bench, answer(), input=[*items, {"role": "user", "content": "Go on."}])
        assert bench.transport.sent[-1][1]["input"][0] == SEALED


async def test_it_stays_with_its_provider_under_a_virtual_model() -> None:
    # litellm #29733, CLIProxyAPI #3189
    bench = await make_bench()
    output = await sealed_turn(bench)
    body = {**ASK, "model": "auto", "input": [*output, {"role": "user", "content": "Go on."}]}
    free = (await post(bench, {**ASK, "model": "auto"}, "/v1/route")).json()["decision"]
    assert not free["selected"]["model"].startswith("openai/")
    routed = (await post(bench, body, "/v1/route")).json()
    assert all(model.startswith("openai/") for model in routed["decision"]["plan"])
    assert routed["continuation"] == {"previous_response_id": None, "provider": "openai"}
    assert "continuation" in routed["stack"]["layers"]


async def test_a_policy_without_its_provider_is_409_and_says_whose_it_is() -> None:
    bench = await make_bench()
    output = await sealed_turn(bench)
    envelope = Boundaries(blocked_providers=frozenset({"openai"}))
    narrow = await bench.new_key(terms=KeyTerms(envelope=envelope))
    body = {**ASK, "model": "auto", "input": [*output, {"role": "user", "content": "Go on."}]}
    said = await post(bench, body, authorization=f"Bearer {narrow.secret}")
    error = said.json()["error"]
    assert (said.status_code, error["code"]) == (409, "routing_policy_blocked")
    assert "encrypted reasoning, which stays with its provider" in error["message"]
    imposed = {
        (each["model"].partition("/")[0], reason["imposed_by"], reason["limit"], reason["actual"])
        for each in error["details"]["rejected"]
        for reason in each["reasons"]
    }
    assert ("openai", "key", "openai", "openai") in imposed
    assert ("deepseek", "continuation", "openai", "deepseek") in imposed
    assert len(bench.transport.sent) == 1
    changes = {change for each in error["details"]["unblock"] for change in each["changes"]}
    assert changes == {"key: envelope.blockedProviders: remove openai"}


async def test_a_kept_conversation_stays_with_its_provider_too() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(SEALED, message()), include=INCLUDE)
    on = {"previous_response_id": first["id"], "input": "Go on."}
    routed = (await post(bench, {**ASK, **on, "model": "auto"}, "/v1/route")).json()
    assert routed["continuation"] == {"previous_response_id": first["id"], "provider": "openai"}
    await ask(bench, answer(), **on)
    assert bench.transport.sent[-1][1]["input"][1] == SEALED
    error = await refused(bench, **on, model=SONNET)
    assert (error["status"], error["code"]) == (409, "routing_policy_blocked")


async def test_new_reasoning_of_another_provider_cannot_join_a_kept_conversation() -> None:
    bench = await make_keeping()
    first = await ask(bench, answer(SEALED, message()), include=INCLUDE)
    foreign = thought(signature="EvcB", format="anthropic-claude-v1")
    other = await ask(bench, answer(foreign, message()), model=SONNET, store=False)
    error = await refused(bench, previous_response_id=first["id"], input=other["output"])
    assert (error["status"], error["param"]) == (400, "previous_response_id")
    assert "only openai can read" in error["message"]
    assert "only anthropic can read" in error["message"]


async def test_chat_s_reasoning_details_pin_by_their_format() -> None:
    bench = await make_bench()
    detail = {
        "type": "reasoning.text",
        "text": "…",
        "signature": "x",
        "format": "anthropic-claude-v1",
    }
    turn = {"role": "assistant", "content": "Hi.", "reasoning_details": [detail]}
    body = {"model": "auto", "messages": [turn, {"role": "user", "content": "Go on."}]}
    routed = (await post(bench, body, "/v1/route")).json()
    assert all(model.startswith("anthropic/") for model in routed["decision"]["plan"])
    await post(bench, body, "/v1/chat/completions")
    assert bench.transport.sent[-1][1]["messages"][0]["reasoning_details"] == [detail]


async def test_a_signature_comes_home_through_an_upstream_that_has_only_chat() -> None:
    bench = await make_keeping(upstream_apis=frozenset({Surface.CHAT}))
    mine = {"format": "anthropic-claude-v1", "index": 0}
    detail = {"type": "reasoning.text", "text": "Hm.", "signature": "EvcB", **mine}
    said = {"role": "assistant", "content": "Hello.", "reasoning_details": [detail]}
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    first = await ask(bench, chat_reply(choices=[choice]), model=SONNET)
    seal = read_seal(first["output"][0]["encrypted_content"])
    assert seal is not None
    assert (seal.provider, seal.signature) == ("anthropic", "EvcB")
    whole = [{"role": "user", "content": ASK["input"]}, *first["output"]]
    turn = {"role": "user", "content": "Go on."}
    for on in (
        {"input": [*whole, turn], "store": False},
        {"input": "Go on.", "previous_response_id": first["id"]},
    ):
        await ask(bench, chat_reply(), model=SONNET, **on)
        (back,) = bench.transport.sent[-1][1]["messages"][1]["reasoning_details"]
        assert {**detail, **back} == back
    error = await refused(bench, model=NANO, previous_response_id=first["id"])
    assert (error["status"], error["code"]) == (409, "routing_policy_blocked")


async def test_what_is_sealed_is_sized() -> None:
    bench = await make_bench()
    large = thought(encrypted_content="A" * 160_000, format="openai-responses-v1")
    body = {**ASK, "input": [large, {"role": "user", "content": "Go on."}]}
    small = {**ASK, "input": [{"role": "user", "content": "Go on."}]}
    costs = [
        float((await post(bench, each, "/v1/route")).json()["decision"]["estimated_cost_usd"])
        for each in (small, body)
    ]
    # 30,000 tokens at 0.2 USD a million
    assert costs[1] - costs[0] == pytest.approx(0.006, rel=0.05)
