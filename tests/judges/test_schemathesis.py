"""schemathesis, with every check that it has, over the document that the gateway tells of itself.

Examples, boundary values and random requests, valid ones that must be accepted and invalid ones
that must be refused, each answer held to what is described: status, content type, headers and a
schema that is closed for this purpose, so that nothing undescribed is answered either. A stream is
held to it event by event. The same requests in each run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from copy import deepcopy
from typing import Any, Final

import jsonschema_rs
import pytest
import requests
import schemathesis
from attrs import field, frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from astrolabe_core.canonical import digest
from astrolabe_core.requests import Surface
from astrolabe_core.stacks import Memory, StackVersion
from astrolabe_core.stacks import Stack as RoutingStack
from astrolabe_core.units import StackSlug
from astrolabe_http.openapi import document
from astrolabe_http.service import KeyTerms, NewKey, Service
from astrolabe_http.wire.fields import object_of
from astrolabe_http.wire.grammar import Checker
from tests.http.openapi.unsaid import is_unsaid
from tests.http.openapi.validating import closed_answers
from tests.http.server.conftest import Stack
from tests.http.server.processes import with_service
from tests.judges.conftest import RATE_LIMIT

# What takes a minute alone takes longer beside others.
pytestmark = pytest.mark.timeout(300)
load_all_checks()

CONFIG: Final = {
    "seed": 7,
    # A case that takes longer than this has hung.
    "request-timeout": 20,
    "max-stream-events": 100_000,
    "generation": {
        "deterministic": True,
        "max-examples": 25,
        "no-shrink": True,
        # It would send a made-up `x-api-key` beside the real key, which is refused as two
        # different credentials. What `ignored_auth` sends without and with a wrong key it
        # makes itself.
        "with-security-parameters": False,
    },
    "operations": [
        # It takes the bodies of both other routes: five thousand boundary values that these have
        # had already.
        {"include-operation-id": "previewRoute", "phases": {"coverage": {"enabled": False}}},
    ],
}
ALIKE_MAX: Final = 2
EVERY_MESSAGE_S: Final = ("role", "content", "name", "tool_call_id")


def thinned(described: dict[str, Any]) -> dict[str, Any]:
    """Leave out what would only be the same again, a thousand times.

    Half of a body's fields must ask for nothing and have one schema; others may hold anything and
    are without effect; routing overrides have three forms; the fields of an assistant's message
    are read, and let go, in every other message too; and media are the same in every content. All
    of them are put to their readers in tests/http/openapi/test_bodies.py.
    """
    schemas = deepcopy(described["components"]["schemas"])

    def drop(name: str, left_out: Collection[str]) -> None:
        fields = schemas[name]["properties"]
        kept = {key: field for key, field in fields.items() if key not in left_out}
        schemas[name] = {**schemas[name], "properties": kept}

    for name in ("CreateChatCompletion", "CreateResponse"):
        fields = schemas[name]["properties"]
        alike = [key for key, field in fields.items() if field.get("deprecated")]
        loose = [key for key, field in fields.items() if field.keys() <= {"description"}]
        drop(name, {*alike[ALIKE_MAX:], *loose[ALIKE_MAX:]})
    flat = [key for key in schemas["RequestMetadata"]["properties"] if "." in key][ALIKE_MAX:]
    drop("RequestMetadata", flat)
    forms = schemas["RequestMetadata"]["propertyNames"]["anyOf"]
    forms[1]["enum"] = [key for key in forms[1]["enum"] if key not in flat]
    for name in ("InstructionMessage", "UserMessage", "ToolMessage"):
        drop(name, schemas[name]["properties"].keys() - set(EVERY_MESSAGE_S))
    for name, key in (("AssistantMessage", "content"), ("InputCallOutput", "output")):
        schemas[name]["properties"][key] = {"type": ["string", "null"]}
    return {**described, "components": {**described["components"], "schemas": schemas}}


SCHEMA = schemathesis.openapi.from_dict(
    thinned(closed_answers(document())), config=SchemathesisConfig.from_dict(CONFIG)
)
STREAMED: Final = {
    "POST /v1/responses": Surface.RESPONSES,
    "POST /v1/chat/completions": Surface.CHAT,
}
LINKED = SCHEMA.include(path_regex="^/v1/(responses|traces)")
RESPONSE_KEPT: Final = {"model": "openai/gpt-5.4-nano", "input": "Say hello."}
# Text that is JSON and means something in either place that takes some.
schemathesis.openapi.format("json", st.sampled_from(['{"stack": "high-quality"}', " {} "]))


@frozen
class Caller:
    """Who calls: a gateway's URL, a connection to it, a key, and which operations ask for one."""

    url: str
    session: requests.Session
    headers: dict[str, str]
    enforced: set[str] = field(factory=set)

    @property
    def told(self) -> dict[str, Any]:
        """How to send a case."""
        return {"base_url": self.url, "session": self.session, "headers": self.headers}

    def judge(self, case: Case[Any], response: Response, recorder: ScenarioRecorder | None) -> None:
        """Hold an answer to every check."""
        # A valid body may be refused for what a schema cannot say, and for nothing else.
        unsaid = response.status_code == 400 and is_unsaid(response.json()["error"])
        excluded: list[CheckFunction] = [positive_data_acceptance] if unsaid else []
        # It sends each case that was answered again, without a key and with a wrong one. To have
        # seen an operation refuse them once is enough, as in schemathesis' own runs.
        label = case.operation.label
        excluded += [ignored_auth] if label in self.enforced else []
        case.validate_response(
            response,
            excluded_checks=excluded,
            headers=self.headers,
            transport_kwargs=self.told,
            recorder=recorder,
        )
        if response.status_code == 200:
            self.enforced.add(label)
        if label in STREAMED and response.headers["content-type"][0].startswith("text/event-str"):
            # Each event is valid; here, that together they are a whole stream.
            options = object_of(object_of(case.body).get("stream_options"))
            wanted = options.get("include_usage") is True
            checker = Checker(STREAMED[label], usage_wanted=wanted)
            assert [*checker.feed(response.content or b""), *checker.end()] == []


