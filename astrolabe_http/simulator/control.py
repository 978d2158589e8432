"""How do tests steer a running simulator?

`/_control/faults` (GET, POST a rule or a list of them, DELETE), `/_control/journal` (GET with
`?model=`, `?path=` and `?of=` filters, DELETE), `POST /_control/release` lets every held call go.
No key: a simulator listens on its own machine.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from astrolabe_http.simulator.errors import refuse_request
from astrolabe_http.simulator.plan import Rule, read_rule
from astrolabe_http.simulator.provider import Provider


def control_routes(provider: Provider) -> list[Route]:
    """The routes that steer this provider."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            provider.plan.rules.clear()
        elif request.method == "POST":
            rules = _read_rules(await request.body())
            if isinstance(rules, str):
                return Response(refuse_request(rules).body(), 400, media_type="application/json")
            provider.plan.rules += rules
        return _json({"rules": [rule.describe() for rule in provider.plan.rules]})

    async def journal(request: Request) -> Response:
        if request.method == "DELETE":
            provider.journal.clear()
        asked = request.query_params
        model, path, of = asked.get("model"), asked.get("path"), asked.get("of")
        calls = [
            call.describe()
            for call in provider.journal.calls
            if model in (None, call.model)
            and of in (None, call.of)
            and (path is None or call.path.endswith(path))
        ]
        return _json({"received": provider.journal.received, "calls": calls})

    async def release(_: Request) -> Response:
        return _json({"released": provider.holds.release()})

    async def reset(_: Request) -> Response:
        provider.reset()
        return _json({})

    return [
        Route("/_control/reset", reset, methods=["POST"]),
        Route("/_control/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_control/journal", journal, methods=["GET", "DELETE"]),
        Route("/_control/release", release, methods=["POST"]),
    ]


def _read_rules(raw: bytes) -> list[Rule] | str:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return "the body is not JSON"
    rules: list[Rule] = []
    for item in value if isinstance(value, list) else [value]:
        rule = read_rule(item)
        if isinstance(rule, str):
            return rule
        rules.append(rule)
    return rules


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
