"""The document holds together: every pointer leads somewhere, and everything is pointed at."""

from __future__ import annotations

import jsonschema_rs
import orjson
import pytest

from astrolabe_http.app import create_app
from astrolabe_http.openapi import document, document_bytes
from tests.http.gateways import make_bench
from tests.http.openapi.validating import DOCUMENT, nodes


def test_every_pointer_leads_somewhere_and_every_component_is_pointed_at() -> None:
    pointers = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    components = {
        f"#/components/{kind}/{name}"
        for kind, held in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in held
    }
    assert pointers == components


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one_of_2020_12(name: str) -> None:
    jsonschema_rs.meta.validate(
        {
            **DOCUMENT["components"]["schemas"][name],
            "$schema": "https://json-schema.org/draft/2020-12/schema",
        }
    )


def test_everything_that_people_read_is_there() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], path
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if not name.startswith("Response") or name == "Response":
            assert schema.get("description"), name


def test_the_bytes_are_made_once_for_each_place_where_the_app_is_mounted() -> None:
    assert orjson.loads(document_bytes("")) == document()
    assert document_bytes("") is document_bytes("")
    assert orjson.loads(document_bytes("/ai"))["servers"][0]["url"] == "/ai"


def test_whoever_changes_a_document_changes_no_other() -> None:
    changed = document()
    for node in list(nodes(changed)):
        if isinstance(node, dict):
            node.clear()
    assert document()["components"]["schemas"]["Error"]["properties"]


@pytest.mark.anyio
async def test_the_document_is_told_to_everybody() -> None:
    async with (await make_bench()).client(accept="*/*") as client:
        answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.content == document_bytes("")
    assert answer.json()["openapi"].startswith("3.1")


@pytest.mark.anyio
async def test_a_mounted_app_names_the_place_where_its_routes_begin() -> None:
    import httpx
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount("/ai", create_app((await make_bench()).gateway))])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.get("/ai/openapi.json")
    assert answer.json()["servers"][0]["url"] == "/ai"
