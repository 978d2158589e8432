"""What an SDK makes of a stream that is held back, and kept alive with comments, over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.http.server.processes import (
    Process,
    balance,
    differences,
    make_account,
    start_gateway,
)
from tests.http.server.test_process import PATHS, body_for

STRICT: dict[str, Any] = {"metadata": {"astrolabe.verification": "strict"}}
COMMENT = ": keep-alive\n\n"
SAID = "The ledger holds what was reserved"


@pytest.fixture(scope="module")
def gateway(
    simulator: Process, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Process, str]]:
    home = tmp_path_factory.mktemp("held")
    database = home / "gateway.db"
    workspace, key = make_account(database, "5")
    made = start_gateway(
        database, f"{simulator.url}/api/v1", home / "log", ASTROLABE_STREAM_KEEPALIVE="0.05"
    )
    try:
        yield made, key
        assert made.stop() == 0
        assert balance(database, workspace).held == 0
        assert differences(database) == ()
    finally:
        made.stop()


@pytest.fixture
def fresh(simulator: Process) -> None:
    """Have a provider that knows of no orders."""
    httpx.post(f"{simulator.url}/_control/reset").raise_for_status()


def order(simulator: Process, fault: str) -> None:
    rule = {"fault": fault, "text": SAID, "times": 1}
    httpx.post(f"{simulator.url}/_control/faults", json=rule).raise_for_status()


@pytest.fixture
def sdk(gateway: tuple[Process, str]) -> Iterator[openai.OpenAI]:
    made, key = gateway
    with openai.OpenAI(
        base_url=f"{made.url}/v1", api_key=key, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def chat_text(sdk: openai.OpenAI) -> str:
    body = {**body_for(PATHS[0], stream=True), **STRICT}
    with sdk.chat.completions.create(**body) as stream:
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def responses_text(sdk: openai.OpenAI) -> str:
    body = {**body_for(PATHS[1], stream=True), **STRICT}
    with sdk.responses.create(**body) as stream:
        return "".join(
            event.delta for event in stream if event.type == "response.output_text.delta"
        )


READS = {PATHS[0]: chat_text, PATHS[1]: responses_text}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("fresh")
def test_comments_are_there_and_no_client_minds_them(
    path: str, gateway: tuple[Process, str], simulator: Process, sdk: openai.OpenAI
) -> None:
    made, key = gateway
    order(simulator, "delay-300")
    body = {**body_for(path, stream=True), **STRICT}
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=made.url, headers=headers, timeout=20) as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 200
    assert answer.text.startswith(COMMENT)
    assert answer.headers["x-astrolabe-stack-name"]
    order(simulator, "delay-300")
    assert READS[path](sdk) == SAID


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("fresh")
def test_an_error_behind_comments_is_raised_by_the_client(
    path: str, simulator: Process, sdk: openai.OpenAI
) -> None:
    order(simulator, "delay-300+503")
    with pytest.raises(openai.APIError) as raised:
        READS[path](sdk)
    assert not isinstance(raised.value, openai.APIStatusError)
    assert raised.value.code == "provider_error"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("fresh")
def test_an_error_before_them_has_its_status(
    path: str, simulator: Process, sdk: openai.OpenAI
) -> None:
    order(simulator, "503")
    with pytest.raises(openai.APIStatusError) as raised:
        READS[path](sdk)
    assert raised.value.status_code == 502
