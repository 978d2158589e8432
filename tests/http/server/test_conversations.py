"""Conversations that are kept, through openai-python, real processes and a file on disk."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from astrolabe_core.ledger import HoldState
from astrolabe_core.stacks import Boundaries
from astrolabe_core.units import ResponseId, WorkspaceId
from astrolabe_http.service import KeyTerms, Service
from tests.http.keeping import SLUG, keeping
from tests.http.server import processes
from tests.http.server.conftest import Stack
from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
    with_service,
)

CANARY = "canary-4b1d"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
SEALED: Any = {"include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"}}


def make_keeper(database: Path, terms: KeyTerms | None = None) -> tuple[WorkspaceId, str]:
    """Make a workspace whose stack keeps conversations."""
    workspace, key = make_account(database, "5", terms)

    async def work(service: Service) -> None:
        assert await service.store.publish_stack(workspace, keeping())
        await service.assign_stack(workspace, SLUG)

    with_service(database, work)
    return workspace, key


def sdk_for(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{stack.gateway.url}/v1",
        api_key=key,
        max_retries=0,
        _strict_response_validation=True,
    )


@pytest.fixture(scope="session")
def keeper(running: Stack) -> tuple[WorkspaceId, str]:
    return make_keeper(running.database)


@pytest.fixture
def kept(stack: Stack, keeper: tuple[WorkspaceId, str]) -> Iterator[openai.OpenAI]:
    with sdk_for(stack, keeper[1]) as made:
        yield made


def asked(stack: Stack) -> list[Any]:
    found: list[Any] = httpx.get(f"{stack.control}/journal").json()["calls"]
    return [call for call in found if call["method"] == "POST"]


def fault(stack: Stack, **rule: Any) -> None:
    httpx.post(f"{stack.control}/faults", json=rule).raise_for_status()


@pytest.mark.parametrize("streamed", [False, True])
def test_three_turns_with_a_tool_go_on_from_what_is_kept(
    stack: Stack, kept: openai.OpenAI, streamed: bool
) -> None:
    def ask(**given: Any) -> Any:
        if not streamed:
            return kept.responses.create(model="auto", **given)
        with kept.responses.stream(model="auto", **given) as stream:
            return stream.get_final_response()

    first = ask(input="What is the weather in Oslo?", tools=[WEATHER])
    (call,) = [item for item in first.output if item.type == "function_call"][:1]
    calls = [item for item in first.output if item.type == "function_call"]
    outputs = [
        {"type": "function_call_output", "call_id": each.call_id, "output": "rain"}
        for each in calls
    ]
    second = ask(input=outputs, tools=[WEATHER], previous_response_id=first.id)
    assert second.output_text
    assert second.previous_response_id == first.id
    third = ask(input="Thanks!", previous_response_id=second.id)
    assert third.output_text
    assert [each.store for each in (first, second, third)] == [True, True, True]
    sent = asked(stack)[-1]["body"]["input"]
    assert "Oslo" in str(sent[0])
    assert any(item.get("call_id") == call.call_id for item in sent)
    assert "previous_response_id" not in asked(stack)[-1]["body"]


def test_a_response_is_retrieved_listed_and_deleted(kept: openai.OpenAI) -> None:
    first = kept.responses.create(model="auto", input="Say one word.", instructions="Be brief.")
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    text = {"type": "input_text", "text": "And this?"}
    second = kept.responses.create(
        model="auto",
        input=[{"role": "user", "content": [text, image]}],  # type: ignore[list-item,misc]
        previous_response_id=first.id,
    )
    assert kept.responses.retrieve(first.id) == first
    assert kept.responses.retrieve(second.id) == second
    items = list(kept.responses.input_items.list(second.id, limit=1, order="asc"))
    assert [item.type for item in items] == ["message", "message", "message"]
    assert items[1] == first.output[0]
    kept.responses.delete(first.id)
    for gone in (
        lambda: kept.responses.retrieve(first.id),
        lambda: kept.responses.input_items.list(second.id),
        lambda: kept.responses.create(model="auto", input="hi", previous_response_id=second.id),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            gone()
        assert caught.value.code == "not_found"


def test_another_workspace_s_conversation_is_not_there(stack: Stack, kept: openai.OpenAI) -> None:
    mine = kept.responses.create(model="auto", input=f"A secret: {CANARY}")
    _, key = make_keeper(stack.database)
    with sdk_for(stack, key) as other:
        before = len(asked(stack))
        for look in (
            lambda: other.responses.retrieve(mine.id),
            lambda: other.responses.delete(mine.id),
            lambda: other.responses.input_items.list(mine.id),
            lambda: other.responses.create(model="auto", input="x", previous_response_id=mine.id),
        ):
            with pytest.raises(openai.NotFoundError):
                look()
        assert len(asked(stack)) == before
    assert kept.responses.retrieve(mine.id).id == mine.id


def test_where_nothing_is_kept_going_on_is_refused_and_told_what_to_do(
    sdk: openai.OpenAI,
) -> None:
    told = sdk.responses.create(model="auto", input="Hello", store=True)
    assert told.model_dump()["store"] is False
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="auto", input="hi", previous_response_id=told.id)
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == "previous_response_id"
    assert "send the whole conversation as input" in caught.value.message


@pytest.mark.parametrize("streamed", [False, True])
def test_no_byte_of_the_file_holds_what_may_not_be_kept(stack: Stack, streamed: bool) -> None:
    """The workspace's stack keeps nothing; and a stack that does is told not to."""
    _, keeper = make_keeper(stack.database)
    for key, said, given in (
        (stack.key, f"{CANARY}-memory", {}),
        (keeper, f"{CANARY}-store", {"store": False}),
        (keeper, f"{CANARY}-kept", {}),
    ):
        body = {"model": "auto", "input": said, "instructions": said, "stream": streamed, **given}
        with stack.client(key) as client:
            answer = client.post("/v1/responses", json=body)
        assert answer.status_code == 200
        # The simulator says it again: it is in the answer, too.
        assert said in answer.text
    files = sorted(stack.database.parent.glob(f"{stack.database.name}*"))
    written = b"".join(file.read_bytes() for file in files)
    assert f"{CANARY}-kept".encode() in written
    assert f"{CANARY}-memory".encode() not in written
    assert f"{CANARY}-store".encode() not in written


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kept_here", [False, True])
def test_sealed_reasoning_stays_with_its_provider_through_every_attempt(
    stack: Stack, kept: openai.OpenAI, sdk: openai.OpenAI, kept_here: bool, streamed: bool
) -> None:
    """litellm #29733, CLIProxyAPI #3189: the simulator refuses another vendor's reasoning."""
    client = kept if kept_here else sdk
    first = client.responses.create(model="openai/gpt-5.4-nano", input="Think.", **SEALED)
    assert first.output[0].type == "reasoning"
    assert str(first.output[0].encrypted_content).startswith("astrolabe1.")
    go_on: dict[str, Any] = {"input": "Go on.", "previous_response_id": first.id}
    if not kept_here:
        turn = {"role": "user", "content": "Go on."}
        # What Codex hands back: reasoning without its id.
        items = [item.model_dump(exclude={"id", "status"}) for item in first.output]
        go_on = {"input": [*items, turn], "store": False}
    fault(stack, model="openai/*", fault="503-none", times=1)
    before = len(asked(stack))
    if streamed:
        with client.responses.stream(model="auto", **go_on) as stream:
            answer = stream.get_final_response()
    else:
        answer = client.responses.create(model="auto", **go_on)
    assert str(answer.model).startswith("openai/")
    tried = [call["model"] for call in asked(stack)[before:]]
    assert len(tried) == 2
    assert {model.partition("/")[0] for model in tried} == {"openai"}

    fault(stack, model="openai/*", fault="503-none", times=None)
    before = len(asked(stack))
    with pytest.raises(openai.APIStatusError):
        client.responses.create(model="auto", **go_on)
    tried = [call["model"] for call in asked(stack)[before:]]
    assert len(tried) >= 2
    assert {model.partition("/")[0] for model in tried} == {"openai"}