@pytest.fixture(scope="module")
def caller(judged: Stack) -> Iterator[Caller]:
    """Call with a key whose stack keeps conversations: then there are responses to be shown."""
    memory = Memory(raw_prompt_storage=True, raw_output_storage=True)
    keeps = RoutingStack(slug=StackSlug("keeps"), name="Keeps", memory=memory)

    async def make(service: Service) -> str:
        version = StackVersion(stack=keeps, version=1, hash=digest(keeps))
        assert await service.store.publish_stack(judged.workspace, version)
        terms = KeyTerms(rate_limit=RATE_LIMIT, stack=keeps.slug)
        made = await service.create_key(judged.workspace, terms)
        assert isinstance(made, NewKey)
        return made.secret

    key = with_service(judged.database, make)
    with requests.Session() as session:
        session.trust_env = False
        yield Caller(judged.gateway.url, session, {"Authorization": f"Bearer {key}"})


def test_the_document_is_openapi_3_1() -> None:
    schemathesis.openapi.from_dict(document()).validate()
    broken = {**document(), "info": {"title": "without a version"}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


@SCHEMA.parametrize()
def test_the_gateway_does_what_it_describes(case: Case[Any], caller: Caller) -> None:
    caller.judge(case, case.call(**caller.told), None)


def test_what_links_lead_to_is_there_until_it_is_deleted(caller: Caller) -> None:
    answered: Counter[tuple[str, int]] = Counter()

    class Journey(LINKED.as_state_machine()):  # type: ignore[misc] # made at run time
        """Creates responses, and goes where their links lead."""

        def before_call(self, case: Case[Any]) -> None:
            if case.operation.label == "POST /v1/responses":
                # One that is served and kept; the others were sent above.
                case.body = dict(RESPONSE_KEPT)
                case.headers.pop("x-astrolabe-stack", None)

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return caller.told

        def validate_response(
            self, response: Response, case: Case[Any], additional_checks: Any = None, **_: Any
        ) -> None:
            answered[case.operation.label, response.status_code] += 1
            caller.judge(case, response, self.recorder)

    Journey.run(
        settings=settings(
            max_examples=30,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
    )
    # Random walks, but never so short that they do not come by these.
    assert {
        ("GET /v1/responses/{response_id}", 200),
        ("GET /v1/responses/{response_id}", 404),
        ("GET /v1/responses/{response_id}/input_items", 200),
        ("DELETE /v1/responses/{response_id}", 200),
        ("GET /v1/traces/{request_id}", 200),
    } <= answered.keys()
