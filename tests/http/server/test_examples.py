"""Every example of the document works: sent as it stands, it is answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from astrolabe_core.requests import Surface
from astrolabe_http.openapi.operations import OPERATIONS
from astrolabe_http.wire.grammar import Checker
from tests.http.openapi.validating import validator
from tests.http.server.conftest import Stack

EXAMPLES = [
    pytest.param(
        operation.path, operation.body.schema, example["value"], id=f"{operation.id}-{name}"
    )
    for operation in OPERATIONS
    if operation.body is not None
    for name, example in operation.body.examples.items()
]
SURFACES = {"/v1/chat/completions": Surface.CHAT, "/v1/responses": Surface.RESPONSES}


@pytest.mark.parametrize(("path", "schema", "body"), EXAMPLES)
def test_an_example_is_valid_and_answered(
    stack: Stack, path: str, schema: dict[str, Any], body: dict[str, Any]
) -> None:
    names = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])]
    assert any(validator(name).is_valid(body) for name in names)
    with stack.client() as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    if body.get("stream"):
        wanted = body.get("stream_options", {}).get("include_usage") is True
        checker = Checker(SURFACES[path], usage_wanted=wanted)
        assert [*checker.feed(answer.content), *checker.end()] == []


def test_the_document_is_served_by_the_process(stack: Stack) -> None:
    told = httpx.get(f"{stack.gateway.url}/openapi.json")
    assert told.status_code == 200
    assert set(told.json()["paths"]) == {each.path for each in OPERATIONS}
