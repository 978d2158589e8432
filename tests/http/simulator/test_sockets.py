"""What only a real socket shows: cuts, silence, slowness, and callers who leave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from astrolabe_http.simulator import RunningSimulator, SimulatorSettings
from astrolabe_http.simulator.journal import CallRecord
from tests.http.simulator.conftest import NANO
from tests.http.simulator.grammar import read_events


def body(fault: str, *, stream: bool = True) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Hello there, tell me much"}]
    return {"model": f"{NANO.id}#{fault}", "messages": messages, "stream": stream}


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def receive(answer: httpx.Response, error: type[Exception]) -> str:
    """All that came before the error."""
    got = ""
    try:
        for piece in answer.iter_text():
            got += piece
    except error:
        return got
    raise AssertionError(f"no {error.__name__}")


def last(simulator: RunningSimulator) -> CallRecord:
    return simulator.provider.journal.calls[-1]


def test_a_cut_breaks_the_stream_after_so_many_chunks(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    with client.stream("POST", "/chat/completions", json=body("cut-3")) as answer:
        got = receive(answer, httpx.RemoteProtocolError)
    events, done = read_events(got)
    assert not done
    assert len(events) == 4
    eventually(lambda: last(simulator).outcome == "cut")
    assert last(simulator).chunks == 3


def test_a_cut_breaks_a_json_body(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/chat/completions", json=body("cut", stream=False))


@pytest.mark.parametrize("stream", [True, False])
def test_a_reset_comes_before_any_byte(
    simulator: RunningSimulator, client: httpx.Client, stream: bool
) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("/chat/completions", json=body("reset", stream=stream))
    eventually(lambda: last(simulator).outcome == "reset")
    assert last(simulator).cost == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_stall_is_silence_without_headers(
    simulator: RunningSimulator, client: httpx.Client, stream: bool
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json=body("stall", stream=stream), timeout=0.1)
    eventually(lambda: last(simulator).outcome == "disconnected")
    assert last(simulator).disconnected_ms is not None


def test_a_stall_can_begin_after_some_chunks(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    chat = "/chat/completions"
    with client.stream("POST", chat, json=body("stall-2"), timeout=0.2) as answer:
        got = receive(answer, httpx.ReadTimeout)
    assert len(read_events(got)[0]) == 3
    eventually(lambda: last(simulator).disconnected)
    assert last(simulator).chunks == 2


@pytest.mark.parametrize("fault", ["hold", "hold-2"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_held_call_goes_on_when_released(
    simulator: RunningSimulator, client: httpx.Client, fault: str, stream: bool
) -> None:
    answers: list[httpx.Response] = []
    thread = threading.Thread(
        target=lambda: answers.append(
            client.post("/chat/completions", json=body(fault, stream=stream))
        )
    )
    thread.start()
    eventually(lambda: bool(simulator.provider.holds.waiting))
    assert not answers
    released = httpx.post(f"{simulator.origin}/_control/release").json()
    thread.join(5)
    assert released == {"released": 1}
    assert answers[0].status_code == 200
    assert last(simulator).outcome == "completed"


def test_a_held_connection_shows_comments_only_when_processing(
    simulator: RunningSimulator, client: httpx.Client
) -> None:
    answer = client.post("/chat/completions", json=body("processing-120"))
    assert answer.text.count(": OPENROUTER PROCESSING") > 2
    assert read_events(answer.text)[1]


def test_a_drip_takes_its_time_before_each_chunk(client: httpx.Client) -> None:
    begun = time.monotonic()
    answer = client.post("/chat/completions", json=body("drip-5+end-10"))
    assert time.monotonic() - begun >= 0.05
    assert len(read_events(answer.text)[0]) == 11


def test_a_delay_takes_its_time_before_the_first_byte(client: httpx.Client) -> None:
    begun = time.monotonic()
    with client.stream("POST", "/chat/completions", json=body("delay-80")):
        assert time.monotonic() - begun >= 0.08


def test_chunks_arrive_one_by_one(client: httpx.Client) -> None:
    with client.stream("POST", "/chat/completions", json=body("drip-5")) as answer:
        assert sum(1 for _ in answer.iter_raw()) > 5


@pytest.mark.parametrize("fault", ["drip-10", "drip-10+bills-on"])
def test_a_caller_who_leaves_stops_the_answer_and_pays_what_was_written(
    simulator: RunningSimulator, client: httpx.Client, fault: str
) -> None:
    whole = client.post("/chat/completions", json=body("no-done", stream=False)).json()["usage"]
    with client.stream("POST", "/chat/completions", json=body(fault)) as answer:
        for piece in answer.iter_text():
            if "data:" in piece:
                break
    eventually(lambda: last(simulator).outcome == "disconnected")
    call = last(simulator)
    assert call.disconnected
    told = client.get("/generation", params={"id": call.generation_id}).json()["data"]
    assert told["cancelled"]
    assert Decimal(str(told["total_cost"])) == call.cost
    if "bills-on" in fault:
        assert told["total_cost"] == whole["cost"]
    else:
        assert told["native_tokens_completion"] < whole["completion_tokens"]


def test_a_caller_who_leaves_while_asking_is_written_down(simulator: RunningSimulator) -> None:
    with socket.create_connection(("127.0.0.1", simulator.port)) as half:
        half.sendall(b"POST /api/v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
        eventually(lambda: len(simulator.provider.journal.calls) == 1)
    eventually(lambda: last(simulator).outcome == "disconnected")


def test_settings_slow_every_answer(models: Any) -> None:
    settings = SimulatorSettings(latency_ms=60, chunk_delay_ms=2, chunk_words=50)
    with RunningSimulator(models, settings) as running:
        begun = time.monotonic()
        answer = httpx.post(
            f"{running.url}/chat/completions",
            json=body("no-done"),
            headers={"authorization": "Bearer x"},
        )
    assert time.monotonic() - begun >= 0.06
    assert len(read_events(answer.text)[0]) < 8
