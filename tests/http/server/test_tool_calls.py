"""Tool calls through openai-python, in both formats, streamed and not: what is blocked never
reaches the caller, what needs somebody's word passes with it, and nothing that was stopped is paid.

openai-python asks again after a 409 by itself; here each is one attempt (openai-python 3.52).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

from tests.http.server.conftest import Stack
from tests.http.server.processes import balance

NANO = "openai/gpt-5.4-nano"
SEND, LOOK = "send_email('ada@example.com', 'See you')", "get_weather('Paris')"
CASES = pytest.mark.parametrize(
    ("surface", "streamed"),
    [("chat", False), ("chat", True), ("responses", False), ("responses", True)],
    ids=["chat", "chat streamed", "responses", "responses streamed"],
)


def parameters(*names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": [*names],
        "additionalProperties": False,
    }


FUNCTIONS: list[dict[str, Any]] = [
    {"name": "send_email", "parameters": parameters("to", "body"), "strict": True},
    {"name": "get_weather", "parameters": parameters("city"), "strict": True},
]


@contextmanager
def client_of(stack: Stack) -> Iterator[openai.OpenAI]:
    """An SDK as it comes: it tries again as often as it likes."""
    with openai.OpenAI(base_url=f"{stack.gateway.url}/v1", api_key=stack.key) as made:
        yield made


def calls_of(stack: Stack, surface: str, streamed: bool, prompt: str, **steering: Any) -> list[str]:
    """Ask for a call; give the names of the calls that the answer holds."""
    metadata: Any = {"astrolabe": json.dumps(steering)}
    prompt = f"Use {prompt}."
    with client_of(stack) as sdk:
        if surface == "chat":
            tools: Any = [{"type": "function", "function": function} for function in FUNCTIONS]
            asked: Any = {
                "model": NANO,
                "messages": [{"role": "user", "content": prompt}],
                "tools": tools,
                "metadata": metadata,
            }
            if streamed:
                with sdk.chat.completions.stream(**asked) as stream:
                    whole: Any = stream.get_final_completion()
            else:
                whole = sdk.chat.completions.create(**asked)
            return [call.function.name for call in whole.choices[0].message.tool_calls or []]
        tools = [{"type": "function", **function} for function in FUNCTIONS]
        asked = {"model": NANO, "input": prompt, "tools": tools, "metadata": metadata}
        if streamed:
            with sdk.responses.stream(**asked) as events:
                whole = events.get_final_response()
        else:
            whole = sdk.responses.create(**asked)
        return [item.name for item in whole.output if item.type == "function_call"]


def stopped(stack: Stack, surface: str, streamed: bool, prompt: str, **steering: Any) -> Any:
    """Ask for a call that is stopped: one attempt, nothing paid, nothing held."""
    before = balance(stack.database, stack.workspace)
    asked = journal(stack)
    with pytest.raises(openai.ConflictError) as caught:
        calls_of(stack, surface, streamed, prompt, **steering)
    assert journal(stack) - asked == 1
    after = balance(stack.database, stack.workspace)
    assert (after.available, after.held) == (before.available, 0)
    with stack.client() as client:
        request = caught.value.response.headers["x-request-id"]
        trace = client.get(f"/v1/traces/{request}").json()
    assert trace["ledger"]["unbillable_reason"] == caught.value.code
    assert trace["attempts"][0]["unbillable_reason"] == caught.value.code
    assert "ada@example.com" not in json.dumps(trace)
    return caught.value


def journal(stack: Stack) -> int:
    calls: int = httpx.get(f"{stack.control}/journal").json()["received"]
    return calls


@CASES
def test_a_blocked_call_reaches_nobody_and_is_asked_for_once(
    stack: Stack, surface: str, streamed: bool
) -> None:
    error = stopped(stack, surface, streamed, SEND, tool_profile="read_only")
    assert error.code == "tool_call_blocked"
    (call,) = error.body["details"]["calls"]
    assert (call["tool"], call["labels"]) == ("send_email", ["send"])
    assert call["expires_at"] is None
    # The next request is as good as any, and a look is allowed.
    assert calls_of(stack, surface, streamed, LOOK, tool_profile="read_only") == ["get_weather"]


@CASES
def test_a_word_lets_a_call_pass_that_needs_one(stack: Stack, surface: str, streamed: bool) -> None:
    flags = {"approval_required": True}
    error = stopped(stack, surface, streamed, SEND, **flags)
    assert error.code == "tool_call_confirmation_required"
    (call,) = error.body["details"]["calls"]
    assert json.loads(call["arguments"]) == {"to": "ada@example.com", "body": "See you"}
    word = call["confirmation"]
    made = calls_of(stack, surface, streamed, SEND, **flags, tool_confirmations=[word])
    assert made == ["send_email"]
    # The same word says nothing of other arguments.
    other = "send_email('eve@example.com', 'See you')"
    again = stopped(stack, surface, streamed, other, **flags, tool_confirmations=[word])
    assert again.body["details"]["calls"][0]["confirmation"] != word


@CASES
def test_a_declaration_says_what_a_name_does_not(
    stack: Stack, surface: str, streamed: bool
) -> None:
    declared = {"tool_profile": "read_only", "tool_capabilities": {"send_email": ["read"]}}
    # What the arguments plainly show, a message to somebody, counts all the same.
    error = stopped(stack, surface, streamed, SEND, **declared)
    assert error.body["details"]["calls"][0]["labels"] == ["read", "send"]
    declared["tool_capabilities"] = {"get_weather": ["pay"]}
    assert stopped(stack, surface, streamed, LOOK, **declared).code == "tool_call_blocked"
