from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.requests import OutputFormat, Request, Surface, Tool
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.provider_rules import name_parameters, provider_rules
from astrolabe_http.wire import WIRES

PLAIN = Request(
    id=RequestId("req_1"), received_at=Instant(0), surface=Surface.CHAT, model="m", turns=()
)
ANY = Boundaries()
NO_TRAINING = Boundaries(data_policy=DataRule.NO_TRAINING)
ZERO = Boundaries(retention_policy=RetentionRule.ZERO)
LIMITED = Boundaries(retention_policy=RetentionRule.LIMITED)


@pytest.mark.parametrize(
    ("layers", "rules"),
    [
        ([], {}),
        ([ANY], {}),
        ([LIMITED], {}),
        ([NO_TRAINING], {"data_collection": "deny"}),
        ([ANY, NO_TRAINING], {"data_collection": "deny"}),
        ([NO_TRAINING, ANY], {"data_collection": "deny"}),
        ([ZERO], {"zdr": True}),
        ([LIMITED, ZERO, ANY], {"zdr": True}),
        ([ZERO, NO_TRAINING], {"zdr": True, "data_collection": "deny"}),
    ],
)
def test_any_layer_suffices_to_rule(layers: list[Boundaries], rules: dict[str, Any]) -> None:
    assert provider_rules(layers, PLAIN) == rules


@pytest.mark.parametrize(
    "request_",
    [
        evolve(PLAIN, tools=(Tool(name="f"),)),
        evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA),
        evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT),
    ],
)
def test_tools_and_schemas_need_a_host_that_honours_them(request_: Request) -> None:
    assert provider_rules([ANY], request_) == {"require_parameters": True}


CHAT_BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
RESPONSES_BODY: dict[str, Any] = {"model": "m", "input": "hi"}
FUNCTION: dict[str, Any] = {"name": "f", "parameters": {"type": "object"}}


def rules_of(surface: Surface, **fields: Any) -> dict[str, Any]:
    body = CHAT_BODY if surface is Surface.CHAT else RESPONSES_BODY
    found = WIRES[surface].read_request(
        {**body, **fields}, id=RequestId("req_1"), at=Instant(0), stack_header=None
    )
    assert isinstance(found, Request), found
    return provider_rules([ANY], found)


@pytest.mark.parametrize(
    ("surface", "field", "value"),
    [
        (Surface.CHAT, "tools", [{"type": "function", "function": FUNCTION}]),
        (Surface.CHAT, "response_format", {"type": "json_object"}),
        (Surface.CHAT, "logprobs", True),
        (Surface.CHAT, "logit_bias", {"1": 2}),
        (Surface.CHAT, "seed", 0),
        (Surface.CHAT, "stop", "."),
        (Surface.CHAT, "n", 2),
        (Surface.RESPONSES, "tools", [{"type": "function", **FUNCTION}]),
        (Surface.RESPONSES, "text", {"format": {"type": "json_object"}}),
        (Surface.RESPONSES, "top_logprobs", 1),
        (Surface.RESPONSES, "include", ["message.output_text.logprobs"]),
    ],
)
def test_what_changes_the_meaning_of_an_answer_is_demanded_of_the_host(
    surface: Surface, field: str, value: Any
) -> None:
    """litellm #41913 #35695 #27490: a field lost on the way, answered 200."""
    assert rules_of(surface, **{field: value}) == {"require_parameters": True}


@pytest.mark.parametrize("surface", list(Surface))
@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0, "top_p": 0.5, "user": "u", "metadata": {"a": "b"}},
        {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []},
        {"stream": True, "top_logprobs": 0},
    ],
)
def test_what_says_nothing_or_only_flavours_an_answer_costs_no_host(
    surface: Surface, fields: dict[str, Any]
) -> None:
    assert rules_of(surface, **fields) == {}


def test_a_host_that_cannot_honour_everything_is_told_by_what_was_sent() -> None:
    lacking = Fault(kind=FaultKind.UNSUPPORTED, message="no host honours every field")
    sent = {"model": "m", "seed": 7, "tools": [], "temperature": 0.5}
    told = name_parameters(lacking, sent).message
    assert "seed, tools, temperature" in told
    assert name_parameters(lacking, {"model": "m"}) == lacking
    other = Fault(kind=FaultKind.PROVIDER_ERROR, message="failed")
    assert name_parameters(other, sent) == other
