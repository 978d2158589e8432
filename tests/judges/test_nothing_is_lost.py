"""Through the gateway is straight at the provider, and more: nothing said is lost on the way.

The same body goes straight to the simulator and through the gateway. What the provider is asked
must hold all that the caller said, and what the caller is told all that the provider said. What
may differ is named here, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pytest

from tests.http.server.conftest import Stack
from tests.judges.conftest import NAMED, Provider
from tests.judges.features import CHAT, RESPONSES

PATHS: Final = {"chat": "chat/completions", "responses": "responses"}
FEATURES: Final = [
    *(("chat", name, body) for name, body in CHAT.items()),
    *(("responses", name, body) for name, body in RESPONSES.items()),
]
# Of a request: pattern of the path, and why the provider may be asked otherwise.
ASKED_OTHERWISE: Final = {
    r"\.max_completion_tokens": "sent as max_tokens, which every provider knows",
    r"\.(store|background)": "false is what the provider does anyway: it has neither",
    r"\.text\.format": "text is what the provider writes anyway",
    r"\.include": "log probabilities are asked for with top_logprobs there",
    r"\.max_tool_calls": "counts calls of the provider's own tools, and none is offered",
    r"\.safety_identifier": "in Chat the provider has none, and `user` names the same",
}
# Of an answer, likewise.
TOLD_OTHERWISE: Final = {
    r"(\.output\[\d+\])?\.id": "ids are ours",
    r"\.output\[\d+\]\.encrypted_content": "sealed for its provider, to whom it is opened again",
    r"\.(created|created_at|completed_at)": "the two calls are not of the same second",
    r"\.provider|\.choices\[\d+\]\.native_finish_reason": "who served stands in the route trace",
    r"\.usage\.(cost|cost_details|is_byok).*": "what it costs the caller stands in `astrolabe`",
    r"\.choices\[\d+\]\.message\.tool_calls\[\d+\]\.index": "OpenAI has it in streams alone",
}


def losses(before: object, after: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Everything said before that is not said after. Null and an empty list say nothing."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in before.items():
            yield from losses(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from losses(one, other, f"{path}[{place}]")
    elif before not in (None, [], after):
        yield path, f"{before!r} became {after!r}"


def unexplained(found: Iterator[tuple[str, str]], reasons: Mapping[str, str]) -> dict[str, str]:
    return {
        path: said
        for path, said in found
        if not any(re.fullmatch(pattern, path) for pattern in reasons)
    }


def ask(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    answered = client.post(path, json={"model": NAMED, **body})
    assert answered.status_code == 200, answered.text
    return answered


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("api", "body"),
    [pytest.param(api, body, id=f"{api}-{name}") for api, name, body in FEATURES],
)
def test_the_provider_is_asked_all_that_the_caller_said(
    stack: Stack, provider: Provider, api: str, body: dict[str, Any], streamed: bool
) -> None:
    given = {**body, "stream": True} if streamed else body
    with stack.client() as client:
        ask(client, f"/v1/{PATHS[api]}", given)
    (call,) = provider.calls()
    assert unexplained(losses({"model": NAMED, **given}, call["body"]), ASKED_OTHERWISE) == {}


@pytest.mark.parametrize(
    ("api", "body"),
    [pytest.param(api, body, id=f"{api}-{name}") for api, name, body in FEATURES],
)
def test_the_caller_is_told_all_that_the_provider_said(
    stack: Stack, api: str, body: dict[str, Any]
) -> None:
    with stack.client() as client:
        through = ask(client, f"/v1/{PATHS[api]}", body)
    with httpx.Client(headers={"authorization": "Bearer any"}) as client:
        straight = ask(client, f"{stack.simulator.url}/api/v1/{PATHS[api]}", body)
    assert unexplained(losses(straight.json(), through.json()), TOLD_OTHERWISE) == {}


def test_a_loss_is_noticed() -> None:
    before = {"a": [{"b": 1, "c": None}], "d": "x"}
    assert dict(losses(before, {"a": [{"b": 1}], "d": "x", "e": 2})) == {}
    assert dict(losses(before, {"a": [{"b": 2}]})) == {
        ".a[0].b": "1 became 2",
        ".d": "'x' became None",
    }
    assert dict(losses(before, {"a": [], "d": "x"})).keys() == {".a"}