def test_a_policy_without_the_provider_is_409_with_the_reason(stack: Stack) -> None:
    workspace, key = make_keeper(stack.database)
    with sdk_for(stack, key) as client:
        first = client.responses.create(model="openai/gpt-5.4-nano", input="Think.", **SEALED)
    envelope = Boundaries(blocked_providers=frozenset({"openai"}))

    async def narrow(service: Service) -> str:
        made = await service.create_key(workspace, KeyTerms(envelope=envelope))
        return made.secret  # type: ignore[union-attr]

    before = len(asked(stack))
    with (
        sdk_for(stack, with_service(stack.database, narrow)) as client,
        pytest.raises(openai.ConflictError) as caught,
    ):
        client.responses.create(model="auto", input="Go on.", previous_response_id=first.id)
    assert caught.value.code == "routing_policy_blocked"
    details: Any = caught.value.body["details"]  # type: ignore[index]
    imposed = {reason["imposed_by"] for each in details["rejected"] for reason in each["reasons"]}
    assert imposed >= {"key", "continuation"}
    assert "encrypted reasoning, which stays with its provider" in caught.value.message
    assert len(asked(stack)) == before


_KILLED = processes._GATEWAY.replace(
    "bound = bind(",
    """
import signal
from astrolabe_storage.sqlite import SqliteStore
async def killed(self, response):
    os.kill(os.getpid(), signal.SIGKILL)
SqliteStore.keep_response = killed
bound = bind(""",
)


def test_killed_between_the_capture_and_the_keeping_only_the_keeping_is_lost(
    simulator: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "gateway.db"
    workspace, key = make_keeper(database)
    monkeypatch.setattr(processes, "_GATEWAY", _KILLED)
    gateway = start_gateway(database, f"{simulator.url}/api/v1", tmp_path / "log")
    headers = {"authorization": f"Bearer {key}"}
    try:
        with (
            httpx.Client(base_url=gateway.url, headers=headers) as client,
            pytest.raises(httpx.TransportError),
        ):
            client.post("/v1/responses", json={"model": "auto", "input": CANARY})
        assert gateway.process.wait(20) == -signal.SIGKILL
    finally:
        gateway.stop(signal.SIGKILL)
    assert differences(database) == ()
    wallet = balance(database, workspace)
    assert wallet.held == 0
    assert wallet.available < 5 * 10**9

    async def look(service: Service) -> None:
        (hold,) = await service.store.holds(workspace)
        assert hold.state is HoldState.CAPTURED
        assert await service.store.trace(workspace, hold.request) is not None
        named = ResponseId(hold.request.replace("req_", "resp_"))
        assert await service.store.kept_response(workspace, named) is None

    with_service(database, look)
    written = subprocess.run(
        ["grep", "-c", CANARY, str(database)], check=False, capture_output=True
    )
    assert written.returncode == 1
