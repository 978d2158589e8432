"""What a plain OpenAI-compatible server is sent: OpenAI's own words, and none of OpenRouter's."""

from __future__ import annotations

from typing import Any

import pytest

from astrolabe_http.wire.translation.plain import (
    UNSENT,
    plain_chat_request,
    plain_responses_request,
)

CHAT: dict[str, Any] = {
    "model": "local/llama",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 100,
    "usage": {"include": True},
}


def sent(asked: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return plain_chat_request({**CHAT, **fields}, asked or {})


def test_nothing_of_openrouter_s_is_sent_in_chat() -> None:
    openrouter: dict[str, Any] = {
        "provider": {"zdr": True},
        "cache_control": {"type": "ephemeral"},
        "prompt_cache_options": {"mode": "explicit"},
        "session_id": "s",
        "metadata": {"a": "b"},
    }
    assert openrouter.keys() < UNSENT.keys()
    made = sent(**openrouter, temperature=0.5, seed=7, stream=True, stream_options={"x": 1})
    assert made == {
        "model": "local/llama",
        "messages": CHAT["messages"],
        "max_tokens": 100,
        "temperature": 0.5,
        "seed": 7,
        "stream": True,
        "stream_options": {"x": 1},
    }


def test_the_cap_has_the_caller_s_own_name() -> None:
    """OpenAI's reasoning models refuse the older one; Ollama knew no other for long."""
    assert sent()["max_tokens"] == 100
    made = sent({"max_completion_tokens": 500})
    assert made["max_completion_tokens"] == 100
    assert "max_tokens" not in made


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        ({"effort": "low", "summary": "auto"}, "low"),
        ({"enabled": True}, "medium"),
        ({"enabled": False}, "none"),
        ({"summary": "auto"}, None),
    ],
)
def test_reasoning_is_an_effort(reasoning: dict[str, Any], effort: str | None) -> None:
    made = sent(reasoning=reasoning)
    assert "reasoning" not in made
    assert made.get("reasoning_effort") == effort
    assert sent(reasoning=reasoning, reasoning_effort="high")["reasoning_effort"] == "high"


def test_a_conversation_begins_with_one_system_message() -> None:
    """Chat templates refuse a developer, and a system message in any place but the first."""
    rules = [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}]
    late = {"role": "developer", "content": "c"}
    made = sent(messages=[*rules, *CHAT["messages"], late])
    assert made["messages"] == [
        {"role": "system", "content": "a\n\nb"},
        *CHAT["messages"],
        {"role": "system", "content": "c"},
    ]


def test_system_messages_of_parts_are_one_of_parts() -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    rules = [{"role": "system", "content": "a"}, {"role": "system", "content": parts}]
    (told, _) = sent(messages=[*rules, *CHAT["messages"]])["messages"]
    assert told["content"] == [{"type": "text", "text": "a"}, *parts]
    alone = sent(messages=[rules[1], *CHAT["messages"]])["messages"]
    assert alone[0]["content"] == parts


def test_parts_lose_their_marks_and_a_lone_text_is_a_string() -> None:
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    image = {"type": "image_url", "image_url": {"url": "https://x.test"}}
    one, two = [marked], [marked, image]
    made = sent(messages=[{"role": "user", "content": one}, {"role": "user", "content": two}])
    bare = {"type": "text", "text": "a"}
    assert [message["content"] for message in made["messages"]] == ["a", [bare, image]]
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": {"type": "ephemeral"}}
    assert sent(tools=[tool])["tools"] == [{"type": "function", "function": {"name": "f"}}]


def test_reasoning_that_is_handed_back_has_both_names_that_servers_read() -> None:
    """vLLM #27755 renamed what llama.cpp and DeepSeek kept."""
    details = [
        {"type": "reasoning.summary", "summary": "h"},
        {"type": "reasoning.text", "text": "m"},
        {"type": "reasoning.encrypted", "data": "x"},
    ]
    own = {"role": "assistant", "content": "4", "reasoning_details": details}
    (made,) = sent(messages=[own])["messages"]
    assert made == {
        "role": "assistant",
        "content": "4",
        "reasoning": "hm",
        "reasoning_content": "hm",
    }


def test_a_response_is_asked_for_in_openai_s_words() -> None:
    body: dict[str, Any] = {
        "model": "local/llama",
        "input": "Hello",
        "store": False,
        "metadata": {"a": "b"},
        "provider": {"zdr": True},
        "cache_control": {},
        "reasoning": {"enabled": True, "summary": "auto", "max_tokens": None},
    }
    assert plain_responses_request(body) == {
        "model": "local/llama",
        "input": "Hello",
        "store": False,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "medium", "summary": "auto"},
    }
    assert "reasoning" not in plain_responses_request({**body, "reasoning": {"exclude": True}})
