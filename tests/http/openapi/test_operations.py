"""The document and the app have the same routes, and tell of them the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.routing import Route

from astrolabe_core.codes import Code
from astrolabe_http.app import create_app
from astrolabe_http.errors import FORMS
from astrolabe_http.openapi.operations import OPERATIONS, REFUSALS, TAGS, Operation
from tests.http.gateways import make_bench
from tests.http.openapi.validating import DOCUMENT

pytestmark = pytest.mark.anyio


async def test_every_route_is_described_and_everything_described_is_a_route() -> None:
    app = create_app((await make_bench()).gateway)
    routes = {
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"  # comes with every GET
    }
    described = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert routes == described
    assert all(isinstance(route, Route) for route in app.routes)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
async def test_whoever_has_no_key_is_refused_where_the_document_says_so(
    operation: Operation,
) -> None:
    bench = await make_bench()
    path = operation.path.replace("{", "").replace("}", "")
    async with bench.client(accept="*/*") as client:
        answer = await client.request(operation.method, path, json={} if operation.body else None)
    assert answer.status_code == (401 if operation.keyed else 200)


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}


@pytest.mark.parametrize("path", DOCUMENT["paths"])
async def test_every_method_that_is_not_described_is_405_and_told_which_are(path: str) -> None:
    bench = await make_bench()
    described = {method.upper() for method in DOCUMENT["paths"][path]}
    taken = described | ({"HEAD"} if "GET" in described else set())
    async with bench.client() as client:
        for method in sorted(METHODS - taken):
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 405, method
            assert set(answer.headers["allow"].split(", ")) == taken
            if method != "HEAD":
                assert answer.json()["error"]["type"] == "invalid_request_error"


def test_every_code_is_told_and_those_of_a_status_are_together() -> None:
    told = {code for refusals in REFUSALS for code in refusals.codes}
    assert told == set(Code)
    for operation in OPERATIONS:
        assert operation.refusals in REFUSALS
        made = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
        statuses = {str(FORMS[code].status) for code in operation.refusals.codes}
        unready = set() if operation.unready is None else {"503"}
        assert set(made) == {"200", "500"} | statuses | unready


def test_ids_are_unique_and_every_tag_is_explained_and_used() -> None:
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert {operation.tag for operation in OPERATIONS} == set(TAGS)


def test_every_link_leads_to_a_parameter_of_an_operation() -> None:
    known = {each.id: {one["name"] for one in each.parameters} for each in OPERATIONS}
    for operation in OPERATIONS:
        for link in operation.links.values():
            assert set(link["parameters"]) <= known[link["operationId"]]


def test_the_page_on_the_api_has_every_route() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{each.method} {each.path}` | {each.summary} | {'yes' if each.keyed else 'no'} |"
        for each in OPERATIONS
    ]
