"""Log probabilities come where they are asked for, in both dialects, whole and streamed alike."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

CHAT: Any = {
    "model": "openai/gpt-5.4-nano",
    "messages": [{"role": "user", "content": "Hello"}],
}
RESPONSES: Any = {"model": "openai/gpt-5.4-nano", "input": "Hello"}


def events(answered: httpx.Response) -> list[Any]:
    lines = [line[6:] for line in answered.text.split("\n") if line.startswith("data: {")]
    return [orjson.loads(line) for line in lines]


def chat_choice(answered: httpx.Response) -> Any:
    return answered.json()["choices"][0]


def test_chat_tells_each_token_and_its_rivals(client: httpx.Client) -> None:
    asked = {**CHAT, "logprobs": True, "top_logprobs": 2}
    choice = chat_choice(client.post("chat/completions", json=asked))
    told = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in told) == choice["message"]["content"]
    for entry in told:
        first, second = entry["top_logprobs"]
        assert first["token"] == entry["token"]
        assert second["logprob"] < first["logprob"] == entry["logprob"] < 0
        assert bytes(entry["bytes"]).decode() == entry["token"]
    streamed = events(client.post("chat/completions", json={**asked, "stream": True}))
    pieces = [c["logprobs"] for e in streamed for c in e["choices"] if c["logprobs"] is not None]
    assert [entry for piece in pieces for entry in piece["content"]] == told


@pytest.mark.parametrize(
    "wanted", [{"top_logprobs": 1}, {"include": ["message.output_text.logprobs"]}]
)
def test_responses_tell_each_token(client: httpx.Client, wanted: Any) -> None:
    asked = {**RESPONSES, **wanted}
    (part,) = client.post("responses", json=asked).json()["output"][0]["content"]
    told = part["logprobs"]
    assert "".join(entry["token"] for entry in told) == part["text"]
    assert all(len(entry["top_logprobs"]) == wanted.get("top_logprobs", 0) for entry in told)
    streamed = events(client.post("responses", json={**asked, "stream": True}))
    deltas = [e["logprobs"] for e in streamed if e["type"] == "response.output_text.delta"]
    (done,) = [e["logprobs"] for e in streamed if e["type"] == "response.output_text.done"]
    assert [entry for delta in deltas for entry in delta] == done == told


def test_nobody_is_told_who_did_not_ask(client: httpx.Client) -> None:
    assert chat_choice(client.post("chat/completions", json=CHAT))["logprobs"] is None
    (part,) = client.post("responses", json=RESPONSES).json()["output"][0]["content"]
    assert part["logprobs"] == []
