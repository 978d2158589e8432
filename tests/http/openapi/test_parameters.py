"""The filters of the document are those that are read, and take what is read."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from astrolabe_core.codes import Refusal
from astrolabe_http.openapi import parameters
from astrolabe_http.openapi.parameters import VIEW
from astrolabe_http.usage_page import FILTERS, read_usage_query
from tests.http.gateways import make_bench
from tests.http.openapi.validating import DOCUMENT

WRITTEN = ["", "0", "1", "1000", "1001", "-1", "x", "true", "false", "model", "mood", "2026-11-21"]
SCHEMAS: dict[str, dict[str, Any]] = {each["name"]: each["schema"] for each in parameters.FILTERS}


def test_every_filter_is_described_and_every_described_filter_is_read() -> None:
    assert set(SCHEMAS) == set(FILTERS)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("text", WRITTEN)
def test_what_a_filter_takes_is_what_its_schema_takes(name: str, text: str) -> None:
    readings: list[object] = [text]
    if text.lstrip("-").isdigit():
        readings.append(int(text))
    if text in {"true", "false"}:
        readings.append(text == "true")
    schema = {**SCHEMAS[name], "components": DOCUMENT["components"]}
    valid = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid
    taken = not isinstance(read_usage_query(f"{name}={text}".encode()), Refusal)
    assert taken is any(valid(reading) for reading in readings)


@pytest.mark.anyio
@pytest.mark.parametrize("view", ["all", "virtual", "serving", "", "none"])
async def test_a_view_is_taken_where_its_schema_takes_it(view: str) -> None:
    async with (await make_bench()).client() as client:
        answer = await client.get("/v1/models", params={"view": view})
    assert (answer.status_code == 200) is (view in VIEW["schema"]["enum"])
