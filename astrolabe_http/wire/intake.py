"""What do both formats read alike: model, routing metadata, caps, schemas, functions?

Strict where the meaning of the answer changes, tolerant otherwise. What the provider cannot
take and would change the answer is refused by name; the rest that is unknown is let go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from astrolabe_core.codes import Refusal
from astrolabe_core.requests import Incoming, Malformed, Overrides, Request, Tool, ToolChoice
from astrolabe_core.units import Instant, RequestId, Tokens
from astrolabe_http.strict_json import StrictObject
from astrolabe_http.wire.fields import (
    BOOLEAN,
    STRING,
    Check,
    Object,
    described,
    first_wrong,
    invalid,
    unwritable,
)
from astrolabe_http.wire.metadata import read_steering
from astrolabe_http.wire.rulings import Rulings, first_against

MODEL_CHARS_MAX: Final = 256
SCHEMA_NAME_CHARS_MAX: Final = 64
OUTPUT_TOKENS_CLAMP: Final = Tokens(1_000_000_000)
"""A larger cap says no more than this one."""

DECLARED_CHECKS: Final[Mapping[str, Check]] = {"description": STRING, "strict": BOOLEAN}


@dataclass(frozen=True, slots=True)
class Intake:
    """A body that may be read on: its own fields, its model, and what steers its routing."""

    body: dict[str, object]
    model: str
    overrides: Overrides


@dataclass(frozen=True, slots=True)
class Form:
    """Which form the answer takes, as the caller wrote it."""

    kind: str
    schema: Object | None = None


def take_in(
    body: Object,
    *,
    rulings: Rulings,
    stack_header: str | None,
) -> Intake | Refusal:
    """Check the plain fields and take the routing metadata out."""
    # What strict JSON let in can be written; anybody else may hand in what cannot.
    wrong = None if isinstance(body, StrictObject) else unwritable(body)
    wrong = wrong or first_against(body, rulings)
    if wrong is not None:
        return wrong
    model = body.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= MODEL_CHARS_MAX:
        message = (
            f"model must be the id of a model, not {described(model)}; "
            "astrolabe/auto chooses one, GET /v1/models lists them"
        )
        return invalid("model", message)
    steering = read_steering(model, body.get("metadata"), stack_header)
    if isinstance(steering, Refusal):
        return steering
    kept = {key: value for key, value in body.items() if key != "metadata"}
    kept["model"] = steering.model
    if steering.metadata:
        kept["metadata"] = steering.metadata
    return Intake(kept, steering.model, steering.overrides)


def refused(refusal: Refusal, request_id: RequestId, at: Instant) -> Malformed:
    """Keep a refusal until the caller is known: who may not call is told that first."""
    return Malformed(id=request_id, received_at=at, refusal=refusal)


def output_cap(*caps: object) -> Tokens | None:
    """Give the smallest of the caps that were set."""
    known = [cap for cap in caps if isinstance(cap, int) and not isinstance(cap, bool)]
    return Tokens(min(*known, OUTPUT_TOKENS_CLAMP)) if known else None


def read_function(
    declared: Object, *, param: str, outer: Object, name_chars_max: int
) -> Tool | Refusal:
    """Read the declaration of a function."""
    name = declared.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= name_chars_max:
        message = f"{param}.name must be a string of 1 to {name_chars_max} characters"
        return invalid(f"{param}.name", f"{message}, not {described(name)}")
    wrong = first_wrong(declared, DECLARED_CHECKS, f"{param}.")
    if wrong is not None:
        return wrong
    parameters = declared.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        message = f"{param}.parameters must be a JSON schema, not {described(parameters)}"
        return invalid(f"{param}.parameters", message)
    return Tool(
        name=name,
        schema_bytes=len(orjson.dumps(outer)),
        parameters=parameters or None,
        strict=declared.get("strict") is True,
    )


def check_choice(
    found: ToolChoice, wanted: str | None, tools: tuple[Tool, ...]
) -> ToolChoice | Refusal:
    """See that there is a function for a choice that demands one."""
    if found is ToolChoice.REQUIRED and not tools:
        return invalid("tool_choice", "tool_choice is required and tools offers no function")
    if wanted is not None and all(tool.name != wanted for tool in tools):
        message = f"tool_choice names {wanted[:64]!r}, which is not among tools"
        return invalid("tool_choice", message)
    return found


def read_schema(declared: Object, *, param: str) -> Form | Refusal:
    """Read the declaration of a JSON schema for the answer."""
    name, schema = declared.get("name"), declared.get("schema")
    if not isinstance(name, str) or not 0 < len(name) <= SCHEMA_NAME_CHARS_MAX:
        message = f"{param}.name must be a string of 1 to {SCHEMA_NAME_CHARS_MAX} characters"
        return invalid(f"{param}.name", f"{message}, not {described(name)}")
    if schema is not None and not isinstance(schema, Mapping):
        message = f"{param}.schema must be a JSON schema, not {described(schema)}"
        return invalid(f"{param}.schema", message)
    wrong = first_wrong(declared, DECLARED_CHECKS, f"{param}.")
    if wrong is not None:
        return wrong
    return Form("json_schema", {} if schema is None else schema)


def without_nulls(said: Object) -> dict[str, object]:
    """Leave out the nulls, which say nothing and which OpenRouter's schema often forbids."""
    return {key: value for key, value in said.items() if value is not None}


def wants_one_call(body: Object) -> bool:
    """Whether an answer may hold one tool call at most."""
    return body.get("parallel_tool_calls") is False


def cache_options(body: Object) -> dict[str, object]:
    """Give what is said of prompt caches; where nothing is, caches are implicit."""
    options = body.get("prompt_cache_options")
    if not isinstance(options, Mapping) or options.get("mode") != "explicit":
        return {}
    kept = {key: options[key] for key in ("mode", "ttl") if options.get(key) is not None}
    return {"prompt_cache_options": kept}


def is_reasoning(reasoning: Object, effort: object) -> bool:
    """Whether thinking is asked for: an effort but `none`, a budget, or simply on."""
    wanted = reasoning.get("effort") or effort
    if wanted is not None:
        return wanted != "none"
    return reasoning.get("enabled") is True or bool(reasoning.get("max_tokens"))


def request_of(arrival: Incoming) -> Request:
    """Give the request of a trace that got as far as an answer."""
    if not isinstance(arrival, Request):
        message = f"{type(arrival).__name__} has no answer"
        raise TypeError(message)
    return arrival
